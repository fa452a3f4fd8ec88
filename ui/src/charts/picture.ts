/** The chart as a picture to keep: title, chart and legend on one canvas, in the page's theme. */

import { fontFamily, margins } from "./figure";
import { inks, pages, type Mark, type Mode } from "./palette";
import { paintPattern } from "./patternTile";
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

const scale = 2;
const padding = 24;
const titleHeight = 30;
const noteHeight = 18;
const legendRow = 20;
const legendColumn = 300;

export async function composePicture(input: PictureInput): Promise<Blob> {
  const { width, height, mode } = input;
  const ink = inks[mode];
  const axes = await load(input.axes);
  const chartTop = padding + titleHeight + input.notes.length * noteHeight + 8;
  const columns = Math.max(1, Math.floor(width / legendColumn));
  const rows = Math.ceil(input.legend.length / columns);
  const legendTop = chartTop + height + 8;

  const canvas = document.createElement("canvas");
  canvas.width = (width + 2 * padding) * scale;
  canvas.height = (legendTop + rows * legendRow + padding) * scale;
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("This browser cannot draw the picture.");
  context.fillStyle = pages[mode];
  context.fillRect(0, 0, canvas.width, canvas.height);

  const plotWidth = (width - margins.left - margins.right) * scale;
  const plotHeight = (height - margins.top - margins.bottom) * scale;
  const pixels = rasterize({
    ...input.areas,
    width: plotWidth,
    height: plotHeight,
    scale,
    page: pages[mode],
  });
  // putImageData would overwrite the page with transparent pixels; drawImage lays them on it.
  const areas = document.createElement("canvas");
  areas.width = plotWidth;
  areas.height = plotHeight;
  areas.getContext("2d")?.putImageData(new ImageData(pixels, plotWidth, plotHeight), 0, 0);
  context.drawImage(areas, (padding + margins.left) * scale, (chartTop + margins.top) * scale);
  context.drawImage(axes, padding * scale, chartTop * scale, width * scale, height * scale);

  context.scale(scale, scale);
  context.textBaseline = "top";
  context.fillStyle = ink.line;
  context.font = `600 20px ${fontFamily}`;
  context.fillText(input.title, padding, padding, width);
  context.font = `13px ${fontFamily}`;
  context.fillStyle = ink.text;
  input.notes.forEach((note, i) => {
    context.fillText(note, padding, padding + titleHeight + i * noteHeight, width);
  });
  input.legend.forEach(({ label, mark }, i) => {
    const x = padding + Math.floor(i / rows) * (width / columns);
    const y = legendTop + (i % rows) * legendRow;
    context.save();
    context.scale(1 / scale, 1 / scale);
    paintPattern(context, mark, pages[mode], x * scale, y * scale, 14 * scale, scale);
    context.restore();
    context.fillStyle = ink.line;
    context.fillText(label, x + 22, y + 1, width / columns - 30);
  });
  return toBlob(canvas);
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
