/** Colours of the chart, and the marks (a colour and a pattern) that tell templates apart. */

export type Mode = "light" | "dark";

/** Solid first. The others are drawn over the template's colour in a tint of it: see tint. */
export const patterns = [
  "solid",
  "rising",
  "falling",
  "crossed",
  "dotted",
  "lined",
  "dashed",
] as const;

/** Hatched is what is suspect, and no template's own: its gaps are the page's. */
export type Pattern = (typeof patterns)[number] | "hatched";

export interface Mark {
  colour: string;
  pattern: Pattern;
}

/**
 * Each colour has a contrast of 3:1 or more with its page. Neighbours in the stack cannot all
 * differ that much from each other: a page-coloured separator keeps them apart.
 */
export const palettes: Record<Mode, readonly string[]> = {
  light: ["#5d8dd3", "#f34664", "#8844b1", "#ca6918", "#3369dc", "#b670ad", "#ab453a", "#69617a"],
  dark: ["#90aad2", "#edb05a", "#aa329c", "#98e6be", "#7535f2", "#3b977c", "#805f19", "#ddf340"],
};

export const pages: Record<Mode, string> = { light: "#ffffff", dark: "#121212" };

/** The total's line, the axes' words and the grid. */
export const inks: Record<Mode, { line: string; text: string; grid: string }> = {
  light: { line: "#14161f", text: "#4a4f5e", grid: "rgba(20, 22, 31, 0.12)" },
  dark: { line: "#f4f5f7", text: "#b4b9c6", grid: "rgba(244, 245, 247, 0.14)" },
};

/**
 * One mark for each name. It depends on all the workflow's names and on nothing that is filtered
 * or sorted, so a template keeps its mark across windows, filters and exports.
 */
export function assignMarks(names: Iterable<string>, mode: Mode): Map<string, Mark> {
  const sorted = [...new Set(names)].sort();
  return new Map(sorted.map((name, i) => [name, markAt(i, mode)]));
}

function markAt(i: number, mode: Mode): Mark {
  const colours = palettes[mode];
  return {
    colour: colours[i % colours.length],
    pattern: patterns[Math.floor(i / colours.length) % patterns.length],
  };
}

export type Rgb = readonly [red: number, green: number, blue: number];

/** Reads "#rrggbb". */
export function rgb(hex: string): Rgb {
  const n = Number.parseInt(hex.slice(1), 16);
  return [(n >> 16) & 255, (n >> 8) & 255, n & 255];
}

/** A colour that is `share` of the way from `from` to `to`. */
export function mix(from: string, to: string, share: number): string {
  const a = rgb(from);
  const b = rgb(to);
  const hex = a.map((v, i) =>
    Math.round(v + (b[i] - v) * share)
      .toString(16)
      .padStart(2, "0"),
  );
  return `#${hex.join("")}`;
}

/** The colour of a pattern's lines: calmer than the page's own, and as easy to tell apart. */
export function tint(colour: string, page: string): string {
  return mix(colour, page, 0.6);
}

/** WCAG 2's contrast ratio, 1 to 21. */
export function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(hex: string): number {
  const [r, g, b] = rgb(hex).map((v) => {
    const s = v / 255;
    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
