package ledger_test

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strconv"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"tasktide/internal/jobmon"
	"tasktide/internal/ledger"
	"tasktide/internal/store"
	"tasktide/internal/workload"
)

// clockedStore is a store whose clock stands where the test sets it.
type clockedStore struct {
	store.Store
	now int64
}

func (s *clockedStore) Update(ctx context.Context, change func(ctx context.Context, tx store.Tx) error) error {
	return s.Store.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		return change(ctx, clockedTx{Tx: tx, now: s.now})
	})
}

type clockedTx struct {
	store.Tx
	now int64
}

func (tx clockedTx) Now(context.Context) (int64, error) { return tx.now, nil }

// TestAnImportWritesWhatTheLedgerWrites moves generated tasks through the ledger, as JobMon's client would
// have, each at the instant of its history, and imports the same histories.
func TestAnImportWritesWhatTheLedgerWrites(t *testing.T) {
	clock := &clockedStore{Store: openStore(t)}
	l := ledger.New(clock, slog.New(slog.DiscardHandler))
	tasks := someGenerated(t)
	lived := live(t, clock, l, tasks)
	imported := must(l.Import(ctx, importedRun, tasks, nil))(t)

	want, got := lives(t, clock, lived), lives(t, clock, imported)
	if len(want) != len(tasks) {
		t.Errorf("%d tasks were moved, want %d", len(want), len(tasks))
	}
	for _, task := range tasks {
		if rows := len(want[task.Name].Rows); rows != len(task.Moves) {
			t.Errorf("the ledger wrote %d rows for %v", rows, task)
		}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("what the ledger wrote (-) is not what the import wrote (+):\n%s", diff)
	}
}

// someGenerated returns 50 tasks of a generated workload: some are done at once, some are retried, some
// are under way at the end.
func someGenerated(t *testing.T) []jobmon.TaskHistory {
	t.Helper()
	size := must(workload.ParseSize("S"))(t)
	end := time.Date(2026, 5, 14, 9, 30, 0, 0, time.UTC).UnixMicro()
	left := map[string]int{"done": 30, "retried": 12, "open": 8}
	var tasks []jobmon.TaskHistory
	for task := range size.List(1, end)[0].Histories() {
		kind := "done"
		switch {
		case task.Moves[len(task.Moves)-1].To != jobmon.TaskDone:
			kind = "open"
		case task.Attempts > 1:
			kind = "retried"
		}
		if left[kind] > 0 {
			left[kind]--
			tasks = append(tasks, task)
		}
	}
	if len(tasks) != 50 {
		t.Fatalf("%d tasks are found; these are missing: %v", len(tasks), left)
	}
	return tasks
}

// actor plays the client, the distributor and the worker of one workflow.
type actor struct {
	*world
	clock     *clockedStore
	versionID int64
	versions  map[string]int64 // template versions by template
	arrays    map[string]int64 // by template
	ids       map[string]int64 // tasks by name
}

// live moves tasks through the ledger in the order of their histories and returns their workflow.
func live(t *testing.T, clock *clockedStore, l *ledger.Ledger, tasks []jobmon.TaskHistory) int64 {
	t.Helper()
	type step struct {
		task jobmon.TaskHistory
		move jobmon.Move
	}
	var steps []step
	for _, task := range tasks {
		for _, move := range task.Moves {
			steps = append(steps, step{task, move})
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Compare(a.move.At, b.move.At) })

	clock.now = steps[0].move.At
	a := &actor{
		world: &world{tb: t, db: clock, ledger: l},
		clock: clock, versions: map[string]int64{}, arrays: map[string]int64{}, ids: map[string]int64{},
	}
	a.bind(tasks)
	for _, step := range steps {
		clock.now = step.move.At
		a.act(step.task, step.move.To)
	}
	return a.workflowID
}

// bind registers all but the tasks, and begins a run.
func (a *actor) bind(tasks []jobmon.TaskHistory) {
	a.tb.Helper()
	tool := must(a.db.RegisterTool(ctx, "tool"))(a.tb)
	a.versionID = must(a.db.AddToolVersion(ctx, tool.ID))(a.tb).ID
	dag := must(a.db.RegisterDAG(ctx, "lived"))(a.tb)
	workflow, _, err := a.ledger.BindWorkflow(ctx, store.Workflow{
		WorkflowKey: store.WorkflowKey{ToolVersionID: a.versionID, DAGID: dag.ID, ArgsHash: "1", TaskHash: "1"},
		Name:        "lived", MaxConcurrentlyRunning: 10,
	}, nil)
	check(a.tb, err)
	a.workflowID = workflow.ID
	a.resources = must(a.db.AddTaskResources(ctx, store.TaskResources{Type: "O", Requested: "{}"}))(a.tb)
	for _, task := range tasks {
		if a.arrays[task.Template] != 0 {
			continue
		}
		template := must(a.db.RegisterTaskTemplate(ctx, a.versionID, task.Template))(a.tb)
		version := must(a.db.RegisterTaskTemplateVersion(ctx, store.TaskTemplateVersion{
			TaskTemplateID: template, CommandTemplate: "true", ArgMappingHash: "1",
		}))(a.tb)
		a.versions[task.Template] = version.ID
		a.arrays[task.Template] = must(a.ledger.BindArray(ctx, store.Array{
			TaskTemplateVersionID: version.ID, WorkflowID: a.workflowID, Name: task.Template, MaxConcurrentlyRunning: 10,
		}))(a.tb)
	}
	must(a.ledger.BindTasks(ctx, a.workflowID, nil, true))(a.tb)
	a.runID = a.newRun()
}

