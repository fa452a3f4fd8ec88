import type { ConcurrencyColumns, ConcurrencySeries } from "../../api/types";

const first = "2022-05-13T03:20:00Z";

/** A series over minutes; its task-seconds follow from its means. */
export function newSeries(name: string, values: number[], peak?: number): ConcurrencySeries {
  return {
    task_template_name: name,
    values,
    peak: peak ?? Math.ceil(Math.max(0, ...values)),
    peak_at: first,
    peak_is: "exact",
    task_seconds: values.reduce((sum, value) => sum + value * 60, 0),
  };
}

/** Minutes from 03:20 on; the total's means are the sums of the series'. */
export function newConcurrency(
  series: ConcurrencySeries[] = [newSeries("align", [1, 2.5, 0]), newSeries("call", [0, 4, 3.25])],
  change: Partial<ConcurrencyColumns> = {},
): ConcurrencyColumns {
  const count = series[0]?.values.length ?? 3;
  const values = Array.from({ length: count }, (_, i) =>
    series.reduce((sum, { values }) => sum + values[i], 0),
  );
  const end = new Date(Date.parse(first) + count * 60_000).toISOString();
  const peaks = values.map(Math.ceil);
  const total = {
    values,
    peaks,
    peak: Math.max(0, ...peaks),
    peak_at: "2022-05-13T03:21:14.803000Z",
    peak_is: "exact" as const,
    task_seconds: values.reduce((sum, value) => sum + value * 60, 0),
  };
  return {
    workflow_id: 1,
    stat: "mean",
    statuses: ["R"],
    window: { start: first, end },
    bucket: { seconds: 60, first, count },
    series,
    other: null,
    total,
    beside: [],
    limits: [],
    partial_from: null,
    generated_at: "2022-05-14T00:00:00Z",
    values_are: "exact",
    version: "195dd37e8dc8de9bc8110ad4e40449c6",
    rows_from: null,
    data_from: null,
    ...change,
  };
}
