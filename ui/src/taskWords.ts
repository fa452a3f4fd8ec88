/** What the page says of a task's status. */

import type { TaskStatus } from "./api/types";
import { formatNumber } from "./format";

/** Every status in the order of a task's life. */
export const taskStatuses = [
  "G",
  "Q",
  "I",
  "O",
  "R",
  "D",
  "E",
  "A",
  "F",
] as const satisfies readonly TaskStatus[];

/** The statuses' names as the API and JobMon write them. */
export const taskStatusNames: Record<TaskStatus, string> = {
  G: "REGISTERING",
  Q: "QUEUED",
  I: "INSTANTIATING",
  O: "LAUNCHED",
  R: "RUNNING",
  D: "DONE",
  E: "ERROR_RECOVERABLE",
  A: "ADJUSTING_RESOURCES",
  F: "ERROR_FATAL",
};

/** "Error fatal", from "ERROR_FATAL": a status of a task, an instance or a run. */
export function statusWords(name: string): string {
  return name.charAt(0) + name.slice(1).toLowerCase().replaceAll("_", " ");
}

export function taskStatusWords(status: TaskStatus): string {
  return statusWords(taskStatusNames[status]);
}

/** Whether only an administrator leads the task out of the status. */
export function isFinal(status: TaskStatus): boolean {
  return status === "D" || status === "F";
}

export interface StatusCount {
  status: TaskStatus;
  count: number;
}

/** What is over first, then what runs, then what waits: the order of a bar, which fills from its start. */
export const barOrder: readonly TaskStatus[] = ["D", "F", "E", "A", "R", "O", "I", "Q", "G"];

/** The statuses in which there are tasks, in the order of a bar. */
export function countsOf(tasks: Readonly<Partial<Record<string, number>>>): StatusCount[] {
  return barOrder
    .map((status) => ({ status, count: tasks[status] ?? 0 }))
    .filter(({ count }) => count > 0);
}

/** "1 done, 2 running". */
export function countWords(counts: readonly StatusCount[]): string {
  return counts
    .map(({ status, count }) => `${formatNumber(count)} ${taskStatusWords(status).toLowerCase()}`)
    .join(", ");
}

/** "1,204 of 5,000 done", and how many failed for good where some did. */
export function progressWords(tasks: Readonly<Partial<Record<string, number>>>): string {
  const all = countsOf(tasks).reduce((sum, { count }) => sum + count, 0);
  if (all === 0) return "No tasks";
  const failed = tasks.F ? `, ${formatNumber(tasks.F)} failed` : "";
  return `${formatNumber(tasks.D ?? 0)} of ${formatNumber(all)} done${failed}`;
}

/** "1 task", "2,500 tasks". */
export function tasksWords(count: number): string {
  return `${formatNumber(count)} ${count === 1 ? "task" : "tasks"}`;
}
