import type { TaskStatus } from "../api/types";
import type { Mark, Mode, Pattern } from "./palette";

/** The colour of each status on a light and on a dark page, and its pattern. */
const statuses: Record<TaskStatus, readonly [light: string, dark: string, pattern: Pattern]> = {
  G: ["#8a8f9c", "#71757f", "solid"],
  Q: ["#c67c1c", "#b98237", "dotted"],
  I: ["#b26a00", "#edb05a", "rising"],
  O: ["#5d8dd3", "#4f7fd6", "lined"],
  R: ["#3369dc", "#7ea6ff", "solid"],
  D: ["#2e7d4f", "#57b582", "solid"],
  E: ["#e0566b", "#c9454f", "crossed"],
  A: ["#a64ca6", "#c77bc7", "dashed"],
  F: ["#c62828", "#f2605c", "falling"],
};

/** Statuses next to each other in a task's life differ in pattern too, where their colours are close. */
export function statusMark(status: TaskStatus, mode: Mode): Mark {
  const [light, dark, pattern] = statuses[status];
  return { colour: mode === "light" ? light : dark, pattern };
}
