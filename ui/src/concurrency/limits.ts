/** The limits on how many tasks may be active: of a workflow, and of the arrays of its templates. */

import type { ConcurrencyColumns, ConcurrencyLimit } from "../api/types";
import { bucketStart, type Buckets, type Step } from "../charts/timeline";
import { formatShare } from "../format";

/** The workflow's limit, or null where it has none in the window. */
export function workflowLimit(answer: ConcurrencyColumns): ConcurrencyLimit | null {
  return answer.limits.find((limit) => limit.scope === "workflow" && isLimited(limit)) ?? null;
}

/** The limit of a template's array; null where it has none in the window, or several arrays have the template. */
export function arrayLimit(answer: ConcurrencyColumns, template: string): ConcurrencyLimit | null {
  const all = answer.limits.filter((limit) => limit.task_template_name === template);
  return all.length === 1 && isLimited(all[0]) ? all[0] : null;
}

/** The same, but for one that the workflow's is never above, so that it holds nothing back. */
export function ownLimit(answer: ConcurrencyColumns, template: string): ConcurrencyLimit | null {
  const own = arrayLimit(answer, template);
  const all = workflowLimit(answer);
  const values = (limit: ConcurrencyLimit) =>
    limit.steps.map((step) => step.max_concurrently_running ?? Infinity);
  return own === null || (all !== null && Math.min(...values(own)) >= Math.max(...values(all)))
    ? null
    : own;
}

function isLimited({ steps }: ConcurrencyLimit): boolean {
  return steps.some((step) => step.max_concurrently_running !== null);
}

export function stepsOf({ steps }: ConcurrencyLimit): Step[] {
  return steps.map((step) => ({
    from: Date.parse(step.from),
    value: step.max_concurrently_running,
  }));
}

/** The limit in force when each bucket begins; not a number where there is none. */
export function limitValues(steps: readonly Step[], buckets: Buckets): Float64Array {
  const values = new Float64Array(buckets.count).fill(NaN);
  let next = 0;
  let value = NaN;
  for (let i = 0; i < buckets.count; i++) {
    while (next < steps.length && steps[next].from <= bucketStart(buckets, i)) {
      value = steps[next++].value ?? NaN;
    }
    values[i] = value;
  }
  return values;
}

export interface LimitSummary {
  /** Of which template's array; null for the workflow's. */
  template: string | null;
  /** What it was last. */
  value: number;
  /** For how long as many tasks were active; null where that is not known. */
  reached: Reached | null;
}

interface Reached {
  seconds: number;
  /** Of the part of the window that is over, 0 to 1. */
  share: number;
  /** 0 where the seconds are exact; otherwise they are no more, and spans of so many count as a whole. */
  resolution: number;
}

/** Null where there is no limit any more. */
export function limitSummaryOf(limit: ConcurrencyLimit | null): LimitSummary | null {
  const value = limit?.steps.at(-1)?.max_concurrently_running ?? null;
  if (limit === null || value === null) return null;
  return {
    template: limit.task_template_name,
    value,
    reached:
      limit.at_limit_seconds === null
        ? null
        : {
            seconds: limit.at_limit_seconds,
            share: limit.at_limit_share ?? 0,
            resolution: limit.at_limit_resolution_seconds ?? 0,
          },
  };
}

export function shareAtLimit({ share, resolution }: Reached): string {
  return `${resolution === 0 ? "" : "≤ "}${formatShare(share)}`;
}
