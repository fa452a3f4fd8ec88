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

function modulo(a: number, b: number): number {
  return ((a % b) + b) % b;
}
