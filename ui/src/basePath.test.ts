import { expect, it } from "vitest";
import { basePath, basePathOf } from "./basePath";

it.each([
  ['<meta name="base-path" content="/tasktide/">', "/tasktide/"],
  ['<meta name="base-path" content="/a/b/">', "/a/b/"],
  ['<meta name="base-path" content="/">', "/"],
  ['<meta name="base-path" content="./">', "/"],
  ["<p>No such thing</p>", "/"],
])("reads %s as %s", (html, path) => {
  expect(basePathOf(new DOMParser().parseFromString(html, "text/html"))).toBe(path);
});

it("is the root where nobody says otherwise", () => {
  expect(basePath).toBe("/");
});
