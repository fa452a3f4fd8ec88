import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { TaskAtList } from "../src/api/types";
import { complaints, launch } from "./browser";
import { importAndServe, type Served } from "./tasktide";

let served: Served;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let heard: string[];

beforeAll(async () => {
  [served, browser] = await Promise.all([importAndServe("pages"), launch()]);
});

afterAll(async () => {
  await browser.close();
  await served.close();
});

beforeEach(async () => {
  context = await browser.newContext({
    viewport: { width: 390, height: 844 },
    timezoneId: "Asia/Kathmandu",
  });
  page = await context.newPage();
  heard = complaints(page);
});

afterEach(async () => {
  await context.close();
  expect(heard).toEqual([]);
});

/** How many pixels the page is wider than a phone: only tables may be, within a frame of their own. */
function overflow(): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}

it("walks through a workflow's views with the keyboard, on a phone", async () => {
  await page.goto(`${served.url}/workflows/${served.workflowId}/templates`);
  await page.getByRole("table", { name: "Templates" }).getByRole("link").first().waitFor();
  expect(await overflow()).toBe(0);

  await page.getByRole("tab", { name: "Templates" }).focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Space");
  await page.getByRole("table", { name: "Tasks" }).getByRole("link").first().waitFor();
  expect(new URL(page.url()).pathname).toBe(`/workflows/${served.workflowId}/tasks`);
  expect(await overflow()).toBe(0);

  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await page.getByRole("table", { name: "Changes of status" }).getByRole("link").first().waitFor();
  expect(await overflow()).toBe(0);

  await page.goBack();
  await page.getByRole("tab", { name: "Tasks", selected: true }).waitFor();
});

it("scrolls a table that is wider than the phone, with the keyboard", async () => {
  await page.goto(`${served.url}/workflows/${served.workflowId}/audit`);
  await page.getByRole("table", { name: "Changes of status" }).getByRole("link").first().waitFor();
  const frame = page.getByRole("region", { name: "Changes of status" });
  await frame.focus();
  await page.keyboard.press("ArrowRight");
  await expect.poll(() => frame.evaluate((element) => element.scrollLeft)).toBeGreaterThan(0);
});

it("leads from a task in the list to its history", async () => {
  const api = `${served.url}/api/v2/workflow/${served.workflowId}/tasks?status=D&limit=1`;
  const { tasks } = (await (await fetch(api)).json()) as TaskAtList;
  const [task] = tasks;
  await page.goto(`${served.url}/workflows/${served.workflowId}/tasks?status=D`);
  await page.getByRole("link", { name: task.name, exact: true }).click();
  await page.getByRole("heading", { level: 1, name: task.name }).waitFor();
  expect(new URL(page.url()).pathname).toBe(`/tasks/${task.id}`);
  await page.getByRole("img", { name: /^From .* UTC to .* UTC: / }).waitFor();
  expect(
    await page.getByRole("table", { name: "Stays in statuses" }).getByRole("row").count(),
  ).toBe(7);
  expect(await overflow()).toBe(0);
});
