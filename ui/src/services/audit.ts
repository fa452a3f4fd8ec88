import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { getJSON } from "../api/client";
import type { TaskStatusChangeList, TaskStatusChangesQuery } from "../api/types";
import { refreshMs } from "./refresh";

/** A page of a workflow's audit. The first page moves on while rows arrive. */
export function statusChangesQuery(workflowId: number, query: TaskStatusChangesQuery) {
  return queryOptions({
    queryKey: ["task status changes", workflowId, query],
    queryFn: ({ signal }) =>
      getJSON<TaskStatusChangeList>(
        `api/v2/workflow/${workflowId}/task_status_changes`,
        query,
        signal,
      ),
    placeholderData: keepPreviousData,
    refetchInterval: query.cursor === undefined && refreshMs,
  });
}
