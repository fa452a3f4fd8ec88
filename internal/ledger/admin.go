package ledger

import (
	"context"
	"slices"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// StatusUpdate is an administrator's wish: to run tasks again (REGISTERING) or to take them for DONE.
type StatusUpdate struct {
	WorkflowID int64
	TaskIDs    []int64 // ignored when All is set
	All        bool
	To         jobmon.TaskStatus
	// Recursive extends the choice along the graph: to everything after the tasks for REGISTERING, to
	// everything before them for DONE.
	Recursive bool
}

// Outcome tells what became of a list of tasks. Ids ascend.
type Outcome struct {
	Moved   []int64
	Unknown []int64 // ids that are no task of the workflow
}

// UpdateStatuses sets the status of tasks as an administrator asks, from whatever status they are in.
// Attempts that still run for a task that is to run again are told to stop. A workflow that was DONE
// is then FAILED; one at rest whose tasks are now all DONE is DONE.
//
// CodeInvalid for any other status; CodeNotFound; CodeConflict while the workflow is driven by a run
// and a task directly after the chosen ones has already begun.
func (l *Ledger) UpdateStatuses(ctx context.Context, update StatusUpdate) (Outcome, error) {
	if update.To != jobmon.TaskRegistering && update.To != jobmon.TaskDone {
		return Outcome{}, jobmon.FieldErrorf("new_status", "new_status must be G (REGISTERING) or D (DONE)")
	}
	var outcome Outcome
	err := l.db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		outcome = Outcome{}
		workflow, err := tx.LockWorkflow(ctx, update.WorkflowID)
		if err != nil {
			return err
		}
		tasks, err := chooseTasks(ctx, tx, update)
		if err != nil {
			return err
		}
		outcome.Unknown = unknown(update.TaskIDs, taskIDs(tasks))
		if len(tasks) == 0 {
			return nil
		}
		if !workflow.Status.AtRest() {
			if err := checkDownstream(ctx, tx, workflow.ID, tasks); err != nil {
				return err
			}
		}
		at, err := l.now(ctx, tx, tasks)
		if err != nil {
			return err
		}
		changed, _ := partition(tasks, func(t store.Task) bool { return t.Status != update.To })
		outcome.Moved = taskIDs(changed)
		if update.To == jobmon.TaskRegistering {
			if err := reset(ctx, tx, outcome.Moved, at); err != nil {
				return err
			}
			if workflow.Status == jobmon.WorkflowDone {
				return setWorkflowStatus(ctx, tx, workflow, jobmon.WorkflowFailed, at)
			}
			return nil
		}
		if err := tx.MoveTasks(ctx, store.TaskMove{IDs: outcome.Moved, To: update.To, At: at}); err != nil {
			return err
		}
		return finishIfDone(ctx, tx, workflow, at)
	})
	return outcome, err
}

// chooseTasks locks the tasks that an update names, with those that recursion adds.
func chooseTasks(ctx context.Context, tx store.Tx, update StatusUpdate) ([]store.Task, error) {
	filter := store.TaskFilter{WorkflowID: update.WorkflowID}
	if update.All {
		return tx.LockTasks(ctx, filter)
	}
	if len(update.TaskIDs) == 0 {
		return nil, nil
	}
	chosen := make(map[int64]bool, len(update.TaskIDs))
	for _, id := range update.TaskIDs {
		chosen[id] = true
	}
	frontier := slices.Clone(update.TaskIDs)
	for update.Recursive && len(frontier) > 0 {
		next, err := tx.Neighbours(ctx, update.WorkflowID, frontier, update.To == jobmon.TaskDone)
		if err != nil {
			return nil, err
		}
		frontier = frontier[:0]
		for _, task := range next {
			if !chosen[task.ID] {
				chosen[task.ID] = true
				frontier = append(frontier, task.ID)
			}
		}
	}
	for id := range chosen {
		filter.IDs = append(filter.IDs, id)
	}
	return tx.LockTasks(ctx, filter)
}

// checkDownstream refuses to change tasks under a running workflow when what depends on them is past
// the point where the run could still take notice.
func checkDownstream(ctx context.Context, tx store.Tx, workflowID int64, tasks []store.Task) error {
	ids := taskIDs(tasks)
	after, err := tx.Neighbours(ctx, workflowID, ids, false)
	if err != nil {
		return err
	}
	for _, task := range after {
		switch task.Status {
		case jobmon.TaskRegistering, jobmon.TaskQueued, jobmon.TaskInstantiating:
		default:
			if _, chosen := slices.BinarySearch(ids, task.ID); !chosen {
				return jobmon.Errorf(jobmon.CodeConflict,
					"the workflow is running and task %d, which depends on a chosen task, is already %s; "+
						"stop the workflow first", task.ID, task.Status.Name())
			}
		}
	}
	return nil
}

func finishIfDone(ctx context.Context, tx store.Tx, workflow store.Workflow, at int64) error {
	if !workflow.Status.AtRest() {
		return nil
	}
	others := slices.DeleteFunc(jobmon.TaskStatuses(), func(s jobmon.TaskStatus) bool { return s == jobmon.TaskDone })
	open, err := tx.LockTasks(ctx, store.TaskFilter{WorkflowID: workflow.ID, Statuses: others})
	if err != nil || len(open) > 0 {
		return err
	}
	return setWorkflowStatus(ctx, tx, workflow, jobmon.WorkflowDone, at)
}
