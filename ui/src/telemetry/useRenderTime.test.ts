import { renderHook } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { rendered } from "./telemetry";
import { useRenderTime } from "./useRenderTime";

vi.mock("./telemetry", () => ({ rendered: vi.fn() }));

beforeEach(() => {
  vi.mocked(rendered).mockClear();
  vi.spyOn(Date, "now").mockReturnValue(1_040);
});

function chart(receivedAt: number | null, drawing: string) {
  const { result, rerender } = renderHook(
    (props: [number | null, string]) => useRenderTime(...props),
    { initialProps: [receivedAt, drawing] },
  );
  return {
    show: (at: number | null, what: string) => rerender([at, what]),
    drawn: () => result.current(),
  };
}

describe("the time to draw an answer", () => {
  it("is told once, however often it is drawn again", () => {
    const { show, drawn } = chart(1_000, "a");
    drawn();
    drawn();
    show(1_000, "a, wider");
    drawn();
    show(1_030, "b");
    drawn();
    expect(vi.mocked(rendered).mock.calls).toEqual([[40], [10]]);
  });

  it("is not that of a drawing which an answer has not changed", () => {
    const { show, drawn } = chart(1_000, "a");
    drawn();
    show(1_020, "a");
    show(1_020, "a, wider");
    drawn();
    expect(rendered).toHaveBeenCalledTimes(1);
  });

  it("is not that of an answer which was there before", () => {
    const { show, drawn } = chart(null, "a");
    drawn();
    show(null, "b");
    drawn();
    expect(rendered).not.toHaveBeenCalled();
  });
});
