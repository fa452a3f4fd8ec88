package ledger_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/ledger"
	"tasktide/internal/store"
)

var ctx = context.Background()

func TestALifeIsInTheAuditStepByStep(t *testing.T) {
	w := newWorld(t, 2)
	id := w.running(w.tasks[0])
	done := must(w.ledger.LogDone(ctx, id, store.InstanceReport{}))(t)
	if done.Instance.Status != jobmon.InstanceDone || done.Task.Status != jobmon.TaskDone {
		t.Errorf("done is answered with %s and %s", done.Instance.Status, done.Task.Status)
	}
	w.expect(w.tasks[0], "GQIORD")
	w.expect(w.tasks[1], "G")
	if attempts := w.task(w.tasks[0]).NumAttempts; attempts != 1 {
		t.Errorf("%d attempts, want 1", attempts)
	}
}

func TestTransitionOverEveryPair(t *testing.T) {
	for _, from := range jobmon.TaskStatuses() {
		for _, to := range jobmon.TaskStatuses() {
			w := newWorld(t, 1)
			task := w.tasks[0]
			check(t, w.db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
				at, err := tx.Now(ctx)
				if err != nil {
					return err
				}
				return tx.MoveTasks(ctx, store.TaskMove{IDs: []int64{task}, To: from, At: at})
			}))
			got := must(w.ledger.Transition(ctx, task, to))(t)
			want := from
			switch {
			case to == jobmon.TaskErrorRecoverable && from.MayBecome(to):
				want = jobmon.TaskRegistering // after the error, an attempt is left
			case from.MayBecome(to):
				want = to
			}
			if got != want || w.task(task).Status != want {
				t.Errorf("%s to %s: answered %s, stored %s, want %s", from, to, got, w.task(task).Status, want)
			}
			if from != jobmon.TaskErrorRecoverable || from.MayBecome(to) {
				w.history()
			}
		}
	}
}

func TestResetRule(t *testing.T) {
	w := newWorld(t, 4)
	must(w.ledger.LogDone(ctx, w.running(w.tasks[0]), store.InstanceReport{}))(t)
	w.running(w.tasks[1])
	w.running(w.tasks[2])
	w.queue(w.tasks[3])
	for i, want := range []struct {
		status  jobmon.TaskStatus
		running bool
	}{{jobmon.TaskDone, true}, {jobmon.TaskRunning, false}, {jobmon.TaskRegistering, true}, {jobmon.TaskRegistering, false}} {
		if got := must(w.ledger.Reset(ctx, w.tasks[i], want.running))(t); got != want.status {
			t.Errorf("task %d is %s after the reset, want %s", i, got, want.status)
		}
	}
	w.expect(w.tasks[2], "GQIORG")
	w.expect(w.tasks[3], "GQG")
	if attempts := w.task(w.tasks[3]).NumAttempts; attempts != 0 {
		t.Errorf("%d attempts after a reset", attempts)
	}
	must(w.ledger.Reset(ctx, w.tasks[3], false))(t)
	w.expect(w.tasks[3], "GQG")
	_, err := w.ledger.Reset(ctx, 999_999, false)
	expectCode(t, err, jobmon.CodeNotFound)
}

func TestRetriesEndAfterTheLastAttempt(t *testing.T) {
	w := newWorld(t, 1)
	for range maxAttempts {
		id := w.running(w.tasks[0])
		must(w.ledger.LogError(ctx, id, jobmon.InstanceError, "boom", store.InstanceReport{}))(t)
	}
	w.expect(w.tasks[0], "GQIOREGQIOREF")
}

