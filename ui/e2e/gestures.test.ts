/** Zoom and pan by hand, with a mouse and with fingers: what is committed is what the pixels say. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ConcurrencyColumns } from "../src/api/types";
import { bucketsOf, type Range } from "../src/charts/timeline";
import { chromiumDriver, type Driver } from "./driver";
import { firefoxDriver } from "./firefox";
import * as hand from "./pointers";
import { importAndServe, type Served } from "./tasktide";
import { webkitDriver } from "./webkit";

/** "make test-gestures" tries every pace with every pause; otherwise it is a few of each. */
const all = process.env.GESTURES === "all";
const patience = { timeout: 20_000 };
/** Hands are slow, and hands wait: in milliseconds a step, and before the release. */
const paces = [5, 20, 60, 300];
const pauses = [0, 400, 1_000, 3_000];
/** From where to where, as shares of the plot's width. */
const ways = [
  [0.5, 0.62],
  [0.9, 0.1],
  [0.3, 0.34],
  [0.05, 0.6],
  [0.62, 0.5],
  [0.2, 0.95],
] as const;

interface Drag {
  from: number;
  to: number;
  steps: number;
  stepMs: number;
  pauseMs: number;
}

const matrix: Drag[] = paces
  .flatMap((stepMs) => pauses.map((pauseMs) => ({ stepMs, pauseMs })))
  .map(({ stepMs, pauseMs }, i) => {
    const [from, to] = ways[i % ways.length];
    return { from, to, steps: Math.min(40, Math.ceil(1_200 / stepMs)), stepMs, pauseMs };
  });
/** A quick hand, one that waits, and a slow one. */
const few = [
  { from: 0.5, to: 0.62, steps: 12, stepMs: 5, pauseMs: 400 },
  { from: 0.8, to: 0.2, steps: 3, stepMs: 300, pauseMs: 0 },
];
const drags = all ? matrix : few;

let served: Served;
let whole: ConcurrencyColumns;

beforeAll(async () => {
  served = await importAndServe("by-hand");
  const query = "time_range=all&granularity=auto&stat=mean&format=columns";
  const answer = await fetch(
    `${served.url}/api/v2/workflow/${served.workflowId}/task_concurrency?${query}`,
  );
  whole = (await answer.json()) as ConcurrencyColumns;
});

afterAll(() => served.close());

