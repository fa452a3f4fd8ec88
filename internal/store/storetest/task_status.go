package storetest

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

var taskStatusTests = map[string]func(t *testing.T, s store.Store){
	"EveryMoveIsOneRow": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 3)
		f.move(begin+1, jobmon.TaskQueued, f.tasks[2], f.tasks[0])
		f.move(begin+3, jobmon.TaskInstantiating, f.tasks[0])
		row := func(task int64, from, to jobmon.TaskStatus, at, before int64) jobmon.Transition {
			return jobmon.Transition{
				TaskID: task, WorkflowID: f.workflow, TaskTemplateID: f.template.TaskTemplateID,
				From: from, To: to, At: at, PreviousAt: before,
			}
		}
		want := []jobmon.Transition{
			row(f.tasks[0], 0, jobmon.TaskRegistering, begin, 0),
			row(f.tasks[1], 0, jobmon.TaskRegistering, begin, 0),
			row(f.tasks[2], 0, jobmon.TaskRegistering, begin, 0),
			row(f.tasks[0], jobmon.TaskRegistering, jobmon.TaskQueued, begin+1, begin),
			row(f.tasks[2], jobmon.TaskRegistering, jobmon.TaskQueued, begin+1, begin),
			row(f.tasks[0], jobmon.TaskQueued, jobmon.TaskInstantiating, begin+3, begin+1),
		}
		got := f.history()
		last := int64(0)
		for i := range got {
			if got[i].ID <= last {
				t.Errorf("row %d comes after row %d", got[i].ID, last)
			}
			last, got[i].ID = got[i].ID, 0
		}
		equal(t, "rows", got, want)
	},

	"TheInstantNeverGoesBack": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 2)
		f.move(begin+1_000_001, jobmon.TaskQueued, f.tasks[0])
		f.move(begin+10, jobmon.TaskInstantiating, f.tasks...) // the clock was set back in between
		tasks := f.stored(store.TaskFilter{IDs: f.tasks})
		equal(t, "instants", []int64{tasks[0].StatusAt, tasks[1].StatusAt}, []int64{begin + 1_000_001, begin + 10})
		for _, row := range f.history()[2:] {
			want := begin + int64(10)
			if row.TaskID == f.tasks[0] {
				want = begin + 1_000_001
			}
			if row.At != want {
				t.Errorf("task %d entered %s at %d, want %d", row.TaskID, row.To, row.At, want)
			}
		}
	},

	"ATaskThatIsThereAlreadyStays": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 2)
		resources, err := s.AddTaskResources(t.Context(), store.TaskResources{Type: "A", Requested: "{}"})
		f.ok(err)
		f.move(begin+1, jobmon.TaskQueued, f.tasks[0])
		f.update(func(ctx context.Context, tx store.Tx) error {
			return tx.MoveTasks(ctx, store.TaskMove{
				IDs: f.tasks, To: jobmon.TaskQueued, At: begin + 2, Attempts: store.AddAttempt, TaskResourcesID: resources,
			})
		})
		for i, task := range f.stored(store.TaskFilter{IDs: f.tasks}) {
			if task.StatusAt != begin+1+int64(i) || task.NumAttempts != 1 || task.TaskResourcesID != resources {
				t.Errorf("task %d: %+v", i, task)
			}
		}
		if rows := f.history(); len(rows) != 4 {
			t.Errorf("history %v", rows)
		}
	},

	"AttemptsAndResources": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 1)
		resources, err := s.AddTaskResources(t.Context(), store.TaskResources{Type: "A", Requested: "{}"})
		f.ok(err)
		for _, step := range []struct {
			move                store.TaskMove
			attempts, resources int64
		}{
			{store.TaskMove{To: jobmon.TaskQueued, Attempts: store.AddAttempt}, 1, f.resources},
			{store.TaskMove{To: jobmon.TaskInstantiating}, 1, f.resources},
			{store.TaskMove{To: jobmon.TaskAdjustingResources, TaskResourcesID: resources}, 1, resources},
			{store.TaskMove{To: jobmon.TaskQueued, Attempts: store.AddAttempt}, 2, resources},
			{store.TaskMove{To: jobmon.TaskRegistering, Attempts: store.ForgetAttempts}, 0, resources},
		} {
			step.move.IDs, step.move.At = f.tasks, begin
			f.update(func(ctx context.Context, tx store.Tx) error { return tx.MoveTasks(ctx, step.move) })
			task := f.stored(store.TaskFilter{IDs: f.tasks})[0]
			if int64(task.NumAttempts) != step.attempts || task.TaskResourcesID != step.resources || task.Status != step.move.To {
				t.Errorf("after %+v: %+v", step.move, task)
			}
		}
		err = s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
			return tx.MoveTasks(ctx, store.TaskMove{IDs: f.tasks, To: jobmon.TaskQueued, At: begin, TaskResourcesID: 1 << 40})
		})
		f.code(err, jobmon.CodeNotFound)
	},

	"RowsTellOfTheAttempt": func(t *testing.T, s store.Store) {
		// Few and many: their rows are written in different ways.
		for _, tasks := range []int{2, 300} {
			f := newFixture(t, s, fmt.Sprintf("of %d", tasks), tasks)
			steps := []struct {
				to       jobmon.TaskStatus
				attempts store.Attempts
				retry    int
			}{
				{'Q', store.AddAttempt, 0}, {'R', store.KeepAttempts, 0}, {'E', store.KeepAttempts, 0}, {'G', store.KeepAttempts, 0},
				{'Q', store.AddAttempt, 1}, {'E', store.KeepAttempts, 1}, {'A', store.KeepAttempts, 1},
				{'Q', store.AddAttempt, 2}, {'R', store.KeepAttempts, 2}, {'G', store.ForgetAttempts, 2},
				{'Q', store.AddAttempt, 0}, {'F', store.KeepAttempts, 0}, {'A', store.ForgetAttempts, 0},
				{'D', store.KeepAttempts, 0}, {'R', store.ForgetAttempts, 0}, {'D', store.KeepAttempts, 0},
			}
			want := map[int64][]int{}
			for i, step := range steps {
				move := store.TaskMove{IDs: f.tasks, To: step.to, At: begin + int64(i), Attempts: step.attempts}
				f.update(func(ctx context.Context, tx store.Tx) error { return tx.MoveTasks(ctx, move) })
			}
			for _, id := range f.tasks {
				want[id] = []int{0}
				for _, step := range steps {
					want[id] = append(want[id], step.retry)
				}
			}
			got := map[int64][]int{}
			for _, row := range f.history() {
				got[row.TaskID] = append(got[row.TaskID], row.Retry)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("of %d tasks: %v, want %v", tasks, got[f.tasks[0]], want[f.tasks[0]])
			}
		}
		// Several moves in one transaction.
		f := newFixture(t, s, "at once", 1)
		f.update(func(ctx context.Context, tx store.Tx) error {
			for _, to := range "QEQEQ" {
				move := store.TaskMove{IDs: f.tasks, To: jobmon.TaskStatus(to), At: begin}
				if to == 'Q' {
					move.Attempts = store.AddAttempt
				}
				if err := tx.MoveTasks(ctx, move); err != nil {
					return err
				}
			}
			return nil
		})
		var got []int
		for _, row := range f.history() {
			got = append(got, row.Retry)
		}
		equal(t, "attempts in one transaction", got, []int{0, 0, 0, 1, 1, 2})
	},

	"TenThousandTasksAtOnce": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		moved := f.addManyTasks(10_000)
		second := f.newTemplate("second")
		f.template, f.array = second, f.newArray(second.ID)
		extra := f.addTasks(10)
		moved = append(moved, extra...)
		slices.Reverse(moved)
		f.move(begin+1, jobmon.TaskQueued, append(moved, 1<<40, moved[0])...)
		rows := f.history()[10_010:]
		if len(rows) != 10_010 {
			t.Fatalf("%d rows for 10,010 moves", len(rows))
		}
		slices.Reverse(moved)
		var ids []int64
		for _, row := range rows {
			ids = append(ids, row.TaskID)
			if row.From != jobmon.TaskRegistering || row.At != begin+1 ||
				(row.TaskTemplateID == second.TaskTemplateID) != slices.Contains(extra, row.TaskID) {
				t.Fatalf("row %+v", row)
			}
		}
		equal(t, "the rows' tasks", ids, moved)
	},

	"MoreTasksThanAnyDatabaseHasParameters": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		tasks := f.addManyTasks(70_000)
		slices.Reverse(tasks)
		f.update(func(ctx context.Context, tx store.Tx) error {
			locked, err := tx.LockTasks(ctx, store.TaskFilter{IDs: tasks})
			if len(locked) != len(tasks) {
				t.Errorf("%d tasks were locked", len(locked))
			}
			f.ok(err)
			return tx.MoveTasks(ctx, store.TaskMove{IDs: tasks, To: jobmon.TaskQueued, At: begin + 1})
		})
		slices.Reverse(tasks)
		rows := 0
		f.view(func(ctx context.Context, view store.Snapshot) error {
			filter, last := f.always(), int64(0)
			filter.From = begin + 1
			for row, err := range view.Transitions(ctx, filter) {
				f.ok(err)
				if rows == len(tasks) || row.ID <= last || row.TaskID != tasks[rows] ||
					row.From != jobmon.TaskRegistering || row.To != jobmon.TaskQueued || row.PreviousAt != begin {
					t.Fatalf("row %d is %+v", rows, row)
				}
				last = row.ID
				rows++
			}
			return nil
		})
		if rows != len(tasks) {
			t.Errorf("%d rows for %d moves", rows, len(tasks))
		}
	},

	"NoTasksAreNoMove": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 1)
		f.move(begin+1, jobmon.TaskQueued)
		f.move(begin+1, jobmon.TaskQueued, 1<<40)
		f.update(func(ctx context.Context, tx store.Tx) error {
			ids, err := tx.InsertTasks(ctx, nil, begin)
			equal(t, "ids", ids, nil)
			return err
		})
		if rows := f.history(); len(rows) != 1 {
			t.Errorf("history %v", rows)
		}
	},
}

