package storetest

import (
	"context"
	"slices"
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
			{WorkflowID: f.workflow, ArrayID: f.array, MaxConcurrentlyRunning: 3, At: begin + 1},
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

var listTests = map[string]func(t *testing.T, s store.Store){
	"AWorkflowTellsAboutItself": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 2)
		info := func() (info store.WorkflowInfo) {
			f.view(func(ctx context.Context, view store.Snapshot) (err error) {
				info, err = view.Workflow(ctx, f.workflow)
				return err
			})
			return info
		}
		got := info()
		if got.Tool != "tool a" || got.User != "user a" || got.FirstAt != begin || got.LastAt != begin || got.Active ||
			got.Name != "workflow a" || got.WorkflowKey != f.key {
			t.Errorf("got %+v", got)
		}
		f.update(func(ctx context.Context, tx store.Tx) error {
			_, err := tx.SaveRun(ctx, store.Run{WorkflowID: f.workflow, User: "later", Status: jobmon.RunLinking, StatusAt: 1})
			return err
		})
		for i, to := range jobmon.TaskStatuses()[1:] {
			at := begin + int64(i) + 1
			f.move(at, to, f.tasks[1])
			if got := info(); got.FirstAt != begin || got.LastAt != at || got.Active != to.Active() || got.User != "later" {
				t.Errorf("with a task in %s: %+v", to.Name(), got)
			}
		}
		empty := newFixture(t, s, "b", 0)
		empty.view(func(ctx context.Context, view store.Snapshot) error {
			got, err := view.Workflow(ctx, empty.workflow)
			if got.FirstAt != 0 || got.LastAt != 0 || got.Active {
				t.Errorf("a workflow without tasks: %+v", got)
			}
			f.ok(err)
			_, err = view.Workflow(ctx, 1<<40)
			wantCode(t, err, jobmon.CodeNotFound)
			return nil
		})
	},

	"WorkflowsAreListedAndSearched": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "first", 0)
		names := []string{"Änderung 1", "änderung 2", "50% of it", "50 of it", "a_b", "aXb", "wow!", "back\\slash", "12"}
		ids := map[string]int64{"first": f.workflow}
		for _, name := range names {
			f.update(func(ctx context.Context, tx store.Tx) (err error) {
				key := f.key
				key.TaskHash = name
				ids[name], err = tx.SaveWorkflow(ctx, store.Workflow{
					WorkflowKey: key, Name: name, Status: jobmon.WorkflowDone, StatusAt: begin,
				})
				return err
			})
		}
		all := append([]string{"workflow first"}, names...)
		slices.Reverse(all)
		for _, c := range []struct {
			name   string
			filter store.WorkflowFilter
			want   []string
		}{
			{"all", store.WorkflowFilter{}, all},
			{"limit", store.WorkflowFilter{Limit: 2}, all[:2]},
			{"next page", store.WorkflowFilter{BeforeID: ids["back\\slash"], Limit: 3}, all[2:5]},
			{"status", store.WorkflowFilter{Status: jobmon.WorkflowRegistering}, []string{"workflow first"}},
			{"any case", store.WorkflowFilter{Search: "ÄNDER"}, []string{"änderung 2", "Änderung 1"}},
			{"percent", store.WorkflowFilter{Search: "0%"}, []string{"50% of it"}},
			{"underscore", store.WorkflowFilter{Search: "a_b"}, []string{"a_b"}},
			{"escape", store.WorkflowFilter{Search: "w!"}, []string{"wow!"}},
			{"backslash", store.WorkflowFilter{Search: "k\\s"}, []string{"back\\slash"}},
			{"quote", store.WorkflowFilter{Search: "' OR 1=1 --"}, nil},
			{"none", store.WorkflowFilter{Search: "nowhere"}, nil},
		} {
			f.view(func(ctx context.Context, view store.Snapshot) error {
				found, err := view.Workflows(ctx, c.filter)
				got := []string{}
				for _, workflow := range found {
					got = append(got, workflow.Name)
				}
				equal(t, c.name, got, c.want)
				return err
			})
		}
		for _, name := range []string{"eleventh", "twelfth"} {
			newFixture(t, s, name, 0)
		}
		f.view(func(ctx context.Context, view store.Snapshot) error {
			found, err := view.Workflows(ctx, store.WorkflowFilter{Search: "12"})
			var got []int64
			for _, workflow := range found {
				got = append(got, workflow.ID)
			}
			equal(t, "ids, searching 12, which is an id and a name", got, []int64{12, ids["12"]})
			return err
		})
	},

	"TemplateNames": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "m", 2)
		f.newArray(f.newTemplate("unused").ID)
		want := []store.TemplateName{{ID: f.template.TaskTemplateID, Name: "template m"}}
		for _, name := range []string{"z", "a"} {
			f.template = f.newTemplate(name)
			f.array = f.newArray(f.template.ID)
			f.addTasks(1)
			want = append(want, store.TemplateName{ID: f.template.TaskTemplateID, Name: name})
		}
		f.view(func(ctx context.Context, view store.Snapshot) error {
			got, err := view.TemplateNames(ctx, f.workflow)
			equal(t, "names", got, []store.TemplateName{want[2], want[0], want[1]})
			f.ok(err)
			none, err := view.TemplateNames(ctx, 1<<40)
			equal(t, "names of no workflow", none, nil)
			return err
		})
	},

	"RequestedResources": func(t *testing.T, s store.Store) {
		queue := int64(3)
		for _, text := range []string{`{"cores": 2, "memory": "🌊"}`, "{}"} {
			id, err := s.AddTaskResources(t.Context(), store.TaskResources{QueueID: &queue, Type: "O", Requested: text})
			if err != nil {
				t.Fatal(err)
			}
			err = s.View(t.Context(), func(ctx context.Context, view store.Snapshot) error {
				got, err := view.RequestedResources(ctx, id)
				if got != text {
					t.Errorf("got %s, want %s", got, text)
				}
				_, missing := view.RequestedResources(ctx, id+1)
				wantCode(t, missing, jobmon.CodeNotFound)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	},
}
