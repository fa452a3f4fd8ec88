import type { ConcurrencyColumns } from "../api/types";
import { assignMarks, inks, mix, pages, patterns, type Mark, type Mode } from "../charts/palette";
import type { FigureLine } from "../charts/figure";
import { laterName, otherName, pendingName, type Chart } from "./model";

/** What is suspect, whatever its template. */
export function suspectMark(mode: Mode): Mark {
  return { colour: inks[mode].text, pattern: "hatched" };
}

/**
 * The colours and patterns of everything that can be drawn: of each template, of the later attempts at its tasks,
 * and in greys of what is no template.
 */
export function marksOf(
  names: readonly string[],
  answer: ConcurrencyColumns | undefined,
  mode: Mode,
): Map<string, Mark> {
  const drawn = answer?.series.map((series) => series.task_template_name) ?? [];
  const marks = assignMarks([...names, ...drawn], mode);
  for (const series of answer?.series ?? []) {
    const mark = marks.get(series.task_template_name);
    if (series.attempts !== "later" || mark === undefined) continue;
    // The template's own colour, and another pattern.
    const next =
      patterns[(patterns.findIndex((one) => one === mark.pattern) + 1) % patterns.length];
    marks.set(laterName(series.task_template_name), { ...mark, pattern: next });
  }
  const grey = mix(inks[mode].text, pages[mode], 0.25);
  if (answer?.other != null) {
    marks.set(otherName(answer.other.templates), { colour: grey, pattern: "lined" });
  }
  marks.set(pendingName, { colour: grey, pattern: "rising" });
  return marks;
}

/** The lines of a chart as they are drawn: that of a template has its colour, the others their own. */
export function colouredLines(
  lines: Chart["lines"],
  marks: ReadonlyMap<string, Mark>,
): FigureLine[] {
  return lines.map(({ kind, name, values }) => {
    const colour = kind === "template" ? marks.get(name)?.colour : undefined;
    return { kind, values, ...(colour !== undefined && { colour }) };
  });
}
