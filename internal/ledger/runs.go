package ledger

import (
	"context"
	"fmt"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// LinkRun begins a run of a workflow, which becomes REGISTERING, and expects a heartbeat within the
// given time. When the workflow cannot be run now, run.ID is 0 and refusal says why. CodeNotFound.
func (l *Ledger) LinkRun(
	ctx context.Context, workflowID int64, user, jobmonVersion string, heartbeatWithin time.Duration,
) (run store.Run, refusal string, err error) {
	err = l.db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		run, refusal = store.Run{}, ""
		workflow, err := tx.LockWorkflow(ctx, workflowID)
		if err != nil {
			return err
		}
		runs, err := tx.Runs(ctx, workflowID)
		if err != nil {
			return err
		}
		if refusal = refuseRun(workflow, runs); refusal != "" {
			return nil
		}
		at, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		linked := store.Run{
			WorkflowID: workflowID, User: user, JobmonVersion: jobmonVersion,
			Status: jobmon.RunLinking, StatusAt: at, CreatedAt: at, HeartbeatAt: at + heartbeatWithin.Microseconds(),
		}
		if linked.ID, err = tx.SaveRun(ctx, linked); err != nil {
			return err
		}
		run = linked
		return setWorkflowStatus(ctx, tx, workflow, jobmon.WorkflowRegistering, at)
	})
	return run, refusal, err
}

// refuseRun says why a workflow cannot begin another run, or nothing.
func refuseRun(workflow store.Workflow, runs []store.Run) string {
	for _, run := range runs {
		if run.Status.Alive() {
			return fmt.Sprintf("workflow %d already has workflow run %d in status %s; resume the workflow or wait for that run to end",
				workflow.ID, run.ID, run.Status.Name())
		}
	}
	switch {
	case workflow.CreatedAt == 0:
		return fmt.Sprintf("workflow %d is not bound completely; bind all its tasks first", workflow.ID)
	case workflow.Status == jobmon.WorkflowRegistering, workflow.Status.MayBecome(jobmon.WorkflowRegistering):
		return ""
	default:
		return fmt.Sprintf("workflow %d is in status %s and cannot be run", workflow.ID, workflow.Status.Name())
	}
}

// MoveRun takes a run to a status, and its workflow to the status that follows from it, or leaves
// both alone when either state machine does not allow it. It returns the status that the run then
// has. CodeNotFound.
func (l *Ledger) MoveRun(ctx context.Context, runID int64, to jobmon.RunStatus) (jobmon.RunStatus, error) {
	var result jobmon.RunStatus
	err := l.db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		run, err := l.moveRun(ctx, tx, runID, to)
		result = run.Status
		return err
	})
	return result, err
}

// Heartbeat is MoveRun, after which the run is expected to be heard of again within the given time.
// A run that does not have the status asked for then is not alive for it, and its time is not
// extended.
func (l *Ledger) Heartbeat(
	ctx context.Context, runID int64, status jobmon.RunStatus, heartbeatWithin time.Duration,
) (jobmon.RunStatus, error) {
	var result jobmon.RunStatus
	err := l.db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		run, err := l.moveRun(ctx, tx, runID, status)
		result = run.Status
		if err != nil || run.Status != status {
			return err
		}
		at, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		run.HeartbeatAt = at + heartbeatWithin.Microseconds()
		_, err = tx.SaveRun(ctx, run)
		return err
	})
	return result, err
}

func (l *Ledger) moveRun(ctx context.Context, tx store.Tx, runID int64, to jobmon.RunStatus) (store.Run, error) {
	run, err := tx.LockRun(ctx, runID)
	if err != nil || !run.Status.MayBecome(to) {
		return run, err
	}
	workflow, err := tx.LockWorkflow(ctx, run.WorkflowID)
	if err != nil {
		return run, err
	}
	becomes, follows := to.WorkflowBecomes()
	if follows && workflow.Status != becomes && !workflow.Status.MayBecome(becomes) {
		l.log.WarnContext(ctx, "a workflow run was not moved because its workflow cannot follow",
			"workflow_run_id", run.ID, "to", to.Name(), "workflow_status", workflow.Status.Name())
		return run, nil
	}
	at, err := tx.Now(ctx)
	if err != nil {
		return run, err
	}
	if follows {
		if err := setWorkflowStatus(ctx, tx, workflow, becomes, at); err != nil {
			return run, err
		}
	}
	run.Status, run.StatusAt = to, at
	_, err = tx.SaveRun(ctx, run)
	return run, err
}
