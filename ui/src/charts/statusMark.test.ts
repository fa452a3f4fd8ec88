import { expect, it } from "vitest";
import { taskStatuses } from "../taskWords";
import { contrast, pages, type Mode } from "./palette";
import { statusMark } from "./statusMark";

it.each<Mode>(["light", "dark"])("%s: statuses stand out from the page and differ", (mode) => {
  const marks = taskStatuses.map((status) => statusMark(status, mode));
  for (const { colour } of marks) {
    expect(contrast(colour, pages[mode]), colour).toBeGreaterThanOrEqual(3);
  }
  const seen = new Set(marks.map(({ colour, pattern }) => `${colour} ${pattern}`));
  expect(seen.size).toBe(taskStatuses.length);
});
