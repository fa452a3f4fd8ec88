package storetest

import (
	"context"
	"math"
	"slices"
	"strconv"
	"testing"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// historyAt is a task's history with a move at each of the instants.
func historyAt(instants ...int64) jobmon.TaskHistory {
	history := jobmon.TaskHistory{Name: "task", Template: "align"}
	for i, at := range instants {
		to := []jobmon.TaskStatus{jobmon.TaskRegistering, jobmon.TaskQueued}[i%2]
		history.Moves = append(history.Moves, jobmon.Move{To: to, At: at})
	}
	return history
}

// load stages a run of the given histories, one batch for each.
func (f *fixture) load(run store.Import, histories ...jobmon.TaskHistory) (workflowID int64) {
	f.Helper()
	workflowID, err := f.store.BeginImport(f.Context(), run)
	f.ok(err)
	for _, history := range histories {
		f.ok(f.store.ImportTasks(f.Context(), workflowID, []jobmon.TaskHistory{history}))
	}
	return workflowID
}

// marked returns the workflows that have marks, as one is found after the other, and demands that each is
// told with its earliest minute.
func (f *fixture) marked() (found []int64) {
	f.Helper()
	f.view(func(ctx context.Context, view store.Snapshot) error {
		for next := int64(0); ; {
			var earliest int64
			var err error
			if next, earliest, err = view.NextMarked(ctx, next); err != nil || next == 0 {
				return err
			}
			marks, err := view.Marks(ctx, store.MarkFilter{WorkflowID: next, Before: math.MaxInt64})
			if len(marks) == 0 || marks[0].Minute != earliest {
				f.Errorf("workflow %d has marks from %d on, and they are %+v", next, earliest, marks)
			}
			f.ok(err)
			if found = append(found, next); len(found) > 100 {
				f.Fatalf("they have no end: %v", found)
			}
		}
	})
	return found
}

// horizon returns the workflow's horizon, as a snapshot has it.
func (f *fixture) horizon() (horizon store.Horizon) {
	f.Helper()
	f.view(func(ctx context.Context, view store.Snapshot) (err error) {
		horizon, err = view.Horizon(ctx, f.workflow)
		return err
	})
	return horizon
}

// anImport is a run of which there is no other of the number.
func anImport(n int) store.Import {
	return store.Import{Name: "run " + strconv.Itoa(n), Engine: "nextflow", SourceHash: "abc"}
}

var markImportTests = map[string]func(t *testing.T, s store.Store){
	"ALoadedRunIsMarkedWhenItIsPublished": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		first := historyAt(sharp-1, sharp, sharp+minute-1, sharp+minute-1, sharp+5*minute)
		second := historyAt(sharp+minute, sharp+minute+1, sharp+5*minute, sharp+9*minute-1)
		f.workflow = f.load(someRun, first, second)
		equal(t, "staged marks", f.marks(), nil)
		f.maintain(func(ctx context.Context, tx store.UpkeepTx) error {
			marks, err := tx.Marks(ctx, f.everyMark())
			equal(t, "staged marks, for upkeep", marks, nil)
			return err
		})
		f.view(func(ctx context.Context, view store.Snapshot) error {
			f.ok(s.PublishImport(t.Context(), f.workflow, jobmon.WorkflowDone))
			marks, err := view.Marks(ctx, f.everyMark())
			equal(t, "marks in a view of before", marks, nil)
			return err
		})
		// Each batch is a transaction.
		equal(t, "marks", minutesOf(f.marks()), []int64{
			sharp - minute, sharp, sharp + minute, sharp + 5*minute, sharp + 5*minute, sharp + 8*minute,
		})
		equal(t, "minutes", distinct(f.marks()), minutesIn(f.history()))
	},

	"ARefusedBatchLeavesNoMark": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		f.workflow = f.load(someRun, historyAt(sharp))
		spoilt := historyAt(sharp + minute)
		spoilt.Name = "a\xff"
		f.code(s.ImportTasks(t.Context(), f.workflow, []jobmon.TaskHistory{historyAt(sharp + 2*minute), spoilt}), jobmon.CodeInvalid)
		f.ok(s.PublishImport(t.Context(), f.workflow, jobmon.WorkflowDone))
		equal(t, "marks", minutesOf(f.marks()), []int64{sharp})
	},

	"TheNextMarkedIsNeverStaged": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 1)
		newFixture(t, s, "without tasks", 0)
		var staged []int64
		for i := range 3 { // one after the other
			staged = append(staged, f.load(anImport(i), historyAt(sharp, sharp+minute)))
		}
		second := newFixture(t, s, "b", 2)
		second.move(sharp, jobmon.TaskQueued, second.tasks...)
		second.maintain(func(ctx context.Context, tx store.UpkeepTx) error {
			return tx.AddMarks(ctx, second.workflow, []int64{begin - hour}) // written last
		})
		third := newFixture(t, s, "c", 1)
		staged = append(staged, f.load(anImport(3), historyAt(sharp)))
		equal(t, "marked", f.marked(), []int64{f.workflow, second.workflow, third.workflow})
		f.maintain(func(ctx context.Context, tx store.UpkeepTx) error {
			for after, want := range map[int64]int64{
				math.MinInt64: f.workflow, f.workflow - 1: f.workflow, f.workflow: second.workflow, staged[1]: second.workflow,
				second.workflow: third.workflow, third.workflow: 0, staged[3]: 0, math.MaxInt64: 0,
			} {
				if got, _, err := tx.NextMarked(ctx, after); err != nil || got != want {
					t.Errorf("after %d: %d, %v; want %d", after, got, err, want)
				}
			}
			return nil
		})
		f.ok(s.PublishImport(t.Context(), staged[1], jobmon.WorkflowDone))
		f.ok(s.PublishImport(t.Context(), staged[3], jobmon.WorkflowDone))
		equal(t, "marked", f.marked(), []int64{f.workflow, staged[1], second.workflow, third.workflow, staged[3]})
		f.maintain(func(ctx context.Context, tx store.UpkeepTx) error {
			for _, workflowID := range []int64{f.workflow, third.workflow} {
				marks, err := tx.Marks(ctx, store.MarkFilter{WorkflowID: workflowID, Before: math.MaxInt64})
				f.ok(err)
				deleted, err := tx.DeleteMarks(ctx, []int64{marks[0].ID})
				if deleted != 1 {
					t.Errorf("deleted %d marks", deleted)
				}
				f.ok(err)
			}
			return nil
		})
		equal(t, "marked", f.marked(), []int64{staged[1], second.workflow, staged[3]})
	},

	"AnAbandonedRunLeavesNoMarkAndNoHorizon": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 1)
		instants := make([]int64, 4500) // more than are removed at once
		for i := range instants {
			instants[i] = sharp + int64(i)*minute
		}
		staged, stays := f.load(someRun, historyAt(instants...)), f.load(anImport(1), historyAt(sharp))
		f.ok(s.AbandonImport(t.Context(), staged))
		equal(t, "marked", f.marked(), []int64{f.workflow})
		f.ok(s.PublishImport(t.Context(), stays, jobmon.WorkflowDone))
		f.workflow = staged // nothing hides it any more
		equal(t, "marks", f.marks(), nil)
		if got := f.horizon(); got != (store.Horizon{WorkflowID: staged}) {
			t.Errorf("horizon %+v", got)
		}
		f.workflow = stays
		equal(t, "marks of another", minutesOf(f.marks()), []int64{sharp})
		if !f.horizon().Kept {
			t.Errorf("horizon of another %+v", f.horizon())
		}
	},

	"ALoadedRunIsKeptUnlessItMayExpire": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		for i, expire := range []bool{false, true} {
			run := anImport(i)
			run.Expire = expire
			f.workflow = f.load(run, historyAt(sharp))
			unseen := store.Horizon{WorkflowID: f.workflow}
			if got := f.horizon(); got != unseen {
				t.Errorf("a snapshot has %+v of a run that is being loaded", got)
			}
			want := store.Horizon{WorkflowID: f.workflow, Kept: !expire}
			f.maintain(func(ctx context.Context, tx store.UpkeepTx) error {
				got, err := tx.LockHorizon(ctx, f.workflow)
				if got != want {
					t.Errorf("locked %+v, want %+v", got, want)
				}
				return err
			})
			f.ok(s.PublishImport(t.Context(), f.workflow, jobmon.WorkflowDone))
			if got := f.horizon(); got != want {
				t.Errorf("published %+v, want %+v", got, want)
			}
		}
	},

	"ABatchOfManyMinutes": func(t *testing.T, s store.Store) { // more than a statement has rows
		f := newFixture(t, s, "a", 0)
		var instants []int64
		for i := range int64(1300) {
			instants = append(instants, sharp+i*7*minute)
		}
		histories := slices.Repeat([]jobmon.TaskHistory{historyAt(instants...)}, 2)
		f.workflow = f.load(someRun)
		f.ok(s.ImportTasks(t.Context(), f.workflow, histories))
		f.ok(s.PublishImport(t.Context(), f.workflow, jobmon.WorkflowDone))
		equal(t, "marks", minutesOf(f.marks()), instants)
	},
}
