/** The chart as a picture to keep: title, chart and legend on one canvas, in the page's theme. */

import { fontFamily, margins } from "./figure";
import { inks, pages, type Mark, type Mode } from "./palette";
import { paintPattern, patternTile } from "./patternTile";
import { rasterize, type RasterInput } from "./raster";

export interface PictureInput {
  title: string;
  /** Lines below the title: window, bucket, statistic, time. */
  notes: readonly string[];
  /** Axes, grid and line, as the URL of a transparent image of the chart's size. */
  axes: string;
  /** CSS pixels. */
  width: number;
  height: number;
  areas: Omit<RasterInput, "width" | "height" | "scale" | "page">;
  /** From the top of the stack to its bottom. */
  legend: readonly { label: string; mark: Mark }[];
  mode: Mode;
}

/** Pixels of the picture to one of CSS. */
export const scale = 2;
const padding = 24;
const titleHeight = 30;
const noteHeight = 18;
const legendRow = 20;
const legendColumn = 300;

/** Where everything lies, in CSS pixels. */
export function layoutOf({
  width,
  height,
  notes,
  legend,
}: Pick<PictureInput, "width" | "height" | "notes" | "legend">) {
  const chartTop = padding + titleHeight + notes.length * noteHeight + 8;
  const columns = Math.max(1, Math.floor(width / legendColumn));
  const rows = Math.ceil(legend.length / columns);
  const legendTop = chartTop + height + 8;
  return {
    width: width + 2 * padding,
    height: legendTop + rows * legendRow + padding,
    chart: { x: padding, y: chartTop },
    plot: {
      x: padding + margins.left,
      y: chartTop + margins.top,
      width: width - margins.left - margins.right,
      height: height - margins.top - margins.bottom,
    },
    note: (i: number) => padding + titleHeight + i * noteHeight,
    entry: (i: number) => ({
      x: padding + Math.floor(i / rows) * (width / columns),
      y: legendTop + (i % rows) * legendRow,
      width: width / columns - 30,
    }),
  };
}

type Layout = ReturnType<typeof layoutOf>;

/** The areas alone, at twice the size. */
function drawAreas({ areas, mode }: PictureInput, plot: { width: number; height: number }) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(plot.width * scale);
  canvas.height = Math.round(plot.height * scale);
  const { width, height } = canvas;
  const pixels = rasterize({ ...areas, width, height, scale, page: pages[mode] });
  canvas.getContext("2d")?.putImageData(new ImageData(pixels, width, height), 0, 0);
  return canvas;
}

/**
 * The words, or as much of them as fits into a width without their middle: names often differ at their ends alone.
 * `measure` tells how wide some words are.
 */
export function fitted(words: string, width: number, measure: (words: string) => number): string {
  if (measure(words) <= width) return words;
  const characters = Array.from(words);
  const shortened = (kept: number) =>
    `${characters.slice(0, Math.ceil(kept / 2)).join("")}…${characters.slice(characters.length - Math.floor(kept / 2)).join("")}`;
  let kept = characters.length - 1;
  while (kept > 0 && measure(shortened(kept)) > width) kept--;
  return shortened(kept);
}

const titleFont = { size: 20, weight: 600 };
const font = { size: 13, weight: 400 };
type Font = typeof font;

const cssFont = ({ size, weight }: Font) => `${weight} ${size}px ${fontFamily}`;

function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("This browser cannot draw the picture.");
  return context;
}

/** The words of a picture, each as far as there is room for it. */
function wordsOf({ title, notes, legend, width }: PictureInput, layout: Layout) {
  const context = contextOf(document.createElement("canvas"));
  const fit = (words: string, room: number, as: Font) => {
    context.font = cssFont(as);
    return fitted(words, room, (some) => context.measureText(some).width);
  };
  return {
    title: fit(title, width, titleFont),
    notes: notes.map((note) => fit(note, width, font)),
    legend: legend.map(({ label }, i) => fit(label, layout.entry(i).width, font)),
  };
}

