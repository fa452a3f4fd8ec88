package ledger

import (
	"context"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// Transition moves one task to a status and returns the status that it then has: the one asked for,
// or its own when the state machine does not lead there. Entering QUEUED adds an attempt. No task
// rests in ERROR_RECOVERABLE: asked for that, the task goes on to REGISTERING, or to ERROR_FATAL
// after its last attempt. CodeNotFound.
func (l *Ledger) Transition(ctx context.Context, taskID int64, to jobmon.TaskStatus) (jobmon.TaskStatus, error) {
	may := func(s jobmon.TaskStatus) bool { return s.MayBecome(to) }
	return l.changeTask(ctx, taskID, may, func(
		ctx context.Context, tx store.Tx, task store.Task, at int64,
	) (jobmon.TaskStatus, error) {
		ids := []int64{task.ID}
		switch to {
		case jobmon.TaskErrorRecoverable:
			path := jobmon.InstanceError.TaskMoves(task.Status, task.NumAttempts, task.MaxAttempts)
			return path[len(path)-1], follow(ctx, tx, ids, at, path...)
		case jobmon.TaskQueued:
			return to, tx.MoveTasks(ctx, store.TaskMove{IDs: ids, To: to, At: at, Attempts: store.AddAttempt})
		default:
			return to, follow(ctx, tx, ids, at, to)
		}
	})
}

// Reset takes one task back to REGISTERING with no attempts, by JobMon's reset rule: never from DONE,
// and from RUNNING only when resetIfRunning is set. It returns the status that the task then has.
// CodeNotFound.
func (l *Ledger) Reset(ctx context.Context, taskID int64, resetIfRunning bool) (jobmon.TaskStatus, error) {
	may := func(s jobmon.TaskStatus) bool { return s.Resets(resetIfRunning) }
	return l.changeTask(ctx, taskID, may, func(
		ctx context.Context, tx store.Tx, task store.Task, at int64,
	) (jobmon.TaskStatus, error) {
		return jobmon.TaskRegistering, reset(ctx, tx, []int64{task.ID}, at)
	})
}

// changeTask locks one task and changes it where its status allows that. It returns the status that
// the task then has.
func (l *Ledger) changeTask(
	ctx context.Context, taskID int64, may func(jobmon.TaskStatus) bool,
	change func(ctx context.Context, tx store.Tx, task store.Task, at int64) (jobmon.TaskStatus, error),
) (jobmon.TaskStatus, error) {
	var result jobmon.TaskStatus
	err := l.db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		task, err := lockTask(ctx, tx, taskID)
		if err != nil {
			return err
		}
		result = task.Status
		if !may(task.Status) {
			return nil
		}
		at, err := l.now(ctx, tx, []store.Task{task})
		if err != nil {
			return err
		}
		result, err = change(ctx, tx, task, at)
		return err
	})
	return result, err
}

// SetResumeState prepares a workflow for another run: every task that is not DONE goes back to
// REGISTERING with no attempts; one that is RUNNING only when resetIfRunning is set. CodeNotFound.
func (l *Ledger) SetResumeState(ctx context.Context, workflowID int64, resetIfRunning bool) error {
	return l.resetWhere(ctx, workflowID, func(s jobmon.TaskStatus) bool { return s.Resets(resetIfRunning) }, nil)
}

// ResetWorkflow takes a workflow and its tasks back to REGISTERING; partial leaves tasks that are
// DONE. CodeNotFound; CodeConflict while a run of it is alive, because that run would go on with
// tasks that it knows otherwise.
func (l *Ledger) ResetWorkflow(ctx context.Context, workflowID int64, partial bool) error {
	chosen := func(s jobmon.TaskStatus) bool { return !partial || s != jobmon.TaskDone }
	return l.resetWhere(ctx, workflowID, chosen, func(ctx context.Context, tx store.Tx, workflow store.Workflow, at int64) error {
		runs, err := tx.Runs(ctx, workflow.ID)
		if err != nil {
			return err
		}
		for _, run := range runs {
			if run.Status.Alive() && run.HeartbeatAt > at {
				return jobmon.Errorf(jobmon.CodeConflict,
					"workflow run %d is still alive (%s); end it before you reset the workflow", run.ID, run.Status.Name())
			}
		}
		return setWorkflowStatus(ctx, tx, workflow, jobmon.WorkflowRegistering, at)
	})
}

// resetWhere resets the tasks of a workflow whose status is chosen, and does in the same transaction
// what else there is to do with the workflow.
func (l *Ledger) resetWhere(
	ctx context.Context, workflowID int64, chosen func(jobmon.TaskStatus) bool,
	also func(ctx context.Context, tx store.Tx, workflow store.Workflow, at int64) error,
) error {
	var statuses []jobmon.TaskStatus
	for _, status := range jobmon.TaskStatuses() {
		if chosen(status) {
			statuses = append(statuses, status)
		}
	}
	return l.db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		workflow, err := tx.LockWorkflow(ctx, workflowID)
		if err != nil {
			return err
		}
		tasks, err := tx.LockTasks(ctx, store.TaskFilter{WorkflowID: workflowID, Statuses: statuses})
		if err != nil {
			return err
		}
		at, err := l.now(ctx, tx, tasks)
		if err != nil {
			return err
		}
		if also != nil {
			if err := also(ctx, tx, workflow, at); err != nil {
				return err
			}
		}
		return reset(ctx, tx, taskIDs(tasks), at)
	})
}

// IncreaseResources gives the tasks of a workflow that failed for want of resources another try: each
// whose last attempt ended in RESOURCE_ERROR and that is ERROR_FATAL goes to ADJUSTING_RESOURCES with
// no attempts. It returns their ids, ascending. CodeNotFound.
func (l *Ledger) IncreaseResources(ctx context.Context, workflowID int64) ([]int64, error) {
	var moved []int64
	err := l.db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		moved = nil
		if _, err := tx.LockWorkflow(ctx, workflowID); err != nil {
			return err
		}
		instances, err := tx.Instances(ctx, store.InstanceFilter{
			WorkflowID: workflowID, NewestOnly: true,
			Statuses: []jobmon.InstanceStatus{jobmon.InstanceResourceError},
		})
		if err != nil || len(instances) == 0 {
			return err
		}
		tasks, err := tx.LockTasks(ctx, store.TaskFilter{
			IDs: tasksOf(instances), Statuses: []jobmon.TaskStatus{jobmon.TaskErrorFatal},
		})
		if err != nil || len(tasks) == 0 {
			return err
		}
		at, err := l.now(ctx, tx, tasks)
		if err != nil {
			return err
		}
		moved = taskIDs(tasks)
		if err := follow(ctx, tx, moved, at, jobmon.TaskErrorRecoverable); err != nil {
			return err
		}
		return tx.MoveTasks(ctx, store.TaskMove{
			IDs: moved, To: jobmon.TaskAdjustingResources, At: at, Attempts: store.ForgetAttempts,
		})
	})
	return moved, err
}

func setWorkflowStatus(
	ctx context.Context, tx store.Tx, workflow store.Workflow, to jobmon.WorkflowStatus, at int64,
) error {
	if workflow.Status == to {
		return nil
	}
	workflow.Status, workflow.StatusAt = to, at
	_, err := tx.SaveWorkflow(ctx, workflow)
	return err
}
