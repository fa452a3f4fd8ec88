import type { Layout, PlotlyHTMLElement } from "plotly.js";
import Plotly from "plotly.js/lib/core";
import { createElement } from "react";
import createPlotlyComponent, { type PlotParams } from "react-plotly.js/factory";
import { axisDate, config, figureOf } from "./figure";
import type { Range } from "./timeline";

// The core draws scatter traces and nothing else, at a quarter of the size of the whole.
export { Plotly };

const Drawing = createPlotlyComponent(Plotly);

/** Tells onAfterPlot of the first drawing too, before which the component does not listen to Plotly. */
export function Plot({ onInitialized, ...props }: PlotParams) {
  return createElement(Drawing, {
    ...props,
    onInitialized: (figure, div) => {
      onInitialized?.(figure, div);
      props.onAfterPlot?.(null);
    },
  });
}

/** Moves the axes and lines of a drawn chart to a range, unless that is the one that they show. */
export async function zoomTo(graph: HTMLElement, range: Range): Promise<void> {
  const ends = range.map(axisDate);
  const drawn = (graph as PlotlyHTMLElement).layout.xaxis?.range;
  if (drawn?.every((end, i) => end === ends[i]) === true) return;
  // The types know whole axes only, and a whole axis would throw away the others' settings.
  await Plotly.relayout(graph, { "xaxis.range": ends } as Partial<Layout>);
}

let warm: Promise<void> | null = null;

/**
 * Draws and discards a small chart off screen, once, so that by the time there is data the browser
 * has compiled the code: it halves the time to the first picture.
 */
export function warmUp(): Promise<void> {
  warm ??= draw();
  return warm;
}

async function draw() {
  const div = document.createElement("div");
  div.setAttribute("aria-hidden", "true");
  div.style.cssText = "position:absolute;left:-9999px;top:0;visibility:hidden";
  document.body.append(div);
  const day = 86_400_000;
  const count = 60;
  const { data, layout } = figureOf({
    buckets: { first: day, width: 60_000, count, end: day + count * 60_000 },
    lines: [{ kind: "peak", values: Array.from({ length: count }, (_, i) => i % 7) }],
    limits: [],
    compared: null,
    range: [day, day + count * 60_000],
    max: 8,
    width: 400,
    height: 200,
    mode: "light",
  });
  try {
    await Plotly.newPlot(div, data, layout, config);
    await zoomTo(div, [day, day + 30 * 60_000]);
  } finally {
    Plotly.purge(div);
    div.remove();
  }
}

/** Axes, grid and line of a drawn chart as the URL of an SVG. */
export function axesImage(graph: HTMLElement, width: number, height: number): Promise<string> {
  return Plotly.toImage(graph, { format: "svg", width, height });
}
