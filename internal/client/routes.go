package client

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/url"
	"strconv"
	"time"

	"tasktide/internal/chart"
)

// Workflow is a workflow as the routes answer it.
type Workflow struct {
	ID                     int64      `json:"id"`
	Name                   string     `json:"name"`
	Tool                   string     `json:"tool"`
	User                   *string    `json:"user"`
	Status                 string     `json:"status"` // its letter
	StatusName             string     `json:"status_name"`
	CreatedAt              *time.Time `json:"created_at"`
	StatusAt               *time.Time `json:"status_at"`
	FirstTransitionAt      *time.Time `json:"first_transition_at"` // nil before the first
	LastTransitionAt       *time.Time `json:"last_transition_at"`
	Active                 bool       `json:"active"`
	MaxConcurrentlyRunning int64      `json:"max_concurrently_running"`
}

// Workflows is a page of workflows. NextCursor is nil on the last.
type Workflows struct {
	Workflows  []Workflow `json:"workflows"`
	NextCursor *string    `json:"next_cursor"`
}

// Workflows requests a page of workflows, latest first, and returns it as it was answered too.
func (c *Client) Workflows(ctx context.Context, query url.Values) (Workflows, json.RawMessage, error) {
	var page Workflows
	document, err := c.into(ctx, "/api/v2/workflows", query, &page)
	return page, document, err
}

// Workflow requests one workflow, and returns it as it was answered too.
func (c *Client) Workflow(ctx context.Context, id int64) (Workflow, json.RawMessage, error) {
	var workflow Workflow
	document, err := c.into(ctx, "/api/v2/workflows/"+strconv.FormatInt(id, 10), nil, &workflow)
	return workflow, document, err
}

// Templates requests the names of the templates of a workflow.
func (c *Client) Templates(ctx context.Context, id int64) ([]string, error) {
	var answer struct {
		TaskTemplates []string `json:"task_templates"`
	}
	_, err := c.into(ctx, workflowPath(id, "task_templates"), nil, &answer)
	return answer.TaskTemplates, err
}

// Concurrency requests columns, and returns them as they were answered too. The query is that of the route.
func (c *Client) Concurrency(ctx context.Context, id int64, query url.Values) (chart.Answer, json.RawMessage, error) {
	var answer chart.Answer
	document, err := c.into(ctx, workflowPath(id, "task_concurrency"), with(query, "columns"), &answer)
	if err == nil {
		if damaged := answer.Check(); damaged != nil {
			err = c.notTasktide(damaged.Error())
		}
	}
	return answer, document, err
}

// Table requests the table of the route and writes it to out as it comes.
func (c *Client) Table(ctx context.Context, id int64, query url.Values, out io.Writer) error {
	return c.Copy(ctx, workflowPath(id, "task_concurrency"), with(query, "csv"), out)
}

func with(query url.Values, format string) url.Values {
	all := url.Values{"format": {format}}
	maps.Copy(all, query)
	return all
}

func (c *Client) into(ctx context.Context, path string, query url.Values, answer any) (json.RawMessage, error) {
	document, err := c.Get(ctx, path, query)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(document, answer); err != nil {
		return nil, c.notTasktide(err.Error())
	}
	return document, nil
}
