package upkeep

import (
	"context"
	"fmt"
	"maps"
	"math"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// busyHours returns the hours in [from, to) of a workflow on whose days there are rows or cells; from is a
// whole hour.
func busyHours(ctx context.Context, db store.Reader, workflowID, from, to int64) ([]int64, error) {
	var hours []int64
	for from < to {
		end := min(from-from%day+day, to)
		is, err := busy(ctx, db, workflowID, from, end)
		if err != nil {
			return nil, err
		}
		for ; from < end; from += hour {
			if is {
				hours = append(hours, from)
			}
		}
	}
	return hours, nil
}

// busy reports whether there are rows in [from, to), or blocks of cells begin there.
func busy(ctx context.Context, db store.Reader, workflowID, from, to int64) (is bool, err error) {
	err = db.View(ctx, func(ctx context.Context, snapshot store.Snapshot) error {
		rows, err := snapshot.CountTransitions(ctx, store.TransitionFilter{WorkflowID: workflowID, From: from, Before: to}, 1)
		if err != nil || rows > 0 {
			is = rows > 0
			return err
		}
		var ranges []store.BlockRange
		for _, tier := range concurrency.Tiers() {
			ranges = append(ranges, store.BlockRange{Width: tier.Width, From: from, Before: to})
		}
		generation, err := snapshot.BlockGeneration(ctx, store.BlockFilter{WorkflowID: workflowID, Kinds: kindNames(), Ranges: ranges})
		is = generation > 0
		return err
	})
	return is, err
}

// span is a block of a coarser tier.
type span struct {
	tier  int
	start int64
}

// coarseSpansOf returns the blocks of coarser tiers that hours are in.
func coarseSpansOf(hours []int64) []span {
	var spans []span
	for t, tier := range concurrency.Tiers() {
		for _, at := range hours {
			s := span{t, tier.BlockStart(at)}
			if n := len(spans); t > 0 && (n == 0 || spans[n-1] != s) {
				spans = append(spans, s)
			}
		}
	}
	return spans
}

// cells is what happens in a span, by the series' ids; that of all together is under [everything].
type cells map[int64]concurrency.Cell

// everything is no task template's id.
const everything = 0

// cellsIn returns the cells of a block that was loaded, or none where there is no block.
func cellsIn(block *loaded, i int) (cells, error) {
	entries, err := block.cells.Append(nil, i)
	ids := block.cells.Series()
	return cellsBy(entries, func(series int) int64 { return ids[series] }), err
}

func cellsBy(entries []concurrency.Entry, idOf func(series int) int64) cells {
	found := make(cells, len(entries))
	for _, e := range entries {
		id := int64(everything)
		if e.Series != concurrency.Total {
			id = idOf(e.Series)
		}
		found[id] = e.Cell
	}
	return found
}

// hour compares the minutes of an hour with their rows, but for those that are marked. Where the rows are
// removed, all that can be seen is whether the blocks are whole.
func (r *Report) hour(ctx context.Context, snapshot store.Snapshot, workflowID, from int64) error {
	horizon, err := snapshot.Horizon(ctx, workflowID)
	if err != nil || from < horizon.DataFrom {
		return err
	}
	l, marked, err := r.load(ctx, snapshot, workflowID, from, from+hour, store.BlockRange{Width: minute, From: from, Before: from + 1})
	if err != nil {
		return err
	}
	var whole []*loaded // by kind; nil where it is not
	for _, kind := range concurrency.Kinds() {
		block := l.decode(kind.Name, 0, from)
		if block == nil {
			r.fault(Defect{WorkflowID: workflowID, At: from, What: kind.Name + ": the block of minutes is damaged"})
		}
		whole = append(whole, block)
	}
	if from < horizon.RowsFrom {
		return nil
	}
	w := &work{workflowID: workflowID, same: l.same}
	w.minutes = minutesOf(from)
	if err := w.build(ctx, snapshot); err != nil {
		if jobmon.ErrorCode(err) == jobmon.CodeInternal {
			r.fault(Defect{WorkflowID: workflowID, At: from, What: err.Error()})
			return nil
		}
		return err
	}
	for k, kind := range concurrency.Kinds() {
		block := whole[k]
		if block == nil {
			continue
		}
		for i, at := range w.minutes {
			if marked[at] {
				continue
			}
			stored, err := cellsIn(block, i)
			if err != nil {
				return err
			}
			r.same(workflowID, at, kind.Name+": the cells of a minute and its rows tell different things", stored,
				cellsBy(w.cells[i].Entries(k), func(series int) int64 { return w.id(kind, series) }))
		}
	}
	return nil
}

// same finds a fault when cells are not those that are wanted.
func (r *Report) same(workflowID, at int64, what string, stored, wanted cells) {
	r.Cells += int64(max(len(stored), len(wanted)))
	if !maps.Equal(stored, wanted) {
		r.fault(Defect{WorkflowID: workflowID, At: at, What: what})
	}
}

// load reads the blocks in ranges, and which minutes of a span are marked.
func (r *Report) load(
	ctx context.Context, snapshot store.Snapshot, workflowID, from, to int64, ranges ...store.BlockRange,
) (*loader, map[int64]bool, error) {
	marks, err := snapshot.Marks(ctx, store.MarkFilter{WorkflowID: workflowID, From: from, Before: to})
	if err != nil {
		return nil, nil, err
	}
	marked := make(map[int64]bool, len(marks))
	for _, mark := range marks {
		marked[mark.Minute] = true
	}
	l, err := newLoader(ctx, snapshot, workflowID, 0, ranges...)
	return l, marked, err
}

// coarse compares the cells of a block with the finer ones that they are made of, but for those in which a
// minute is marked or which are removed.
func (r *Report) coarse(ctx context.Context, snapshot store.Snapshot, workflowID int64, s span) error {
	horizon, err := snapshot.Horizon(ctx, workflowID)
	if err != nil {
		return err
	}
	tier, fine := concurrency.Tiers()[s.tier], concurrency.Tiers()[s.tier-1]
	end := s.start + tier.BlockLength()
	l, marked, err := r.load(ctx, snapshot, workflowID, s.start, end,
		store.BlockRange{Width: tier.Width, From: s.start, Before: s.start + 1},
		store.BlockRange{Width: fine.Width, From: s.start, Before: end})
	if err != nil {
		return err
	}
	dirty := map[int64]bool{}
	for at := range marked {
		dirty[at-at%tier.Width] = true
	}
	there := map[string]bool{}
	for key := range l.stored {
		there[key.Kind] = true
	}
	for _, kind := range concurrency.Kinds() {
		if !there[kind.Name] || s.tier >= kind.Tiers {
			continue
		}
		block := l.decode(kind.Name, s.tier, s.start)
		if block == nil {
			what := fmt.Sprintf("%s: a block of cells of %d minutes is damaged", kind.Name, tier.Width/minute)
			r.fault(Defect{WorkflowID: workflowID, At: s.start, What: what})
			continue
		}
		if err := r.coarseCells(l, block, horizon, s, dirty); err != nil {
			return err
		}
	}
	return nil
}

func (r *Report) coarseCells(l *loader, block *loaded, horizon store.Horizon, s span, dirty map[int64]bool) error {
	tier, fine := concurrency.Tiers()[s.tier], concurrency.Tiers()[s.tier-1]
	var finer *loaded
	sum := l.fresh(block.key.Kind, s.tier, s.start)
	for i := range tier.Cells {
		at := s.start + int64(i)*tier.Width
		if i == 0 || at == fine.BlockStart(at) {
			finer = l.decode(block.key.Kind, s.tier-1, at)
		}
		if finer == nil { // a defect of the finer tier
			continue
		}
		if dirty[at] || at < horizon.DataFrom {
			continue
		}
		if err := sum.sum(tier, at, finer); err != nil {
			return err
		}
		stored, err := cellsIn(block, i)
		if err != nil {
			return err
		}
		wanted, err := cellsIn(sum, i)
		if err != nil {
			return err
		}
		r.same(l.workflowID, at, fmt.Sprintf("%s: a cell of %d minutes and the finer ones tell different things",
			block.key.Kind, tier.Width/minute), stored, wanted)
	}
	return nil
}

// outside checks that there are no cells before a workflow's first transition and after its last.
func (r *Report) outside(ctx context.Context, snapshot store.Snapshot, workflowID int64) error {
	w, err := snapshot.Workflow(ctx, workflowID)
	if err != nil {
		return err
	}
	var ranges []store.BlockRange
	for _, tier := range concurrency.Tiers() {
		ranges = append(ranges,
			store.BlockRange{Width: tier.Width, Before: tier.BlockStart(w.FirstAt)},
			store.BlockRange{Width: tier.Width, From: w.LastAt + 1, Before: math.MaxInt64})
	}
	generation, err := snapshot.BlockGeneration(ctx, store.BlockFilter{WorkflowID: workflowID, Kinds: kindNames(), Ranges: ranges})
	if err == nil && generation > 0 {
		r.fault(Defect{WorkflowID: workflowID, What: "there are cells before the first transition or after the last"})
	}
	return err
}

// ahead checks that nothing is said to be removed up to an instant in the future.
func (r *Report) ahead(ctx context.Context, snapshot store.Snapshot, workflowID int64) error {
	now, err := snapshot.Now(ctx)
	if err != nil {
		return err
	}
	horizon, err := snapshot.Horizon(ctx, workflowID)
	if at := max(horizon.RowsFrom, horizon.DataFrom); err == nil && at > now {
		r.fault(Defect{WorkflowID: workflowID, At: at, What: "up to this instant, which is in the future, rows are said to be removed; " +
			"if the database's clock is wrong, set it right; if it is right, run tasktide retention recover"})
	}
	return err
}

// removed checks that what was removed of a workflow is still known in sum.
func (r *Report) removed(ctx context.Context, snapshot store.Snapshot, workflowID int64) error {
	horizon, err := snapshot.Horizon(ctx, workflowID)
	if err != nil || horizon.DataFrom == 0 {
		return err
	}
	l, _, err := r.load(ctx, snapshot, workflowID, 0, 0, store.BlockRange{Width: 0, Before: 1})
	if err != nil {
		return err
	}
	for _, kind := range concurrency.Kinds() {
		if horizon.RunsLost && (kind.Retries || kind == concurrency.Runs) {
			continue
		}
		key := store.BlockKey{WorkflowID: workflowID, Kind: kind.Name}
		_, err := l.removed(key)
		if _, has := l.stored[key]; !has || err != nil {
			r.fault(Defect{WorkflowID: workflowID, What: kind.Name + ": the sum of what was removed is missing or damaged"})
		}
	}
	return nil
}
