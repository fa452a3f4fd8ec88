package api_test

import (
	"context"
	"testing"

	"tasktide/internal/api"
	"tasktide/internal/jobmon"
)

func TestHealth(t *testing.T) {
	f := newFixture(t, func(c *api.Config) {
		c.Health = func(context.Context) (api.Health, error) {
			return api.Health{
				Now: api.Instant(noon.UnixMicro()),
				Database: api.DatabaseHealth{WriteFailure: &api.DatabaseFailure{
					Cause: jobmon.CauseDiskFull, Message: "it is full; free space", Failures: 21,
					Since: api.Instant(noon.UnixMicro()), Last: api.Instant(noon.UnixMicro()),
				}},
				Writes: api.WriteHealth{RowsPerSecond: 1.5, Retried: 2, GivenUp: 3, ClockClamps: 4},
				RollUp: api.RollUpHealth{
					OldestMark: api.KnownInstant(noon.UnixMicro()), LagSeconds: 0.25, MarkedWorkflows: 5, Rows: 6, RowsPerSecond: 7, DamagedBlocks: 8,
				},
				Retention: api.RetentionHealth{
					AuditSeconds: 9, BlockSeconds: 10, LastPass: api.KnownInstant(noon.UnixMicro()), Rows: 11, Hours: 12, LeftAlone: 13, Held: new("the clock"),
				},
				Verification: api.VerificationHealth{
					Began: api.KnownInstant(noon.UnixMicro()), Ended: api.KnownInstant(noon.UnixMicro()), Workflows: 14, Tasks: 15, Covered: 16, Broken: 20,
					Rows: 17, Cells: 18, Defects: 19,
				},
			}, nil
		}
	})
	f.send("GET", "/api/v2/health", "").is(`{
		"now": "2025-05-27T12:00:00Z",
		"database": {"read_failure": null, "write_failure": {"cause": "disk_full", "message": "it is full; free space",
			"since": "2025-05-27T12:00:00Z", "last": "2025-05-27T12:00:00Z", "failures": 21}},
		"writes": {"rows_per_second": 1.5, "retried": 2, "given_up": 3, "clock_clamps": 4},
		"roll_up": {"oldest_mark": "2025-05-27T12:00:00Z", "lag_seconds": 0.25, "marked_workflows": 5, "rows": 6, "rows_per_second": 7, "damaged_blocks": 8},
		"retention": {"audit_seconds": 9, "block_seconds": 10, "last_pass": "2025-05-27T12:00:00Z", "rows": 11, "hours": 12, "left_alone": 13, "held": "the clock"},
		"verification": {"began": "2025-05-27T12:00:00Z", "ended": "2025-05-27T12:00:00Z", "workflows": 14, "tasks": 15, "covered": 16, "broken": 20,
			"rows": 17, "cells": 18, "defects": 19}}`)
}

// Before the first pass and the first verification, what has not come is null.
func TestHealthOfAServerThatHasJustBegun(t *testing.T) {
	f := newFixture(t)
	got := f.send("GET", "/api/v2/health", "").ok()
	for _, path := range [][]any{{"roll_up", "oldest_mark"}, {"retention", "last_pass"}, {"retention", "held"}, {"verification", "began"}, {"verification", "ended"}} {
		if value := at(t, got, path...); value != nil {
			t.Errorf("%v is %v", path, value)
		}
	}
}

func TestHealthThatCannotBeTold(t *testing.T) {
	f := newFixture(t, func(c *api.Config) {
		c.Health = func(context.Context) (api.Health, error) {
			return api.Health{}, jobmon.Errorf(jobmon.CodeUnavailable, "the database is away")
		}
	})
	f.send("GET", "/api/v2/health", "").refused(503, "unavailable")
	f.check([]refusal{{"GET", "/api/v2/health?verbose=1", "", 400, "invalid", "verbose", "verbose"}})
}
