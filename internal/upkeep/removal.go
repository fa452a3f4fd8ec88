package upkeep

import (
	"context"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// removeCells removes the cells before an instant, a whole day, and adds their sum to what was
// removed before.
func (r *Retention) removeCells(ctx context.Context, w store.WorkflowInfo, to int64) error {
	hours := int64(0)
	err := r.db.Maintain(ctx, func(ctx context.Context, tx store.UpkeepTx) error {
		hours = 0
		horizon, err := tx.LockHorizon(ctx, w.ID)
		if err != nil || horizon.Kept || horizon.DataFrom >= to {
			return err
		}
		if to > horizon.RowsFrom && w.LastAt >= horizon.RowsFrom {
			return jobmon.Errorf(jobmon.CodeConflict, "its cells before %s are not removed: their rows are still there", text(to))
		}
		from := horizon.DataFrom
		if from == 0 {
			from = w.FirstAt - w.FirstAt%day
		}
		hours = (to - from) / hour
		horizon.DataFrom = to
		horizon.Generation++
		sums, err := sumBefore(ctx, tx, horizon, from)
		if err != nil {
			return err
		}
		if err := tx.SaveBlocks(ctx, sums); err != nil {
			return err
		}
		var ranges []store.BlockRange
		for _, tier := range concurrency.Tiers() {
			ranges = append(ranges, store.BlockRange{Width: tier.Width, Before: to - tier.BlockLength() + 1})
		}
		if err := tx.DeleteBlocks(ctx, w.ID, ranges); err != nil {
			return err
		}
		return tx.SaveHorizon(ctx, horizon)
	})
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress.Hours += hours
	return nil
}

// sumBefore returns what was removed with the days from an instant to the horizon of the cells added to it.
func sumBefore(ctx context.Context, tx store.Snapshot, horizon store.Horizon, from int64) ([]store.Block, error) {
	days := len(concurrency.Tiers()) - 1
	tier := concurrency.Tiers()[days]
	l, err := newLoader(ctx, tx, horizon.WorkflowID, horizon.RowsFrom, store.BlockRange{Width: 0, Before: 1},
		store.BlockRange{Width: tier.Width, From: tier.BlockStart(from), Before: horizon.DataFrom})
	if err != nil {
		return nil, err
	}
	var sums []store.Block
	for _, kind := range concurrency.Kinds() {
		key := store.BlockKey{WorkflowID: horizon.WorkflowID, Kind: kind.Name}
		sum, err := l.removed(key)
		if err != nil {
			return nil, err
		}
		levels, err := cellsIn(sum, 0)
		if err != nil {
			return nil, err
		}
		for at := from - from%day; at < horizon.DataFrom; at += day {
			block, err := l.block(ctx, kind.Name, days, tier.BlockStart(at))
			if err != nil {
				return nil, err
			}
			happened, err := cellsIn(block, tier.Cell(at))
			if err != nil {
				return nil, err
			}
			for id, cell := range happened {
				level := levels[id]
				level.Length, level.Delta = 1, level.Delta+cell.Delta
				levels[id] = level
			}
		}
		sums = append(sums, store.Block{BlockKey: key, Generation: horizon.Generation, Cells: encodeLevels(levels)})
	}
	return sums, nil
}

// removed returns the block of what was removed.
func (l *loader) removed(key store.BlockKey) (*loaded, error) {
	shape, _ := concurrency.TierOf(0)
	block := &loaded{key: key, cells: concurrency.NewBlock(shape.Width, shape.Cells)}
	stored, has := l.stored[key]
	if !has {
		return block, nil
	}
	cells, err := concurrency.DecodeBlock(stored, shape.Width, shape.Cells)
	if err != nil {
		return nil, damagedError(key)
	}
	l.rename(key.Kind, cells)
	block.cells = cells
	return block, nil
}

// encodeLevels makes a block of what was removed.
func encodeLevels(levels cells) []byte {
	shape, _ := concurrency.TierOf(0)
	block := concurrency.NewBlock(shape.Width, shape.Cells)
	var entries []concurrency.Entry
	for id, cell := range levels {
		series := concurrency.Total
		if id != everything {
			series = block.Index(id)
		}
		// Only the change means anything: the cell is that of one which happens at its first instant.
		entries = append(entries, concurrency.Entry{Series: series, Cell: concurrency.Cell{
			Length: shape.Width, Open: cell.Delta, Delta: cell.Delta, Peak: cell.Delta, Area: cell.Delta,
		}})
	}
	block.Put(0, entries)
	return block.Encode()
}
