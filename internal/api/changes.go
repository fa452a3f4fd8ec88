package api

import (
	"cmp"
	"context"
	"slices"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/timeline"
)

type changesRequest struct {
	WorkflowID       int64               `path:"workflow_id"`
	Start            *instant            `query:"start"`
	End              *instant            `query:"end"`
	TaskID           int64               `query:"task_id"`
	Templates        []string            `query:"task_template_name"`
	PreviousStatuses []jobmon.TaskStatus `query:"previous_status"`
	NewStatuses      []jobmon.TaskStatus `query:"new_status"`
	Order            order               `query:"order"`
	Limit            changesLimit        `query:"limit"`
	Cursor           string              `query:"cursor"`
}

// order is the order of a list.
type order string

const (
	ascending  order = "asc"
	descending order = "desc"
)

func (o *order) UnmarshalText(text []byte) error {
	return choose("order", []string{string(ascending), string(descending)}, text, (*string)(o))
}

// changesLimit is how many changes a page has; 0 means defaultChanges.
type changesLimit int

const (
	defaultChanges = 100
	maxChanges     = 1000
)

func (l *changesLimit) UnmarshalText(text []byte) error {
	return upTo("limit", maxChanges, text, (*int)(l))
}

// query identifies the list that the request asks for a page of.
func (request changesRequest) query() queryHash {
	return hashQuery("task_status_changes", request.WorkflowID, request.Start, request.End, request.TaskID,
		distinct(request.Templates), distinct(request.PreviousStatuses), distinct(request.NewStatuses), request.Order == descending)
}

// distinct returns items in one order and each once, so that it does not matter in which order, or how often, a
// filter's values were given.
func distinct[T string | jobmon.TaskStatus](items []T) []T {
	return slices.Compact(slices.Sorted(slices.Values(items)))
}

type changesAnswer struct {
	Changes    []change `json:"task_status_changes"`
	NextCursor *string  `json:"next_cursor"`
	RowsFrom   *instant `json:"rows_from"`
}

// change is a row of the audit. What is about the status that was left is null for the first row of a task.
type change struct {
	ID               int64              `json:"id"`
	TaskID           int64              `json:"task_id"`
	TaskName         string             `json:"task_name"`
	TaskTemplateName string             `json:"task_template_name"`
	PreviousStatus   *jobmon.TaskStatus `json:"previous_status"`
	NewStatus        jobmon.TaskStatus  `json:"new_status"`
	ChangedAt        instant            `json:"changed_at"`
	PreviousAt       *instant           `json:"previous_at"`
	DurationSeconds  *float64           `json:"duration_seconds"`
	StoredAt         instant            `json:"stored_at"`
}

func (s *server) taskStatusChanges(ctx context.Context, request changesRequest) (changesAnswer, error) {
	query := request.query()
	key, err := readCursor(request.Cursor, query, 2)
	if err != nil {
		return changesAnswer{}, err
	}
	asked := timeline.ChangesRequest{
		WorkflowID: request.WorkflowID, Start: (*int64)(request.Start), End: (*int64)(request.End), TaskID: request.TaskID,
		Templates: request.Templates, PreviousStatuses: request.PreviousStatuses, NewStatuses: request.NewStatuses,
		Descending: request.Order == descending, Limit: cmp.Or(int(request.Limit), defaultChanges),
	}
	if key != nil {
		asked.After = &store.ChangeKey{At: key[0], ID: key[1]}
	}
	found, err := s.Timeline.Changes(ctx, asked)
	answer := changesAnswer{Changes: make([]change, len(found.Rows)), RowsFrom: known(found.RowsFrom)}
	for i, row := range found.Rows {
		answer.Changes[i] = changeOf(row)
	}
	if next := found.Next; next != nil {
		answer.NextCursor = new(writeCursor(query, next.At, next.ID))
	}
	return answer, err
}

func changeOf(row store.StatusChange) change {
	c := change{
		ID: row.ID, TaskID: row.TaskID, TaskName: row.TaskName, TaskTemplateName: row.TaskTemplateName,
		NewStatus: row.To, ChangedAt: instant(row.At), StoredAt: instant(row.StoredAt),
	}
	if row.From != 0 {
		c.PreviousStatus, c.PreviousAt = &row.From, new(instant(row.PreviousAt))
		c.DurationSeconds = new(seconds(row.At - row.PreviousAt))
	}
	return c
}
