import type { ServerHealth, Telemetry } from "../../api/types";

interface Changes {
  database?: Partial<ServerHealth["database"]>;
  writes?: Partial<ServerHealth["writes"]>;
  roll_up?: Partial<ServerHealth["roll_up"]>;
  retention?: Partial<ServerHealth["retention"]>;
  verification?: Partial<ServerHealth["verification"]>;
}

/** Of a server at noon with which all is well, unless told otherwise. */
export function newHealth(change: Changes = {}): ServerHealth {
  return {
    now: "2026-01-02T12:00:00Z",
    database: { write_failure: null, read_failure: null, ...change.database },
    writes: {
      rows_per_second: 120.4,
      retried: 3,
      given_up: 0,
      clock_clamps: 0,
      ...change.writes,
    },
    roll_up: {
      oldest_mark: "2026-01-02T11:59:00Z",
      lag_seconds: 0,
      marked_workflows: 1,
      rows: 81_000,
      rows_per_second: 52_000,
      damaged_blocks: 0,
      ...change.roll_up,
    },
    retention: {
      audit_seconds: 90 * 86_400,
      block_seconds: 0,
      last_pass: "2026-01-02T11:30:00Z",
      rows: 2_000,
      hours: 5,
      left_alone: 0,
      held: null,
      ...change.retention,
    },
    verification: {
      began: "2026-01-02T10:00:00Z",
      ended: "2026-01-02T10:00:10Z",
      workflows: 12,
      tasks: 40_000,
      covered: 40_000,
      broken: 0,
      rows: 210_000,
      cells: 9_000,
      defects: 0,
      ...change.verification,
    },
  };
}

/** Of a server that ten visits were told to, unless told otherwise. */
export function newTelemetry(change: Partial<Telemetry> = {}): Telemetry {
  return {
    enabled: true,
    since: "2026-01-02T09:00:00Z",
    visits: 10,
    render_ms: { count: 240, p50: 46.5, p90: 71, p99: 180.2 },
    filters_median: 1.5,
    exports: {
      png: { count: 4, per_visit: 0.4 },
      svg: { count: 0, per_visit: 0 },
      csv: { count: 12, per_visit: 1.2 },
    },
    ...change,
  };
}