var transitionTests = map[string]func(t *testing.T, s store.Store){
	"TheWindowIsHalfOpen": func(t *testing.T, s store.Store) {
		f, other := newFixture(t, s, "a", 1), newFixture(t, s, "b", 1)
		other.move(begin+1, jobmon.TaskQueued, other.tasks...)
		f.move(begin+1, jobmon.TaskQueued, f.tasks...)
		f.move(begin+2, jobmon.TaskInstantiating, f.tasks...)
		for _, c := range []struct {
			from, before int64
			want         string
		}{
			{begin, begin + 3, "GQI"}, {begin, begin + 2, "GQ"}, {begin + 1, begin + 2, "Q"}, {begin + 1, begin + 1, ""},
			{begin + 2, begin, ""}, {0, begin, ""}, {begin + 3, 1 << 60, ""},
		} {
			filter := store.TransitionFilter{WorkflowID: f.workflow, From: c.from, Before: c.before}
			f.view(func(ctx context.Context, view store.Snapshot) error {
				rows, err := gather(view.Transitions(ctx, filter))
				f.ok(err)
				var got strings.Builder
				for _, row := range rows {
					got.WriteString(row.To.String())
				}
				count, err := view.CountTransitions(ctx, filter, 100)
				f.ok(err)
				sums, err := view.SumTransitions(ctx, filter)
				if got.String() != c.want || count != int64(len(got.String())) || len(sums) != len(got.String()) {
					t.Errorf("[%d, %d): rows %q, count %d, sums %v; want %q", c.from-begin, c.before-begin, got.String(), count, sums, c.want)
				}
				return err
			})
		}
	},

	"TiesComeInTheOrderTheyHappened": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 1)
		path := []jobmon.TaskStatus{jobmon.TaskQueued, jobmon.TaskInstantiating, jobmon.TaskRunning, jobmon.TaskErrorRecoverable, jobmon.TaskRegistering}
		for _, to := range path {
			f.move(begin, to, f.tasks...)
		}
		var got []jobmon.TaskStatus
		for _, row := range f.history()[1:] {
			got = append(got, row.To)
		}
		equal(t, "moves", got, path)
	},

	"CountingStops": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 30)
		for most, want := range map[int64]int64{0: 0, 1: 1, 29: 29, 30: 30, 31: 30} {
			f.view(func(ctx context.Context, view store.Snapshot) error {
				got, err := view.CountTransitions(ctx, f.always(), most)
				if got != want {
					t.Errorf("at most %d: %d, want %d", most, got, want)
				}
				return err
			})
		}
	},

	"SumsAreByTemplateAndStatuses": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 5)
		first := f.template.TaskTemplateID
		f.template = f.newTemplate("second")
		f.array = f.newArray(f.template.ID)
		second := f.addTasks(2)
		f.move(begin+1, jobmon.TaskQueued, f.tasks[:3]...)
		f.move(begin+1, jobmon.TaskQueued, second...)
		f.move(begin+2, jobmon.TaskRegistering, f.tasks[0])
		want := map[store.TransitionCount]bool{
			{TaskTemplateID: first, To: 'G', Count: 5}:                                true,
			{TaskTemplateID: first, From: 'G', To: 'Q', Count: 3}:                     true,
			{TaskTemplateID: first, From: 'Q', To: 'G', Count: 1}:                     true,
			{TaskTemplateID: f.template.TaskTemplateID, To: 'G', Count: 2}:            true,
			{TaskTemplateID: f.template.TaskTemplateID, From: 'G', To: 'Q', Count: 2}: true,
		}
		f.view(func(ctx context.Context, view store.Snapshot) error {
			got, err := view.SumTransitions(ctx, f.always())
			for _, sum := range got {
				if !want[sum] {
					t.Errorf("unexpected %+v", sum)
				}
				delete(want, sum)
			}
			if len(want) > 0 {
				t.Errorf("missing %+v", want)
			}
			return err
		})
	},

	"ChangesAreTheTransitionsWithLess": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 3)
		first := f.template.TaskTemplateID
		f.template = f.newTemplate("second")
		f.array = f.newArray(f.template.ID)
		f.tasks = append(f.tasks, f.addTasks(2)...)
		f.move(sharp, jobmon.TaskQueued, f.tasks[3])
		f.move(begin+1, jobmon.TaskQueued, f.tasks[0], f.tasks[4])
		f.move(begin+1, jobmon.TaskInstantiating, f.tasks[3])
		for _, filter := range []store.TransitionFilter{
			f.always(), {WorkflowID: f.workflow, From: begin + 1, Before: sharp}, {WorkflowID: f.workflow, From: sharp, Before: sharp + 1},
			{WorkflowID: f.workflow, From: sharp, Before: sharp},
		} {
			rows, changes := f.both(filter)
			if filter.Before > sharp && !slices.ContainsFunc(changes, func(c jobmon.Transition) bool { return c.TaskTemplateID != first }) {
				t.Errorf("changes %+v", changes)
			}
			sameChanges(t, changes, rows)
		}
	},

	"TransitionsOfSomeTasks": func(t *testing.T, s store.Store) {
		f, other := newFixture(t, s, "a", 4), newFixture(t, s, "b", 1)
		f.tasks = append(f.tasks, f.addTasks(1)...) // with ids beyond those of the other workflow's
		f.move(begin+2, jobmon.TaskQueued, f.tasks...)
		f.move(begin+1, jobmon.TaskInstantiating, f.tasks[3], f.tasks[1]) // which happens at begin+2 too
		other.move(begin+2, jobmon.TaskQueued, other.tasks...)
		staged := f.load(someRun, historyAt(begin))
		rows := f.history()
		slices.SortFunc(rows, func(a, b jobmon.Transition) int {
			return cmp.Or(cmp.Compare(a.TaskID, b.TaskID), cmp.Compare(a.At, b.At), cmp.Compare(a.ID, b.ID))
		})
		for _, c := range []struct{ from, to int64 }{
			{0, math.MaxInt64}, {f.tasks[1], f.tasks[2]}, {f.tasks[1], f.tasks[1]}, {f.tasks[1] + 1, f.tasks[1]}, {f.tasks[3], f.tasks[4]},
			{f.tasks[4] + 1, math.MaxInt64}, {math.MinInt64, f.tasks[0]},
		} {
			want := slices.DeleteFunc(slices.Clone(rows), func(row jobmon.Transition) bool { return row.TaskID < c.from || row.TaskID > c.to })
			f.view(func(ctx context.Context, view store.Snapshot) error {
				got, err := gather(view.TaskTransitions(ctx, f.workflow, c.from, c.to))
				equal(t, fmt.Sprintf("tasks %d to %d", c.from, c.to), got, want)
				f.ok(err)
				hidden, err := gather(view.TaskTransitions(ctx, staged, c.from, c.to))
				equal(t, "of a run that is being loaded", hidden, nil)
				return err
			})
		}
	},

	"AllWorkflowsAreCountedTogether": func(t *testing.T, s store.Store) {
		f, other := newFixture(t, s, "a", 2), newFixture(t, s, "b", 1)
		f.move(sharp, jobmon.TaskQueued, f.tasks[0])
		other.move(sharp+1, jobmon.TaskQueued, other.tasks...)
		staged := f.load(someRun, historyAt(sharp, sharp+1, sharp+2))
		counts := func(what string, want map[int64]int64) {
			f.view(func(ctx context.Context, view store.Snapshot) error {
				for at, want := range want {
					for _, most := range []int64{0, want - 1, want, want + 1} {
						got, err := view.CountSince(ctx, at, max(most, 0))
						if got != min(want, max(most, 0)) {
							t.Errorf("%s, since %d: %d of at most %d, want %d", what, at, got, most, want)
						}
						f.ok(err)
					}
				}
				return nil
			})
		}
		counts("staged", map[int64]int64{0: 5, begin: 5, begin + 1: 2, sharp: 2, sharp + 1: 1, sharp + 2: 0, store.MaxInstant: 0})
		f.ok(s.PublishImport(t.Context(), staged, jobmon.WorkflowDone))
		counts("published", map[int64]int64{0: 8, begin + 1: 5, sharp: 5, sharp + 1: 3, sharp + 2: 1, sharp + 3: 0})
	},

	"StatusesSelectWhatLeavesOrEntersThem": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 2)
		for i, to := range "QIOREGQIORD" {
			f.move(begin+int64(i)+1, jobmon.TaskStatus(to), f.tasks[0])
		}
		f.move(begin+3, jobmon.TaskAdjustingResources, f.tasks[1])
		rows := f.history()
		for letters, want := range map[string]string{
			"R": "RERD", "A": "A", "Q": "QIQI", "G": "GGQAGQ", "D": "D", "F": "", "QI": "QIOQIO", "GD": "GGQAGQD",
			"ER": "REGRD", "GQIORDEAF": "GGQIOAREGQIORD",
		} {
			filter := f.always()
			for _, letter := range letters {
				filter.Statuses = append(filter.Statuses, jobmon.TaskStatus(letter))
			}
			for _, filter.From = range []int64{0, begin + 3} {
				var expected []jobmon.Transition
				for _, row := range rows {
					if row.At >= filter.From && (slices.Contains(filter.Statuses, row.From) || slices.Contains(filter.Statuses, row.To)) {
						expected = append(expected, row)
					}
				}
				got, changes := f.both(filter)
				equal(t, letters+" transitions", got, expected)
				sameChanges(t, changes, expected)
				f.view(func(ctx context.Context, view store.Snapshot) error {
					count, err := view.CountTransitions(ctx, filter, 100)
					f.ok(err)
					sums, err := view.SumTransitions(ctx, filter)
					total := int64(0)
					for _, sum := range sums {
						total += sum.Count
						if !slices.Contains(filter.Statuses, sum.From) && !slices.Contains(filter.Statuses, sum.To) {
							t.Errorf("%s: a sum of %+v", letters, sum)
						}
					}
					if count != int64(len(expected)) || total != count {
						t.Errorf("%s: %d are counted and %d summed up, want %d", letters, count, total, len(expected))
					}
					return err
				})
				if filter.From > 0 {
					continue
				}
				var entered strings.Builder
				for _, row := range got {
					entered.WriteString(row.To.String())
				}
				if entered.String() != want {
					t.Errorf("%s: %s, want %s", letters, entered.String(), want)
				}
			}
		}
	},
}

