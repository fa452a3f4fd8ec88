import { queryOptions } from "@tanstack/react-query";
import { getJSON } from "../api/client";
import type { ServerHealth, Telemetry } from "../api/types";
import { refreshMs } from "./refresh";

export function healthQuery() {
  return queryOptions({
    queryKey: ["health"],
    queryFn: ({ signal }) => getJSON<ServerHealth>("api/v2/health", {}, signal),
    refetchInterval: refreshMs,
  });
}

/** What pages have told of how they are used. */
export function telemetryQuery() {
  return queryOptions({
    queryKey: ["telemetry"],
    queryFn: ({ signal }) => getJSON<Telemetry>("api/v2/telemetry", {}, signal),
    refetchInterval: refreshMs,
  });
}
