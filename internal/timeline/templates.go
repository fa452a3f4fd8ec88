package timeline

import (
	"context"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// TemplateStats says what became of the tasks of a template.
type TemplateStats struct {
	Name string
	// Levels is how many tasks are in each status now; one in which none is may be missing.
	Levels map[jobmon.TaskStatus]int64
	// Attempts is how many attempts at tasks were begun since [TemplatesAnswer].DataFrom, Retries how many of
	// them after a task's first, and Failures how often an attempt failed.
	Attempts, Retries, Failures int64
	// Runs are the lengths of the runs that ended in DONE since then, in microseconds.
	Runs concurrency.Lengths
}

// TemplatesAnswer tells of every template of a workflow.
type TemplatesAnswer struct {
	Now      int64
	DataFrom int64 // before it only the levels are known; 0 means ever since
	// RunsLost says that neither retries nor runs are known, because rows were removed before these were told apart.
	RunsLost  bool
	Templates []TemplateStats // by name
}

// TemplateStats answers out of cells, and out of rows where there are none yet, but never counts tasks.
// CodeNotFound for a workflow that does not exist; CodeUnavailable when too much is not summed up yet.
func (t *Timeline) TemplateStats(ctx context.Context, workflowID int64) (TemplatesAnswer, error) {
	var answer TemplatesAnswer
	err := t.view(ctx, func(ctx context.Context, snapshot store.Snapshot, found *damage) error {
		q, err := begin(ctx, snapshot, found, workflowID, concurrency.All, nil)
		if err != nil {
			return err
		}
		q.window = concurrency.Window{Start: q.now, Bucket: 1, Count: 1}
		if err := q.readMarks(ctx, snapshot); err != nil {
			return err
		}
		answer = TemplatesAnswer{Now: q.now, DataFrom: q.horizon.DataFrom, RunsLost: q.horizon.RunsLost}
		answer.Templates = make([]TemplateStats, len(q.series.names))
		for i, name := range q.series.names {
			answer.Templates[i] = TemplateStats{Name: name, Levels: map[jobmon.TaskStatus]int64{}}
		}
		if err := q.templateLevels(ctx, snapshot, answer.Templates); err != nil || q.horizon.RunsLost {
			return err
		}
		return q.templateRuns(ctx, snapshot, answer.Templates)
	})
	return answer, err
}

func (q *question) templateLevels(ctx context.Context, snapshot store.Snapshot, stats []TemplateStats) error {
	queued, _ := concurrency.KindOf(concurrency.Of(jobmon.TaskQueued), true)
	every := *q
	every.kinds = append(kindsOf(concurrency.All, false), queued.Name)
	return every.sumUp(ctx, snapshot, coarsest(), func(kind concurrency.Kind, series, _ int, cell *concurrency.Cell) {
		of := &stats[series]
		if kind.Retries {
			of.Retries += cell.Entered
			return
		}
		of.add(kind.Set.Statuses()[0], cell.Delta, cell.Entered)
	}, func(filter store.TransitionFilter) error {
		sums, err := snapshot.SumTransitions(ctx, filter)
		for _, sum := range sums {
			series, err := q.series.of(sum.TaskTemplateID)
			if err != nil {
				return err
			}
			of := &stats[series]
			if sum.From != 0 {
				of.add(sum.From, -sum.Count, 0)
			}
			of.add(sum.To, sum.Count, sum.Count)
			if sum.To == jobmon.TaskQueued && sum.Retry > 0 {
				of.Retries += sum.Count
			}
		}
		return err
	})
}

// add tells of a status that its level has changed by so much, and that tasks have entered it so often.
func (s *TemplateStats) add(status jobmon.TaskStatus, delta, entered int64) {
	s.Levels[status] += delta
	switch status {
	case jobmon.TaskQueued:
		s.Attempts += entered
	case jobmon.TaskErrorRecoverable:
		s.Failures += entered
	default:
	}
}

func (q *question) templateRuns(ctx context.Context, snapshot store.Snapshot, stats []TemplateStats) error {
	every := *q
	every.kinds = []string{concurrency.Runs.Name}
	every.statuses = concurrency.Of(jobmon.TaskDone) // of rows
	return every.sumUp(ctx, snapshot, concurrency.Runs.Tiers-1, func(_ concurrency.Kind, series, class int, cell *concurrency.Cell) {
		stats[series].Runs.Add(class, cell.Entered)
	}, func(filter store.TransitionFilter) error {
		for row, err := range snapshot.Changes(ctx, filter) {
			if err != nil {
				return err
			}
			series, err := q.series.of(row.TaskTemplateID)
			if err != nil {
				return err
			}
			if class, ended := concurrency.RunOf(concurrency.ChangeOf(row, series)); ended {
				stats[series].Runs.Add(class, 1)
			}
		}
		return nil
	})
}

// sumUp tells, in no order, of all that is known of the workflow's kinds up to now: of each cell of each template,
// of a tier at most, and of the rows of which no cell tells. Of what was removed it tells too.
func (q *question) sumUp(
	ctx context.Context, snapshot store.Snapshot, tier int,
	cell func(kind concurrency.Kind, series, class int, cell *concurrency.Cell), rows func(filter store.TransitionFilter) error,
) error {
	if q.workflow.FirstAt == 0 {
		return nil // nothing has happened yet
	}
	from := max(q.horizon.DataFrom, q.workflow.FirstAt-q.workflow.FirstAt%hour)
	for {
		pieces := join(q.plan.cover(nil, from, q.now+1, tier), q.horizon.RowsFrom)
		r, whole, err := q.fetch(ctx, snapshot, pieces)
		if err != nil {
			return err
		}
		if !whole {
			continue
		}
		tell := func(key store.BlockKey, i int) error { return r.tellCell(key, i, cell) }
		if err := tell(store.BlockKey{}, 0); err != nil {
			return err
		}
		for _, p := range pieces {
			if p.tier != fromRows {
				err = r.eachCell(p, tell)
			} else if err = r.spend(ctx, r.filter(p)); err == nil {
				err = rows(r.filter(p))
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// tellCell tells of one cell of each block with a key, and of each template in it.
func (r *reading) tellCell(
	key store.BlockKey, i int, tell func(kind concurrency.Kind, series, class int, cell *concurrency.Cell),
) error {
	for _, block := range r.blocks[key] {
		var err error
		if r.cells, err = block.Append(r.cells[:0], i); err != nil {
			return err
		}
		ids := block.Series()
		for n := range r.cells { // by index: an entry is long, and there are many
			if e := &r.cells[n]; e.Series != concurrency.Total {
				_, class := block.kind.Of(ids[e.Series])
				tell(block.kind, block.series[e.Series], class, &e.Cell)
			}
		}
	}
	return nil
}
