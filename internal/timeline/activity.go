package timeline

import (
	"context"
	"time"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// The buckets of an [Activity]: together the last 24 hours, of which the current bucket is the last.
const (
	ActivityPoints = 48
	ActivityBucket = 30 * time.Minute
)

// Activity says in short what a workflow does.
type Activity struct {
	WorkflowID int64
	Now        int64
	// Levels is how many tasks are in each status now; one in which none is may be missing.
	Levels map[jobmon.TaskStatus]int64
	// From is the first instant of the first bucket, and Peaks the most tasks in RUNNING at any instant of each,
	// up to now. They are fewer where less is known.
	From  int64
	Peaks []int64
}

// Activity answers for several workflows, in the order given, from one snapshot. It reads cells, and rows as
// [Timeline.Concurrency] does, but never the tasks. CodeNotFound for a workflow that does not exist.
func (t *Timeline) Activity(ctx context.Context, workflowIDs []int64) ([]Activity, error) {
	activities := make([]Activity, len(workflowIDs))
	err := t.view(ctx, func(ctx context.Context, snapshot store.Snapshot, found *damage) error {
		for i, id := range workflowIDs {
			q, err := askActivity(ctx, snapshot, found, id)
			if err != nil {
				return err
			}
			if activities[i], err = q.activity(ctx, snapshot); err != nil {
				return err
			}
		}
		return nil
	})
	return activities, err
}

func askActivity(ctx context.Context, snapshot store.Snapshot, found *damage, workflowID int64) (*question, error) {
	now, err := snapshot.Now(ctx)
	if err != nil {
		return nil, err
	}
	horizon, err := snapshot.Horizon(ctx, workflowID)
	if err != nil {
		return nil, err
	}
	bucket := ActivityBucket.Microseconds()
	start := now - now%bucket - (ActivityPoints-1)*bucket
	q, _, err := ask(ctx, snapshot, found, Request{
		WorkflowID: workflowID, Start: max(start, horizon.DataFrom), End: new(now + 1), Bucket: bucket,
		Statuses: concurrency.Of(jobmon.TaskRunning),
	})
	return q, err
}

func (q *question) activity(ctx context.Context, snapshot store.Snapshot) (Activity, error) {
	levels, err := q.levels(ctx, snapshot)
	if err != nil {
		return Activity{}, err
	}
	q.series = q.series.fold(nil) // only all together are asked for
	q.tier = tierFor(q.window.Bucket)
	answer, err := q.count(ctx, snapshot)
	return Activity{q.workflow.ID, q.now, levels, q.window.Start, answer.Total.Peak}, err
}

// levels counts the tasks of all templates in each status now.
func (q *question) levels(ctx context.Context, snapshot store.Snapshot) (map[jobmon.TaskStatus]int64, error) {
	every := *q
	every.kinds, every.series = kindsOf(concurrency.All), q.all
	for {
		pieces := join(q.plan.cover(nil, q.horizon.DataFrom, q.now+1, coarsest()), q.horizon.RowsFrom)
		r, whole, err := every.fetch(ctx, snapshot, pieces)
		if err != nil {
			return nil, err
		}
		if !whole {
			continue
		}
		levels := map[jobmon.TaskStatus]int64{}
		if err := r.addLevels(levels, store.BlockKey{}, 0); err != nil {
			return nil, err
		}
		for _, p := range pieces {
			if err := r.sumLevels(ctx, levels, p); err != nil {
				return nil, err
			}
		}
		return levels, nil
	}
}

// sumLevels adds what a piece changed.
func (r *reading) sumLevels(ctx context.Context, levels map[jobmon.TaskStatus]int64, p piece) error {
	if p.tier != fromRows {
		return r.eachCell(p, func(key store.BlockKey, cell int) error { return r.addLevels(levels, key, cell) })
	}
	filter := store.TransitionFilter{WorkflowID: r.workflow.ID, From: p.from, Before: p.to}
	if err := r.spend(ctx, filter); err != nil {
		return err
	}
	sums, err := r.snapshot.SumTransitions(ctx, filter)
	for _, sum := range sums {
		levels[sum.From] -= sum.Count
		levels[sum.To] += sum.Count
	}
	delete(levels, 0) // what a task was in before it was created
	return err
}

// addLevels adds what one cell of all templates together changed.
func (r *reading) addLevels(levels map[jobmon.TaskStatus]int64, key store.BlockKey, cell int) error {
	for _, block := range r.blocks[key] {
		var err error
		if r.cells, err = block.Append(r.cells[:0], cell); err != nil {
			return err
		}
		for _, entry := range r.cells {
			if entry.Series == concurrency.Total {
				levels[block.status] += entry.Delta
			}
		}
	}
	return nil
}