func TestRepeatedReportsChangeNothing(t *testing.T) {
	w := newWorld(t, 1)
	id := w.running(w.tasks[0])
	again := must(w.ledger.LogRunning(ctx, id, store.InstanceReport{}, time.Minute))(t)
	if again.Instance.Status != jobmon.InstanceRunning {
		t.Errorf("the repeat is answered with %s", again.Instance.Status)
	}
	must(w.ledger.LogError(ctx, id, jobmon.InstanceError, "boom", store.InstanceReport{}))(t)
	repeat := must(w.ledger.LogError(ctx, id, jobmon.InstanceError, "boom", store.InstanceReport{}))(t)
	if repeat.Instance.Status != jobmon.InstanceError {
		t.Errorf("the repeat is answered with %s", repeat.Instance.Status)
	}
	late := must(w.ledger.LogDone(ctx, id, store.InstanceReport{}))(t)
	if late.Instance.Status != jobmon.InstanceError {
		t.Errorf("success after failure is answered with %s", late.Instance.Status)
	}
	w.expect(w.tasks[0], "GQIOREG")
}

func TestQueueTaskBatchTellsWhatItCouldNotMove(t *testing.T) {
	w := newWorld(t, 5)
	w.running(w.tasks[0])
	w.queue(w.tasks[1])
	asked := append(slices.Clone(w.tasks), 888_888)
	got := must(w.ledger.QueueTaskBatch(ctx, ledger.TaskBatch{
		RunID: w.runID, ArrayID: w.arrayID, TaskResourcesID: w.resources, TaskIDs: asked,
	}))(t)
	if !slices.Equal(got.ByStatus[jobmon.TaskQueued], w.tasks[1:]) || !slices.Equal(got.ByStatus[jobmon.TaskRunning], w.tasks[:1]) {
		t.Errorf("statuses are %v", got.ByStatus)
	}
	if !slices.Equal(got.Unknown, []int64{888_888}) {
		t.Errorf("unknown ids are %v", got.Unknown)
	}
	batch := w.instances(store.InstanceFilter{TaskIDs: w.tasks[2:]})
	for i, instance := range batch {
		if instance.StepID != int64(i) || instance.TaskID != w.tasks[2+i] || instance.BatchNum != 3 {
			t.Errorf("instance %d of the batch is %+v", i, instance)
		}
	}
	again := must(w.ledger.QueueTaskBatch(ctx, ledger.TaskBatch{
		RunID: w.runID, ArrayID: w.arrayID, TaskResourcesID: w.resources, TaskIDs: asked,
	}))(t)
	if !slices.Equal(again.ByStatus[jobmon.TaskQueued], w.tasks[1:]) {
		t.Errorf("the repeat says %v", again.ByStatus)
	}
	if count := len(w.instances(store.InstanceFilter{TaskIDs: w.tasks})); count != 5 {
		t.Errorf("%d instances after a repeat, want 5", count)
	}
	w.history()
}

func TestTenThousandTasksMoveTogether(t *testing.T) {
	const tasks = 10_000
	w := newWorld(t, tasks)
	ids := w.queue(w.tasks...)
	w.instantiate(ids...)
	check(t, w.ledger.Launch(ctx, w.arrayID, 1, time.Minute))
	check(t, w.ledger.SetResumeState(ctx, w.workflowID, false))
	for task, history := range w.history() {
		if history != "GQIOG" {
			t.Fatalf("task %d went through %s", task, history)
		}
	}
	check(t, w.ledger.KillBatch(ctx, w.arrayID, 1))
	if left := w.instances(store.InstanceFilter{WorkflowID: w.workflowID, Statuses: []jobmon.InstanceStatus{jobmon.InstanceKillSelf}}); len(left) > 0 {
		t.Errorf("%d instances are left in KILL_SELF", len(left))
	}
}

func TestTwentyWritersOneWinner(t *testing.T) {
	w := newWorld(t, 10)
	for _, to := range []jobmon.TaskStatus{
		jobmon.TaskQueued, jobmon.TaskInstantiating, jobmon.TaskLaunched, jobmon.TaskRunning, jobmon.TaskErrorRecoverable,
	} {
		var writers sync.WaitGroup
		for range 20 {
			writers.Go(func() {
				for _, task := range w.tasks {
					if _, err := w.ledger.Transition(ctx, task, to); err != nil {
						t.Errorf("transition to %s: %v", to, err)
					}
				}
			})
		}
		writers.Wait()
	}
	for task, history := range w.history() {
		if history != "GQIOREG" {
			t.Errorf("task %d went through %s", task, history)
		}
	}
}

