import { describe, expect, it } from "vitest";
import type { Range } from "../charts/timeline";
import {
  idle,
  step,
  type GestureEffect,
  type GestureEvent,
  type GestureState,
} from "./gestureMachine";

const width = 800;
const range: Range = [0, 8_000_000];
/** A pixel of the plot. */
const pixel = 10_000;
const scale = { range, width };

function down(x: number, more: Partial<Extract<GestureEvent, { type: "down" }>> = {}) {
  return {
    ...{ type: "down", id: 1, x, y: 100, primary: true, touch: false, pans: false, at: 0 },
    scale,
    ...more,
  } as GestureEvent;
}
const finger = (id: number, x: number, y = 100) =>
  down(x, { id, y, touch: true, primary: id === 1 });
const move = (x: number, id = 1, y = 100): GestureEvent => ({ type: "move", id, x, y });
const up = (x: number, id = 1, at = 0, y = 100): GestureEvent => ({ type: "up", id, x, y, at });

/** The state after some events, and their effects. */
function after(...events: GestureEvent[]): { state: GestureState; effects: GestureEffect[] } {
  let state = idle;
  const effects: GestureEffect[] = [];
  for (const event of events) {
    const [next, effect] = step(state, event);
    state = next;
    if (effect !== null) effects.push(effect);
  }
  return { state, effects };
}

const outcome = (...events: GestureEvent[]) => after(...events).effects.at(-1);

describe("a mouse", () => {
  it("selects what lies between its press and its release, in both directions", () => {
    const commit = { type: "commit", range: [100 * pixel, 300 * pixel] };
    expect(outcome(down(100), move(250), up(300))).toEqual(commit);
    expect(outcome(down(300), move(250), up(100))).toEqual(commit);
  });

  it("draws the box, and selects nothing beyond the plot", () => {
    expect(outcome(down(700), move(900))).toEqual({
      type: "box",
      from: 700,
      to: 800,
      range: [700 * pixel, 800 * pixel],
    });
  });

  it("selects a second at least", () => {
    const near = { range: [0, 4_000] as const, width };
    expect(outcome(down(400, { scale: near }), move(500), up(410))).toEqual({
      type: "commit",
      range: [1_525, 2_525],
    });
  });

  it("selects nothing where the box was closed again", () => {
    expect(outcome(down(100), move(300), up(103))).toEqual({ type: "cancel" });
  });

  it("pans from where it was pressed", () => {
    expect(outcome(down(500, { pans: true }), move(400), up(200))).toEqual({
      type: "commit",
      range: [300 * pixel, range[1] + 300 * pixel],
    });
  });

  it("commits nothing where it pans back to where it began", () => {
    expect(outcome(down(500, { pans: true }), move(400), up(500))).toEqual({ type: "cancel" });
  });
});

describe("clicks", () => {
  it("are short, and still up to a few pixels", () => {
    expect(outcome(down(100), move(103), up(103, 1, 400))).toEqual({ type: "click", x: 100 });
    expect(after(down(100), up(100, 1, 600)).effects).toEqual([]);
    expect(after(down(100), move(100, 1, 110), up(100)).effects.at(-1)?.type).toBe("cancel");
  });

  it("make a double-click where the second follows soon, and near the first", () => {
    const first = [down(100), up(100, 1, 50)];
    const second = (x: number, at: number) => [down(x, { at }), up(x, 1, at + 50)];
    expect(outcome(...first, ...second(102, 200))).toEqual({ type: "doubleClick" });
    expect(outcome(...first, ...second(102, 400))).toEqual({ type: "click", x: 102 });
    expect(outcome(...first, ...second(160, 200))).toEqual({ type: "click", x: 160 });
  });
});

describe("fingers", () => {
  it("pan with one", () => {
    expect(outcome(finger(1, 500), move(440), up(400))).toEqual({
      type: "commit",
      range: [100 * pixel, range[1] + 100 * pixel],
    });
  });

  it("leave the page to scroll where one moves up or down", () => {
    const swipe = after(finger(1, 500), move(503, 1, 140), move(600, 1, 300), up(600, 1, 0, 300));
    expect(swipe).toEqual({ state: idle, effects: [] });
  });

  it("zoom in by spreading, about their middle", () => {
    // From 40 to 160 pixels apart.
    const pinch = after(
      finger(1, 380),
      finger(2, 420),
      move(320),
      move(480, 2),
      up(320),
      up(480, 2),
    );
    expect(pinch.effects.at(-1)).toEqual({
      type: "commit",
      range: [400 * pixel - range[1] / 8, 400 * pixel + range[1] / 8],
    });
  });

  it("zoom out by closing", () => {
    const closed = outcome(
      finger(1, 300),
      finger(2, 500),
      move(350),
      move(450, 2),
      up(350),
      up(450, 2),
    );
    expect(closed).toEqual({ type: "commit", range: [-400 * pixel, 1_200 * pixel] });
  });

  it("commit when the last one is lifted", () => {
    const { effects, state } = after(finger(1, 300), finger(2, 500), move(200), up(200));
    expect(effects.map(({ type }) => type)).toEqual(["show"]);
    expect(state.name).toBe("move");
  });
});

