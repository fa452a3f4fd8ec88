import { startTransition, useState, type ReactNode, type Ref } from "react";
import type { Mark, Mode } from "../charts/palette";
import type { Buckets, Range } from "../charts/timeline";
import type { Chart } from "./model";
import { Timeline } from "./Timeline";

export interface ChartHandle {
  /** The element that Plotly draws into; null before its first drawing. */
  graph: HTMLElement | null;
  /** What is on screen now. */
  range: Range;
}

export interface TimelineChartProps {
  ref: Ref<ChartHandle>;
  chart: Chart;
  /** What is drawn where the chart does not reach, while a part of the window is on screen. */
  backdrop: Chart | null;
  compared: { buckets: Buckets; values: ArrayLike<number> } | null;
  marks: ReadonlyMap<string, Mark>;
  /** All that there is to see, and what of it is on screen. */
  window: Range;
  range: Range;
  /** Another range is on screen, by hand; null for all of the window. */
  onRange: (range: Range | null) => void;
  /** An instant was chosen, in milliseconds. */
  onInstant: (instant: number) => void;
  mode: Mode;
  /** The template that stands out, if one does. */
  highlight: string | null;
  /** A zoom ends when this changes. */
  revision: string;
  /** When what is drawn came, in milliseconds since the epoch; null where it was there already. */
  receivedAt: number | null;
  name: string;
  description: string;
  /** Above the chart, beside its buttons. */
  caption: ReactNode;
}

/** While the range is moved by hand, the chart shows what it showed when that began: nothing moves under the hand. */
export default function TimelineChart(props: TimelineChartProps) {
  const [held, setHeld] = useState<TimelineChartProps | null>(null);
  // Another window is another chart.
  if (held !== null && held.revision !== props.revision) setHeld(null);
  const onHeld = (now: boolean) => {
    if (now) setHeld((before) => before ?? props);
    // In one render with the address, which the router changes in a transition too.
    else startTransition(() => setHeld(null));
  };
  return <Timeline {...(held ?? props)} onHeld={onHeld} />;
}
