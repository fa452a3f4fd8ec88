import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { assignMarks, contrast, inks, mix, pages, palettes, type Mode } from "./palette";

const modes: Mode[] = ["light", "dark"];

describe("palettes", () => {
  it("computes WCAG's contrast", () => {
    expect(contrast("#000000", "#ffffff")).toBeCloseTo(21, 5);
    expect(contrast("#777777", "#ffffff")).toBeCloseTo(4.48, 2);
  });

  it.each(modes)("%s: every colour has 3:1 or more on its page", (mode) => {
    for (const colour of palettes[mode]) {
      expect(contrast(colour, pages[mode]), colour).toBeGreaterThanOrEqual(3);
    }
    expect(new Set(palettes[mode]).size).toBe(8);
  });

  it("has the contrasts that docs/page.md tells", () => {
    const table = readFileSync("../docs/page.md", "utf8").matchAll(
      /^\| `(#\w+)` (\S+) \| `(#\w+)` (\S+) \|$/gm,
    );
    const rows = [...table].map(([, ...cells]) => cells);
    expect(rows).toEqual(
      palettes.light.map((light, i) => {
        const dark = palettes.dark[i];
        return [
          light,
          contrast(light, pages.light).toFixed(2),
          dark,
          contrast(dark, pages.dark).toFixed(2),
        ];
      }),
    );
  });

  it("is not ColorBrewer's Set2, none of whose colours reaches 3:1 on white", () => {
    const set2 = "#66c2a5 #fc8d62 #8da0cb #e78ac3 #a6d854 #ffd92f #e5c494 #b3b3b3".split(" ");
    const best = Math.max(...set2.map((colour) => contrast(colour, "#ffffff")));
    expect(best.toFixed(2)).toBe("2.62");
  });

  it.each(modes)("%s: words and line can be read on the page", (mode) => {
    expect(contrast(inks[mode].text, pages[mode])).toBeGreaterThanOrEqual(4.5);
    expect(contrast(inks[mode].line, pages[mode])).toBeGreaterThanOrEqual(7);
  });

  it("mixes", () => {
    expect(mix("#000000", "#ffffff", 0.5)).toBe("#808080");
  });
});

describe("assignMarks", () => {
  const names = Array.from({ length: 50 }, (_, i) => `template_${i}`);

  it("tells fifty templates apart", () => {
    const marks = assignMarks(names, "light");
    const seen = new Set([...marks.values()].map((mark) => `${mark.colour} ${mark.pattern}`));
    expect(seen.size).toBe(50);
  });

  it("does not depend on the order of the names, nor on repetition", () => {
    const marks = assignMarks(names, "dark");
    expect(assignMarks([...names, ...names].reverse(), "dark")).toEqual(marks);
  });

  it("keeps the slot of a template when the theme changes", () => {
    const light = assignMarks(names, "light").get("template_7");
    const dark = assignMarks(names, "dark").get("template_7");
    expect(palettes.dark.indexOf(dark?.colour ?? "")).toBe(
      palettes.light.indexOf(light?.colour ?? ""),
    );
    expect(dark?.pattern).toBe(light?.pattern);
  });
});
