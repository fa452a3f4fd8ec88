/** What Plotly draws: axes, grid and the total's line. The areas are the raster's. */

import type { Config, Dash, Data, Layout } from "plotly.js";
import { inks, type Mode } from "./palette";
import { bucketStart, type Buckets, type LimitLine, type LineKind, type Range } from "./timeline";

/** Fixed, so that Plotly need not measure its labels and the canvas knows where the plot lies. */
export const margins = { left: 52, right: 16, top: 12, bottom: 60 };

/** Where the plot lies in the chart, as a style; sizes in CSS pixels. */
export function plotBox(width: number, height: number) {
  return {
    position: "absolute",
    left: margins.left,
    top: margins.top,
    width: Math.max(0, width),
    height: Math.max(0, height),
  } as const;
}

export const fontFamily =
  'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

export interface FigureInput {
  buckets: Buckets;
  /** From the lowest to the one that is drawn over all others. */
  lines: readonly FigureLine[];
  limits: readonly LimitLine[];
  /** Another run's total, of buckets of its own that are moved to where they are compared. */
  compared: { buckets: Buckets; values: ArrayLike<number> } | null;
  /** What is on screen at first, or after it was changed from outside. */
  range: Range;
  max: number;
  width: number;
  height: number;
  mode: Mode;
}

export interface FigureLine {
  kind: LineKind;
  values: ArrayLike<number>;
  /** Of a template. */
  colour?: string;
}

/** Plotly draws; what hands do is the chart's: it never moves an axis by itself. */
export const config: Partial<Config> = { staticPlot: true, responsive: false };

export function figureOf(input: FigureInput): { data: Data[]; layout: Partial<Layout> } {
  const { buckets, mode, max } = input;
  const ink = inks[mode];
  const axis = {
    gridcolor: ink.grid,
    linecolor: ink.grid,
    tickcolor: ink.grid,
    tickfont: { color: ink.text, size: 12 },
    zeroline: false,
    automargin: false,
  };
  return {
    data: [
      ...input.lines.flatMap((line) => stepLine(input, buckets, line.values, styleOf(line, ink))),
      ...(input.compared === null
        ? []
        : stepLine(input, input.compared.buckets, input.compared.values, {
            color: comparedColour[mode],
            width: 2,
            dash: "dashdot",
          })),
      ...input.limits.flatMap((limit) => limitLine(limit, input)),
    ],
    layout: {
      width: input.width,
      height: input.height,
      margin: {
        l: margins.left,
        r: margins.right,
        t: margins.top,
        b: margins.bottom,
        pad: 0,
      },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: fontFamily, color: ink.text },
      showlegend: false,
      hovermode: false,
      xaxis: {
        ...axis,
        type: "date",
        range: [axisDate(input.range[0]), axisDate(input.range[1])],
        ticks: "outside",
        ticklen: 4,
        title: { text: "Time (UTC)", standoff: 8, font: { size: 12, color: ink.text } },
      },
      yaxis: {
        ...axis,
        range: [0, max],
        fixedrange: true,
        nticks: 7,
        // Tasks are whole: half of one is no mark on an axis.
        ...(max < 6 && { dtick: 1 }),
      },
    },
  };
}

interface LineStyle {
  color: string;
  width: number;
  dash?: Dash;
}

/** Another run's line. */
export const comparedColour: Record<Mode, string> = { light: "#0a7d68", dark: "#4fd1b5" };
/** The limit's line: no template's colour. */
export const limitColour: Record<Mode, string> = { light: "#b3261e", dark: "#ff8a80" };

/** That of an array is thicker than the workflow's, in CSS pixels. */
export function limitWidth({ of }: Pick<LimitLine, "of">): number {
  return of === null ? 1.5 : 2.5;
}

/** How each line is drawn beside its colour. */
const dashes: Record<LineKind, Dash | null> = {
  template: null,
  mean: null,
  peak: null,
  active: "dot",
};

function styleOf(line: FigureLine, ink: (typeof inks)[Mode]): LineStyle {
  const dash = dashes[line.kind];
  return {
    color: line.colour ?? ink.line,
    width: line.kind === "mean" ? 2.5 : 1.5,
    ...(dash !== null && { dash }),
  };
}

/**
 * Buckets as wide as a pixel at least, with the highest number of each: a path of more steps than that looks the
 * same, and a browser takes longer for it than a frame has.
 */
function visibleSteps(
  { range, width }: FigureInput,
  buckets: Buckets,
  values: ArrayLike<number>,
): [Buckets, ArrayLike<number>] {
  const pixel = (range[1] - range[0]) / Math.max(1, width - margins.left - margins.right);
  const together = Math.floor(pixel / buckets.width);
  if (together < 2) return [buckets, values];
  const count = Math.ceil(buckets.count / together);
  const highest = Array.from({ length: count }, (_, i) => {
    const end = Math.min(buckets.count, (i + 1) * together);
    let most = values[i * together];
    for (let at = i * together + 1; at < end; at++) if (values[at] > most) most = values[at];
    return most;
  });
  return [{ ...buckets, width: buckets.width * together, count }, highest];
}

function stepLine(
  input: FigureInput,
  allBuckets: Buckets,
  allValues: ArrayLike<number>,
  style: LineStyle,
): Data[] {
  if (allValues.length === 0) return [];
  const [buckets, values] = visibleSteps(input, allBuckets, allValues);
  const line = {
    type: "scatter",
    mode: "lines",
    line: { shape: "hv", simplify: true, ...style },
    hoverinfo: "skip",
  } as const;
  const last = values[values.length - 1];
  const lastStart = bucketStart(buckets, buckets.count - 1);
  // A first instant and a step spare Plotly the reading of thousands of dates; the last step
  // needs an end of its own, and where the bucket is partial that is not a whole step away.
  return [
    { ...line, x0: axisDate(buckets.first), dx: buckets.width, y: Array.from(values) },
    { ...line, x: [axisDate(lastStart), axisDate(buckets.end)], y: [last, last] },
  ];
}

function limitLine(limit: LimitLine, { buckets, mode }: FigureInput): Data[] {
  if (limit.above || limit.steps.length === 0) return [];
  const points = limit.steps.map(({ from, value }) => ({
    x: Math.max(from, buckets.first),
    y: value,
  }));
  points.push({ x: buckets.first + buckets.count * buckets.width, y: points[points.length - 1].y });
  return [
    {
      type: "scatter",
      mode: "lines",
      line: { shape: "hv", width: limitWidth(limit), color: limitColour[mode], dash: "dash" },
      hoverinfo: "skip",
      x: points.map((point) => axisDate(point.x)),
      y: points.map((point) => point.y),
    },
  ];
}

/**
 * An instant in the words that Plotly takes for UTC. A number would be drawn in the time of the
 * browser's zone, without a word about it.
 */
export function axisDate(ms: number): string {
  return new Date(ms).toISOString();
}
