import LinearProgress from "@mui/material/LinearProgress";
import Paper from "@mui/material/Paper";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ErrorState, StaleAlert } from "./states";

interface Props<T> {
  query: UseQueryResult<T>;
  /** What is loaded, as "The tasks". */
  what: string;
  /** Draws the data, or what stands in its place while it is null. */
  children: (data: T | null) => ReactNode;
}

/**
 * What a query gives, on paper: the server's message where there is nothing to show, and a notice of
 * how old it is where a refresh failed.
 */
export function Loaded<T>({ query, what, children }: Props<T>) {
  const { data, error, isError } = query;
  const retry = () => void query.refetch();
  if (isError && data === undefined) {
    return <ErrorState title={`${what} could not be loaded`} error={error} onRetry={retry} />;
  }
  return (
    <>
      {isError && <StaleAlert error={error} dataAt={query.dataUpdatedAt} onRetry={retry} />}
      <Paper sx={{ position: "relative", overflow: "hidden" }}>
        {query.isPlaceholderData && (
          <LinearProgress aria-label="Loading" sx={{ position: "absolute", inset: "0 0 auto" }} />
        )}
        {children(data ?? null)}
      </Paper>
    </>
  );
}
