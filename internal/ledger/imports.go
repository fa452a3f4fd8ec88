package ledger

import (
	"context"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// importBatch is how many tasks an import stages in one transaction: few enough that another
// writer waits some tens of milliseconds at most.
const importBatch = 500

// Import loads a run that is over and returns the id of its workflow. The run appears whole or not at
// all; progress, unless nil, is told how many tasks are staged so far. CodeInvalid for a history that
// JobMon could not have had; CodeConflict when the same source is already stored under that name.
func (l *Ledger) Import(
	ctx context.Context, run store.Import, tasks []jobmon.TaskHistory, progress func(staged int),
) (int64, error) {
	if len(tasks) == 0 {
		return 0, jobmon.Errorf(jobmon.CodeInvalid, "the run has no tasks")
	}
	status := jobmon.WorkflowDone
	for _, task := range tasks {
		if err := task.Check(); err != nil {
			return 0, err
		}
		if task.Moves[len(task.Moves)-1].To != jobmon.TaskDone {
			status = jobmon.WorkflowFailed
		}
	}
	workflowID, err := l.db.BeginImport(ctx, run)
	if err != nil {
		return 0, err
	}
	if err := l.stage(ctx, workflowID, tasks, progress); err != nil {
		return 0, l.abandon(ctx, workflowID, err)
	}
	if err := l.db.PublishImport(ctx, workflowID, status); err != nil {
		return 0, l.abandon(ctx, workflowID, err)
	}
	return workflowID, nil
}

func (l *Ledger) stage(
	ctx context.Context, workflowID int64, tasks []jobmon.TaskHistory, progress func(staged int),
) error {
	for start := 0; start < len(tasks); start += importBatch {
		end := min(start+importBatch, len(tasks))
		if err := l.db.ImportTasks(ctx, workflowID, tasks[start:end]); err != nil {
			return err
		}
		if progress != nil {
			progress(end)
		}
	}
	return nil
}

// abandon removes a failed import and returns what made it fail. What cannot be removed now, the next
// import removes.
func (l *Ledger) abandon(ctx context.Context, workflowID int64, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if err := l.db.AbandonImport(ctx, workflowID); err != nil {
		l.log.WarnContext(ctx, "an import that failed could not be removed yet", "workflow_id", workflowID, "error", err)
	}
	return cause
}
