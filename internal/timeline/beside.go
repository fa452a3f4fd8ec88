package timeline

import (
	"context"

	"tasktide/internal/concurrency"
	"tasktide/internal/store"
)

// together returns the question about all of its templates as one, in other statuses.
func (q *question) together(statuses concurrency.StatusSet) *question {
	all := *q
	all.statuses, all.kinds, all.split = statuses, kindsOf(statuses, false), false
	all.series = q.series.fold(nil)
	return &all
}

// countBeside counts from rows, which are read once for all that is counted.
func (q *question) countBeside(ctx context.Context, snapshot store.Snapshot, besides []*question) (Answer, error) {
	before := make([]carried, len(besides))
	for i, beside := range besides {
		q.rowsOf |= beside.statuses
		until := *beside
		until.window.Count = 0
		if err := read(ctx, snapshot, &until, func() counter { before[i] = 0; return &before[i] }); err != nil {
			return Answer{}, err
		}
	}
	var all *sweeps
	answer, err := q.countInto(ctx, snapshot, func(sweep *concurrency.Sweep) counter {
		all = &sweeps{Sweep: sweep, own: q.series.count()}
		for i, beside := range besides {
			other := concurrency.NewSweep(q.window, beside.statuses, 1, q.now)
			_ = other.CarryLevel(0, int64(before[i])) // nothing was told to it yet
			all.beside = append(all.beside, other)
		}
		return all
	})
	if err != nil {
		return Answer{}, err
	}
	for _, beside := range all.beside {
		answer.Beside = append(answer.Beside, Answer{Result: beside.Result()})
	}
	return answer, nil
}

// carried is the level of all series together before a window.
type carried int64

// CarryLevel implements [counter].
func (c *carried) CarryLevel(_ int, delta int64) error {
	*c += carried(delta)
	return nil
}

// AddCells implements [counter]: there is no window.
func (*carried) AddCells(int64, int64, []concurrency.Entry) error { return nil }

// Add implements [counter].
func (*carried) Add(concurrency.Change) error { return nil }

// sweeps are a question's sweep, and those beside it, each of one series.
type sweeps struct {
	*concurrency.Sweep

	own    int // series of the question, before their parts
	beside []*concurrency.Sweep
}

// Add implements [counter].
func (s *sweeps) Add(c concurrency.Change) error {
	if err := s.Sweep.Add(c); err != nil || c.Series >= s.own {
		return err
	}
	c.Series = 0
	for _, beside := range s.beside {
		if err := beside.Add(c); err != nil {
			return err
		}
	}
	return nil
}
