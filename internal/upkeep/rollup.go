package upkeep

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/tracing"
)

const (
	minute = 60_000_000
	hour   = 60 * minute
	// pause is how long the roll-up rests when there is nothing to do. A minute is summed up about as long
	// after its end, and read row by row until then.
	pause = time.Second
)

// RollUp sums the rows of the audit up to cells. It is safe for several at once, in one process or many.
type RollUp struct {
	db  Database
	log *slog.Logger

	rows, damaged atomic.Int64
	busy          atomic.Int64 // in nanoseconds
	whole         atomic.Pointer[time.Time]
}

// NewRollUp returns a roll-up of db that warns on log.
func NewRollUp(db Database, log *slog.Logger) *RollUp {
	r := &RollUp{db: db, log: log}
	r.whole.Store(new(time.Now()))
	return r
}

// Behind returns how long ago the last pass ended that left nothing over, or, before one has, for how long there
// has been this roll-up. An import of an old run makes [Health.Lag] years long, and leaves this alone.
func (r *RollUp) Behind() time.Duration { return time.Since(*r.whole.Load()) }

// Rolled returns how many rows were summed up since the start, and how long that took.
func (r *RollUp) Rolled() (rows int64, took time.Duration) {
	return r.rows.Load(), time.Duration(r.busy.Load())
}

// Damaged returns how many damaged blocks were found since the start, by whoever has told
// [RollUp.Repair] of one or by the roll-up itself.
func (r *RollUp) Damaged() int64 { return r.damaged.Load() }

// Run sums up minutes when they are over, until ctx ends. It retries after a failure, and logs each cause once.
func (r *RollUp) Run(ctx context.Context) error {
	failures := outage{log: r.log, loop: "the roll-up"}
	for {
		if err := r.Pass(ctx); ctx.Err() == nil {
			failures.note(ctx, err)
		}
		if err := rest(ctx, pause/2+rand.N(pause)); err != nil {
			return err
		}
	}
}

// Pass sums up every marked minute that is over, of every workflow. It returns the errors, each
// of which may have kept it from the rest of one workflow; what another does at the same time is none.
func (r *RollUp) Pass(ctx context.Context) error {
	var failed error
	for after := int64(0); ctx.Err() == nil; {
		next, err := r.next(ctx, after)
		if err != nil {
			return errors.Join(failed, err)
		}
		if next.workflowID == 0 {
			if failed == nil {
				r.whole.Store(new(time.Now()))
			}
			return failed
		}
		after = next.workflowID
		if next.minute >= next.now {
			continue
		}
		err = r.hour(ctx, next)
		switch {
		case err == nil:
			after-- // there may be more of it
		case !errors.Is(err, errOvertaken):
			failed = errors.Join(failed, err)
		}
	}
	return errors.Join(failed, ctx.Err())
}

// marked is an hour of a workflow in which something is marked.
type marked struct {
	workflowID int64
	minute     int64 // the first that is marked
	now        int64 // beginning of the minute that is under way
}

func (r *RollUp) next(ctx context.Context, after int64) (next marked, err error) {
	err = r.db.View(ctx, func(ctx context.Context, snapshot store.Snapshot) error {
		now, err := snapshot.Now(ctx)
		if err != nil {
			return err
		}
		next.now = now - now%minute
		next.workflowID, next.minute, err = snapshot.NextMarked(ctx, after)
		return err
	})
	return next, err
}

// errOvertaken says that another roll-up has done the same, or a part of it.
var errOvertaken = errors.New("another roll-up was there first")

// hour sums up the marked minutes of one hour that are over.
func (r *RollUp) hour(ctx context.Context, next marked) (err error) {
	begun := time.Now()
	w := &work{workflowID: next.workflowID, from: next.minute - next.minute%hour}
	ctx, span := tracing.Begin(ctx, "roll up an hour")
	span.Int("tasktide.workflow_id", next.workflowID)
	defer func() {
		span.Int("tasktide.rows", w.rows)
		if errors.Is(err, errOvertaken) {
			span.End(nil)
			return
		}
		span.End(err)
	}()
	err = r.db.View(ctx, func(ctx context.Context, snapshot store.Snapshot) error {
		return w.read(ctx, snapshot, next.now)
	})
	if err != nil {
		return err
	}
	err = r.db.Maintain(ctx, func(ctx context.Context, tx store.UpkeepTx) error { return w.write(ctx, tx) })
	if err != nil {
		return err
	}
	r.note(ctx, append(w.damaged, w.remade...))
	r.rows.Add(w.rows)
	r.busy.Add(int64(time.Since(begun)))
	return nil
}

