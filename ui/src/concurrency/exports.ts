import { axesImage } from "../charts/plotly";
import { composePicture } from "../charts/picture";
import type { Mark, Mode } from "../charts/palette";
import { bucketsWithin, type Range } from "../charts/timeline";
import type { ConcurrencyColumns, Workflow } from "../api/types";
import { formatDuration, formatInstant, formatNumber, formatShare, formatSpan } from "../format";
import { toCsv } from "./csv";
import { download, fileStem } from "./download";
import type { Chart, LegendEntry } from "./model";

export interface Shown {
  workflow: Workflow;
  chart: Chart;
  /** The answer that the total on screen is from. */
  answer: ConcurrencyColumns;
  legend: readonly LegendEntry[];
  range: Range;
}

export function exportCsv({ workflow, chart, answer, range }: Shown) {
  const { buckets, bands } = chart;
  const csv = toCsv({
    workflow,
    status: "RUNNING",
    buckets,
    rows: bucketsWithin(buckets, range),
    bands: [...bands].reverse(),
    totalOf: totalWords(answer),
    totalMeans: answer.total.values,
    totalPeaks: answer.total.peaks,
    generatedAt: answer.generated_at,
  });
  download(
    new Blob([csv], { type: "text/csv;charset=utf-8" }),
    `${fileStem(workflow.name, range[0])}.csv`,
  );
}

export async function exportPng(
  { workflow, chart, answer, legend, range }: Shown,
  graph: HTMLElement,
  marks: ReadonlyMap<string, Mark>,
  mode: Mode,
) {
  const { clientWidth: width, clientHeight: height } = graph;
  const bucket = formatDuration(chart.buckets.width / 1000);
  const picture = await composePicture({
    title: workflow.name,
    notes: [
      `Tasks running at once, ${formatSpan(...range)}, buckets of ${bucket}`,
      `Areas: mean of each template. Line: peak of ${totalWords(answer)}, at most ${formatNumber(answer.total.peak)} in the window. ` +
        `Computed ${formatInstant(answer.generated_at)}`,
    ],
    axes: await axesImage(graph, width, height),
    width,
    height,
    areas: {
      buckets: chart.buckets,
      sums: chart.sums,
      max: chart.max,
      range,
      bands: chart.bands.flatMap(({ name, values }) => {
        const mark = marks.get(name);
        return mark === undefined ? [] : [{ values, mark }];
      }),
    },
    legend: legend.flatMap(({ name, peak, share, shown }) => {
      const mark = marks.get(name);
      if (!shown || mark === undefined) return [];
      return [{ label: `${name}  ·  peak ${formatNumber(peak)}  ·  ${formatShare(share)}`, mark }];
    }),
    mode,
  });
  download(picture, `${fileStem(workflow.name, range[0])}.png`);
}

/** What a total is of: of the templates that were asked for, or of all. */
function totalWords(answer: ConcurrencyColumns): string {
  const { length } = answer.series;
  return length === 1 ? answer.series[0].task_template_name : `${length} templates together`;
}
