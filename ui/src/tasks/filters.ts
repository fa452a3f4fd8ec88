/** What the list of tasks is asked for, as the URL holds it. */

import type { TaskStatus, Workflow } from "../api/types";
import { taskStatuses, taskStatusNames, taskStatusWords } from "../taskWords";

/** A status, one of the API's unions of statuses, or all of them. */
export type StatusChoice = TaskStatus | "PENDING" | "ACTIVE" | "ANY";

/** In the order in which they are offered. */
export const statusChoices: readonly StatusChoice[] = ["ANY", "ACTIVE", "PENDING", ...taskStatuses];

export function choiceWords(choice: StatusChoice): string {
  switch (choice) {
    case "ANY":
      return "Any status";
    case "ACTIVE":
      return "Active (queued to running)";
    case "PENDING":
      return "Pending (queued, instantiating)";
    default:
      return taskStatusWords(choice);
  }
}

export interface TasksView {
  status: StatusChoice;
  templates: readonly string[];
  /** An instant of the API as the URL has it, right or wrong; null for now. */
  at: string | null;
}

/**
 * Reads the URL's parameters. Where no status was chosen, it is what a person would look for: the
 * tasks that run, and all of them where nothing runs any more.
 */
export function parseTasksView(params: URLSearchParams, workflow: Workflow): TasksView {
  const at = params.get("at");
  const text = params.get("status")?.toUpperCase() ?? null;
  const chosen = statusChoices.find(
    (choice) =>
      choice === text || (choice.length === 1 && taskStatusNames[choice as TaskStatus] === text),
  );
  return {
    status: chosen ?? (workflow.active || at !== null ? "R" : "ANY"),
    templates: params.getAll("template"),
    at,
  };
}

/** The statuses of a choice, as the API takes them. */
export function statusesOf(choice: StatusChoice): readonly string[] {
  return choice === "ANY" ? taskStatuses : [choice];
}

/** "running", "queued or instantiating"; "" for all of them, which need not be said. */
export function statusesWords(statuses: readonly TaskStatus[]): string {
  if (statuses.length === taskStatuses.length) return "";
  const words = statuses.map((status) => taskStatusWords(status).toLowerCase());
  const last = words.pop() ?? "";
  return words.length === 0 ? last : `${words.join(", ")} or ${last}`;
}
