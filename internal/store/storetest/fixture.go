package storetest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// tester is what the suite needs of a [testing.T] or a rapid.T.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
	Context() context.Context
}

// fixture is a workflow with one array and a run, in a store that others may use too.
type fixture struct {
	tester
	store       store.Store
	toolVersion int64
	template    store.TaskTemplateVersion
	dag         int64
	key         store.WorkflowKey
	workflow    int64
	array       int64
	run         int64
	resources   int64
	tasks       []int64
	nodes       []int64
}

// begin is the instant at which fixtures are made, in microseconds.
const begin = int64(1_650_000_000_000_001)

// newFixture makes a workflow of the given name with tasks in REGISTERING.
func newFixture(t tester, s store.Store, name string, tasks int) *fixture {
	t.Helper()
	f := &fixture{tester: t, store: s}
	ctx := t.Context()
	tool, err := s.RegisterTool(ctx, "tool "+name)
	f.ok(err)
	version, err := s.AddToolVersion(ctx, tool.ID)
	f.ok(err)
	f.toolVersion = version.ID
	f.template = f.newTemplate("template " + name)
	dag, err := s.RegisterDAG(ctx, "dag "+name)
	f.ok(err)
	f.dag = dag.ID
	f.key = store.WorkflowKey{ToolVersionID: version.ID, DAGID: dag.ID, ArgsHash: "args " + name, TaskHash: "tasks " + name}
	f.resources, err = s.AddTaskResources(ctx, store.TaskResources{Type: "O", Requested: "{}"})
	f.ok(err)
	f.update(func(ctx context.Context, tx store.Tx) error {
		f.workflow, err = tx.SaveWorkflow(ctx, store.Workflow{
			WorkflowKey: f.key, Name: "workflow " + name, MaxConcurrentlyRunning: 100,
			Status: jobmon.WorkflowRegistering, StatusAt: begin,
		})
		return err
	})
	f.array = f.newArray(f.template.ID)
	f.update(func(ctx context.Context, tx store.Tx) error {
		f.run, err = tx.SaveRun(ctx, store.Run{
			WorkflowID: f.workflow, User: "user " + name, Status: jobmon.RunLinking,
			StatusAt: begin, CreatedAt: begin, HeartbeatAt: begin,
		})
		return err
	})
	f.tasks = f.addTasks(tasks)
	return f
}

func (f *fixture) newTemplate(name string) store.TaskTemplateVersion {
	f.Helper()
	id, err := f.store.RegisterTaskTemplate(f.Context(), f.toolVersion, name)
	f.ok(err)
	version, err := f.store.RegisterTaskTemplateVersion(f.Context(), store.TaskTemplateVersion{
		TaskTemplateID: id, CommandTemplate: "run {x}", ArgMappingHash: "1", NodeArgs: []string{"x"},
	})
	f.ok(err)
	return version
}

func (f *fixture) newArray(templateVersion int64) (id int64) {
	f.Helper()
	f.update(func(ctx context.Context, tx store.Tx) (err error) {
		id, err = tx.SaveArray(ctx, store.Array{
			TaskTemplateVersionID: templateVersion, WorkflowID: f.workflow, Name: "array",
			MaxConcurrentlyRunning: 10, CreatedAt: begin,
		})
		return err
	})
	return id
}

// newTasks describes tasks on nodes of their own, without storing them.
func (f *fixture) newTasks(n int) []store.Task {
	f.Helper()
	nodes := make([]store.Node, n)
	for i := range nodes {
		nodes[i] = store.Node{
			TaskTemplateVersionID: f.template.ID, ArgsHash: fmt.Sprintf("node %d", len(f.nodes)+i),
			Args: map[int64]string{f.template.ArgIDs["x"]: strconv.Itoa(i)},
		}
	}
	ids, err := f.store.RegisterNodes(f.Context(), nodes)
	f.ok(err)
	tasks := make([]store.Task, n)
	for i, id := range ids {
		tasks[i] = store.Task{
			WorkflowID: f.workflow, NodeID: id, ArrayID: f.array, TaskTemplateID: f.template.TaskTemplateID,
			TaskResourcesID: f.resources, ArgsHash: "args",
			Name: fmt.Sprintf("task %d", i), Command: "true", ResourceScales: "{}", FallbackQueues: "[]", MaxAttempts: 3,
		}
	}
	f.nodes = append(f.nodes, ids...)
	return tasks
}

func (f *fixture) addTasks(n int) (ids []int64) {
	f.Helper()
	tasks := f.newTasks(n)
	f.update(func(ctx context.Context, tx store.Tx) (err error) {
		ids, err = tx.InsertTasks(ctx, tasks, begin)
		return err
	})
	return ids
}

// addManyTasks adds tasks that share a node and differ by their arguments, which is quicker.
func (f *fixture) addManyTasks(n int) (ids []int64) {
	f.Helper()
	tasks := slices.Repeat(f.newTasks(1), n)
	for i := range tasks {
		tasks[i].ArgsHash = strconv.Itoa(i)
	}
	f.update(func(ctx context.Context, tx store.Tx) (err error) {
		ids, err = tx.InsertTasks(ctx, tasks, begin)
		return err
	})
	return ids
}

