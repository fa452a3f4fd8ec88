package timeline_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"
	"testing"
	"time"

	"tasktide/internal/cache"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/timeline"
)

// watched counts what is asked of a database and runs hooks meanwhile.
type watched struct {
	store.Reader

	later  atomic.Int64                    // how far the database's clock is set forward, in microseconds
	rows   atomic.Int64                    // how often rows were read
	ended  chan struct{}                   // told of each snapshot that has been closed, unless nil
	before func(ctx context.Context) error // runs before rows are read, unless nil
}

func (w *watched) View(ctx context.Context, read func(ctx context.Context, snapshot store.Snapshot) error) error {
	err := w.Reader.View(ctx, func(ctx context.Context, snapshot store.Snapshot) error {
		return read(ctx, watchedSnapshot{snapshot, w})
	})
	if w.ended != nil {
		w.ended <- struct{}{}
	}
	return err
}

type watchedSnapshot struct {
	store.Snapshot

	w *watched
}

func (s watchedSnapshot) Now(ctx context.Context) (int64, error) {
	now, err := s.Snapshot.Now(ctx)
	return now + s.w.later.Load(), err
}

func (s watchedSnapshot) Changes(ctx context.Context, filter store.TransitionFilter) iter.Seq2[jobmon.Transition, error] {
	s.w.rows.Add(1)
	if s.w.before != nil {
		if err := s.w.before(ctx); err != nil {
			return func(yield func(jobmon.Transition, error) bool) { yield(jobmon.Transition{}, err) }
		}
	}
	return s.Snapshot.Changes(ctx, filter)
}

// asText is a form that counts how often it was made.
func asText(made *atomic.Int64) timeline.Form {
	return timeline.Form{Name: "text", Make: func(a timeline.Answer) ([]byte, error) {
		made.Add(1)
		return fmt.Appendf(nil, "%v %v %v", a.Window, a.Templates, a.Total.Peak), nil
	}}
}

func lookedAt(id int64) timeline.Request {
	return timeline.Request{WorkflowID: id, Start: noon, End: new(noon + 2*minute), Bucket: minute, Statuses: running}
}

const wanted = "{1772366400000000 60000000 2} [a b] [2 1]"

// What was asked for before comes from the cache, and not even that when whoever asks has it.
func TestSharedKeepsAnswers(t *testing.T) {
	db := &watched{Reader: nil}
	opened := open(t)
	db.Reader = opened
	id := load(t, opened, "run", ran("a", 0, 90), ran("b", 10, 20))
	memory := cache.NewMemory(1 << 20)
	line := timeline.New(db, nil).WithCache(memory)
	var made atomic.Int64
	first, err := line.Shared(t.Context(), lookedAt(id), asText(&made), nil)
	if err != nil || string(first.Body) != wanted {
		t.Fatalf("%q, %v; want %q", first.Body, err, wanted)
	}
	rows := db.rows.Load()
	for range 3 {
		again, err := line.Shared(t.Context(), lookedAt(id), asText(&made), func(string) bool { return false })
		if err != nil || again.Tag != first.Tag || string(again.Body) != wanted {
			t.Errorf("again: %+v, %v", again, err)
		}
		has, err := line.Shared(t.Context(), lookedAt(id), asText(&made), func(tag string) bool { return tag == first.Tag })
		if err != nil || has.Tag != first.Tag || has.Body != nil {
			t.Errorf("for one who has it: %+v, %v", has, err)
		}
	}
	if made.Load() != 1 || db.rows.Load() != rows || rows == 0 {
		t.Errorf("it was made %d times, and rows were read %d and then %d times", made.Load(), rows, db.rows.Load()-rows)
	}
	other := asText(&made)
	other.Name = "another"
	if got, err := line.Shared(t.Context(), lookedAt(id), other, nil); err != nil || got.Tag != first.Tag || made.Load() != 2 {
		t.Errorf("another form: %+v, %v, made %d times", got, err, made.Load())
	}
	if stats := memory.Stats(); stats.Hits != 3 || stats.Misses != 2 {
		t.Errorf("the cache was asked %+v", stats)
	}
}

