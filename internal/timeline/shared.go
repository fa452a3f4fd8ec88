package timeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"sync"

	"tasktide/internal/store"
	"tasktide/internal/tracing"
)

// Cache keeps bytes under keys, and may forget any of them at any time. Neither what it returns nor what it was
// given is changed by anybody. Its methods are called by many at once; Get is waited for with a connection to the
// database in hand, so it is quick.
type Cache interface {
	Get(ctx context.Context, key string) ([]byte, bool)
	Put(ctx context.Context, key string, value []byte)
}

// WithCache returns a timeline over the same database that keeps in a cache, unless it is nil, what
// [Timeline.Shared] makes.
func (t *Timeline) WithCache(cache Cache) *Timeline {
	return &Timeline{db: t.db, damaged: t.damaged, cache: cache}
}

// Form is a shape in which answers are handed out.
type Form struct {
	// Name tells it from every other form.
	Name string
	// Make makes bytes of an answer, the same for the same request and version, but for the time that has
	// passed within the bucket that contains now.
	Make func(Answer) ([]byte, error)
}

// Shared is an answer in a form, which others may hold too.
type Shared struct {
	// Tag stands for the answer, whatever its form: another request has another, and so has another version. It
	// is of letters, digits and -.
	Tag string
	// Body is nil when whoever asks has the answer already. Nobody may change it.
	Body []byte
}

// Shared answers a request in a form. What is the same is worked out once: it comes from the cache, or from
// another call that is at it. When has, unless it is nil, says that whoever asks has what a tag stands for,
// nothing but the version is worked out. Errors are those of [Timeline.Concurrency], and the form's.
func (t *Timeline) Shared(ctx context.Context, request Request, form Form, has func(tag string) bool) (Shared, error) {
	l := look{request: request, form: form, has: has}
	for {
		shared, other, err := t.look(ctx, l)
		if other == nil {
			return shared, err
		}
		// The snapshot is closed by now: who waits for another holds nothing that others need.
		_, span := tracing.Start(ctx, "wait for the same answer")
		select {
		case <-other.done:
			span.End(nil)
			if other.body != nil {
				return Shared{shared.Tag, other.body}, nil
			}
			// It failed, perhaps for a reason of its own. When it was given up, one of those who waited is next
			// and the others wait again; otherwise each tries, lest all wait for all who fail before them.
			l.alone = !other.givenUp
		case <-ctx.Done():
			span.End(ctx.Err())
			return Shared{}, ctx.Err()
		}
	}
}

// look is a look for an answer.
type look struct {
	request Request
	form    Form
	has     func(tag string) bool
	alone   bool // waits for nobody, and nobody for it
}

// flight is the making of an answer, for all who ask for it meanwhile.
type flight struct {
	done chan struct{} // closed at its end
	// The rest is read after that.
	body    []byte // nil when it failed
	givenUp bool   // it failed because who asked for it has gone
}

// flights are under way, by key.
type flights struct {
	mu    sync.Mutex
	under map[string]*flight
}

// join begins the flight of a key, or returns the other one that is under way.
func (f *flights) join(key string) (own, other *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if under, found := f.under[key]; found {
		return nil, under
	}
	if f.under == nil {
		f.under = map[string]*flight{}
	}
	own = &flight{done: make(chan struct{})}
	f.under[key] = own
	return own, nil
}

// land ends a flight.
func (f *flights) land(key string, own *flight) {
	f.mu.Lock()
	delete(f.under, key)
	f.mu.Unlock()
	close(own.done)
}

// look reads the version and then, where it has to, answers out of the same snapshot; or it returns the flight
// that makes the answer already, with no more than the tag.
func (t *Timeline) look(ctx context.Context, l look) (shared Shared, other *flight, err error) {
	var own *flight
	var key string
	var answer *Answer
	defer func() {
		if own != nil {
			own.body, own.givenUp = shared.Body, ctx.Err() != nil
			t.flights.land(key, own)
		}
	}()
	err = t.view(ctx, func(ctx context.Context, snapshot store.Snapshot, damaged *damage) error {
		q, version, err := ask(ctx, snapshot, damaged, l.request)
		if err != nil {
			return err
		}
		if shared.Tag, err = tagOf(l.request, q.workflow, version); err != nil {
			return err
		}
		if l.has != nil && l.has(shared.Tag) {
			return nil
		}
		key = shared.Tag + " " + l.form.Name
		if !l.alone && own == nil {
			if own, other = t.flights.join(key); own == nil {
				return nil
			}
		}
		// Only now, so that what the flight before has just kept is found.
		var found bool
		if shared.Body, found = t.kept(ctx, key); found {
			return nil
		}
		made, err := q.answer(ctx, snapshot, l.request)
		made.Version = version
		answer = &made
		return err
	})
	if err != nil || answer == nil {
		return shared, other, err
	}
	// The connection is free again: what remains needs none.
	_, span := tracing.Start(ctx, "encode")
	shared.Body, err = l.form.Make(*answer)
	span.End(err)
	if err == nil && t.cache != nil {
		ctx, span := tracing.Start(ctx, "cache put")
		t.cache.Put(ctx, key, shared.Body)
		span.End(nil)
	}
	return shared, nil, err
}

func (t *Timeline) kept(ctx context.Context, key string) ([]byte, bool) {
	if t.cache == nil {
		return nil, false
	}
	ctx, span := tracing.Start(ctx, "cache get")
	body, found := t.cache.Get(ctx, key)
	span.Bool("cache.hit", found)
	span.End(nil)
	return body, found
}

// tagOf hashes what was asked, whatever a request consists of, and puts the version before it. The version of an
// answer from another database may be the same, as long as little has happened; its workflow began at another
// instant.
func tagOf(request Request, workflow store.WorkflowInfo, version string) (string, error) {
	asked, err := json.Marshal(struct { //nolint:musttag // it is hashed, and read by nobody
		Request                        Request
		Name                           string
		CreatedAt, ImportedAt, FirstAt int64
	}{request, workflow.Name, workflow.CreatedAt, workflow.ImportedAt, workflow.FirstAt})
	sum := sha256.Sum256(asked)
	return version + "-" + hex.EncodeToString(sum[:16]), err
}
