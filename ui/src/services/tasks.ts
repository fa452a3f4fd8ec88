import { queryOptions } from "@tanstack/react-query";
import { getJSON } from "../api/client";
import type { TaskAtList } from "../api/types";
import type { Status } from "../concurrency/view";
import { refreshMs } from "./refresh";

/** How many tasks of a workflow are in a status now, whatever their template. */
export function levelQuery(workflowId: number, status: Status) {
  return queryOptions({
    queryKey: ["level", workflowId, status],
    queryFn: async ({ signal }) => {
      const path = `api/v2/workflow/${workflowId}/tasks`;
      const { level } = await getJSON<TaskAtList>(path, { status: [status], limit: 1 }, signal);
      return level;
    },
    refetchInterval: refreshMs,
  });
}