// both returns the transitions that match, and the changes, and demands that these are in order.
func (f *fixture) both(filter store.TransitionFilter) (rows, changes []jobmon.Transition) {
	f.Helper()
	f.view(func(ctx context.Context, view store.Snapshot) (err error) {
		rows, err = gather(view.Transitions(ctx, filter))
		f.ok(err)
		changes, err = gather(view.Changes(ctx, filter))
		return err
	})
	if !slices.IsSortedFunc(changes, func(a, b jobmon.Transition) int { return cmp.Compare(a.At, b.At) }) {
		f.Errorf("changes in no order: %+v", changes)
	}
	return rows, changes
}

// sameChanges demands the changes that rows are, in any order within an instant, and nothing else of them.
func sameChanges(t tester, changes, rows []jobmon.Transition) {
	t.Helper()
	order := func(a, b jobmon.Transition) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.TaskTemplateID, b.TaskTemplateID), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To),
			cmp.Compare(a.PreviousAt, b.PreviousAt), cmp.Compare(a.Retry, b.Retry))
	}
	var want []jobmon.Transition
	for _, row := range rows {
		want = append(want, jobmon.Transition{
			At: row.At, TaskTemplateID: row.TaskTemplateID, From: row.From, To: row.To, PreviousAt: row.PreviousAt, Retry: row.Retry,
		})
	}
	slices.SortFunc(want, order)
	equal(t, "changes", slices.SortedFunc(slices.Values(changes), order), want)
}
