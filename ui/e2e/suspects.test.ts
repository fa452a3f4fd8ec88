/** The tasks of a run that died, which the demo leaves behind. */

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { SuspectList, WorkflowList } from "../src/api/types";
import { complaints, launch, saved } from "./browser";
import { serveDemo } from "./tasktide";

let demo: Awaited<ReturnType<typeof serveDemo>>;
let browser: Browser;
let page: Page;
let heard: string[] = [];

beforeAll(async () => {
  [demo, browser] = await Promise.all([serveDemo(), launch()]);
  page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  heard = complaints(page);
});

afterAll(async () => {
  await browser.close();
  await demo.close();
  expect(heard).toEqual([]);
});

/** The workflow whose run has died by now, and its suspects. */
async function died(): Promise<[workflowId: number, suspects: SuspectList]> {
  let workflowId = 0;
  let suspects: SuspectList | undefined;
  const answer = async <T>(path: string) =>
    (await (await fetch(`${demo.url}/api/v2/${path}`)).json()) as T;
  await expect
    .poll(
      async () => {
        const { workflows } = await answer<WorkflowList>("workflows?search=abandoned");
        workflowId = workflows.at(0)?.id ?? 0;
        if (workflowId === 0) return 0;
        suspects = await answer(`workflow/${workflowId}/suspects?groups=true`);
        return suspects?.count;
      },
      { timeout: 60_000, interval: 500 },
    )
    .toBeGreaterThan(0);
  if (suspects === undefined) throw new Error("there are no suspects");
  return [workflowId, suspects];
}

it("are hatched, counted in the tooltip and the files, and a click away", async () => {
  const [workflowId, suspects] = await died();
  const { count } = suspects;
  const words = `Suspect: ${count} tasks whose run has ended or is lost`;
  // Nothing else is active there: from their run's end on, they are all that there is.
  await page.goto(`${demo.url}/workflows/${workflowId}?status=ACTIVE&live=0`);
  const key = page.getByRole("link", { name: words });
  await key.waitFor();
  await page.getByRole("application").focus();
  await page.keyboard.press("End");
  const number = (row: string) =>
    page.getByTestId("tooltip").locator(`[data-row="${row}"] [data-value]`).textContent();
  expect(await number("Suspect, mean")).toBe(String(count));
  expect(await number("Total, mean")).toBe(String(count));
  expect(await page.getByTestId("timeline").getByRole("status").textContent()).toContain(
    `Suspect, mean ${count}`,
  );

  // Half of what is hatched is the page's colour: where the same is shown without the list, separators alone are.
  const painted = () =>
    page
      .getByTestId("timeline")
      .locator("canvas")
      .evaluate((element) => {
        const canvas = element as HTMLCanvasElement;
        const { width, height } = canvas;
        const data = canvas.getContext("2d")?.getImageData(0, 0, width, height).data ?? [];
        let white = 0;
        for (let i = 0; i < data.length; i += 4) {
          if (data[i + 3] > 0 && data[i] + data[i + 1] + data[i + 2] === 765) white++;
        }
        return white / (width * height);
      });
  const hatched = await painted();

  expect((await saved(page, "CSV", "What is on screen")).toString().split("\r\n").at(-2)).toContain(
    `,${count}`,
  );
  expect((await saved(page, "PNG", "SVG")).toString()).toContain(words);

  await key.click();
  await page.getByRole("table", { name: "Suspects" }).waitFor();
  expect(new URL(page.url()).pathname).toBe(`/workflows/${workflowId}/tasks`);

  await page.route("**/suspects?*", (route) =>
    route.fulfill({ json: { ...suspects, count: 0, tasks: [], groups: [] } }),
  );
  await page.goto(`${demo.url}/workflows/${workflowId}?status=ACTIVE&live=0`);
  await page.locator(".js-plotly-plot path.js-line").first().waitFor();
  expect(await key.count()).toBe(0);
  expect(hatched).toBeGreaterThan(2 * (await painted()));
});
