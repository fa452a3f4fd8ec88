import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { TelemetryBatch } from "../api/types";
import { createTelemetry, telemetry, tellEveryMs } from "./telemetry";

let sent: TelemetryBatch[];
let taken: boolean;

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  taken = true;
});

afterEach(() => {
  vi.useRealTimers();
});

function create(listens: boolean | null = true) {
  const created = createTelemetry((batch) => {
    sent.push(batch);
    return taken;
  });
  if (listens !== null) created.listen(listens);
  return created;
}

describe("telemetry", () => {
  it("tells once a minute what happened, and nothing where nothing did", () => {
    const { rendered, exported, filters, tell } = create();
    filters(2);
    rendered(41.6);
    rendered(50);
    exported("csv");
    vi.advanceTimersByTime(tellEveryMs - 1);
    expect(sent).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(sent).toEqual([{ renders_ms: [42, 50], exports: ["csv"], visit: { filters: 2 } }]);
    tell();
    vi.advanceTimersByTime(10 * tellEveryMs);
    expect(sent).toHaveLength(1);
  });

  it("tells of a visit again only when its filters become more", () => {
    const { filters, tell } = create();
    filters(0);
    tell();
    filters(3);
    filters(1);
    tell();
    filters(2);
    tell();
    expect(sent).toEqual([{ visit: { filters: 0 } }, { visit: { filters: 3, replaces: 0 } }]);
  });

  it("keeps to the server's bounds", () => {
    const { rendered, exported, filters, tell } = create();
    for (let i = 0; i < 150; i++) {
      rendered(1e9);
      exported("png");
    }
    rendered(-5);
    filters(1000);
    tell();
    expect(sent[0].renders_ms).toHaveLength(100);
    expect(Math.max(...(sent[0].renders_ms ?? []))).toBe(600_000);
    expect(sent[0].exports).toHaveLength(100);
    expect(sent[0].visit).toEqual({ filters: 50 });
  });

  it("waits until it is known whether the server listens", () => {
    const { rendered, listen, tell } = create(null);
    rendered(7);
    tell();
    expect(sent).toEqual([]);
    listen(true);
    tell();
    expect(sent).toEqual([{ renders_ms: [7] }]);
  });

  it("tells nothing to a server that does not listen", () => {
    const { rendered, exported, filters, tell } = create(false);
    rendered(7);
    exported("svg");
    filters(1);
    tell();
    vi.advanceTimersByTime(tellEveryMs);
    expect(sent).toEqual([]);
  });

  it("keeps what was not taken", () => {
    const { rendered, filters, tell } = create();
    taken = false;
    rendered(7);
    filters(1);
    tell();
    taken = true;
    rendered(8);
    tell();
    expect(sent[1]).toEqual({ renders_ms: [7, 8], visit: { filters: 1 } });
  });
});

describe("the page's telemetry", () => {
  it("is a beacon of text to its own server when the page is hidden or left", () => {
    const sendBeacon = vi.fn(() => true);
    Object.defineProperty(navigator, "sendBeacon", { value: sendBeacon, configurable: true });
    telemetry.listen(true);
    telemetry.exported("png");
    document.dispatchEvent(new Event("visibilitychange"));
    expect(sendBeacon).not.toHaveBeenCalled();
    vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
    document.dispatchEvent(new Event("visibilitychange"));
    window.dispatchEvent(new Event("pagehide"));
    telemetry.exported("csv");
    window.dispatchEvent(new Event("pagehide"));
    expect(sendBeacon.mock.calls).toEqual([
      ["/api/v2/telemetry", '{"exports":["png"]}'],
      ["/api/v2/telemetry", '{"exports":["csv"]}'],
    ]);
  });
});