// act makes a task enter a status, by the request with which JobMon brings it there.
func (a *actor) act(task jobmon.TaskHistory, to jobmon.TaskStatus) {
	a.tb.Helper()
	id, bound := a.ids[task.Name]
	a.arrayID = a.arrays[task.Template]
	switch to {
	case jobmon.TaskRegistering:
		if !bound {
			a.create(task)
		} // otherwise the failure has brought it there
	case jobmon.TaskQueued:
		a.queue(id)
	case jobmon.TaskInstantiating:
		a.instantiate(a.newest(id).ID)
	case jobmon.TaskLaunched:
		check(a.tb, a.ledger.Launch(ctx, a.arrayID, a.newest(id).BatchNum, time.Minute))
	case jobmon.TaskRunning:
		must(a.ledger.LogRunning(ctx, a.newest(id).ID, store.InstanceReport{}, time.Minute))(a.tb)
	case jobmon.TaskDone:
		must(a.ledger.LogDone(ctx, a.newest(id).ID, store.InstanceReport{}))(a.tb)
	case jobmon.TaskErrorRecoverable:
		must(a.ledger.LogError(ctx, a.newest(id).ID, jobmon.InstanceError, "boom", store.InstanceReport{}))(a.tb)
	default:
		a.tb.Fatalf("nothing brings task %s to %s", task.Name, to.Name())
	}
}

func (a *actor) create(task jobmon.TaskHistory) {
	a.tb.Helper()
	nodes := must(a.db.RegisterNodes(ctx, []store.Node{{
		TaskTemplateVersionID: a.versions[task.Template], ArgsHash: strconv.Itoa(len(a.ids)),
	}}))(a.tb)
	bound := must(a.ledger.BindTasks(ctx, a.workflowID, []ledger.TaskBinding{{
		NodeID: nodes[0], ArrayID: a.arrayID, TaskResourcesID: a.resources, ArgsHash: "1", Name: task.Name,
		Command: "true", MaxAttempts: maxAttempts, ResourceScales: "{}", FallbackQueues: "[]",
	}}, false))(a.tb)
	a.ids[task.Name] = bound[0].ID
}

func (a *actor) newest(task int64) store.Instance {
	a.tb.Helper()
	found := a.instances(store.InstanceFilter{TaskIDs: []int64{task}, NewestOnly: true})
	if len(found) != 1 {
		a.tb.Fatalf("task %d has %d newest instances", task, len(found))
	}
	return found[0]
}

// storedLife is all that is stored of what happened to a task, without ids.
type storedLife struct {
	Template string
	Status   jobmon.TaskStatus
	StatusAt int64
	Attempts int
	Rows     []storedRow
}

type storedRow struct {
	Template       string
	From, To       jobmon.TaskStatus
	At, PreviousAt int64
}

// lives returns what is stored of a workflow's tasks, by their names, with the rows of the audit in order.
func lives(t *testing.T, db store.Store, workflowID int64) map[string]storedLife {
	t.Helper()
	found := map[string]storedLife{}
	check(t, db.View(ctx, func(ctx context.Context, s store.Snapshot) error {
		names, err := s.TemplateNames(ctx, workflowID)
		if err != nil {
			return err
		}
		templates := map[int64]string{}
		for _, name := range names {
			templates[name.ID] = name.Name
		}
		tasks := map[int64]string{}
		for task, err := range s.Tasks(ctx, store.TaskFilter{WorkflowID: workflowID}) {
			if err != nil {
				return err
			}
			tasks[task.ID] = task.Name
			found[task.Name] = storedLife{
				Template: templates[task.TaskTemplateID],
				Status:   task.Status, StatusAt: task.StatusAt, Attempts: task.NumAttempts,
			}
		}
		everything := store.TransitionFilter{WorkflowID: workflowID, Before: store.MaxInstant}
		for row, err := range s.Transitions(ctx, everything) {
			if err != nil {
				return err
			}
			life := found[tasks[row.TaskID]]
			life.Rows = append(life.Rows, storedRow{
				Template: templates[row.TaskTemplateID],
				From:     row.From, To: row.To, At: row.At, PreviousAt: row.PreviousAt,
			})
			found[tasks[row.TaskID]] = life
		}
		return nil
	}))
	return found
}
