import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ConcurrencyColumns } from "../src/api/types";
import { margins } from "../src/charts/figure";
import { bucketsOf, bucketStart } from "../src/charts/timeline";
import { formatDuration, formatInstant, formatNumber } from "../src/format";
import { complaints, launch, saved } from "./browser";
import { importAndServe, type Served } from "./tasktide";

const name = "variants-of-sixty-samples";
const screenshots = join(import.meta.dirname, "screenshots");

let served: Served;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let heard: string[];

beforeAll(async () => {
  mkdirSync(screenshots, { recursive: true });
  [served, browser] = await Promise.all([importAndServe(name), launch()]);
});

afterAll(async () => {
  await browser.close();
  await served.close();
});

beforeEach(async () => {
  context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    colorScheme: "light",
    // Far from UTC: the page's times are not the browser's.
    timezoneId: "Asia/Kathmandu",
  });
  page = await context.newPage();
  heard = complaints(page);
});

afterEach(async () => {
  await context.close();
  expect(heard).toEqual([]);
});

async function columns(...templates: string[]): Promise<ConcurrencyColumns> {
  const query = new URLSearchParams({
    time_range: "all",
    granularity: "auto",
    stat: "mean",
    format: "columns",
  });
  for (const template of templates) query.append("task_template_name", template);
  const path = `/api/v2/workflow/${served.workflowId}/task_concurrency`;
  const answer = await fetch(`${served.url}${path}?${query.toString()}`);
  expect(answer.status).toBe(200);
  return (await answer.json()) as ConcurrencyColumns;
}

async function open() {
  await page.goto(`${served.url}/workflows/${served.workflowId}`);
  await line().waitFor();
}

/** The total's line as it is drawn, which Plotly does after the answer has come. */
function line(): Locator {
  return page.locator(".js-plotly-plot path.js-line").first();
}

/** Points at the middle of a bucket while the whole window is shown. */
async function hover(answer: ConcurrencyColumns, bucket: number) {
  const box = await page.getByTestId("timeline").boundingBox();
  if (box === null) throw new Error("there is no chart");
  const { first, width, count } = bucketsOf(answer);
  const share = (bucketStart(bucketsOf(answer), bucket) - first + width / 2) / (count * width);
  const plotWidth = box.width - margins.left - margins.right;
  await page.mouse.move(box.x + margins.left + share * plotWidth, box.y + box.height / 2);
}

/** What the tooltip says, by row. */
async function tooltip(): Promise<Record<string, string>> {
  const rows = page.getByTestId("tooltip").locator("[data-row]");
  const entries = await rows.evaluateAll((elements) =>
    elements.map((row) => [
      row.getAttribute("data-row") ?? "",
      row.querySelector("[data-value]")?.textContent ?? "",
    ]),
  );
  return Object.fromEntries(entries) as Record<string, string>;
}

function expected(answer: ConcurrencyColumns, bucket: number): Record<string, string> {
  return {
    "Total, mean": formatNumber(answer.total.values[bucket]),
    "Total, peak": formatNumber(answer.total.peaks[bucket]),
    ...Object.fromEntries(
      answer.series.map((series) => [
        series.task_template_name,
        formatNumber(series.values[bucket]),
      ]),
    ),
  };
}

function busiest(answer: ConcurrencyColumns): number {
  return answer.total.peaks.indexOf(Math.max(...answer.total.peaks));
}

