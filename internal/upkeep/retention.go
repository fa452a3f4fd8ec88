package upkeep

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/tracing"
)

const (
	// MinRetention is the shortest time for which rows may be kept: the roll-up has summed them up long
	// before, and a transaction that writes one has ended.
	MinRetention = 2 * time.Hour
	day          = 24 * hour
	// removedAtOnce is how many rows one transaction removes: a writer waits for it some tens of
	// milliseconds at most.
	removedAtOnce = 2_000
	retainEvery   = time.Hour
)

// Retention removes what is old: first rows of the audit, which are summed up by then, and much later
// what they were summed up to.
type Retention struct {
	db           Database
	log          *slog.Logger
	rows, blocks time.Duration

	mu       sync.Mutex
	progress RetentionProgress
}

// RetentionProgress is what retention has done since the start.
type RetentionProgress struct {
	LastPass time.Time // when the last pass ended; zero before
	Rows     int64     // removed
	Hours    int64     // of which the cells were removed
	Failed   int64     // workflows that the last pass left alone because something in them is not right
}

// NewRetention returns a retention that keeps rows, and what they are summed up to, for a time; 0 means for
// good. It returns CodeInvalid for times that would lose something.
func NewRetention(db Database, log *slog.Logger, rows, blocks time.Duration) (*Retention, error) {
	switch {
	case rows < 0 || rows > 0 && rows < MinRetention:
		return nil, jobmon.FieldErrorf("audit_retention",
			"the rows of the audit must be kept for %s at least, because the roll-up needs them; choose a longer time, or 0 to keep them",
			MinRetention)
	case blocks < 0 || blocks > 0 && (rows == 0 || blocks < rows):
		return nil, jobmon.FieldErrorf("block_retention",
			"what the audit is summed up to cannot be removed before its rows; "+
				"choose a time that is not shorter than theirs, or 0 to keep it")
	}
	return &Retention{db: db, log: log, rows: rows, blocks: blocks}, nil
}

// Progress returns what was done since the start.
func (r *Retention) Progress() RetentionProgress {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.progress
}

// Run makes a pass every hour until ctx ends.
func (r *Retention) Run(ctx context.Context) error {
	failures := outage{log: r.log, loop: "retention"}
	for {
		if err := r.Pass(ctx); ctx.Err() == nil {
			failures.note(ctx, err)
		}
		if err := rest(ctx, retainEvery); err != nil {
			return err
		}
	}
}

