package ledger_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/ledger"
	"tasktide/internal/store"
)

// What JobMon 3.7 gets wrong in keeping track of tasks, by the number under which our review of it
// has it, and that we do not.

// U1: an attempt that fails before it runs leaves its task in I or O for ever.
func TestU1AnErrorBeforeRunningIsRetried(t *testing.T) {
	for _, c := range []struct {
		name    string
		state   jobmon.InstanceStatus
		launch  bool
		history string
	}{
		{"W from I", jobmon.InstanceNoDistributorID, false, "GQIEG"},
		{"E from I", jobmon.InstanceError, false, "GQIEG"},
		{"E from O", jobmon.InstanceError, true, "GQIOEG"},
		{"U from O", jobmon.InstanceUnknownError, true, "GQIOEG"},
		{"Z from O", jobmon.InstanceResourceError, true, "GQIOEA"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, 1)
			ids := w.queue(w.tasks[0])
			w.instantiate(ids...)
			if c.launch {
				check(t, w.ledger.Launch(ctx, w.arrayID, 1, time.Minute))
			}
			must(w.ledger.LogError(ctx, ids[0], c.state, "lost", store.InstanceReport{}))(t)
			w.expect(w.tasks[0], c.history)
			w.expectInstance(ids[0], c.state)

			w.queue(w.tasks[0])
			w.expect(w.tasks[0], c.history+"Q")
		})
	}
}

// U1, too: with no attempt left, W from I stays where it is.
func TestU1AnErrorBeforeRunningIsFatalInTheEnd(t *testing.T) {
	w := newWorld(t, 1)
	for range maxAttempts {
		ids := w.queue(w.tasks[0])
		w.instantiate(ids...)
		must(w.ledger.LogError(ctx, ids[0], jobmon.InstanceNoDistributorID, "lost", store.InstanceReport{}))(t)
	}
	w.expect(w.tasks[0], "GQIEGQIEF")
}

// U3: increase_resources bypasses the audit, counts a task twice and leaves it in ERROR_RECOVERABLE.
func TestU3IncreaseResourcesIsAuditedOnce(t *testing.T) {
	w := newWorld(t, 3)
	for range maxAttempts {
		for _, task := range w.tasks[:2] {
			must(w.ledger.LogError(ctx, w.running(task), jobmon.InstanceResourceError, "out of memory", store.InstanceReport{}))(t)
		}
		must(w.ledger.LogError(ctx, w.running(w.tasks[2]), jobmon.InstanceError, "boom", store.InstanceReport{}))(t)
	}
	w.expect(w.tasks[0], "GQIOREAQIOREF")
	if got := must(w.ledger.IncreaseResources(ctx, w.workflowID))(t); !slices.Equal(got, w.tasks[:2]) {
		t.Errorf("moved %v, want %v", got, w.tasks[:2])
	}
	w.expect(w.tasks[0], "GQIOREAQIOREFEA")
	w.expect(w.tasks[2], "GQIOREGQIOREF")
	if got := must(w.ledger.IncreaseResources(ctx, w.workflowID))(t); len(got) != 0 {
		t.Errorf("the repeat moved %v", got)
	}
	w.running(w.tasks[0])
	w.expect(w.tasks[0], "GQIOREAQIOREFEAQIOR")
}

// U4: update_statuses takes any status and does not touch status_date.
func TestU4UpdateStatusesTakesTwoStatusesAndDatesThem(t *testing.T) {
	w := newWorld(t, 2)
	update := ledger.StatusUpdate{WorkflowID: w.workflowID, TaskIDs: []int64{w.tasks[0], 999_999}}
	for _, status := range append(jobmon.TaskStatuses(), 0, 'Z') {
		update.To = status
		if status != jobmon.TaskDone && status != jobmon.TaskRegistering {
			_, err := w.ledger.UpdateStatuses(ctx, update)
			expectCode(t, err, jobmon.CodeInvalid)
		}
	}
	w.expect(w.tasks[0], "G")
	before := w.task(w.tasks[0]).StatusAt
	update.To = jobmon.TaskDone
	outcome := must(w.ledger.UpdateStatuses(ctx, update))(t)
	if !slices.Equal(outcome.Moved, w.tasks[:1]) || !slices.Equal(outcome.Unknown, []int64{999_999}) {
		t.Errorf("outcome is %+v", outcome)
	}
	w.expect(w.tasks[0], "GD")
	if after := w.task(w.tasks[0]).StatusAt; after <= before {
		t.Errorf("status_date went from %d to %d", before, after)
	}
}

