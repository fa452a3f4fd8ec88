/**
 * What pointers on the chart mean: a click, a box that is drawn to zoom, a pan or a pinch. A pure state machine:
 * step takes a state and an event, and returns the next state and its effect. Positions are CSS pixels from the
 * plot's upper left corner, and instants are milliseconds since the epoch.
 */

import { instantAt, longEnough, moved, sameRange, zoomed, type Range } from "../charts/timeline";

/** What a drag is measured against: the range on screen when it began, and the width of the plot in pixels. */
export interface Scale {
  range: Range;
  width: number;
}

interface Pointer {
  id: number;
  x: number;
  y: number;
}

interface Down extends Pointer {
  type: "down";
  /** Whether no other pointer of its type is down. */
  primary: boolean;
  touch: boolean;
  /** Whether dragging it pans; dragging a finger always does. */
  pans: boolean;
  /** In milliseconds, of any clock. */
  at: number;
  scale: Scale;
}

export type GestureEvent =
  Down | (Pointer & { type: "move" }) | (Pointer & { type: "up"; at: number }) | { type: "cancel" };

interface Click {
  x: number;
  y: number;
  at: number;
}

export type GestureState =
  /** Nothing is held. Pointers may still be down, after a cancelled gesture or one that scrolls the page. */
  | { name: "idle"; last: Click | null }
  /** A pointer is down and has not moved yet. `last` is the click before, which a second one makes a double-click. */
  | { name: "press"; down: Down; last: Click | null }
  /** A box is drawn between two places of the plot. */
  | { name: "box"; id: number; scale: Scale; from: number; to: number }
  /** One finger or a mouse pans, two fingers pinch: `grip` is where they took hold of `held`. */
  | {
      name: "move";
      scale: Scale;
      pointers: readonly Pointer[];
      held: Range;
      grip: Grip;
      range: Range;
    };

export type GestureEffect =
  /** The selection's ends, the earlier first. */
  | { type: "box"; from: number; to: number; range: Range }
  /** The chart follows; nothing is committed. */
  | { type: "show"; range: Range }
  | { type: "commit"; range: Range }
  /** The chart shows again what it showed when the gesture began. */
  | { type: "cancel" }
  | { type: "click"; x: number }
  | { type: "doubleClick" };

type Step = readonly [GestureState, GestureEffect | null];

export const idle: GestureState = { name: "idle", last: null };

/** A pointer that moves farther than this many pixels drags. */
const stillPixels = 4;
/** A press that is longer is no click. */
const clickMs = 500;
/** A second click within this time, near the first, is a double-click. */
export const doubleMs = 280;
const doublePixels = 24;
/** Fingers that are closer count as this far apart: a factor would grow without bounds. */
const leastSpread = 8;

export function step(state: GestureState, event: GestureEvent): Step {
  switch (event.type) {
    case "down":
      return down(state, event);
    case "move":
      return move(state, event);
    case "up":
      return up(state, event);
    case "cancel":
      return cancel(state);
  }
}

function down(state: GestureState, event: Down): Step {
  // The end of the last gesture may not have been seen: a primary pointer always begins another.
  if (event.primary) {
    const last = state.name === "idle" ? state.last : null;
    const begun = state.name === "box" || state.name === "move";
    return [{ name: "press", down: event, last }, begun ? { type: "cancel" } : null];
  }
  if (state.name === "press" && state.down.touch && event.touch) {
    const { down } = state;
    return [hold(down.scale, down.scale.range, [down, event]), null];
  }
  if (state.name === "move") {
    return [hold(state.scale, state.range, [...state.pointers, event]), null];
  }
  return [state, null];
}

