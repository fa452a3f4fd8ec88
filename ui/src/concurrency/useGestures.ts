import { useEffect, useRef, type RefObject } from "react";
import { margins } from "../charts/figure";
import type { Range } from "../charts/timeline";
import { doubleMs, idle, step, type GestureEvent, type Scale } from "./gestureMachine";

/** A selection that is being drawn: its ends in pixels of the plot, and what it selects. */
export interface Selection {
  from: number;
  to: number;
  range: Range;
}

interface Gestures {
  scale: () => Scale;
  plotHeight: number;
  /** Whether dragging with a mouse pans; otherwise it draws a box. */
  pans: boolean;
  /** A pointer came down: from now until onRelease or onCommit the chart is held. */
  onHold: () => void;
  /** The pointers have let go, or the gesture was cancelled: nothing has changed. */
  onRelease: () => void;
  /** Null where the box is gone. */
  onSelect: (selection: Selection | null) => void;
  /** The chart follows a pan or pinch. */
  onShow: (range: Range) => void;
  /** A box, pan or pinch has ended. */
  onCommit: (range: Range) => void;
  /** A click that is neither a drag nor half of a double-click, at a place of the window in pixels. */
  onClick: (clientX: number) => void;
  onDoubleClick: () => void;
  /** The wheel makes what is on screen so many times as long, about a place of the window in pixels. */
  onWheel: (factor: number, clientX: number) => void;
}

/** One event of a wheel counts for this much at most: some devices send few large ones. In pixels. */
const mostDelta = 20;
/** So many pixels of the wheel make the range e times as long. */
const deltaPerE = 200;

/** Turns pointer events and the wheel on an element into gestures; a drag ends when `revision` changes. */
export function useGestures(
  element: RefObject<HTMLElement | null>,
  revision: string,
  gestures: Gestures,
) {
  const latest = useRef(gestures);
  useEffect(() => {
    latest.current = gestures;
  });
  useEffect(() => {
    const target = element.current;
    if (target === null) return;
    let state = idle;
    let pending: ReturnType<typeof setTimeout> | undefined;

    function send(event: GestureEvent) {
      const before = state.name;
      const [next, effect] = step(state, event);
      state = next;
      const to = latest.current;
      if (before === "box" && next.name !== "box") to.onSelect(null);
      switch (effect?.type) {
        case "box":
          to.onSelect(effect);
          break;
        case "show":
          to.onShow(effect.range);
          break;
        case "commit":
          to.onCommit(effect.range);
          return;
        case "click": {
          const { left } = plotOrigin();
          pending = setTimeout(() => latest.current.onClick(left + effect.x), doubleMs);
          break;
        }
        case "doubleClick":
          clearTimeout(pending);
          break;
      }
      if (before !== "idle" && next.name === "idle") to.onRelease();
      else if (before === "idle" && next.name !== "idle") to.onHold();
      if (effect?.type === "doubleClick") to.onDoubleClick();
    }
    const cancel = () => send({ type: "cancel" });

    function plotOrigin() {
      const { left, top } = (target ?? document.body).getBoundingClientRect();
      return { left: left + margins.left, top: top + margins.top };
    }
    function pointer({ pointerId, clientX, clientY }: PointerEvent) {
      const { left, top } = plotOrigin();
      return { id: pointerId, x: clientX - left, y: clientY - top };
    }
    // A button within the chart is no part of it.
    const onButton = ({ target }: Event) =>
      target instanceof Element && target.closest("button") !== null;

    const onDown = (event: PointerEvent) => {
      if (onButton(event) || event.button !== 0) return;
      // The end of the last gesture may not have been seen.
      if (event.isPrimary) cancel();
      const at = pointer(event);
      const { scale, pans, plotHeight } = latest.current;
      const measured = scale();
      if (event.isPrimary && (at.x < 0 || at.x > measured.width)) return;
      target.setPointerCapture(event.pointerId);
      send({
        type: "down",
        ...at,
        primary: event.isPrimary,
        touch: event.pointerType === "touch",
        pans: pans || event.shiftKey || at.y > plotHeight,
        at: event.timeStamp,
        scale: measured,
      });
    };
    const onMove = (event: PointerEvent) => {
      if (state.name === "idle") return;
      // A button that is not down any more was released where it was not seen.
      if ((event.buttons & 1) === 0) cancel();
      else send({ type: "move", ...pointer(event) });
    };
    const onUp = (event: PointerEvent) =>
      send({ type: "up", ...pointer(event), at: event.timeStamp });
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || state.name === "idle") return;
      event.stopPropagation();
      cancel();
    };
    // The focus stays where it is, and nothing is selected or dragged as text.
    const onMouseDown = (event: MouseEvent) => {
      if (!onButton(event)) event.preventDefault();
    };
    const onWheel = (event: WheelEvent) => {
      const x = event.clientX - plotOrigin().left;
      if (x < 0 || x > latest.current.scale().width) return;
      event.preventDefault();
      if (state.name !== "idle") return;
      const delta = Math.max(-mostDelta, Math.min(mostDelta, event.deltaY));
      latest.current.onWheel(Math.exp(delta / deltaPerE), event.clientX);
    };

    target.addEventListener("pointerdown", onDown);
    target.addEventListener("pointermove", onMove);
    target.addEventListener("pointerup", onUp);
    target.addEventListener("pointercancel", cancel);
    target.addEventListener("mousedown", onMouseDown);
    target.addEventListener("wheel", onWheel, { passive: false });
    window.addEventListener("keydown", onKeyDown, { capture: true });
    window.addEventListener("blur", cancel);
    return () => {
      clearTimeout(pending);
      cancel();
      target.removeEventListener("pointerdown", onDown);
      target.removeEventListener("pointermove", onMove);
      target.removeEventListener("pointerup", onUp);
      target.removeEventListener("pointercancel", cancel);
      target.removeEventListener("mousedown", onMouseDown);
      target.removeEventListener("wheel", onWheel);
      window.removeEventListener("keydown", onKeyDown, { capture: true });
      window.removeEventListener("blur", cancel);
    };
  }, [element, revision]);
}
