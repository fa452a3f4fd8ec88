package storetest

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// digits is as long as a hash of JobMon's client can be, and beyond every integer type.
var digits = strings.Repeat("9876543210", 7) + "12345678"

// likeNames differ in case, in spaces at the end, and in characters of four bytes: to JobMon they are
// different names.
var likeNames = []string{"name", "Name", "NAME", "name ", " name", "name\u00a0", "näme", "nÄme", "🌊", "🌊🌊", "🌋", ""}

var catalogTests = map[string]func(t *testing.T, s store.Store){
	"RegisteringTwiceIsRegisteringOnce": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		for name, register := range map[string]func(ctx context.Context) (any, error){
			"tool":     func(ctx context.Context) (any, error) { return s.RegisterTool(ctx, "tool") },
			"template": func(ctx context.Context) (any, error) { return s.RegisterTaskTemplate(ctx, f.toolVersion, "t") },
			"dag":      func(ctx context.Context) (any, error) { return s.RegisterDAG(ctx, digits) },
			"template version": func(ctx context.Context) (any, error) {
				return s.RegisterTaskTemplateVersion(ctx, store.TaskTemplateVersion{
					TaskTemplateID: f.template.TaskTemplateID, CommandTemplate: "{a} {b} {c} {d}", ArgMappingHash: digits,
					NodeArgs: []string{"a", "b"}, TaskArgs: []string{"c"}, OpArgs: []string{"d"},
				})
			},
			"nodes": func(ctx context.Context) (any, error) {
				return s.RegisterNodes(ctx, []store.Node{
					{TaskTemplateVersionID: f.template.ID, ArgsHash: digits, Args: map[int64]string{f.template.ArgIDs["x"]: "1"}},
					{TaskTemplateVersionID: f.template.ID, ArgsHash: digits[1:]},
				})
			},
		} {
			first, err := register(t.Context())
			f.ok(err)
			again, err := register(t.Context())
			f.ok(err)
			if !reflect.DeepEqual(first, again) {
				t.Errorf("%s: %v, and then %v", name, first, again)
			}
		}
	},

	"RegisteringAtOnceIsRegisteringOnce": func(t *testing.T, s store.Store) {
		type answer struct {
			tool store.Tool
			err  error
		}
		answers := make(chan answer)
		for range 8 {
			go func() {
				tool, err := s.RegisterTool(t.Context(), "tool")
				answers <- answer{tool, err}
			}()
		}
		first := <-answers
		for range 7 {
			if next := <-answers; next != first || next.err != nil {
				t.Errorf("%v, and %v", first, next)
			}
		}
	},

	"NamesAreComparedExactly": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		for what, register := range map[string]func(name string) (int64, error){
			"tool": func(name string) (int64, error) {
				tool, err := s.RegisterTool(t.Context(), name)
				if tool.Name != name {
					t.Errorf("tool %q came back as %q", name, tool.Name)
				}
				return tool.ID, err
			},
			"template": func(name string) (int64, error) { return s.RegisterTaskTemplate(t.Context(), f.toolVersion, name) },
			"dag": func(name string) (int64, error) {
				dag, err := s.RegisterDAG(t.Context(), name)
				return dag.ID, err
			},
			"node": func(name string) (int64, error) {
				ids, err := s.RegisterNodes(t.Context(), []store.Node{{TaskTemplateVersionID: f.template.ID, ArgsHash: name}})
				return append(ids, 0)[0], err
			},
			"argument": func(name string) (int64, error) {
				version, err := s.RegisterTaskTemplateVersion(t.Context(), store.TaskTemplateVersion{
					TaskTemplateID: f.template.TaskTemplateID, ArgMappingHash: name, TaskArgs: []string{name},
				})
				return version.ArgIDs[name], err
			},
		} {
			ids := map[int64]string{}
			for _, name := range likeNames {
				id, err := register(name)
				f.ok(err)
				if other, taken := ids[id]; taken {
					t.Errorf("%s %q is taken for %q", what, name, other)
				}
				ids[id] = name
			}
		}
	},

	"ToolVersionsAscend": func(t *testing.T, s store.Store) {
		tool, err := s.RegisterTool(t.Context(), "tool")
		if err != nil {
			t.Fatal(err)
		}
		var want []store.ToolVersion
		for range 3 {
			version, err := s.AddToolVersion(t.Context(), tool.ID)
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, version)
		}
		got, err := s.ToolVersions(t.Context(), tool.ID)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "versions", got, want)
		if want[0].ToolID != tool.ID || want[0].ID >= want[1].ID || want[1].ID >= want[2].ID {
			t.Errorf("versions %v of tool %d", want, tool.ID)
		}
	},

	"TaskTemplatesAscend": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		id, err := s.RegisterTaskTemplate(t.Context(), f.toolVersion, "A template")
		f.ok(err)
		got, err := s.TaskTemplates(t.Context(), f.toolVersion)
		f.ok(err)
		equal(t, "templates", got, []store.TaskTemplate{
			{ID: f.template.TaskTemplateID, ToolVersionID: f.toolVersion, Name: "template a"},
			{ID: id, ToolVersionID: f.toolVersion, Name: "A template"},
		})
	},

	"ArgumentsKeepTheirIDs": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		wanted := store.TaskTemplateVersion{
			TaskTemplateID: f.template.TaskTemplateID, CommandTemplate: "{x} {y} {z}", ArgMappingHash: "2",
			NodeArgs: []string{"x", "y"}, TaskArgs: []string{"z"}, OpArgs: []string{"w"},
		}
		version, err := s.RegisterTaskTemplateVersion(t.Context(), wanted)
		f.ok(err)
		if version.ArgIDs["x"] != f.template.ArgIDs["x"] {
			t.Errorf("argument x was %d and is %d", f.template.ArgIDs["x"], version.ArgIDs["x"])
		}
		names := slices.Sorted(maps.Keys(version.ArgIDs))
		equal(t, "names", names, []string{"w", "x", "y", "z"})
		slices.Sort(version.NodeArgs)
		equal(t, "node arguments", version.NodeArgs, wanted.NodeArgs)
		equal(t, "task arguments", version.TaskArgs, wanted.TaskArgs)
		equal(t, "operational arguments", version.OpArgs, wanted.OpArgs)

		all, err := s.TaskTemplateVersions(t.Context(), f.template.TaskTemplateID)
		f.ok(err)
		if len(all) != 2 || !reflect.DeepEqual(all[0], f.template) || all[1].ID != version.ID {
			t.Errorf("versions %v", all)
		}
	},

	"NodesComeBackInTheirOrder": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		nodes := make([]store.Node, 1200)
		for i := range nodes {
			nodes[i] = store.Node{
				TaskTemplateVersionID: f.template.ID, ArgsHash: strconv.Itoa(i * 7919 % 1200),
				Args: map[int64]string{f.template.ArgIDs["x"]: "v"},
			}
		}
		ids, err := s.RegisterNodes(t.Context(), nodes)
		f.ok(err)
		slices.Reverse(nodes)
		again, err := s.RegisterNodes(t.Context(), nodes)
		f.ok(err)
		slices.Reverse(again)
		equal(t, "ids", again, ids)
		if slices.Sort(again); len(slices.Compact(again)) != len(nodes) {
			t.Error("two nodes have one id")
		}
	},

	"SeedsOfJobMon": func(t *testing.T, s store.Store) {
		for id, want := range map[int64]struct{ name, parameters string }{
			1: {"dummy", "{}"}, 2: {"sequential", "{}"}, 3: {"multiprocess", `{"cores": (1,20)}`},
		} {
			cluster, err := s.Cluster(t.Context(), want.name)
			if err != nil || cluster != (store.Cluster{ID: id, Name: want.name, Type: want.name}) {
				t.Errorf("cluster %s: %v, %v", want.name, cluster, err)
			}
			queue, err := s.Queue(t.Context(), id, "null.q")
			if err != nil || queue != (store.Queue{ID: id, Name: "null.q", Parameters: want.parameters}) {
				t.Errorf("queue of %s: %v, %v", want.name, queue, err)
			}
		}
		for _, kind := range []string{"O", "V", "A"} {
			if _, err := s.AddTaskResources(t.Context(), store.TaskResources{Type: kind, Requested: "{}"}); err != nil {
				t.Errorf("resources of type %s: %v", kind, err)
			}
		}
	},

	"AVersionIsItsCommandAndArguments": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		wanted := store.TaskTemplateVersion{
			ID: 1 << 40, TaskTemplateID: f.template.TaskTemplateID, CommandTemplate: "{y}", ArgMappingHash: "2",
			TaskArgs: []string{"y"}, ArgIDs: map[string]int64{"y": 1 << 40}, // whose ids are ignored
		}
		version, err := s.RegisterTaskTemplateVersion(t.Context(), wanted)
		f.ok(err)
		if version.ID == wanted.ID || version.ArgIDs["y"] == wanted.ArgIDs["y"] || len(version.ArgIDs) != 1 {
			t.Errorf("got %+v", version)
		}
		wanted.TaskArgs, wanted.OpArgs = nil, []string{"z"} // not what tells versions apart
		again, err := s.RegisterTaskTemplateVersion(t.Context(), wanted)
		f.ok(err)
		if !reflect.DeepEqual(again, version) {
			t.Errorf("got %+v, and then %+v", version, again)
		}
		for what, change := range map[string]func(*store.TaskTemplateVersion){
			"template":  func(v *store.TaskTemplateVersion) { v.TaskTemplateID = f.newTemplate("other").TaskTemplateID },
			"command":   func(v *store.TaskTemplateVersion) { v.CommandTemplate = "{Y}" },
			"arguments": func(v *store.TaskTemplateVersion) { v.ArgMappingHash = "20" },
		} {
			other := wanted
			change(&other)
			if next, err := s.RegisterTaskTemplateVersion(t.Context(), other); err != nil || next.ID == version.ID {
				t.Errorf("another %s: %+v, %v", what, next, err)
			}
		}
	},

	"ANodeTwiceInOneCall": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		node := func(hash string) store.Node {
			return store.Node{TaskTemplateVersionID: f.template.ID, ArgsHash: hash, Args: map[int64]string{f.template.ArgIDs["x"]: hash}}
		}
		ids, err := s.RegisterNodes(t.Context(), []store.Node{node("1"), node("2"), node("1")})
		f.ok(err)
		if len(ids) != 3 || ids[0] != ids[2] || ids[0] == ids[1] || ids[0] == 0 {
			t.Errorf("ids %v", ids)
		}
		none, err := s.RegisterNodes(t.Context(), nil)
		equal(t, "ids of no nodes", none, nil)
		f.ok(err)
	},

	"ResourcesAreAddedEachTime": func(t *testing.T, s store.Store) {
		ids := map[int64]bool{}
		for range 3 {
			id, err := s.AddTaskResources(t.Context(), store.TaskResources{Type: "V", Requested: "{}"})
			wantCode(t, err, "")
			ids[id] = true
		}
		if len(ids) != 3 || ids[0] {
			t.Errorf("ids %v", ids)
		}
	},

	"EdgesThatAreThereStay": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 3)
		for _, edges := range [][]store.Edge{
			{{NodeID: f.nodes[0], Downstream: f.nodes[1:2]}},
			{{NodeID: f.nodes[0], Downstream: f.nodes[2:]}, {NodeID: f.nodes[1], Downstream: f.nodes[2:]}},
			nil,
		} {
			f.ok(s.AddEdges(t.Context(), f.dag, edges, false))
		}
		for i, want := range [][]int64{f.tasks[1:2], f.tasks[2:], nil} {
			f.update(func(ctx context.Context, tx store.Tx) error {
				found, err := tx.Neighbours(ctx, f.workflow, f.tasks[i:i+1], false)
				equal(t, "neighbours", taskIDs(found), want)
				return err
			})
		}
	},

	"WhatIsThereMayBeEmpty": func(t *testing.T, s store.Store) {
		tool, err := s.RegisterTool(t.Context(), "tool")
		wantCode(t, err, "")
		versions, err := s.ToolVersions(t.Context(), tool.ID)
		wantCode(t, err, "")
		equal(t, "versions", versions, nil)
		version, err := s.AddToolVersion(t.Context(), tool.ID)
		wantCode(t, err, "")
		templates, err := s.TaskTemplates(t.Context(), version.ID)
		wantCode(t, err, "")
		equal(t, "templates", templates, nil)
		template, err := s.RegisterTaskTemplate(t.Context(), version.ID, "template")
		wantCode(t, err, "")
		if versions, err := s.TaskTemplateVersions(t.Context(), template); err != nil || len(versions) != 0 {
			t.Errorf("template versions %v, %v", versions, err)
		}
	},

	"ADAGIsCreatedWithItsLastEdges": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 3)
		edges := []store.Edge{{NodeID: f.nodes[0], Downstream: f.nodes[1:]}}
		f.ok(s.AddEdges(t.Context(), f.dag, edges, false))
		dag, err := s.RegisterDAG(t.Context(), "dag a")
		f.ok(err)
		if dag.ID != f.dag || dag.CreatedAt != 0 {
			t.Errorf("before its last edges: %v", dag)
		}
		edges = append(edges, store.Edge{NodeID: f.nodes[1], Upstream: f.nodes[:1]})
		f.ok(s.AddEdges(t.Context(), f.dag, edges, true))
		dag, err = s.RegisterDAG(t.Context(), "dag a")
		f.ok(err)
		if near := time.Since(time.UnixMicro(dag.CreatedAt)).Abs(); near > time.Hour {
			t.Errorf("created, and by %v not now", near)
		}
		f.ok(s.AddEdges(t.Context(), f.dag, edges, true))
		if again, err := s.RegisterDAG(t.Context(), "dag a"); err != nil || again != dag {
			t.Errorf("repeating its last edges made %v of %v, %v", again, dag, err)
		}
	},

	"WorkflowsByArgs": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		other := f.key
		other.TaskHash = digits
		var second int64
		f.update(func(ctx context.Context, tx store.Tx) error {
			id, err := tx.SaveWorkflow(ctx, store.Workflow{WorkflowKey: other, Status: jobmon.WorkflowRegistering, StatusAt: begin})
			second = id
			return err
		})
		got, err := s.WorkflowsByArgs(t.Context(), f.key.ArgsHash)
		f.ok(err)
		equal(t, "workflows", got, []store.WorkflowMatch{
			{ID: f.workflow, TaskHash: "tasks a", ToolVersionID: f.toolVersion, DAGID: f.dag, DAGHash: "dag a"},
			{ID: second, TaskHash: digits, ToolVersionID: f.toolVersion, DAGID: f.dag, DAGHash: "dag a"},
		})
		if none, err := s.WorkflowsByArgs(t.Context(), "args A"); err != nil || len(none) != 0 {
			t.Errorf("of other arguments: %v, %v", none, err)
		}
	},

	"WhatIsMissingIsNotFound": func(t *testing.T, s store.Store) {
		const none = 1 << 40
		f := newFixture(t, s, "a", 0)
		queue := int64(none)
		for name, ask := range map[string]func(ctx context.Context) error{
			"ToolVersions":         func(ctx context.Context) error { _, err := s.ToolVersions(ctx, none); return err },
			"AddToolVersion":       func(ctx context.Context) error { _, err := s.AddToolVersion(ctx, none); return err },
			"TaskTemplates":        func(ctx context.Context) error { _, err := s.TaskTemplates(ctx, none); return err },
			"RegisterTaskTemplate": func(ctx context.Context) error { _, err := s.RegisterTaskTemplate(ctx, none, "t"); return err },
			"TaskTemplateVersions": func(ctx context.Context) error { _, err := s.TaskTemplateVersions(ctx, none); return err },
			"Cluster":              func(ctx context.Context) error { _, err := s.Cluster(ctx, "Dummy"); return err },
			"Queue":                func(ctx context.Context) error { _, err := s.Queue(ctx, 1, "null.Q"); return err },
			"Queue, cluster":       func(ctx context.Context) error { _, err := s.Queue(ctx, none, "null.q"); return err },
			"AddEdges":             func(ctx context.Context) error { return s.AddEdges(ctx, none, nil, true) },
			"AddEdges, node":       func(ctx context.Context) error { return s.AddEdges(ctx, f.dag, []store.Edge{{NodeID: none}}, true) },
			"AddTaskResources": func(ctx context.Context) error {
				_, err := s.AddTaskResources(ctx, store.TaskResources{Type: "X"})
				return err
			},
			"AddTaskResources, queue": func(ctx context.Context) error {
				_, err := s.AddTaskResources(ctx, store.TaskResources{Type: "O", QueueID: &queue})
				return err
			},
			"RegisterTaskTemplateVersion": func(ctx context.Context) error {
				_, err := s.RegisterTaskTemplateVersion(ctx, store.TaskTemplateVersion{TaskTemplateID: none})
				return err
			},
			"RegisterNodes": func(ctx context.Context) error {
				_, err := s.RegisterNodes(ctx, []store.Node{{TaskTemplateVersionID: none}})
				return err
			},
			"RegisterNodes, argument": func(ctx context.Context) error {
				_, err := s.RegisterNodes(ctx, []store.Node{{TaskTemplateVersionID: f.template.ID, Args: map[int64]string{none: "v"}}})
				return err
			},
		} {
			t.Run(name, func(t *testing.T) { wantCode(t, ask(t.Context()), jobmon.CodeNotFound) })
		}
	},
}
