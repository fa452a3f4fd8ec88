import { createElement, type ReactNode } from "react";
import { lazy, useLazy } from "../components/lazy";
import type { TimelineChartProps } from "./TimelineChart";

interface Props extends TimelineChartProps {
  placeholder: ReactNode;
}

const chart = lazy(async () => {
  const [timeline, plotly] = await Promise.all([
    import("./TimelineChart"),
    import("../charts/plotly"),
  ]);
  await plotly.warmUp();
  return timeline.default;
});

/**
 * Loads the chart and Plotly, which are most of the page's code and come in a file of their own,
 * and warms them up.
 */
export const loadChart = chart.load;

/** The chart, or its placeholder while it is being loaded. */
export function LoadedChart({ placeholder, ...props }: Props) {
  const loaded = useLazy(chart);
  return loaded === null ? placeholder : createElement(loaded, props);
}
