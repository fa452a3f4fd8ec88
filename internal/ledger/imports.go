package ledger

import (
	"context"
	"iter"
	"slices"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// importBatch is how many tasks an import stages in one transaction: few enough that another
// writer waits some tens of milliseconds at most.
const importBatch = 500

// Import loads a run and returns the id of its workflow, whose status follows from its tasks: RUNNING when one is
// active, otherwise FAILED when one is ERROR_FATAL, otherwise INCOMPLETE when one is not DONE, and otherwise DONE. The
// run appears whole or not at all; progress, unless nil, is told how many tasks are staged so far. CodeInvalid for a history that
// JobMon could not have had; CodeConflict when the same source is already stored under that name.
func (l *Ledger) Import(
	ctx context.Context, run store.Import, tasks []jobmon.TaskHistory, progress func(staged int),
) (int64, error) {
	return l.ImportSeq(ctx, run, slices.Values(tasks), importBatch, progress)
}

// ImportSeq is [Ledger.Import] of tasks that are made while they are stored: no more of them are held
// than one batch, which is what one transaction stages. batch is at least 1.
func (l *Ledger) ImportSeq(
	ctx context.Context, run store.Import, tasks iter.Seq[jobmon.TaskHistory], batch int, progress func(staged int),
) (int64, error) {
	workflowID, err := l.db.BeginImport(ctx, run)
	if err != nil {
		return 0, err
	}
	status, err := l.stage(ctx, workflowID, tasks, batch, progress)
	if err == nil {
		// A commit that is cut off may have happened or not: once all tasks are staged, the run is published.
		err = l.db.PublishImport(context.WithoutCancel(ctx), workflowID, status)
	}
	if err != nil {
		return 0, l.abandon(ctx, workflowID, err)
	}
	return workflowID, nil
}

// stage checks and stages all tasks, and returns the status that their workflow has with them.
func (l *Ledger) stage(
	ctx context.Context, workflowID int64, tasks iter.Seq[jobmon.TaskHistory], batch int, progress func(staged int),
) (jobmon.WorkflowStatus, error) {
	active, fatal, open := false, false, false
	staged, held := 0, make([]jobmon.TaskHistory, 0, batch)
	flush := func() error {
		if err := l.db.ImportTasks(ctx, workflowID, held); err != nil {
			return err
		}
		staged += len(held)
		held = held[:0]
		if progress != nil {
			progress(staged)
		}
		return nil
	}
	for task := range tasks {
		if err := task.Check(); err != nil {
			return 0, err
		}
		last := task.Moves[len(task.Moves)-1].To
		active = active || last.Active()
		fatal = fatal || last == jobmon.TaskErrorFatal
		open = open || last != jobmon.TaskDone
		if held = append(held, task); len(held) == batch {
			if err := flush(); err != nil {
				return 0, err
			}
		}
	}
	if len(held) > 0 {
		if err := flush(); err != nil {
			return 0, err
		}
	}
	if staged == 0 {
		return 0, jobmon.Errorf(jobmon.CodeInvalid, "the run has no tasks")
	}
	switch {
	case active:
		return jobmon.WorkflowRunning, nil
	case fatal:
		return jobmon.WorkflowFailed, nil
	case open:
		return jobmon.WorkflowIncomplete, nil
	default:
		return jobmon.WorkflowDone, nil
	}
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