func (r *RollUp) note(ctx context.Context, damaged []store.BlockKey) {
	for _, key := range damaged {
		r.damaged.Add(1)
		r.log.ErrorContext(ctx, "a block of cells is damaged; it is made again", "workflow_id", key.WorkflowID,
			"kind", key.Kind, "cell_minutes", key.Width/minute, "start", time.UnixMicro(key.Start).UTC())
	}
}

// work is the marked minutes of one hour, and what becomes of them.
type work struct {
	workflowID int64
	from       int64 // a whole hour
	same       map[int64]int64
	marks      []int64 // ids
	minutes    []int64 // first instants, ascending
	cells      []*concurrency.Builder
	series     []int64 // ids by index
	rows       int64
	damaged    []store.BlockKey // of minutes
	remade     []store.BlockKey // coarser ones that were damaged, as the last attempt to write found them
}

// read reads the marks and then the rows, and makes cells of these.
func (w *work) read(ctx context.Context, snapshot store.Snapshot, now int64) error {
	l, err := newLoader(ctx, snapshot, w.workflowID, 0, store.BlockRange{Width: minute, From: w.from, Before: w.from + 1})
	if err != nil {
		return err
	}
	w.same = l.same
	for key := range l.stored {
		if l.decode(key.Kind, 0, w.from) == nil {
			w.damaged = append(w.damaged, key)
		}
	}
	until := min(w.from+hour, now)
	whole := len(w.damaged) > 0 // each minute of a damaged block has to be made again
	if whole {
		until = w.from + hour
	}
	// All marks of each minute, and before its rows: a mark that is not read here stays, and tells of the
	// rows that are not read either.
	marks, err := snapshot.Marks(ctx, store.MarkFilter{WorkflowID: w.workflowID, From: w.from, Before: until})
	if err != nil {
		return err
	}
	if len(marks) == 0 {
		return errOvertaken
	}
	for _, mark := range marks {
		w.marks = append(w.marks, mark.ID)
		if n := len(w.minutes); !whole && (n == 0 || w.minutes[n-1] != mark.Minute) {
			w.minutes = append(w.minutes, mark.Minute)
		}
	}
	if whole {
		w.minutes = minutesOf(w.from)
	}
	return w.build(ctx, snapshot)
}

// minutesOf returns the minutes of the hour that begins at an instant.
func minutesOf(from int64) []int64 {
	minutes := make([]int64, hour/minute)
	for i := range minutes {
		minutes[i] = from + int64(i)*minute
	}
	return minutes
}

// build reads the rows of the minutes.
func (w *work) build(ctx context.Context, snapshot store.Snapshot) error {
	index := map[int64]int{}
	for first := 0; first < len(w.minutes); {
		last := first
		for last+1 < len(w.minutes) && w.minutes[last+1] == w.minutes[last]+minute {
			last++
		}
		for _, at := range w.minutes[first : last+1] {
			w.cells = append(w.cells, concurrency.NewBuilder(at, minute))
		}
		filter := store.TransitionFilter{WorkflowID: w.workflowID, From: w.minutes[first], Before: w.minutes[last] + minute}
		for row, err := range snapshot.Changes(ctx, filter) {
			if err != nil {
				return err
			}
			id, known := w.same[row.TaskTemplateID]
			if !known {
				return unknownTemplate(w.workflowID, row.TaskTemplateID)
			}
			i, seen := index[id]
			if !seen {
				i = len(w.series)
				index[id] = i
				w.series = append(w.series, id)
			}
			builder := w.cells[first+int((row.At-w.minutes[first])/minute)]
			if err := builder.Add(concurrency.ChangeOf(row, i)); err != nil {
				return err
			}
			w.rows++
		}
		first = last + 1
	}
	return nil
}

func unknownTemplate(workflowID, id int64) error {
	return jobmon.Errorf(jobmon.CodeInternal, "the audit of workflow %d has rows of task template %d, of which it has no task",
		workflowID, id)
}

// sameNames returns for each template of a workflow the first one that has its name: together they are
// one series.
func sameNames(templates []store.TemplateName) map[int64]int64 {
	first := map[string]int64{}
	for _, t := range templates {
		if id, known := first[t.Name]; !known || t.ID < id {
			first[t.Name] = t.ID
		}
	}
	same := make(map[int64]int64, len(templates))
	for _, t := range templates {
		same[t.ID] = first[t.Name]
	}
	return same
}

func kindNames() []string {
	var names []string
	for _, kind := range concurrency.Kinds() {
		names = append(names, kind.Name)
	}
	return names
}

