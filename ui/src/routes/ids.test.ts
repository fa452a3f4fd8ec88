import { expect, it } from "vitest";
import { isId } from "./ids";

it.each([
  ["1", true],
  ["9007199254740991", true],
  ["0", false],
  ["01", false],
  ["-1", false],
  ["1e3", false],
  ["", false],
])("knows whether %j is an id", (text, yes) => {
  expect(isId(text)).toBe(yes);
});
