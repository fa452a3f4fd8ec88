package timeline

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// question is a request with everything about its workflow that the answer depends on.
type question struct {
	workflow  store.WorkflowInfo
	window    concurrency.Window
	now       int64
	statuses  concurrency.StatusSet
	templates []store.TemplateName // of the workflow
	series    seriesOf
	all       seriesOf // of every template
	horizon   store.Horizon
	marks     []store.Mark // before the window's end
	limits    []store.Limit
	kinds     []string              // whose cells together tell of the statuses
	rowsOf    concurrency.StatusSet // whose rows are read too
	// split says that attempts after the first are counted once more, each series in a part of its own.
	split bool
	// tier is where the window is read from at best: the coarsest cells that are within its buckets, or
	// rows, also when cells do not give everything that is asked for.
	tier  int
	plan  *plan
	found *damage
}

// until returns the first instant of which the answer says nothing: what happens now is known.
func (q *question) until() int64 { return min(q.window.End(), q.now+1) }

// kindsOf returns the kinds whose levels add up to that of a set, or, where these have any, to that of its tasks at
// attempts after the first.
func kindsOf(set concurrency.StatusSet, retries bool) []string {
	if kind, one := concurrency.KindOf(set, retries); one {
		return []string{kind.Name}
	}
	var names []string
	for _, status := range set.Statuses() {
		if kind, has := concurrency.KindOf(concurrency.Of(status), retries); has {
			names = append(names, kind.Name)
		}
	}
	return names
}

// kindsRead returns the kinds whose cells are read.
func (q *question) kindsRead() []string {
	if !q.split {
		return q.kinds
	}
	return slices.Concat(q.kinds, kindsOf(q.statuses, true))
}

// reading answers a question out of a snapshot.
type reading struct {
	*question

	snapshot store.Snapshot
	counter  counter
	blocks   map[store.BlockKey][]*decoded
	rows     int64 // that may still be read

	cells []concurrency.Entry
	merge []concurrency.Cell // by series, that of all together last
}

// decoded is a block, what it is about, and the series of the answer that each of its own is, or -1.
type decoded struct {
	*concurrency.Block

	kind   concurrency.Kind
	series []int
}

// counter is what a reading tells all that it reads: levels before the window, then what happens in it in
// the order of the instants.
type counter interface {
	CarryLevel(series int, delta int64) error
	AddCells(at, length int64, entries []concurrency.Entry) error
	Add(c concurrency.Change) error
}

// read tells a counter what a question is about. It asks for another one, and begins anew, when a block is
// damaged on which it had counted.
func read(ctx context.Context, snapshot store.Snapshot, q *question, begin func() counter) error {
	for {
		carried := q.plan.cover(nil, q.horizon.DataFrom, min(q.window.Start, q.until()), coarsest())
		// A cell tells of all of its span, so one that is not over at now is of no use.
		within := q.plan.cover(nil, q.window.Start, min(q.window.End(), q.now), q.tier)
		if q.now >= q.window.Start && q.now < q.window.End() {
			within = add(within, piece{fromRows, q.now, q.now + 1})
		}
		carried, within = join(carried, q.horizon.RowsFrom), join(within, q.horizon.RowsFrom)
		r, whole, err := q.fetch(ctx, snapshot, slices.Concat(carried, within))
		if err != nil {
			return err
		}
		if whole {
			r.counter, r.merge = begin(), make([]concurrency.Cell, q.series.count()+q.partSeries()+1)
			return r.count(ctx, carried, within)
		}
	}
}

// coarsest is the tier of the widest cells.
func coarsest() int { return len(concurrency.Tiers()) - 1 }

// fetch begins a reading of pieces. It is not whole when a block is damaged, without which the question has to
// be planned anew.
func (q *question) fetch(ctx context.Context, snapshot store.Snapshot, pieces []piece) (r *reading, whole bool, err error) {
	r = &reading{question: q, snapshot: snapshot, rows: MaxTransitions}
	damaged, err := r.fetch(ctx, pieces)
	for _, key := range damaged {
		*q.found = append(*q.found, key)
		if key.Width == 0 {
			return nil, false, jobmon.Errorf(jobmon.CodeInternal,
				"the sums of what was removed from workflow %d are damaged, and there is nothing to make them from again", q.workflow.ID)
		}
		q.plan.damaged[store.BlockKey{Width: key.Width, Start: key.Start}] = true
	}
	return r, len(damaged) == 0, err
}

