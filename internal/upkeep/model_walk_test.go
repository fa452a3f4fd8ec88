package upkeep_test

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/timeline"
	"tasktide/internal/upkeep"
)

// This walks every order in which a few writers, roll-ups and readers can do what they do to a database,
// and holds every state that is ever committed against the promise that no row is outside both a mark and
// a block.
//
// An actor is the real code. What it does next is determined by what the database has answered it so far:
// it is run on these answers up to the next thing that it asks for. So the state of the whole is the
// contents of the database, what is not committed, and for each actor its answers; and two schedules that
// lead to the same state are followed from there on once, since they go on in the same ways.

// scene is a number of actors and what the database holds when they begin.
type scene struct {
	name     string
	rolled   []jobmon.Transition   // rows that are summed up
	marked   []jobmon.Transition   // rows that are not yet
	again    []int64               // minutes of the former that are marked once more
	writers  [][]jobmon.Transition // the rows of one transaction each
	workers  int                   // each makes one pass
	readers  int                   // each asks for ACTIVE by the minute
	repairs  bool                  // a block is damaged, and somebody has it repaired
	now      int64                 // the day after, unless it is set
	minutes  int                   // how many pass meanwhile
	crashes  int                   // how many actors end in the midst of something, at most
	refusals int                   // how many commits the database refuses, at most

	// What is wrong: to be found by the walk.
	flaw         func(tx upkeepTx) store.UpkeepTx
	uniqueMarks  bool // a writer adds no mark of a minute of which it sees one
	workersApart bool // each of a roll-up's questions is answered from a snapshot of its own
	readersApart bool // and each of a reader's
}

// program is what an actor does.
type program struct {
	name  string
	apart bool // each of its questions is answered from a snapshot of its own
	reads bool // its result is held against what there was since its begin
	run   func(ctx context.Context, p *player) (any, error)
	begin *point
}

// point is how far an actor has come: everything that it was told.
type point struct {
	number    int
	from      *point
	answer    any
	operation *operation // what it does next; nil when it has ended
	result    any
	err       error
	next      map[string]*point
}

type actor struct {
	*program

	at       *point
	tx       *writes     // nil when it has none open
	snapshot *contents   // while it reads
	seen     []*contents // by a reader, since its begin
	dead     bool
}

func (a *actor) ended() bool { return a.dead || a.at.operation == nil }

// state is what a schedule leads to.
type state struct {
	committed *contents
	rowID     int64   // the last that was given out
	minutes   []int64 // of every mark that was given an id, by this
	actors    []actor
	crashes   int // that there may still be
	refusals  int
}

// own returns what an actor's transaction has written, to be added to.
func (s *state) own(who int) *writes {
	own := &writes{}
	if tx := s.actors[who].tx; tx != nil {
		*own = *tx
	}
	s.actors[who].tx = own
	return own
}

// another reports whether something holds for the open transaction of another actor.
func (s *state) another(who int, holds func(tx *writes) bool) bool {
	for i, a := range s.actors {
		if i != who && a.tx != nil && holds(a.tx) {
			return true
		}
	}
	return false
}

// key is the same for the same states. What a transaction has written follows from where its actor is.
func (s *state) key() string {
	var key []byte
	add := func(number int) { key = binary.AppendVarint(key, int64(number)) }
	for _, number := range []int{s.committed.number, int(s.rowID), len(s.minutes), s.crashes, s.refusals} {
		add(number)
	}
	for _, a := range s.actors {
		add(a.at.number)
		if a.dead {
			add(-1)
		}
		if a.snapshot != nil {
			add(-1 - a.snapshot.number)
		}
		add(len(a.seen))
		for _, c := range a.seen {
			add(c.number)
		}
	}
	return string(key)
}

// reached is a state, one schedule that leads there, and how many do.
type reached struct {
	*state

	from  *reached
	how   string
	paths uint64
}

func (r *reached) schedule() []string {
	if r.from == nil {
		return nil
	}
	return append(r.from.schedule(), r.how)
}

type walker struct {
	scene    *scene
	contents map[string]*contents
	defects  map[*contents]string
	last     map[*contents]string // what is wrong after one more pass
	points   int

	states, longest int
	schedules       uint64
}

// violation is what is wrong after a schedule, than which there is no shorter one.
type violation struct {
	what     string
	schedule []string
}

func (v *violation) String() string { return v.what + "\n\t" + strings.Join(v.schedule, "\n\t") }

// walk goes through all schedules, breadth first, up to the first after which something is wrong. How many
// steps lead to a state does not depend on the way, so each is reached from those one step before it.
func (w *walker) walk() *violation {
	layer := []*reached{{state: w.begin(), paths: 1}}
	for depth := 0; len(layer) > 0; depth++ {
		w.longest = depth
		index := map[string]*reached{}
		var following []*reached
		for _, r := range layer {
			w.states++
			if what := w.defect(r.state); what != "" {
				return &violation{what, r.schedule()}
			}
			choices := w.choices(r.state)
			if len(choices) == 0 {
				if what := w.end(r.state); what != "" {
					return &violation{what, r.schedule()}
				}
				w.schedules += r.paths
			}
			for _, c := range choices {
				next := &reached{w.step(r.state, c), r, c.name, r.paths}
				key := next.key()
				if same := index[key]; same != nil {
					same.paths += r.paths
					continue
				}
				index[key] = next
				following = append(following, next)
			}
		}
		layer = following
	}
	return nil
}

