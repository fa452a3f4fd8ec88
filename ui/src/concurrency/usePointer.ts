import { useRef, type PointerEvent, type RefObject } from "react";
import { margins } from "../charts/figure";
import { bucketAt, bucketStart, type Buckets, type Range } from "../charts/timeline";
import type { HoverHandle } from "./HoverTooltip";
import type { Size } from "./useSize";

/**
 * The bucket that is pointed at, by hand or from the keyboard: a line over the chart and the tooltip beside it. Both
 * are moved without a render, or they could not follow a hand.
 */
export function usePointer(
  frame: RefObject<HTMLElement | null>,
  buckets: Buckets,
  plot: Size,
  shownRange: () => Range,
) {
  const cursor = useRef<HTMLDivElement>(null);
  const hover = useRef<HoverHandle>(null);
  const pointed = useRef<number | null>(null);

  /** Marks a bucket and shows its numbers, at the pointer or, from the keyboard, at the bucket. */
  function point(bucket: number | null, x?: number, y?: number) {
    pointed.current = bucket;
    const line = cursor.current;
    if (line === null || !frame.current) return;
    if (bucket === null) {
      line.style.visibility = "hidden";
      hover.current?.hide();
      return;
    }
    const [start, end] = shownRange();
    const toPixel = (ms: number) =>
      Math.max(0, Math.min(plot.width, ((ms - start) / (end - start)) * plot.width));
    const left = toPixel(bucketStart(buckets, bucket));
    const right = toPixel(Math.min(bucketStart(buckets, bucket + 1), buckets.end));
    line.style.transform = `translateX(${left}px)`;
    line.style.width = `${Math.max(1, right - left)}px`;
    line.style.visibility = "visible";
    const box = frame.current.getBoundingClientRect();
    hover.current?.show(
      bucket,
      x ?? box.left + margins.left + right,
      y ?? box.top + margins.top + plot.height / 2,
    );
  }

  /** The instant at a place of the window, or null where that is beside the plot. */
  function instantAt(clientX: number): number | null {
    if (!frame.current) return null;
    const x = clientX - frame.current.getBoundingClientRect().left - margins.left;
    const [start, end] = shownRange();
    return x < 0 || x >= plot.width ? null : start + (x / plot.width) * (end - start);
  }

  function onPointerMove(event: PointerEvent) {
    if (!frame.current) return;
    const y = event.clientY - frame.current.getBoundingClientRect().top - margins.top;
    const instant = y >= 0 && y < plot.height ? instantAt(event.clientX) : null;
    point(instant === null ? null : bucketAt(buckets, instant), event.clientX, event.clientY);
  }

  return { cursor, hover, pointed, point, instantAt, onPointerMove };
}
