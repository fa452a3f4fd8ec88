/** What Plotly draws: axes, grid and the total's line. The areas are the raster's. */

import type { Config, Data, Layout } from "plotly.js";
import { inks, type Mode } from "./palette";
import { bucketStart, type Buckets, type Range } from "./timeline";

/** Fixed, so that Plotly need not measure its labels and the canvas knows where the plot lies. */
export const margins = { left: 52, right: 16, top: 12, bottom: 60 };

export const fontFamily =
  'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

export interface FigureInput {
  buckets: Buckets;
  /** The total's peaks, one a bucket; null while they are not known. */
  peaks: readonly number[] | null;
  /** The whole window. */
  window: Range;
  max: number;
  width: number;
  height: number;
  mode: Mode;
  /** A zoom survives new data, but not a change of this. */
  revision: string;
}

export const config: Partial<Config> = {
  displayModeBar: false,
  scrollZoom: true,
  doubleClick: "reset",
  responsive: false,
};

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
    data: input.peaks === null ? [] : totalLine(buckets, input.peaks, ink.line),
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
      dragmode: "zoom",
      uirevision: input.revision,
      xaxis: {
        ...axis,
        type: "date",
        range: [axisDate(input.window[0]), axisDate(input.window[1])],
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

function totalLine(buckets: Buckets, peaks: readonly number[], colour: string): Data[] {
  if (peaks.length === 0) return [];
  const line = {
    type: "scatter",
    mode: "lines",
    line: { shape: "hv", width: 1.5, color: colour, simplify: true },
    hoverinfo: "skip",
  } as const;
  const last = peaks[peaks.length - 1];
  const lastStart = bucketStart(buckets, buckets.count - 1);
  // A first instant and a step spare Plotly the reading of thousands of dates; the last step
  // needs an end of its own, and where the bucket is partial that is not a whole step away.
  return [
    { ...line, x0: axisDate(buckets.first), dx: buckets.width, y: [...peaks] },
    { ...line, x: [axisDate(lastStart), axisDate(buckets.end)], y: [last, last] },
  ];
}

/**
 * An instant in the words that Plotly takes for UTC. A number would be drawn in the time of the
 * browser's zone, without a word about it.
 */
export function axisDate(ms: number): string {
  return new Date(ms).toISOString();
}

/** An end of Plotly's axis range, in its own words or in ours, which are UTC. */
export function parseAxisDate(value: unknown): number | null {
  if (typeof value !== "string") return null;
  const instant = Date.parse(/[zZ]|[+-]\d\d:\d\d$/.test(value) ? value : isoOf(value));
  return Number.isNaN(instant) ? null : instant;
}

/**
 * The range that Plotly tells of while it zooms or pans: "whole" where the zoom was undone, and null
 * where the change is about something else.
 */
export function relayoutRange(change: Record<string, unknown>): Range | "whole" | null {
  if (change["xaxis.autorange"] === true) return "whole";
  const pair = Array.isArray(change["xaxis.range"]) ? (change["xaxis.range"] as unknown[]) : [];
  const from = parseAxisDate(change["xaxis.range[0]"] ?? pair[0]);
  const to = parseAxisDate(change["xaxis.range[1]"] ?? pair[1]);
  return from === null || to === null ? null : [from, to];
}

/** Plotly leaves out the parts that are zero ("2022-05-13 03:05") and goes below milliseconds. */
function isoOf(value: string): string {
  const [date, time = "00:00"] = value.split(" ");
  const [, hour, minute = "00", second = "00", fraction = "0"] =
    /^(\d\d):?(\d\d)?:?(\d\d)?\.?(\d+)?$/.exec(time) ?? [];
  return `${date}T${hour}:${minute}:${second}.${fraction.slice(0, 3).padEnd(3, "0")}Z`;
}
