package upkeep

import (
	"context"

	"tasktide/internal/store"
)

// Rebuild has the cells of a workflow made again from its rows, as far as these are still there: it marks
// their minutes, which the roll-up then sums up like new ones. It returns how many it marked. Answers are
// right in between. CodeNotFound.
func (r *RollUp) Rebuild(ctx context.Context, workflowID int64) (minutes int64, err error) {
	var w store.WorkflowInfo
	var horizon store.Horizon
	err = r.db.View(ctx, func(ctx context.Context, snapshot store.Snapshot) (err error) {
		if w, err = snapshot.Workflow(ctx, workflowID); err != nil {
			return err
		}
		horizon, err = snapshot.Horizon(ctx, workflowID)
		return err
	})
	if err != nil {
		return 0, err
	}
	hours, err := busyHours(ctx, r.db, workflowID, max(horizon.RowsFrom, w.FirstAt-w.FirstAt%hour), w.LastAt+1)
	if err != nil {
		return 0, err
	}
	for _, at := range hours {
		marked, err := r.rebuildHour(ctx, workflowID, at)
		if err != nil {
			return minutes, err
		}
		minutes += marked
	}
	return minutes, nil
}

// RebuildAll is Rebuild for every workflow.
func (r *RollUp) RebuildAll(ctx context.Context) (minutes int64, err error) {
	err = eachWorkflow(ctx, r.db, func(w store.WorkflowInfo) error {
		marked, err := r.Rebuild(ctx, w.ID)
		minutes += marked
		return err
	})
	return minutes, err
}

// rebuildHour marks an hour in which there is anything.
func (r *RollUp) rebuildHour(ctx context.Context, workflowID, from int64) (marked int64, err error) {
	if is, err := busy(ctx, r.db, workflowID, from, from+hour); err != nil || !is {
		return 0, err
	}
	minutes := minutesOf(from)
	err = r.db.Maintain(ctx, func(ctx context.Context, tx store.UpkeepTx) error {
		marked = 0
		horizon, err := tx.LockHorizon(ctx, workflowID)
		if err != nil || from < horizon.RowsFrom {
			return err // removed meanwhile
		}
		marked = int64(len(minutes))
		return tx.AddMarks(ctx, workflowID, minutes)
	})
	return marked, err
}