// The window that ends now is another one with the next bucket, and until then the same.
func TestSharedSeesTheNextBucket(t *testing.T) {
	opened := open(t)
	db := &watched{Reader: opened}
	id := load(t, opened, "run", ran("a", 0, 90))
	line := timeline.New(db, nil)
	request := timeline.Request{WorkflowID: id, Last: time.Hour, Bucket: 24 * 60 * minute, Statuses: running}
	var made atomic.Int64
	tag := func() string {
		t.Helper()
		got, err := line.Shared(t.Context(), request, asText(&made), nil)
		if err != nil {
			t.Fatal(err)
		}
		return got.Tag
	}
	// A day from now on, so that no midnight falls in between.
	var now int64
	err := opened.View(t.Context(), func(ctx context.Context, snapshot store.Snapshot) (err error) {
		now, err = snapshot.Now(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	day := 24 * 60 * minute
	noonTomorrow := (now/day+1)*day + day/2
	db.later.Store(noonTomorrow - now)
	first := tag()
	db.later.Add(minute)
	if tag() != first {
		t.Error("the same bucket has another tag")
	}
	db.later.Add(day)
	if tag() == first {
		t.Error("the next bucket has the same tag")
	}
}

// together has so many ask for the same at once, the first of whom is held until all others wait for it, and
// then let go on. It returns what each was answered.
func together(
	t *testing.T, askers int, ask func(ctx context.Context, db *watched, line *timeline.Timeline, id int64, n int) (timeline.Shared, error),
	release func(cancelFirst context.CancelFunc),
) []error {
	t.Helper()
	opened := open(t)
	held, reading := make(chan struct{}), make(chan struct{}, askers)
	db := &watched{Reader: opened, ended: make(chan struct{}, 10*askers)}
	var first atomic.Bool
	db.before = func(ctx context.Context) error {
		if !first.CompareAndSwap(false, true) {
			return nil
		}
		reading <- struct{}{}
		select {
		case <-held:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	id := load(t, opened, "run", ran("a", 0, 90), ran("b", 10, 20))
	line := timeline.New(db, nil).WithCache(cache.NewMemory(1 << 20))
	leading, cancel := context.WithCancel(t.Context())
	defer cancel()
	answers := make(chan error, askers)
	answer := func(ctx context.Context, n int) {
		got, err := ask(ctx, db, line, id, n)
		if err == nil && string(got.Body) != wanted {
			err = fmt.Errorf("%q, want %q", got.Body, wanted)
		}
		answers <- err
	}
	go answer(leading, 0)
	<-reading
	for n := range askers - 1 {
		go answer(t.Context(), n+1)
	}
	for range askers - 1 {
		<-db.ended
	}
	release(cancel)
	close(held)
	var errs []error
	for range askers {
		errs = append(errs, <-answers)
	}
	return errs
}

const askers = 16

func failed(errs []error) (failed []error) {
	for _, err := range errs {
		if err != nil {
			failed = append(failed, err)
		}
	}
	return failed
}

func TestOneWorksOutWhatAllAskFor(t *testing.T) {
	var made, read atomic.Int64
	errs := together(t, askers, func(ctx context.Context, db *watched, line *timeline.Timeline, id int64, _ int) (timeline.Shared, error) {
		got, err := line.Shared(ctx, lookedAt(id), asText(&made), nil)
		read.Store(db.rows.Load())
		return got, err
	}, func(context.CancelFunc) {})
	if errs := failed(errs); errs != nil {
		t.Error(errs)
	}
	if made.Load() != 1 || read.Load() != 1 {
		t.Errorf("it was made %d times, and rows were read %d times", made.Load(), read.Load())
	}
}

// When the one who works it out gives up, another does, and once.
func TestOneWhoGivesUpFailsNobodyElse(t *testing.T) {
	var made atomic.Int64
	errs := failed(together(t, askers, func(ctx context.Context, _ *watched, line *timeline.Timeline, id int64, _ int) (timeline.Shared, error) {
		return line.Shared(ctx, lookedAt(id), asText(&made), nil)
	}, func(cancel context.CancelFunc) { cancel() }))
	if len(errs) != 1 || !errors.Is(errs[0], context.Canceled) && jobmon.ErrorCode(errs[0]) == "" {
		t.Errorf("failures: %v", errs)
	}
	if made.Load() != 1 {
		t.Errorf("it was made %d times", made.Load())
	}
}

// When the one who works it out fails, or panics, the others try for themselves.
func TestOneWhoFailsFailsNobodyElse(t *testing.T) {
	for name, fail := range map[string]func() error{
		"error": func() error { return errors.New("broken") },
		"panic": func() error { panic("broken") },
	} {
		t.Run(name, func(t *testing.T) {
			var made atomic.Int64
			errs := failed(together(t, askers,
				func(ctx context.Context, _ *watched, line *timeline.Timeline, id int64, n int) (shared timeline.Shared, err error) {
					defer func() {
						if recover() != nil {
							err = errors.New("broken")
						}
					}()
					form := asText(&made)
					if n == 0 {
						form.Make = func(timeline.Answer) ([]byte, error) { return nil, fail() }
					}
					return line.Shared(ctx, lookedAt(id), form, nil)
				}, func(context.CancelFunc) {}))
			if len(errs) != 1 || errs[0].Error() != "broken" {
				t.Errorf("failures: %v", errs)
			}
		})
	}
}

// One who waits may go.
func TestOneWhoWaitsMayGo(t *testing.T) {
	var made atomic.Int64
	waiting, leave := context.WithCancel(t.Context())
	defer leave()
	left := make(chan error, 1)
	errs := failed(together(t, 2, func(ctx context.Context, _ *watched, line *timeline.Timeline, id int64, n int) (timeline.Shared, error) {
		if n == 0 {
			return line.Shared(ctx, lookedAt(id), asText(&made), nil)
		}
		got, err := line.Shared(waiting, lookedAt(id), asText(&made), nil)
		left <- err
		return got, err
	}, func(context.CancelFunc) {
		leave()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("who went was told %v", err)
		}
	}))
	if len(errs) != 1 || made.Load() != 1 {
		t.Errorf("failures: %v, made %d times", errs, made.Load())
	}
}

// Refusals are not kept, and are those of an answer that is not shared.
func TestSharedRefuses(t *testing.T) {
	db := open(t)
	id := load(t, db, "run", ran("a", 0, 90))
	memory := cache.NewMemory(1 << 20)
	line := timeline.New(db, nil).WithCache(memory)
	var made atomic.Int64
	request := lookedAt(id)
	request.Templates = []string{"none"}
	for range 2 {
		_, err := line.Concurrency(t.Context(), request)
		if _, shared := line.Shared(t.Context(), request, asText(&made), nil); shared == nil || shared.Error() != err.Error() {
			t.Errorf("shared: %v, else: %v", shared, err)
		}
	}
	if made.Load() != 0 || memory.Stats() != (cache.Stats{}) {
		t.Errorf("made %d times, the cache was asked %+v", made.Load(), memory.Stats())
	}
}
