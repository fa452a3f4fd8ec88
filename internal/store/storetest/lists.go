package storetest

import (
	"context"
	"slices"
	"testing"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

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
			{"no id", store.WorkflowFilter{Search: digits}, nil},
			{"before all", store.WorkflowFilter{BeforeID: f.workflow}, nil},
			{"all at once", store.WorkflowFilter{
				Search: "O", Status: jobmon.WorkflowDone, BeforeID: ids["12"], Limit: 2,
			}, []string{"wow!", "50 of it"}},
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

	"TemplatesThatShareAName": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 1)
		want := []store.TemplateName{{ID: f.template.TaskTemplateID, Name: "template a"}}
		tool, err := s.RegisterTool(t.Context(), "tool a")
		f.ok(err)
		version, err := s.AddToolVersion(t.Context(), tool.ID)
		f.ok(err)
		f.toolVersion = version.ID
		f.template = f.newTemplate("template a")
		f.array = f.newArray(f.template.ID)
		f.addTasks(1)
		want = append(want, store.TemplateName{ID: f.template.TaskTemplateID, Name: "template a"})
		f.view(func(ctx context.Context, view store.Snapshot) error {
			got, err := view.TemplateNames(ctx, f.workflow)
			equal(t, "names", got, want)
			return err
		})
	},

	"AWorkflowThatDoesNotExistHasNothing": func(t *testing.T, s store.Store) {
		newFixture(t, s, "a", 1)
		invisible(t, s, 1<<40)
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
