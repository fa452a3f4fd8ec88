package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/store/sqlstore"
)

// mover moves tasks to a status.
type mover interface {
	// move does so in one transaction, as the ledger does: it locks the tasks, reads the clock and
	// moves them. Nil means that the moves are stored for good.
	move(ctx context.Context, ids []int64, to jobmon.TaskStatus) error
}

// product is the store as it is.
type product struct{ store *sqlstore.Store }

func (p product) move(ctx context.Context, ids []int64, to jobmon.TaskStatus) error {
	return p.store.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		locked, err := tx.LockTasks(ctx, store.TaskFilter{IDs: ids})
		if err != nil {
			return err
		}
		if len(locked) != len(ids) {
			return fmt.Errorf("%d tasks of %d are there", len(locked), len(ids))
		}
		at, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		return tx.MoveTasks(ctx, store.TaskMove{IDs: ids, To: to, At: at})
	})
}

// following leads a task around, so that each move is a change.
var following = map[jobmon.TaskStatus]jobmon.TaskStatus{
	jobmon.TaskRegistering:        jobmon.TaskQueued,
	jobmon.TaskQueued:             jobmon.TaskInstantiating,
	jobmon.TaskInstantiating:      jobmon.TaskLaunched,
	jobmon.TaskLaunched:           jobmon.TaskRunning,
	jobmon.TaskRunning:            jobmon.TaskDone,
	jobmon.TaskDone:               jobmon.TaskRegistering,
	jobmon.TaskAdjustingResources: jobmon.TaskQueued,
}

// step moves neighbouring tasks to a status, and notes that it was told done. A task that is there already
// does not move.
func (s *side) step(ctx context.Context, first, tasks int, to jobmon.TaskStatus) error {
	if err := s.move(ctx, s.tasks[first:first+tasks], to); err != nil {
		return err
	}
	for i := first; i < first+tasks; i++ {
		if s.told[i] != to {
			s.told[i] = to
			s.moved[i]++
		}
	}
	return nil
}

// workload is something that is timed.
type workload struct {
	size  int
	unit  string        // of what the size counts
	round time.Duration // how long one round takes
	ahead time.Duration // how long it is done before it is timed
	// prepare is done on a side before its first round.
	prepare func(ctx context.Context, s *side) error
	// run does it on a side for a time and returns the figure that is reported.
	run func(ctx context.Context, s *side, length time.Duration) (float64, error)
}

const (
	writers = "writers"
	atOnce  = "tasks at once"
)

// workloads lists everything that is timed on one database.
func workloads(p plan) []workload {
	var all []workload
	for _, n := range []int{1, 4, 16, 64} {
		all = append(all, workload{
			size: n, unit: writers, round: p.single, ahead: p.ahead,
			prepare: func(_ context.Context, s *side) error { s.spread(n); return nil },
			run: func(ctx context.Context, s *side, length time.Duration) (float64, error) {
				return s.singleMoves(ctx, length)
			},
		})
	}
	for _, n := range []int{100, 1_000, 10_000} {
		all = append(all, workload{
			size: n, unit: atOnce, round: p.bulk, ahead: p.ahead,
			prepare: func(ctx context.Context, s *side) error { return s.align(ctx) },
			run: func(ctx context.Context, s *side, length time.Duration) (float64, error) {
				return s.bulkMoves(ctx, n, length)
			},
		})
	}
	return all
}

// spread gives each writer tasks of its own. Neighbours belong to different writers, as those that run at
// once do.
func (s *side) spread(writers int) {
	s.next = make([]int, writers)
	for writer := range s.next {
		s.next[writer] = writer
	}
}

// singleMoves lets each writer move one of its tasks after the other, and returns how many moves they all
// make in a second. A round goes on where the last one ended, so that no task is moved much more often
// than another: in its life it is moved a few times.
func (s *side) singleMoves(ctx context.Context, length time.Duration) (float64, error) {
	var moves atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	begun := time.Now()
	for writer := range s.next {
		group.Go(func() error {
			for time.Since(begun) < length {
				task := s.next[writer]
				if err := s.step(ctx, task, 1, following[s.told[task]]); err != nil {
					return err
				}
				if s.next[writer] += len(s.next); s.next[writer] >= taskCount {
					s.next[writer] = writer
				}
				moves.Add(1)
			}
			return nil
		})
	}
	err := group.Wait()
	return float64(moves.Load()) / time.Since(begun).Seconds(), err
}

// align moves all tasks to the one status into which nothing else leads, so that neighbours may be moved
// together by the one writer that there is then.
func (s *side) align(ctx context.Context) error {
	const most = 10_000 // as the ledger has it
	s.spread(1)
	for first := 0; first < taskCount; first += most {
		if err := s.step(ctx, first, most, jobmon.TaskAdjustingResources); err != nil {
			return err
		}
	}
	return nil
}

// bulkMoves moves neighbouring tasks together, then the next ones, and returns how many milliseconds one
// move takes on average.
func (s *side) bulkMoves(ctx context.Context, tasks int, length time.Duration) (float64, error) {
	begun := time.Now()
	moves := 0
	for ; time.Since(begun) < length; moves++ {
		first := s.next[0]
		if err := s.step(ctx, first, tasks, following[s.told[first]]); err != nil {
			return 0, err
		}
		s.next[0] = (first + tasks) % taskCount
	}
	return float64(time.Since(begun).Microseconds()) / 1000 / float64(moves), nil
}

// measurement is what one workload gave: a figure of each side for each round.
type measurement struct {
	with, without []float64
	contention    sqlstore.Contention // of the side with the audit
	moves         int                 // that were found in the audit
}

// measure times a workload on both sides, in turns that begin with the other side each time, and
// verifies both afterwards.
func (p *pair) measure(ctx context.Context, w workload, rounds int) (m measurement, err error) {
	sides := []*side{p.with, p.without}
	for _, side := range sides {
		if err := w.prepare(ctx, side); err != nil {
			return m, err
		}
		if _, err := w.run(ctx, side, w.ahead); err != nil {
			return m, err
		}
	}
	if err := p.settle(ctx); err != nil {
		return m, err
	}
	before := p.with.store.Contention()
	figures := map[*side][]float64{}
	for range rounds {
		for _, side := range sides {
			runtime.GC() // neither side collects what the other left
			figure, err := w.run(ctx, side, w.round)
			if err != nil {
				return m, err
			}
			figures[side] = append(figures[side], figure)
		}
		slices.Reverse(sides)
	}
	m.with, m.without = figures[p.with], figures[p.without]
	after := p.with.store.Contention()
	m.contention = sqlstore.Contention{
		Retried: after.Retried - before.Retried, Reported: after.Reported - before.Reported,
	}
	if _, err := p.without.verify(ctx); err != nil {
		return m, err
	}
	m.moves, err = p.with.verify(ctx)
	return m, err
}
