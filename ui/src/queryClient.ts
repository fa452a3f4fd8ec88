import { QueryClient } from "@tanstack/react-query";
import { ApiError } from "./api/client";

export function newQueryClient(): QueryClient {
  return new QueryClient({
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
}