// write stores the cells in place of the marks.
func (w *work) write(ctx context.Context, tx store.UpkeepTx) error {
	horizon, err := tx.LockHorizon(ctx, w.workflowID)
	if err != nil {
		return err
	}
	deleted, err := tx.DeleteMarks(ctx, w.marks)
	if err != nil {
		return err
	}
	if deleted < int64(len(w.marks)) {
		// Another has summed these minutes up meanwhile, perhaps of more rows than were read here.
		return errOvertaken
	}
	if w.minutes[0] < horizon.RowsFrom {
		return jobmon.Errorf(jobmon.CodeInternal,
			"workflow %d has marks before %s, where its rows are removed; they are left alone", w.workflowID, text(horizon.RowsFrom))
	}
	l := &loader{tx: tx, workflowID: w.workflowID, rowsFrom: horizon.RowsFrom, same: w.same}
	changed, err := w.change(ctx, l)
	w.remade = l.damaged
	if err != nil || len(changed) == 0 {
		return err
	}
	if err := l.markAgain(ctx, tx); err != nil {
		return err
	}
	horizon.Generation++
	for i := range changed {
		changed[i].Generation = horizon.Generation
	}
	if err := tx.SaveBlocks(ctx, changed); err != nil {
		return err
	}
	return tx.SaveHorizon(ctx, horizon)
}

// change returns the blocks that are others with the new cells in them: of the minutes, and of every
// coarser tier.
func (w *work) change(ctx context.Context, l *loader) ([]store.Block, error) {
	tiers := concurrency.Tiers()
	var keys []store.BlockRange
	for _, tier := range tiers {
		start := tier.BlockStart(w.from)
		keys = append(keys, store.BlockRange{Width: tier.Width, From: start, Before: start + 1})
	}
	if err := l.load(ctx, keys); err != nil {
		return nil, err
	}
	var changed []store.Block
	for k, kind := range concurrency.Kinds() {
		finer, err := w.changeMinutes(l, k, kind)
		if err != nil {
			return nil, err
		}
		if finer == nil {
			continue
		}
		l.keep(finer)
		data, differs := finer.encode()
		if differs {
			changed = append(changed, store.Block{BlockKey: finer.key, Cells: data})
		}
		for t, tier := range tiers[1:kind.Tiers] {
			block, err := l.block(ctx, kind.Name, t+1, tier.BlockStart(w.from))
			if err != nil {
				return nil, err
			}
			for _, cell := range cellsOf(tier, w.minutes) {
				if err := block.sum(tier, cell, finer); err != nil {
					return nil, err
				}
			}
			data, another := block.encode()
			// Where a finer cell has changed, its generation has to show in every tier.
			if differs = differs || another; differs {
				changed = append(changed, store.Block{BlockKey: block.key, Cells: data})
			}
			finer = block
		}
	}
	return changed, nil
}

// changeMinutes puts the new cells of a kind into the block of the hour. It returns no block when there is
// none and nothing to put into one.
func (w *work) changeMinutes(l *loader, k int, kind concurrency.Kind) (*loaded, error) {
	tier := concurrency.Tiers()[0]
	var block *loaded
	if l.has(kind.Name, 0, w.from) {
		var err error
		if block, err = l.minutes(kind.Name, w.from, len(w.minutes) == tier.Cells); err != nil {
			return nil, err
		}
	}
	for i, builder := range w.cells {
		entries := builder.Entries(k)
		if len(entries) == 0 && block == nil {
			continue
		}
		if block == nil {
			block = l.fresh(kind.Name, 0, w.from)
		}
		for e := range entries {
			if series := entries[e].Series; series != concurrency.Total {
				entries[e].Series = block.cells.Index(w.id(kind, series))
			}
		}
		block.cells.Put(tier.Cell(w.minutes[i]), entries)
	}
	return block, nil
}

// id returns the id under which blocks of a kind know a series.
func (w *work) id(kind concurrency.Kind, series int) int64 {
	of, class := kind.Of(int64(series))
	return kind.Series(w.series[of], class)
}

// cellsOf returns the first instants of the cells of a tier that contain minutes, each once.
func cellsOf(tier concurrency.Tier, minutes []int64) []int64 {
	var cells []int64
	for _, at := range minutes {
		if start := at - at%tier.Width; !slices.Contains(cells, start) {
			cells = append(cells, start)
		}
	}
	return cells
}

func text(at int64) string { return time.UnixMicro(at).UTC().Format(time.RFC3339) }
