import { expect, it } from "vitest";
import { countsOf, countWords, isFinal, statusWords, taskStatuses, tasksWords } from "./taskWords";

it("writes a status as words", () => {
  expect(statusWords("ERROR_FATAL")).toBe("Error fatal");
  expect(statusWords("RUNNING")).toBe("Running");
});

it("lists the statuses that have tasks, in the order of a task's life", () => {
  const counts = countsOf({ F: 1, D: 0, R: 2, G: 3 });
  expect(counts.map(({ status }) => status)).toEqual(["G", "R", "F"]);
  expect(countWords(counts)).toBe("3 registering, 2 running, 1 error fatal");
  expect(countsOf({})).toEqual([]);
});

it("knows what is final", () => {
  expect(taskStatuses.filter(isFinal)).toEqual(["D", "F"]);
});

it.each([
  [1, "1 task"],
  [2500, "2,500 tasks"],
])("writes %s tasks as %s", (count, words) => {
  expect(tasksWords(count)).toBe(words);
});
