package sqlstore

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// minute is how long a minute is in microseconds. The tables of upkeep count minutes since the Unix epoch.
const minute = 60_000_000

// upkeepTx implements [store.UpkeepTx].
type upkeepTx struct{ snapshot }

var _ store.UpkeepTx = upkeepTx{}

// Maintain implements [store.Upkeeper].
func (s *Store) Maintain(ctx context.Context, change func(ctx context.Context, tx store.UpkeepTx) error) error {
	return s.update(ctx, func(session session) error { return change(session.span.In(ctx), upkeepTx{snapshot{session}}) })
}

// mark is a minute of a workflow of which the cells do not tell yet.
type mark struct{ workflowID, minute int64 }

// mark marks the minutes in which this transaction writes audit rows, each once.
func (w writer) mark(ctx context.Context, marks map[mark]bool) error {
	var missing []mark
	for m := range marks {
		if w.marked[m] {
			continue
		}
		w.marked[m] = true
		if err := w.checkKept(ctx, m); err != nil {
			return err
		}
		missing = append(missing, m)
	}
	return w.insertMarks(ctx, missing)
}

// checkKept refuses a minute whose rows are removed. It asks only about a minute that is earlier than those
// of some workflow: never, while the clock is right.
func (w writer) checkKept(ctx context.Context, m mark) error {
	at := m.minute * minute
	if at >= *w.rowsFrom {
		return nil
	}
	horizon, err := w.horizon(ctx, m.workflowID, "")
	if jobmon.ErrorCode(err) == jobmon.CodeNotFound {
		return nil
	}
	if err == nil && at < horizon.RowsFrom {
		err = w.fail(ctx, jobmon.Errorf(jobmon.CodeUnavailable,
			"the database's clock lies before the rows of workflow %d that are kept; set the clock right and try again, or, if it is "+
				"right and was wrong before, run tasktide retention recover", m.workflowID))
	}
	return err
}

// AddMarks implements [store.UpkeepTx].
func (u upkeepTx) AddMarks(ctx context.Context, workflowID int64, minutes []int64) error {
	marks := make([]mark, len(minutes))
	for i, at := range minutes {
		marks[i] = mark{workflowID, at / minute}
	}
	return u.insertMarks(ctx, marks)
}

func (s session) insertMarks(ctx context.Context, marks []mark) error {
	return insertRows(ctx, s, "INSERT INTO concurrency_mark (workflow_id, minute)", "", marks, 2, func(m mark) []any {
		return []any{m.workflowID, m.minute}
	})
}

// Marks implements [store.Snapshot].
func (v snapshot) Marks(ctx context.Context, filter store.MarkFilter) ([]store.Mark, error) {
	marks, err := all(ctx, v.session, func(m *store.Mark) []any { return []any{&m.ID, &m.Minute} }, `
		SELECT m.id, m.minute FROM concurrency_mark m
		WHERE m.workflow_id = ? AND m.minute >= ? AND m.minute < ? AND ? NOT IN (`+staged+`)
		ORDER BY m.minute, m.id`,
		filter.WorkflowID, minutesUpTo(filter.From), minutesUpTo(filter.Before), filter.WorkflowID)
	for i := range marks {
		marks[i].Minute *= minute
	}
	return marks, err
}

// minutesUpTo returns the first minute that does not begin before an instant.
func minutesUpTo(at int64) int64 {
	minutes := max(at, 0) / minute
	if at > minutes*minute {
		minutes++
	}
	return minutes
}

// NextMarked implements [store.Snapshot].
func (v snapshot) NextMarked(ctx context.Context, after int64) (workflowID, at int64, err error) {
	for {
		next, err := one(ctx, v.session, "", func(m *mark) []any { return []any{&m.workflowID, &m.minute} }, `
			SELECT workflow_id, minute FROM concurrency_mark WHERE workflow_id > ? ORDER BY workflow_id, minute LIMIT 1`, after)
		if jobmon.ErrorCode(err) == jobmon.CodeNotFound {
			return 0, 0, nil
		}
		if err != nil {
			return 0, 0, err
		}
		hidden, err := one(ctx, v.session, "", number, "SELECT COUNT(*) FROM ("+staged+" AND workflow_id = ?) hidden", next.workflowID)
		if err != nil || hidden == 0 {
			return next.workflowID, next.minute * minute, err
		}
		after = next.workflowID
	}
}

// DeleteMarks implements [store.UpkeepTx].
func (u upkeepTx) DeleteMarks(ctx context.Context, ids []int64) (deleted int64, err error) {
	for part := range slices.Chunk(ids, removeBatch) {
		n, err := u.removeRows(ctx, "concurrency_mark", "id", part)
		if err != nil {
			return 0, err
		}
		deleted += n
	}
	return deleted, nil
}