function move(state: GestureState, { id, x, y }: Pointer): Step {
  if (state.name === "press" && id === state.down.id) {
    const { down } = state;
    const [dx, dy] = [Math.abs(x - down.x), Math.abs(y - down.y)];
    if (Math.hypot(dx, dy) <= stillPixels) return [state, null];
    // The browser scrolls the page.
    if (down.touch && dy > dx) return [idle, null];
    if (down.touch || down.pans) {
      return move(hold(down.scale, down.scale.range, [down]), { id, x, y });
    }
    const from = clamp(down.x, down.scale.width);
    return move({ name: "box", id, scale: down.scale, from, to: from }, { id, x, y });
  }
  if (state.name === "box" && id === state.id) {
    const next = { ...state, to: clamp(x, state.scale.width) };
    const [from, to] = [Math.min(next.from, next.to), Math.max(next.from, next.to)];
    return [next, { type: "box", from, to, range: selected(next) }];
  }
  if (state.name === "move" && state.pointers.some((pointer) => pointer.id === id)) {
    const pointers = state.pointers.map((pointer) => (pointer.id === id ? { id, x, y } : pointer));
    const range = follow(state.held, state.scale.width, state.grip, gripOf(pointers));
    return [
      { ...state, pointers, range },
      { type: "show", range },
    ];
  }
  return [state, null];
}

function up(state: GestureState, event: Extract<GestureEvent, { type: "up" }>): Step {
  // It may be released beside where it was last seen.
  const [at] = move(state, event);
  switch (at.name) {
    case "idle":
      return [at, null];
    case "press":
      return at.down.id === event.id ? clicked(at.down, at.last, event.at) : [at, null];
    case "box": {
      if (at.id !== event.id) return [at, null];
      // A box that is as narrow as a click was closed again.
      const wide = Math.abs(at.to - at.from) > stillPixels;
      return [idle, wide ? { type: "commit", range: selected(at) } : { type: "cancel" }];
    }
    case "move": {
      const pointers = at.pointers.filter(({ id }) => id !== event.id);
      if (pointers.length === at.pointers.length) return [at, null];
      if (pointers.length > 0) return [hold(at.scale, at.range, pointers), null];
      const still = sameRange(at.range, at.scale.range);
      return [idle, still ? { type: "cancel" } : { type: "commit", range: at.range }];
    }
  }
}

function clicked({ x, y, at }: Down, last: Click | null, until: number): Step {
  if (until - at > clickMs) return [idle, null];
  const double =
    last !== null &&
    until - last.at <= doubleMs &&
    Math.hypot(x - last.x, y - last.y) <= doublePixels;
  if (double) return [idle, { type: "doubleClick" }];
  return [
    { name: "idle", last: { x, y, at: until } },
    { type: "click", x },
  ];
}

function cancel(state: GestureState): Step {
  if (state.name === "idle") return [state, null];
  const begun = state.name === "box" || state.name === "move";
  return [idle, begun ? { type: "cancel" } : null];
}

/** Where pointers have hold of the chart: their middle, and how far apart they are. */
interface Grip {
  x: number;
  /** Of one pointer as of any other: it stretches nothing. */
  spread: number;
}

function gripOf([a, b]: readonly (Pointer | undefined)[]): Grip {
  if (a === undefined) return { x: 0, spread: leastSpread };
  if (b === undefined) return { x: a.x, spread: leastSpread };
  return {
    x: (a.x + b.x) / 2,
    spread: Math.max(leastSpread, Math.hypot(a.x - b.x, a.y - b.y)),
  };
}

/** Pointers take hold of a range. Those after the second only wait until one of the first two is lifted. */
function hold(scale: Scale, range: Range, pointers: readonly Pointer[]): GestureState {
  return { name: "move", scale, pointers, held: range, grip: gripOf(pointers), range };
}

/** The range in which the instant under the middle is still under it, and the spread shows the same time. */
function follow(held: Range, width: number, from: Grip, to: Grip): Range {
  const stretched = zoomed(held, from.spread / to.spread, instantAt(held, from.x / width));
  return moved(stretched, (from.x - to.x) / width);
}

function selected(box: Extract<GestureState, { name: "box" }>): Range {
  const { range, width } = box.scale;
  const at = (x: number) => instantAt(range, x / width);
  return longEnough([at(Math.min(box.from, box.to)), at(Math.max(box.from, box.to))]);
}

function clamp(x: number, width: number): number {
  return Math.max(0, Math.min(width, x));
}
