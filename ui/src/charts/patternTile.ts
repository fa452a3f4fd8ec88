import { tint, type Mark } from "./palette";
import { patternSize, inPattern } from "./pattern";

const scale = 2;
const tiles = new Map<string, string | null>();

/** One period of a pattern as the URL of an image, to be shown at patternSize; null for a solid. */
export function patternTile({ colour, pattern }: Mark, page: string): string | null {
  if (pattern === "solid") return null;
  const key = `${colour} ${pattern} ${page}`;
  let tile = tiles.get(key);
  if (tile === undefined) {
    tile = draw(colour, pattern, page);
    tiles.set(key, tile);
  }
  return tile;
}

function draw(colour: string, pattern: Mark["pattern"], page: string): string | null {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = patternSize * scale;
  const context = canvas.getContext("2d");
  if (context === null) return null;
  paintPattern(context, { colour, pattern }, page, 0, 0, canvas.width, scale);
  return canvas.toDataURL();
}

/** Fills a square with a mark, pixel by pixel: for swatches, which are small. */
export function paintPattern(
  context: CanvasRenderingContext2D,
  { colour, pattern }: Mark,
  page: string,
  left: number,
  top: number,
  side: number,
  scale: number,
) {
  context.fillStyle = colour;
  context.fillRect(left, top, side, side);
  context.fillStyle = pattern === "hatched" ? page : tint(colour, page);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      if (inPattern(pattern, x / scale, y / scale)) context.fillRect(left + x, top + y, 1, 1);
    }
  }
}