// Pass removes everything that is old enough. A workflow in which something is not right, such as cells
// that tell something else than their rows, is left as it is and told of on the log.
func (r *Retention) Pass(ctx context.Context) error {
	failed := int64(0)
	err := r.each(ctx, func(w store.WorkflowInfo, due due) error {
		err := r.workflow(ctx, w, due)
		if err != nil && ctx.Err() == nil && jobmon.ErrorCode(err) != jobmon.CodeUnavailable {
			failed++
			r.log.ErrorContext(ctx, "retention leaves a workflow alone", "workflow_id", w.ID, "error", err)
			return nil
		}
		return err
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress.Failed = failed
	if err == nil {
		r.progress.LastPass = time.Now()
	}
	return err
}

// Removal is what a pass would remove of a workflow: rows before RowsBefore and cells before DataBefore,
// both instants, 0 for none.
type Removal struct {
	WorkflowID             int64
	Name                   string
	Rows                   int64
	RowsBefore, DataBefore int64
}

// Plan returns what a pass would remove now, and removes nothing.
func (r *Retention) Plan(ctx context.Context) ([]Removal, error) {
	var removals []Removal
	err := r.each(ctx, func(w store.WorkflowInfo, due due) error {
		removal := Removal{WorkflowID: w.ID, Name: w.Name}
		err := r.db.View(ctx, func(ctx context.Context, snapshot store.Snapshot) (err error) {
			if due.rows <= w.FirstAt {
				return nil
			}
			removal.Rows, err = snapshot.CountTransitions(ctx, store.TransitionFilter{WorkflowID: w.ID, Before: due.rows}, 1<<62)
			return err
		})
		if removal.Rows > 0 {
			removal.RowsBefore = due.rows
		}
		if due.cells > max(due.horizon.DataFrom, w.FirstAt-w.FirstAt%day) && w.LastAt >= due.horizon.DataFrom {
			removal.DataBefore = due.cells
		}
		if removal.RowsBefore != 0 || removal.DataBefore != 0 {
			removals = append(removals, removal)
		}
		return err
	})
	return removals, err
}

// due is what of a workflow is old: rows before one instant, cells before another. 0 is nothing.
type due struct {
	horizon     store.Horizon
	rows, cells int64
}

// each calls do with every workflow from which something may be removed.
func (r *Retention) each(ctx context.Context, do func(w store.WorkflowInfo, due due) error) error {
	return eachWorkflow(ctx, r.db, func(w store.WorkflowInfo) error {
		if w.FirstAt == 0 {
			return nil
		}
		var d due
		err := r.db.View(ctx, func(ctx context.Context, snapshot store.Snapshot) (err error) {
			now, err := snapshot.Now(ctx)
			if err != nil {
				return err
			}
			if d.horizon, err = snapshot.Horizon(ctx, w.ID); err != nil || d.horizon.Kept {
				return err
			}
			d.rows, d.cells = old(now, w.ImportedAt, r.rows, hour), old(now, w.ImportedAt, r.blocks, day)
			return nil
		})
		if err != nil || d.rows == 0 && d.cells == 0 {
			return err
		}
		return do(w, d)
	})
}

// old returns the whole unit of time before which things are older than age. What was imported is not older
// than its import.
func old(now, importedAt int64, age time.Duration, unit int64) int64 {
	if age == 0 || importedAt > now-age.Microseconds() {
		return 0
	}
	at := max(now-age.Microseconds(), 0)
	return at - at%unit
}

func (r *Retention) workflow(ctx context.Context, w store.WorkflowInfo, due due) (err error) {
	ctx, span := tracing.Begin(ctx, "remove what is old")
	span.Int("tasktide.workflow_id", w.ID)
	defer func() { span.End(err) }()
	from := due.horizon.RowsFrom
	if from == 0 {
		from = w.FirstAt - w.FirstAt%hour
	}
	// A day at a time, with the days after it in which there is nothing: what the rows say is compared with
	// the cells before they go.
	for from < due.rows && from <= w.LastAt {
		to, err := r.nextDay(ctx, w, from, due.rows)
		if err != nil {
			return err
		}
		if err := r.advanceRows(ctx, w, from, to); err != nil {
			return err
		}
		from = to
	}
	if err := r.removeRows(ctx, w.ID); err != nil {
		return err
	}
	from = due.horizon.DataFrom
	if from == 0 {
		from = w.FirstAt - w.FirstAt%day
	}
	for from < due.cells && from <= w.LastAt {
		to, err := r.nextDay(ctx, w, from, due.cells)
		if err != nil {
			return err
		}
		if err := r.removeCells(ctx, w, to); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// nextDay returns the first instant of the next day on which there is anything in a workflow, up to before.
func (r *Retention) nextDay(ctx context.Context, w store.WorkflowInfo, from, before int64) (int64, error) {
	to := min(from-from%day+day, before)
	for to < before && to <= w.LastAt {
		next := min(to+day, before)
		if is, err := busy(ctx, r.db, w.ID, to, next); err != nil || is {
			return to, err
		}
		to = next
	}
	return to, nil
}

// advanceRows moves the horizon of a workflow's rows, once everything before it is in the cells.
func (r *Retention) advanceRows(ctx context.Context, w store.WorkflowInfo, from, to int64) error {
	hours, err := busyHours(ctx, r.db, w.ID, from, to)
	if err != nil {
		return err
	}
	for _, at := range hours {
		var report Report
		err := r.db.View(ctx, func(ctx context.Context, snapshot store.Snapshot) error {
			return report.hour(ctx, snapshot, w.ID, at)
		})
		if err != nil {
			return err
		}
		if report.Found > 0 {
			return jobmon.Errorf(jobmon.CodeInternal, "its rows are not removed: %s; run tasktide rollup rebuild --workflow %d",
				report.Defects[0], w.ID)
		}
	}
	return r.db.Maintain(ctx, func(ctx context.Context, tx store.UpkeepTx) error {
		horizon, err := tx.LockHorizon(ctx, w.ID)
		if err != nil || horizon.RowsFrom >= to || horizon.Kept {
			return err
		}
		marks, err := tx.Marks(ctx, store.MarkFilter{WorkflowID: w.ID, Before: to})
		if err != nil {
			return err
		}
		if len(marks) > 0 {
			return jobmon.Errorf(jobmon.CodeConflict, "its rows are not removed: some before %s are not summed up yet", text(to))
		}
		if horizon.FirstAt == 0 {
			horizon.FirstAt = w.FirstAt
		}
		// As it is now: a late row may have come since.
		now, err := tx.Workflow(ctx, w.ID)
		if err != nil {
			return err
		}
		if now.LastAt < to {
			horizon.LastAt = now.LastAt
		}
		horizon.RowsFrom = to
		horizon.Generation++
		return tx.SaveHorizon(ctx, horizon)
	})
}

// removeRows removes the rows before a workflow's horizon, which nobody reads any more.
func (r *Retention) removeRows(ctx context.Context, workflowID int64) error {
	for removed := int64(removedAtOnce); removed == removedAtOnce; {
		err := r.db.Maintain(ctx, func(ctx context.Context, tx store.UpkeepTx) error {
			horizon, err := tx.Horizon(ctx, workflowID)
			removed = 0
			if err != nil || horizon.RowsFrom == 0 {
				return err
			}
			old := store.TransitionFilter{WorkflowID: workflowID, Before: horizon.RowsFrom}
			removed, err = tx.DeleteTransitions(ctx, old, removedAtOnce)
			return err
		})
		if err != nil {
			return err
		}
		r.mu.Lock()
		r.progress.Rows += removed
		r.mu.Unlock()
		if removed == removedAtOnce {
			if err := rest(ctx, 0); err != nil { // let those who write go first
				return err
			}
		}
	}
	return nil
}

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
		for at := from; at < horizon.DataFrom; at += day {
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