// choice is what may happen next.
type choice struct {
	who     int
	name    string
	crashes bool
	refused bool
}

func (w *walker) choices(s *state) []choice {
	var choices []choice
	for who := range s.actors {
		a := &s.actors[who]
		if a.ended() {
			continue
		}
		o := a.at.operation
		if o.ready == nil || o.ready(s, who) {
			choices = append(choices, choice{who: who, name: a.name + " " + o.name})
			if o.ends && s.refusals > 0 {
				choices = append(choices, choice{who: who, name: a.name + " is refused its commit", refused: true})
			}
		}
		if s.crashes > 0 && a.at != a.begin {
			choices = append(choices, choice{who: who, name: a.name + " crashes before it " + o.name, crashes: true})
		}
	}
	return choices
}

// step returns the state after a choice, with all that can be done at once with it.
func (w *walker) step(before *state, c choice) *state {
	s := *before
	s.actors = slices.Clone(s.actors)
	for i := range s.actors {
		if s.actors[i].ended() {
			s.actors[i].seen = nil // its answer was held against it
		}
	}
	a := &s.actors[c.who]
	switch {
	case c.crashes:
		s.crashes--
		a.dead, a.tx, a.snapshot = true, nil, nil
		return &s
	case c.refused:
		s.refusals--
		a.tx = nil
		w.tell(&s, c.who, errRefused)
	default:
		if a.at == a.begin && a.reads {
			a.seen = []*contents{s.committed}
		}
		w.tell(&s, c.who, a.at.operation.do(w, &s, c.who))
	}
	for a.at.operation != nil && a.at.operation.alone {
		w.tell(&s, c.who, a.at.operation.do(w, &s, c.who))
	}
	return &s
}

// tell gives an actor an answer.
func (w *walker) tell(s *state, who int, answer any) {
	a := &s.actors[who]
	if next := a.at.next[digest(answer)]; next != nil {
		a.at = next
		return
	}
	w.play(s, who, answer)
}

// point returns where an answer leads.
func (w *walker) point(from *point, answer any) *point {
	w.points++
	p := &point{number: w.points, from: from, answer: answer, next: map[string]*point{}}
	if from != nil {
		from.next[digest(answer)] = p
	}
	return p
}

// play runs an actor on what it was told, and on an answer that it was never given there before, up to the
// next thing that it does in which the others matter.
func (w *walker) play(s *state, who int, answer any) {
	a := &s.actors[who]
	a.at = w.point(a.at, answer)
	var answers []*point
	for at := a.at; at.from != nil; at = at.from {
		answers = append(answers, at)
	}
	slices.Reverse(answers)
	defer func() {
		if stopped := recover(); stopped != nil {
			o, expected := stopped.(paused)
			if !expected {
				panic(stopped)
			}
			a.at.operation = &o.operation
		}
	}()
	result, err := a.run(context.Background(), &player{answers: answers, scene: w.scene, apart: a.apart, alone: func(o operation) any {
		a.at.operation = &o
		answer := o.do(w, s, who)
		a.at = w.point(a.at, answer)
		return answer
	}})
	a.at.result, a.at.err = result, err
}

// commit makes contents those of the database.
func (w *walker) commit(s *state, changed *contents) {
	key := changed.key()
	known := w.contents[key]
	if known == nil {
		known = changed
		known.number = len(w.contents) + 1
		w.contents[key] = known
	}
	s.committed = known
	for i := range s.actors {
		if a := &s.actors[i]; !a.ended() && len(a.seen) > 0 {
			a.seen = append(slices.Clip(a.seen), known)
		}
	}
}