func (f *fixture) ok(err error) {
	f.Helper()
	if err != nil {
		f.Fatalf("%v", err)
	}
}

// code demands that an error carries a code.
func (f *fixture) code(err error, want jobmon.Code) {
	f.Helper()
	wantCode(f, err, want)
}

func wantCode(t tester, err error, want jobmon.Code) {
	t.Helper()
	if got := jobmon.ErrorCode(err); got != want {
		t.Errorf("error %v has code %q, want %q", err, got, want)
	}
}

// update runs a change that has to succeed.
func (f *fixture) update(change func(ctx context.Context, tx store.Tx) error) {
	f.Helper()
	f.ok(f.store.Update(f.Context(), change))
}

// view runs a read that has to succeed.
func (f *fixture) view(read func(ctx context.Context, view store.Snapshot) error) {
	f.Helper()
	f.ok(f.store.View(f.Context(), read))
}

// move moves tasks at an instant.
func (f *fixture) move(at int64, to jobmon.TaskStatus, ids ...int64) {
	f.Helper()
	f.update(func(ctx context.Context, tx store.Tx) error {
		return tx.MoveTasks(ctx, store.TaskMove{IDs: ids, To: to, At: at})
	})
}

// history returns all transitions of the workflow.
func (f *fixture) history() (rows []jobmon.Transition) {
	f.Helper()
	f.view(func(ctx context.Context, view store.Snapshot) (err error) {
		rows, err = gather(view.Transitions(ctx, f.always()))
		return err
	})
	return rows
}

// now reads the database's clock.
func (f *fixture) now() (at int64) {
	f.Helper()
	f.view(func(ctx context.Context, view store.Snapshot) (err error) {
		at, err = view.Now(ctx)
		return err
	})
	return at
}

// always selects every transition of the workflow.
func (f *fixture) always() store.TransitionFilter {
	return store.TransitionFilter{WorkflowID: f.workflow, From: 0, Before: 1 << 60}
}

// stored returns the tasks that match, as a snapshot has them.
func (f *fixture) stored(filter store.TaskFilter) (tasks []store.Task) {
	f.Helper()
	f.view(func(ctx context.Context, view store.Snapshot) (err error) {
		tasks, err = gather(view.Tasks(ctx, filter))
		return err
	})
	return tasks
}

// instances returns the instances that match, as a snapshot has them.
func (f *fixture) instances(filter store.InstanceFilter) (instances []store.Instance) {
	f.Helper()
	f.view(func(ctx context.Context, view store.Snapshot) (err error) {
		instances, err = view.Instances(ctx, filter)
		return err
	})
	return instances
}

// unchanged demands that all that can be seen of the fixture is as it was.
func (f *fixture) unchanged(before string) {
	f.Helper()
	was := strings.Split(before, "\n")
	for i, line := range strings.Split(f.visible(), "\n") {
		if line != was[i] {
			f.Errorf("it left %.1000s, and there was %.1000s", line, was[i])
		}
	}
}

// visible writes down all that can be seen of the fixture, each kind of thing in a line.
func (f *fixture) visible() (text string) {
	f.Helper()
	templates, err := f.store.TaskTemplates(f.Context(), f.toolVersion)
	f.ok(err)
	versions, err := f.store.TaskTemplateVersions(f.Context(), f.template.TaskTemplateID)
	f.ok(err)
	text = fmt.Sprintf("%+v\n%+v\n", templates, versions)
	f.view(func(ctx context.Context, view store.Snapshot) error {
		workflows, err := view.Workflows(ctx, store.WorkflowFilter{})
		f.ok(err)
		limits, err := view.Limits(ctx, f.workflow)
		text += fmt.Sprintf("%+v\n%+v\n", workflows, limits)
		return err
	})
	f.update(func(ctx context.Context, tx store.Tx) error {
		runs, err := tx.Runs(ctx, f.workflow)
		f.ok(err)
		arrays, err := tx.Arrays(ctx, f.workflow)
		text += fmt.Sprintf("%+v\n%+v\n", runs, arrays)
		return err
	})
	return text + fmt.Sprintf("%+v\n%+v\n%+v\n", f.stored(store.TaskFilter{WorkflowID: f.workflow}), f.history(),
		f.instances(store.InstanceFilter{WorkflowID: f.workflow}))
}

// queue adds a batch of instances.
func (f *fixture) queue(at int64, tasks ...int64) {
	f.Helper()
	f.update(func(ctx context.Context, tx store.Tx) error {
		return tx.QueueInstances(ctx, store.InstanceBatch{
			RunID: f.run, ArrayID: f.array, TaskResourcesID: f.resources, TaskIDs: tasks, At: at,
		})
	})
}

func gather[T any](rows func(yield func(T, error) bool)) ([]T, error) {
	var gathered []T
	for row, err := range rows {
		if err != nil {
			return gathered, err
		}
		gathered = append(gathered, row)
	}
	return gathered, nil
}

func taskIDs(tasks []store.Task) []int64 {
	ids := make([]int64, len(tasks))
	for i, task := range tasks {
		ids[i] = task.ID
	}
	return ids
}

func equal[T comparable](t tester, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
