package timeline

import (
	"context"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

const (
	// MaxExported is how many pairs of a bucket and a template [Timeline.Export] may tell of.
	MaxExported = 20_000_000
	// partCells is how many of them are held at once.
	partCells = 100_000
)

// Export tells of what its parts are together.
type Export struct {
	Workflow  store.WorkflowInfo
	Window    concurrency.Window
	Now       int64
	Templates []string // the name of each series
	Other     int      // how many templates are not told apart
	Limit     []concurrency.Step
	// The rest is as in [Answer].
	UpperBound         UpperBound
	Version            string
	RowsFrom, DataFrom int64
}

// Export answers a request of which nobody could hold the answer: it tells begin what is coming, and each,
// in order, the numbers of one part of the window after the other, all from one snapshot. It returns what
// these return, or an error as [Timeline.Concurrency] does; the bounds are MaxExported, and MaxTransitions
// for the whole window.
func (t *Timeline) Export(ctx context.Context, request Request, begin func(Export) error, each func(Answer) error) error {
	return t.view(ctx, func(ctx context.Context, snapshot store.Snapshot, found *damage) error {
		q, version, err := askUpTo(ctx, snapshot, found, request, MaxExported, MaxExported)
		if err != nil {
			return err
		}
		if err := q.chooseTop(ctx, snapshot, request.Top); err != nil {
			return err
		}
		if err := q.chooseSource(ctx, snapshot); err != nil {
			return err
		}
		if err := q.checkRows(ctx, snapshot); err != nil {
			return err
		}
		limits, _ := q.steps()
		err = begin(Export{
			Workflow: q.workflow, Window: q.window, Now: q.now, Templates: q.series.names, Other: q.series.other,
			Limit: limits[0].Steps, UpperBound: q.bounds(), Version: version,
			RowsFrom: q.horizon.RowsFrom, DataFrom: q.horizon.DataFrom,
		})
		if err != nil {
			return err
		}
		return q.parts(ctx, snapshot, each)
	})
}

// checkRows refuses a window of which there are too many rows to read, before anything is answered.
func (q *question) checkRows(ctx context.Context, snapshot store.Snapshot) error {
	if q.tier != fromRows {
		return nil
	}
	rows, err := snapshot.CountTransitions(ctx, q.windowRows(), MaxTransitions+1)
	if err == nil && rows > MaxTransitions {
		err = jobmon.FieldErrorf("granularity", "%s", manyRows(q.workflow.ID))
	}
	return err
}

// parts answers the question for one part of its window after the other.
func (q *question) parts(ctx context.Context, snapshot store.Snapshot, each func(Answer) error) error {
	atOnce := max(1, partCells/max(1, q.series.count()))
	for first := 0; first < q.window.Count; first += atOnce {
		part := *q
		part.window.Start, part.window.Count = q.window.BucketStart(first), min(atOnce, q.window.Count-first)
		answer, err := part.count(ctx, snapshot)
		if err != nil {
			return err
		}
		if err := each(answer); err != nil {
			return err
		}
	}
	return nil
}
