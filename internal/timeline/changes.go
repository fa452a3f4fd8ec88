package timeline

import (
	"context"
	"math"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// MaxLooked is how many rows of the audit a page of [Timeline.Changes] looks at. It is as much as a database
// reads in about a second.
const MaxLooked = 200_000

// ChangesRequest asks for a page of a workflow's audit in [Start, End); nil leaves that side open. A zero
// field after these selects all.
type ChangesRequest struct {
	WorkflowID       int64
	Start, End       *int64
	TaskID           int64
	Templates        []string
	PreviousStatuses []jobmon.TaskStatus
	NewStatuses      []jobmon.TaskStatus

	Descending bool             // the latest first
	After      *store.ChangeKey // where the page before ended; nil for the first page
	Limit      int              // how many rows the page has at most; 1 or more
}

// Changes is a page of a workflow's audit.
type Changes struct {
	Rows []store.StatusChange
	// Next is where the next page begins, nil when there is none. A page that is not the last may be short,
	// or empty: it ends after [MaxLooked] rows.
	Next *store.ChangeKey
	// RowsFrom is from when on rows are kept; 0 means ever since. What was before is not in the list.
	RowsFrom int64
}

// Changes lists the transitions of a workflow's tasks by (At, ID). CodeNotFound for a workflow that does not
// exist; CodeInvalid, with the field named as in the HTTP interface, for a start or an end before what is
// kept, an end that is not after the start, and a task or a template that the workflow does not have.
func (t *Timeline) Changes(ctx context.Context, request ChangesRequest) (Changes, error) {
	var changes Changes
	err := t.db.View(ctx, func(ctx context.Context, snapshot store.Snapshot) error {
		if _, err := snapshot.Workflow(ctx, request.WorkflowID); err != nil {
			return err
		}
		horizon, err := snapshot.Horizon(ctx, request.WorkflowID)
		if err != nil {
			return err
		}
		filter, err := request.filter(ctx, snapshot, horizon.RowsFrom)
		if err != nil {
			return err
		}
		changes.RowsFrom = horizon.RowsFrom
		changes.Rows, changes.Next, err = snapshot.StatusChanges(ctx, filter, store.ChangePage{
			Descending: request.Descending, After: request.After, Limit: request.Limit, Look: MaxLooked,
		})
		return err
	})
	return changes, err
}

// filter says which rows are asked for. Rows from before rowsFrom may still be there, and are no longer
// complete.
func (r ChangesRequest) filter(ctx context.Context, snapshot store.Snapshot, rowsFrom int64) (store.ChangeFilter, error) {
	filter := store.ChangeFilter{
		WorkflowID: r.WorkflowID, From: rowsFrom, Before: math.MaxInt64, TaskID: r.TaskID,
		PreviousStatuses: r.PreviousStatuses, NewStatuses: r.NewStatuses,
	}
	if r.Start != nil {
		filter.From = *r.Start
	}
	if r.End != nil {
		filter.Before = *r.End
	}
	switch {
	case r.Start != nil && r.End != nil && *r.End <= *r.Start:
		return filter, jobmon.FieldErrorf("end", "end must be after start")
	case filter.From < rowsFrom:
		return filter, jobmon.FieldErrorf("start", "transitions are kept from rows_from, %s, on; ask for a later start, or leave "+
			"start out for all that are kept", text(rowsFrom))
	case filter.Before <= rowsFrom && rowsFrom > 0:
		return filter, jobmon.FieldErrorf("end", "transitions are kept from rows_from, %s, on; ask for a later end", text(rowsFrom))
	}
	if err := r.checkTask(ctx, snapshot); err != nil || len(r.Templates) == 0 {
		return filter, err
	}
	known, err := snapshot.TemplateNames(ctx, r.WorkflowID)
	if err != nil {
		return filter, err
	}
	series, err := chooseSeries(known, r.Templates)
	filter.TaskTemplateIDs = series.templateIDs()
	return filter, err
}

// checkTask refuses a task of another workflow: no row at all would look like a task to which nothing
// happened.
func (r ChangesRequest) checkTask(ctx context.Context, snapshot store.Snapshot) error {
	if r.TaskID == 0 {
		return nil
	}
	for task, err := range snapshot.Tasks(ctx, store.TaskFilter{IDs: []int64{r.TaskID}}) {
		if err != nil {
			return err
		}
		if task.WorkflowID == r.WorkflowID {
			return nil
		}
	}
	return jobmon.FieldErrorf("task_id", "workflow %d has no task %d", r.WorkflowID, r.TaskID)
}
