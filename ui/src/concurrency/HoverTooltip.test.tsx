import { render, screen } from "@testing-library/react";
import { createRef } from "react";
import { describe, expect, it } from "vitest";
import type { Mark } from "../charts/palette";
import { HoverTooltip, type HoverHandle } from "./HoverTooltip";

const first = Date.UTC(2022, 4, 13, 3, 20);
const marks = new Map<string, Mark>();

function renderTooltip(end = first + 120_000, peaks = [1, 8]) {
  const handle = createRef<HoverHandle>();
  render(
    <HoverTooltip
      ref={handle}
      buckets={{ first, width: 60_000, count: 2, end }}
      totals={[
        { name: "Total, mean", values: [1, 6.5] },
        { name: "Total, peak", values: peaks },
      ]}
      rows={[
        { name: "call", values: [0, 4] },
        { name: "align", values: [1, 2.5], limit: [NaN, 20] },
      ]}
      marks={marks}
      page="#ffffff"
    />,
  );
  return { handle, tooltip: screen.getByTestId("tooltip") };
}

describe("HoverTooltip", () => {
  it("shows the bucket, the total and every template down the stack", () => {
    const { handle, tooltip } = renderTooltip();
    expect(tooltip).not.toBeVisible();
    handle.current?.show(1, 100, 100);
    expect(tooltip).toBeVisible();
    expect(tooltip.textContent).toBe(
      "2022-05-13 03:21:00 – 03:22:00 UTCTotal, mean6.5Total, peak8call4align2.5 / 20",
    );
    handle.current?.hide();
    expect(tooltip).not.toBeVisible();
  });

  it("marks a bucket that is not over", () => {
    const { handle, tooltip } = renderTooltip(first + 75_000);
    handle.current?.show(1, 0, 0);
    expect(tooltip).toHaveTextContent("2022-05-13 03:21:00 – 03:21:15 UTC, so far");
  });

  it("says where there is no number", () => {
    const { handle, tooltip } = renderTooltip(undefined, [NaN, 8]);
    handle.current?.show(0, 0, 0);
    expect(tooltip).toHaveTextContent("Total, peaknone");
  });
});