export async function composePicture(input: PictureInput): Promise<Blob> {
  const { mode } = input;
  const ink = inks[mode];
  const axes = await load(input.axes);
  const layout = layoutOf(input);
  const words = wordsOf(input, layout);

  const canvas = document.createElement("canvas");
  canvas.width = layout.width * scale;
  canvas.height = layout.height * scale;
  const context = contextOf(canvas);
  context.scale(scale, scale);
  context.fillStyle = pages[mode];
  context.fillRect(0, 0, layout.width, layout.height);
  const { plot, chart } = layout;
  // putImageData would overwrite the page with transparent pixels; drawImage lays them on it.
  context.drawImage(drawAreas(input, plot), plot.x, plot.y, plot.width, plot.height);
  context.drawImage(axes, chart.x, chart.y, input.width, input.height);

  context.textBaseline = "top";
  context.fillStyle = ink.line;
  context.font = cssFont(titleFont);
  context.fillText(words.title, padding, padding);
  context.font = cssFont(font);
  context.fillStyle = ink.text;
  words.notes.forEach((note, i) => context.fillText(note, padding, layout.note(i)));
  input.legend.forEach(({ mark }, i) => {
    const { x, y } = layout.entry(i);
    context.save();
    context.scale(1 / scale, 1 / scale);
    paintPattern(context, mark, pages[mode], x * scale, y * scale, 14 * scale, scale);
    context.restore();
    context.fillStyle = ink.line;
    context.fillText(words.legend[i], x + 22, y + 1);
  });
  return toBlob(canvas);
}

/** The same as an SVG: words and lines as such, the areas as an image in it. */
export function composeSvg(input: PictureInput): Blob {
  const { mode } = input;
  const ink = inks[mode];
  const layout = layoutOf(input);
  const { plot, chart } = layout;
  const words = wordsOf(input, layout);
  const text = (some: string, x: number, y: number, { size, weight }: Font, colour: string) =>
    `<text x="${x}" y="${y + size * 0.8}" font-size="${size}" font-weight="${weight}" fill="${colour}">${escaped(some)}</text>`;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${layout.width}" height="${layout.height}" viewBox="0 0 ${layout.width} ${layout.height}" font-family="${escaped(fontFamily)}">`,
    `<title>${escaped(input.title)}</title>`,
    `<rect width="100%" height="100%" fill="${pages[mode]}"/>`,
    `<image x="${plot.x}" y="${plot.y}" width="${plot.width}" height="${plot.height}" href="${drawAreas(input, plot).toDataURL()}"/>`,
    `<g transform="translate(${chart.x} ${chart.y})">${svgOf(input.axes)}</g>`,
    text(words.title, padding, padding, titleFont, ink.line),
    ...words.notes.map((note, i) => text(note, padding, layout.note(i), font, ink.text)),
    ...input.legend.map(({ label, mark }, i) => {
      const { x, y } = layout.entry(i);
      const tile = patternTile(mark, pages[mode]);
      const over =
        tile === null ? "" : `<image x="${x}" y="${y}" width="14" height="14" href="${tile}"/>`;
      return `<rect x="${x}" y="${y}" width="14" height="14" rx="3" fill="${mark.colour}"/>${over}<g><title>${escaped(label)}</title>${text(words.legend[i], x + 22, y + 1, font, ink.line)}</g>`;
    }),
    "</svg>",
  ];
  return new Blob([parts.join("\n")], { type: "image/svg+xml" });
}

/** The document in a data URL of an SVG. */
function svgOf(url: string): string {
  return decodeURIComponent(url.slice(url.indexOf(",") + 1));
}

function escaped(words: string): string {
  return words
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

function load(url: string): Promise<HTMLImageElement> {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => reject(new Error("The chart could not be turned into a picture."));
    image.src = url;
  });
}

function toBlob(canvas: HTMLCanvasElement): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (blob === null) reject(new Error("The picture is too large for this browser."));
      else resolve(blob);
    }, "image/png");
  });
}
