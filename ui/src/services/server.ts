import { queryOptions } from "@tanstack/react-query";
import { getJSON } from "../api/client";
import type { Server } from "../api/types";

export function serverQuery() {
  return queryOptions({
    queryKey: ["server"],
    queryFn: ({ signal }) => getJSON<Server>("api/v2/server", {}, signal),
    staleTime: Infinity,
    // Who is logged in may have changed in another tab, or in JobMon.
    refetchOnWindowFocus: "always",
  });
}
