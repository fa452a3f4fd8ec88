package upkeep_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tasktide/internal/store"
	"tasktide/internal/store/testdb"
	"tasktide/internal/upkeep"
)

func TestHealthTellsHowFarBehindTheRollUpIs(t *testing.T) {
	db := open(t)
	health := func(now int64) upkeep.Health {
		t.Helper()
		h, err := upkeep.CheckHealth(t.Context(), clocked{db, now})
		if err != nil {
			t.Fatal(err)
		}
		if h.Now != now {
			t.Errorf("now is %d, want %d", h.Now, now)
		}
		return h
	}
	if h := health(noon); h.OldestMark != 0 || h.MarkedWorkflows != 0 || h.WritesPerSecond != 0 || h.Lag() != 0 {
		t.Errorf("of an empty database: %+v", h)
	}
	load(t, db, "later", lived("1", "a", "GD", 5*minute, 5*minute))
	load(t, db, "earlier", lived("1", "a", "GQ", 90*second, 100*second))
	load(t, db, "latest", lived("1", "a", "GD", 10*minute, 10*minute))
	h := health(noon + 5*minute + 10*second)
	if h.OldestMark != noon+minute || h.MarkedWorkflows != 3 || h.Lag() != 3*time.Minute+10*time.Second {
		t.Errorf("%+v, lag %v", h, h.Lag())
	}
	if h.WritesPerSecond != 0.4 { // the rows of ten seconds, and of what is still to come
		t.Errorf("%v writes a second", h.WritesPerSecond)
	}
	if h := health(noon + 119*second); h.Lag() != 0 {
		t.Errorf("the lag of a minute that is under way is %v", h.Lag())
	}
	pass(t, upkeep.NewRollUp(db, quiet).Pass)
	if h := health(noon + hour); h.OldestMark != 0 || h.MarkedWorkflows != 0 || h.Lag() != 0 || h.WritesPerSecond != 0 {
		t.Errorf("after the roll-up: %+v", h)
	}
}

// unsteady is a store that fails until it does not.
type unsteady struct {
	store.Store

	broken atomic.Bool
}

func (u *unsteady) View(ctx context.Context, read func(ctx context.Context, snapshot store.Snapshot) error) error {
	if u.broken.Load() {
		return errBroken
	}
	return u.Store.View(ctx, read)
}

// lockedLog is a log that a test reads while it is written.
type lockedLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lockedLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// The verification runs a minute after the start and every day, tells of defects on the log, and outlives a
// failure.
func TestVerificationRunsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &unsteady{Store: testdb.SQLite.Open(t)}
		defer db.Close()
		load(t, db, "run", chainOf()...)
		var log lockedLog
		verifier := upkeep.NewVerifier(db, slog.New(slog.NewTextHandler(&log, nil)))
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- verifier.Run(ctx) }()
		wait := func(d time.Duration) {
			<-time.After(d) // by the clock of the bubble
			synctest.Wait()
		}
		wait(59 * time.Second)
		if !verifier.Last().Ended.IsZero() {
			t.Error("it verifies as soon as it starts")
		}
		wait(10 * time.Minute)
		first := verifier.Last()
		if first.Workflows != 1 || first.Covered != 2 || first.Found != 0 || log.String() != "" {
			t.Errorf("%+v\n%s", first, log.String())
		}
		db.broken.Store(true)
		wait(24 * time.Hour)
		if verifier.Last().Ended != first.Ended || !strings.Contains(log.String(), "the verification of the audit failed") {
			t.Errorf("%+v\n%s", verifier.Last(), log.String())
		}
		db.broken.Store(false)
		deleteRows(t, db, 1, noon+3*minute, noon+4*minute)
		wait(24 * time.Hour)
		if last := verifier.Last(); last.Found != 1 || !strings.Contains(log.String(), "the chain is broken") {
			t.Errorf("%+v\n%s", last, log.String())
		}
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("it ended with %v", err)
		}
	})
}
