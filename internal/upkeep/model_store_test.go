package upkeep_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// contents is all that is committed in a database with one workflow. It is never changed, so it is its own
// snapshot.
type contents struct {
	store.Snapshot // nil: a question that is not answered below panics

	number  int // the same exactly when all else is
	now     int64
	rows    []jobmon.Transition // by id
	marks   []store.Mark        // by id
	blocks  map[store.BlockKey]store.Block
	horizon store.Horizon
}

const modelWorkflow = 7

// Two of the templates share a name, and are one series.
var modelTemplates = []store.TemplateName{{ID: 1, Name: "a"}, {ID: 3, Name: "a"}, {ID: 2, Name: "b"}}

// View implements [store.Reader].
func (c *contents) View(ctx context.Context, read func(ctx context.Context, snapshot store.Snapshot) error) error {
	return read(ctx, c)
}

func (c *contents) Now(context.Context) (int64, error) { return c.now, nil }

func (c *contents) Workflow(_ context.Context, id int64) (store.WorkflowInfo, error) {
	return store.WorkflowInfo{Workflow: store.Workflow{ID: id}}, nil
}

func (c *contents) TemplateNames(context.Context, int64) ([]store.TemplateName, error) {
	return modelTemplates, nil
}

func (c *contents) matching(filter store.TransitionFilter) []jobmon.Transition {
	var found []jobmon.Transition
	for _, row := range c.rows {
		if row.At >= filter.From && row.At < filter.Before && (len(filter.Statuses) == 0 ||
			slices.Contains(filter.Statuses, row.From) || slices.Contains(filter.Statuses, row.To)) {
			found = append(found, row)
		}
	}
	slices.SortStableFunc(found, func(a, b jobmon.Transition) int { return cmp.Compare(a.At, b.At) })
	return found
}

func (c *contents) CountTransitions(_ context.Context, filter store.TransitionFilter, most int64) (int64, error) {
	return min(int64(len(c.matching(filter))), most), nil
}

func (c *contents) SumTransitions(_ context.Context, filter store.TransitionFilter) ([]store.TransitionCount, error) {
	var sums []store.TransitionCount
	for _, row := range c.matching(filter) {
		sums = append(sums, store.TransitionCount{TaskTemplateID: row.TaskTemplateID, From: row.From, To: row.To, Count: 1})
	}
	return sums, nil
}

func (c *contents) Changes(_ context.Context, filter store.TransitionFilter) iter.Seq2[jobmon.Transition, error] {
	return yielded(c.matching(filter))
}

