import { expect, it } from "vitest";
import { chosenWords, consequences, recursiveWords } from "./statusUpdate";

const tasks = [
  { id: 1, name: "a", status: "R" },
  { id: 2, name: "b", status: "R" },
  { id: 3, name: "c", status: "D" },
] as const;

it("says how many tasks are chosen, from which statuses, and which of them stay", () => {
  expect(chosenWords(tasks, "G")).toBe("3 tasks: 1 done, 2 running.");
  expect(chosenWords(tasks, "D")).toBe(
    "3 tasks: 1 done, 2 running. 1 is DONE already and stays as it is.",
  );
  expect(chosenWords([tasks[2], tasks[2]], "D")).toBe(
    "2 tasks: 2 done. 2 are DONE already and stay as they are.",
  );
  expect(chosenWords(tasks.slice(0, 1), "D")).toBe("1 task: 1 running.");
});

it("says what recursion means for each status", () => {
  expect(recursiveWords("G")).toContain("after");
  expect(recursiveWords("D")).toContain("before");
  expect(consequences("D", false)).toContain("No other task is changed.");
  expect(consequences("D", true).join(" ")).toContain("How many tasks recursion adds");
});
