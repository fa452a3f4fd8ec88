import { describe, expect, it } from "vitest";
import { rgb, type Mark } from "./palette";
import { rasterize, type RasterInput } from "./raster";

const red: Mark = { colour: "#ff0000", pattern: "solid" };
const blue: Mark = { colour: "#0000ff", pattern: "solid" };
const page = "#ffffff";

/** Ten buckets of a second each, ten pixels wide, at two pixels to a task. */
function input(change: Partial<RasterInput> & { values?: number[][] } = {}): RasterInput {
  const { values = [[4, 4, 4, 4, 4, 4, 4, 4, 4, 4]], ...rest } = change;
  const count = values[0].length;
  const marks = [red, blue];
  return {
    buckets: { first: 0, width: 1000, count, end: count * 1000 },
    bands: values.map((band, k) => ({ values: band, mark: marks[k] })),
    sums: values[0].map((_, i) => values.reduce((sum, band) => sum + band[i], 0)),
    range: [0, count * 1000],
    max: 10,
    width: count,
    height: 20,
    scale: 1,
    page,
    ...rest,
  };
}

function pixels(raster: RasterInput) {
  const bytes = rasterize(raster);
  return (x: number, y: number) => {
    const [r, g, b, a] = bytes.slice((y * raster.width + x) * 4);
    if (a === 0) return "none";
    const is = (hex: string) => [r, g, b].join() === rgb(hex).join();
    return is("#ff0000") ? "red" : is("#0000ff") ? "blue" : is(page) ? "page" : "other";
  };
}

function column(raster: RasterInput, x: number) {
  const at = pixels(raster);
  const counts: Record<string, number> = {};
  for (let y = 0; y < raster.height; y++) counts[at(x, y)] = (counts[at(x, y)] ?? 0) + 1;
  return counts;
}

