package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"testing"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/ledger"
	"tasktide/internal/store"
	"tasktide/internal/store/testdb"
)

func TestMain(m *testing.M) { os.Exit(testdb.Main(m)) }

// world is a database with one workflow of one array, bound and with a run that is RUNNING.
type world struct {
	tb         failer
	db         store.Store
	ledger     *ledger.Ledger
	log        *bytes.Buffer
	workflowID int64
	arrayID    int64
	runID      int64
	resources  int64
	tasks      []int64
}

// failer is what testing.T and rapid.T have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

const maxAttempts = 2

func openStore(t *testing.T) store.Store {
	t.Helper()
	db := testdb.Open(t)
	t.Cleanup(func() {
		// Whatever has moved tasks, or was refused, each transition that was committed has a row.
		if written := db.Written(); written.Transitions != written.AuditRows {
			t.Errorf("written were %+v", written)
		}
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}

func newWorld(t *testing.T, tasks int) *world {
	t.Helper()
	return build(t, openStore(t), t.Name(), tasks)
}

// build makes a workflow in db; name tells it from others there.
func build(tb failer, db store.Store, name string, tasks int) *world {
	tb.Helper()
	log := &bytes.Buffer{}
	w := &world{tb: tb, db: db, log: log, ledger: ledger.New(db, slog.New(slog.NewTextHandler(log, nil)))}
	ctx := context.Background()
	tool := must(db.RegisterTool(ctx, "tool"))(tb)
	version := must(db.AddToolVersion(ctx, tool.ID))(tb)
	template := must(db.RegisterTaskTemplate(ctx, version.ID, "template"))(tb)
	templateVersion := must(db.RegisterTaskTemplateVersion(ctx, store.TaskTemplateVersion{
		TaskTemplateID: template, CommandTemplate: "run {x}", ArgMappingHash: "1", NodeArgs: []string{"x"},
	}))(tb)
	dag := must(db.RegisterDAG(ctx, name))(tb)
	workflow, _, err := w.ledger.BindWorkflow(ctx, store.Workflow{
		WorkflowKey: store.WorkflowKey{ToolVersionID: version.ID, DAGID: dag.ID, ArgsHash: name, TaskHash: "1"},
		Name:        name, MaxConcurrentlyRunning: 10,
	}, nil)
	check(tb, err)
	w.workflowID = workflow.ID
	w.arrayID = must(w.ledger.BindArray(ctx, store.Array{
		TaskTemplateVersionID: templateVersion.ID, WorkflowID: w.workflowID, Name: "template", MaxConcurrentlyRunning: 10,
	}))(tb)
	w.resources = must(db.AddTaskResources(ctx, store.TaskResources{Type: "O", Requested: "{}"}))(tb)
	nodes := make([]store.Node, tasks)
	for i := range nodes {
		nodes[i] = store.Node{TaskTemplateVersionID: templateVersion.ID, ArgsHash: name + strconv.Itoa(i)}
	}
	nodeIDs := must(db.RegisterNodes(ctx, nodes))(tb)
	check(tb, db.AddEdges(ctx, dag.ID, chain(nodeIDs), true))
	for _, bound := range must(w.ledger.BindTasks(ctx, w.workflowID, w.bindings(nodeIDs), true))(tb) {
		w.tasks = append(w.tasks, bound.ID)
	}
	w.runID = w.newRun()
	return w
}

// chain makes each node depend on the one before it.
func chain(nodes []int64) []store.Edge {
	edges := make([]store.Edge, len(nodes))
	for i, node := range nodes {
		edges[i] = store.Edge{NodeID: node, Upstream: nodes[max(0, i-1):i], Downstream: nodes[i+1 : min(i+2, len(nodes))]}
	}
	return edges
}

func (w *world) bindings(nodeIDs []int64) []ledger.TaskBinding {
	bindings := make([]ledger.TaskBinding, len(nodeIDs))
	for i, node := range nodeIDs {
		bindings[i] = ledger.TaskBinding{
			NodeID: node, ArrayID: w.arrayID, TaskResourcesID: w.resources, ArgsHash: "1",
			Name: fmt.Sprintf("task %d", i), Command: "true", MaxAttempts: maxAttempts,
			ResourceScales: "{}", FallbackQueues: "[]",
		}
	}
	return bindings
}

func (w *world) newRun() int64 {
	w.tb.Helper()
	run, refusal, err := w.ledger.LinkRun(context.Background(), w.workflowID, "alice", "3.7.0", time.Minute)
	check(w.tb, err)
	if refusal != "" {
		w.tb.Fatalf("run refused: %s", refusal)
	}
	for _, to := range []jobmon.RunStatus{
		jobmon.RunBound, jobmon.RunInstantiated, jobmon.RunLaunched, jobmon.RunRunning,
	} {
		if got := must(w.ledger.MoveRun(context.Background(), run.ID, to))(w.tb); got != to {
			w.tb.Fatalf("run is %s, want %s", got.Name(), to.Name())
		}
	}
	return run.ID
}

// queue queues tasks and returns their instances.
func (w *world) queue(tasks ...int64) []int64 {
	w.tb.Helper()
	must(w.ledger.QueueTaskBatch(context.Background(), ledger.TaskBatch{
		RunID: w.runID, ArrayID: w.arrayID, TaskResourcesID: w.resources, TaskIDs: tasks,
	}))(w.tb)
	var ids []int64
	for _, instance := range w.instances(store.InstanceFilter{TaskIDs: tasks, NewestOnly: true}) {
		ids = append(ids, instance.ID)
	}
	return ids
}

func (w *world) instantiate(instances ...int64) {
	w.tb.Helper()
	_, unknown, err := w.ledger.Instantiate(context.Background(), instances)
	check(w.tb, err)
	if len(unknown) > 0 {
		w.tb.Fatalf("unknown instances %v", unknown)
	}
}

// launched brings one task to LAUNCHED and returns its instance.
func (w *world) launched(task int64) int64 {
	w.tb.Helper()
	ids := w.queue(task)
	w.instantiate(ids...)
	instance := w.instance(ids[0])
	check(w.tb, w.ledger.Launch(context.Background(), w.arrayID, instance.BatchNum, time.Minute))
	return ids[0]
}

// running brings one task to RUNNING and returns its instance.
func (w *world) running(task int64) int64 {
	w.tb.Helper()
	id := w.launched(task)
	must(w.ledger.LogRunning(context.Background(), id, store.InstanceReport{}, time.Minute))(w.tb)
	return id
}

func (w *world) instances(filter store.InstanceFilter) []store.Instance {
	w.tb.Helper()
	var found []store.Instance
	check(w.tb, w.db.View(context.Background(), func(ctx context.Context, s store.Snapshot) (err error) {
		found, err = s.Instances(ctx, filter)
		return err
	}))
	return found
}

func (w *world) instance(id int64) store.Instance {
	w.tb.Helper()
	found := w.instances(store.InstanceFilter{IDs: []int64{id}})
	if len(found) != 1 {
		w.tb.Fatalf("instance %d: found %d", id, len(found))
	}
	return found[0]
}

func (w *world) run() store.Run {
	w.tb.Helper()
	var found store.Run
	check(w.tb, w.db.Update(context.Background(), func(ctx context.Context, tx store.Tx) (err error) {
		found, err = tx.LockRun(ctx, w.runID)
		return err
	}))
	return found
}

func (w *world) workflow() store.WorkflowInfo {
	w.tb.Helper()
	var found store.WorkflowInfo
	check(w.tb, w.db.View(context.Background(), func(ctx context.Context, s store.Snapshot) (err error) {
		found, err = s.Workflow(ctx, w.workflowID)
		return err
	}))
	return found
}

func (w *world) task(id int64) store.Task {
	w.tb.Helper()
	for _, task := range w.allTasks() {
		if task.ID == id {
			return task
		}
	}
	w.tb.Fatalf("no task %d", id)
	return store.Task{}
}

func (w *world) allTasks() []store.Task {
	w.tb.Helper()
	var all []store.Task
	check(w.tb, w.db.View(context.Background(), func(ctx context.Context, s store.Snapshot) error {
		for task, err := range s.Tasks(ctx, store.TaskFilter{WorkflowID: w.workflowID}) {
			if err != nil {
				return err
			}
			all = append(all, task)
		}
		return nil
	}))
	return all
}

// history returns the statuses that each task entered, as letters, in the order of the audit, after
// checking that every chain is whole, fits its task and never rests in ERROR_RECOVERABLE.
func (w *world) history() map[int64]string {
	w.tb.Helper()
	const everything = 1 << 62
	histories := map[int64]string{}
	last := map[int64]jobmon.Transition{}
	check(w.tb, w.db.View(context.Background(), func(ctx context.Context, s store.Snapshot) error {
		for row, err := range s.Transitions(ctx, store.TransitionFilter{WorkflowID: w.workflowID, Before: everything}) {
			if err != nil {
				return err
			}
			if before := last[row.TaskID]; row.From != before.To || row.PreviousAt != before.At || row.At < before.At {
				w.tb.Errorf("task %d: broken chain: %+v after %+v", row.TaskID, row, before)
			}
			last[row.TaskID] = row
			histories[row.TaskID] += row.To.String()
		}
		return nil
	}))
	for _, task := range w.allTasks() {
		if row := last[task.ID]; row.To != task.Status || row.At != task.StatusAt {
			w.tb.Errorf("task %d is %s since %d, its last audit row says %s at %d",
				task.ID, task.Status, task.StatusAt, row.To, row.At)
		}
		if task.Status == jobmon.TaskErrorRecoverable {
			w.tb.Errorf("task %d rests in ERROR_RECOVERABLE", task.ID)
		}
	}
	return histories
}

func (w *world) expect(task int64, history string) {
	w.tb.Helper()
	if got := w.history()[task]; got != history {
		w.tb.Errorf("task %d went through %s, want %s", task, got, history)
	}
}

func (w *world) expectInstance(id int64, status jobmon.InstanceStatus) {
	w.tb.Helper()
	if got := w.instance(id).Status; got != status {
		w.tb.Errorf("instance %d is %s, want %s", id, got.Name(), status.Name())
	}
}

func must[T any](value T, err error) func(failer) T {
	return func(tb failer) T {
		tb.Helper()
		check(tb, err)
		return value
	}
}

func check(tb failer, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatalf("unexpected error: %v (%v)", err, errors.Unwrap(err))
	}
}

func expectCode(tb failer, err error, code jobmon.Code) {
	tb.Helper()
	if jobmon.ErrorCode(err) != code {
		tb.Errorf("error is %v (code %q), want code %q", err, jobmon.ErrorCode(err), code)
	}
}
