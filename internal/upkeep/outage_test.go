package upkeep_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/upkeep"
)

// awayDatabase fails as it is told to, and otherwise has nothing to sum up.
type awayDatabase struct {
	upkeep.Database

	failure func() error
}

func (a awayDatabase) View(context.Context, func(context.Context, store.Snapshot) error) error {
	return a.failure()
}

// While the database is away, the roll-up tries each second, and logs each cause once and its end once.
func TestALoopLogsEachCauseOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outage := func(cause jobmon.Cause, detail string) error {
			return &jobmon.Error{Code: jobmon.CodeUnavailable, Cause: cause, Message: "it is away", Err: errors.New(detail)}
		}
		begun, attempts := time.Now(), 0
		db := awayDatabase{failure: func() error {
			since := time.Since(begun)
			if since < 4*time.Minute {
				attempts++
			}
			switch {
			case since < 2*time.Minute:
				return outage(jobmon.CauseUnreachable, "refused at "+since.String())
			case since < 4*time.Minute:
				return outage(jobmon.CauseTooManyConnections, "no connection left")
			}
			return nil
		}}
		var out bytes.Buffer
		roll := upkeep.NewRollUp(db, slog.New(slog.NewTextHandler(&out, nil)))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		if err := roll.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if attempts < 100 || len(lines) != 3 {
			t.Fatalf("%d attempts failed, and the log is\n%s", attempts, out.String())
		}
		for i, want := range [][]string{
			{"level=WARN", "the roll-up failed", `cause=unreachable`, `detail="refused at 0s"`},
			{"level=WARN", "the roll-up failed", "cause=too_many_connections", `detail="no connection left"`},
			{"level=INFO", "the database answers again after 4m", "attempts failed"},
		} {
			for _, text := range want {
				if !strings.Contains(lines[i], text) {
					t.Errorf("line %d is %q, without %q", i, lines[i], text)
				}
			}
		}
	})
}
