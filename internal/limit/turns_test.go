package limit_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/limit"
	"tasktide/internal/store"
)

func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := limit.NewTurns(2, 5*time.Second)
		first, err := turns.Take(t.Context())
		second, err2 := turns.Take(t.Context())
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		begun := time.Now()
		if _, err := turns.Take(t.Context()); jobmon.ErrorCode(err) != jobmon.CodeBusy || time.Since(begun) != 5*time.Second {
			t.Errorf("after %s: %v", time.Since(begun), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := turns.Take(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		// One that waits has the turn that is given back.
		go func() {
			time.Sleep(3 * time.Second) //nolint:forbidigo // the clock is that of the test
			first()
		}()
		begun = time.Now()
		third, err := turns.Take(t.Context())
		if err != nil || time.Since(begun) != 3*time.Second {
			t.Fatalf("after %s: %v", time.Since(begun), err)
		}
		second()
		third()
	})
}

// readerFunc is a reader of nothing.
type readerFunc func(ctx context.Context) error

func (read readerFunc) View(ctx context.Context, _ func(context.Context, store.Snapshot) error) error {
	return read(ctx)
}

func TestAReaderInTurnsGivesThemBack(t *testing.T) {
	failed := errors.New("it fails")
	db := limit.Reader(readerFunc(func(context.Context) error { return failed }), limit.NewTurns(1, 0))
	for range 3 {
		if err := db.View(t.Context(), nil); !errors.Is(err, failed) {
			t.Errorf("got %v", err)
		}
	}
	var inner error
	db = limit.Reader(readerFunc(func(ctx context.Context) error {
		inner = db.View(ctx, nil)
		return nil
	}), limit.NewTurns(1, 0))
	if err := db.View(t.Context(), nil); err != nil || jobmon.ErrorCode(inner) != jobmon.CodeBusy {
		t.Errorf("one: %v, two at once: %v", err, inner)
	}
}
