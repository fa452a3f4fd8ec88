import { createElement, useEffect, useState, type ReactNode } from "react";
import type { TimelineChartProps } from "./TimelineChart";

type Chart = (typeof import("./TimelineChart"))["default"];

interface Props extends TimelineChartProps {
  placeholder: ReactNode;
}

let loaded: Chart | null = null;

/**
 * Loads the chart and Plotly, which are most of the page's code and come in a file of their own,
 * and warms them up.
 */
export async function loadChart(): Promise<Chart> {
  if (loaded !== null) return loaded;
  const [chart, plotly] = await Promise.all([
    import("./TimelineChart"),
    import("../charts/plotly"),
  ]);
  await plotly.warmUp();
  loaded = chart.default;
  return loaded;
}

/**
 * The chart, or its placeholder while it is being loaded; a failure goes to the error boundary.
 * React's own lazy would hold back a chart that is there already by a third of a second, so that
 * placeholders do not flicker.
 */
export function LoadedChart({ placeholder, ...props }: Props) {
  const [chart, setChart] = useState<Chart | null>(() => loaded);
  useEffect(() => {
    if (chart !== null) return;
    loadChart().then(
      (value) => setChart(() => value),
      (error: unknown) =>
        setChart(() => {
          throw error;
        }),
    );
  }, [chart]);
  return chart === null ? placeholder : createElement(chart, props);
}
