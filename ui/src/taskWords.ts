/** What the page says of a task's status. */

import type { TaskStatus } from "./api/types";

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

/** The statuses in which there are tasks, in the order of a task's life. */
export function countsOf(tasks: Readonly<Partial<Record<string, number>>>): StatusCount[] {
  return taskStatuses
    .map((status) => ({ status, count: tasks[status] ?? 0 }))
    .filter(({ count }) => count > 0);
}

/** "2 running, 1 done". */
export function countWords(counts: readonly StatusCount[]): string {
  return counts
    .map(({ status, count }) => `${count} ${taskStatusWords(status).toLowerCase()}`)
    .join(", ");
}

/** "1 task", "2,500 tasks". */
export function tasksWords(count: number): string {
  return `${count.toLocaleString("en")} ${count === 1 ? "task" : "tasks"}`;
}
