package storetest

import (
	"context"
	"testing"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

var workflowTests = map[string]func(t *testing.T, s store.Store){
	"AWorkflowComesBackAsItWasSaved": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		for _, name := range append(likeNames, digits) {
			saved := store.Workflow{
				WorkflowKey: store.WorkflowKey{ToolVersionID: f.toolVersion, DAGID: f.dag, ArgsHash: digits, TaskHash: name},
				Name:        name, Description: name + "!", Args: name + "?", MaxConcurrentlyRunning: jobmon.NoLimit,
				Status: jobmon.WorkflowHalted, StatusAt: begin + 123_456, CreatedAt: begin + 654_321,
			}
			f.update(func(ctx context.Context, tx store.Tx) (err error) {
				saved.ID, err = tx.SaveWorkflow(ctx, saved)
				return err
			})
			f.update(func(ctx context.Context, tx store.Tx) error {
				byKey, err := tx.LockWorkflowByKey(ctx, saved.WorkflowKey)
				if byKey != saved {
					t.Errorf("by key: %+v, want %+v", byKey, saved)
				}
				f.ok(err)
				saved.Name, saved.Status, saved.StatusAt, saved.CreatedAt = "new", jobmon.WorkflowDone, begin+1, 0
				_, err = tx.SaveWorkflow(ctx, saved)
				f.ok(err)
				byID, err := tx.LockWorkflow(ctx, saved.ID)
				if byID != saved {
					t.Errorf("by id: %+v, want %+v", byID, saved)
				}
				return err
			})
		}
	},

	"OneWorkflowForOneKey": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
			_, err := tx.SaveWorkflow(ctx, store.Workflow{WorkflowKey: f.key, Status: jobmon.WorkflowRegistering, StatusAt: begin})
			return err
		})
		f.code(err, jobmon.CodeConflict)
	},

	"AKeyThatAnotherHas": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		other := store.Workflow{WorkflowKey: f.key, Status: jobmon.WorkflowDone, StatusAt: begin}
		other.TaskHash = "other"
		f.update(func(ctx context.Context, tx store.Tx) (err error) {
			other.ID, err = tx.SaveWorkflow(ctx, other)
			return err
		})
		before := f.visible()
		err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
			locked, err := tx.LockWorkflow(ctx, other.ID)
			f.ok(err)
			locked.WorkflowKey = f.key
			_, err = tx.SaveWorkflow(ctx, locked)
			return err
		})
		f.code(err, jobmon.CodeConflict)
		f.unchanged(before)
	},

	"SavingWhatIsThereAlready": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 1)
		before := f.visible()
		for range 2 {
			f.update(func(ctx context.Context, tx store.Tx) error {
				run, err := tx.LockRun(ctx, f.run)
				f.ok(err)
				workflow, err := tx.LockWorkflow(ctx, f.workflow)
				f.ok(err)
				array, err := tx.LockArray(ctx, f.array)
				f.ok(err)
				tasks, err := tx.LockTasks(ctx, store.TaskFilter{IDs: f.tasks})
				f.ok(err)
				_, err = tx.SaveRun(ctx, run)
				f.ok(err)
				_, err = tx.SaveWorkflow(ctx, workflow)
				f.ok(err)
				_, err = tx.SaveArray(ctx, array)
				f.ok(err)
				f.ok(tx.SetWorkflowAttributes(ctx, f.workflow, map[string]string{"a": "1"}))
				return tx.DescribeTask(ctx, tasks[0])
			})
		}
		f.unchanged(before)
	},

	"AttributesAreAddedAndOverwritten": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		for _, attributes := range []map[string]string{{"a": "1", "b": "2"}, {"b": "3", "B": "4"}, nil} {
			f.update(func(ctx context.Context, tx store.Tx) error {
				return tx.SetWorkflowAttributes(ctx, f.workflow, attributes)
			})
		}
		err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
			return tx.SetWorkflowAttributes(ctx, 1<<40, map[string]string{"a": "1"})
		})
		f.code(err, jobmon.CodeNotFound)
	},

	"ARunComesBackAsItWasSaved": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		saved := store.Run{
			WorkflowID: f.workflow, User: "ü ", JobmonVersion: "3.6.0", Status: jobmon.RunBound,
			StatusAt: begin + 1, CreatedAt: begin + 2, HeartbeatAt: begin + 3,
		}
		f.update(func(ctx context.Context, tx store.Tx) (err error) {
			saved.ID, err = tx.SaveRun(ctx, saved)
			return err
		})
		f.update(func(ctx context.Context, tx store.Tx) error {
			saved.Status, saved.HeartbeatAt = jobmon.RunRunning, begin+4
			id, err := tx.SaveRun(ctx, saved)
			if id != saved.ID {
				t.Errorf("run %d was saved as %d", saved.ID, id)
			}
			f.ok(err)
			locked, err := tx.LockRun(ctx, saved.ID)
			if locked != saved {
				t.Errorf("got %+v, want %+v", locked, saved)
			}
			f.ok(err)
			runs, err := tx.Runs(ctx, f.workflow)
			if len(runs) != 2 || runs[0].ID != f.run || runs[1] != saved {
				t.Errorf("runs %+v", runs)
			}
			return err
		})
		f.view(func(ctx context.Context, view store.Snapshot) error {
			seen, err := view.Run(ctx, saved.ID)
			if seen != saved {
				t.Errorf("a snapshot has %+v, want %+v", seen, saved)
			}
			_, missing := view.Run(ctx, saved.ID+1)
			wantCode(t, missing, jobmon.CodeNotFound)
			return err
		})
	},

	"AnArrayComesBackAsItWasSaved": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		saved := store.Array{
			TaskTemplateVersionID: f.newTemplate("other").ID, WorkflowID: f.workflow, Name: "Array ",
			MaxConcurrentlyRunning: 5, CreatedAt: begin + 1,
		}
		f.update(func(ctx context.Context, tx store.Tx) (err error) {
			saved.ID, err = tx.SaveArray(ctx, saved)
			return err
		})
		f.update(func(ctx context.Context, tx store.Tx) error {
			saved.MaxConcurrentlyRunning = 6
			_, err := tx.SaveArray(ctx, saved)
			f.ok(err)
			locked, err := tx.LockArray(ctx, saved.ID)
			if locked != saved {
				t.Errorf("got %+v, want %+v", locked, saved)
			}
			f.ok(err)
			arrays, err := tx.Arrays(ctx, f.workflow)
			if len(arrays) != 2 || arrays[0].ID != f.array || arrays[1] != saved {
				t.Errorf("arrays %+v", arrays)
			}
			return err
		})
		err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
			saved.ID = 0
			_, err := tx.SaveArray(ctx, saved)
			return err
		})
		f.code(err, jobmon.CodeConflict)
	},

	"LimitsAreAHistory": func(t *testing.T, s store.Store) {
		f, other := newFixture(t, s, "a", 0), newFixture(t, s, "b", 0)
		limits := []store.Limit{
			{WorkflowID: f.workflow, MaxConcurrentlyRunning: 10, At: begin + 2},
			{
				WorkflowID: f.workflow, ArrayID: f.array, TaskTemplateID: f.template.TaskTemplateID,
				MaxConcurrentlyRunning: 3, At: begin + 1,
			},
			{WorkflowID: other.workflow, MaxConcurrentlyRunning: 99, At: begin},
			{WorkflowID: f.workflow, MaxConcurrentlyRunning: 20, At: begin + 2}, // later at the same instant
			{WorkflowID: f.workflow, MaxConcurrentlyRunning: 0, At: begin + 2},
		}
		f.update(func(ctx context.Context, tx store.Tx) error {
			for _, limit := range limits {
				f.ok(tx.AppendLimit(ctx, limit))
			}
			return nil
		})
		f.view(func(ctx context.Context, view store.Snapshot) error {
			got, err := view.Limits(ctx, f.workflow)
			equal(t, "limits", got, []store.Limit{limits[1], limits[0], limits[3], limits[4]})
			return err
		})
	},

	"WhatIsMissingIsNotFound": func(t *testing.T, s store.Store) {
		const none = 1 << 40
		f := newFixture(t, s, "a", 0)
		for name, change := range map[string]func(ctx context.Context, tx store.Tx) error{
			"LockWorkflow": func(ctx context.Context, tx store.Tx) error { _, err := tx.LockWorkflow(ctx, none); return err },
			"LockWorkflowByKey": func(ctx context.Context, tx store.Tx) error {
				key := f.key
				key.TaskHash = "Tasks a"
				_, err := tx.LockWorkflowByKey(ctx, key)
				return err
			},
			"LockRun":   func(ctx context.Context, tx store.Tx) error { _, err := tx.LockRun(ctx, none); return err },
			"LockArray": func(ctx context.Context, tx store.Tx) error { _, err := tx.LockArray(ctx, none); return err },
			"SaveWorkflow": func(ctx context.Context, tx store.Tx) error {
				key := f.key
				key.DAGID = none
				_, err := tx.SaveWorkflow(ctx, store.Workflow{WorkflowKey: key, Status: jobmon.WorkflowDone, StatusAt: begin})
				return err
			},
			"SaveRun": func(ctx context.Context, tx store.Tx) error {
				_, err := tx.SaveRun(ctx, store.Run{WorkflowID: none, Status: jobmon.RunLinking, StatusAt: begin})
				return err
			},
			"SaveRun, id": func(ctx context.Context, tx store.Tx) error {
				_, err := tx.SaveRun(ctx, store.Run{ID: none, WorkflowID: f.workflow, Status: jobmon.RunLinking, StatusAt: begin})
				return err
			},
			"SaveWorkflow, id": func(ctx context.Context, tx store.Tx) error {
				_, err := tx.SaveWorkflow(ctx, store.Workflow{ID: none, WorkflowKey: f.key, Status: jobmon.WorkflowDone, StatusAt: begin})
				return err
			},
			"SaveArray, id": func(ctx context.Context, tx store.Tx) error {
				_, err := tx.SaveArray(ctx, store.Array{ID: none, WorkflowID: f.workflow, TaskTemplateVersionID: f.template.ID})
				return err
			},
			"SaveArray, template": func(ctx context.Context, tx store.Tx) error {
				_, err := tx.SaveArray(ctx, store.Array{WorkflowID: f.workflow, TaskTemplateVersionID: none})
				return err
			},
			"AppendLimit, array": func(ctx context.Context, tx store.Tx) error {
				return tx.AppendLimit(ctx, store.Limit{WorkflowID: f.workflow, ArrayID: none, At: begin})
			},
			"SaveArray": func(ctx context.Context, tx store.Tx) error {
				_, err := tx.SaveArray(ctx, store.Array{WorkflowID: none, TaskTemplateVersionID: f.template.ID})
				return err
			},
			"AppendLimit": func(ctx context.Context, tx store.Tx) error {
				return tx.AppendLimit(ctx, store.Limit{WorkflowID: none, At: begin})
			},
		} {
			t.Run(name, func(t *testing.T) { wantCode(t, s.Update(t.Context(), change), jobmon.CodeNotFound) })
		}
		f.update(func(ctx context.Context, tx store.Tx) error {
			runs, err := tx.Runs(ctx, none)
			f.ok(err)
			arrays, err := tx.Arrays(ctx, none)
			if len(runs)+len(arrays) > 0 {
				t.Errorf("a workflow that does not exist has %v and %v", runs, arrays)
			}
			return err
		})
	},
}