func TestAClockThatRunsBackIsClampedAndTold(t *testing.T) {
	w := newWorld(t, 1)
	var future int64
	check(t, w.db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		now, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		future = now + time.Hour.Microseconds()
		return tx.MoveTasks(ctx, store.TaskMove{IDs: w.tasks, To: jobmon.TaskQueued, At: future})
	}))
	must(w.ledger.Transition(ctx, w.tasks[0], jobmon.TaskInstantiating))(t)
	if at := w.task(w.tasks[0]).StatusAt; at != future {
		t.Errorf("the move is dated %d, want %d", at, future)
	}
	if w.ledger.ClockClamps() != 1 || w.log.Len() == 0 {
		t.Errorf("%d clamps counted, logged %q", w.ledger.ClockClamps(), w.log)
	}
	w.expect(w.tasks[0], "GQI")
}

func TestBindAgain(t *testing.T) {
	w := newWorld(t, 4)
	must(w.ledger.LogDone(ctx, w.running(w.tasks[0]), store.InstanceReport{}))(t)
	w.running(w.tasks[1])
	running := w.running(w.tasks[2])
	tasks := w.allTasks()
	nodes := make([]int64, len(tasks))
	for i, task := range tasks {
		nodes[i] = task.NodeID
	}
	bindings := w.bindings(nodes)
	for i := range bindings {
		bindings[i].Command = "new command"
	}
	bindings[2].ResetIfRunning = true
	bindings = append(bindings, bindings[3]) // the same task twice in one request
	bound := must(w.ledger.BindTasks(ctx, w.workflowID, bindings, true))(t)
	want := []jobmon.TaskStatus{jobmon.TaskDone, jobmon.TaskRunning, jobmon.TaskRegistering, jobmon.TaskRegistering, jobmon.TaskRegistering}
	for i, task := range bound {
		if task.Status != want[i] || task.ID != tasks[min(i, 3)].ID {
			t.Errorf("binding %d is %+v, want task %d in %s", i, task, tasks[min(i, 3)].ID, want[i])
		}
	}
	w.expect(w.tasks[2], "GQIORG")
	w.expect(w.tasks[3], "G")
	w.expectInstance(running, jobmon.InstanceKillSelf)
	if got := w.task(w.tasks[1]).Command; got != "true" {
		t.Errorf("a task that was left alone has the command %q", got)
	}
	if got := w.task(w.tasks[2]).Command; got != "new command" {
		t.Errorf("a task that was reset has the command %q", got)
	}
	bindings[0].ArrayID = 777_777
	_, err := w.ledger.BindTasks(ctx, w.workflowID, bindings, true)
	expectCode(t, err, jobmon.CodeInvalid)
	_, err = w.ledger.BindTasks(ctx, 777_777, bindings, true)
	expectCode(t, err, jobmon.CodeNotFound)
}

func TestLimitsAreRecordedWhenTheyChange(t *testing.T) {
	w := newWorld(t, 1)
	check(t, w.ledger.SetWorkflowLimit(ctx, w.workflowID, 20))
	check(t, w.ledger.SetWorkflowLimit(ctx, w.workflowID, 20))
	check(t, w.ledger.SetArrayLimit(ctx, w.arrayID, 5))
	expectCode(t, w.ledger.SetWorkflowLimit(ctx, w.workflowID, -1), jobmon.CodeInvalid)
	expectCode(t, w.ledger.SetArrayLimit(ctx, w.arrayID, jobmon.NoLimit+1), jobmon.CodeInvalid)
	expectCode(t, w.ledger.SetWorkflowLimit(ctx, 777_777, 1), jobmon.CodeNotFound)
	var limits []store.Limit
	check(t, w.db.View(ctx, func(ctx context.Context, s store.Snapshot) (err error) {
		limits, err = s.Limits(ctx, w.workflowID)
		return err
	}))
	var got []int64
	for i, limit := range limits {
		got = append(got, limit.MaxConcurrentlyRunning)
		if i > 0 && limit.At < limits[i-1].At {
			t.Errorf("limit %d is dated before the one ahead of it", i)
		}
	}
	if !slices.Equal(got, []int64{10, 10, 20, 5}) {
		t.Errorf("the limits were %v", got)
	}
}

