package timeline

import (
	"context"

	"tasktide/internal/concurrency"
	"tasktide/internal/store"
	"tasktide/internal/tracing"
)

// Other is all templates together that are not told apart.
type Other struct {
	concurrency.Series

	Templates int // how many they are
}

// answer works out what is asked.
func (q *question) answer(ctx context.Context, snapshot store.Snapshot, request Request) (answer Answer, err error) {
	ctx, span := tracing.Start(ctx, "count")
	defer func() { span.End(err) }()
	besides := make([]*question, len(request.Beside))
	for i, statuses := range request.Beside {
		besides[i] = q.together(statuses)
	}
	if err := q.chooseTop(ctx, snapshot, request.Top); err != nil {
		return Answer{}, err
	}
	answer, err = q.numbers(ctx, snapshot, besides...)
	if err == nil && request.Limits {
		answer.Limits, err = q.measureLimits(ctx, snapshot)
	}
	return answer, err
}

// numbers counts from the source that suits what is counted, and what is beside it.
func (q *question) numbers(ctx context.Context, snapshot store.Snapshot, besides ...*question) (Answer, error) {
	if err := q.chooseSource(ctx, snapshot); err != nil {
		return Answer{}, err
	}
	if q.tier == fromRows && len(besides) > 0 {
		return q.countBeside(ctx, snapshot, besides)
	}
	answer, err := q.count(ctx, snapshot)
	for _, beside := range besides {
		if err != nil {
			break
		}
		var numbers Answer
		numbers, err = beside.numbers(ctx, snapshot)
		answer.Beside = append(answer.Beside, numbers)
	}
	return answer, err
}

// count lets the engine count what the window's source tells.
func (q *question) count(ctx context.Context, snapshot store.Snapshot) (Answer, error) {
	return q.countInto(ctx, snapshot, func(sweep *concurrency.Sweep) counter { return sweep })
}

// countInto is count with something around the sweep that the reading tells.
func (q *question) countInto(ctx context.Context, snapshot store.Snapshot, around func(*concurrency.Sweep) counter) (Answer, error) {
	var sweep *concurrency.Sweep
	err := read(ctx, snapshot, q, func() counter {
		sweep = concurrency.NewSweep(q.window, q.statuses, q.series.count(), q.now)
		sweep.AddParts(q.partSeries())
		return around(sweep)
	})
	if err != nil {
		return Answer{}, err
	}
	answer := Answer{
		Result: sweep.Result(), Templates: q.series.names, UpperBound: q.bounds(),
		RowsFrom: q.horizon.RowsFrom, DataFrom: q.horizon.DataFrom,
	}
	parts := answer.Series[q.series.count():]
	answer.Series = answer.Series[:q.series.count()]
	if q.series.other > 0 {
		last := len(q.series.names)
		answer.Other = &Other{answer.Series[last], q.series.other}
		answer.Series = answer.Series[:last]
	}
	if q.split {
		answer.splitAttempts(parts, q.series.count())
	}
	return answer, nil
}

// chooseTop folds all templates but the first ones into one series, by the time that their tasks spent in
// the window in what is counted. To find these takes no more than to sum up what is before a window.
func (q *question) chooseTop(ctx context.Context, snapshot store.Snapshot, top int) error {
	if top == 0 || len(q.series.names) <= top {
		return nil
	}
	whole := *q
	whole.tier, whole.split = coarsest(), false
	var tally *concurrency.Tally
	err := read(ctx, snapshot, &whole, func() counter {
		tally = concurrency.NewTally(q.statuses, q.window.Start, q.elapsed(), len(q.series.names))
		return tally
	})
	if err == nil {
		q.series = q.series.fold(tally.Most(top))
	}
	return err
}

// elapsed returns the first instant that is not over, or the end of the window.
func (q *question) elapsed() int64 { return max(q.window.Start, min(q.window.End(), q.now)) }
