import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { getJSON } from "../api/client";
import type { TaskTemplateList, Workflow, WorkflowList, WorkflowQuery } from "../api/types";
import { refreshMs } from "./refresh";

/** A page of workflows, newest first. */
export function workflowsQuery(query: WorkflowQuery) {
  return queryOptions({
    queryKey: ["workflows", query],
    queryFn: ({ signal }) => getJSON<WorkflowList>("api/v2/workflows", query, signal),
    placeholderData: keepPreviousData,
    refetchInterval: refreshMs,
  });
}

export function workflowQuery(id: number) {
  return queryOptions({
    queryKey: ["workflow", id],
    queryFn: ({ signal }) => getJSON<Workflow>(`api/v2/workflows/${id}`, {}, signal),
    refetchInterval: refreshMs,
  });
}

/** Names of all the templates of a workflow, whatever the window: colours hang on them. */
export function taskTemplatesQuery(id: number) {
  return queryOptions({
    queryKey: ["task templates", id],
    queryFn: ({ signal }) =>
      getJSON<TaskTemplateList>(`api/v2/workflow/${id}/task_templates`, {}, signal),
    refetchInterval: refreshMs,
  });
}
