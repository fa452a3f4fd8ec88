import { useEffect, useLayoutEffect, useRef } from "react";
import { sameRange, type Range } from "../charts/timeline";

interface Input {
  /** What is committed: the address has it, or it is the whole window. */
  told: Range;
  whole: Range;
  /** What was moved by hand is forgotten when this changes. */
  revision: string;
  /** Commits a range; null for all of the window. */
  onRange: (range: Range | null) => void;
  /** Draws the chart as it is on screen now. */
  draw: () => void;
  /** Whether the range is being moved by hand, and not committed yet. */
  onHeld: (held: boolean) => void;
}

/** How long after the last turn of the wheel, or press of a key or button, the range is committed. In milliseconds. */
const settleMs = 250;

/**
 * The range on screen: the one that is committed, or where hands have moved it to. It moves without a render, which
 * could not follow a hand, and it is drawn at most once a frame.
 */
export function useShownRange({ told, whole, revision, onRange, draw, onHeld }: Input) {
  const ahead = useRef<Range | null>(null);
  /** Steps of the wheel, keys or buttons that are not committed yet: where to, and when. */
  const waiting = useRef<{
    range: Range;
    all: boolean;
    timer: ReturnType<typeof setTimeout>;
  } | null>(null);
  /** Where the range was when a pointer took hold of the chart. */
  const held = useRef<{ ahead: Range | null } | null>(null);
  const frame = useRef(0);
  const latestDraw = useRef(draw);
  useEffect(() => {
    latestDraw.current = draw;
  });

  const [from, to] = told;
  useLayoutEffect(() => {
    ahead.current = null;
  }, [from, to, revision]);
  useEffect(
    () => () => {
      clearTimeout(waiting.current?.timer);
      waiting.current = null;
      cancelAnimationFrame(frame.current);
      frame.current = 0;
    },
    [revision],
  );

  function redraw() {
    frame.current ||= requestAnimationFrame(() => {
      frame.current = 0;
      latestDraw.current();
    });
  }

  const now = (): Range => ahead.current ?? told;

  /** Moves the range, and commits nothing. */
  function show(next: Range) {
    ahead.current = next;
    redraw();
  }

  /** Moves the range and commits it at once. `all` is where the whole window was asked for. */
  function commit(next: Range, all = false) {
    clearTimeout(waiting.current?.timer);
    waiting.current = null;
    held.current = null;
    show(next);
    onRange(all || sameRange(next, whole) ? null : [Math.round(next[0]), Math.round(next[1])]);
    onHeld(false);
  }

  /** Moves the range by a step of several, which are committed together some time after the last. */
  function settle(next: Range, all = false) {
    if (held.current !== null) return;
    show(next);
    clearTimeout(waiting.current?.timer);
    const timer = setTimeout(() => commit(next, all), settleMs);
    waiting.current = { range: next, all, timer };
    onHeld(true);
  }

  /** A pointer takes hold of the chart: nothing is committed before it lets go. */
  function hold() {
    clearTimeout(waiting.current?.timer);
    held.current = { ahead: ahead.current };
    onHeld(true);
  }

  /** The pointer lets go, and the range is where it was before. */
  function release() {
    if (held.current === null) return;
    if (ahead.current !== held.current.ahead) {
      ahead.current = held.current.ahead;
      redraw();
    }
    held.current = null;
    if (waiting.current === null) onHeld(false);
    else settle(waiting.current.range, waiting.current.all);
  }

  return { now, isHeld: () => held.current !== null, show, commit, settle, hold, release };
}
