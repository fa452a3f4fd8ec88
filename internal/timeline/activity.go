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
	known := (horizon.DataFrom + bucket - 1) / bucket * bucket
	if known > now && horizon.DataFrom <= now { // no bucket is known whole
		q, err := begin(ctx, snapshot, found, workflowID, concurrency.Of(jobmon.TaskRunning), nil)
		if err != nil {
			return nil, err
		}
		q.window = concurrency.Window{Start: now + 1, Bucket: bucket}
		return q, q.readMarks(ctx, snapshot)
	}
	q, _, err := ask(ctx, snapshot, found, Request{
		WorkflowID: workflowID, Start: max(start, known), End: new(now + 1), Bucket: bucket,
		Statuses: concurrency.Of(jobmon.TaskRunning),
	})
	return q, err
}

func (q *question) activity(ctx context.Context, snapshot store.Snapshot) (Activity, error) {
	levels, err := q.levels(ctx, snapshot)
	if err != nil {
		return Activity{}, err
	}
	if q.window.Count == 0 {
		return Activity{q.workflow.ID, q.now, levels, q.window.Start, nil}, nil
	}
	answer, err := q.together(q.statuses).numbers(ctx, snapshot)
	return Activity{q.workflow.ID, q.now, levels, q.window.Start, answer.Total.Peak}, err
}

// levels counts the tasks of all templates in each status now.
func (q *question) levels(ctx context.Context, snapshot store.Snapshot) (map[jobmon.TaskStatus]int64, error) {
	every := *q
	every.kinds, every.series, every.statuses = kindsOf(concurrency.All, false), q.all, concurrency.All
	levels := map[jobmon.TaskStatus]int64{}
	err := every.sumUp(ctx, snapshot, coarsest(), func(kind concurrency.Kind, _, _ int, cell *concurrency.Cell) {
		levels[kind.Set.Statuses()[0]] += cell.Delta
	}, func(filter store.TransitionFilter) error {
		sums, err := snapshot.SumTransitions(ctx, filter)
		for _, sum := range sums {
			levels[sum.From] -= sum.Count
			levels[sum.To] += sum.Count
		}
		delete(levels, 0) // what a task was in before it was created
		return err
	})
	return levels, err
}
