package upkeep

import (
	"context"
	"time"

	"tasktide/internal/store"
)

const (
	// rateOver is the time over which the rate of writes is told, and maxCounted where counting stops.
	rateOver   = 10 * time.Second
	maxCounted = 1_000_000
	// maxMarkedWorkflows is how many workflows are asked for their oldest mark.
	maxMarkedWorkflows = 1_000
)

// Health tells how far behind upkeep is. Instants are microseconds since the Unix epoch, UTC.
type Health struct {
	Now int64
	// OldestMark is the earliest minute that is not summed up yet; 0 when there is none.
	OldestMark int64
	// MarkedWorkflows is how many workflows have such minutes, up to 1,000.
	MarkedWorkflows int64
	// WritesPerSecond counts the rows of the last 10 seconds, of all workflows.
	WritesPerSecond float64
}

// CheckHealth asks the database how far behind upkeep is.
func CheckHealth(ctx context.Context, db store.Reader) (Health, error) {
	var h Health
	err := db.View(ctx, func(ctx context.Context, snapshot store.Snapshot) error {
		var err error
		if h.Now, err = snapshot.Now(ctx); err != nil {
			return err
		}
		for after := int64(0); h.MarkedWorkflows < maxMarkedWorkflows; h.MarkedWorkflows++ {
			id, at, err := snapshot.NextMarked(ctx, after)
			if err != nil {
				return err
			}
			if id == 0 {
				break
			}
			if h.OldestMark == 0 || at < h.OldestMark {
				h.OldestMark = at
			}
			after = id
		}
		rows, err := snapshot.CountSince(ctx, max(h.Now-rateOver.Microseconds(), 0), maxCounted)
		h.WritesPerSecond = float64(rows) / rateOver.Seconds()
		return err
	})
	return h, err
}

// Lag returns how long ago the oldest minute was over that is not summed up yet.
func (h Health) Lag() time.Duration {
	if h.OldestMark == 0 {
		return 0
	}
	return time.Duration(max(h.Now-h.OldestMark-minute, 0)) * time.Microsecond
}
