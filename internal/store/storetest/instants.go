package storetest

import (
	"context"
	"math"
	"testing"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// someInstants are those that a database is likely to bend.
var someInstants = []int64{
	1, 999_999, 1_000_000, begin,
	time.Date(2024, time.February, 29, 23, 59, 59, 999_999_000, time.UTC).UnixMicro(),
	// Where these are taken for local times of Central Europe, they do not exist or exist twice.
	time.Date(2024, time.March, 31, 1, 30, 0, 1000, time.UTC).UnixMicro(),
	time.Date(2024, time.March, 31, 2, 30, 0, 1000, time.UTC).UnixMicro(),
	time.Date(2024, time.October, 27, 0, 30, 0, 1000, time.UTC).UnixMicro(),
	time.Date(2024, time.October, 27, 1, 30, 0, 1000, time.UTC).UnixMicro(),
	time.Date(2024, time.October, 27, 2, 30, 0, 1000, time.UTC).UnixMicro(),
	// Beyond 32 bits of seconds.
	time.Date(2038, time.January, 19, 3, 14, 8, 1000, time.UTC).UnixMicro(),
	store.MaxInstant,
}

// atEachInstant runs a test for each of someInstants.
func atEachInstant(test func(t *testing.T, s store.Store, at int64)) func(t *testing.T, s store.Store) {
	return func(t *testing.T, s store.Store) {
		for _, at := range someInstants {
			t.Run(time.UnixMicro(at).UTC().Format(time.RFC3339Nano), func(t *testing.T) { test(t, s, at) })
		}
	}
}

var instantTests = map[string]func(t *testing.T, s store.Store){
	"WhatIsSavedKeepsItsInstants": atEachInstant(func(t *testing.T, s store.Store, at int64) {
		f := newFixture(t, s, newName(), 0)
		workflow := store.Workflow{WorkflowKey: f.key, Status: jobmon.WorkflowDone, StatusAt: at, CreatedAt: at}
		workflow.TaskHash = "at"
		run := store.Run{Status: jobmon.RunDone, StatusAt: at, CreatedAt: at, HeartbeatAt: at}
		array := store.Array{TaskTemplateVersionID: f.template.ID, CreatedAt: at}
		// Inserted, and then overwritten with the same.
		for range 2 {
			f.update(func(ctx context.Context, tx store.Tx) (err error) {
				workflow.ID, err = tx.SaveWorkflow(ctx, workflow)
				f.ok(err)
				run.WorkflowID, array.WorkflowID = workflow.ID, workflow.ID
				run.ID, err = tx.SaveRun(ctx, run)
				f.ok(err)
				array.ID, err = tx.SaveArray(ctx, array)
				f.ok(err)
				return tx.AppendLimit(ctx, store.Limit{WorkflowID: workflow.ID, At: at})
			})
			f.update(func(ctx context.Context, tx store.Tx) error {
				lockedRun, err := tx.LockRun(ctx, run.ID)
				f.ok(err)
				lockedWorkflow, err := tx.LockWorkflow(ctx, workflow.ID)
				f.ok(err)
				lockedArray, err := tx.LockArray(ctx, array.ID)
				if lockedRun != run || lockedWorkflow != workflow || lockedArray != array {
					t.Errorf("got %+v, %+v and %+v", lockedRun, lockedWorkflow, lockedArray)
				}
				return err
			})
		}
		f.view(func(ctx context.Context, view store.Snapshot) error {
			info, err := view.Workflow(ctx, workflow.ID)
			f.ok(err)
			seen, err := view.Run(ctx, run.ID)
			if info.Workflow != workflow || seen != run {
				t.Errorf("a snapshot has %+v and %+v", info.Workflow, seen)
			}
			f.ok(err)
			limits, err := view.Limits(ctx, workflow.ID)
			equal(t, "limits", limits, []store.Limit{{WorkflowID: workflow.ID, At: at}, {WorkflowID: workflow.ID, At: at}})
			return err
		})
	}),

	"WhatHappensKeepsItsInstants": atEachInstant(func(t *testing.T, s store.Store, at int64) {
		f := newFixture(t, s, newName(), 0)
		tasks := f.newTasks(1)
		f.update(func(ctx context.Context, tx store.Tx) (err error) {
			f.tasks, err = tx.InsertTasks(ctx, tasks, at)
			return err
		})
		f.move(at, jobmon.TaskQueued, f.tasks...)
		f.move(1, jobmon.TaskInstantiating, f.tasks...) // not before it was queued
		f.queue(at, f.tasks...)
		if task := f.stored(store.TaskFilter{IDs: f.tasks})[0]; task.StatusAt != at {
			t.Errorf("task %+v", task)
		}
		moves := []jobmon.TaskStatus{jobmon.TaskRegistering, jobmon.TaskQueued, jobmon.TaskInstantiating}
		instances := f.instances(store.InstanceFilter{RunID: f.run})
		f.update(func(ctx context.Context, tx store.Tx) error {
			f.ok(tx.AppendInstanceErrors(ctx, instanceIDs(instances), "", at))
			return tx.MoveInstances(ctx, store.InstanceMove{
				IDs: instanceIDs(instances), To: jobmon.InstanceDone, At: at,
				Report: store.InstanceReport{SubmittedAt: &at, ReportBy: &at},
			})
		})
		instances = append(instances, f.instances(store.InstanceFilter{RunID: f.run})...)
		if len(instances) != 2 || instances[0].StatusAt != at || instances[1].StatusAt != at {
			t.Errorf("instances %+v", instances)
		}
		f.view(func(ctx context.Context, view store.Snapshot) error {
			info, err := view.Workflow(ctx, f.workflow)
			if info.FirstAt != at || info.LastAt != at {
				t.Errorf("workflow %+v", info)
			}
			f.ok(err)
			for _, c := range []struct {
				from, before int64
				want         []jobmon.TaskStatus
			}{
				{at, at + 1, moves}, {0, at + 1, moves}, {at, math.MaxInt64, moves}, {math.MinInt64, 1 << 62, moves},
				{0, at, nil}, {at + 1, 1 << 62, nil}, {-1, at - 1, nil}, {at + 1, at + 1, nil},
			} {
				filter := store.TransitionFilter{WorkflowID: f.workflow, From: c.from, Before: c.before}
				var got []jobmon.TaskStatus
				for row, err := range view.Transitions(ctx, filter) {
					f.ok(err)
					if row.At != at || row.From != 0 && row.PreviousAt != at {
						t.Errorf("transition %+v", row)
					}
					got = append(got, row.To)
				}
				equal(t, "transitions", got, c.want)
				count, err := view.CountTransitions(ctx, filter, 100)
				f.ok(err)
				sums, err := view.SumTransitions(ctx, filter)
				f.ok(err)
				if count != int64(len(c.want)) || len(sums) != len(c.want) {
					t.Errorf("in [%d, %d): %d transitions, sums %+v", c.from, c.before, count, sums)
				}
			}
			return nil
		})
	}),

	"WhatIsImportedKeepsItsInstants": atEachInstant(func(t *testing.T, s store.Store, at int64) {
		f := newFixture(t, s, newName(), 0)
		id, err := s.BeginImport(t.Context(), store.Import{Name: newName(), Engine: "nextflow", SourceHash: "abc"})
		f.ok(err)
		f.workflow = id
		f.ok(s.ImportTasks(t.Context(), id, []jobmon.TaskHistory{
			{Name: "t", Template: "t", Moves: []jobmon.Move{{To: jobmon.TaskRegistering, At: at}, {To: jobmon.TaskDone, At: at}}},
		}))
		f.ok(s.PublishImport(t.Context(), id, jobmon.WorkflowDone))
		rows := f.history()
		if len(rows) != 2 || rows[0].At != at || rows[0].PreviousAt != 0 || rows[1].At != at || rows[1].PreviousAt != at {
			t.Errorf("transitions %+v", rows)
		}
		if task := f.stored(store.TaskFilter{WorkflowID: id})[0]; task.StatusAt != at {
			t.Errorf("task %+v", task)
		}
		f.view(func(ctx context.Context, view store.Snapshot) error {
			info, err := view.Workflow(ctx, id)
			if info.FirstAt != at || info.LastAt != at || info.StatusAt != at || info.CreatedAt != at {
				t.Errorf("workflow %+v", info)
			}
			f.ok(err)
			limits, err := view.Limits(ctx, id)
			for _, limit := range limits {
				if limit.At != at {
					t.Errorf("limit %+v", limit)
				}
			}
			return err
		})
	}),

	"NotYetIsZero": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		run := store.Run{WorkflowID: f.workflow, Status: jobmon.RunRegistered}
		f.update(func(ctx context.Context, tx store.Tx) (err error) {
			run.ID, err = tx.SaveRun(ctx, run)
			f.ok(err)
			locked, err := tx.LockRun(ctx, run.ID)
			if locked != run {
				t.Errorf("got %+v, want %+v", locked, run)
			}
			return err
		})
	},

	"TiesOfTwoWorkflows": func(t *testing.T, s store.Store) {
		f, other := newFixture(t, s, "a", 2), newFixture(t, s, "b", 1)
		f.move(begin+5, jobmon.TaskQueued, f.tasks[1])
		other.move(begin+5, jobmon.TaskQueued, other.tasks[0])
		f.move(begin+5, jobmon.TaskQueued, f.tasks[0])
		other.move(begin+5, jobmon.TaskInstantiating, other.tasks[0])
		f.move(begin+5, jobmon.TaskInstantiating, f.tasks[1])
		f.tasks = append(f.tasks, f.addTasks(1)...)
		f.move(begin+3, jobmon.TaskQueued, f.tasks[2]) // written last, and the clock was set back
		type row struct {
			task int64
			to   jobmon.TaskStatus
			at   int64
		}
		for _, c := range []struct {
			of   *fixture
			want []row
		}{
			{f, []row{
				{f.tasks[2], jobmon.TaskQueued, begin + 3}, {f.tasks[1], jobmon.TaskQueued, begin + 5},
				{f.tasks[0], jobmon.TaskQueued, begin + 5}, {f.tasks[1], jobmon.TaskInstantiating, begin + 5},
			}},
			{other, []row{
				{other.tasks[0], jobmon.TaskQueued, begin + 5}, {other.tasks[0], jobmon.TaskInstantiating, begin + 5},
			}},
		} {
			var got []row
			before := jobmon.Transition{}
			for _, next := range c.of.history() {
				if next.At == before.At && next.ID <= before.ID {
					t.Errorf("%+v comes after %+v", next, before)
				}
				if before = next; next.From != 0 {
					got = append(got, row{next.TaskID, next.To, next.At})
				}
			}
			equal(t, "rows", got, c.want)
		}
	},
}