describe("a cancelled gesture", () => {
  it.each([
    ["a box", [down(100), move(300)]],
    ["a pan", [down(100, { pans: true }), move(300)]],
    ["a pinch", [finger(1, 300), finger(2, 500), move(200)]],
  ])("commits nothing: %s", (_, begun) => {
    const { effects, state } = after(...begun, { type: "cancel" }, move(500), up(500), up(500, 2));
    expect(effects.at(-1)).toEqual({ type: "cancel" });
    expect(effects.filter(({ type }) => type === "commit")).toEqual([]);
    expect(state).toEqual(idle);
  });

  it("is one whose release was not seen", () => {
    const { effects, state } = after(down(100), move(300), down(500));
    expect(effects.at(-1)).toEqual({ type: "cancel" });
    expect(state.name).toBe("press");
  });
});

/** Numbers from 0 to 1 that are the same in each run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe("whatever the hands do", () => {
  const seeds = Array.from({ length: 300 }, (_, i) => i + 1);

  /** To a whole millisecond, as an address has it. */
  function committed(...events: GestureEvent[]) {
    const effect = outcome(...events);
    return effect?.type === "commit" ? effect.range.map(Math.round) : effect;
  }

  it("the end of a drag decides, and not the way to it", () => {
    for (const seed of seeds) {
      const next = random(seed);
      const place = () => Math.round(next() * width);
      const [from, to] = [place(), place()];
      if (Math.abs(to - from) <= 10) continue;
      const steps = Array.from({ length: Math.floor(next() * 30) }, () => move(place()));
      const [low, high] = [Math.min(from, to) * pixel, Math.max(from, to) * pixel];
      expect(committed(down(from), move(to), ...steps, up(to))).toEqual([low, high]);
      const by = (from - to) * pixel;
      const panned = committed(down(from, { pans: true }), move(to), ...steps, up(to));
      expect(panned).toEqual([range[0] + by, range[1] + by]);
    }
  });

  it("the instant under the middle of two fingers stays under it", () => {
    for (const seed of seeds) {
      const next = random(seed);
      const place = () => Math.round(next() * width);
      const [a, b] = [place(), place()];
      const events = [finger(1, a), finger(2, b)];
      let [x, y] = [a, b];
      for (let i = 0; i < 20; i++) {
        const id = next() < 0.5 ? 1 : 2;
        if (id === 1) x = place();
        else y = place();
        events.push(move(id === 1 ? x : y, id));
        const shown = outcome(...events);
        if (shown?.type !== "show") return expect.fail(`${shown?.type} is no pinch`);
        const [start, end] = shown.range;
        const under = start + ((x + y) / 2 / width) * (end - start);
        expect(Math.abs(under - ((a + b) / 2) * pixel)).toBeLessThan(1);
      }
    }
  });

  it("commits come with the last pointer's release alone, and each gesture ends once", () => {
    for (const seed of seeds) {
      const next = random(seed);
      const down = new Set<number>();
      let state = idle;
      for (let i = 0; i < 200; i++) {
        const before = state.name;
        const id = 1 + Math.floor(next() * 3);
        const [x, y] = [next() * width, 100 + next() * 20];
        const kind = next();
        let event: GestureEvent;
        if (kind < 0.05) event = { type: "cancel" };
        else if (!down.has(id)) {
          event = { ...finger(id, x, y), primary: down.size === 0 } as GestureEvent;
          down.add(id);
        } else if (kind < 0.7) event = move(x, id, y);
        else {
          event = up(x, id, i * 1_000, y);
          down.delete(id);
        }
        const [after, effect] = step(state, event);
        state = after;
        const ends = effect?.type === "commit" || effect?.type === "cancel";
        if (ends) expect([before === "idle", after.name]).toEqual([false, "idle"]);
        if (before === "move" && after.name === "idle") expect(ends).toBe(true);
        if (effect?.type === "commit") {
          expect([event.type, down.size]).toEqual(["up", 0]);
          expect(effect.range[1] - effect.range[0]).toBeGreaterThanOrEqual(999);
        }
      }
    }
  });
});
