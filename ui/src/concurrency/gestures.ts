/** What hands do on the chart beside what Plotly knows: a click, and two fingers. */

import { useEffect, useRef, type RefObject } from "react";

interface Gestures {
  /** A click that is neither a drag nor the first half of a double-click, in pixels of the window. */
  onClick: (x: number) => void;
  /** Two fingers moved: the length between them grew by a factor, about a point in pixels of the window. */
  onPinch: (factor: number, x: number) => void;
}

/** Longer or farther is a drag; a second click within the pause is a double-click. */
const stillPixels = 4;
const clickMs = 500;
const doubleMs = 280;

export function useGestures(element: RefObject<HTMLElement | null>, gestures: Gestures) {
  const latest = useRef(gestures);
  useEffect(() => {
    latest.current = gestures;
  });
  useEffect(() => {
    const target = element.current;
    if (target === null) return;
    const fingers = new Map<number, number>();
    let down: { x: number; y: number; at: number } | null = null;
    let pending: ReturnType<typeof setTimeout> | undefined;
    let apart = 0;

    const spread = () => {
      const [a, b] = [...fingers.values()];
      return Math.abs(a - b);
    };
    const onDown = (event: PointerEvent) => {
      // A button within the chart is no part of it.
      if (event.target instanceof Element && event.target.closest("button") !== null) return;
      if (event.pointerType === "touch") fingers.set(event.pointerId, event.clientX);
      if (fingers.size === 2) apart = spread();
      down =
        event.isPrimary && event.button === 0 && fingers.size < 2
          ? { x: event.clientX, y: event.clientY, at: event.timeStamp }
          : null;
    };
    const onMove = (event: PointerEvent) => {
      if (!fingers.has(event.pointerId)) return;
      fingers.set(event.pointerId, event.clientX);
      const now = fingers.size === 2 ? spread() : 0;
      if (apart > 0 && now > 0) {
        const [a, b] = [...fingers.values()];
        latest.current.onPinch(now / apart, (a + b) / 2);
        apart = now;
      }
    };
    const onUp = (event: PointerEvent) => {
      if (fingers.delete(event.pointerId)) apart = 0;
      if (down === null || !event.isPrimary) return;
      const { x, y, at } = down;
      down = null;
      const moved = Math.hypot(event.clientX - x, event.clientY - y) > stillPixels;
      if (moved || event.timeStamp - at > clickMs) return;
      if (pending !== undefined) {
        clearTimeout(pending);
        pending = undefined;
        return;
      }
      pending = setTimeout(() => {
        pending = undefined;
        latest.current.onClick(x);
      }, doubleMs);
    };
    const onCancel = (event: PointerEvent) => {
      fingers.delete(event.pointerId);
      apart = 0;
      down = null;
    };
    target.addEventListener("pointerdown", onDown, { capture: true });
    target.addEventListener("pointermove", onMove);
    // Plotly covers the page while a button is down, so the end of it is not seen by the chart.
    window.addEventListener("pointerup", onUp, { capture: true });
    window.addEventListener("pointercancel", onCancel);
    return () => {
      clearTimeout(pending);
      target.removeEventListener("pointerdown", onDown, { capture: true });
      target.removeEventListener("pointermove", onMove);
      window.removeEventListener("pointerup", onUp, { capture: true });
      window.removeEventListener("pointercancel", onCancel);
    };
  }, [element]);
}
