/** What a hand does on a chart, as events of the browser's own input, at a hand's pace. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";

/** A mouse and most screens have this pace, in milliseconds a step. */
const stepMs = 1000 / 60;
/** How many steps of hover and pan, and turns of the wheel in each direction. */
export const steps = 90;
export const turns = 30;
/** A chart that does not keep up is given up after this time: it has shown by then what it can do. */
export const patienceMs = 4_000;
/** Plotly draws anew this soon after the last turn of a wheel, and the page counts a gesture's end later. */
export const tailMs = 200;
/** Long enough for a page to notice that a hand rests, and for what it does then. */
const restMs = 1_000;

/** From 0 to 1, of the plot's width and height. */
type Step = (x: number, y: number) => Promise<void>;

async function paced(count: number, step: (i: number) => Promise<void>) {
  const begun = performance.now();
  for (let i = 0; i < count && performance.now() - begun < patienceMs; i++) {
    await step(i);
    await sleep(Math.max(0, begun + (i + 1) * stepMs - performance.now()));
  }
}

export interface Frames {
  hover: number[];
  pan: number[];
  wheel: number[];
  /** After a zoom has come to rest. */
  rest: number[];
}

/** Does one after the other on a chart's plot, and returns the times between frames of each, in milliseconds. */
export async function move(page: Page, plot: string): Promise<Frames> {
  const box = await page.locator(plot).boundingBox();
  if (box === null) throw new Error("there is no plot");
  const to: Step = (x, y) => page.mouse.move(box.x + x * box.width, box.y + y * box.height);
  /** Frames of what is done, and of the rest after it. */
  async function during(gesture: () => Promise<void>): Promise<[number[], number[]]> {
    await page.evaluate(() => window.probe.frames());
    await gesture();
    await sleep(tailMs);
    const moved = await page.evaluate(() => window.probe.frames());
    await sleep(restMs);
    return [moved, await page.evaluate(() => window.probe.frames())];
  }

  await to(0.1, 0.5);
  const [hover] = await during(() =>
    paced(steps, (i) => to(0.1 + (0.8 * i) / steps, 0.5 + 0.2 * Math.sin(i / 10))),
  );

  await to(0.5, 0.5);
  await page.keyboard.down("Shift");
  await page.mouse.down();
  const [pan] = await during(async () => {
    await paced(steps, (i) => to(0.5 + 0.3 * Math.sin((i / (steps - 1)) * 2 * Math.PI), 0.5));
    await page.mouse.up();
  });
  await page.keyboard.up("Shift");

  const wheel = (deltaY: number) => () => page.mouse.wheel(0, deltaY);
  const [zoomedIn, rest] = await during(() => paced(turns, wheel(-100)));
  const [zoomedOut] = await during(() => paced(turns, wheel(100)));
  return { hover, pan, wheel: [...zoomedIn, ...zoomedOut], rest };
}
