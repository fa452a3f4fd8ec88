import { useCallback, useLayoutEffect, useRef } from "react";
import { rendered } from "./telemetry";

/**
 * Tells how long it takes from when an answer came, in milliseconds since the epoch, to when a chart
 * has drawn it. `drawing` is what the chart draws: an answer that does not change it is not drawn.
 * `receivedAt` is null for an answer that was there already. What is returned is to be called each
 * time the chart has drawn.
 */
export function useRenderTime(receivedAt: number | null, drawing: unknown): () => void {
  const before = useRef<{ receivedAt: number | null; drawing: unknown } | null>(null);
  const since = useRef<number | null>(null);
  useLayoutEffect(() => {
    if (before.current?.receivedAt !== receivedAt) {
      since.current = before.current?.drawing === drawing ? null : receivedAt;
    }
    before.current = { receivedAt, drawing };
  });
  return useCallback(() => {
    if (since.current !== null) rendered(Date.now() - since.current);
    since.current = null;
  }, []);
}