func TestRunDrivesWorkflow(t *testing.T) {
	w := newWorld(t, 1)
	if got := w.workflow().Status; got != jobmon.WorkflowRunning {
		t.Errorf("the workflow is %s", got)
	}
	if _, refusal, err := w.ledger.LinkRun(ctx, w.workflowID, "bob", "3.7.0", time.Minute); err != nil || refusal == "" {
		t.Errorf("a second run beside one that is alive: refusal %q, error %v", refusal, err)
	}
	if got := must(w.ledger.Heartbeat(ctx, w.runID, jobmon.RunRunning, time.Minute))(t); got != jobmon.RunRunning {
		t.Errorf("heartbeat is answered with %s", got)
	}
	if got := must(w.ledger.MoveRun(ctx, w.runID, jobmon.RunLinking))(t); got != jobmon.RunRunning {
		t.Errorf("an illegal move is answered with %s", got)
	}
	must(w.ledger.MoveRun(ctx, w.runID, jobmon.RunColdResume))(t)
	alive := w.run().HeartbeatAt
	if got := must(w.ledger.Heartbeat(ctx, w.runID, jobmon.RunRunning, time.Hour))(t); got != jobmon.RunColdResume {
		t.Errorf("a heartbeat during a resume is answered with %s", got)
	}
	if got := w.run().HeartbeatAt; got != alive {
		t.Errorf("a refused heartbeat extended the run's time from %d to %d", alive, got)
	}
	must(w.ledger.MoveRun(ctx, w.runID, jobmon.RunTerminated))(t)
	if got := w.workflow().Status; got != jobmon.WorkflowHalted {
		t.Errorf("the workflow is %s after its run was terminated", got)
	}
	w.newRun()
	_, err := w.ledger.MoveRun(ctx, 777_777, jobmon.RunDone)
	expectCode(t, err, jobmon.CodeNotFound)
}

func TestARunDoesNotMoveWithoutItsWorkflow(t *testing.T) {
	w := newWorld(t, 1)
	check(t, w.db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		workflow, err := tx.LockWorkflow(ctx, w.workflowID)
		if err != nil {
			return err
		}
		workflow.Status = jobmon.WorkflowAborted
		_, err = tx.SaveWorkflow(ctx, workflow)
		return err
	}))
	if got := must(w.ledger.MoveRun(ctx, w.runID, jobmon.RunDone))(t); got != jobmon.RunRunning || w.run().Status != got {
		t.Errorf("the run is %s, though its workflow cannot be DONE", got)
	}
	if got := w.workflow().Status; got != jobmon.WorkflowAborted {
		t.Errorf("the workflow is %s", got)
	}
}

func TestATaskIsNotQueuedInAnotherArray(t *testing.T) {
	w := newWorld(t, 1)
	template := must(w.db.RegisterTaskTemplate(ctx, 1, "other"))(t)
	version := must(w.db.RegisterTaskTemplateVersion(ctx, store.TaskTemplateVersion{
		TaskTemplateID: template, CommandTemplate: "other", ArgMappingHash: "1",
	}))(t)
	other := must(w.ledger.BindArray(ctx, store.Array{
		TaskTemplateVersionID: version.ID, WorkflowID: w.workflowID, Name: "other", MaxConcurrentlyRunning: 1,
	}))(t)
	got := must(w.ledger.QueueTaskBatch(ctx, ledger.TaskBatch{
		RunID: w.runID, ArrayID: other, TaskResourcesID: w.resources, TaskIDs: w.tasks,
	}))(t)
	if !slices.Equal(got.ByStatus[jobmon.TaskRegistering], w.tasks) {
		t.Errorf("statuses are %v", got.ByStatus)
	}
	w.expect(w.tasks[0], "G")
}