// Horizon implements [store.Snapshot].
func (v snapshot) Horizon(ctx context.Context, workflowID int64) (store.Horizon, error) {
	horizon, err := v.horizon(ctx, workflowID, " AND workflow_id NOT IN ("+staged+")")
	if jobmon.ErrorCode(err) == jobmon.CodeNotFound {
		return store.Horizon{WorkflowID: workflowID}, nil
	}
	return horizon, err
}

func (s session) horizon(ctx context.Context, workflowID int64, end string) (store.Horizon, error) {
	return one(ctx, s, "", func(h *store.Horizon) []any {
		return []any{
			&h.WorkflowID, instant{&h.RowsFrom}, instant{&h.DataFrom}, instant{&h.FirstAt}, instant{&h.LastAt}, &h.Generation, &h.Kept,
			&h.RunsLost,
		}
	}, `
		SELECT workflow_id, rows_from, data_from, first_at, last_at, generation, kept, runs_lost
		FROM workflow_horizon WHERE workflow_id = ?`+end,
		workflowID)
}

// LockHorizon implements [store.UpkeepTx].
func (u upkeepTx) LockHorizon(ctx context.Context, workflowID int64) (store.Horizon, error) {
	return findOrInsert(func() (store.Horizon, error) {
		return u.horizon(ctx, workflowID, u.store.dialect.ForUpdate)
	}, func() error { return u.insertHorizon(ctx, workflowID, false) })
}

func (s session) insertHorizon(ctx context.Context, workflowID int64, kept bool) error {
	_, err := s.exec(ctx, "INSERT INTO workflow_horizon (workflow_id, rows_from, data_from, generation, kept) VALUES (?, ?, ?, 0, ?)"+
		s.store.dialect.SkipExisting("kept"), workflowID, s.at(0), s.at(0), toNumber(kept))
	return err
}

func toNumber(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

// SaveHorizon implements [store.UpkeepTx].
func (u upkeepTx) SaveHorizon(ctx context.Context, h store.Horizon) error {
	_, err := u.exec(ctx, `
		UPDATE workflow_horizon SET rows_from = ?, data_from = ?, first_at = ?, last_at = ?, generation = ?, kept = ?, runs_lost = ?
		WHERE workflow_id = ?`,
		u.at(h.RowsFrom), u.at(h.DataFrom), u.atOrNull(h.FirstAt), u.atOrNull(h.LastAt), h.Generation, toNumber(h.Kept),
		toNumber(h.RunsLost), h.WorkflowID)
	return err
}

// RetentionClock implements [store.Snapshot].
func (v snapshot) RetentionClock(ctx context.Context) (store.RetentionClock, error) {
	return v.retentionClock(ctx, "")
}

func (s session) retentionClock(ctx context.Context, end string) (store.RetentionClock, error) {
	return one(ctx, s, "the database has lost the row of retention_clock; restore it from a backup", func(c *store.RetentionClock) []any {
		return []any{instant{&c.At}, &c.Passed, instant{&c.RowsBefore}, instant{&c.DataBefore}}
	}, "SELECT clock_at, passed, rows_before, data_before FROM retention_clock WHERE id = 1"+end)
}

// NewestStored implements [store.Snapshot].
func (v snapshot) NewestStored(ctx context.Context) (int64, error) {
	at, err := one(ctx, v.session, "", func(at *int64) []any { return []any{instant{at}} },
		"SELECT stored_at FROM task_status_audit ORDER BY id DESC LIMIT 1")
	if jobmon.ErrorCode(err) == jobmon.CodeNotFound {
		return 0, nil
	}
	return at, err
}

// LatestHorizon implements [store.Snapshot].
func (v snapshot) LatestHorizon(ctx context.Context) (rowsFrom, dataFrom int64, err error) {
	type latest struct{ rows, data int64 }
	found, err := one(ctx, v.session, "", func(l *latest) []any { return []any{instant{&l.rows}, instant{&l.data}} },
		"SELECT MAX(rows_from), MAX(data_from) FROM workflow_horizon")
	return found.rows, found.data, err
}

// LockRetentionClock implements [store.UpkeepTx].
func (u upkeepTx) LockRetentionClock(ctx context.Context) (store.RetentionClock, error) {
	return u.retentionClock(ctx, u.store.dialect.ForUpdate)
}

// SaveRetentionClock implements [store.UpkeepTx].
func (u upkeepTx) SaveRetentionClock(ctx context.Context, c store.RetentionClock) error {
	_, err := u.exec(ctx, "UPDATE retention_clock SET clock_at = ?, passed = ?, rows_before = ?, data_before = ? WHERE id = 1",
		u.atOrNull(c.At), toNumber(c.Passed), u.atOrNull(c.RowsBefore), u.atOrNull(c.DataBefore))
	return err
}

// Blocks implements [store.Snapshot].
func (v snapshot) Blocks(ctx context.Context, filter store.BlockFilter) (blocks []store.Block, err error) {
	for query, args := range whereBlock(filter,
		"SELECT b.status, b.cell_minutes, b.first_minute, b.generation, b.cells FROM concurrency_block b") {
		found, err := all(ctx, v.session, func(b *store.Block) []any {
			b.WorkflowID = filter.WorkflowID
			return []any{&b.Kind, &b.Width, &b.Start, &b.Generation, &b.Cells}
		}, query, args...)
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, found...)
	}
	for i := range blocks {
		blocks[i].Width *= minute
		blocks[i].Start *= minute
	}
	slices.SortFunc(blocks, func(a, b store.Block) int {
		return cmp.Or(cmp.Compare(a.Width, b.Width), cmp.Compare(a.Start, b.Start))
	})
	return blocks, nil
}

