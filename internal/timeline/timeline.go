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
	// AutoBuckets is how many buckets a window has at most when the bucket is chosen for it: about as
	// many as a wide screen has pixels for.
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
	Bucket     int64    // 0 chooses the finest that gives at most AutoBuckets buckets
	Templates  []string // empty means all
	Statuses   concurrency.StatusSet
}

// Answer holds the numbers of each template, by name, and of all those asked for together. A template
// of the workflow that did nothing in the window has its zeros.
type Answer struct {
	concurrency.Result
	Templates []string // the name of each series
}

// Timeline reads from a database. It is safe for concurrent use.
type Timeline struct {
	db store.Reader
}

// New returns a timeline over db.
func New(db store.Reader) *Timeline { return &Timeline{db: db} }

// Concurrency answers a request. CodeNotFound for a workflow that does not exist; CodeInvalid, with the
// field named as in the HTTP interface, for a window that ends before it begins, a template that the
// workflow does not have, and an answer beyond the bounds above.
func (t *Timeline) Concurrency(ctx context.Context, request Request) (Answer, error) {
	var answer Answer
	err := t.db.View(ctx, func(ctx context.Context, snapshot store.Snapshot) error {
		now, err := snapshot.Now(ctx)
		if err != nil {
			return err
		}
		workflow, err := snapshot.Workflow(ctx, request.WorkflowID)
		if err != nil {
			return err
		}
		known, err := snapshot.TemplateNames(ctx, request.WorkflowID)
		if err != nil {
			return err
		}
		series, err := chooseSeries(known, request.Templates)
		if err != nil {
			return err
		}
		window, err := chooseWindow(request, workflow, now, len(series.names))
		if err != nil {
			return err
		}
		answer.Templates = series.names
		answer.Result, err = count(ctx, snapshot, request, window, now, series)
		return err
	})
	return answer, err
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

// seriesOf says which series counts the tasks of a template.
type seriesOf struct {
	names []string
	index map[int64]int // by template id; -1 for one that was not asked for
}

// chooseSeries makes one series of each template name that is wanted, or of all.
func chooseSeries(known []store.TemplateName, wanted []string) (seriesOf, error) {
	series := seriesOf{names: namesOf(known), index: make(map[int64]int, len(known))}
	if len(wanted) > 0 {
		for _, name := range wanted {
			if _, exists := slices.BinarySearch(series.names, name); !exists {
				return seriesOf{}, jobmon.FieldErrorf("task_template_name", "the workflow has no task template %q", name)
			}
		}
		series.names = slices.Compact(slices.Sorted(slices.Values(wanted)))
	}
	for _, template := range known {
		i, chosen := slices.BinarySearch(series.names, template.Name)
		if !chosen {
			i = -1
		}
		series.index[template.ID] = i
	}
	return series, nil
}

// count lets the engine sweep the window: what was carried into it as sums, what happened in it row
// by row.
func count(
	ctx context.Context, snapshot store.Snapshot, request Request, window concurrency.Window, now int64, series seriesOf,
) (concurrency.Result, error) {
	// Rows after now exist where a clock was set back; nothing is known of that time yet.
	before := store.TransitionFilter{WorkflowID: request.WorkflowID, Before: min(window.Start, now+1)}
	within := store.TransitionFilter{WorkflowID: request.WorkflowID, From: window.Start, Before: min(window.End(), now+1)}
	rows, err := snapshot.CountTransitions(ctx,
		store.TransitionFilter{WorkflowID: request.WorkflowID, Before: max(before.Before, within.Before)}, MaxTransitions+1)
	if err != nil {
		return concurrency.Result{}, err
	}
	if rows > MaxTransitions {
		return concurrency.Result{}, jobmon.FieldErrorf("end",
			"workflow %d has more than %d transitions before the end of this window, too many to read for one answer; "+
				"ask for a window that ends earlier", request.WorkflowID, MaxTransitions)
	}
	sweep := concurrency.NewSweep(window, request.Statuses, len(series.names), now)
	sums, err := snapshot.SumTransitions(ctx, before)
	if err != nil {
		return concurrency.Result{}, err
	}
	for _, sum := range sums {
		i, err := series.of(sum.TaskTemplateID)
		if err != nil {
			return concurrency.Result{}, err
		}
		if i < 0 {
			continue
		}
		if err := sweep.Carry(i, sum.From, sum.To, sum.Count); err != nil {
			return concurrency.Result{}, err
		}
	}
	for row, err := range snapshot.Transitions(ctx, within) {
		if err != nil {
			return concurrency.Result{}, err
		}
		i, err := series.of(row.TaskTemplateID)
		if err != nil {
			return concurrency.Result{}, err
		}
		if i < 0 {
			continue
		}
		if err := sweep.Add(concurrency.Change{At: row.At, Series: i, From: row.From, To: row.To}); err != nil {
			return concurrency.Result{}, err
		}
	}
	return sweep.Result(), nil
}

func (s seriesOf) of(templateID int64) (int, error) {
	i, known := s.index[templateID]
	if !known {
		return 0, jobmon.Errorf(jobmon.CodeInternal, "the audit has rows of task template %d, of which the workflow has no task",
			templateID)
	}
	return i, nil
}
