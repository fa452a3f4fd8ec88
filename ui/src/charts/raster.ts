/**
 * Stacked step areas as pixels. The cost depends on the size of the picture, not on how many
 * buckets or templates there are: each column shows one bucket, the one with the largest total
 * among those that it covers, so that no peak is lost however far one zooms out.
 */

import { type Mark, rgb, tint } from "./palette";
import { isOn, type Tile, tileOf } from "./pattern";
import { type Buckets, bucketsWithin, type Range } from "./timeline";

export interface RasterBand {
  values: ArrayLike<number>;
  mark: Mark;
  /** How much of each value is hatched, at the bottom of the band. */
  suspect?: ArrayLike<number>;
}

export interface RasterInput {
  buckets: Buckets;
  /** From the bottom of the stack to its top. */
  bands: readonly RasterBand[];
  /** Sums of the bands, one a bucket. */
  sums: ArrayLike<number>;
  /** What the picture shows from its left edge to its right one. */
  range: Range;
  /** The number at the picture's upper edge; 0 is at the lower one. */
  max: number;
  /** Device pixels. */
  width: number;
  height: number;
  /** Device pixels to a CSS pixel: separators and patterns keep their size on any screen. */
  scale: number;
  /** Colour of separators. What is not drawn stays transparent. */
  page: string;
}

/** Narrower steps get no separator at their sides: it would hide them. In CSS pixels. */
const minSideStep = 8;

/** RGBA, row by row, as ImageData takes it. */
export function rasterize(input: RasterInput): Uint8ClampedArray<ArrayBuffer> {
  const { width, height, scale, bands } = input;
  const bytes = new Uint8ClampedArray(width * height * 4);
  const pixels = new Uint32Array(bytes.buffer);
  const page = pack(input.page);
  const colours = bands.map((band) => pack(band.mark.colour));
  const tints = bands.map((band) => pack(tint(band.mark.colour, input.page)));
  const tiles = bands.map(({ mark: { pattern } }) =>
    pattern === "solid" ? null : tileOf(pattern, scale),
  );
  const hatching = tileOf("hatched", scale);
  const separator = Math.max(1, Math.round(scale));
  const pixelsPerBucket = (input.buckets.width / (input.range[1] - input.range[0])) * width;
  const withSides = pixelsPerBucket >= minSideStep * scale;

  const columns = columnBuckets(input);
  let tops = new Int32Array(bands.length);
  let previousTops = new Int32Array(bands.length);
  let sideColumnsLeft = 0;

  for (let x = 0; x < width; x++) {
    const bucket = columns[x];
    if (bucket < 0) continue;
    const previous = x > 0 ? columns[x - 1] : -1;
    if (bucket !== previous) {
      [tops, previousTops] = [previousTops, tops];
      stackTops(input, bucket, tops);
      sideColumnsLeft = withSides && previous >= 0 ? separator : 0;
    }
    drawColumn(x, bucket);
    if (sideColumnsLeft > 0) {
      sideColumnsLeft--;
      drawSides(x);
    }
  }
  return bytes;

  function drawColumn(x: number, bucket: number) {
    let bottom = height;
    let lowerHeight = 0;
    for (let k = 0; k < bands.length; k++) {
      const top = tops[k];
      const bandHeight = bottom - top;
      if (bandHeight <= 0) continue;
      fill(x, top, bottom, colours[k], tints[k], tiles[k]);
      hatch(x, bottom, bandHeight, bands[k], bucket);
      // The separator is cut out of whichever neighbour can spare it; between two thin bands
      // there is none, or neither would be seen.
      if (lowerHeight > 2 * separator) fill(x, bottom, bottom + separator, page);
      else if (lowerHeight > 0 && bandHeight > 2 * separator) {
        fill(x, bottom - separator, bottom, page);
      }
      lowerHeight = bandHeight;
      bottom = top;
    }
  }

  // Where a boundary between two bands jumps, two colours also meet side by side.
  function drawSides(x: number) {
    const last = bands.length - 1;
    const highest = Math.max(tops[last], previousTops[last]);
    for (let k = 0; k < last; k++) {
      const from = Math.max(highest, Math.min(tops[k], previousTops[k]));
      fill(x, from, Math.max(tops[k], previousTops[k]), page);
    }
  }

  // Over the band's own pattern. Something that is less than a pixel high is still something.
  function hatch(x: number, bottom: number, bandHeight: number, band: RasterBand, bucket: number) {
    const share = (band.suspect?.[bucket] ?? 0) / band.values[bucket];
    if (!(share > 0)) return;
    const top = bottom - Math.min(bandHeight, Math.max(1, Math.round(share * bandHeight)));
    for (let y = top; y < bottom; y++) {
      if (isOn(hatching, x, y)) pixels[y * width + x] = page;
    }
  }

  function fill(
    x: number,
    from: number,
    to: number,
    colour: number,
    tinted = colour,
    tile: Tile | null = null,
  ) {
    let at = from * width + x;
    if (tile === null) {
      for (let y = from; y < to; y++, at += width) pixels[at] = colour;
      return;
    }
    for (let y = from; y < to; y++, at += width) pixels[at] = isOn(tile, x, y) ? tinted : colour;
  }
}

/** For each column the bucket that it shows, or -1 where there is nothing to show. */
function columnBuckets({ buckets, sums, range, width }: RasterInput): Int32Array {
  const columns = new Int32Array(width).fill(-1);
  const perColumn = (range[1] - range[0]) / width;
  for (let x = 0; x < width; x++) {
    const from = range[0] + x * perColumn;
    const to = Math.min(from + perColumn, buckets.end);
    if (to <= from) break;
    const [low, high] = bucketsWithin(buckets, [from, to]);
    let best = -1;
    for (let i = low; i < high; i++) if (best < 0 || sums[i] > sums[best]) best = i;
    columns[x] = best;
  }
  return columns;
}

/** The row at which each band of a bucket begins, counted from above. */
function stackTops({ bands, height, max }: RasterInput, bucket: number, tops: Int32Array) {
  let sum = 0;
  let largest = 0;
  for (let k = 0; k < bands.length; k++) {
    const value = bands[k].values[bucket];
    sum += value;
    if (value > bands[largest].values[bucket]) largest = k;
    tops[k] = Math.max(0, Math.round(height * (1 - sum / max)));
  }
  // Something that is less than a pixel high is still something.
  if (sum > 0 && tops[bands.length - 1] === height) tops.fill(height - 1, largest);
}

/** As a 32-bit word in memory order R, G, B, A: every browser's machine is little-endian. */
function pack(hex: string): number {
  const [r, g, b] = rgb(hex);
  return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
}
