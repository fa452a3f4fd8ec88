package api

import (
	"cmp"
	"context"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/timeline"
)

type tasksAtRequest struct {
	WorkflowID int64         `path:"workflow_id"`
	At         *instant      `query:"at"`
	Statuses   []statusUnion `query:"status"`
	Templates  []string      `query:"task_template_name"`
	Limit      tasksLimit    `query:"limit"`
	Cursor     string        `query:"cursor"`
}

// tasksLimit is how many tasks a page has; 0 means defaultTasks.
type tasksLimit int

const defaultTasks = 100

func (l *tasksLimit) UnmarshalText(text []byte) error {
	return upTo("limit", timeline.MaxTasks, text, (*int)(l))
}

type tasksAtAnswer struct {
	WorkflowID  int64               `json:"workflow_id"`
	At          instant             `json:"at"`
	Statuses    []jobmon.TaskStatus `json:"statuses"`
	Level       int64               `json:"level"`
	Tasks       []taskAt            `json:"tasks"`
	NextCursor  *string             `json:"next_cursor"`
	GeneratedAt instant             `json:"generated_at"`
	RowsFrom    *instant            `json:"rows_from"`
}

type taskAt struct {
	ID               int64             `json:"id"`
	Name             string            `json:"name"`
	TaskTemplateName string            `json:"task_template_name"`
	Status           jobmon.TaskStatus `json:"status"`
	StatusName       string            `json:"status_name"`
	Since            instant           `json:"since"`
	Until            *instant          `json:"until"`         // null while the task still is in the status
	Seconds          float64           `json:"seconds"`       // from since to at
	TotalSeconds     *float64          `json:"total_seconds"` // from since to until
	Attempt          *int64            `json:"attempt"`
	Nodename         *string           `json:"nodename"`
}

// tasksAt answers which tasks were in a status at an instant.
func (s *server) tasksAt(ctx context.Context, request tasksAtRequest) (tasksAtAnswer, error) {
	asked := timeline.TasksRequest{
		WorkflowID: request.WorkflowID, At: (*int64)(request.At), Templates: request.Templates,
		Statuses: union(request.Statuses), Limit: cmp.Or(int(request.Limit), defaultTasks),
	}
	query := hashQuery("tasks", asked.WorkflowID, asked.Statuses, distinct(asked.Templates))
	after, err := readCursor(request.Cursor, query, 3)
	if err != nil {
		return tasksAtAnswer{}, err
	}
	if after != nil {
		if asked.At != nil && *asked.At != after[0] {
			return tasksAtAnswer{}, jobmon.FieldErrorf("cursor", "cursor belongs to the tasks at %s; leave at out, "+
				"or leave cursor out to begin with the first page of another instant", instant(after[0]))
		}
		asked.At, asked.After = &after[0], store.StayKey{Since: after[1], TaskID: after[2]}
	}
	found, err := s.Timeline.Tasks(ctx, asked)
	if err != nil {
		return tasksAtAnswer{}, err
	}
	answer := tasksAtAnswer{
		WorkflowID: request.WorkflowID, At: instant(found.At), Statuses: asked.Statuses.Statuses(), Level: found.Level,
		Tasks: make([]taskAt, len(found.Tasks)), GeneratedAt: instant(found.Now), RowsFrom: known(found.RowsFrom),
	}
	for i, task := range found.Tasks {
		answer.Tasks[i] = taskAtOf(task, found.At)
	}
	if next := found.Next; next != nil {
		answer.NextCursor = new(writeCursor(query, found.At, next.Since, next.TaskID))
	}
	return answer, nil
}

func taskAtOf(found timeline.TaskAt, at int64) taskAt {
	task := taskAt{
		ID: found.TaskID, Name: found.Name, TaskTemplateName: found.Template,
		Status: found.Status, StatusName: found.Status.Name(), Since: instant(found.Since), Until: known(found.Until),
		Seconds: seconds(at - found.Since),
	}
	if found.Attempt != 0 {
		task.Attempt = &found.Attempt
	}
	if found.Until != 0 {
		task.TotalSeconds = new(seconds(found.Until - found.Since))
	}
	if found.Nodename != "" {
		task.Nodename = &found.Nodename
	}
	return task
}