// U5: an attempt at a task that was reset stays in KILL_SELF, or makes the task's next attempt void.
func TestU5AResetTaskIsNoLongerItsOldAttempts(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(w *world, instance int64)
	}{
		{"killed as a batch", func(w *world, instance int64) {
			check(w.tb, w.ledger.KillBatch(ctx, w.arrayID, w.instance(instance).BatchNum))
		}},
		{"reports success", func(w *world, instance int64) {
			got := must(w.ledger.LogDone(ctx, instance, store.InstanceReport{}))(w.tb)
			if got.Instance.Status != jobmon.InstanceErrorFatal {
				w.tb.Errorf("late success is answered with %s", got.Instance.Status)
			}
		}},
		{"reports that it was killed", func(w *world, instance int64) {
			must(w.ledger.LogError(ctx, instance, jobmon.InstanceErrorFatal, "killed", store.InstanceReport{}))(w.tb)
		}},
		{"reports that it runs", func(w *world, instance int64) {
			got := must(w.ledger.LogRunning(ctx, instance, store.InstanceReport{}, time.Minute))(w.tb)
			if got.Instance.Status != jobmon.InstanceErrorFatal {
				w.tb.Errorf("a late start is answered with %s", got.Instance.Status)
			}
		}},
	} {
		for _, requeued := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				w := newWorld(t, 1)
				old := w.running(w.tasks[0])
				must(w.ledger.UpdateStatuses(ctx, ledger.StatusUpdate{
					WorkflowID: w.workflowID, All: true, To: jobmon.TaskRegistering,
				}))(t)
				w.expectInstance(old, jobmon.InstanceKillSelf)
				history := "GQIORG"
				if requeued {
					w.running(w.tasks[0])
					history += "QIOR"
				}
				c.end(w, old)
				w.expectInstance(old, jobmon.InstanceErrorFatal)
				w.expect(w.tasks[0], history)
			})
		}
	}
}

// U8: terminating a run leaves its tasks in Q and I.
func TestU8TerminatedTasksWaitForNobody(t *testing.T) {
	for _, resume := range []jobmon.RunStatus{jobmon.RunColdResume, jobmon.RunHotResume} {
		t.Run(resume.Name(), func(t *testing.T) {
			w := newWorld(t, 4)
			queued := w.queue(w.tasks[0])[0]
			instantiated := w.queue(w.tasks[1])[0]
			w.instantiate(instantiated)
			launched, running := w.launched(w.tasks[2]), w.running(w.tasks[3])
			if got := must(w.ledger.TerminateInstances(ctx, w.runID))(t); got != 0 {
				t.Errorf("%d instances of a run that goes on were terminated", got)
			}
			must(w.ledger.MoveRun(ctx, w.runID, resume))(t)
			want := map[jobmon.RunStatus]int{jobmon.RunColdResume: 4, jobmon.RunHotResume: 3}[resume]
			if got := must(w.ledger.TerminateInstances(ctx, w.runID))(t); got != want {
				t.Errorf("%d instances were terminated, want %d", got, want)
			}
			w.expect(w.tasks[0], "GQG")
			w.expect(w.tasks[1], "GQIG")
			w.expectInstance(queued, jobmon.InstanceErrorFatal)
			w.expectInstance(instantiated, jobmon.InstanceErrorFatal)
			w.expectInstance(launched, jobmon.InstanceKillSelf)
			check(t, w.ledger.KillBatch(ctx, w.arrayID, w.instance(launched).BatchNum))
			w.expect(w.tasks[2], "GQIOEF")
			if resume == jobmon.RunHotResume {
				w.expectInstance(running, jobmon.InstanceRunning)
				return
			}
			must(w.ledger.LogDone(ctx, running, store.InstanceReport{}))(t)
			w.expectInstance(running, jobmon.InstanceDone)
			w.expect(w.tasks[3], "GQIORD")
		})
	}
}

// U12: rows that somebody else holds are skipped, and a batch comes back short.
func TestU12ABatchIsNeverSplit(t *testing.T) {
	w := newWorld(t, 200)
	ids := w.queue(w.tasks...)
	answers := make(chan []ledger.InstantiatedBatch, 20)
	var distributors sync.WaitGroup
	for range 20 {
		distributors.Go(func() {
			batches, _, err := w.ledger.Instantiate(ctx, ids)
			if err != nil {
				t.Errorf("instantiate: %v", err)
			}
			answers <- batches
		})
	}
	distributors.Wait()
	close(answers)
	for batches := range answers {
		if len(batches) != 1 || !slices.Equal(batches[0].InstanceIDs, ids) {
			t.Errorf("a batch of %d came back as %d batches", len(ids), len(batches))
		}
	}
	for task, history := range w.history() {
		if history != "GQI" {
			t.Errorf("task %d went through %s", task, history)
		}
	}
}

