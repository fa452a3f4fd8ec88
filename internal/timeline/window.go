package timeline

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"time"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// chooseWindow turns a request into at most so many whole buckets.
func (q *question) chooseWindow(ctx context.Context, snapshot store.Snapshot, request Request, most int) error {
	buckets := []int64{request.Bucket}
	if request.Bucket == 0 {
		buckets = Buckets()
	}
	for i, bucket := range buckets {
		var err error
		if q.window, err = cover(request, q.workflow, q.horizon, q.now, bucket); err != nil {
			return err
		}
		if i+1 == len(buckets) {
			break // there is nothing coarser
		}
		if q.window.Count > min(most, cmp.Or(request.MaxPoints, AutoBuckets)) {
			continue
		}
		if fits, err := q.fits(ctx, snapshot); err != nil || fits {
			return err
		}
	}
	return checkCount(q.window, most)
}

// fits reports whether there are rows enough, and not too many, for the buckets of a window.
func (q *question) fits(ctx context.Context, snapshot store.Snapshot) (bool, error) {
	if tierFor(q.window.Bucket) != fromRows {
		return true, nil
	}
	if q.window.Start < q.horizon.RowsFrom {
		return false, nil
	}
	rows, err := snapshot.CountTransitions(ctx, q.windowRows(), MaxTransitions+1)
	return rows <= MaxTransitions, err
}

// windowRows selects what happens in the window.
func (q *question) windowRows() store.TransitionFilter {
	return store.TransitionFilter{WorkflowID: q.workflow.ID, From: q.window.Start, Before: q.until()}
}

// checkKnown refuses a window that begins before what is known.
func (q *question) checkKnown() error {
	if q.window.Start >= q.horizon.DataFrom {
		return nil
	}
	return jobmon.FieldErrorf("start", "the window begins before data_from, %s, from when on the workflow's history is kept; "+
		"ask for a later start", text(q.horizon.DataFrom))
}

// chooseSource decides what the window is read from: rows although its buckets are wide enough for cells
// when the peak of some templates together, or that of statuses for which no cells are kept, is asked for,
// which can be had only so.
func (q *question) chooseSource(ctx context.Context, snapshot store.Snapshot) error {
	q.tier = tierFor(q.window.Bucket)
	bounds := q.bounds()
	if bounds == (UpperBound{}) || q.window.Start < q.horizon.RowsFrom {
		return nil
	}
	most := int64(MaxTransitions)
	if bounds == (UpperBound{OtherPeaks: bounds.OtherPeaks, FirstPeaks: bounds.FirstPeaks}) {
		most = MaxUnasked
	}
	rows, err := snapshot.CountTransitions(ctx, q.windowRows(), most+1)
	if rows <= most {
		q.tier = fromRows
	}
	return err
}

// bounds tells of what the source can give no more than an upper bound.
func (q *question) bounds() UpperBound {
	if q.tier == fromRows {
		return UpperBound{}
	}
	union := len(q.kinds) > 1
	return UpperBound{
		TotalPeaks:  union || q.series.some && len(q.series.names)+q.series.other > 1,
		SeriesPeaks: union,
		// Without names, all together are one series, which is the total.
		OtherPeaks: len(q.series.names) > 0 && (q.series.other > 1 || union && q.series.other > 0),
		FirstPeaks: q.split,
		Entered:    union,
	}
}

// version hashes what the answer depends on: what is asked for beside too, and ACTIVE and every template when they are held
// against limits.
func (q *question) version(ctx context.Context, snapshot store.Snapshot, request Request) (string, error) {
	kinds, names := q.kindsRead(), q.series.names
	for _, statuses := range request.Beside {
		kinds = slices.Concat(kinds, kindsOf(statuses, false))
	}
	if request.Limits {
		kinds, names = slices.Concat(kinds, kindsOf(concurrency.Active, false)), slices.Concat(names, q.all.names)
	}
	generation, err := snapshot.BlockGeneration(ctx, store.BlockFilter{
		WorkflowID: q.workflow.ID, Kinds: kinds, Ranges: generationRanges(q.until()),
	})
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	tell := func(values ...any) { fmt.Fprintln(hash, values...) }
	tell(q.window, q.statuses, request.Beside, generation, q.horizon.RowsFrom, q.horizon.DataFrom)
	for _, name := range names {
		tell(strconv.Quote(name))
	}
	for _, mark := range q.marks {
		tell(mark.ID)
	}
	for _, limit := range q.limits {
		if limit.At < q.until() {
			tell(limit)
		}
	}
	if q.now >= q.window.Start && q.now < q.window.End() {
		tell((q.now - q.window.Start) / q.window.Bucket)
	}
	return hex.EncodeToString(hash.Sum(nil)[:16]), nil
}

func checkCount(window concurrency.Window, most int) error {
	if window.Count <= most {
		return nil
	}
	return jobmon.FieldErrorf("granularity",
		"buckets of %s make %d in this window; at most %d are allowed here: choose a coarser granularity, a shorter window "+
			"or fewer templates", time.Duration(window.Bucket)*time.Microsecond, window.Count, most)
}

// cover returns the window that a request means at a given width of its buckets.
func cover(request Request, workflow store.WorkflowInfo, horizon store.Horizon, now, bucket int64) (concurrency.Window, error) {
	switch {
	case request.All:
		start, end := workflow.FirstAt, workflow.LastAt
		if start < horizon.DataFrom {
			// In whole buckets, so that the window does not begin before what is known.
			start = (horizon.DataFrom + bucket - 1) / bucket * bucket
		}
		if start == 0 {
			start, end = now, now
		}
		if workflow.Active {
			end = now
		}
		return concurrency.Align(start, max(start, end)+1, bucket), nil
	case request.Last > 0:
		window := concurrency.Align(now, now+1, bucket)
		window.Count = int((request.Last.Microseconds() + bucket - 1) / bucket)
		window.Start -= int64(window.Count-1) * bucket
		return window, nil
	case request.End == nil && request.Start > now:
		return concurrency.Window{}, jobmon.FieldErrorf("start", "start lies in the future; give an end after it, or an earlier start")
	case request.End == nil:
		return concurrency.Align(request.Start, now+1, bucket), nil
	case *request.End <= request.Start:
		return concurrency.Window{}, jobmon.FieldErrorf("end", "end must be after start")
	default:
		return concurrency.Align(request.Start, *request.End, bucket), nil
	}
}
