import type { TemplateStats, TemplateStatsList } from "../../api/types";

/** A template all of whose tasks are DONE, unless told otherwise. */
export function newTemplateStats(change: Partial<TemplateStats> = {}): TemplateStats {
  return {
    task_template_name: "align",
    tasks: { G: 0, Q: 0, I: 0, O: 0, R: 0, D: 12, E: 0, A: 0, F: 0 },
    attempts: 15,
    retries: 3,
    failed_attempts: 3,
    runs: {
      count: 12,
      seconds: { p10: 1.5, p25: 12, p50: 30.25, p75: 60, p90: 95, p99: 200, max: 3700 },
    },
    ...change,
  };
}

export function newTemplateStatsList(
  templates: TemplateStats[] = [newTemplateStats()],
  change: Partial<TemplateStatsList> = {},
): TemplateStatsList {
  return {
    workflow_id: 1,
    templates,
    run_time_error: 0.0078125,
    data_from: null,
    generated_at: "2022-05-14T00:00:00Z",
    ...change,
  };
}
