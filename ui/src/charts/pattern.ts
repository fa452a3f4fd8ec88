import type { Pattern } from "./palette";

/** Side of the square that repeats, in CSS pixels. */
export const patternSize = 8;

/**
 * Whether a pixel is on a pattern's lines. `x` and `y` are CSS pixels, whole or not; the
 * chart, the legend and the exported picture all ask here.
 */
export function inPattern(pattern: Pattern, x: number, y: number): boolean {
  switch (pattern) {
    case "solid":
      return false;
    case "rising":
      return modulo(x + y, patternSize) < 1.5;
    case "falling":
      return modulo(x - y, patternSize) < 1.5;
    case "hatched":
      return modulo(x - y, patternSize) < patternSize / 2;
    case "crossed":
      return modulo(x + y, patternSize) < 1.2 || modulo(x - y, patternSize) < 1.2;
    case "dotted":
      return modulo(x, patternSize / 2) < 1.5 && modulo(y, patternSize / 2) < 1.5;
    case "lined":
      return modulo(y, patternSize / 2) < 1;
    case "dashed":
      return modulo(y, patternSize / 2) < 1.5 && modulo(x, patternSize) < 5;
  }
}

/** A square of device pixels that repeats, row by row. */
export interface Tile {
  side: number;
  /** 1 for a pixel that is on the pattern's lines. */
  pixels: Uint8Array;
}

/** A pattern for many pixels, of which there are `scale` to a CSS pixel: to look one up is quick. */
export function tileOf(pattern: Pattern, scale: number): Tile {
  const side = Math.max(1, Math.round(patternSize * scale));
  const size = patternSize / side;
  const pixels = Uint8Array.from({ length: side * side }, (_, i) =>
    Number(inPattern(pattern, (i % side) * size, Math.floor(i / side) * size)),
  );
  return { side, pixels };
}

/** Whether a device pixel, counted from zero, is on the pattern's lines. */
export function isOn({ side, pixels }: Tile, x: number, y: number): boolean {
  return pixels[(y % side) * side + (x % side)] === 1;
}

function modulo(a: number, b: number): number {
  return ((a % b) + b) % b;
}
