/** The buckets of an answer as the chart draws them. Times are milliseconds since the epoch, UTC. */

import type { ConcurrencyColumns } from "../api/types";

export interface Buckets {
  /** First instant of the first bucket. */
  first: number;
  /** Width of a bucket. */
  width: number;
  count: number;
  /** Where the drawing ends: the end of the last bucket, or now where that one is partial. */
  end: number;
}

export interface Band {
  name: string;
  /** One number a bucket. */
  values: ArrayLike<number>;
  /** How much of each is suspect. */
  suspect?: ArrayLike<number>;
  /** The limit on each when its bucket begins; not a number where there is none. */
  limit?: ArrayLike<number>;
}

/** What a line is of: a template's peak, or the total's mean, peak, or peak of ACTIVE. */
export type LineKind = "template" | "mean" | "peak" | "active";

export interface Line extends Band {
  kind: LineKind;
}

/** A number that holds from an instant on, in milliseconds; null where there is none. */
export interface Step {
  from: number;
  value: number | null;
}

export interface LimitLine {
  name: string;
  /** The template of the array; null for the workflow. */
  of: string | null;
  steps: readonly Step[];
  /** Whether it lies above what is shown. */
  above: boolean;
}

/** Half-open, as every window here. */
export type Range = readonly [from: number, to: number];

export function bucketsOf(answer: ConcurrencyColumns): Buckets {
  const first = Date.parse(answer.bucket.first);
  const width = answer.bucket.seconds * 1000;
  const { count } = answer.bucket;
  const end =
    answer.partial_from === null ? first + count * width : Date.parse(answer.generated_at);
  return { first, width, count, end };
}

/**
 * The bands from the bottom of the stack to its top. The template with most task-seconds is on
 * top, so that the legend, which is read downwards, begins with it, and small ones lie on the
 * straight base line.
 */
export function stackOrder<
  T extends { task_template_name: string; task_seconds: number; attempts?: string },
>(series: readonly T[]): T[] {
  const name = (one: T) => `${one.task_template_name} ${one.attempts ?? ""}`;
  return [...series].sort(
    (a, b) => a.task_seconds - b.task_seconds || (name(a) < name(b) ? 1 : -1),
  );
}

/** The bucket that an instant lies in, or null outside of them. */
export function bucketAt(buckets: Buckets, instant: number): number | null {
  if (instant < buckets.first || instant >= buckets.end) return null;
  return Math.min(buckets.count - 1, Math.floor((instant - buckets.first) / buckets.width));
}

export function bucketStart(buckets: Buckets, i: number): number {
  return buckets.first + i * buckets.width;
}

/** The buckets that a range touches, as first and one past the last. */
export function bucketsWithin(buckets: Buckets, [from, to]: Range): [number, number] {
  const clamp = (i: number) => Math.max(0, Math.min(buckets.count, i));
  const low = clamp(Math.floor((from - buckets.first) / buckets.width));
  return [low, Math.max(low, clamp(Math.ceil((to - buckets.first) / buckets.width)))];
}

/**
 * Where a key takes the cursor among the buckets first to last: null for nowhere, and undefined where
 * the key does not move it.
 */
export function moveCursor(
  key: string,
  at: number | null,
  first: number,
  last: number,
): number | null | undefined {
  switch (key) {
    case "ArrowRight":
      return at === null ? first : Math.min(last, at + 1);
    case "ArrowLeft":
      return at === null ? last : Math.max(first, at - 1);
    case "Home":
      return first;
    case "End":
      return last;
    case "Escape":
      return null;
    default:
      return undefined;
  }
}

/** Sums of the bands, bucket by bucket. */
export function sumOf(bands: readonly Band[], count: number): Float64Array {
  const sums = new Float64Array(count);
  for (const { values } of bands) {
    for (let i = 0; i < count; i++) sums[i] += values[i];
  }
  return sums;
}

/** Where the y axis ends: a little above the highest number, and never at zero. */
export function axisMax(highest: number): number {
  return Math.max(1, highest) * 1.06;
}

/** The instant at a share of a range's length. */
export function instantAt([from, to]: Range, share: number): number {
  return from + share * (to - from);
}

/** No closer than a second, which is the finest bucket, in milliseconds. */
const closest = 1_000;

/** A range that is so many times as long; an instant of it, or its middle, stays where it is. */
export function zoomed([from, to]: Range, factor: number, about = (from + to) / 2): Range {
  const scale = Math.max(factor, closest / (to - from));
  return [about - (about - from) * scale, about + (to - about) * scale];
}

/** A range, or a second about its middle where it is shorter. */
export function longEnough([from, to]: Range): Range {
  const missing = Math.max(0, closest - (to - from)) / 2;
  return [from - missing, to + missing];
}

/** Whether ranges differ by less than the millisecond that an address has. */
export function sameRange([from, to]: Range, [otherFrom, otherTo]: Range): boolean {
  return Math.abs(from - otherFrom) < 1 && Math.abs(to - otherTo) < 1;
}

/** A range that is moved by a share of its length. */
export function moved([from, to]: Range, share: number): Range {
  const by = (to - from) * share;
  return [from + by, to + by];
}
