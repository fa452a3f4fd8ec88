package storetest

import (
	"context"
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
}
