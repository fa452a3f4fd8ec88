package upkeep_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/store/testdb"
	"tasktide/internal/timeline"
	"tasktide/internal/upkeep"
)

const (
	stormTasks   = 1_500
	stormWriters = 4
	stormReaders = 3
	stormKills   = 10
	// stormMoves is how many times each writer moves a task, at least.
	stormMoves = 300
	// stormPast is for how long the tasks have been at work when the storm begins. Their rows are removed
	// from then on, up to those that are younger than stormYoung.
	stormPast, stormYoung = 5 * 24 * time.Hour, 3 * time.Hour
	// stormAnswers is how many answers are compared before the last kill, at least.
	stormAnswers = 80
	// stormBursts is in how many hours tasks begin.
	stormBursts = 25
	// stormLate is how far back moves are dated, at most.
	stormLate = 40 * minute
	// stormTwins is how many tasks can be added in the storm, of a template with a name that another has.
	stormTwins    = 400
	stormDeadline = 3 * time.Minute
)

var stormTemplates = []string{"breeze", "gust", "squall"}

// storm is what happens to one database.
type storm struct {
	kind     testdb.Kind
	url      string
	db       hasty
	id       int64
	imported rows             // by (At, ID)
	last     int64            // id among them
	names    map[int64]string // of templates, by id
	twin     int64            // the template of those that are added
	array    int64            // of these
	nodes    []int64          // for them
	added    atomic.Int64     // how many were to be added
	writers  []*stormWriter
	life     atomic.Int64  // number of the child that is alive
	turns    chan struct{} // a reader asks when there is something new
	count    tally
	cache    *stormCache

	answers, bounds, refusals atomic.Int64
}

// In a storm, writers, two roll-ups, retention, verification and readers are at work together, and those
// who keep the database up are killed again and again, while the Redis in which answers are kept is broken in
// every way. Every answer is the engine's over the rows of its snapshot and those that were removed before,
// and at the end over all rows that were ever committed.
func TestStorm(t *testing.T) {
	t.Parallel() // much of the time everybody waits, for turns and for processes that begin
	for _, kind := range testdb.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			seed := uint64(time.Now().UnixNano())
			t.Logf("the seed is %d", seed)
			s := newStorm(t, kind, seed)
			begun := time.Now()
			err := s.rage(t.Context(), seed)
			took := time.Since(begun).Round(time.Millisecond)
			done := s.done()
			t.Logf("%s: writers moved tasks %d times in %d transactions, undid %d, came too late with %d and were kept waiting "+
				"in vain with %d; %d answers, %d with upper bounds, and %d refusals", took, done.moves.Load(), done.transactions,
				done.undone, done.tooLate, done.inVain, s.answers.Load(), s.bounds.Load(), s.refusals.Load())
			t.Logf("%d kills, in the midst of passes %v and of transactions %v; passes %v, transactions %v, kept waiting in vain %v",
				s.count.kills, s.count.inPass, s.count.inChange, s.count.passes, s.count.changes, s.count.inVain)
			t.Logf("Redis was broken in %d ways; of its answers %+v", s.cache.broken.Load(), s.cache.kept.Stats())
			if err != nil {
				t.Fatal(err)
			}
			s.end(t, rand.New(rand.NewPCG(seed, 1)))
			if done.undone == 0 || done.tooLate == 0 || s.bounds.Load() == 0 || s.refusals.Load() == 0 || !s.count.metAll() {
				t.Error("the storm has become too easy")
			}
		})
	}
}

