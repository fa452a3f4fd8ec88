package storetest

import (
	"context"
	"math"
	"slices"
	"testing"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// remove deletes up to most of the transitions that match, and demands how many.
func (f *fixture) remove(filter store.TransitionFilter, most int, want int64) {
	f.Helper()
	f.maintain(func(ctx context.Context, tx store.UpkeepTx) error {
		got, err := tx.DeleteTransitions(ctx, filter, most)
		if got != want {
			f.Errorf("%d transitions were deleted, want %d", got, want)
		}
		return err
	})
}

// span demands what a list of workflows says of the workflow's first and last transition.
func (f *fixture) span(what string, first, last int64) {
	f.Helper()
	f.view(func(ctx context.Context, view store.Snapshot) error {
		info, err := view.Workflow(ctx, f.workflow)
		f.ok(err)
		listed, err := view.Workflows(ctx, store.WorkflowFilter{})
		if i := slices.IndexFunc(listed, func(w store.WorkflowInfo) bool { return w.ID == f.workflow }); i < 0 || listed[i] != info {
			f.Errorf("%s: listed as %+v", what, listed)
		}
		if info.FirstAt != first || info.LastAt != last {
			f.Errorf("%s: from %d to %d, want %d to %d", what, info.FirstAt, info.LastAt, first, last)
		}
		return err
	})
}

func (f *fixture) saveHorizon(horizon store.Horizon) {
	f.Helper()
	horizon.WorkflowID = f.workflow
	f.maintain(func(ctx context.Context, tx store.UpkeepTx) error {
		f.ok(lockHorizon(f.workflow)(ctx, tx))
		return tx.SaveHorizon(ctx, horizon)
	})
}

var removalTests = map[string]func(t *testing.T, s store.Store){
	"TheEarliestAreDeletedFirst": func(t *testing.T, s store.Store) {
		f, other := newFixture(t, s, "a", 3), newFixture(t, s, "b", 2)
		f.move(sharp, jobmon.TaskQueued, f.tasks[2]) // written before those that are earlier
		f.move(begin+2, jobmon.TaskQueued, f.tasks[:2]...)
		f.move(begin+1, jobmon.TaskInstantiating, f.tasks...)
		f.move(sharp+hour, jobmon.TaskRunning, f.tasks[0])
		rows, tasks, marks, others := f.history(), f.stored(store.TaskFilter{WorkflowID: f.workflow}), f.marks(), other.history()
		before := f.always()
		before.Before = sharp + 1
		for _, step := range []struct{ most, want int }{{0, 0}, {1, 1}, {4, 4}, {3, 3}, {1, 1}, {1, 0}, {100, 0}} {
			f.remove(before, step.most, int64(step.want))
			rows = rows[step.want:]
			equal(t, "rows that are left", f.history(), rows)
		}
		if len(rows) != 1 || rows[0].At != sharp+hour {
			t.Errorf("rows %+v", rows)
		}
		equal(t, "tasks", f.stored(store.TaskFilter{WorkflowID: f.workflow}), tasks)
		equal(t, "marks", f.marks(), marks)
		equal(t, "other's rows", other.history(), others)
		f.remove(f.always(), 100, 1)
		equal(t, "rows", f.history(), nil)
	},

	"DeletedTransitionsAreThoseThatMatch": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 1)
		for i, to := range "QIOR" {
			f.move(begin+int64(i)+1, jobmon.TaskStatus(to), f.tasks...)
		}
		filter := func(from, before int64, statuses ...jobmon.TaskStatus) store.TransitionFilter {
			return store.TransitionFilter{WorkflowID: f.workflow, From: from, Before: before, Statuses: statuses}
		}
		f.remove(filter(begin+5, math.MaxInt64), 10, 0)
		f.remove(filter(0, begin), 10, 0)
		f.remove(filter(begin+2, begin+2), 10, 0)
		f.remove(filter(begin+3, begin+1), 10, 0)
		f.remove(filter(begin, math.MaxInt64, jobmon.TaskErrorFatal), 10, 0)
		f.remove(filter(begin+1, begin+2), 10, 1)
		f.remove(filter(math.MinInt64, math.MaxInt64, jobmon.TaskRunning), 10, 1)
		var left []int64
		for _, row := range f.history() {
			left = append(left, row.At-begin)
		}
		equal(t, "rows that are left", left, []int64{0, 2, 3})
	},

	"ThousandsAreDeletedAtOnce": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		f.addManyTasks(5500)
		last := f.history()[5500-200:]
		f.remove(f.always(), 5300, 5300)
		equal(t, "rows that are left", f.history(), last)
	},

	"ARemovedIDIsNeverUsedAgain": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 1)
		rows := f.history()
		f.remove(f.always(), 1, 1)
		f.move(sharp, jobmon.TaskQueued, f.tasks...)
		if next := f.history(); len(next) != 1 || next[0].ID <= rows[0].ID {
			t.Errorf("after %+v came %+v", rows, next)
		}
	},

	"AWorkflowLastsFromItsFirstToItsLastTransition": func(t *testing.T, s store.Store) {
		f, other := newFixture(t, s, "a", 0), newFixture(t, s, "b", 1)
		f.span("without transitions", 0, 0)
		f.saveHorizon(store.Horizon{})
		f.span("with a horizon and without transitions", 0, 0)
		f.tasks = f.addTasks(2)
		f.move(sharp-1, jobmon.TaskQueued, f.tasks...)
		f.move(sharp+hour, jobmon.TaskRunning, f.tasks[0])
		f.span("with all rows", begin, sharp+hour)
		f.saveHorizon(store.Horizon{RowsFrom: sharp, FirstAt: begin, LastAt: sharp - 1})
		f.span("before they are removed", begin, sharp+hour)
		before := f.always()
		before.Before = sharp
		f.remove(before, 2, 2)
		f.span("while they are removed", begin, sharp+hour)
		f.remove(before, 100, 2)
		f.span("when they are removed", begin, sharp+hour)
		f.saveHorizon(store.Horizon{RowsFrom: sharp + 2*hour, FirstAt: begin, LastAt: sharp + hour})
		f.remove(f.always(), 100, 1)
		f.span("when all are removed", begin, sharp+hour)
		f.move(sharp+3*hour, jobmon.TaskDone, f.tasks...)
		f.span("when more came", begin, sharp+3*hour)
		f.remove(f.always(), 100, 2)
		f.saveHorizon(store.Horizon{})
		f.span("without rows and with an empty horizon", 0, 0)
		other.span("another", begin, begin)
	},

	// What a transaction of upkeep asks is answered with what it has written.
	"UpkeepSeesWhatItHasWritten": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 2)
		f.move(begin+1, jobmon.TaskQueued, f.tasks...)
		rows := f.history()
		block := f.block("R", minute, sharp, 3, "cells")
		f.maintain(func(ctx context.Context, tx store.UpkeepTx) error {
			horizon, err := tx.LockHorizon(ctx, f.workflow)
			f.ok(err)
			horizon.RowsFrom, horizon.FirstAt, horizon.LastAt = sharp, 5, 6
			f.ok(tx.SaveHorizon(ctx, horizon))
			saved, err := tx.Horizon(ctx, f.workflow)
			f.ok(err)
			again, err := tx.LockHorizon(ctx, f.workflow)
			f.ok(err)
			if saved != horizon || again != horizon {
				t.Errorf("horizons %+v and %+v, want %+v", saved, again, horizon)
			}

			f.ok(tx.AddMarks(ctx, f.workflow, []int64{sharp}))
			marks, err := tx.Marks(ctx, f.everyMark())
			f.ok(err)
			equal(t, "marks", minutesOf(marks), []int64{begin - begin%minute, begin - begin%minute, sharp})
			for _, mark := range marks {
				_, err := tx.DeleteMarks(ctx, []int64{mark.ID})
				f.ok(err)
			}
			next, _, err := tx.NextMarked(ctx, 0)
			f.ok(err)
			marks, err = tx.Marks(ctx, f.everyMark())
			if next != 0 || len(marks) != 0 {
				t.Errorf("after the marks were deleted, %d has some, and they are %+v", next, marks)
			}
			f.ok(err)

			f.ok(tx.SaveBlocks(ctx, []store.Block{block}))
			blocks, err := tx.Blocks(ctx, f.everyBlock(minute))
			f.ok(err)
			sameBlocks(t, "blocks", blocks, block)
			generation, err := tx.BlockGeneration(ctx, f.everyBlock(minute))
			if generation != 3 {
				t.Errorf("generation %d", generation)
			}
			f.ok(err)
			f.ok(tx.DeleteBlocks(ctx, f.workflow, []store.BlockRange{{Width: minute, Before: math.MaxInt64}}))
			blocks, err = tx.Blocks(ctx, f.everyBlock(minute))
			sameBlocks(t, "blocks after they were deleted", blocks)
			f.ok(err)

			_, err = tx.DeleteTransitions(ctx, f.always(), 3)
			f.ok(err)
			left, err := gather(tx.Transitions(ctx, f.always()))
			f.ok(err)
			equal(t, "rows", left, rows[3:])
			changes, err := gather(tx.Changes(ctx, f.always()))
			f.ok(err)
			sameChanges(t, changes, rows[3:])
			count, err := tx.CountTransitions(ctx, f.always(), 10)
			f.ok(err)
			sums, err := tx.SumTransitions(ctx, f.always())
			f.ok(err)
			info, err := tx.Workflow(ctx, f.workflow)
			if count != 1 || len(sums) != 1 || sums[0].Count != 1 || info.FirstAt != 5 || info.LastAt != begin+1 {
				t.Errorf("%d transitions, sums %+v, workflow %+v", count, sums, info)
			}
			return err
		})
	},
}
