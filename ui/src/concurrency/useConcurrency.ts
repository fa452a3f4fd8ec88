import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Workflow } from "../api/types";
import type { Buckets } from "../charts/timeline";
import { bucketsOf } from "../charts/timeline";
import {
  comparisonQuery,
  concurrencyQuery,
  everyTop,
  usualTop,
  type ConcurrencyRequest,
} from "../services/concurrency";
import { suspectsQuery, tasksAtQuery } from "../services/tasks";
import { besideOf, chartOf, selection } from "./model";
import { hasEnded, instantOf, type Status, type TimeWindow, type View } from "./view";

/** All that the tab shows of a workflow through a view, as far as it is there. */
export function useConcurrency(workflow: Workflow, view: View, window: TimeWindow) {
  const endsNow =
    view.zoom === null && typeof window === "string" && (window !== "all" || !hasEnded(workflow));
  const request: ConcurrencyRequest = {
    workflowId: workflow.id,
    window,
    granularity: view.granularity,
    status: view.status,
    stat: view.stat,
    templates: [],
    top: view.everyTemplate ? everyTop : usualTop,
    split: view.split,
    beside: besideOf(view),
    live: endsNow && view.live,
  };
  // What is on screen has its own numbers, in buckets that are as fine as it allows.
  const zoomed: ConcurrencyRequest =
    view.zoom === null
      ? request
      : {
          ...request,
          window: { start: instantOf(view.zoom[0]), end: instantOf(view.zoom[1]) },
        };
  const whole = useQuery(concurrencyQuery(zoomed));
  const overview = useQuery({ ...concurrencyQuery(request), enabled: view.zoom !== null });
  const templates = selection(view, whole.data);
  const partial = templates.length > 0;
  const part = useQuery({ ...concurrencyQuery({ ...zoomed, templates }), enabled: partial });
  const latest = partial ? part : whole;
  const shown = (partial ? part.data : whole.data) ?? null;

  const suspects = useQuery({
    ...suspectsQuery(workflow.id, { groups: true, limit: 1 }),
    enabled: workflow.active,
  });
  const suspected = workflow.active ? (suspects.data ?? null) : null;

  const chart = useMemo(
    () =>
      whole.data === undefined
        ? null
        : chartOf({
            view,
            whole: whole.data,
            part: shown,
            suspects: suspected,
          }),
    [view, whole.data, shown, suspected],
  );
  const backdrop = useMemo(
    () =>
      view.zoom === null || overview.data === undefined
        ? null
        : chartOf({ view, whole: overview.data, part: null, suspects: suspected }),
    [view, overview.data, suspected],
  );
  const compared = useCompared(workflow, view, chart?.buckets ?? null);
  const level = (status: Status) => ({
    ...tasksAtQuery(workflow.id, { status: [status], limit: 1 }),
    enabled: endsNow,
  });
  const counted = useQuery(level(view.status));
  const levelActive = useQuery(level("ACTIVE"));

  return {
    whole,
    part,
    partial,
    templates,
    shown,
    chart,
    backdrop,
    compared,
    endsNow,
    now: endsNow
      ? { counted: counted.data?.level ?? null, active: levelActive.data?.level ?? null }
      : null,
    receivedAt: latest.isFetchedAfterMount ? latest.dataUpdatedAt : null,
    loading: whole.isPlaceholderData || (partial && part.isFetching && part.data === undefined),
    failed: [whole, ...(partial ? [part] : []), suspects].find((query) => query.isError) ?? null,
  };
}

/** Another workflow's total, moved so that both begin at one instant. */
function useCompared(workflow: Workflow, view: View, buckets: Buckets | null) {
  const first = workflow.first_transition_at;
  const begin = first === null || buckets === null ? null : buckets.first - Date.parse(first);
  const known = view.compare !== null && begin !== null && buckets !== null;
  const compared = useQuery({
    ...comparisonQuery({
      workflowId: workflow.id,
      with: view.compare ?? 0,
      offsetSeconds: Math.max(0, Math.floor((begin ?? 0) / 1000)),
      durationSeconds: Math.max(
        1,
        Math.ceil(((buckets?.count ?? 0) * (buckets?.width ?? 0)) / 1000),
      ),
      status: view.status,
      stat: view.stat,
    }),
    enabled: known,
  });
  return useMemo(() => {
    const other = known ? compared.data?.workflows.at(1) : undefined;
    if (other === undefined || first === null)
      return { error: compared.error, line: null, name: null };
    const own = bucketsOf(other.concurrency);
    const by = Date.parse(first) - Date.parse(other.first_transition_at);
    return {
      error: compared.error,
      name: other.name,
      line: {
        buckets: { ...own, first: own.first + by, end: own.end + by },
        values: other.concurrency.total.peaks,
      },
    };
  }, [known, compared.data, compared.error, first]);
}
