// Package timeline answers how many tasks of a workflow were in a status when. It decides which
// window and buckets a request means and what has to be read for it, bounds that, and lets the engine
// count; all from one snapshot of the database.
package timeline

import (
	"context"
	"slices"
	"time"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// Bounds of one answer.
const (
	// MaxBuckets is how many buckets a window may have.
	MaxBuckets = 50_000
	// MaxCells is how many pairs of a bucket and a template an answer may hold.
	MaxCells = MaxBuckets * 51
	// MaxTransitions is how many rows of the audit a request may make the database read.
	MaxTransitions = 2_000_000
	// MaxUnasked is how many of these are read to make exact what nobody asked for: the peaks of [Other], and
	// how long limits were reached.
	MaxUnasked = 50_000
	// AutoBuckets is how many buckets a window has at most when the bucket is chosen for it and nothing
	// else is said: about as many as a wide screen has pixels for.
	AutoBuckets = 1_500
)

// Buckets returns the widths that are chosen from when a request leaves the bucket open, ascending,
// in microseconds.
func Buckets() []int64 {
	return []int64{
		1 * second, 5 * second, 10 * second, 30 * second,
		1 * minute, 5 * minute, 10 * minute, 30 * minute,
		1 * hour, 6 * hour, 24 * hour,
	}
}

const (
	second int64 = 1_000_000
	minute       = 60 * second
	hour         = 60 * minute
)

// Request asks for the concurrency of one workflow. Its window is, in this order: the whole life of
// the workflow when All is set; the buckets that end with the current one and are together at least
// Last long; or what covers the half-open span [Start, End), which ends now when End is nil.
type Request struct {
	WorkflowID int64
	All        bool
	Last       time.Duration
	Start      int64
	End        *int64
	Bucket     int64    // 0 chooses the finest that gives at most MaxPoints buckets
	MaxPoints  int      // 0 means AutoBuckets
	Templates  []string // empty means all
	Statuses   concurrency.StatusSet
	// Top is how many templates are told apart at most: those in which most task time was spent in the
	// window. The rest are one, [Answer.Other]. 0 means all.
	Top int
	// Split tells attempts after the first apart from the first ones.
	Split bool
	// Limits asks for [Answer.Limits].
	Limits bool
	// Beside asks for [Answer.Beside], of as many sets of statuses.
	Beside []concurrency.StatusSet
}

// Answer holds the numbers of each template, by name, and of all those asked for together. A template
// of the workflow that did nothing in the window has its zeros.
type Answer struct {
	concurrency.Result

	Templates []string   // the name of each series
	Attempts  []Attempts // which attempts each series counts, when these are told apart: two series a template
	Other     *Other     // of all attempts; nil when every template is told apart
	// Limits is that of the workflow, then those of its arrays by the names of their templates; empty unless
	// asked for.
	Limits []Limit
	// Beside is, of each set in [Request.Beside], all templates asked for together: its Total, in the same buckets
	// and out of the same snapshot. Its Series mean nothing.
	Beside []Answer
	// UpperBound tells which numbers are not exact, because they cannot be had from what the rows were
	// summed up to, and the rows are too many or gone.
	UpperBound UpperBound
	// Version is another one whenever anything has changed that the numbers depend on, but for the time
	// that has passed within the bucket that contains now.
	Version string
	// RowsFrom is from when on buckets finer than a minute can be had, DataFrom from when on any can; 0
	// means ever since. Both are whole hours.
	RowsFrom, DataFrom int64
}

// UpperBound tells which numbers are upper bounds and not exact. The instant of a peak that is one means
// nothing.
type UpperBound struct {
	TotalPeaks  bool
	SeriesPeaks bool
	FirstPeaks  bool // those of the series of first attempts
	OtherPeaks  bool
	Entered     bool
}

// Timeline reads from a database. It is safe for concurrent use.
type Timeline struct {
	db      store.Reader
	damaged func(ctx context.Context, blocks []store.BlockKey)
	cache   Cache // nil when nothing is kept
	flights flights
}

// New returns a timeline over db. Damaged, unless nil, is told of blocks that could not be read; where
// their rows are still there, the answer was read from these.
func New(db store.Reader, damaged func(ctx context.Context, blocks []store.BlockKey)) *Timeline {
	if damaged == nil {
		damaged = func(context.Context, []store.BlockKey) {}
	}
	return &Timeline{db: db, damaged: damaged}
}

// Concurrency answers a request. CodeNotFound for a workflow that does not exist; CodeInvalid, with the
// field named as in the HTTP interface, for a window that ends before it begins or begins before what is
// known, a template that the workflow does not have, and an answer beyond the bounds above; CodeUnavailable
// when too much is not summed up yet.
func (t *Timeline) Concurrency(ctx context.Context, request Request) (Answer, error) {
	var answer Answer
	err := t.view(ctx, func(ctx context.Context, snapshot store.Snapshot, found *damage) error {
		q, version, err := ask(ctx, snapshot, found, request)
		if err != nil {
			return err
		}
		answer, err = q.answer(ctx, snapshot, request)
		answer.Version = version
		return err
	})
	return answer, err
}

// damage gathers the blocks that were found damaged and done without, by their whole keys.
type damage []store.BlockKey

// view reads from one snapshot, and tells of the damage that was found in it.
func (t *Timeline) view(ctx context.Context, read func(ctx context.Context, snapshot store.Snapshot, found *damage) error) error {
	var found damage
	err := t.db.View(ctx, func(ctx context.Context, snapshot store.Snapshot) error { return read(ctx, snapshot, &found) })
	if len(found) > 0 {
		t.damaged(ctx, found)
	}
	return err
}

// begin begins a question about the tasks of a workflow that are in some statuses, of some templates or all.
func begin(
	ctx context.Context, snapshot store.Snapshot, found *damage, workflowID int64, statuses concurrency.StatusSet, templates []string,
) (*question, error) {
	q := &question{
		statuses: statuses, kinds: kindsOf(statuses, false),
		plan: &plan{damaged: map[store.BlockKey]bool{}}, found: found,
	}
	var err error
	if q.now, err = snapshot.Now(ctx); err != nil {
		return nil, err
	}
	if q.workflow, err = snapshot.Workflow(ctx, workflowID); err != nil {
		return nil, err
	}
	if q.horizon, err = snapshot.Horizon(ctx, workflowID); err != nil {
		return nil, err
	}
	if q.horizon.DataFrom > q.now {
		return nil, q.ahead(q.horizon.DataFrom)
	}
	if q.templates, err = snapshot.TemplateNames(ctx, workflowID); err != nil {
		return nil, err
	}
	if q.all, err = chooseSeries(q.templates, nil); err != nil {
		return nil, err
	}
	q.series, err = chooseSeries(q.templates, templates)
	return q, err
}

// readMarks plans to do without the cells that the marks before the window's end tell of.
func (q *question) readMarks(ctx context.Context, snapshot store.Snapshot) (err error) {
	q.marks, err = snapshot.Marks(ctx, store.MarkFilter{WorkflowID: q.workflow.ID, Before: q.until()})
	q.plan.mark(q.marks)
	return err
}

// ask turns a request into a question about its workflow as it is, and returns the version of the answer.
func ask(ctx context.Context, snapshot store.Snapshot, found *damage, request Request) (*question, string, error) {
	return askUpTo(ctx, snapshot, found, request, MaxBuckets, MaxCells)
}

// askUpTo is ask for an answer of at most so many buckets, and so many pairs of a bucket and a template.
func askUpTo(
	ctx context.Context, snapshot store.Snapshot, found *damage, request Request, buckets, cells int,
) (*question, string, error) {
	q, err := begin(ctx, snapshot, found, request.WorkflowID, request.Statuses, request.Templates)
	if err != nil {
		return nil, "", err
	}
	series := max(1, len(q.series.names))
	if request.Top > 0 && request.Top < series {
		series = request.Top + 1
	}
	if q.split = request.Split; q.split {
		series *= 3 // all, and those of each part
		if q.horizon.RunsLost {
			return nil, "", jobmon.FieldErrorf("split",
				"a part of workflow %d was removed before attempts were told apart; leave split out", request.WorkflowID)
		}
	}
	buckets = min(buckets, cells/series)
	if err := q.chooseWindow(ctx, snapshot, request, buckets); err != nil {
		return nil, "", err
	}
	if err := q.checkKnown(); err != nil {
		return nil, "", err
	}
	if err := q.readMarks(ctx, snapshot); err != nil {
		return nil, "", err
	}
	if q.limits, err = snapshot.Limits(ctx, request.WorkflowID); err != nil {
		return nil, "", err
	}
	version, err := q.version(ctx, snapshot, request)
	return q, version, err
}

// Templates returns the names of a workflow's templates, each once, in order: two versions of a tool
// may share one, and are one series. CodeNotFound for a workflow that does not exist.
func (t *Timeline) Templates(ctx context.Context, workflowID int64) ([]string, error) {
	var names []string
	err := t.db.View(ctx, func(ctx context.Context, snapshot store.Snapshot) error {
		if _, err := snapshot.Workflow(ctx, workflowID); err != nil {
			return err
		}
		known, err := snapshot.TemplateNames(ctx, workflowID)
		names = namesOf(known)
		return err
	})
	return names, err
}

func namesOf(templates []store.TemplateName) []string {
	names := make([]string, len(templates))
	for i, template := range templates {
		names[i] = template.Name
	}
	// Databases order names each in their own way; answers are ordered by bytes.
	slices.Sort(names)
	return slices.Compact(names)
}
