import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { getJSON, putJSON } from "../api/client";
import type {
  StatusUpdate,
  StatusUpdateAnswer,
  SuspectList,
  SuspectsQuery,
  TaskAtList,
  TasksAtQuery,
  TaskStatusHistory,
} from "../api/types";
import { isFinal } from "../taskWords";
import { refreshMs, refreshOf } from "./refresh";

/** A page of the tasks that were in some statuses at an instant. The first page of now moves on. */
export function tasksAtQuery(workflowId: number, query: TasksAtQuery) {
  return queryOptions({
    queryKey: ["tasks at", workflowId, query],
    queryFn: ({ signal }) =>
      getJSON<TaskAtList>(`api/v2/workflow/${workflowId}/tasks`, query, signal),
    placeholderData: keepPreviousData,
    refetchInterval: query.at === undefined && query.cursor === undefined && refreshMs,
  });
}

/** A page of the tasks that count as active though nobody would move them on. */
export function suspectsQuery(workflowId: number, query: SuspectsQuery) {
  return queryOptions({
    queryKey: ["suspects", workflowId, query],
    queryFn: ({ signal }) =>
      getJSON<SuspectList>(`api/v2/workflow/${workflowId}/suspects`, query, signal),
    placeholderData: keepPreviousData,
    refetchInterval: refreshMs,
  });
}

/** All that is known of a task; asked for again as long as the task may move on. */
export function taskHistoryQuery(id: number) {
  return queryOptions({
    queryKey: ["task history", id],
    queryFn: ({ signal }) =>
      getJSON<TaskStatusHistory>(`api/v2/task/${id}/status_history`, {}, signal),
    refetchInterval: ({ state: { data } }) =>
      data !== undefined && !isFinal(data.status) && refreshOf(lengthMs(data)),
  });
}

function lengthMs({ history, generated_at }: TaskStatusHistory): number {
  return history.length === 0 ? 0 : Date.parse(generated_at) - Date.parse(history[0].from);
}

/**
 * Sets the status of tasks, as an administrator. Whatever came of it, all that is on screen is asked
 * for again: the answer to a change that was made may have been lost on its way.
 */
export function useStatusUpdate() {
  const client = useQueryClient();
  return useMutation({
    networkMode: "always",
    mutationFn: (update: StatusUpdate) =>
      putJSON<StatusUpdateAnswer>("api/v3/task/update_statuses", update),
    onSettled: () => void client.invalidateQueries(),
  });
}
