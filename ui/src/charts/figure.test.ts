import { describe, expect, it } from "vitest";
import { figureOf, type FigureInput } from "./figure";

const input: FigureInput = {
  buckets: { first: 0, width: 60_000, count: 2, end: 100_000 },
  lines: [{ kind: "peak", values: [3, 7] }],
  limits: [],
  compared: null,
  range: [0, 120_000],
  max: 8,
  width: 600,
  height: 300,
  mode: "light",
};

describe("figureOf", () => {
  it("draws the total's peaks as steps that end with the last bucket", () => {
    const { data } = figureOf(input);
    expect(data).toMatchObject([
      { x0: "1970-01-01T00:00:00.000Z", dx: 60_000, y: [3, 7], line: { shape: "hv" } },
      { x: ["1970-01-01T00:01:00.000Z", "1970-01-01T00:01:40.000Z"], y: [7, 7] },
    ]);
  });

  it("draws the highest of the buckets that share a pixel, to the last one's end", () => {
    const count = 5_000;
    const values = Array.from({ length: count }, (_, i) =>
      i === 1_234 || i === count - 1 ? 9 : 1,
    );
    const buckets = { first: 0, width: 1_000, count, end: 4_999_500 };
    const { data } = figureOf({
      ...input,
      buckets,
      lines: [{ kind: "peak", values }],
      range: [0, 5_000_000],
    });
    const { y, dx } = data[0] as { y: number[]; dx: number };
    expect(dx).toBe(9_000);
    expect(y).toHaveLength(556);
    expect(y.flatMap((value, i) => (value === 9 ? [i] : []))).toEqual([137, 555]);
    expect(data[1]).toMatchObject({
      x: ["1970-01-01T01:23:15.000Z", "1970-01-01T01:23:19.500Z"],
      y: [9, 9],
    });
    const near = figureOf({
      ...input,
      buckets,
      lines: [{ kind: "peak", values }],
      range: [0, 9e5],
    });
    expect((near.data[0] as { y: number[] }).y).toEqual(values);
  });

  it("has axes before the peaks are known", () => {
    const { data, layout } = figureOf({ ...input, lines: [] });
    expect(data).toEqual([]);
    expect(layout.xaxis?.range).toEqual(["1970-01-01T00:00:00.000Z", "1970-01-01T00:02:00.000Z"]);
  });

  it("draws the limit from when on it held, unless it lies above the chart", () => {
    const steps = [
      { from: -5, value: 6 },
      { from: 60_000, value: null },
      { from: 90_000, value: 4 },
    ];
    const limit = { name: "Limit", of: null, steps, above: false };
    const { data } = figureOf({ ...input, lines: [], limits: [limit] });
    expect(data).toMatchObject([
      {
        x: [0, 60_000, 90_000, 120_000].map((ms) => new Date(ms).toISOString()),
        y: [6, null, 4, 4],
        line: { shape: "hv" },
      },
    ]);
    const above = { ...limit, above: true };
    expect(figureOf({ ...input, lines: [], limits: [above] }).data).toEqual([]);
  });

  it("takes no y range but ours, and leaves hovering to us", () => {
    const { layout } = figureOf(input);
    expect(layout.hovermode).toBe(false);
    expect(layout.yaxis).toMatchObject({ range: [0, 8], fixedrange: true, automargin: false });
  });

  it("marks whole tasks only", () => {
    expect(figureOf({ ...input, max: 3 }).layout.yaxis?.dtick).toBe(1);
  });
});