// fetch reads the blocks that pieces need, and those with what was removed. It returns those that are damaged.
func (r *reading) fetch(ctx context.Context, pieces []piece) (damaged damage, err error) {
	needed := ranges(pieces)
	if r.horizon.DataFrom > 0 {
		needed = append(needed, store.BlockRange{Width: 0, From: 0, Before: 1})
	}
	blocks, err := r.snapshot.Blocks(ctx, store.BlockFilter{WorkflowID: r.workflow.ID, Kinds: r.kindsRead(), Ranges: needed})
	if err != nil {
		return nil, err
	}
	r.blocks = make(map[store.BlockKey][]*decoded, len(blocks))
	for _, stored := range blocks {
		block, err := decode(stored)
		if err != nil {
			damaged = append(damaged, stored.BlockKey)
			continue
		}
		d := &decoded{Block: block, series: make([]int, len(block.Series()))}
		d.kind, _ = concurrency.KindNamed(stored.Kind) // no others are asked for
		for i, id := range block.Series() {
			template, _ := d.kind.Of(id)
			if d.series[i], err = r.series.of(template); err != nil {
				return nil, err
			}
			if r.split && d.kind.Retries && d.series[i] >= 0 {
				d.series[i] += r.series.count()
			}
		}
		key := store.BlockKey{Width: stored.Width, Start: stored.Start}
		r.blocks[key] = append(r.blocks[key], d)
	}
	return damaged, nil
}

func decode(stored store.Block) (*concurrency.Block, error) {
	tier, known := concurrency.TierOf(stored.Width)
	if !known {
		return nil, fmt.Errorf("there are no cells of %d microseconds", stored.Width)
	}
	return concurrency.DecodeBlock(stored.Cells, tier.Width, tier.Cells)
}