describe("rasterize", () => {
  it("fills a band from the base line up to its value, and nothing else", () => {
    const at = pixels(input());
    expect(at(5, 19)).toBe("red");
    expect(at(5, 12)).toBe("red");
    expect(at(5, 11)).toBe("none");
    expect(column(input(), 5)).toEqual({ red: 8, none: 12 });
  });

  it("stacks upwards, with a separator cut out of the lower band", () => {
    const raster = input({
      values: [
        [4, 4],
        [3, 3],
      ],
    });
    expect(column(raster, 0)).toEqual({ red: 7, page: 1, blue: 6, none: 6 });
    const at = pixels(raster);
    expect([at(0, 13), at(0, 12), at(0, 11)]).toEqual(["red", "page", "blue"]);
  });

  it("cuts the separator out of the upper band where the lower one is thin", () => {
    expect(
      column(
        input({
          values: [
            [1, 1],
            [4, 4],
          ],
        }),
        0,
      ),
    ).toEqual({
      red: 2,
      page: 1,
      blue: 7,
      none: 10,
    });
  });

  it("leaves two thin bands whole", () => {
    expect(column(input({ values: [[1], [1]] }), 0)).toEqual({ red: 2, blue: 2, none: 16 });
  });

  it("hatches as much of a band as is suspect, from its bottom, over a square of the pattern", () => {
    const values = [Array.from({ length: 8 }, () => 8)];
    const { bands, ...raster } = input({ values });
    const hatched = (suspect: number) => {
      const at = pixels({
        ...raster,
        bands: bands.map((band) => ({
          ...band,
          suspect: Array.from({ length: 8 }, () => suspect),
        })),
      });
      const rows = Array.from({ length: 20 }, (_, y) => y);
      return rows.filter((y) => Array.from({ length: 8 }, (_, x) => at(x, y)).includes("page"));
    };
    expect(hatched(0)).toEqual([]);
    expect(hatched(2)).toEqual([16, 17, 18, 19]);
    expect(hatched(0.01)).toEqual([19]);
    // The counts may be of different instants.
    expect(hatched(50)).toHaveLength(16);
    const at = pixels({ ...raster, bands: [{ ...bands[0], suspect: values[0] }] });
    const square = Array.from({ length: 64 }, (_, i) => at(i % 8, 8 + Math.floor(i / 8)));
    expect(square.filter((pixel) => pixel === "page")).toHaveLength(32);
  });

  it("skips a band of zero without a separator", () => {
    expect(column(input({ values: [[0], [4]] }), 0)).toEqual({ blue: 8, none: 12 });
  });

  it("shows the bucket with the largest total of those that a column covers", () => {
    const values = [Array.from({ length: 1000 }, (_, i) => (i === 357 ? 9 : 1))];
    const raster = input({ values, width: 10 });
    expect(column(raster, 3)).toEqual({ red: 18, none: 2 });
    for (const x of [0, 1, 2, 4, 9]) expect(column(raster, x)).toEqual({ red: 2, none: 18 });
  });

  it("draws the stack of one bucket, never parts of several", () => {
    // The largest total is in the first bucket, though the second band is larger in the next.
    const raster = input({
      values: [
        [8, 1],
        [0, 6],
      ],
      width: 1,
    });
    expect(column(raster, 0)).toEqual({ red: 16, none: 4 });
  });

  it("draws steps: each bucket keeps its value from its start to its end", () => {
    const raster = input({ values: [[2, 6]], width: 20 });
    expect(column(raster, 9)).toEqual({ red: 4, none: 16 });
    expect(column(raster, 10)).toEqual({ red: 12, none: 8 });
  });

  it("shows the visible range only, and nothing outside of the buckets", () => {
    const raster = input({ values: [[2, 6]], range: [-1000, 3000], width: 4 });
    expect(column(raster, 0)).toEqual({ none: 20 });
    expect(column(raster, 1)).toEqual({ red: 4, none: 16 });
    expect(column(raster, 2)).toEqual({ red: 12, none: 8 });
    expect(column(raster, 3)).toEqual({ none: 20 });
    expect(column(input({ values: [[2, 6]], range: [1000, 2000], width: 4 }), 0)).toEqual({
      red: 12,
      none: 8,
    });
  });

  it("ends a partial bucket at the instant that it has come to", () => {
    const raster = input({ values: [[2, 6]], width: 20 });
    raster.buckets = { ...raster.buckets, end: 1500 };
    expect(column(raster, 14)).toEqual({ red: 12, none: 8 });
    expect(column(raster, 15)).toEqual({ none: 20 });
  });

  it("gives what is less than a pixel high a pixel, in the largest band's colour", () => {
    expect(column(input({ values: [[0.01], [0.02]], max: 1000 }), 0)).toEqual({
      blue: 1,
      none: 19,
    });
    expect(column(input({ values: [[0], [0]] }), 0)).toEqual({ none: 20 });
  });

  it("clips what is higher than the picture", () => {
    expect(column(input({ values: [[50]] }), 0)).toEqual({ red: 20 });
  });

  it("separates colours that meet side by side where a wide step jumps", () => {
    const raster = input({
      values: [
        [2, 6],
        [7, 3],
      ],
      width: 40,
    });
    const at = pixels(raster);
    // Between the boundaries at 2 and at 6 tasks the left step is blue and the right one red.
    expect([at(19, 12), at(20, 12), at(21, 12)]).toEqual(["blue", "page", "red"]);
    // Elsewhere both sides have the same colour.
    expect([at(19, 18), at(20, 18)]).toEqual(["red", "red"]);
  });

  it("draws a pattern in a tint of its colour", () => {
    const raster = input({ values: [Array<number>(16).fill(8)] });
    raster.bands = [{ ...raster.bands[0], mark: { ...red, pattern: "rising" } }];
    const counts = column(raster, 4);
    expect(counts.none).toBe(4);
    expect(counts.red).toBeGreaterThan(counts.other);
    expect(counts.other).toBeGreaterThan(0);
  });

  it("keeps separators and patterns at their size on a finer screen", () => {
    const raster = input({
      values: [
        [4, 4],
        [3, 3],
      ],
      scale: 2,
      height: 40,
    });
    expect(column(raster, 0)).toEqual({ red: 14, page: 2, blue: 12, none: 12 });
  });
});
