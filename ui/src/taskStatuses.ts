/** The statuses of a task, as the page names and colours them. */

import type { Mode } from "./charts/palette";
import { formatNumber } from "./format";

export interface TaskStatus {
  /** As the API writes it. */
  letter: string;
  name: string;
  /** Each has 3:1 or more with its page; what a colour says is said in words beside it. */
  colours: Record<Mode, string>;
}

/** What is over first, then what runs, then what waits: the order in which a bar is drawn. */
export const taskStatuses: readonly TaskStatus[] = [
  { letter: "D", name: "DONE", colours: { light: "#2e7d4f", dark: "#57b582" } },
  { letter: "F", name: "ERROR_FATAL", colours: { light: "#c62828", dark: "#f2605c" } },
  { letter: "E", name: "ERROR_RECOVERABLE", colours: { light: "#e0566b", dark: "#c9454f" } },
  { letter: "A", name: "ADJUSTING_RESOURCES", colours: { light: "#a64ca6", dark: "#c77bc7" } },
  { letter: "R", name: "RUNNING", colours: { light: "#3369dc", dark: "#7ea6ff" } },
  { letter: "O", name: "LAUNCHED", colours: { light: "#5d8dd3", dark: "#4f7fd6" } },
  { letter: "I", name: "INSTANTIATING", colours: { light: "#b26a00", dark: "#edb05a" } },
  { letter: "Q", name: "QUEUED", colours: { light: "#c67c1c", dark: "#b98237" } },
  { letter: "G", name: "REGISTERING", colours: { light: "#8a8f9c", dark: "#71757f" } },
];

export interface StatusCount {
  status: TaskStatus;
  count: number;
}

/** The statuses in which there are tasks, in the order of a bar, of numbers by letter. */
export function statusCounts(tasks: Readonly<Record<string, number>>): StatusCount[] {
  return taskStatuses
    .map((status) => ({ status, count: tasks[status.letter] ?? 0 }))
    .filter(({ count }) => count > 0);
}

/** "1,204 of 5,000 done", and how many failed for good where some did. */
export function progressWords(tasks: Readonly<Record<string, number>>): string {
  const counts = statusCounts(tasks);
  const inStatus = (letter: string) =>
    counts.find(({ status }) => status.letter === letter)?.count ?? 0;
  const all = counts.reduce((sum, { count }) => sum + count, 0);
  if (all === 0) return "No tasks";
  const failed = inStatus("F") > 0 ? `, ${formatNumber(inStatus("F"))} failed` : "";
  return `${formatNumber(inStatus("D"))} of ${formatNumber(all)} done${failed}`;
}
