package storetest

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

var someRun = store.Import{Name: "run", Engine: "nextflow", SourceHash: "abc"}

// someTasks makes histories that succeed at the second attempt, of two templates, with tasks of one
// name among them.
func someTasks(first, n int) []jobmon.TaskHistory {
	tasks := make([]jobmon.TaskHistory, n)
	for i := range tasks {
		at := begin + int64(first+i)
		tasks[i] = jobmon.TaskHistory{
			Name: fmt.Sprintf("task %d", i/2), Template: []string{"align", "Align"}[i%2], Attempts: 2,
			Moves: []jobmon.Move{{To: 'G', At: at}},
		}
		for _, to := range "QIORE" {
			tasks[i].Moves = append(tasks[i].Moves, jobmon.Move{To: jobmon.TaskStatus(to), At: at + 10})
		}
		for _, to := range "GQIORD" {
			tasks[i].Moves = append(tasks[i].Moves, jobmon.Move{To: jobmon.TaskStatus(to), At: at + 20})
		}
	}
	return tasks
}

// invisible demands that nobody can see a workflow.
func invisible(t *testing.T, s store.Store, workflowID int64) {
	t.Helper()
	filter := store.TransitionFilter{WorkflowID: workflowID, Before: 1 << 60}
	err := s.View(t.Context(), func(ctx context.Context, view store.Snapshot) error {
		_, err := view.Workflow(ctx, workflowID)
		wantCode(t, err, jobmon.CodeNotFound)
		workflows, err := view.Workflows(ctx, store.WorkflowFilter{})
		for _, workflow := range workflows {
			if workflow.ID == workflowID {
				t.Errorf("it is listed: %+v", workflow)
			}
		}
		failed := err
		names, err := view.TemplateNames(ctx, workflowID)
		equal(t, "template names", names, nil)
		failed = firstError(failed, err)
		count, err := view.CountTransitions(ctx, filter, 10)
		failed = firstError(failed, err)
		sums, err := view.SumTransitions(ctx, filter)
		equal(t, "sums", sums, nil)
		failed = firstError(failed, err)
		rows, err := gather(view.Transitions(ctx, filter))
		equal(t, "transitions", rows, nil)
		failed = firstError(failed, err)
		changes, err := gather(view.Changes(ctx, filter))
		equal(t, "changes", changes, nil)
		failed = firstError(failed, err)
		marks, err := view.Marks(ctx, store.MarkFilter{WorkflowID: workflowID, Before: 1 << 60})
		equal(t, "marks", marks, nil)
		failed = firstError(failed, err)
		limits, err := view.Limits(ctx, workflowID)
		equal(t, "limits", limits, nil)
		failed = firstError(failed, err)
		tasks, err := gather(view.Tasks(ctx, store.TaskFilter{WorkflowID: workflowID}))
		equal(t, "tasks", tasks, nil)
		if count != 0 {
			t.Errorf("%d transitions are counted", count)
		}
		return firstError(failed, err)
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
		tasks, err := tx.LockTasks(ctx, store.TaskFilter{WorkflowID: workflowID})
		equal(t, "tasks to lock", tasks, nil)
		if err != nil {
			return err
		}
		_, err = tx.LockWorkflow(ctx, workflowID)
		return err
	})
	wantCode(t, err, jobmon.CodeNotFound)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

var importTests = map[string]func(t *testing.T, s store.Store){
	"ARunAppearsWhenItIsPublished": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		id, err := s.BeginImport(t.Context(), someRun)
		f.ok(err)
		invisible(t, s, id)
		histories := append(someTasks(0, 5), someTasks(5, 4)...)
		f.ok(s.ImportTasks(t.Context(), id, histories[:5]))
		f.ok(s.ImportTasks(t.Context(), id, nil))
		f.ok(s.ImportTasks(t.Context(), id, histories[5:]))
		invisible(t, s, id)
		before := f.now()
		f.ok(s.PublishImport(t.Context(), id, jobmon.WorkflowDone))
		after := f.now()

		f.workflow = id
		last := begin + 8 + 20
		f.view(func(ctx context.Context, view store.Snapshot) error {
			info, err := view.Workflow(ctx, id)
			f.ok(err)
			want := store.WorkflowInfo{
				Workflow: store.Workflow{
					WorkflowKey: info.WorkflowKey, ID: id, Name: "run", MaxConcurrentlyRunning: jobmon.NoLimit,
					Status: jobmon.WorkflowDone, StatusAt: last, CreatedAt: begin,
				},
				Tool: "nextflow", FirstAt: begin, LastAt: last, ImportedAt: info.ImportedAt,
			}
			if info != want || info.ImportedAt < before || info.ImportedAt > after {
				t.Errorf("got %+v, want %+v", info, want)
			}
			names, err := view.TemplateNames(ctx, id)
			f.ok(err)
			if len(names) != 2 || names[0].Name != "Align" || names[1].Name != "align" {
				t.Errorf("templates %v", names)
			}
			limits, err := view.Limits(ctx, id)
			if len(limits) != 3 || limits[0] != (store.Limit{WorkflowID: id, MaxConcurrentlyRunning: jobmon.NoLimit, At: begin}) {
				t.Errorf("limits %+v", limits)
			}
			return err
		})
		got := map[int64][]jobmon.Move{}
		newest := map[int64]jobmon.Transition{}
		for _, row := range f.history() {
			if previous := newest[row.TaskID]; row.From != previous.To || row.PreviousAt != previous.At {
				t.Errorf("%+v does not follow %+v", row, previous)
			}
			if n := len(got[row.TaskID]); n < 7 && row.Retry != 0 || n >= 7 && row.Retry != 1 {
				t.Errorf("row %d of a task: %+v", n, row)
			}
			newest[row.TaskID] = row
			got[row.TaskID] = append(got[row.TaskID], jobmon.Move{To: row.To, At: row.At})
		}
		tasks := f.stored(store.TaskFilter{WorkflowID: id})
		if len(tasks) != len(histories) {
			t.Fatalf("%d tasks of %d", len(tasks), len(histories))
		}
		for i, task := range tasks {
			if !reflect.DeepEqual(got[task.ID], histories[i].Moves) || task.Name != histories[i].Name ||
				task.NumAttempts != 2 || task.Status != jobmon.TaskDone || task.StatusAt != newest[task.ID].At {
				t.Errorf("task %+v with %v, want %+v", task, got[task.ID], histories[i])
			}
		}
	},

	"TheSameSourceIsRefused": func(t *testing.T, s store.Store) {
		id, err := s.BeginImport(t.Context(), someRun)
		wantCode(t, err, "")
		_, err = s.BeginImport(t.Context(), someRun)
		wantCode(t, err, jobmon.CodeConflict) // it is being loaded
		wantCode(t, s.PublishImport(t.Context(), id, jobmon.WorkflowDone), "")
		_, err = s.BeginImport(t.Context(), someRun)
		wantCode(t, err, jobmon.CodeConflict)
		for _, other := range []store.Import{
			{Name: "Run", Engine: "nextflow", SourceHash: "abc"}, {Name: "run", Engine: "nextflow", SourceHash: "abd"},
		} {
			next, err := s.BeginImport(t.Context(), other)
			wantCode(t, err, "")
			if next == id {
				t.Errorf("%v is taken for %v", other, someRun)
			}
		}
	},

	"OneOfManyLoadsTheSameSource": func(t *testing.T, s store.Store) {
		codes := make(chan jobmon.Code)
		for range 8 {
			go func() {
				_, err := s.BeginImport(t.Context(), someRun)
				codes <- jobmon.ErrorCode(err)
			}()
		}
		var got []jobmon.Code
		for range 8 {
			got = append(got, <-codes)
		}
		slices.Sort(got)
		equal(t, "codes", got, append([]jobmon.Code{""}, slices.Repeat([]jobmon.Code{jobmon.CodeConflict}, 7)...))
	},

	"AnAbandonedRunLeavesNothing": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		tool, err := s.RegisterTool(t.Context(), someRun.Engine)
		f.ok(err)
		id, err := s.BeginImport(t.Context(), someRun)
		f.ok(err)
		f.ok(s.ImportTasks(t.Context(), id, someTasks(0, 300))) // more rows than are removed at once
		f.ok(s.AbandonImport(t.Context(), id))
		f.ok(s.AbandonImport(t.Context(), id)) // nothing is left to do
		invisible(t, s, id)
		wantCode(t, s.ImportTasks(t.Context(), id, someTasks(0, 1)), jobmon.CodeNotFound)
		wantCode(t, s.PublishImport(t.Context(), id, jobmon.WorkflowDone), jobmon.CodeNotFound)
		if versions, err := s.ToolVersions(t.Context(), tool.ID); err != nil || len(versions) != 0 {
			t.Errorf("tool versions %v, %v", versions, err)
		}
		again, err := s.BeginImport(t.Context(), someRun)
		f.ok(err)
		if again == id {
			t.Error("the id of a removed workflow was used again")
		}
		f.ok(s.ImportTasks(t.Context(), again, someTasks(0, 3)))
		f.ok(s.PublishImport(t.Context(), again, jobmon.WorkflowDone))
		f.workflow = again
		if rows := f.history(); len(rows) != 3*12 {
			t.Errorf("%d rows", len(rows))
		}
	},

	"APublishedRunStays": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		id, err := s.BeginImport(t.Context(), someRun)
		f.ok(err)
		f.ok(s.ImportTasks(t.Context(), id, someTasks(0, 3)))
		f.ok(s.PublishImport(t.Context(), id, jobmon.WorkflowFailed))
		wantCode(t, s.AbandonImport(t.Context(), id), jobmon.CodeConflict)
		wantCode(t, s.ImportTasks(t.Context(), id, someTasks(0, 1)), jobmon.CodeNotFound)
		wantCode(t, s.PublishImport(t.Context(), id, jobmon.WorkflowDone), jobmon.CodeNotFound)
		impatient := store.Import{Name: "other", Engine: "e", SourceHash: "x", StaleAfter: time.Microsecond}
		_, err = s.BeginImport(t.Context(), impatient)
		f.ok(err)
		f.workflow = id
		if rows := f.history(); len(rows) != 3*12 {
			t.Errorf("%d rows", len(rows))
		}
	},

	"ItsLimitHeldFromItsFirstTransition": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		limited := someRun
		limited.MaxConcurrentlyRunning = 7
		id, err := s.BeginImport(t.Context(), limited)
		f.ok(err)
		f.ok(s.ImportTasks(t.Context(), id, someTasks(3, 1)))
		f.ok(s.ImportTasks(t.Context(), id, someTasks(0, 1)))
		f.ok(s.PublishImport(t.Context(), id, jobmon.WorkflowDone))
		f.view(func(ctx context.Context, view store.Snapshot) error {
			info, err := view.Workflow(ctx, id)
			if info.MaxConcurrentlyRunning != 7 {
				t.Errorf("got %+v", info)
			}
			f.ok(err)
			limits, err := view.Limits(ctx, id)
			if len(limits) != 2 || limits[0] != (store.Limit{WorkflowID: id, MaxConcurrentlyRunning: 7, At: begin}) ||
				limits[1].ArrayID == 0 || limits[1].MaxConcurrentlyRunning != jobmon.NoLimit || limits[1].At != begin {
				t.Errorf("limits %+v", limits)
			}
			return err
		})
	},

	"AnOldViewDoesNotSeeItAppear": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		id, err := s.BeginImport(t.Context(), someRun)
		f.ok(err)
		f.ok(s.ImportTasks(t.Context(), id, someTasks(0, 2)))
		f.view(func(ctx context.Context, view store.Snapshot) error {
			f.ok(s.PublishImport(t.Context(), id, jobmon.WorkflowDone))
			_, err := view.Workflow(ctx, id)
			f.code(err, jobmon.CodeNotFound)
			rows, err := view.CountTransitions(ctx, store.TransitionFilter{WorkflowID: id, Before: 1 << 60}, 100)
			f.ok(err)
			limits, err := view.Limits(ctx, id)
			if rows != 0 || len(limits) != 0 {
				t.Errorf("it sees %d transitions and the limits %+v", rows, limits)
			}
			return err
		})
		f.view(func(ctx context.Context, view store.Snapshot) error { _, err := view.Workflow(ctx, id); return err })
	},

	"ARefusedBatchLeavesNothing": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		id, err := s.BeginImport(t.Context(), someRun)
		f.ok(err)
		for _, spoil := range []func(task *jobmon.TaskHistory){
			func(task *jobmon.TaskHistory) { task.Moves = nil },
			func(task *jobmon.TaskHistory) { task.Template = "a\x00" },
			func(task *jobmon.TaskHistory) { task.Name = "a\xff" },
		} {
			tasks := someTasks(0, 600) // more than one statement takes
			spoil(&tasks[599])
			f.code(s.ImportTasks(t.Context(), id, tasks), jobmon.CodeInvalid)
		}
		f.ok(s.ImportTasks(t.Context(), id, someTasks(0, 2)))
		f.ok(s.PublishImport(t.Context(), id, jobmon.WorkflowDone))
		f.workflow = id
		tasks, rows := f.stored(store.TaskFilter{WorkflowID: id}), f.history()
		if len(tasks) != 2 || len(rows) != 2*12 {
			t.Errorf("%d tasks and %d rows", len(tasks), len(rows))
		}
	},

	"ARunIsAbandonedWhileItGrows": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		id, err := s.BeginImport(t.Context(), someRun)
		f.ok(err)
		staged := make(chan struct{}, crowd*crowd)
		errs := atOnce(5, func(i int) error {
			if i == 0 {
				<-staged
				return s.AbandonImport(t.Context(), id)
			}
			for {
				if err := s.ImportTasks(t.Context(), id, someTasks(0, 5)); err != nil {
					return err
				}
				select {
				case staged <- struct{}{}:
				default:
				}
			}
		})
		f.ok(errs[0])
		for _, err := range errs[1:] {
			f.code(err, jobmon.CodeNotFound)
		}
		invisible(t, s, id)
		f.ok(firstError(atOnce(4, func(int) error { return s.AbandonImport(t.Context(), id) })...))
		_, err = s.BeginImport(t.Context(), someRun)
		f.ok(err)
	},

	"WhatADeadImportLeftIsRemoved": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		impatient := someRun
		impatient.StaleAfter = time.Microsecond
		dead, err := s.BeginImport(t.Context(), someRun)
		f.ok(err)
		f.ok(s.ImportTasks(t.Context(), dead, someTasks(0, 10)))
		otherDead, err := s.BeginImport(t.Context(), store.Import{Name: "other", Engine: "nextflow", SourceHash: "x"})
		f.ok(err)
		id, err := s.BeginImport(t.Context(), impatient)
		f.ok(err)
		for _, dead := range []int64{dead, otherDead} {
			// The importer that was taken for dead finds out.
			wantCode(t, s.ImportTasks(t.Context(), dead, someTasks(0, 1)), jobmon.CodeNotFound)
			wantCode(t, s.PublishImport(t.Context(), dead, jobmon.WorkflowDone), jobmon.CodeNotFound)
		}
		f.ok(s.ImportTasks(t.Context(), id, someTasks(0, 2)))
		f.ok(s.PublishImport(t.Context(), id, jobmon.WorkflowDone))
		f.workflow = id
		if rows := f.history(); len(rows) != 2*12 {
			t.Errorf("%d rows", len(rows))
		}
	},

	"ClientsDoNotBuildOnAnImport": func(t *testing.T, s store.Store) {
		tool, err := s.RegisterTool(t.Context(), someRun.Engine)
		wantCode(t, err, "")
		mine, err := s.AddToolVersion(t.Context(), tool.ID)
		wantCode(t, err, "")
		_, err = s.BeginImport(t.Context(), someRun)
		wantCode(t, err, "")
		versions, err := s.ToolVersions(t.Context(), tool.ID)
		wantCode(t, err, "")
		equal(t, "versions", versions, []store.ToolVersion{mine})
	},

	"WhatIsMissing": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		for _, id := range []int64{1 << 40, f.workflow} { // of nobody, and of a workflow that was not imported
			wantCode(t, s.ImportTasks(t.Context(), id, someTasks(0, 1)), jobmon.CodeNotFound)
			wantCode(t, s.PublishImport(t.Context(), id, jobmon.WorkflowDone), jobmon.CodeNotFound)
			wantCode(t, s.AbandonImport(t.Context(), id), "")
		}
		id, err := s.BeginImport(t.Context(), someRun)
		f.ok(err)
		wantCode(t, s.ImportTasks(t.Context(), id, []jobmon.TaskHistory{{Name: "t"}}), jobmon.CodeInvalid)
	},
}
