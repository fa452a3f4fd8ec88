package ledger_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tasktide/internal/jobmon"
	"tasktide/internal/ledger"
	"tasktide/internal/store"
)

// Whatever JobMon's client, its distributor, its workers and an administrator do, in whatever order:
// every chain stays whole, every step is one that the state machine or a reset allows, no task rests
// in ERROR_RECOVERABLE, and the attempts that are not at an end are their tasks' newest.
func TestRandomHistoriesLeaveWholeChains(t *testing.T) {
	db := openStore(t)
	number := 0
	rapid.Check(t, func(t *rapid.T) {
		number++
		w := build(t, db, fmt.Sprint("world ", number), 5)
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			step(t, w)
		}
		for task, history := range w.history() {
			if history[0] != 'G' {
				t.Errorf("task %d begins with %s", task, history)
			}
			for i := 1; i < len(history); i++ {
				from, to := jobmon.TaskStatus(history[i-1]), jobmon.TaskStatus(history[i])
				administrative := to == jobmon.TaskRegistering || to == jobmon.TaskDone ||
					from == jobmon.TaskErrorFatal && to == jobmon.TaskErrorRecoverable
				if from == to || !from.MayBecome(to) && !administrative {
					t.Errorf("task %d went through %s: no way from %s to %s", task, history, from, to)
				}
			}
		}
		for _, instance := range w.instances(store.InstanceFilter{WorkflowID: w.workflowID}) {
			task := w.task(instance.TaskID)
			if instance.Status.Live() && (!instance.Newest || !task.Status.Active() && task.Status != jobmon.TaskDone) {
				t.Errorf("instance %d is %s for task %d, which is %s", instance.ID, instance.Status, task.ID, task.Status)
			}
			if task.Status.Active() && instance.Newest && instance.Status.Failed() {
				t.Errorf("task %d is %s though its newest attempt ended in %s", task.ID, task.Status, instance.Status)
			}
		}
	})
}

func step(t *rapid.T, w *world) {
	task := rapid.SampledFrom(w.tasks).Draw(t, "task")
	instances := w.instances(store.InstanceFilter{WorkflowID: w.workflowID})
	if len(instances) == 0 {
		w.queue(w.tasks...)
		return
	}
	instance := rapid.SampledFrom(instances).Draw(t, "instance")
	var err error
	switch what := rapid.IntRange(0, 13).Draw(t, "what"); what {
	case 0, 1:
		w.queue(w.tasks...)
	case 2, 3:
		_, _, err = w.ledger.Instantiate(ctx, []int64{instance.ID})
	case 4:
		err = w.ledger.Launch(ctx, instance.ArrayID, instance.BatchNum, time.Minute)
	case 5, 6:
		_, err = w.ledger.LogRunning(ctx, instance.ID, store.InstanceReport{}, time.Minute)
	case 7:
		_, err = w.ledger.LogDone(ctx, instance.ID, store.InstanceReport{})
	case 8:
		state := rapid.SampledFrom([]jobmon.InstanceStatus{
			jobmon.InstanceError, jobmon.InstanceErrorFatal, jobmon.InstanceNoDistributorID,
			jobmon.InstanceUnknownError, jobmon.InstanceResourceError,
		}).Draw(t, "state")
		_, err = w.ledger.LogError(ctx, instance.ID, state, "boom", store.InstanceReport{})
	case 9:
		err = w.ledger.KillBatch(ctx, instance.ArrayID, instance.BatchNum)
	case 10:
		_, err = w.ledger.Reset(ctx, task, rapid.Bool().Draw(t, "if running"))
	case 11:
		err = w.ledger.SetResumeState(ctx, w.workflowID, rapid.Bool().Draw(t, "if running"))
	case 12:
		_, err = w.ledger.UpdateStatuses(ctx, ledger.StatusUpdate{
			WorkflowID: w.workflowID, TaskIDs: []int64{task},
			To: rapid.SampledFrom([]jobmon.TaskStatus{jobmon.TaskRegistering, jobmon.TaskDone}).Draw(t, "to"),
		})
		if jobmon.ErrorCode(err) == jobmon.CodeConflict {
			err = nil // a task further down has begun
		}
	case 13:
		_, err = w.ledger.IncreaseResources(ctx, w.workflowID)
	}
	check(t, err)
}
