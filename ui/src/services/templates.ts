import { queryOptions } from "@tanstack/react-query";
import { getJSON } from "../api/client";
import type { TemplateStatsList } from "../api/types";
import { refreshMs } from "./refresh";

/** What became of the tasks of each template of a workflow. */
export function templateStatsQuery(workflowId: number) {
  return queryOptions({
    queryKey: ["template stats", workflowId],
    queryFn: ({ signal }) =>
      getJSON<TemplateStatsList>(`api/v2/workflow/${workflowId}/templates`, {}, signal),
    refetchInterval: refreshMs,
  });
}
