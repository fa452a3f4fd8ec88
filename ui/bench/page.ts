/** The page of the documentation that tells what was measured. */

import type { Telemetry } from "../src/api/types";
import { patienceMs, tailMs, turns, steps, type Frames } from "./gestures";
import { barTable, figure, machine, percentile, table, type Bar } from "./report";
import type { Size } from "./visits";

/** Times are in milliseconds, and lists have an entry for each page, but for those of code. */
export interface Measured {
  pages: number;
  browser: string;
  chart: { width: number; height: number };
  charts: {
    size: Size;
    paint: number[];
    untunedPaint: number[];
    /** None where nobody moved over the chart. */
    frames: Frames[];
    untunedFrames: Frames[];
  }[];
  /** As the server had counted it when the charts of the first size were drawn. */
  telemetry: Telemetry["render_ms"];
  /** Of the first size. */
  byAddress: number[];
  interactive: { listed: number; answered: number }[];
  /** Bytes of each file of code. */
  script: number[];
  clicks: { day: number; month: number }[];
  /** How long ago the workload's last transition was, in minutes. */
  minutesOld: number;
}

const gestures = ["hover", "pan", "wheel"] as const;

const inSeconds = (times: readonly number[]) => times.map((ms) => ms / 1000);
const p95 = (frames: readonly number[]) => percentile(frames, 0.95);
const worst = (frames: readonly number[]) => Math.max(...frames);

function bars(measured: Measured): Bar[] {
  const [smallest] = measured.charts;
  const { interactive, clicks } = measured;
  return [
    {
      what: `first paint after the answer, ${smallest.size.name} points`,
      bar: 100,
      unit: "ms",
      measured: smallest.paint,
      untuned: smallest.untunedPaint,
    },
    ...measured.charts.flatMap(({ size, frames, untunedFrames }) =>
      frames.length === 0
        ? []
        : gestures.flatMap((gesture) =>
            [
              ["95 % of frames within", 30, p95] as const,
              ["the worst frame", 50, worst] as const,
            ].map(([words, bar, of]): Bar => ({
              what: `${gesture}, ${size.name} points, ${words}`,
              bar,
              unit: "ms",
              measured: frames.map((one) => of(one[gesture])),
              untuned: untunedFrames.map((one) => of(one[gesture])),
            })),
          ),
    ),
    {
      what: "the list is there and answers a click, nothing cached",
      bar: 1.5,
      unit: "s",
      measured: inSeconds(interactive.map(({ answered }) => answered)),
    },
    {
      what: "JavaScript up to a chart, with gzip",
      bar: 700,
      unit: "kB",
      measured: [measured.script.reduce((sum, bytes) => sum + bytes / 1000, 0)],
    },
    {
      what: "L, from a click on the list to its last 24 h",
      bar: 5,
      unit: "s",
      measured: inSeconds(clicks.map(({ day }) => day)),
    },
    {
      what: "L, from a click on *30d* to 30 days",
      bar: 8,
      unit: "s",
      measured: inSeconds(clicks.map(({ month }) => month)),
    },
  ];
}

function paints({ charts }: Measured): string {
  return table(
    ["points", "templates × buckets", "first paint", "first paint, untuned"],
    charts.map(({ size, paint, untunedPaint }) => [
      size.name,
      `${size.templates} × ${size.buckets.toLocaleString("en-US")}`,
      figure(paint, "ms"),
      figure(untunedPaint, "ms"),
    ]),
  );
}

function rests({ charts }: Measured): string {
  return charts
    .filter(({ frames }) => frames.length > 0)
    .map(({ size, frames }) => {
      const longest = frames.map(({ rest }) => worst(rest));
      return `${figure(longest, "ms")} with ${size.name} points`;
    })
    .join(", and ");
}

export function pageOf(measured: Measured, command: string): string {
  const { pages, chart, telemetry, byAddress, interactive } = measured;
  const told = (ms: number | null) => (ms === null ? "nothing" : `${ms.toFixed(0)} ms`);
  return `# Benchmarks of the page

How fast the page is there, draws a chart and follows a hand. The program in [ui/bench](../ui/bench) wrote this page;
do not edit it. What is behind the page is measured in [benchmarks.md](benchmarks.md).

\`\`\`sh
${command}
\`\`\`

${machine(measured.browser)}

## The bars

${barTable(bars(measured))}

A figure is the median of ${pages} fresh pages, each in a browser context of its own with nothing cached, with the least
and the greatest in brackets. The page is the one in the binary, served over loopback, in a window of 1,280 × 900
pixels with a chart of ${chart.width} × ${chart.height}.

**The untuned chart** is all of plotly.js, of the version that the page is built with, with its defaults: a
\`stackgroup\` of traces with \`line.shape: "hv"\`, and \`hovermode: "x unified"\`. Only the zoom with the wheel, which is off by
default, is on. It has the same numbers, is as large, and takes turns with the page's own. On a machine that misses a
bar, half of its time would do.

## The first paint

From when the answer has been received to the end of the frame that shows areas, axes and lines: the numbers are read,
counted, stacked and drawn in it. The chart is the first of its page, which was at the list of workflows before.

${paints(measured)}

Opened by its address, the page gets the answer before its own code has been read: there it takes
${figure(byAddress, "ms")} with ${measured.charts[0].size.name} points.

The page tells its server the same time, but for the reading of the numbers before and the frame after. For the
${telemetry.count} charts of ${measured.charts[0].size.name} points on the list's way, \`GET /api/v2/telemetry\` had a median of ${told(telemetry.p50)}; 90 %
were within ${told(telemetry.p90)}.

## Frames

Times between frames, as \`requestAnimationFrame\` has them, while the browser gets events of its own input, 60 a second:

- *hover*: ${steps} steps across the chart;
- *pan*: ${steps} steps of a Shift-drag, there and back, and its end;
- *wheel*: ${turns} turns in and as many out, each with the ${tailMs} ms after it, in which Plotly draws anew.

A chart that does not keep up gets ${patienceMs / 1000} s for each. The numbers are made up, and all of them are in the page's memory.
When a zoom rests, the page asks for finer buckets, reads and draws them: then the worst frame is
${rests(measured)}.

## From a click

The list is there ${figure(inSeconds(interactive.map(({ listed }) => listed)), "s")} after the navigation began; the bar above counts to when a click, sent
at once, was answered by another address. Workload L is what \`tasktide generate --size L\` makes, up to
${measured.minutesOld.toFixed(0)} minutes before it was looked at, in SQLite. The server keeps no answers. The times are from the click to
the end of the frame that shows the chart.
`;
}
