/** What an administrator's change of statuses does, in words: see UpdateStatuses of the ledger. */

import type { StatusUpdate, TaskAt } from "../api/types";
import { countsOf, countWords, taskStatusNames, tasksWords } from "../taskWords";

export type TaskToSet = Pick<TaskAt, "id" | "name" | "status">;

export type Target = StatusUpdate["new_status"];

export const targets: readonly { to: Target; means: string }[] = [
  { to: "G", means: "run again" },
  { to: "D", means: "take for done; what waits for it may run" },
];

export function targetName(to: Target): string {
  return taskStatusNames[to];
}

/** "3 tasks: 1 done, 2 running. 1 is DONE already and stays as it is." */
export function chosenWords(tasks: readonly TaskToSet[], to: Target): string {
  const counts: Partial<Record<string, number>> = {};
  for (const { status } of tasks) counts[status] = (counts[status] ?? 0) + 1;
  const there = counts[to] ?? 0;
  const stay =
    there === 0
      ? ""
      : there === 1
        ? ` 1 is ${targetName(to)} already and stays as it is.`
        : ` ${there.toLocaleString("en")} are ${targetName(to)} already and stay as they are.`;
  return `${tasksWords(tasks.length)}: ${countWords(countsOf(counts))}.${stay}`;
}

/** What recursion adds to the tasks that were chosen. */
export function recursiveWords(to: Target): string {
  return to === "G"
    ? "And every task that comes after, however far"
    : "And every task that comes before, however far";
}

/** What else happens, one sentence each. */
export function consequences(to: Target, recursive: boolean): readonly string[] {
  const also = recursive
    ? "How many tasks recursion adds is known once it is done; all of them are changed, whatever their status."
    : "No other task is changed.";
  const refused =
    "While a run drives the workflow, it is refused if a task directly after these has already begun.";
  return to === "G"
    ? [
        "Attempts are counted anew, and those that still run are told to stop.",
        "A workflow that was DONE is then FAILED, until it is run again.",
        also,
        refused,
      ]
    : [
        "Attempts that still run are not stopped; what they report no longer counts.",
        "A workflow at rest whose tasks are then all DONE is DONE.",
        also,
        refused,
      ];
}