describe.each([
  ["Chromium", chromiumDriver],
  ["Firefox", firefoxDriver],
  ["WebKit", webkitDriver],
])("%s", (browser, launch) => {
  let driver: Driver;
  let plot: { x: number; y: number; width: number; height: number };

  beforeAll(async () => {
    driver = await launch();
  });

  afterAll(() => driver.close());

  /** What a function answers in the page. It sees nothing from around it. */
  async function evaluate<Args extends unknown[], Result>(
    fn: (...args: Args) => Result,
    ...args: Args
  ): Promise<Result> {
    const call = `(${fn.toString()})(...${JSON.stringify(args)})`;
    return (JSON.parse(await driver.evaluate(`JSON.stringify([${call}])`)) as [Result])[0];
  }

  /** The address, and how many answers with counts the page has asked for. */
  const asked = () =>
    evaluate(() => ({
      address: location.href,
      requests: performance
        .getEntriesByType("resource")
        .filter(({ name }) => name.includes("task_concurrency")).length,
    }));

  /** The areas, the lines and the axis as they are drawn, each in few characters. */
  const chart = () =>
    evaluate(() => {
      const digest = (text: string) => {
        let hash = 0;
        for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
        return hash;
      };
      const canvas = document.querySelector<HTMLCanvasElement>("[data-testid=timeline] canvas");
      const drawn = (selector: string, ...attributes: string[]) =>
        [...document.querySelectorAll(`.js-plotly-plot ${selector}`)]
          .map((one) => [one.textContent, ...attributes.map((name) => one.getAttribute(name))])
          .join(" ");
      return {
        areas: digest(canvas?.toDataURL() ?? ""),
        lines: digest(drawn("path.js-line", "d")),
        ticks: drawn(".xtick text", "transform"),
      };
    });

  const axis = () =>
    evaluate(() => {
      const plotted = document.querySelector(".js-plotly-plot") as {
        layout: { xaxis: { range: string[] } };
      } | null;
      return plotted?.layout.xaxis.range.map(Date.parse) ?? [];
    });

  async function zoom(): Promise<Range | null> {
    const { address } = await asked();
    const text = new URL(address).searchParams.get("zoom");
    if (text === null) return null;
    const [from, to] = text.split("/").map(Date.parse);
    return [from, to];
  }

  const selection = () =>
    evaluate(() => {
      const box = document.querySelector("[data-testid=selection]");
      if (box === null || getComputedStyle(box).visibility !== "visible") return null;
      const { left, right } = box.getBoundingClientRect();
      return [left, right];
    });

  /** A place of the plot, in whole pixels of the window. */
  const place = (share: number, down = 0): hand.Place => [
    Math.round(plot.x + share * plot.width),
    Math.round(plot.y + plot.height / 2) + down,
  ];

  /** The instant at a pixel of the window, while a range is on screen. */
  const instant = ([x]: hand.Place, [from, to]: Range) =>
    from + ((x - plot.x) / plot.width) * (to - from);

  const wholeRange = (): Range => {
    const { first, count, width } = bucketsOf(whole);
    return [first, first + count * width];
  };

  /** The zoom is a range, to one of its own buckets. */
  async function committed([from, to]: Range) {
    // A bucket of what is zoomed into is not finer than a second.
    const bucket = 1_000;
    await expect
      .poll(async () => {
        const [start, end] = (await zoom()) ?? [NaN, NaN];
        return Math.max(Math.abs(start - from), Math.abs(end - to));
      }, patience)
      .toBeLessThan(bucket);
    // The axes are there too.
    const now = await zoom();
    await expect.poll(axis, patience).toEqual(now);
  }

  const canvasBox = () =>
    evaluate(() => {
      const canvas = document.querySelector("[data-testid=timeline] canvas");
      if (document.querySelector(".js-plotly-plot path.js-line") === null) return null;
      const { x, y, width, height } = canvas?.getBoundingClientRect() ?? new DOMRect();
      return { x, y, width, height };
    });

  /** Opens the page, and waits until nothing on it moves any more. */
  async function open(search = "") {
    await driver.goto(`${served.url}/workflows/${served.workflowId}${search}`);
    // Where it points, numbers are shown over the chart.
    await driver.point(hand.mouse(hand.at([5, 5])));
    let last = "";
    await expect
      .poll(
        async () => {
          const [box, now] = [await canvasBox(), JSON.stringify([await chart(), await asked()])];
          const moved = now !== last || JSON.stringify(box) !== JSON.stringify(plot);
          last = now;
          if (box !== null) plot = box;
          return box === null || moved;
        },
        { ...patience, interval: 150 },
      )
      .toBe(false);
  }

  function drawn({ from, to, steps, stepMs, pauseMs }: Drag) {
    const [start, end] = [place(from), place(to)];
    return hand.mouse(
      hand.at(start),
      hand.press,
      ...hand.path(start, end, steps, stepMs),
      hand.pause(pauseMs),
    );
  }

  const letGo = () => driver.point(hand.mouse(hand.release));

  beforeEach(() => open());

  // What failed may have left them down.
  afterEach(async () => {
    await driver.hold("Shift", false);
    await letGo();
  });

  it.each(drags)(
    "zooms to a box: $from to $to, $stepMs ms a step, $pauseMs ms before the release",
    async (drag) => {
      const ends = [place(drag.from), place(drag.to)].sort(([a], [b]) => a - b);
      const beside = [
        { x: plot.x, width: ends[0][0] - plot.x - 1 },
        { x: ends[1][0] + 1, width: plot.x + plot.width - ends[1][0] - 1 },
      ].map((part) => ({ ...part, y: plot.y, height: plot.height }));
      const shots = async () => {
        const taken: string[] = [];
        for (const part of beside) taken.push((await driver.screenshot?.(part)) ?? "");
        return taken;
      };
      const [before, pixels, then] = [await chart(), await shots(), await asked()];

      await driver.point(drawn(drag));
      expect(await asked()).toEqual(then);
      expect(await selection()).toEqual([ends[0][0], ends[1][0]]);
      expect(await chart()).toEqual(before);
      expect(await shots()).toEqual(pixels);

      await letGo();
      await committed([instant(ends[0], wholeRange()), instant(ends[1], wholeRange())]);
      expect(await selection()).toBeNull();
    },
  );

  it.each(drags)(
    "pans with Shift: $from to $to, $stepMs ms a step, $pauseMs ms before the release",
    async (drag) => {
      const range = wholeRange();
      const by = instant(place(drag.from), range) - instant(place(drag.to), range);
      const moved: Range = [range[0] + by, range[1] + by];
      const then = await asked();

      await driver.hold("Shift", true);
      await driver.point(drawn(drag));
      await driver.hold("Shift", false);
      expect(await asked()).toEqual(then);
      // The chart follows while the button is down.
      await expect
        .poll(async () => (await axis()).map((end, i) => Math.abs(end - moved[i]) < 2), patience)
        .toEqual([true, true]);

      await letGo();
      await committed(moved);
    },
  );

  it("commits nothing after Escape, or when the window is left", async () => {
    const [before, then] = [await chart(), await asked()];
    for (const [end, shift] of [
      [() => driver.press("Escape"), false],
      [() => evaluate(() => window.dispatchEvent(new Event("blur"))), false],
      [() => evaluate(() => window.dispatchEvent(new Event("blur"))), true],
    ] as const) {
      if (shift) await driver.hold("Shift", true);
      await driver.point(drawn(few[0]));
      if (shift) await driver.hold("Shift", false);
      else expect(await selection()).not.toBeNull();
      await end();
      expect(await selection()).toBeNull();
      await driver.point(hand.mouse(hand.at(place(0.9)), hand.release, hand.at([5, 5])));
      await expect.poll(chart, patience).toEqual(before);
      expect(await asked()).toEqual(then);
    }
  });

  it("shows the whole window after a double-click, on a page that was opened zoomed in", async () => {
    const { window } = whole;
    const half = new Date((Date.parse(window.start) + Date.parse(window.end)) / 2).toISOString();
    const twice = [hand.press, hand.release, hand.press, hand.release];
    const address = async () => new URL((await asked()).address).searchParams;
    await expect
      .poll(
        async () => {
          await open(`?zoom=${window.start}/${half}`);
          await driver.point(hand.mouse(hand.at(place(0.5)), ...twice));
          // On a busy machine the second click may come too late: each then lists the tasks.
          await expect
            .poll(
              async () => !(await address()).has("zoom") || (await address()).has("at"),
              patience,
            )
            .toBe(true);
          return zoom();
        },
        { timeout: 60_000 },
      )
      .toBeNull();
    await expect.poll(axis, patience).toEqual(wholeRange());
  });

  // The driver of WebKitGTK has no fingers.
  describe.runIf(browser !== "WebKit")("fingers", () => {
    const fingersOf = (drag: Drag, about: number, from: number, to: number, mode: string) => ({
      ...drag,
      about,
      apart: [from, to] as const,
      mode,
    });
    const pinches = (all ? matrix.filter((_, i) => i % 3 === 0) : few.slice(0, 1)).flatMap(
      (drag, i) => [
        fingersOf(drag, 0.5, 40, 190, "zoom"),
        fingersOf(drag, 0.3 + 0.1 * (i % 3), 190, 40, "move"),
      ],
    );

    const toMoveMode = () =>
      evaluate(() =>
        document.querySelector<HTMLElement>("button[aria-label^='Drag to move']")?.click(),
      );

    it.each(pinches)(
      "pinch from $apart pixels in $mode mode, $stepMs ms a step, $pauseMs ms before the release",
      async ({ about, apart, mode, steps, stepMs, pauseMs }) => {
        if (mode === "move") await toMoveMode();
        const then = await asked();
        const [x, y] = place(about);
        const finger = (side: -1 | 1) => {
          const [from, to] = apart.map((pixels): hand.Place => [x + (side * pixels) / 2, y]);
          return [
            hand.at(from),
            hand.press,
            ...hand.path(from, to, steps, stepMs),
            hand.pause(pauseMs),
          ];
        };
        await driver.point(hand.fingers(finger(-1), finger(1)));
        expect(await asked()).toEqual(then);
        await driver.point(hand.fingers([hand.release], [hand.release]));
        const range = wholeRange();
        const middle = instant([x, y], range);
        const factor = apart[0] / apart[1];
        const end = (ms: number) => middle + (ms - middle) * factor;
        await committed([end(range[0]), end(range[1])]);
      },
    );

    it("pan with one, in zoom mode as in move mode", async () => {
      const [drag] = few;
      const [start, end] = [place(drag.from), place(drag.to)];
      let range = wholeRange();
      const by = instant(start, range) - instant(end, range);
      for (const mode of ["zoom", "move"]) {
        if (mode === "move") await toMoveMode();
        const steps = hand.path(start, end, drag.steps, drag.stepMs);
        await driver.point(hand.fingers([hand.at(start), hand.press, ...steps, hand.release]));
        range = [range[0] + by, range[1] + by];
        await committed(range);
      }
    });

    it("leave a vertical swipe to the page, which scrolls", async () => {
      const then = await asked();
      const [start, end] = [place(0.5, 100), place(0.5, -100)];
      const swipe = hand.path(start, end, 20, 16);
      await driver.point(hand.fingers([hand.at(start), hand.press, ...swipe, hand.release]));
      // What the drivers of the others send scrolls nothing.
      if (browser === "Chromium") {
        await expect.poll(() => evaluate(() => scrollY), patience).toBeGreaterThan(20);
      }
      expect(await asked()).toEqual(then);
    });

    it("list the tasks by a tap", async () => {
      await driver.point(hand.fingers([hand.at(place(0.5)), hand.press, hand.release]));
      await expect
        .poll(async () => new URL((await asked()).address).searchParams.has("at"), patience)
        .toBe(true);
      expect(await zoom()).toBeNull();
    });
  });
});