// count tells the counter: what was carried into the window as levels, then what happened in it.
func (r *reading) count(ctx context.Context, carried, within []piece) error {
	if err := r.carryCells(store.BlockKey{}, 0); err != nil {
		return err
	}
	for _, p := range carried {
		if err := r.carry(ctx, p); err != nil {
			return err
		}
	}
	for _, p := range within {
		var err error
		if p.tier == fromRows {
			err = r.addRows(ctx, p)
		} else {
			err = r.addCells(p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// eachCell goes through the cells of a piece, but for those of blocks that are not there.
func (r *reading) eachCell(p piece, do func(key store.BlockKey, cell int) error) error {
	tier := concurrency.Tiers()[p.tier]
	for at := p.from; at < p.to; {
		key := blockKey(p.tier, at)
		end := min(p.to, key.Start+tier.BlockLength())
		if len(r.blocks[key]) > 0 {
			for ; at < end; at += tier.Width {
				if err := do(key, tier.Cell(at)); err != nil {
					return err
				}
			}
		}
		at = end
	}
	return nil
}

// carry tells the counter what a piece before the window changed.
func (r *reading) carry(ctx context.Context, p piece) error {
	if p.tier != fromRows {
		return r.eachCell(p, r.carryCells)
	}
	filter := r.filter(p)
	if err := r.spend(ctx, filter); err != nil {
		return err
	}
	sums, err := r.snapshot.SumTransitions(ctx, filter)
	if err != nil {
		return err
	}
	for _, sum := range sums {
		series, err := r.series.of(sum.TaskTemplateID)
		if err != nil {
			return err
		}
		if series < 0 {
			continue
		}
		row := jobmon.Transition{From: sum.From, To: sum.To, Retry: sum.Retry}
		for _, c := range r.seen(concurrency.ChangeOf(row, series)) {
			if err := r.counter.CarryLevel(c.Series, sum.Count*r.statuses.Delta(c.From, c.To)); err != nil {
				return err
			}
		}
	}
	return nil
}

// carryCells tells the counter what one cell before the window changed.
func (r *reading) carryCells(key store.BlockKey, cell int) error {
	for _, block := range r.blocks[key] {
		var err error
		if r.cells, err = block.Append(r.cells[:0], cell); err != nil {
			return err
		}
		for _, entry := range r.cells {
			if entry.Series == concurrency.Total || block.series[entry.Series] < 0 {
				continue
			}
			if err := r.carryLevel(block.series[entry.Series], entry.Delta); err != nil {
				return err
			}
		}
	}
	return nil
}

// addCells tells the counter what cells of the window say.
func (r *reading) addCells(p piece) error {
	tier := concurrency.Tiers()[p.tier]
	for at := p.from; at < p.to; at += tier.Width {
		blocks := r.blocks[store.BlockKey{Width: tier.Width, Start: tier.BlockStart(at)}]
		var entries []concurrency.Entry
		var err error
		if len(blocks) == 1 && r.series.other == 0 {
			entries, err = r.one(blocks[0], tier.Cell(at))
		} else if len(blocks) > 0 {
			entries, err = r.several(blocks, tier.Cell(at))
		}
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			continue
		}
		if err := r.counter.AddCells(at, tier.Width, entries); err != nil {
			return err
		}
	}
	return nil
}

// one returns the cells of the series that are asked for, with that of all together if it is of these.
func (r *reading) one(block *decoded, cell int) ([]concurrency.Entry, error) {
	var err error
	if r.cells, err = block.Append(r.cells[:0], cell); err != nil {
		return nil, err
	}
	chosen := 0
	for i := range r.cells { // by index: an entry is long, and there are many
		entry := &r.cells[i]
		if entry.Series != concurrency.Total {
			if entry.Series = block.series[entry.Series]; entry.Series < 0 {
				continue
			}
		} else if r.series.some || block.kind.Retries {
			continue
		}
		if chosen < i {
			r.cells[chosen] = *entry
		}
		chosen++
	}
	return r.cells[:chosen], nil
}

// several adds up the cells of several kinds, and of several templates that are one series.
func (r *reading) several(blocks []*decoded, cell int) ([]concurrency.Entry, error) {
	clear(r.merge)
	last := len(r.merge) - 1
	for _, block := range blocks {
		chosen, err := r.one(block, cell)
		if err != nil {
			return nil, err
		}
		for _, entry := range chosen {
			sum := &r.merge[(entry.Series+len(r.merge))%len(r.merge)]
			if sum.Length == 0 {
				*sum = entry.Cell
			} else {
				*sum = sum.Beside(entry.Cell)
			}
		}
	}
	entries := r.cells[:0]
	for series, sum := range r.merge {
		if sum.Length == 0 {
			continue
		}
		if series == last {
			series = concurrency.Total
		}
		entries = append(entries, concurrency.Entry{Series: series, Cell: sum})
	}
	r.cells = entries
	return entries, nil
}

// addRows tells the counter of each change in a piece of the window.
func (r *reading) addRows(ctx context.Context, p piece) error {
	filter := r.filter(p)
	if err := r.spend(ctx, filter); err != nil {
		return err
	}
	for row, err := range r.snapshot.Changes(ctx, filter) {
		if err != nil {
			return err
		}
		if brief(filter) {
			if r.rows--; r.rows < 0 {
				return r.tooMany()
			}
		}
		series, err := r.series.of(row.TaskTemplateID)
		if err != nil {
			return err
		}
		if series < 0 {
			continue
		}
		if !r.split {
			if err := r.counter.Add(concurrency.ChangeOf(row, series)); err != nil {
				return err
			}
			continue
		}
		for _, c := range r.seen(concurrency.ChangeOf(row, series)) {
			if err := r.counter.Add(c); err != nil {
				return err
			}
		}
	}
	return nil
}

// filter selects those rows of a piece that change the level.
func (r *reading) filter(p piece) store.TransitionFilter {
	filter := store.TransitionFilter{WorkflowID: r.workflow.ID, From: p.from, Before: p.to}
	if statuses := r.statuses | r.rowsOf; statuses != concurrency.All {
		filter.Statuses = statuses.Statuses()
	}
	return filter
}

// spend returns an error when the rows of a piece are gone, or more than a request may make the database
// read.
func (r *reading) spend(ctx context.Context, filter store.TransitionFilter) error {
	if filter.From < r.horizon.RowsFrom {
		return r.removed(filter.From)
	}
	if brief(filter) {
		return nil // they are counted as they come
	}
	filter.Statuses = nil // those that are read over count too
	rows, err := r.snapshot.CountTransitions(ctx, filter, r.rows+1)
	if err != nil {
		return err
	}
	if r.rows -= rows; r.rows >= 0 {
		return nil
	}
	return r.tooMany()
}

// brief reports whether a span is so short that to count its rows first would take longer than it may save.
func brief(filter store.TransitionFilter) bool { return filter.Before-filter.From <= 2*minute }

func (r *reading) tooMany() error {
	if r.tier == fromRows {
		return jobmon.FieldErrorf("granularity", "%s", manyRows(r.workflow.ID))
	}
	return jobmon.Errorf(jobmon.CodeUnavailable,
		"workflow %d has more than %d transitions that are not summed up yet; try again when the roll-up has come further",
		r.workflow.ID, MaxTransitions)
}

func manyRows(workflowID int64) string {
	return fmt.Sprintf("workflow %d has more than %d transitions in this window, too many to read one by one; "+
		"ask for buckets of a minute or more, or a shorter window", workflowID, MaxTransitions)
}

// removed says why rows at an instant cannot be read any more.
func (r *reading) removed(at int64) error {
	if r.horizon.RowsFrom > r.now {
		return r.ahead(r.horizon.RowsFrom)
	}
	if at < r.window.Start-r.window.Start%minute || tierFor(r.window.Bucket) != fromRows {
		return jobmon.Errorf(jobmon.CodeInternal,
			"a part of what is known of workflow %d at %s is damaged, and the rows that it was made from are removed",
			r.workflow.ID, text(at))
	}
	return jobmon.FieldErrorf("granularity",
		"buckets finer than a minute can be had from rows_from, %s, on; ask for buckets of a minute or more, or a later start",
		text(r.horizon.RowsFrom))
}

// ahead says that transitions or cells are said to be removed up to an instant in the future.
func (q *question) ahead(at int64) error {
	return jobmon.Errorf(jobmon.CodeUnavailable,
		"the history of workflow %d is said to be removed up to %s, and the database's clock says %s: it is wrong, or was wrong before; "+
			"set it right, and then run tasktide retention recover", q.workflow.ID, text(at), text(q.now))
}

func text(at int64) string { return time.UnixMicro(at).UTC().Format(time.RFC3339) }
