/** What the page says of its own words: beside them, and in the documentation that the server has. */

import axe, { type AxeResults } from "axe-core";
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { complaints, launch } from "./browser";
import { importAndServe, type Served } from "./tasktide";

const base = "/tools/tasktide/";

let served: Served;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let heard: string[];

beforeAll(async () => {
  [served, browser] = await Promise.all([importAndServe("nightly", "--base-path", base), launch()]);
});

afterAll(async () => {
  await browser.close();
  await served.close();
});

afterEach(async () => {
  await context.close();
  expect(heard).toEqual([]);
});

async function open(path: string, width = 1280, more: { hasTouch?: boolean } = {}) {
  context = await browser.newContext({ viewport: { width, height: 900 }, ...more });
  page = await context.newPage();
  heard = complaints(page);
  await page.goto(new URL(base + path, served.url).href);
}

async function drawn() {
  await page.locator(".js-plotly-plot path.js-line").first().waitFor();
  await page.getByRole("button", { name: "Help: Task-seconds" }).waitFor();
}

const help = (name: string) => page.getByRole("button", { name: `Help: ${name}`, exact: true });
const learnMore = () => page.getByRole("link", { name: /^Learn more/ });

/** How far an element is from the sides of the window, inwards. */
async function inset(locator: Locator): Promise<number> {
  const box = await locator.boundingBox();
  const size = page.viewportSize();
  if (box === null || size === null) throw new Error("It is not shown.");
  return Math.min(box.x, box.y, size.width - box.x - box.width, size.height - box.y - box.height);
}

it("explains a word to the mouse, which can go onto the text", async () => {
  await open(`workflows/${served.workflowId}`);
  await drawn();
  await help("Value").hover();
  await learnMore().hover();
  expect(await help("Value").getAttribute("aria-expanded")).toBe("true");
  expect(await inset(learnMore())).toBeGreaterThan(0);
  await page.keyboard.press("Escape");
  await expect.poll(() => learnMore().count()).toBe(0);
  await page.mouse.move(2, 2);
  await help("Value").hover();
  await learnMore().waitFor();
  await page.mouse.move(2, 2);
  await expect.poll(() => learnMore().count()).toBe(0);
});

it("explains a word to the keyboard, and leads to its section", async () => {
  await open(`workflows/${served.workflowId}`);
  await drawn();
  await page.getByRole("combobox", { name: "Value" }).focus();
  await page.keyboard.press("Tab");
  await learnMore().waitFor();
  await page.keyboard.press("Escape");
  await expect.poll(() => learnMore().count()).toBe(0);
  expect(await page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toBe(
    "Help: Value",
  );
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Glossary" }).waitFor();
  expect(new URL(page.url()).pathname).toBe(`${base}docs/glossary`);
  expect(new URL(page.url()).hash).toBe("#mean");
  expect(await inset(page.getByRole("heading", { name: "Mean", exact: true }))).toBeGreaterThan(0);
});

it("explains a word to a finger", async () => {
  await open(`workflows/${served.workflowId}`, 390, { hasTouch: true });
  await drawn();
  await help("Retries apart").tap();
  await learnMore().waitFor();
  expect(await inset(learnMore())).toBeGreaterThan(0);
  await page.getByText("Counts attempts after the first apart", { exact: false }).last().tap();
  expect(await learnMore().count()).toBe(1);
  await page.getByRole("heading", { level: 1 }).tap();
  await expect.poll(() => learnMore().count()).toBe(0);
});

it.each([
  [1280, "", ["Peak, 24 h"]],
  [390, "", ["Peak, 24 h"]],
  [1280, "workflows/1", ["Value", "Bucket", "Limits", "Pending", "Retries apart", "Legend"]],
  [390, "workflows/1", ["Value", "Bucket", "Limits", "Pending", "Retries apart", "Legend"]],
  [1280, "workflows/1/templates", ["Attempts", "Retries"]],
])("has targets that fingers hit, at %i px, on /%s", async (width, path, names) => {
  await open(path, width);
  for (const name of names) await help(name).waitFor();
  const small = await page.getByRole("button", { name: /^Help: / }).evaluateAll((buttons) =>
    buttons
      .map((button) => ({ name: button.ariaLabel, box: button.getBoundingClientRect() }))
      .filter(({ box }) => box.width < 24 || box.height < 24)
      .map(({ name }) => name),
  );
  expect(small).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBe(
    0,
  );
});

it("keeps the choices in two rows at 1280 px", async () => {
  await open("workflows/1?range=1h");
  await page.getByRole("button", { name: "Pause" }).waitFor();
  const box = await page.getByRole("region", { name: "What is shown" }).boundingBox();
  expect(box?.height).toBeLessThan(100);
});

it("leads from Help to the documentation, in the colours that were chosen, and back", async () => {
  await open("");
  await page.getByRole("button", { name: /^Colours/ }).click();
  await page.getByRole("menuitem", { name: "Dark" }).click();
  await page.getByRole("link", { name: "Help", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "Tasktide" }).waitFor();
  expect(new URL(page.url()).pathname).toBe(`${base}docs/`);
  expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe(
    "rgb(10, 11, 14)",
  );
  const image = page.getByRole("main").getByRole("img").first();
  expect(await image.evaluate((img: HTMLImageElement) => img.decode().then(() => true))).toBe(true);
  await page.getByRole("link", { name: "Workflows" }).click();
  await page.getByRole("link", { name: "nightly" }).waitFor();
});

it("has documentation that is read without scripts, on a phone", async () => {
  context = await browser.newContext({
    viewport: { width: 390, height: 844 },
    javaScriptEnabled: false,
  });
  page = await context.newPage();
  heard = complaints(page);
  await page.goto(new URL(`${base}docs/operations`, served.url).href);
  await page.getByText("Pages and sections").click();
  await page.getByRole("link", { name: "Glossary" }).click();
  await page.getByRole("heading", { level: 1, name: "Glossary" }).waitFor();
});

it.each(["", "glossary", "operations", "benchmarks", "architecture", "nothing"])(
  "axe finds nothing in /docs/%s, and only tables and code are wider than a phone",
  async (name) => {
    await open(`docs/${name}`);
    if (name === "nothing") heard.length = 0; // its 404 is meant
    for (const colorScheme of ["light", "dark"] as const) {
      for (const width of [1280, 390]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 900 });
        await page.evaluate(axe.source);
        const { violations } = await page.evaluate<AxeResults>(
          `axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })`,
        );
        const found = violations.flatMap(({ id, nodes }) =>
          nodes.map(({ target }) => `${id}: ${target.join(" ")}`),
        );
        expect(found, `${width} px, ${colorScheme}`).toEqual([]);
        expect(
          await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
        ).toBe(0);
      }
    }
  },
);
