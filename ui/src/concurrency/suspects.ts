/** How many of the tasks that are counted belong to runs that are dead. */

import type { SuspectGroup } from "../api/types";
import { bucketStart, type Buckets } from "../charts/timeline";
import { formatNumber } from "../format";
import { tasksWords } from "../taskWords";
import type { Stat } from "./view";

/**
 * One number a bucket. A suspect is in its status from `since` on, and still: its mean is the part of the bucket from
 * then on, as far as the bucket has come, and there are most of them at the bucket's end.
 */
export function suspectsIn(
  groups: readonly SuspectGroup[],
  buckets: Buckets,
  stat: Stat,
): Float64Array {
  const values = new Float64Array(buckets.count);
  // What begins in a bucket, and is there all through those after it.
  const begun = new Float64Array(buckets.count + 1);
  for (const { since, count } of groups) {
    const from = Math.max(Date.parse(since), buckets.first);
    if (from >= buckets.end) continue;
    const i = Math.floor((from - buckets.first) / buckets.width);
    const start = bucketStart(buckets, i);
    const end = Math.min(bucketStart(buckets, i + 1), buckets.end);
    if (stat === "mean") values[i] += (count * (end - from)) / (end - start);
    else if (stat === "peak" || from === start) values[i] += count;
    begun[i + 1] += count;
  }
  let level = 0;
  for (let i = 0; i < buckets.count && bucketStart(buckets, i) < buckets.end; i++) {
    level += begun[i];
    values[i] = Math.round((values[i] + level) * 100) / 100;
  }
  return values;
}

/** How many there are when the buckets end. */
export function suspectsAtEnd(groups: readonly SuspectGroup[], { end }: Buckets): number {
  return groups.reduce((sum, { since, count }) => sum + (Date.parse(since) < end ? count : 0), 0);
}

export interface Suspects {
  count: number;
  /** Those of the workflow of which it is not known when they began. */
  notDrawn: number;
}

export function suspectsWords({ count, notDrawn }: Suspects): string {
  const more = notDrawn === 0 ? "" : `, and ${formatNumber(notDrawn)} more that are not drawn`;
  return `Suspect: ${tasksWords(count)} whose run has ended or is lost${more}`;
}
