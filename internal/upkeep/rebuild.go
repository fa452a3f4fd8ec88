package upkeep

import (
	"context"

	"tasktide/internal/concurrency"
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
	hours, err := busyHours(ctx, r.db, workflowID, max(horizon.RowsFrom-horizon.RowsFrom%hour, w.FirstAt-w.FirstAt%hour), w.LastAt+1)
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
	for _, span := range coarseSpansOf(hours) {
		if err := r.resum(ctx, workflowID, span); err != nil {
			return minutes, err
		}
	}
	return minutes, nil
}

// resum makes the cells of a coarser block again from finer ones, from the horizon of the rows on. Where
// there is neither a row nor a block of minutes, no mark would do so.
func (r *RollUp) resum(ctx context.Context, workflowID int64, s span) error {
	tier, fine := concurrency.Tiers()[s.tier], concurrency.Tiers()[s.tier-1]
	end := s.start + tier.BlockLength()
	return r.db.Maintain(ctx, func(ctx context.Context, tx store.UpkeepTx) error {
		horizon, err := tx.LockHorizon(ctx, workflowID)
		if err != nil {
			return err
		}
		l, err := newLoader(ctx, tx, workflowID, horizon.RowsFrom,
			store.BlockRange{Width: tier.Width, From: s.start, Before: s.start + 1},
			store.BlockRange{Width: fine.Width, From: s.start, Before: end})
		if err != nil {
			return err
		}
		var changed []store.Block
		for _, kind := range concurrency.Kinds() {
			if !l.has(kind.Name, s.tier, s.start) {
				continue // a mark makes it
			}
			block, err := l.resummed(ctx, kind.Name, s, max(s.start, horizon.RowsFrom))
			if err != nil {
				return err
			}
			if data, differs := block.encode(); differs {
				changed = append(changed, store.Block{BlockKey: block.key, Generation: horizon.Generation + 1, Cells: data})
			}
		}
		if len(changed) == 0 {
			return nil
		}
		if err := l.markAgain(ctx, tx); err != nil {
			return err
		}
		if err := tx.SaveBlocks(ctx, changed); err != nil {
			return err
		}
		horizon.Generation++
		return tx.SaveHorizon(ctx, horizon)
	})
}

// resummed returns a coarser block whose cells that begin from an instant on are made again from finer ones.
func (l *loader) resummed(ctx context.Context, kind string, s span, from int64) (*loaded, error) {
	tier, fine := concurrency.Tiers()[s.tier], concurrency.Tiers()[s.tier-1]
	block, err := l.block(ctx, kind, s.tier, s.start)
	if err != nil {
		return nil, err
	}
	end := s.start + tier.BlockLength()
	for at := (from + tier.Width - 1) / tier.Width * tier.Width; at < end; at += tier.Width {
		finer, err := l.finer(ctx, kind, s.tier-1, fine.BlockStart(at))
		if err != nil {
			return nil, err
		}
		if err := block.sum(tier, at, finer); err != nil {
			return nil, err
		}
	}
	return block, nil
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
