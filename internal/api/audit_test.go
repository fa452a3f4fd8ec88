package api_test

import (
	"context"
	"math"
	"testing"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// view reads from one snapshot.
func (f *fixture) view(read func(ctx context.Context, snapshot store.Snapshot)) {
	f.t.Helper()
	err := f.store.View(f.t.Context(), func(ctx context.Context, snapshot store.Snapshot) error {
		read(ctx, snapshot)
		return nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

func must[T any](t testing.TB, value T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// tasks returns a workflow's tasks by id.
func (f *fixture) tasks(workflowID int64) []store.Task {
	f.t.Helper()
	var tasks []store.Task
	f.view(func(ctx context.Context, snapshot store.Snapshot) {
		for task, err := range snapshot.Tasks(ctx, store.TaskFilter{WorkflowID: workflowID}) {
			tasks = append(tasks, must(f.t, task, err))
		}
	})
	return tasks
}

// wantStatuses compares the statuses of a workflow's tasks by id.
func (f *fixture) wantStatuses(workflowID int64, want string) {
	f.t.Helper()
	got := ""
	for _, task := range f.tasks(workflowID) {
		got += task.Status.String()
	}
	if got != want {
		f.t.Errorf("the tasks are %s, want %s", got, want)
	}
}

// audit returns the rows of a workflow's tasks, in order.
func (f *fixture) audit(workflowID int64) map[int64][]jobmon.Transition {
	f.t.Helper()
	rows := map[int64][]jobmon.Transition{}
	f.view(func(ctx context.Context, snapshot store.Snapshot) {
		filter := store.TransitionFilter{WorkflowID: workflowID, Before: math.MaxInt64}
		for row, err := range snapshot.Transitions(ctx, filter) {
			row = must(f.t, row, err)
			rows[row.TaskID] = append(rows[row.TaskID], row)
		}
	})
	return rows
}

// checkAudit demands that each task's rows are one chain that ends with its status.
func (f *fixture) checkAudit(workflowID int64) {
	f.t.Helper()
	rows := f.audit(workflowID)
	for _, task := range f.tasks(workflowID) {
		var before jobmon.Transition
		for _, row := range rows[task.ID] {
			if row.From != before.To || row.PreviousAt != before.At || row.At < before.At {
				f.t.Errorf("task %d: %+v does not follow %+v", task.ID, row, before)
			}
			before = row
		}
		if before.To != task.Status || before.At != task.StatusAt {
			f.t.Errorf("task %d is %s since %d; its last row is %+v", task.ID, task.Status, task.StatusAt, before)
		}
		delete(rows, task.ID)
	}
	if len(rows) > 0 {
		f.t.Errorf("rows of no task: %v", rows)
	}
}

// path is the statuses that a task went through.
func path(rows []jobmon.Transition) string {
	letters := ""
	for _, row := range rows {
		letters += row.To.String()
	}
	return letters
}
