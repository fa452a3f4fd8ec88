/** Mice and fingers, as WebDriver writes down what they do; playwright-core is told in words of its own. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";

export type PointerAction =
  | { type: "pointerMove"; x: number; y: number; duration?: number }
  | { type: "pointerDown"; button: 0 }
  | { type: "pointerUp"; button: 0 }
  | { type: "pause"; duration?: number };

export interface Pointer {
  type: "pointer";
  id: string;
  parameters: { pointerType: "mouse" | "touch" };
  actions: PointerAction[];
}

export type Place = readonly [x: number, y: number];

export const at = ([x, y]: Place): PointerAction => ({ type: "pointerMove", x, y, duration: 0 });
export const press: PointerAction = { type: "pointerDown", button: 0 };
export const release: PointerAction = { type: "pointerUp", button: 0 };
export const pause = (duration: number): PointerAction => ({ type: "pause", duration });

export function mouse(...actions: PointerAction[]): Pointer[] {
  return [{ type: "pointer", id: "mouse", parameters: { pointerType: "mouse" }, actions }];
}

/** Each finger has its own actions, of which those of one place in the lists are done at once. */
export function fingers(...each: PointerAction[][]): Pointer[] {
  return each.map((actions, i) => ({
    type: "pointer",
    id: `finger ${i}`,
    parameters: { pointerType: "touch" },
    actions,
  }));
}

/** Steps from one place to another, with a pause in milliseconds after each. */
export function path(from: Place, to: Place, steps: number, stepMs: number): PointerAction[] {
  return Array.from({ length: steps }, (_, i) => {
    const share = (i + 1) / steps;
    const on = (axis: 0 | 1) => Math.round(from[axis] + (to[axis] - from[axis]) * share);
    return [at([on(0), on(1)]), pause(stepMs)];
  }).flat();
}

/** Does in Chromium what the other browsers are told as it is. */
export async function chromiumPointers(page: Page) {
  const cdp = await page.context().newCDPSession(page);
  const down = new Map<string, { x: number; y: number }>();
  const seen = new Map<string, { x: number; y: number }>();
  const touch = (type: "touchStart" | "touchMove" | "touchEnd") =>
    cdp.send("Input.dispatchTouchEvent", {
      type,
      touchPoints: [...down].map(([id, { x, y }]) => ({ x, y, id: Number(id.split(" ")[1]) })),
    });

  async function fingersDo(all: readonly Pointer[], tick: number) {
    let moved = false;
    for (const { id, actions } of all) {
      const action = actions.at(tick);
      if (action?.type === "pointerMove") {
        seen.set(id, action);
        if (down.has(id)) {
          down.set(id, action);
          moved = true;
        }
      } else if (action?.type === "pointerDown") {
        down.set(id, seen.get(id) ?? { x: 0, y: 0 });
        await touch("touchStart");
      } else if (action?.type === "pointerUp") {
        down.delete(id);
        await touch("touchEnd");
      }
    }
    // Fingers move together, as on a screen.
    if (moved) await touch("touchMove");
  }

  return async (pointers: readonly Pointer[]) => {
    const ticks = Math.max(...pointers.map(({ actions }) => actions.length));
    for (let tick = 0; tick < ticks; tick++) {
      const touches = pointers.filter(({ parameters }) => parameters.pointerType === "touch");
      await fingersDo(touches, tick);
      let wait = 0;
      for (const { actions, parameters } of pointers) {
        const action = actions.at(tick);
        if (action?.type === "pause") wait = Math.max(wait, action.duration ?? 0);
        if (parameters.pointerType === "touch") continue;
        if (action?.type === "pointerMove") await page.mouse.move(action.x, action.y);
        else if (action?.type === "pointerDown") await page.mouse.down();
        else if (action?.type === "pointerUp") await page.mouse.up();
      }
      if (wait > 0) await sleep(wait);
    }
  };
}
