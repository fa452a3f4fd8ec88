// Package limit bounds how much is under way at once, and how often each caller may ask.
package limit

import (
	"context"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// Turns bounds how much is under way at once. nil bounds nothing. It is safe for concurrent use.
type Turns struct {
	taken chan struct{}
	wait  time.Duration
}

// NewTurns returns n turns, at least one, for which is waited so long at most.
func NewTurns(n int, wait time.Duration) *Turns {
	return &Turns{taken: make(chan struct{}, max(1, n)), wait: wait}
}

// Take waits for a turn, and returns what gives it back. CodeBusy when none has come in time, and the error of ctx
// when that is over before.
func (t *Turns) Take(ctx context.Context) (giveBack func(), err error) {
	if t == nil {
		return func() {}, nil
	}
	giveBack = func() { <-t.taken }
	select {
	case t.taken <- struct{}{}:
		return giveBack, nil
	default:
	}
	select {
	case t.taken <- struct{}{}:
		return giveBack, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(t.wait):
		return nil, jobmon.Errorf(jobmon.CodeBusy, "the server is busy with others, and this has waited for %s; try again", t.wait)
	}
}

// Reader returns a reader that reads in turns, so that those who read from db itself find connections left.
func Reader(db store.Reader, turns *Turns) store.Reader { return reader{db, turns} }

type reader struct {
	db    store.Reader
	turns *Turns
}

// View implements [store.Reader].
func (r reader) View(ctx context.Context, read func(ctx context.Context, snapshot store.Snapshot) error) error {
	giveBack, err := r.turns.Take(ctx)
	if err != nil {
		return err
	}
	defer giveBack()
	return r.db.View(ctx, read)
}