func yielded(rows []jobmon.Transition) iter.Seq2[jobmon.Transition, error] {
	return func(yield func(jobmon.Transition, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

func (c *contents) Horizon(context.Context, int64) (store.Horizon, error) { return c.horizon, nil }

func (c *contents) Marks(_ context.Context, filter store.MarkFilter) ([]store.Mark, error) {
	found := slices.DeleteFunc(slices.Clone(c.marks), func(m store.Mark) bool {
		return m.Minute < filter.From || m.Minute >= filter.Before
	})
	slices.SortStableFunc(found, func(a, b store.Mark) int { return cmp.Compare(a.Minute, b.Minute) })
	return found, nil
}

func (c *contents) NextMarked(_ context.Context, after int64) (workflowID, minute int64, err error) {
	if len(c.marks) == 0 || after >= modelWorkflow {
		return 0, 0, nil
	}
	first := slices.MinFunc(c.marks, func(a, b store.Mark) int { return cmp.Compare(a.Minute, b.Minute) })
	return modelWorkflow, first.Minute, nil
}

func (c *contents) Blocks(_ context.Context, filter store.BlockFilter) ([]store.Block, error) {
	var found []store.Block
	for key, block := range c.blocks {
		if slices.Contains(filter.Kinds, key.Kind) && slices.ContainsFunc(filter.Ranges, func(r store.BlockRange) bool {
			return r.Width == key.Width && r.From <= key.Start && key.Start < r.Before
		}) {
			found = append(found, block)
		}
	}
	slices.SortFunc(found, byKey)
	return found, nil
}

func byKey(a, b store.Block) int {
	return cmp.Or(cmp.Compare(a.Width, b.Width), cmp.Compare(a.Start, b.Start), cmp.Compare(a.Kind, b.Kind))
}

func (c *contents) BlockGeneration(ctx context.Context, filter store.BlockFilter) (newest int64, err error) {
	blocks, err := c.Blocks(ctx, filter)
	for _, block := range blocks {
		newest = max(newest, block.Generation)
	}
	return newest, err
}

func (c *contents) Limits(context.Context, int64) ([]store.Limit, error) { return nil, nil }

// key is the same for the same contents.
func (c *contents) key() string {
	return fmt.Sprintln(c.now, c.rows, c.marks, c.horizon) + digest(slices.SortedFunc(maps.Values(c.blocks), byKey))
}

// digest is the same for the same answers.
func digest(answer any) string {
	blocks, many := answer.([]store.Block)
	if !many {
		return fmt.Sprint(answer)
	}
	var text strings.Builder
	for _, b := range blocks {
		fmt.Fprint(&text, b.Kind, b.Width, b.Start, b.Generation)
		text.Write(b.Cells)
	}
	return text.String()
}

// writes is what an open transaction has written. It is replaced, never changed.
type writes struct {
	rows    []jobmon.Transition
	marks   []store.Mark
	deleted []int64 // ids of marks
	blocks  []store.Block
	horizon *store.Horizon
	locked  bool
}

// with returns what the database is with a transaction's writes.
func (c *contents) with(tx *writes) *contents {
	if tx == nil {
		return c
	}
	changed := *c
	changed.rows = slices.SortedFunc(slices.Values(slices.Concat(c.rows, tx.rows)), func(a, b jobmon.Transition) int { return cmp.Compare(a.ID, b.ID) })
	changed.marks = slices.DeleteFunc(slices.Concat(c.marks, tx.marks), func(m store.Mark) bool { return slices.Contains(tx.deleted, m.ID) })
	slices.SortFunc(changed.marks, func(a, b store.Mark) int { return cmp.Compare(a.ID, b.ID) })
	if len(tx.blocks) > 0 {
		changed.blocks = maps.Clone(c.blocks)
		for _, block := range tx.blocks {
			changed.blocks[block.BlockKey] = block
		}
	}
	if tx.horizon != nil {
		changed.horizon = *tx.horizon
	}
	return &changed
}

// operation is one thing that an actor does to the database.
type operation struct {
	name string
	// alone says that only its actor can tell when it is done, so that it is done together with what
	// came before it: every other order of it and of what others do leads to the same.
	alone bool
	// ends says that it is a commit, which may fail.
	ends bool
	// ready tells whether it need not wait for others; nil means never.
	ready func(s *state, who int) bool
	do    func(w *walker, s *state, who int) any
}

// paused is how an actor stops at an operation that has no answer yet.
type paused struct{ operation }

// player is the database as an actor sees it. It plays the answers that the actor was given so far, and
// stops the actor at the first operation that has none and is not done at once.
type player struct {
	answers []*point
	alone   func(o operation) any // does what is done at once
	scene   *scene
	apart   bool // questions of one View are answered as of when they are asked, and not from one snapshot
}

func (p *player) next(o operation) any {
	if len(p.answers) == 0 {
		if o.alone {
			return p.alone(o)
		}
		panic(paused{o})
	}
	answered := p.answers[0]
	if answered.from.operation.name != o.name {
		panic(fmt.Sprintf("the actor is not determined by what it was told: %s was %s before", o.name, answered.from.operation.name))
	}
	p.answers = p.answers[1:]
	return answered.answer
}

// errRefused is what the database says when it undoes a transaction instead of committing it.
var errRefused = errors.New("refused")

func (p *player) commit() error {
	answer := p.next(operation{name: "commits", ends: true, do: func(w *walker, s *state, who int) any {
		w.commit(s, s.committed.with(s.actors[who].tx))
		s.actors[who].tx = nil
		return nil
	}})
	if answer == nil {
		return nil
	}
	return errRefused
}

// View implements [store.Reader].
func (p *player) View(ctx context.Context, read func(ctx context.Context, snapshot store.Snapshot) error) error {
	p.next(operation{name: "begins to read", do: func(_ *walker, s *state, who int) any {
		s.actors[who].snapshot = s.committed
		return nil
	}})
	err := read(ctx, view{player: p, apart: p.apart})
	p.next(operation{name: "has read", alone: true, do: func(_ *walker, s *state, who int) any {
		s.actors[who].snapshot = nil
		return nil
	}})
	return err
}

// Maintain implements [store.Upkeeper]: as promised there, a transaction that the database refuses is run
// again.
func (p *player) Maintain(ctx context.Context, change func(ctx context.Context, tx store.UpkeepTx) error) error {
	for {
		var tx store.UpkeepTx = upkeepTx{view{player: p, apart: true}}
		if p.scene.flaw != nil {
			tx = p.scene.flaw(upkeepTx{view{player: p, apart: true}})
		}
		if err := change(ctx, tx); err != nil {
			p.next(operation{name: "rolls back", alone: true, do: func(_ *walker, s *state, who int) any {
				s.actors[who].tx = nil
				return nil
			}})
			return err
		}
		if p.commit() == nil {
			return nil
		}
	}
}

// write is a writer's transaction: it takes the ids of its rows and marks at one step and commits at another.
func (p *player) write(rows []jobmon.Transition) error {
	p.next(operation{name: "inserts rows", do: func(_ *walker, s *state, who int) any {
		tx := &writes{}
		visible, unique := s.committed, p.scene.uniqueMarks
		for _, row := range rows {
			s.rowID++
			row.ID = s.rowID
			tx.rows = append(tx.rows, row)
			at := row.At - row.At%minute
			of := func(m store.Mark) bool { return m.Minute == at }
			if slices.ContainsFunc(tx.marks, of) || unique && slices.ContainsFunc(visible.marks, of) {
				continue
			}
			s.minutes = append(slices.Clip(s.minutes), at)
			tx.marks = append(tx.marks, store.Mark{ID: int64(len(s.minutes)), Minute: at})
		}
		s.actors[who].tx = tx
		return fmt.Sprint(tx.rows[0].ID, tx.marks)
	}})
	return p.commit()
}

// view answers questions: those of a transaction that reads from its snapshot, and, when they are asked
// apart, each as of when it is asked, with what the transaction itself has written.
type view struct {
	store.Snapshot // nil, as in contents

	player *player
	apart  bool
}

func ask[T any](v view, name string, answer func(c *contents) T) T {
	return v.player.next(operation{name: "asks for " + name, alone: !v.apart, do: func(_ *walker, s *state, who int) any {
		if v.apart {
			return answer(s.committed.with(s.actors[who].tx))
		}
		return answer(s.actors[who].snapshot)
	}}).(T)
}

// sure is the answer of a question to contents, which never fails.
func sure[T any](answer T, err error) T {
	if err != nil {
		panic(err)
	}
	return answer
}

func (v view) Now(ctx context.Context) (int64, error) {
	return ask(v, "the time", func(c *contents) int64 { return sure(c.Now(ctx)) }), nil
}

func (v view) Workflow(ctx context.Context, id int64) (store.WorkflowInfo, error) {
	return ask(v, "the workflow", func(c *contents) store.WorkflowInfo { return sure(c.Workflow(ctx, id)) }), nil
}

func (v view) TemplateNames(ctx context.Context, id int64) ([]store.TemplateName, error) {
	return ask(v, "templates", func(c *contents) []store.TemplateName { return sure(c.TemplateNames(ctx, id)) }), nil
}

func (v view) CountTransitions(ctx context.Context, filter store.TransitionFilter, most int64) (int64, error) {
	return ask(v, "the number of rows", func(c *contents) int64 { return sure(c.CountTransitions(ctx, filter, most)) }), nil
}

func (v view) SumTransitions(ctx context.Context, filter store.TransitionFilter) ([]store.TransitionCount, error) {
	return ask(v, "sums of rows", func(c *contents) []store.TransitionCount { return sure(c.SumTransitions(ctx, filter)) }), nil
}

func (v view) Changes(_ context.Context, filter store.TransitionFilter) iter.Seq2[jobmon.Transition, error] {
	return yielded(ask(v, "rows", func(c *contents) []jobmon.Transition { return c.matching(filter) }))
}

func (v view) Horizon(ctx context.Context, id int64) (store.Horizon, error) {
	return ask(v, "the horizon", func(c *contents) store.Horizon { return sure(c.Horizon(ctx, id)) }), nil
}

func (v view) Marks(ctx context.Context, filter store.MarkFilter) ([]store.Mark, error) {
	return ask(v, "marks", func(c *contents) []store.Mark { return sure(c.Marks(ctx, filter)) }), nil
}

func (v view) NextMarked(ctx context.Context, after int64) (workflowID, minute int64, err error) {
	next := ask(v, "the first mark", func(c *contents) [2]int64 {
		id, minute, _ := c.NextMarked(ctx, after)
		return [2]int64{id, minute}
	})
	return next[0], next[1], nil
}

func (v view) Blocks(ctx context.Context, filter store.BlockFilter) ([]store.Block, error) {
	return ask(v, "blocks", func(c *contents) []store.Block { return sure(c.Blocks(ctx, filter)) }), nil
}

func (v view) BlockGeneration(ctx context.Context, filter store.BlockFilter) (int64, error) {
	return ask(v, "the generation", func(c *contents) int64 { return sure(c.BlockGeneration(ctx, filter)) }), nil
}

func (v view) Limits(ctx context.Context, id int64) ([]store.Limit, error) {
	return ask(v, "limits", func(c *contents) []store.Limit { return sure(c.Limits(ctx, id)) }), nil
}

// upkeepTx is a transaction at READ COMMITTED: nobody else sees what it writes before it commits.
type upkeepTx struct{ view }

// put adds to what the transaction has written.
func (tx upkeepTx) put(name string, add func(s *state, own *writes)) {
	tx.player.next(operation{name: name, alone: true, do: func(_ *walker, s *state, who int) any {
		add(s, s.own(who))
		return nil
	}})
}

func (tx upkeepTx) LockHorizon(ctx context.Context, id int64) (store.Horizon, error) {
	return tx.player.next(operation{
		name: "locks the horizon",
		ready: func(s *state, who int) bool {
			return !s.another(who, func(other *writes) bool { return other.locked })
		},
		do: func(_ *walker, s *state, who int) any {
			own := s.own(who)
			own.locked = true
			return sure(s.committed.with(own).Horizon(ctx, id))
		},
	}).(store.Horizon), nil
}

func (tx upkeepTx) SaveHorizon(_ context.Context, horizon store.Horizon) error {
	tx.put("saves the horizon", func(_ *state, own *writes) { own.horizon = &horizon })
	return nil
}

func (tx upkeepTx) AddMarks(_ context.Context, _ int64, minutes []int64) error {
	tx.player.next(operation{name: "adds marks", do: func(_ *walker, s *state, who int) any {
		own, first := s.own(who), len(s.minutes)
		for _, at := range minutes {
			s.minutes = append(slices.Clip(s.minutes), at-at%minute)
			own.marks = append(slices.Clip(own.marks), store.Mark{ID: int64(len(s.minutes)), Minute: at - at%minute})
		}
		return first
	}})
	return nil
}

func (tx upkeepTx) DeleteMarks(_ context.Context, ids []int64) (int64, error) {
	return tx.deleteWhere(func(_ *state, m store.Mark) bool { return slices.Contains(ids, m.ID) }), nil
}

// deleteWhere waits while another transaction has deleted one of the marks and may yet keep them all.
func (tx upkeepTx) deleteWhere(which func(s *state, m store.Mark) bool) int64 {
	deleted := tx.player.next(operation{
		name: "deletes marks",
		ready: func(s *state, who int) bool {
			return !s.another(who, func(other *writes) bool {
				return slices.ContainsFunc(s.committed.marks, func(m store.Mark) bool { return which(s, m) && slices.Contains(other.deleted, m.ID) })
			})
		},
		do: func(_ *walker, s *state, who int) any {
			own := s.own(who)
			var ids []int64
			for _, m := range s.committed.with(own).marks {
				if which(s, m) {
					ids = append(ids, m.ID)
				}
			}
			own.deleted = slices.Concat(own.deleted, ids)
			return ids
		},
	}).([]int64)
	return int64(len(deleted))
}

func (tx upkeepTx) SaveBlocks(_ context.Context, blocks []store.Block) error {
	tx.put("saves blocks", func(_ *state, own *writes) { own.blocks = slices.Concat(own.blocks, blocks) })
	return nil
}

func (tx upkeepTx) LockRetentionClock(context.Context) (store.RetentionClock, error) {
	panic("retention does not pass here")
}

func (tx upkeepTx) SaveRetentionClock(context.Context, store.RetentionClock) error {
	panic("retention does not pass here")
}

func (tx upkeepTx) DeleteBlocks(context.Context, int64, []store.BlockRange) error {
	panic("nobody deletes blocks here")
}

func (tx upkeepTx) DeleteTransitions(context.Context, store.TransitionFilter, int) (int64, error) {
	panic("nobody deletes rows here")
}
