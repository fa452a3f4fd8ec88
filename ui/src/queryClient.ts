import { QueryCache, QueryClient } from "@tanstack/react-query";
import { ApiError } from "./api/client";
import { serverQuery } from "./services/server";

export function newQueryClient(): QueryClient {
  const client = new QueryClient({
    queryCache: new QueryCache({
      onError: (error) => {
        // The login has ended, and the top of the page says otherwise until it asks.
        if (error instanceof ApiError && error.code === "unauthenticated") {
          void client.invalidateQueries(serverQuery());
        }
      },
    }),
    defaultOptions: {
      queries: {
        // What the server refuses it refuses again; only a fault that passes is worth a retry.
        retry: (failures, error) => failures < 2 && error instanceof ApiError && error.transient,
        retryDelay: (failures, error) =>
          Math.max(1_000 * 2 ** failures, error instanceof ApiError ? error.retryAfterMs : 0),
        staleTime: 5_000,
        // Offline is an error to show, not a reason to wait in silence.
        networkMode: "always",
      },
    },
  });
  return client;
}
