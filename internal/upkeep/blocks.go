package upkeep

import (
	"bytes"
	"context"
	"errors"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// loader reads the blocks of a workflow for a transaction that has locked its horizon. A block that is
// damaged is made again from the finer ones.
type loader struct {
	tx         store.Snapshot
	workflowID int64
	rowsFrom   int64           // the horizon's
	same       map[int64]int64 // by template, the one by which its series is known
	stored     map[store.BlockKey][]byte
	made       map[store.BlockKey]*loaded // blocks as this transaction leaves them, where it has made them
	damaged    []store.BlockKey
	again      []int64 // hours of which a block is damaged, taken for empty until their rows are read again
}

// newLoader reads which templates of a workflow are one series, and the blocks of every kind in ranges.
// rowsFrom is the horizon's.
func newLoader(
	ctx context.Context, tx store.Snapshot, workflowID, rowsFrom int64, ranges ...store.BlockRange,
) (*loader, error) {
	templates, err := tx.TemplateNames(ctx, workflowID)
	if err != nil {
		return nil, err
	}
	l := &loader{tx: tx, workflowID: workflowID, rowsFrom: rowsFrom, same: sameNames(templates)}
	return l, l.load(ctx, ranges)
}

// loaded is a block and the bytes that it was stored as, which are nil when it was not, or damaged.
type loaded struct {
	key    store.BlockKey
	stored []byte
	cells  *concurrency.Block
}

// encode returns the block's bytes, and whether they are others than were stored.
func (l *loaded) encode() (data []byte, differs bool) {
	data = l.cells.Encode()
	return data, !bytes.Equal(data, l.stored)
}

// sum makes the cell of a tier that begins at an instant what the cells of a finer block are together.
func (l *loaded) sum(tier concurrency.Tier, at int64, finer *loaded) error {
	offset := at - finer.key.Start
	return l.cells.Sum(tier.Cell(at), finer.cells, int(offset/finer.key.Width), int((offset+tier.Width)/finer.key.Width))
}

// load reads the blocks of every kind in ranges.
func (l *loader) load(ctx context.Context, ranges []store.BlockRange) error {
	blocks, err := l.tx.Blocks(ctx, store.BlockFilter{WorkflowID: l.workflowID, Kinds: kindNames(), Ranges: ranges})
	if err != nil {
		return err
	}
	if l.stored == nil {
		l.stored = make(map[store.BlockKey][]byte, len(blocks))
	}
	for _, block := range blocks {
		l.stored[block.BlockKey] = block.Cells
	}
	return nil
}

func (l *loader) key(kind string, tier int, start int64) store.BlockKey {
	return store.BlockKey{WorkflowID: l.workflowID, Kind: kind, Width: concurrency.Tiers()[tier].Width, Start: start}
}

func (l *loader) has(kind string, tier int, start int64) bool {
	_, has := l.stored[l.key(kind, tier, start)]
	return has
}

// fresh returns a block in which nothing happens.
func (l *loader) fresh(kind string, tier int, start int64) *loaded {
	t := concurrency.Tiers()[tier]
	return &loaded{key: l.key(kind, tier, start), cells: concurrency.NewBlock(t.Width, t.Cells)}
}

// decode returns a block that was loaded, an empty one where there is none, and nil when it is damaged.
func (l *loader) decode(kind string, tier int, start int64) *loaded {
	block := l.fresh(kind, tier, start)
	if made := l.made[block.key]; made != nil {
		return made
	}
	stored, has := l.stored[block.key]
	if !has {
		return block
	}
	t := concurrency.Tiers()[tier]
	cells, err := concurrency.DecodeBlock(stored, t.Width, t.Cells)
	if err != nil {
		return nil
	}
	l.rename(kind, cells)
	block.stored, block.cells = stored, cells
	return block
}

// rename gives the series of a block the ids by which those of their templates are known.
func (l *loader) rename(name string, cells *concurrency.Block) {
	kind, _ := concurrency.KindNamed(name) // no others are loaded
	cells.Rename(func(id int64) int64 {
		template, class := kind.Of(id)
		if first, known := l.same[template]; known {
			template = first
		}
		return kind.Series(template, class)
	})
}

// minutes returns the block of an hour. One that is damaged is made anew when every minute of it is going
// to be, and otherwise an error.
func (l *loader) minutes(kind string, start int64, all bool) (*loaded, error) {
	if block := l.decode(kind, 0, start); block != nil {
		return block, nil
	}
	if all {
		return l.fresh(kind, 0, start), nil
	}
	return nil, errOvertaken // it was whole a moment ago
}

// block returns a block of a coarser tier.
func (l *loader) block(ctx context.Context, kind string, tier int, start int64) (*loaded, error) {
	if block := l.decode(kind, tier, start); block != nil {
		return block, nil
	}
	return l.remake(ctx, kind, tier, start)
}

// remake makes a block from the finer ones, whose cells tell of the same.
func (l *loader) remake(ctx context.Context, kind string, tier int, start int64) (*loaded, error) {
	coarse, fine := concurrency.Tiers()[tier], concurrency.Tiers()[tier-1]
	block := l.fresh(kind, tier, start)
	l.damaged = append(l.damaged, block.key)
	end := start + coarse.BlockLength()
	if err := l.load(ctx, []store.BlockRange{{Width: fine.Width, From: start, Before: end}}); err != nil {
		return nil, err
	}
	for at := start; at < end; at += coarse.Width {
		finer, err := l.finer(ctx, kind, tier-1, fine.BlockStart(at))
		if err != nil {
			return nil, err
		}
		if err := block.sum(coarse, at, finer); err != nil {
			return nil, err
		}
	}
	l.keep(block)
	return block, nil
}

// finer returns a block for a coarser one to be made from.
func (l *loader) finer(ctx context.Context, kind string, tier int, start int64) (*loaded, error) {
	if block := l.decode(kind, tier, start); block != nil {
		return block, nil
	}
	if tier > 0 {
		return l.remake(ctx, kind, tier, start)
	}
	if start < l.rowsFrom {
		return nil, damagedError(l.key(kind, 0, start))
	}
	l.again = append(l.again, start)
	block := l.fresh(kind, 0, start)
	l.keep(block)
	return block, nil
}

// keep lets a block be read as this transaction has made it.
func (l *loader) keep(block *loaded) {
	if l.made == nil {
		l.made = map[store.BlockKey]*loaded{}
	}
	l.made[block.key] = block
}

// markAgain marks the hours that were taken for empty.
func (l *loader) markAgain(ctx context.Context, tx store.UpkeepTx) error {
	for _, at := range l.again {
		if err := tx.AddMarks(ctx, l.workflowID, minutesOf(at)); err != nil {
			return err
		}
	}
	return nil
}

func damagedError(key store.BlockKey) error {
	return jobmon.Errorf(jobmon.CodeInternal, "the cells of workflow %d from %s on are damaged", key.WorkflowID, text(key.Start))
}

// Repair has damaged blocks made again: those of minutes from their rows, by the next pass, and coarser
// ones from the finer ones at once. It returns an error for a block that cannot be made again because its
// rows are removed. Blocks that are whole are left as they are.
func (r *RollUp) Repair(ctx context.Context, keys []store.BlockKey) error {
	r.note(ctx, keys)
	var failed error
	for _, key := range keys {
		// Each in a transaction of its own: one that cannot be made again keeps none from it that can.
		failed = errors.Join(failed, r.db.Maintain(ctx, func(ctx context.Context, tx store.UpkeepTx) error { return repair(ctx, tx, key) }))
	}
	return failed
}

func repair(ctx context.Context, tx store.UpkeepTx, key store.BlockKey) error {
	horizon, err := tx.LockHorizon(ctx, key.WorkflowID)
	if err != nil {
		return err
	}
	l, err := newLoader(ctx, tx, key.WorkflowID, horizon.RowsFrom,
		store.BlockRange{Width: key.Width, From: key.Start, Before: key.Start + 1})
	if err != nil {
		return err
	}
	for tier, t := range concurrency.Tiers() {
		if t.Width != key.Width || l.decode(key.Kind, tier, key.Start) != nil {
			continue
		}
		if tier == 0 {
			if key.Start < horizon.RowsFrom {
				return damagedError(key)
			}
			return tx.AddMarks(ctx, key.WorkflowID, []int64{key.Start})
		}
		block, err := l.remake(ctx, key.Kind, tier, key.Start)
		if err != nil {
			return err
		}
		if err := l.markAgain(ctx, tx); err != nil {
			return err
		}
		horizon.Generation++
		err = tx.SaveBlocks(ctx, []store.Block{{BlockKey: key, Generation: horizon.Generation, Cells: block.cells.Encode()}})
		if err != nil {
			return err
		}
		return tx.SaveHorizon(ctx, horizon)
	}
	if key.Width == 0 {
		_, err = l.removed(key)
	}
	return err
}