describe("the timeline of an imported run", () => {
  it("is two clicks away from the list, with one template isolated, and shows the API's numbers", async () => {
    await page.goto(served.url);
    await page.getByRole("link", { name }).click();
    await line().waitFor();
    const whole = await columns();
    expect(whole.series.map((series) => series.task_template_name).sort()).toEqual([
      "align",
      "call_variants",
      "fastqc",
      "report",
    ]);
    const summary = page.getByRole("region", { name: "Summary of all templates" });
    await expect.poll(() => summary.textContent()).toContain(formatNumber(whole.total.peak));
    expect(await summary.textContent()).toContain(formatInstant(whole.total.peak_at ?? ""));
    expect(await summary.textContent()).toContain(formatNumber(whole.total.task_seconds));
    for (const bucket of [0, busiest(whole), whole.bucket.count - 1]) {
      await hover(whole, bucket);
      await expect.poll(tooltip).toEqual(expected(whole, bucket));
    }

    await page.getByRole("button", { name: /^align / }).click();
    const align = await columns("align");
    const part = page.getByRole("region", { name: "Summary of align" });
    await expect.poll(() => part.textContent()).toContain(formatNumber(align.total.task_seconds));
    expect(await part.textContent()).toContain(`${align.total.peak}at `);
    for (const bucket of [0, busiest(align), align.bucket.count - 1]) {
      await hover(align, bucket);
      await expect.poll(tooltip).toEqual(expected(align, bucket));
    }
    expect(new URL(page.url()).search).toBe("?template=align");
  });

  it("reopens the same view after a reload, and the one before with Back", async () => {
    await open();
    await page.getByRole("button", { name: /^align / }).click();
    await page.getByRole("combobox", { name: "Bucket" }).click();
    await page.getByRole("option", { name: "1 min", exact: true }).click();
    await page.reload();
    await page.getByRole("region", { name: "Summary of align" }).waitFor();
    expect(await page.getByRole("combobox", { name: "Bucket" }).textContent()).toContain("1 min");
    await page.goBack();
    await expect
      .poll(() => page.getByRole("combobox", { name: "Bucket" }).textContent())
      .toContain("Auto");
  });

  it("writes the axis in UTC, wherever the browser is", async () => {
    await open();
    const ticks = await page.locator(".js-plotly-plot .xtick text").allTextContents();
    expect(ticks.length).toBeGreaterThan(2);
    for (const tick of ticks) expect(tick).toMatch(/^08:/);
  });

  it("zooms with the wheel, and shows the whole window again after a double-click", async () => {
    await open();
    const whole = await columns();
    const chart = page.getByTestId("timeline");
    const before = await pixels(chart.locator("canvas"));
    const shape = await line().getAttribute("d");
    await hover(whole, busiest(whole));
    await page.mouse.wheel(0, -400);
    await expect.poll(async () => (await pixels(chart.locator("canvas"))) === before).toBe(false);
    // Plotly takes a pause after the last turn of the wheel for its end.
    await expect.poll(() => line().getAttribute("d")).not.toBe(shape);
    // Clicks that follow one another closely count as one series, of which only the second is a
    // double-click: so a try that a busy machine has missed needs a pause before the next.
    await expect
      .poll(
        async () => {
          await page.mouse.dblclick(...(await middle(chart)));
          return (await pixels(chart.locator("canvas"))) === before;
        },
        { interval: 1_000, timeout: 20_000 },
      )
      .toBe(true);
  });

  it("asks for finer buckets of what is zoomed into, and keeps it in the address", async () => {
    const { window } = await columns();
    const day = 86_400_000;
    const start = new Date(Date.parse(window.start) - 2 * day).toISOString();
    const end = new Date(Date.parse(window.end) + 2 * day).toISOString();
    const summary = page.getByRole("region", { name: "Summary of all templates" });
    const shown = async (from: string, to: string) => {
      const query = new URLSearchParams({
        start: from,
        end: to,
        granularity: "auto",
        stat: "mean",
        format: "columns",
      });
      const path = `/api/v2/workflow/${served.workflowId}/task_concurrency?${query.toString()}`;
      const answer = (await (await fetch(`${served.url}${path}`)).json()) as ConcurrencyColumns;
      const over = formatDuration(
        (Date.parse(answer.window.end) - Date.parse(answer.window.start)) / 1000,
      );
      await expect.poll(() => summary.textContent()).toContain(`over ${over}`);
      return answer.bucket.seconds;
    };
    await page.goto(`${served.url}/workflows/${served.workflowId}?window=${start}/${end}`);
    const coarse = await shown(start, end);
    const zoom = () => new URL(page.url()).searchParams.get("zoom");
    const length = () => {
      const [from, to] = (zoom() ?? "").split("/").map(Date.parse);
      return to - from;
    };
    for (const most of [2.1 * day, 1.1 * day]) {
      await page.getByRole("button", { name: "Zoom in (+)" }).click();
      await expect.poll(length).toBeLessThan(most);
    }
    const [from, to] = (zoom() ?? "").split("/");
    expect(await shown(from, to)).toBeLessThan(coarse);
    await page.reload();
    await shown(from, to);
    await page.getByRole("button", { name: /^Whole window/ }).click();
    await expect.poll(zoom).toBeNull();
    await shown(start, end);
  });

  it("can be read with the keyboard alone", async () => {
    await open();
    const whole = await columns();
    await page.getByRole("application").focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowRight");
    await expect.poll(tooltip).toEqual(expected(whole, 1));
    expect(await page.getByTestId("timeline").getByRole("status").textContent()).toContain("UTC");
    await page.keyboard.press("Escape");
    await page.getByTestId("tooltip").waitFor({ state: "hidden" });
  });

  it("exports what is on screen as CSV and as a picture of twice the size", async () => {
    await open();
    const whole = await columns();
    const csv = (await saved(page, "CSV", "What is on screen")).toString().trimEnd().split("\r\n");
    const rows = csv.filter((row) => !/^"?#/.test(row));
    expect(rows).toHaveLength(1 + whole.bucket.count);
    const header = rows[0].split(",");
    const busy = rows[1 + busiest(whole)].split(",");
    for (const series of whole.series) {
      expect(busy[header.indexOf(series.task_template_name)]).toBe(
        String(series.values[busiest(whole)]),
      );
    }
    expect(busy[header.indexOf("total_peak")]).toBe(String(whole.total.peak));

    // All that the server has of the window, as it streams it.
    const all = (await saved(page, "CSV", "Every template, from the server")).toString().trimEnd();
    expect(all.split("\r\n").filter((row) => !/^"?#/.test(row))).toHaveLength(
      1 + whole.bucket.count,
    );

    const svg = (await saved(page, "PNG", "SVG")).toString();
    for (const part of [`<title>${name}</title>`, "data:image/png;base64,", "call_variants"]) {
      expect(svg).toContain(part);
    }
    const png = await saved(page, "PNG", "PNG, at twice the size");
    expect(png.subarray(1, 4).toString()).toBe("PNG");
    const box = await page.getByTestId("timeline").boundingBox();
    expect(png.readUInt32BE(16)).toBeGreaterThan(2 * (box?.width ?? 0));
  });

  it.each(["light", "dark"] as const)("looks as it should in the %s theme", async (scheme) => {
    await page.emulateMedia({ colorScheme: scheme });
    await page.goto(served.url);
    await page.getByRole("link", { name }).waitFor();
    await page.screenshot({ path: join(screenshots, `workflows-${scheme}.png`) });
    await open();
    const whole = await columns();
    await hover(whole, busiest(whole));
    await page.getByTestId("tooltip").waitFor();
    await page.screenshot({ path: join(screenshots, `timeline-${scheme}.png`) });
    const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = (background.match(/\d+/g) ?? []).slice(0, 3).every((part) => Number(part) < 64);
    expect(dark).toBe(scheme === "dark");
  });
});

async function middle(locator: Locator): Promise<[number, number]> {
  const box = await locator.boundingBox();
  if (box === null) throw new Error("it is not on screen");
  return [box.x + box.width / 2, box.y + box.height / 2];
}

function pixels(canvas: Locator): Promise<string> {
  return canvas.evaluate((element) => (element as HTMLCanvasElement).toDataURL());
}