// rangesPerStatement is how many queries are joined into one: some databases allow no more than 500.
const rangesPerStatement = 200

// whereBlock yields statements that join one look into the primary key for each range. It yields none when
// nothing matches.
func whereBlock(filter store.BlockFilter, head string) iter.Seq2[string, []any] {
	return func(yield func(string, []any) bool) {
		if len(filter.Kinds) == 0 {
			return
		}
		one := head + " WHERE b.workflow_id = ? AND b.status IN (" + placeholders(len(filter.Kinds)) +
			") AND b.cell_minutes = ? AND b.first_minute >= ? AND b.first_minute < ?"
		for part := range slices.Chunk(filter.Ranges, rangesPerStatement) {
			var args []any
			for _, r := range part {
				args = append(args, filter.WorkflowID)
				for _, kind := range filter.Kinds {
					args = append(args, kind)
				}
				args = append(args, r.Width/minute, minutesUpTo(r.From), minutesUpTo(r.Before))
			}
			if !yield(one+strings.Repeat(" UNION ALL "+one, len(part)-1), args) {
				return
			}
		}
	}
}

// BlockGeneration implements [store.Snapshot].
func (v snapshot) BlockGeneration(ctx context.Context, filter store.BlockFilter) (newest int64, err error) {
	for query, args := range whereBlock(filter, "SELECT MAX(b.generation) AS newest FROM concurrency_block b") {
		found, err := one(ctx, v.session, "", number, "SELECT COALESCE(MAX(newest), 0) FROM ("+query+") generations", args...)
		if err != nil {
			return 0, err
		}
		newest = max(newest, found)
	}
	return newest, nil
}

// maxStatement is about how many bytes of cells one statement carries: far below what any server accepts,
// and more would not be faster.
const maxStatement = 1 << 20

// SaveBlocks implements [store.UpkeepTx].
func (u upkeepTx) SaveBlocks(ctx context.Context, blocks []store.Block) error {
	overwrite := u.store.dialect.Overwrite(
		[]string{"workflow_id", "status", "cell_minutes", "first_minute"}, []string{"generation", "cells"})
	for len(blocks) > 0 {
		n, size := 0, 0
		for n < len(blocks) && (n == 0 || size+len(blocks[n].Cells) <= maxStatement) {
			size += len(blocks[n].Cells)
			n++
		}
		err := insertRows(ctx, u.session, `
			INSERT INTO concurrency_block (workflow_id, status, cell_minutes, first_minute, generation, cells)`, overwrite,
			blocks[:n], 6, func(b store.Block) []any {
				return []any{b.WorkflowID, b.Kind, b.Width / minute, b.Start / minute, b.Generation, b.Cells}
			})
		if err != nil {
			return err
		}
		blocks = blocks[n:]
	}
	return nil
}

// DeleteBlocks implements [store.UpkeepTx].
func (u upkeepTx) DeleteBlocks(ctx context.Context, workflowID int64, ranges []store.BlockRange) error {
	var kinds []any
	for _, kind := range concurrency.Kinds() {
		kinds = append(kinds, kind.Name)
	}
	for _, r := range ranges {
		args := slices.Concat([]any{workflowID}, kinds, []any{r.Width / minute, minutesUpTo(r.From), minutesUpTo(r.Before)})
		_, err := u.exec(ctx, "DELETE FROM concurrency_block WHERE workflow_id = ? AND status IN ("+placeholders(len(kinds))+
			") AND cell_minutes = ? AND first_minute >= ? AND first_minute < ?", args...)
		if err != nil {
			return err
		}
	}
	return nil
}

// DeleteTransitions implements [store.UpkeepTx].
func (u upkeepTx) DeleteTransitions(ctx context.Context, filter store.TransitionFilter, most int) (int64, error) {
	from, args := u.fromTransitions(filter)
	ids, err := all(ctx, u.session, number,
		"SELECT s.id"+from+" ORDER BY s.changed_at, s.id LIMIT ?", append(args, most)...)
	if err != nil {
		return 0, err
	}
	return u.removeRows(ctx, "task_status_audit", "id", ids)
}
