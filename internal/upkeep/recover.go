package upkeep

import (
	"context"
	"fmt"
	"math"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// Recovery is what a recovery does with a workflow of which rows or cells are said to be removed up to an instant in the
// future. Instants are microseconds since the Unix epoch, UTC.
type Recovery struct {
	WorkflowID         int64
	Name               string
	RowsFrom, DataFrom int64 // as they are
	// LostAt is the last transition of which the row may be removed.
	LostAt int64
	// Rows and Data are what they become: whole minutes, 0 where they stay.
	Rows, Data int64
	// Kept says that LostAt is in the future: until then, the watermarks stay.
	Kept bool
}

// Recover sets watermarks that lie in the future back to the end of the minute of the last row that is lost, for a
// database whose clock was wrong when retention believed it. Rows that are still there become readable again, tasks can
// move again, and what is lost stays marked as lost. Unless the retention is confirmed, it only says what it would do. An
// instant that would still lie in the future is waited for, a minute at most. CodeConflict when the database's clock is
// not that of the server.
func (r *Retention) Recover(ctx context.Context) ([]Recovery, error) {
	now, err := r.trustedNow(ctx)
	if err != nil {
		return nil, err
	}
	var recoveries []Recovery
	wait := int64(0)
	err = eachWorkflow(ctx, r.db, func(w store.WorkflowInfo) error {
		return r.db.View(ctx, func(ctx context.Context, snapshot store.Snapshot) error {
			recovery, err := inspectHorizon(ctx, snapshot, w, now)
			if recovery.Rows != 0 || recovery.Kept {
				recoveries = append(recoveries, recovery)
				wait = max(wait, recovery.Rows-now)
			}
			return err
		})
	})
	if err != nil || !r.confirmed {
		return recoveries, err
	}
	if err := rest(ctx, micros(wait)); err != nil {
		return nil, err
	}
	for _, recovery := range recoveries {
		if recovery.Kept {
			continue
		}
		err := r.db.Maintain(ctx, recovery.apply)
		if err != nil {
			return nil, err
		}
	}
	return recoveries, r.forgetFuture(ctx, now)
}

// trustedNow returns the database's clock when it is that of the server.
func (r *Retention) trustedNow(ctx context.Context) (now int64, err error) {
	e := Evidence{}
	err = r.db.View(ctx, func(ctx context.Context, snapshot store.Snapshot) (err error) {
		e.Now, err = snapshot.Now(ctx)
		e.Server = r.clock().UnixMicro()
		return err
	})
	if err != nil {
		return 0, err
	}
	if hold := e.Decide(); hold != (Hold{}) {
		return 0, jobmon.Errorf(jobmon.CodeConflict, "nothing is recovered: %s", hold.Message)
	}
	return e.Now, nil
}

// inspectHorizon returns what becomes of a workflow's watermarks.
func inspectHorizon(ctx context.Context, snapshot store.Snapshot, w store.WorkflowInfo, now int64) (Recovery, error) {
	horizon, err := snapshot.Horizon(ctx, w.ID)
	if err != nil || max(horizon.RowsFrom, horizon.DataFrom) <= now {
		return Recovery{}, err
	}
	r := Recovery{WorkflowID: w.ID, Name: w.Name, RowsFrom: horizon.RowsFrom, DataFrom: horizon.DataFrom}
	if r.LostAt, err = lostAt(ctx, snapshot, w, horizon, now); err != nil {
		return r, err
	}
	if r.LostAt > now {
		r.Kept = true
		return r, nil
	}
	end := r.LostAt - r.LostAt%minute + minute
	r.Rows = min(end, horizon.RowsFrom)
	if horizon.DataFrom > now {
		r.Data = end
		r.Rows = end
	}
	return r, nil
}

// lostAt returns the last instant of which a row may be removed. Retention removes the earliest rows first, so that the
// first that is left tells; where none is, the last removed one is that by which a task is in its status, or which a later
// row of the task follows. Where cells are removed, every instant of which they told counts as lost.
func lostAt(ctx context.Context, snapshot store.Snapshot, w store.WorkflowInfo, horizon store.Horizon, now int64) (int64, error) {
	lost := int64(0)
	found := func(at int64) {
		if at < horizon.RowsFrom {
			lost = max(lost, at)
		}
	}
	for row, err := range snapshot.Transitions(ctx, store.TransitionFilter{WorkflowID: w.ID, Before: horizon.RowsFrom}) {
		if err != nil {
			return 0, err
		}
		if horizon.DataFrom <= now {
			return row.At, nil
		}
		found(row.At)
	}
	found(horizon.LastAt)
	for task, err := range snapshot.Tasks(ctx, store.TaskFilter{WorkflowID: w.ID}) {
		if err != nil {
			return 0, err
		}
		found(task.StatusAt)
	}
	for row, err := range snapshot.Transitions(ctx, store.TransitionFilter{
		WorkflowID: w.ID, From: horizon.RowsFrom, Before: math.MaxInt64,
	}) {
		if err != nil {
			return 0, err
		}
		found(row.PreviousAt)
	}
	return lost, nil
}

// apply sets the watermarks back, unless another has changed them.
func (r Recovery) apply(ctx context.Context, tx store.UpkeepTx) error {
	horizon, err := tx.LockHorizon(ctx, r.WorkflowID)
	if err != nil || horizon.RowsFrom != r.RowsFrom || horizon.DataFrom != r.DataFrom {
		return err
	}
	horizon.Generation++
	if r.Data != 0 {
		if err := clearSummed(ctx, tx, horizon); err != nil {
			return err
		}
		horizon.DataFrom = r.Data
	}
	horizon.RowsFrom = r.Rows
	return tx.SaveHorizon(ctx, horizon)
}

// clearSummed empties the cells before a horizon in the blocks that reach beyond it. They are in the sum of what was
// removed already, and would be counted twice when the horizon is set back.
func clearSummed(ctx context.Context, tx store.UpkeepTx, horizon store.Horizon) error {
	var reaching []store.BlockRange
	for _, tier := range concurrency.Tiers() {
		start := tier.BlockStart(horizon.DataFrom)
		reaching = append(reaching, store.BlockRange{Width: tier.Width, From: start, Before: start + 1})
	}
	blocks, err := tx.Blocks(ctx, store.BlockFilter{WorkflowID: horizon.WorkflowID, Kinds: kindNames(), Ranges: reaching})
	if err != nil {
		return err
	}
	for i := range blocks {
		tier, _ := concurrency.TierOf(blocks[i].Width)
		cells, err := concurrency.DecodeBlock(blocks[i].Cells, tier.Width, tier.Cells)
		if err != nil {
			return damagedError(blocks[i].BlockKey)
		}
		for cell := range tier.Cells {
			if blocks[i].Start+int64(cell)*tier.Width < horizon.DataFrom {
				cells.Put(cell, nil)
			}
		}
		blocks[i].Generation, blocks[i].Cells = horizon.Generation, cells.Encode()
	}
	return tx.SaveBlocks(ctx, blocks)
}

// forgetFuture has the next passes held against the clock as it is now, where they were held against a wrong one.
func (r *Retention) forgetFuture(ctx context.Context, now int64) error {
	return r.db.Maintain(ctx, func(ctx context.Context, tx store.UpkeepTx) error {
		known, err := tx.LockRetentionClock(ctx)
		if err != nil {
			return err
		}
		known.At = min(known.At, now)
		known.RowsBefore = min(known.RowsBefore, old(now, 0, r.rows, hour))
		known.DataBefore = min(known.DataBefore, old(now, 0, r.blocks, day))
		return tx.SaveRetentionClock(ctx, known)
	})
}

// String says what becomes of the workflow, or why nothing does.
func (r Recovery) String() string {
	what := fmt.Sprintf("workflow %d, %q: ", r.WorkflowID, r.Name)
	if r.Kept {
		return what + fmt.Sprintf("rows up to %s are lost, which is in the future: rows_from stays %s, and its tasks move again "+
			"after that; if the clock is wrong, set it right", text(r.LostAt), text(r.RowsFrom))
	}
	what += fmt.Sprintf("rows_from %s becomes %s", text(r.RowsFrom), text(r.Rows))
	if r.Data != 0 {
		what += fmt.Sprintf(", data_from %s becomes %s", text(r.DataFrom), text(r.Data))
	}
	return what
}