func TestWorkflowReset(t *testing.T) {
	w := newWorld(t, 2)
	must(w.ledger.LogDone(ctx, w.running(w.tasks[0]), store.InstanceReport{}))(t)
	w.running(w.tasks[1])
	err := w.ledger.ResetWorkflow(ctx, w.workflowID, true)
	expectCode(t, err, jobmon.CodeConflict)
	if err == nil || !strings.Contains(err.Error(), "alive") {
		t.Errorf("the refusal says %v", err)
	}
	must(w.ledger.MoveRun(ctx, w.runID, jobmon.RunError))(t)
	check(t, w.ledger.ResetWorkflow(ctx, w.workflowID, true))
	w.expect(w.tasks[0], "GQIORD")
	w.expect(w.tasks[1], "GQIORG")
	check(t, w.ledger.ResetWorkflow(ctx, w.workflowID, false))
	w.expect(w.tasks[0], "GQIORDG")
	if got := w.workflow().Status; got != jobmon.WorkflowRegistering {
		t.Errorf("the workflow is %s", got)
	}
	expectCode(t, w.ledger.ResetWorkflow(ctx, 777_777, false), jobmon.CodeNotFound)
}

func TestUpdateStatusesSettlesAWorkflowAtRest(t *testing.T) {
	w := newWorld(t, 2)
	must(w.ledger.MoveRun(ctx, w.runID, jobmon.RunError))(t)
	all := ledger.StatusUpdate{WorkflowID: w.workflowID, All: true, To: jobmon.TaskDone}
	must(w.ledger.UpdateStatuses(ctx, all))(t)
	if got := w.workflow().Status; got != jobmon.WorkflowDone {
		t.Errorf("the workflow is %s after all its tasks were set to DONE", got)
	}
	all.To = jobmon.TaskRegistering
	must(w.ledger.UpdateStatuses(ctx, all))(t)
	if got := w.workflow().Status; got != jobmon.WorkflowFailed {
		t.Errorf("the workflow is %s after its tasks were to run again", got)
	}
	w.expect(w.tasks[0], "GDG")
}

func TestUpdateStatusesMindsTheGraph(t *testing.T) {
	w := newWorld(t, 4) // each task depends on the one before it
	must(w.ledger.LogDone(ctx, w.running(w.tasks[0]), store.InstanceReport{}))(t)
	w.running(w.tasks[1])
	update := ledger.StatusUpdate{WorkflowID: w.workflowID, TaskIDs: w.tasks[:1], To: jobmon.TaskRegistering}
	_, err := w.ledger.UpdateStatuses(ctx, update)
	expectCode(t, err, jobmon.CodeConflict)
	w.expect(w.tasks[0], "GQIORD")

	update.Recursive = true
	if got := must(w.ledger.UpdateStatuses(ctx, update))(t); !slices.Equal(got.Moved, w.tasks[:2]) {
		t.Errorf("running again moved %v, want the task and what depends on it and has begun", got.Moved)
	}
	w.expect(w.tasks[1], "GQIORG")

	update.TaskIDs, update.To = w.tasks[2:3], jobmon.TaskDone
	if got := must(w.ledger.UpdateStatuses(ctx, update))(t); !slices.Equal(got.Moved, w.tasks[:3]) {
		t.Errorf("taking a task for DONE moved %v, want it and what it depends on", got.Moved)
	}
	w.expect(w.tasks[3], "G")
}

func TestSuccessOfATaskThatWasTakenForDone(t *testing.T) {
	w := newWorld(t, 1)
	id := w.running(w.tasks[0])
	must(w.ledger.UpdateStatuses(ctx, ledger.StatusUpdate{WorkflowID: w.workflowID, All: true, To: jobmon.TaskDone}))(t)
	got := must(w.ledger.LogDone(ctx, id, store.InstanceReport{}))(t)
	if got.Instance.Status != jobmon.InstanceDone {
		t.Errorf("success is answered with %s", got.Instance.Status)
	}
	w.expect(w.tasks[0], "GQIORD")
}
