/** A task's history as a bar of statuses in time. */

import type { TaskStatus, TaskStatusHistory, TaskStay } from "../api/types";
import { isFinal, taskStatuses } from "../taskWords";

export interface Segment {
  /** The status that took most of the segment's time. */
  status: TaskStatus;
  /** An instant of the API. */
  from: string;
  seconds: number;
  /** How many stays in statuses it stands for. */
  stays: number;
}

export interface Bar {
  /** Instants of the API. A task in its final status has nothing to show after it entered it. */
  start: string;
  end: string;
  seconds: number;
  segments: readonly Segment[];
}

/** As many stays as a bar shows one by one: it has 600 pixels or so, and each needs some of them. */
export const maxStays = 150;

/** The bar of a history; null where no time has passed in it. */
export function barOf({ history, generated_at }: TaskStatusHistory): Bar | null {
  const last = history.at(-1);
  if (last === undefined) return null;
  const ended = last.until === null && isFinal(last.status);
  const stays = ended ? history.slice(0, -1) : history;
  const seconds = stays.reduce((sum, stay) => sum + stay.duration_seconds, 0);
  if (seconds === 0) return null;
  return {
    start: history[0].from,
    end: ended ? last.from : (last.until ?? generated_at),
    seconds,
    segments: stays.length <= maxStays ? stays.map(segmentOf) : merged(stays, seconds / maxStays),
  };
}

/** How long the task was in each status, in the order of a task's life; endless stays do not count. */
export function totalsOf(history: readonly TaskStay[]): Map<TaskStatus, number> {
  const totals = new Map<TaskStatus, number>();
  for (const status of taskStatuses) {
    const stays = history.filter((stay) => stay.status === status && !isEndless(stay));
    if (stays.length > 0) {
      totals.set(
        status,
        stays.reduce((sum, stay) => sum + stay.duration_seconds, 0),
      );
    }
  }
  return totals;
}

function isEndless({ status, until }: TaskStay): boolean {
  return until === null && isFinal(status);
}

function segmentOf({ status, from, duration_seconds }: TaskStay): Segment {
  return { status, from, seconds: duration_seconds, stays: 1 };
}

/** Neighbours together until each segment lasts for `least` seconds. */
function merged(stays: readonly TaskStay[], least: number): Segment[] {
  const segments: Segment[] = [];
  let group: TaskStay[] = [];
  let seconds = 0;
  const close = () => {
    if (group.length > 0) {
      segments.push({ status: longest(group), from: group[0].from, seconds, stays: group.length });
    }
    group = [];
    seconds = 0;
  };
  for (const stay of stays) {
    if (stay.duration_seconds >= least) close();
    group.push(stay);
    seconds += stay.duration_seconds;
    if (seconds >= least) close();
  }
  close();
  return segments;
}

function longest(stays: readonly TaskStay[]): TaskStatus {
  const seconds = new Map<TaskStatus, number>();
  let best = stays[0].status;
  for (const { status, duration_seconds } of stays) {
    const sum = (seconds.get(status) ?? 0) + duration_seconds;
    seconds.set(status, sum);
    if (sum > (seconds.get(best) ?? 0)) best = status;
  }
  return best;
}