// begin returns the state in which the actors begin.
func (w *walker) begin() *state {
	w.contents, w.defects, w.last = map[string]*contents{}, map[*contents]string{}, map[*contents]string{}
	now := cmp.Or(w.scene.now, noon+day)
	s := &state{committed: &contents{now: noon + day, blocks: map[store.BlockKey]store.Block{}, horizon: store.Horizon{WorkflowID: modelWorkflow}}}
	flawless := &walker{scene: &scene{}, contents: w.contents}
	if w.scene.rolled != nil {
		s = flawless.alone(s, writer("before", w.scene.rolled))
		s = flawless.alone(s, worker("before", false))
	}
	if w.scene.again != nil {
		s = flawless.alone(s, &program{run: func(ctx context.Context, p *player) (any, error) {
			return nil, p.Maintain(ctx, func(ctx context.Context, tx store.UpkeepTx) error {
				return tx.AddMarks(ctx, modelWorkflow, w.scene.again)
			})
		}})
	}
	if w.scene.marked != nil {
		s = flawless.alone(s, writer("before", w.scene.marked))
	}
	begun := *s.committed
	begun.now = now
	var programs []*program
	for i, rows := range w.scene.writers {
		programs = append(programs, writer(fmt.Sprint("writer ", i+1), rows))
	}
	for i := range w.scene.workers {
		programs = append(programs, worker(fmt.Sprint("worker ", i+1), w.scene.workersApart))
	}
	for i := range w.scene.readers {
		programs = append(programs, reader(fmt.Sprint("reader ", i+1), w.scene.readersApart))
	}
	if w.scene.minutes > 0 {
		programs = append(programs, ticker(w.scene.minutes))
	}
	if w.scene.repairs {
		key := store.BlockKey{WorkflowID: modelWorkflow, Kind: "R", Width: minute, Start: noon}
		damaged := begun.blocks[key]
		damaged.Cells = append(slices.Clone(damaged.Cells), 0)
		begun.blocks = maps.Clone(begun.blocks)
		begun.blocks[key] = damaged
		programs = append(programs, &program{name: "repair", run: func(ctx context.Context, p *player) (any, error) {
			return nil, upkeep.NewRollUp(p, quiet).Repair(ctx, []store.BlockKey{key})
		}})
	}
	w.commit(s, &begun)
	w.points = flawless.points
	w.enter(s, programs...)
	s.crashes, s.refusals = w.scene.crashes, w.scene.refusals
	return s
}

// enter lets actors take the place of those before.
func (w *walker) enter(s *state, programs ...*program) {
	s.actors = make([]actor, len(programs))
	for i, does := range programs {
		s.actors[i].program = does
		w.play(s, i, nil)
		does.begin = s.actors[i].at
	}
}

// alone lets one actor do all that it does.
func (w *walker) alone(before *state, does *program) *state {
	s := *before
	s.crashes, s.refusals = 0, 0
	w.enter(&s, does)
	after := &s
	for !after.actors[0].ended() {
		after = w.step(after, choice{})
	}
	return after
}

func writer(name string, rows []jobmon.Transition) *program {
	return &program{name: name, run: func(_ context.Context, p *player) (any, error) {
		_ = p.write(rows) // what was refused is not there
		return nil, nil
	}}
}

func worker(name string, apart bool) *program {
	return &program{name: name, apart: apart, run: func(ctx context.Context, p *player) (any, error) {
		return nil, upkeep.NewRollUp(p, quiet).Pass(ctx)
	}}
}

func reader(name string, apart bool) *program {
	return &program{name: name, apart: apart, reads: true, run: func(ctx context.Context, p *player) (any, error) {
		request := timeline.Request{WorkflowID: modelWorkflow, Start: noon, End: new(noon + hour), Bucket: minute, Statuses: concurrency.Active}
		return timeline.New(p, nil).Concurrency(ctx, request)
	}}
}

func ticker(minutes int) *program {
	return &program{name: "the clock", run: func(_ context.Context, p *player) (any, error) {
		for range minutes {
			p.next(operation{name: "goes on a minute", do: func(w *walker, s *state, _ int) any {
				changed := *s.committed
				changed.now += minute
				w.commit(s, &changed)
				return nil
			}})
		}
		return nil, nil
	}}
}

// defect says what is wrong in a state, or nothing.
func (w *walker) defect(s *state) string {
	what, known := w.defects[s.committed]
	if !known {
		if what = s.committed.defect(); what == "" {
			what = s.committed.wrongAnswer()
		}
		w.defects[s.committed] = what
	}
	for _, a := range s.actors {
		if what == "" && a.at.err != nil {
			what = a.name + " fails: " + a.at.err.Error()
		}
		if answer, read := a.at.result.(timeline.Answer); read && what == "" && len(a.seen) > 0 {
			what = a.misled(answer)
		}
	}
	return what
}

// misled says that an answer is right for nothing that was committed between a reader's begin and its end.
func (a *actor) misled(answer timeline.Answer) string {
	for _, c := range a.seen {
		if reflect.DeepEqual(c.count(answer.Window, concurrency.Active), answer.Result) {
			return ""
		}
	}
	return fmt.Sprintf("%s is told what never was: the peaks of ACTIVE are %v", a.name, answer.Total.Peak[:5])
}

// end says what is wrong at the end of a schedule, or nothing: actors that wait for each other for ever,
// and what another pass does not sum up.
func (w *walker) end(s *state) string {
	for _, a := range s.actors {
		if !a.ended() {
			return a.name + " waits for ever before it " + a.at.operation.name
		}
	}
	what, known := w.last[s.committed]
	if known {
		return what
	}
	after := w.alone(s, worker("the last pass", false))
	what = w.defect(after)
	for _, mark := range after.committed.marks {
		if mark.Minute+minute <= after.committed.now {
			what = cmp.Or(what, "a mark is left at "+clock(mark.Minute))
		}
	}
	for t := range concurrency.Tiers() {
		for _, kind := range concurrency.Kinds() {
			if _, damaged := after.committed.storedCells(kind.Name, t); len(damaged) > 0 {
				what = cmp.Or(what, "a block is still damaged")
			}
		}
	}
	w.last[s.committed] = what
	return what
}
