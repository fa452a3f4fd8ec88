import { basePath } from "../basePath";
import { axesImage } from "../charts/plotly";
import { markedBands } from "../charts/paint";
import { composePicture, composeSvg, type PictureInput } from "../charts/picture";
import type { Mark, Mode } from "../charts/palette";
import { bucketsWithin, type Range } from "../charts/timeline";
import type { ConcurrencyColumns, Workflow } from "../api/types";
import { formatDuration, formatInstant, formatNumber, formatShare, formatSpan } from "../format";
import { toCsv } from "./csv";
import { download, fileStem } from "./download";
import { suspectMark } from "./marks";
import { templatesOf, type Chart, type LegendEntry } from "./model";
import { suspectsWords } from "./suspects";
import { instantOf, type Stat, type View } from "./view";

export interface Shown {
  workflow: Workflow;
  view: View;
  chart: Chart;
  /** The answer that the total on screen is from. */
  shown: ConcurrencyColumns;
  legend: readonly LegendEntry[];
  marks: ReadonlyMap<string, Mark>;
  mode: Mode;
  range: Range;
}

const statWords: Record<Stat, string> = {
  mean: "time-weighted mean of the bucket",
  peak: "the most at any instant of the bucket",
  start: "the number at the first instant of the bucket",
};

export function exportCsv({ workflow, view, chart, shown, range }: Shown) {
  const csv = toCsv({
    workflow,
    status: view.status,
    statistic: statWords[view.stat],
    buckets: chart.buckets,
    rows: bucketsWithin(chart.buckets, range),
    bands: chart.rows,
    totals: chart.totals,
    totalOf: totalWords(shown),
    version: shown.version,
    generatedAt: shown.generated_at,
  });
  save(workflow, range, "csv", new Blob([csv], { type: "text/csv;charset=utf-8" }));
}

/** Every template of the window, from the server, which streams it: it may have any length. */
export function exportAll({ workflow, view, chart, range }: Shown) {
  const query = new URLSearchParams({
    format: "csv",
    stat: view.stat,
    status: view.status,
    granularity: granularityOf(chart.buckets.width / 1000),
    start: instantOf(range[0]),
    end: instantOf(range[1]),
  });
  for (const name of view.only) query.append("task_template_name", name);
  if (view.split) query.set("split", "attempt");
  const link = document.createElement("a");
  link.href = `${basePath}api/v2/workflow/${workflow.id}/task_concurrency?${query.toString()}`;
  link.download = "";
  link.click();
}

function granularityOf(seconds: number): string {
  if (seconds % 86_400 === 0) return "1d";
  if (seconds % 3_600 === 0) return `${seconds / 3_600}h`;
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`;
}

export async function exportPicture(kind: "png" | "svg", shown: Shown, graph: HTMLElement) {
  const { workflow, range } = shown;
  const input = await pictureOf(shown, graph);
  save(workflow, range, kind, kind === "svg" ? composeSvg(input) : await composePicture(input));
}

function save({ name }: Workflow, [from]: Range, kind: string, content: Blob) {
  download(content, `${fileStem(name, from)}.${kind}`);
}

async function pictureOf(
  { workflow, view, chart, shown, legend, marks, mode, range }: Shown,
  graph: HTMLElement,
): Promise<PictureInput> {
  const { clientWidth: width, clientHeight: height } = graph;
  const counted = view.status === "RUNNING" ? "running" : `in ${view.status}`;
  return {
    title: workflow.name,
    notes: [
      `Tasks ${counted} at once, ${formatSpan(...range)}, buckets of ${formatDuration(chart.buckets.width / 1000)}`,
      `Templates: ${statWords[view.stat]}. Line: peak of ${totalWords(shown)}, at most ${formatNumber(shown.total.peak)} in the window.`,
      `${limitWords(chart)}Computed ${formatInstant(shown.generated_at)}`,
    ],
    axes: await axesImage(graph, width, height),
    width,
    height,
    areas: {
      buckets: chart.buckets,
      sums: chart.sums,
      max: chart.max,
      range,
      bands: markedBands(chart.bands, marks, null, mode),
    },
    legend: [
      ...legend.flatMap(({ name, peak, share, limit, shown: told }) => {
        const mark = marks.get(name);
        if (!told || mark === undefined) return [];
        const parts = [name, `peak ${formatNumber(peak)}`, formatShare(share)];
        if (limit !== null) parts.push(`limit ${formatNumber(limit.value)}`);
        return [{ label: parts.join("  ·  "), mark }];
      }),
      ...(chart.suspects === null
        ? []
        : [{ label: suspectsWords(chart.suspects), mark: suspectMark(mode) }]),
    ],
    mode,
  };
}

function limitWords({ limits }: Chart): string {
  return limits
    .map(({ name, steps }) => ({ name, last: steps.at(-1)?.value ?? null }))
    .map(({ name, last }) => (last === null ? "" : `${name}: ${formatNumber(last)}. `))
    .join("");
}

/** What a total is of: of the templates that were asked for, or of all. */
function totalWords(answer: ConcurrencyColumns): string {
  const templates = templatesOf(answer);
  return templates === 1 && answer.other === null
    ? answer.series[0].task_template_name
    : `${templates} templates together`;
}
