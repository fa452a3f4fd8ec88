import { queryOptions } from "@tanstack/react-query";
import { ApiError, getJSON } from "../api/client";
import type { ConcurrencyColumns, ConcurrencyQuery } from "../api/types";
import { refreshOf } from "./refresh";

export interface ConcurrencyRequest {
  workflowId: number;
  timeRange: NonNullable<ConcurrencyQuery["time_range"]>;
  granularity: NonNullable<ConcurrencyQuery["granularity"]>;
  /** Only these templates; all of them where it is empty. */
  templates: readonly string[];
  /** Whether the window moves with time, so that there is something to refresh. */
  live: boolean;
}

type Key = readonly [name: "task concurrency", request: Omit<ConcurrencyRequest, "live">];

/**
 * The means and the total's peaks of a window, one array a template. Asked for some templates,
 * the total is theirs: a peak of several templates cannot be had from their separate peaks.
 */
export function concurrencyQuery({ live, ...request }: ConcurrencyRequest) {
  const query = {
    time_range: request.timeRange,
    granularity: request.granularity,
    stat: "mean",
    format: "columns",
    // As many as a server tells apart: what lies beyond is not drawn yet.
    top: 1000,
    task_template_name: [...request.templates],
  } satisfies ConcurrencyQuery;
  return queryOptions<ConcurrencyColumns, Error, ConcurrencyColumns, Key>({
    queryKey: ["task concurrency", request],
    // Another range or bucket of the same templates: the old numbers stay until the new ones come.
    placeholderData: (old, oldQuery) =>
      JSON.stringify(oldQuery?.queryKey[1].templates) === JSON.stringify(request.templates)
        ? old
        : undefined,
    queryFn: async ({ signal }) => {
      const path = `api/v2/workflow/${request.workflowId}/task_concurrency`;
      const answer = await getJSON<Partial<ConcurrencyColumns>>(path, query, signal);
      if (!isColumns(answer)) {
        throw new ApiError("format", "The server's answer has no columns to draw.");
      }
      return answer;
    },
    refetchInterval: ({ state }) => live && refreshOf(windowMs(state.data)),
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
