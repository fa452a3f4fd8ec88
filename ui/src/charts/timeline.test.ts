import { describe, expect, it } from "vitest";
import { newConcurrency, newSeries } from "../test/factories/concurrency";
import {
  axisMax,
  bucketAt,
  bucketsOf,
  bucketsWithin,
  moveCursor,
  stackOrder,
  sumOf,
  moved,
  zoomed,
} from "./timeline";

const buckets = { first: 1000, width: 100, count: 3, end: 1300 };

describe("bucketAt", () => {
  it("is half-open at both ends of a bucket and of the window", () => {
    expect(bucketAt(buckets, 999)).toBeNull();
    expect(bucketAt(buckets, 1000)).toBe(0);
    expect(bucketAt(buckets, 1099.9)).toBe(0);
    expect(bucketAt(buckets, 1100)).toBe(1);
    expect(bucketAt(buckets, 1299)).toBe(2);
    expect(bucketAt(buckets, 1300)).toBeNull();
  });

  it("has nothing after the end of a partial bucket, and nothing in no buckets", () => {
    expect(bucketAt({ ...buckets, end: 1250 }, 1250)).toBeNull();
    expect(bucketAt({ ...buckets, count: 0, end: 1000 }, 1000)).toBeNull();
  });
});

describe("bucketsWithin", () => {
  it("takes every bucket that the range touches", () => {
    expect(bucketsWithin(buckets, [1050, 1150])).toEqual([0, 2]);
    expect(bucketsWithin(buckets, [1100, 1200])).toEqual([1, 2]);
    expect(bucketsWithin(buckets, [0, 9999])).toEqual([0, 3]);
    expect(bucketsWithin(buckets, [5000, 9999])).toEqual([3, 3]);
  });
});

describe("bucketsOf", () => {
  it("ends at now where the last bucket is partial", () => {
    const whole = bucketsOf(newConcurrency());
    expect(whole.end - whole.first).toBe(3 * 60_000);
    const partial = newConcurrency(undefined, {
      partial_from: "2022-05-13T03:22:00Z",
      generated_at: "2022-05-13T03:22:10Z",
    });
    expect(bucketsOf(partial).end - whole.first).toBe(130_000);
  });
});

it("stackOrder puts most task-seconds on top, and names in order downwards", () => {
  const order = stackOrder([newSeries("b", [1]), newSeries("big", [9]), newSeries("a", [1])]);
  expect(order.map((series) => series.task_template_name)).toEqual(["b", "a", "big"]);
});

it("sumOf adds the bands bucket by bucket", () => {
  const bands = [
    { name: "a", values: [1, 2.5] },
    { name: "b", values: [0, 4] },
  ];
  expect([...sumOf(bands, 2)]).toEqual([1, 6.5]);
  expect([...sumOf([], 2)]).toEqual([0, 0]);
});

it("axisMax leaves room above, and never ends at zero", () => {
  expect(axisMax(100)).toBeGreaterThan(100);
  expect(axisMax(0)).toBeGreaterThan(0);
});

describe("moveCursor", () => {
  it("goes from bucket to bucket and stays within what is shown", () => {
    expect(moveCursor("ArrowRight", null, 3, 9)).toBe(3);
    expect(moveCursor("ArrowRight", 4, 3, 9)).toBe(5);
    expect(moveCursor("ArrowRight", 9, 3, 9)).toBe(9);
    expect(moveCursor("ArrowLeft", null, 3, 9)).toBe(9);
    expect(moveCursor("ArrowLeft", 3, 3, 9)).toBe(3);
    expect(moveCursor("Home", 5, 3, 9)).toBe(3);
    expect(moveCursor("End", 5, 3, 9)).toBe(9);
  });

  it("goes away with Escape, and stays for any other key", () => {
    expect(moveCursor("Escape", 5, 3, 9)).toBeNull();
    expect(moveCursor("a", 5, 3, 9)).toBeUndefined();
  });
});

describe("ranges", () => {
  it("zoom about an instant, which stays where it is", () => {
    expect(zoomed([0, 100_000], 0.5)).toEqual([25_000, 75_000]);
    expect(zoomed([0, 100_000], 2, 0)).toEqual([0, 200_000]);
    expect(zoomed([0, 100_000], 0.5, 100_000)).toEqual([50_000, 100_000]);
  });

  it("come no closer than a second", () => {
    expect(zoomed([0, 2_000], 0.1)).toEqual([500, 1_500]);
    expect(zoomed([0, 1_000], 0.5)).toEqual([0, 1_000]);
  });

  it("move by a share of their length", () => {
    expect(moved([1_000, 3_000], -0.25)).toEqual([500, 2_500]);
  });
});
