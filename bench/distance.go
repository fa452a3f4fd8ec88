package main

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/ledger"
	"tasktide/internal/store"
	"tasktide/internal/timeline"
)

// path is the life of a task of a stream, and how long it stays in each status at most.
var path = []struct {
	to   jobmon.TaskStatus
	stay time.Duration // for a life of an hour; shorter ones have their share
}{
	{jobmon.TaskRegistering, 30 * time.Second},
	{jobmon.TaskQueued, 30 * time.Second},
	{jobmon.TaskInstantiating, 30 * time.Second},
	{jobmon.TaskLaunched, 90 * time.Second},
	{jobmon.TaskRunning, 57 * time.Minute},
	{jobmon.TaskDone, 0},
}

// evenly creates tasks at a pace from an instant on.
func evenly(from int64, pace time.Duration) func(i int) int64 {
	return func(i int) int64 { return from + int64(i)*pace.Microseconds() }
}

// stream yields tasks of which each is created when the function says, and lives up to a length.
func stream(created func(i int) int64, longest time.Duration, tasks int) iter.Seq[jobmon.TaskHistory] {
	const templates = 20
	return func(yield func(jobmon.TaskHistory) bool) {
		rng := rand.New(rand.NewPCG(seed, seed))
		for i := range tasks {
			template := fmt.Sprintf("template_%02d", 1+rng.IntN(templates))
			task := jobmon.TaskHistory{Name: fmt.Sprintf("%s_stream-%d", template, i+1), Template: template, Attempts: 1}
			at := created(i)
			for _, step := range path {
				task.Moves = append(task.Moves, jobmon.Move{To: step.to, At: at})
				at += int64(rng.Float64() * float64(step.stay) / float64(time.Hour) * float64(longest.Microseconds()))
			}
			if !yield(task) {
				return
			}
		}
	}
}

// storeStream stores a workflow in every database and returns its id in each.
func (r *readSide) storeStream(ctx context.Context, name string, tasks iter.Seq[jobmon.TaskHistory]) ([]int64, error) {
	ids := make([]int64, len(r.beds))
	group, within := errgroup.WithContext(ctx)
	for i, b := range r.beds {
		group.Go(func() error {
			moves := ledger.New(b.store, slog.New(slog.DiscardHandler))
			var err error
			ids[i], err = moves.ImportSeq(within, store.Import{Name: name, Engine: "workload", SourceHash: name}, tasks, importBatch, nil)
			return err
		})
	}
	return ids, group.Wait()
}

const (
	// The long workflow: 16,800 tasks make 100,800 transitions, in one hour of each day: summing up 9,600 hours
	// would take longer than all else.
	longDays     = 400
	longPerDay   = 42
	longTasks    = longDays * longPerDay
	distance     = "1 h @ 1 min of 400 days"
	atTheEnd     = ", their last"
	atTheStart   = ", their first"
	longLifetime = 20 * time.Minute
)

// measureDistance times a chart of an hour at the end of a workflow of 400 days and one at their start.
func (r *readSide) measureDistance(ctx context.Context) error {
	until := end.UnixMicro()
	from := end.Add(-longDays * day).UnixMicro()
	created := func(i int) int64 {
		// The first hour of the first day, the last of the last, and whole hours between.
		at := (time.Duration(i/longPerDay) * (longDays*day - time.Hour) / (longDays - 1)).Truncate(time.Hour)
		// The last task of an hour lives to its end.
		return from + (at + time.Duration(i%longPerDay)*(time.Hour-longLifetime)/longPerDay).Microseconds()
	}
	ids, err := r.storeStream(ctx, "400 days", stream(created, longLifetime, longTasks))
	if err != nil {
		return err
	}
	var all []contestant
	for i, b := range r.beds {
		if err := b.rollUp.Pass(ctx); err != nil {
			return err
		}
		if err := b.settle(ctx); err != nil {
			return err
		}
		for _, window := range []struct {
			name     string
			from, to int64
		}{
			{atTheStart, from, from + time.Hour.Microseconds()},
			{atTheEnd, until - time.Hour.Microseconds(), until},
		} {
			request := timeline.Request{
				WorkflowID: ids[i], Start: window.from, End: &window.to, Bucket: time.Minute.Microseconds(),
				Statuses: concurrency.Of(jobmon.TaskRunning),
			}
			all = append(all, contestant{name: names[b.kind] + window.name, run: func(ctx context.Context) error {
				_, err := b.line.Concurrency(ctx, request)
				return err
			}})
		}
	}
	return r.time(ctx, distance, all)
}
