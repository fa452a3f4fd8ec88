import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { patterns } from "./palette";
import { isOn, tileOf } from "./pattern";

// The Go program draws the same patterns; its tests compare them with the same file.
it("draws the patterns of patterns.txt", () => {
  const drawn = patterns.map((pattern) => {
    const tile = tileOf(pattern, 2);
    const rows = Array.from({ length: tile.side }, (_, y) =>
      Array.from({ length: tile.side }, (_, x) => (isOn(tile, x, y) ? "#" : ".")).join(""),
    );
    return [pattern, ...rows, ""].join("\n");
  });
  expect(drawn.join("")).toBe(readFileSync("src/charts/patterns.txt", "utf8"));
});
