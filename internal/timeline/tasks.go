package timeline

import (
	"context"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// MaxTasks is how many tasks a page of a list may hold.
const MaxTasks = 1_000

// TasksRequest asks for the tasks of one workflow that were in some statuses at an instant.
type TasksRequest struct {
	WorkflowID int64
	At         *int64 // nil means now
	Templates  []string
	Statuses   concurrency.StatusSet
	Limit      int           // tasks of a page; more than MaxTasks are not told
	After      store.StayKey // the page begins after it; the first page after nothing
}

// TasksAnswer is a page of a list of tasks: those that had been in their status for longest first, then by id.
// What commits between two pages shows no task twice, and hides none that was there before and after it.
type TasksAnswer struct {
	At int64
	// Level is how many tasks were in the statuses at At, as everything else here counts them. The pages hold
	// as many. Where they do not, the audit is broken: they tell what was found all the same.
	Level int64
	Tasks []TaskAt
	Next  *store.StayKey // what the next page is after; nil when there is none
	Now   int64
	// RowsFrom is from when on tasks can be listed; 0 means ever since. It is a whole hour.
	RowsFrom int64
}

// TaskAt is a task at an instant, with the whole of the stay in a status that contains it.
type TaskAt struct {
	store.Stay

	Name     string
	Template string
	// Attempt is as in [TaskStay].
	Attempt int64
	// Nodename is where that attempt ran, empty when nobody said so.
	Nodename string
}

// Tasks lists the tasks that were in some statuses at an instant. CodeNotFound for a workflow that does not
// exist; CodeInvalid, with the field named as in the HTTP interface, for an instant that lies in the future,
// before the rows that are kept, or too far from what tells of it, and for a template that the workflow does
// not have; CodeUnavailable when too much is not summed up yet.
func (t *Timeline) Tasks(ctx context.Context, request TasksRequest) (TasksAnswer, error) {
	var answer TasksAnswer
	err := t.view(ctx, func(ctx context.Context, snapshot store.Snapshot, found *damage) (err error) {
		answer, err = listTasks(ctx, snapshot, found, request)
		return err
	})
	return answer, err
}

func listTasks(ctx context.Context, snapshot store.Snapshot, found *damage, request TasksRequest) (TasksAnswer, error) {
	q, err := askTasks(ctx, snapshot, found, request)
	if err != nil {
		return TasksAnswer{}, err
	}
	answer := TasksAnswer{At: q.window.Start - 1, Now: q.now, RowsFrom: q.horizon.RowsFrom}
	var sum *level
	err = read(ctx, snapshot, q, func() counter {
		sum = &level{statuses: q.statuses}
		return sum
	})
	if err != nil {
		return answer, err
	}
	answer.Level = sum.tasks
	most := min(request.Limit, MaxTasks)
	s := search{
		snapshot: snapshot,
		filter: store.StayFilter{
			WorkflowID: q.workflow.ID, At: answer.At, Statuses: q.statuses.Statuses(), TaskTemplateIDs: q.series.templateIDs(),
		},
		after: request.After, most: most + 1, // one more than a page shows whether there is another
		level: answer.Level, first: q.workflow.FirstAt, last: q.workflow.LastAt,
		whole: q.horizon.FirstAt == 0 || request.After.Since >= q.horizon.RowsFrom,
		rows:  MaxTransitions, strideRows: strideRows, headStart: headStart,
	}
	stays, err := s.page(ctx)
	if err != nil {
		return answer, err
	}
	if len(stays) > most {
		stays = stays[:most]
		if most > 0 {
			answer.Next = new(stays[most-1].Key())
		}
	}
	answer.Tasks, err = describe(ctx, snapshot, answer.At, stays, q.templates)
	return answer, err
}

// askTasks asks about the level at an instant: that before the window that begins right after it, which is
// empty.
func askTasks(ctx context.Context, snapshot store.Snapshot, found *damage, request TasksRequest) (*question, error) {
	q, err := begin(ctx, snapshot, found, request.WorkflowID, request.Statuses, request.Templates)
	if err != nil {
		return nil, err
	}
	at := q.now
	if request.At != nil {
		at = *request.At
	}
	switch {
	case at > q.now:
		return nil, jobmon.FieldErrorf("at", "at lies in the future; leave it out to ask for now, or ask for an earlier instant")
	case at < q.horizon.RowsFrom:
		return nil, jobmon.FieldErrorf("at", "tasks can be listed from rows_from, %s, on: the transitions before it are removed; "+
			"ask for a later instant", text(q.horizon.RowsFrom))
	}
	q.window = concurrency.Window{Start: at + 1, Bucket: minute}
	return q, q.readMarks(ctx, snapshot)
}

// level is a [counter] of the tasks that are in a set of statuses in the end.
type level struct {
	statuses concurrency.StatusSet
	tasks    int64
}

// CarryLevel implements [counter].
func (l *level) CarryLevel(_ int, delta int64) error {
	l.tasks += delta
	return nil
}

// AddCells implements [counter].
func (l *level) AddCells(_, _ int64, entries []concurrency.Entry) error {
	for i := range entries { // by index: an entry is long
		if entries[i].Series != concurrency.Total {
			l.tasks += entries[i].Delta
		}
	}
	return nil
}

// Add implements [counter].
func (l *level) Add(c concurrency.Change) error {
	l.tasks += l.statuses.Delta(c.From, c.To)
	return nil
}
