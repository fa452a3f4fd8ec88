/** Bands onto a canvas, of the finest buckets that are known of each part of what is on screen. */

import { mix, pages, type Mark, type Mode } from "./palette";
import { rasterize, type RasterInput } from "./raster";
import type { Band, Buckets, Range } from "./timeline";

/** Bands of buckets of one width. */
export interface Layer {
  buckets: Buckets;
  bands: readonly Band[];
  sums: Float64Array;
}

interface Paint {
  /** From the coarsest to the finest: each covers what is beneath it, as far as it reaches. */
  layers: readonly Layer[];
  marks: ReadonlyMap<string, Mark>;
  /** The one that stands out, if one does. */
  highlight: string | null;
  range: Range;
  max: number;
  /** Device pixels. */
  width: number;
  height: number;
  scale: number;
  mode: Mode;
}

const fade = 0.72;

/** The bands with the colours and patterns that they are drawn in. */
export function markedBands(
  bands: readonly Band[],
  marks: ReadonlyMap<string, Mark>,
  highlight: string | null,
  mode: Mode,
): RasterInput["bands"] {
  return bands.map(({ name, values, suspect }) => {
    const mark = marks.get(name) ?? unknown(mode);
    const fades = highlight !== null && highlight !== name;
    return {
      values,
      ...(suspect !== undefined && { suspect }),
      mark: fades ? { ...mark, colour: mix(mark.colour, pages[mode], fade) } : mark,
    };
  });
}

/** For a template of which the page has not heard yet. */
function unknown(mode: Mode): Mark {
  return { colour: mode === "light" ? "#69617a" : "#90aad2", pattern: "solid" };
}

export function paint(canvas: HTMLCanvasElement, input: Paint) {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const { width, height } = input;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  context.clearRect(0, 0, width, height);
  for (const layer of visible(input.layers, input.range)) {
    const pixels = rasterize({
      buckets: layer.buckets,
      sums: layer.sums,
      bands: markedBands(layer.bands, input.marks, input.highlight, input.mode),
      range: input.range,
      max: input.max,
      width,
      height,
      scale: input.scale,
      page: pages[input.mode],
    });
    // Only its own columns: what is transparent in them is nothing, and not what lies beneath.
    const [from, to] = columnsOf(layer.buckets, input.range, width);
    if (to > from) {
      context.putImageData(new ImageData(pixels, width, height), 0, 0, from, 0, to - from, height);
    }
  }
}

/** The layers that are not covered as a whole. */
function visible(layers: readonly Layer[], range: Range): readonly Layer[] {
  const finest = layers.at(-1);
  return finest !== undefined && covers(finest.buckets, range) ? [finest] : layers;
}

/** Whether there are buckets for all of a range, as far as it has happened. */
export function covers({ first, width, count, end }: Buckets, [from, to]: Range): boolean {
  return from >= first && Math.min(to, end) <= first + count * width;
}

function columnsOf({ first, width, count }: Buckets, [from, to]: Range, columns: number) {
  const column = (ms: number) => Math.round(((ms - from) / (to - from)) * columns);
  const clamp = (x: number) => Math.max(0, Math.min(columns, x));
  return [clamp(column(first)), clamp(column(first + count * width))];
}
