import { queryOptions } from "@tanstack/react-query";
import { ApiError, getJSON } from "../api/client";
import type { Comparison, ConcurrencyColumns, ConcurrencyQuery } from "../api/types";
import type { Granularity, Stat, Status, TimeWindow } from "../concurrency/view";
import { refreshOf } from "./refresh";

export interface ConcurrencyRequest {
  workflowId: number;
  window: TimeWindow;
  granularity: Granularity;
  status: Status;
  stat: Stat;
  /** Only these templates; all of them where it is empty. */
  templates: readonly string[];
  /** How many templates are told apart; the others are together. */
  top: number;
  split: boolean;
  /** Other statuses whose totals are told too. */
  beside: readonly Status[];
  /** Whether the window moves with time, so that there is something to refresh. */
  live: boolean;
}

/** How many templates are told apart unless somebody asks for every one, of which there may be so many. */
export const usualTop = 50;
export const everyTop = 1000;

type Key = readonly [name: "task concurrency", request: Omit<ConcurrencyRequest, "live">];

/**
 * The numbers of a window, one array a template. Asked for some templates, the total is theirs: a peak of several
 * templates cannot be had from their separate peaks.
 */
export function concurrencyQuery({ live, ...request }: ConcurrencyRequest) {
  return queryOptions<ConcurrencyColumns, Error, ConcurrencyColumns, Key>({
    queryKey: ["task concurrency", request],
    // Another window or bucket of the same, or more beside it: the old numbers stay until the new ones come.
    placeholderData: (old, oldQuery) =>
      sameButTheWindow(oldQuery?.queryKey[1], request) ? old : undefined,
    queryFn: async ({ signal }) => {
      const path = `api/v2/workflow/${request.workflowId}/task_concurrency`;
      const answer = await getJSON<Partial<ConcurrencyColumns>>(path, queryOf(request), signal);
      if (!isColumns(answer)) {
        throw new ApiError("format", "The server's answer has no columns to draw.");
      }
      return answer;
    },
    refetchInterval: ({ state }) => live && refreshOf(windowMs(state.data)),
  });
}

function queryOf(request: Omit<ConcurrencyRequest, "live">): ConcurrencyQuery {
  const { window } = request;
  return {
    ...(typeof window === "string" ? { time_range: window } : window),
    granularity: request.granularity,
    stat: request.stat,
    status: [request.status],
    format: "columns",
    top: request.top,
    ...(request.split && { split: "attempt" }),
    beside: [...request.beside],
    task_template_name: [...request.templates],
  };
}

function sameButTheWindow(
  old: Key[1] | undefined,
  request: Omit<ConcurrencyRequest, "live">,
): boolean {
  const rest = ({ workflowId, status, stat, templates, top, split }: typeof request) =>
    JSON.stringify([workflowId, status, stat, templates, top, split]);
  return old !== undefined && rest(old) === rest(request);
}

/** The totals of two workflows, each from its own first transition on; both spans in whole seconds. */
export function comparisonQuery(request: {
  workflowId: number;
  with: number;
  offsetSeconds: number;
  durationSeconds: number;
  status: Status;
  stat: Stat;
}) {
  return queryOptions({
    queryKey: ["comparison", request],
    queryFn: ({ signal }) =>
      getJSON<Comparison>(
        `api/v2/workflow/${request.workflowId}/compare`,
        {
          with: request.with,
          offset_seconds: request.offsetSeconds,
          duration_seconds: request.durationSeconds,
          granularity: "auto",
          stat: request.stat,
          status: [request.status],
          top: 1,
        },
        signal,
      ),
  });
}

function windowMs(answer: ConcurrencyColumns | undefined): number {
  return answer === undefined
    ? Infinity
    : Date.parse(answer.window.end) - Date.parse(answer.window.start);
}

function isColumns(answer: Partial<ConcurrencyColumns>): answer is ConcurrencyColumns {
  return Array.isArray(answer.series) && answer.total !== undefined && answer.bucket !== undefined;
}
