/** What somebody on call does with the page, from a link to the files, with the keyboard alone, in each browser. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ConcurrencyColumns, TaskAtList } from "../src/api/types";
import { bucketsOf, bucketStart, stackOrder } from "../src/charts/timeline";
import { formatDuration, formatNumber, formatSpan } from "../src/format";
import { tasksWords } from "../src/taskWords";
import { chromiumDriver, type Driver } from "./driver";
import { firefoxDriver } from "./firefox";
import { importAndServe, type Served } from "./tasktide";
import { webkitDriver } from "./webkit";

const minute = 60_000;
const patience = { timeout: 20_000 };

let served: Served;

beforeAll(async () => {
  served = await importAndServe("incident");
});

afterAll(() => served.close());

async function api<Answer>(path: string, query: Record<string, string>): Promise<Answer> {
  const search = new URLSearchParams(query).toString();
  const answer = await fetch(
    `${served.url}/api/v2/workflow/${served.workflowId}/${path}?${search}`,
  );
  expect(answer.status).toBe(200);
  return (await answer.json()) as Answer;
}

function columns(window: Record<string, string>): Promise<ConcurrencyColumns> {
  return api("task_concurrency", {
    ...window,
    granularity: "auto",
    stat: "mean",
    format: "columns",
  });
}

const iso = (ms: number) => new Date(ms).toISOString();

describe.each([
  ["Chromium", chromiumDriver],
  ["Firefox", firefoxDriver],
  ["WebKit", webkitDriver],
])("%s", (_, launch) => {
  let driver: Driver;

  beforeAll(async () => {
    driver = await launch();
  });

  afterAll(() => driver.close());

  async function press(key: string, times = 1) {
    for (let i = 0; i < times; i++) await driver.press(key);
  }

  /** What a function answers in the page. It sees nothing from around it. */
  async function evaluate<Args extends unknown[], Result>(
    fn: (...args: Args) => Result,
    ...args: Args
  ): Promise<Result> {
    const call = `(${fn.toString()})(...${JSON.stringify(args)})`;
    return (JSON.parse(await driver.evaluate(`JSON.stringify([${call}])`)) as [Result])[0];
  }

  /** The name of what has the focus. */
  const focused = () =>
    evaluate(() => {
      const element = document.activeElement;
      return element?.getAttribute("aria-label") ?? element?.textContent ?? "";
    });

  /** Goes on with a key until the focus is on a name. */
  async function reach(name: string, key: "Tab" | "Shift+Tab", most: number) {
    const passed: string[] = [];
    while (passed.length < most) {
      await press(key);
      const on = await focused();
      if (on === name) return;
      passed.push(on);
    }
    expect.fail(`${most} × ${key} did not lead to ${name}, but past ${passed.join(" | ")}`);
  }

  const text = (selector: string) =>
    evaluate((selector) => document.querySelector(selector)?.textContent ?? null, selector);

  const zoom = async (): Promise<[number, number]> => {
    const search = await evaluate(() => location.search);
    const [from, to] = (new URLSearchParams(search).get("zoom") ?? "").split("/").map(Date.parse);
    return [from, to];
  };

  it("leads from a link to five minutes, a number, its tasks and the files", async () => {
    const { total } = await columns({ time_range: "all" });
    const peak = Math.floor(Date.parse(total.peak_at ?? "") / minute) * minute;
    // So that its middle is beside the peak.
    const window = { start: iso(peak - 37 * minute), end: iso(peak + 43 * minute) };
    await driver.goto(
      `${served.url}/workflows/${served.workflowId}?window=${window.start}/${window.end}`,
    );
    await expect.poll(() => text(".js-plotly-plot path.js-line"), patience).not.toBeNull();

    // To the chart.
    await reach("Skip to the content", "Tab", 1);
    await press("Enter");
    await reach("Skip to the chart", "Tab", 3);
    await press("Enter");
    const chart = "Tasks running at once in incident, by template";
    expect(await focused()).toBe(chart);

    // To five minutes, and among them those of the peak.
    await press("+", 4);
    await expect
      .poll(async () => {
        const [from, to] = await zoom();
        return to - from;
      }, patience)
      .toBe(5 * minute);
    const [middle] = await zoom();
    await press("Shift+ArrowLeft", 2);
    await expect.poll(zoom, patience).toEqual([middle - 2.5 * minute, middle + 2.5 * minute]);
    const [from, to] = await zoom();
    expect(from).toBeLessThan(peak);
    expect(to).toBeGreaterThan(peak);
    const answer = await columns({ start: iso(from), end: iso(to) });
    const summary = '[aria-label="Summary of all templates"]';
    await expect.poll(() => text(summary), patience).toContain(`over ${formatDuration(300)}`);

    // A number. The new buckets are not there as soon as the window is.
    const buckets = bucketsOf(answer);
    const at = (bucket: number) => bucketStart(buckets, bucket);
    const read = () => text('[data-testid="timeline"] [role="status"]');
    await expect
      .poll(async () => {
        await press("Home");
        return read();
      }, patience)
      .toContain(formatSpan(at(0), at(1)));
    await press("ArrowRight", 3);
    await press("ArrowLeft");
    const bucket = 2;
    const span = formatSpan(at(bucket), at(bucket + 1));
    const mean = formatNumber(answer.total.values[bucket]);
    const most = formatNumber(answer.total.peaks[bucket]);
    expect(await read()).toBe(`${span}: Total, mean ${mean}; Total, peak ${most}`);
    const tooltip = await evaluate(() => {
      const box = document.querySelector('[data-testid="tooltip"]');
      return {
        visible: box !== null && getComputedStyle(box).visibility === "visible",
        values: [...(box?.querySelectorAll("[data-value]") ?? [])].map((one) => one.textContent),
      };
    });
    expect(tooltip).toEqual({
      visible: true,
      values: [
        span,
        mean,
        most,
        ...stackOrder(answer.series)
          .reverse()
          .map((series) => formatNumber(series.values[bucket])),
      ],
    });

    // Its tasks.
    await press("Enter");
    const tasks = await api<TaskAtList>("tasks", { at: iso(at(bucket)), status: "RUNNING" });
    expect(tasks.level).toBeGreaterThan(0);
    await expect.poll(() => text('[role="dialog"] strong'), patience).toBe(tasksWords(tasks.level));
    const names = await evaluate(() =>
      [...document.querySelectorAll('[role="dialog"] tbody th')].map((cell) => cell.textContent),
    );
    expect(names).toEqual(tasks.tasks.map((task) => task.name));
    await press("Escape");
    await expect.poll(focused, patience).toBe(chart);

    // The files.
    // Each help button on the way is a stop.
    await reach("CSV", "Shift+Tab", 30);
    await press("Enter");
    await expect.poll(focused, patience).toBe("What is on screen");
    const csv = (await driver.saved(() => press("Enter"))).toString();
    const rows = csv
      .trimEnd()
      .split("\r\n")
      .filter((row) => !/^"?#/.test(row));
    expect(rows).toHaveLength(1 + answer.bucket.count);
    const row = rows[1 + bucket].split(",");
    for (const { task_template_name, values } of answer.series) {
      expect(row[rows[0].split(",").indexOf(task_template_name)]).toBe(String(values[bucket]));
    }
    await expect.poll(focused, patience).toBe("CSV");
    await reach("PNG", "Shift+Tab", 1);
    await press("Enter");
    await expect.poll(focused, patience).toBe("PNG, at twice the size");
    const png = await driver.saved(() => press("Enter"));
    expect(png.subarray(1, 4).toString()).toBe("PNG");
    expect(png.readUInt32BE(16)).toBeGreaterThan(1280);
    await expect.poll(focused, patience).toBe("PNG");
  });
});
