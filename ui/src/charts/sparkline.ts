/** A small chart of one step function without axes. */

/** How long each of the API's sparkline's steps is, in milliseconds. */
export const sparklineStepMs = 30 * 60_000;

/**
 * The steps as the path of an SVG of this size: 0 at the bottom, `max` at the top. Where a value is
 * not known there is a gap. It is empty where none is known.
 */
export function stepPath(
  values: readonly (number | null)[],
  max: number,
  width: number,
  height: number,
): string {
  const step = width / values.length;
  const y = (value: number) => round(max === 0 ? height : height - (value / max) * height);
  const parts: string[] = [];
  values.forEach((value, i) => {
    if (value === null) return;
    const begins = i === 0 || values[i - 1] === null;
    parts.push(begins ? `M${round(i * step)} ${y(value)}` : `V${y(value)}`);
    parts.push(`H${round((i + 1) * step)}`);
  });
  return parts.join("");
}

export interface SparklineSummary {
  /** The most of all steps that are known. */
  max: number;
  /** When the first step with that much begins, and when it ends, in milliseconds since the epoch. */
  from: number;
  to: number;
}

/**
 * What a sparkline shows, where the last of its steps contains `now`, in milliseconds since the
 * epoch. Null where nothing is known.
 */
export function summarize(
  values: readonly (number | null)[],
  now: number,
): SparklineSummary | null {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return null;
  const max = Math.max(...known);
  const end = (Math.floor(now / sparklineStepMs) + 1) * sparklineStepMs;
  const from = end - (values.length - values.indexOf(max)) * sparklineStepMs;
  return { max, from, to: from + sparklineStepMs };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
