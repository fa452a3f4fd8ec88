/** Visits of fresh pages, each with nothing kept from another. All times are in milliseconds. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, BrowserContext, Page, Route } from "playwright-core";
import { columnsOf } from "./columns";
import { move, type Frames } from "./gestures";
import { answeredAt, watch } from "./probe";

export const viewport = { width: 1280, height: 900 };
const chart = "[data-testid=timeline]";
const line = `${chart} path.js-line`;
const workflow = "table[aria-label=Workflows] a[href*='/workflows/']";
/** So long does a person look at the list at least: by then the page has loaded its chart's code. */
const lookMs = 1_000;
const patienceMs = 300_000;
/** As many as the server chooses for a window of this chart's width. */
const finerBuckets = 720;

export interface Size {
  name: string;
  templates: number;
  buckets: number;
  /** The answer, as JSON. */
  body: string;
}

/** Opens a page with nothing kept, hands it on, and closes it when that is done. */
async function visit<T>(
  browser: Browser,
  watched: string,
  work: (page: Page, context: BrowserContext) => Promise<T>,
): Promise<T> {
  const context = await browser.newContext({ viewport });
  try {
    const page = await context.newPage();
    await watch(page, watched);
    const result = await Promise.race([work(page, context), trouble(page)]);
    // A page tells its server what it has counted when it is left.
    await page.goto("about:blank");
    return result;
  } finally {
    await context.close();
  }
}

/** Rejects when the page fails, or does nothing for so long that nothing is to be expected. */
function trouble(page: Page): Promise<never> {
  return new Promise((_, failed) => {
    page.once("pageerror", failed);
    setTimeout(
      () => failed(new Error(`${page.url()} does not show what it should`)),
      patienceMs,
    ).unref();
  });
}

/** Has the page's numbers made up: all of the window in a size, and parts of it in finer buckets. */
async function makeUp(context: BrowserContext, { templates, body }: Size) {
  await context.route("**/task_concurrency?*", async (route: Route) => {
    const query = new URL(route.request().url()).searchParams;
    const [from, to] = [query.get("start"), query.get("end")];
    if (from === null || to === null) {
      await route.fulfill({ body, contentType: "application/json" });
    } else {
      await route.fulfill({
        json: columnsOf(templates, finerBuckets, [Date.parse(from), Date.parse(to)]),
      });
    }
  });
}

async function click(page: Page, selector: string) {
  const box = await page.locator(selector).first().boundingBox();
  if (box === null) throw new Error(`${selector} is not on screen`);
  await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
}

/** Clicks, and returns when it was and when another chart was on screen. */
async function clickToChart(page: Page, selector: string): Promise<[number, number]> {
  const shown = page.evaluate((path) => window.probe.next(path), line);
  const at = await page.evaluate(() => performance.now());
  await click(page, selector);
  return [at, await shown];
}

export interface Drawn {
  /** From the answer to the chart. */
  paint: number;
  frames: Frames | null;
  chart: { width: number; height: number };
}

/** From the list to a chart of made-up numbers, and over it with the mouse. */
export function fromList(browser: Browser, url: string, size: Size, moves: boolean) {
  return visit(browser, workflow, async (page, context): Promise<Drawn> => {
    await makeUp(context, size);
    await page.goto(url);
    await page.evaluate(() => window.probe.first);
    await sleep(lookMs);
    const [, shown] = await clickToChart(page, workflow);
    const paint = shown - (await answeredAt(page));
    const box = await page.locator(chart).boundingBox();
    if (box === null) throw new Error("there is no chart");
    if (moves) await sleep(lookMs);
    return { paint, frames: moves ? await move(page, `${chart} canvas`) : null, chart: box };
  });
}

/** The same chart, opened by its address. */
export function byAddress(browser: Browser, url: string, size: Size) {
  return visit(browser, line, async (page, context) => {
    await makeUp(context, size);
    await page.goto(`${url}/workflows/1`);
    const shown = await page.evaluate(() => window.probe.first);
    return shown - (await answeredAt(page));
  });
}

/** The peer's chart of the same numbers, and over it with the mouse. */
export function untuned(browser: Browser, url: string, moves: boolean) {
  return visit(browser, "#chart path.js-line", async (page): Promise<Omit<Drawn, "chart">> => {
    await page.goto(url);
    const shown = await page.evaluate(() => window.probe.first);
    const paint = shown - (await answeredAt(page));
    if (moves) await sleep(lookMs);
    return { paint, frames: moves ? await move(page, "#chart .nsewdrag") : null };
  });
}

/** From the navigation to the list, and to when a click on it, sent at once, was answered. */
export function interactive(browser: Browser, url: string) {
  return visit(browser, workflow, async (page) => {
    await page.goto(url, { waitUntil: "commit" });
    const listed = await page.evaluate(() => window.probe.first);
    await click(page, workflow);
    await page.waitForURL("**/workflows/*");
    await page.waitForFunction(() => window.probe.left !== null);
    return { listed, answered: (await page.evaluate(() => window.probe.left)) ?? NaN };
  });
}

/** From a click on the list to the last 24 h as they are, and from another on "30d" to 30 days. */
export function clicks(browser: Browser, url: string) {
  return visit(browser, workflow, async (page) => {
    await page.goto(url);
    await page.evaluate(() => window.probe.first);
    await sleep(lookMs);
    const day = await clickToChart(page, workflow);
    await sleep(lookMs);
    const month = await clickToChart(page, "button[value='30d']");
    return { day: day[1] - day[0], month: month[1] - month[0] };
  });
}

/** The addresses of all code that is loaded up to a chart. */
export function scripts(browser: Browser, url: string): Promise<string[]> {
  return visit(browser, line, async (page) => {
    await page.goto(`${url}/workflows/1`);
    await page.evaluate(() => window.probe.first);
    await page.waitForLoadState("networkidle");
    return page.evaluate(() =>
      performance
        .getEntriesByType("resource")
        .map(({ name }) => name)
        .filter((name) => new URL(name).pathname.endsWith(".js")),
    );
  });
}