// newStorm imports a run that has been at work for some days, and is.
func newStorm(t *testing.T, kind testdb.Kind, seed uint64) *storm {
	t.Helper()
	s := &storm{kind: kind, url: kind.URL(t), names: map[int64]string{}, turns: make(chan struct{}, stormReaders), count: newTally()}
	s.cache = newStormCache(t)
	opened, err := kind.OpenURL(t.Context(), s.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	})
	s.db = hasty{opened, stormAhead}
	s.id = loadToExpire(t, s.db, "storm", stormHistory(rand.New(rand.NewPCG(seed, 2))))
	for i := range stormWriters {
		s.writers = append(s.writers, &stormWriter{storm: s, random: rand.New(rand.NewPCG(seed, uint64(10+i)))})
	}
	err = s.db.View(t.Context(), func(ctx context.Context, snapshot store.Snapshot) error {
		for row, err := range snapshot.Transitions(ctx, store.TransitionFilter{WorkflowID: s.id, Before: store.MaxInstant}) {
			if err != nil {
				return err
			}
			s.imported = append(s.imported, row)
			s.last = max(s.last, row.ID)
		}
		number := 0
		for task, err := range snapshot.Tasks(ctx, store.TaskFilter{WorkflowID: s.id}) {
			if err != nil {
				return err
			}
			w := s.writers[number%stormWriters]
			w.tasks = append(w.tasks, task.ID)
			number++
		}
		templates, err := snapshot.TemplateNames(ctx, s.id)
		for _, template := range templates {
			s.names[template.ID] = template.Name
		}
		return err
	})
	if err == nil {
		err = s.makeRoomForTwins(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// stormHistory makes up what tasks have done in the past days. Many are still open.
func stormHistory(random *rand.Rand) []jobmon.TaskHistory {
	now := time.Now().UnixMicro() + stormAhead
	paths := []string{"GQIORD", "GQIORD", "GQIOREQIORD", "GQIOREF", "GQIOREAQIRD", "GD"}
	pauses := []int64{1, second, minute, 5 * minute}
	var tasks []jobmon.TaskHistory
	for i := range stormTasks {
		task := jobmon.TaskHistory{Name: fmt.Sprint(i), Template: stormTemplates[i%len(stormTemplates)], Attempts: 1}
		// It begins within minutes of many others.
		at := now - stormPast.Microseconds()*int64(stormBursts-i%stormBursts)/stormBursts + random.Int64N(20*minute)
		for _, to := range paths[random.IntN(len(paths))] {
			if at > now-minute {
				break
			}
			task.Moves = append(task.Moves, jobmon.Move{To: jobmon.TaskStatus(to), At: at})
			at += random.Int64N(pauses[random.IntN(len(pauses))] + 1)
			if random.IntN(10) == 0 {
				at += random.Int64N(30) * hour
			}
		}
		if last := len(task.Moves) - 1; task.Moves[last].To == jobmon.TaskErrorRecoverable {
			task.Moves = task.Moves[:last] // no task rests there
		}
		tasks = append(tasks, task)
	}
	return tasks
}

// rage lets everybody work until the last kill.
func (s *storm) rage(ctx context.Context, seed uint64) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	ctx, cancel := context.WithTimeoutCause(ctx, stormDeadline, fmt.Errorf("the storm is not over after %s", stormDeadline))
	defer cancel()
	raging, calm := context.WithCancel(ctx)
	defer calm()
	var others sync.WaitGroup
	until := func(do func(ctx context.Context) error) {
		others.Go(func() {
			for raging.Err() == nil {
				if err := do(ctx); err != nil && ctx.Err() == nil {
					stop(err)
				}
			}
		})
	}
	slowly := time.NewTicker(50 * time.Millisecond)
	defer slowly.Stop()
	for _, w := range s.writers {
		until(func(ctx context.Context) error {
			if w.moves.Load() > stormMoves*(s.life.Load()+2)/stormKills {
				select { // those who keep the database up have not come as far
				case <-slowly.C:
				case <-ctx.Done():
				}
			}
			return w.act(ctx)
		})
	}
	for i := range stormReaders {
		random := rand.New(rand.NewPCG(seed, uint64(20+i)))
		until(func(ctx context.Context) error {
			select {
			case <-s.turns:
				return s.ask(ctx, random, nil)
			case <-raging.Done():
			}
			return nil
		})
	}
	others.Go(func() {
		if err := s.cache.harm(raging); raging.Err() == nil {
			stop(fmt.Errorf("the Redis: %w", err))
		}
	})
	random := rand.New(rand.NewPCG(seed, 3))
	// A kill meets who is in the midst of something by chance: there are more of them until each was met.
	for life := 0; (life < stormKills || !s.count.metAll()) && ctx.Err() == nil; life++ {
		s.life.Store(int64(life))
		age := func(n int) time.Duration {
			return stormPast - (stormPast-stormYoung)*time.Duration(min(n, stormKills))/stormKills
		}
		o := orders{
			Kind: s.kind, URL: s.url, Longest: age(life), Shortest: age(life + 1),
			CellsLonger: time.Duration(random.IntN(30)) * time.Hour,
		}
		if err := o.live(ctx, stormTrigger(random, life), s.ripe, &s.count); err != nil {
			stop(err)
		}
	}
	calm()
	others.Wait()
	return context.Cause(ctx)
}

// ripe reports whether writers, readers and who breaks the Redis have done their part of a child's life.
func (s *storm) ripe() bool {
	part := func(of int64) int64 { return of * (s.life.Load() + 1) / stormKills }
	if s.answers.Load() < part(stormAnswers) || s.cache.broken.Load() < part(int64(len(s.cache.ways))) {
		return false
	}
	for _, w := range s.writers {
		if w.moves.Load() < part(stormMoves) {
			return false
		}
	}
	return true
}

// done returns what the writers did together.
func (s *storm) done() *stormWriter {
	all := &stormWriter{}
	for _, w := range s.writers {
		all.moves.Add(w.moves.Load())
		all.stored = append(all.stored, w.stored...)
		all.transactions += w.transactions
		all.twins += w.twins
		all.undone += w.undone
		all.tooLate += w.tooLate
		all.inVain += w.inVain
	}
	return all
}

// ask asks some questions out of one snapshot, and holds the answers against the engine's over all rows,
// unless they are given those of the snapshot and what was removed before it.
func (s *storm) ask(ctx context.Context, random *rand.Rand, all rows) error {
	return s.db.View(ctx, func(ctx context.Context, snapshot store.Snapshot) error {
		horizon, err := snapshot.Horizon(ctx, s.id)
		if err != nil {
			return err
		}
		now, err := snapshot.Now(ctx)
		if err != nil {
			return err
		}
		if all == nil {
			if all, err = s.rowsOf(ctx, snapshot, horizon.RowsFrom); err != nil {
				return err
			}
		}
		var damaged []store.BlockKey
		line := timeline.New(still{snapshot}, func(_ context.Context, keys []store.BlockKey) { damaged = append(damaged, keys...) }).
			WithCache(s.cache)
		for _, request := range s.cache.questions(random, func() timeline.Request { return stormRequest(random, s.id, now) }) {
			answer, err := answered(ctx, line, request)
			err = caught(func(t failer) { s.compare(t, horizon, request, answer, err, all) })
			if err == nil && len(damaged) > 0 {
				err = fmt.Errorf("the blocks %+v are damaged", damaged)
			}
			if err != nil {
				return fmt.Errorf("%+v at %d with the horizon %+v: %w", request, now, horizon, err)
			}
		}
		return nil
	})
}

// rowsOf returns the rows of a snapshot after those that were removed, or may be, by At. All that were
// imported are among them, since nobody moves tasks as far back as rows are removed.
func (s *storm) rowsOf(ctx context.Context, snapshot store.Snapshot, from int64) (rows, error) {
	removed, _ := slices.BinarySearchFunc(s.imported, from, func(row jobmon.Transition, at int64) int { return cmp.Compare(row.At, at) })
	all := slices.Clone(s.imported[:removed])
	kept := 0
	for row, err := range snapshot.Transitions(ctx, store.TransitionFilter{WorkflowID: s.id, From: from, Before: store.MaxInstant}) {
		if err != nil {
			return nil, err
		}
		if row.ID <= s.last {
			kept++
		}
		all = append(all, row)
	}
	if want := len(s.imported) - removed; kept != want {
		return nil, fmt.Errorf("of the rows that were imported %d are there from %d on, want %d", kept, from, want)
	}
	return all, nil
}

// stormRequest asks for windows of every kind.
func stormRequest(random *rand.Rand, id, now int64) timeline.Request {
	kinds := concurrency.Kinds()
	request := timeline.Request{WorkflowID: id, Statuses: kinds[random.IntN(len(kinds))].Set}
	if random.IntN(3) == 0 {
		request.Statuses = concurrency.StatusSet(random.Uint32()) & concurrency.All
	}
	for _, name := range stormTemplates {
		if random.IntN(5) == 0 {
			request.Templates = append(request.Templates, name)
		}
	}
	buckets := timeline.Buckets()
	request.Bucket = buckets[random.IntN(len(buckets))]
	switch random.IntN(8) {
	case 0:
		request.All, request.Bucket = true, 0
	case 1:
		request.Last, request.Bucket = time.Duration(1+random.IntN(90))*time.Minute, min(request.Bucket, minute)
	default:
		request.Start = now - random.Int64N([]int64{hour, 6 * hour, 6 * day}[random.IntN(3)])
		if request.Bucket < 5*minute || random.IntN(3) > 0 {
			request.End = new(request.Start + (1+random.Int64N(200))*request.Bucket)
		}
	}
	return request
}

// compare holds an answer, or a refusal, against the engine's over all rows.
func (s *storm) compare(t failer, horizon store.Horizon, request timeline.Request, answer timeline.Answer, err error, all rows) {
	t.Helper()
	if !request.All && request.Last == 0 {
		start := concurrency.Align(request.Start, request.Start+1, request.Bucket).Start
		switch {
		case start < horizon.DataFrom:
			refused(t, err, "start", "data_from")
			s.refusals.Add(1)
			return
		case start < horizon.RowsFrom && request.Bucket < minute:
			refused(t, err, "granularity", "rows_from")
			s.refusals.Add(1)
			return
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	var changes []concurrency.Change
	for _, row := range all {
		if series := slices.Index(answer.Templates, s.names[row.TaskTemplateID]); series >= 0 {
			changes = append(changes, concurrency.Change{At: row.At, Series: series, From: row.From, To: row.To})
		}
	}
	want, err := concurrency.Count(answer.Window, request.Statuses, len(answer.Templates), answer.Now, changes)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(answer.Result, want) { // which takes a while to be told where
		atLeast(t, answer, want)
	}
	s.answers.Add(1)
	if answer.UpperBound != (timeline.UpperBound{}) {
		s.bounds.Add(1)
	}
}

// failure is how a test that is not run by its own goroutine fails.
type failure struct{ error }

type thrower struct{}

func (thrower) Helper()                           {}
func (thrower) Fatal(args ...any)                 { panic(failure{errors.New(fmt.Sprint(args...))}) }
func (thrower) Fatalf(format string, args ...any) { panic(failure{fmt.Errorf(format, args...)}) }

// caught returns how a check fails.
func caught(check func(t failer)) (err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			failed, expected := thrown.(failure)
			if !expected {
				panic(thrown)
			}
			err = failed.error
		}
	}()
	check(thrower{})
	return nil
}

// end finishes what the last child did not, and holds all that is there against all that was written.
func (s *storm) end(t *testing.T, random *rand.Rand) {
	t.Helper()
	begun := time.Now()
	s.db.ahead += 3 * minute // the last minutes are over
	pass(t, upkeep.NewRollUp(s.db, quiet).Pass)
	verified(t, s.db, s.id, "after the storm")
	horizon := horizonOf(t, s.db, s.id)
	all := slices.Clone(s.imported)
	written, twins := s.done().stored, s.done().twins
	all = append(all, written...)
	slices.SortFunc(all, func(a, b jobmon.Transition) int { return cmp.Compare(a.At, b.At) })
	for range 10 {
		if err := s.ask(t.Context(), random, all); err != nil {
			t.Fatal(err)
		}
	}
	if horizon.RowsFrom == 0 || horizon.DataFrom == 0 {
		t.Errorf("nothing was removed: the horizon is %+v", horizon)
	}
	left := s.left(t, written)
	r, err := newRetention(s.db, quiet, stormYoung, stormYoung)
	if err != nil {
		t.Fatal(err)
	}
	pass(t, r.Pass)
	report := verified(t, s.db, s.id, "after the last pass of retention")
	if report.Covered != report.Tasks || report.Tasks != stormTasks+twins {
		t.Errorf("of %d tasks, %d added in the storm, %d are covered", report.Tasks, twins, report.Covered)
	}
	for range 10 {
		if err := s.ask(t.Context(), random, all); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%s: %d of %d imported rows were removed in the storm, and %d after it; %d were written, %d of new tasks; "+
		"the verification looked at %d rows and %d cells", time.Since(begun).Round(time.Millisecond), len(s.imported)-left, len(s.imported),
		r.Progress().Rows, len(written), twins, report.Rows, report.Cells)
}

// left holds the rows that are there against those that writers remember, each once, and returns how many
// others there are. No marks are.
func (s *storm) left(t *testing.T, written rows) (imported int) {
	t.Helper()
	var got rows
	err := s.db.View(t.Context(), func(ctx context.Context, snapshot store.Snapshot) error {
		for row, err := range snapshot.Transitions(ctx, store.TransitionFilter{WorkflowID: s.id, Before: store.MaxInstant}) {
			switch {
			case err != nil:
				return err
			case row.ID <= s.last:
				imported++
			default:
				row.ID = 0
				got = append(got, row)
			}
		}
		marks, err := snapshot.Marks(ctx, store.MarkFilter{WorkflowID: s.id, Before: store.MaxInstant})
		if len(marks) > 0 {
			t.Errorf("%d marks are left", len(marks))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	byText := func(a, b jobmon.Transition) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }
	slices.SortFunc(got, byText)
	if want := slices.SortedFunc(slices.Values(written), byText); !slices.Equal(got, want) {
		t.Errorf("%d rows of writers are there; they remember %d, or others", len(got), len(want))
	}
	return imported
}
