import { QueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "./api/client";
import { newQueryClient } from "./queryClient";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a query that the server refuses because it was asked too often", () => {
  it("keeps its numbers and asks again when the server wants that", async () => {
    const refusal = new ApiError("too_many_requests", "Too often.", 429, null, null, 7_000);
    const ask = vi
      .fn<() => Promise<number>>()
      .mockResolvedValueOnce(1)
      .mockRejectedValueOnce(refusal);
    ask.mockResolvedValue(2);
    const observer = new QueryObserver(newQueryClient(), { queryKey: ["numbers"], queryFn: ask });
    const stop = observer.subscribe(() => undefined);
    await vi.advanceTimersByTimeAsync(0);
    void observer.refetch();
    await vi.advanceTimersByTimeAsync(6_900);
    expect(ask).toHaveBeenCalledTimes(2);
    expect(observer.getCurrentResult()).toMatchObject({ data: 1, isError: false });
    await vi.advanceTimersByTimeAsync(200);
    expect(observer.getCurrentResult()).toMatchObject({ data: 2, isError: false });
    stop();
  });
});
