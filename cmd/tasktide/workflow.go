package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"text/tabwriter"
	"time"

	"tasktide/internal/chart"
	"tasktide/internal/client"
	"tasktide/internal/jobmon"
)

type workflowCommand struct {
	List workflowListCommand `cmd:"" help:"List workflows, latest first."`
	Show workflowShowCommand `cmd:"" help:"Show one workflow and its task templates."`
}

// Help is shown under the command's --help.
func (workflowCommand) Help() string {
	return `Examples:

    tasktide workflow list --status RUNNING
    tasktide workflow show 17 --json`
}

type workflowListCommand struct {
	sourceFlags
	outputFlags

	Search string `placeholder:"TEXT" help:"Only workflows with this text in their name."`
	Status string `placeholder:"STATUS" help:"Only workflows with this status: a letter or a name, such as D or DONE."`
	Limit  int    `default:"50" placeholder:"N" help:"List at most so many, 1 to 200 (${default})."`
	Cursor string `placeholder:"TEXT" help:"Continue where a page ended: its next_cursor."`
}

// Help is shown under the command's --help.
func (workflowListCommand) Help() string {
	return `With --json, prints the answer of GET /api/v2/workflows. With --quiet, prints the ids.

Examples:

    tasktide workflow list
    tasktide workflow list --search nightly --limit 200
    TASKTIDE_TOKEN_FILE=~/.tasktide-token tasktide workflow list --server https://tasktide.example.org --json`
}

// Run lists workflows.
func (c workflowListCommand) Run(ctx context.Context, t *terminal) (err error) {
	ctx, source, closeSource, err := c.open(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeSource()) }()
	query := url.Values{"limit": {strconv.Itoa(c.Limit)}}
	for name, value := range map[string]string{"search": c.Search, "status": c.Status, "cursor": c.Cursor} {
		if value != "" {
			query.Set(name, value)
		}
	}
	page, document, err := source.Workflows(ctx, query)
	if err != nil {
		return err
	}
	if page.NextCursor != nil {
		defer t.sayf("There are more: continue with --cursor %s, or list more with --limit.\n", *page.NextCursor)
	}
	return t.result(document, func() error {
		if t.quiet {
			for _, workflow := range page.Workflows {
				if _, err := fmt.Fprintln(t.out, workflow.ID); err != nil {
					return err
				}
			}
			return nil
		}
		table := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tSTATUS\tTOOL\tUSER\tFIRST CHANGE\tLAST CHANGE\tNAME")
		for _, w := range page.Workflows {
			fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", w.ID, w.StatusName, printable(w.Tool), userOf(w),
				secondOf(w.FirstTransitionAt), secondOf(w.LastTransitionAt), printable(w.Name))
		}
		return table.Flush()
	})
}

func userOf(w client.Workflow) string {
	if w.User == nil {
		return "-"
	}
	return printable(*w.User)
}

func secondOf(at *time.Time) string {
	if at == nil {
		return "-"
	}
	return at.UTC().Format(time.RFC3339)
}

type workflowShowCommand struct {
	sourceFlags
	outputFlags

	ID int64 `arg:"" help:"Its id, as listed."`
}

// Help is shown under the command's --help.
func (workflowShowCommand) Help() string {
	return `With --json, prints the answer of GET /api/v2/workflows/ID, and the names of the workflow's templates as
task_templates.

Examples:

    tasktide workflow show 17
    tasktide workflow show 17 --json | jq -r .task_templates[]`
}

// shownWorkflow is the document of the command.
type shownWorkflow struct {
	client.Workflow

	TaskTemplates []string `json:"task_templates"`
}

// Run shows a workflow.
func (c workflowShowCommand) Run(ctx context.Context, t *terminal) (err error) {
	ctx, source, closeSource, err := c.open(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeSource()) }()
	workflow, _, err := source.Workflow(ctx, c.ID)
	if err != nil {
		return err
	}
	templates, err := source.Templates(ctx, c.ID)
	if err != nil {
		return err
	}
	return t.result(shownWorkflow{workflow, templates}, func() error {
		table := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
		instant := func(at *time.Time) string {
			if at == nil {
				return "-"
			}
			return chart.Instant(*at)
		}
		limit := "none"
		if workflow.MaxConcurrentlyRunning > 0 && workflow.MaxConcurrentlyRunning < jobmon.NoLimit {
			limit = chart.Number(float64(workflow.MaxConcurrentlyRunning))
		}
		for _, row := range [][2]string{
			{"id", strconv.FormatInt(workflow.ID, 10)},
			{"name", printable(workflow.Name)},
			{"tool", printable(workflow.Tool)},
			{"user", userOf(workflow)},
			{"status", workflow.StatusName},
			{"created", instant(workflow.CreatedAt)},
			{"first change", instant(workflow.FirstTransitionAt)},
			{"last change", instant(workflow.LastTransitionAt)},
			{"limit", limit},
		} {
			fmt.Fprintf(table, "%s\t%s\n", row[0], row[1])
		}
		for i, name := range templates {
			label := ""
			if i == 0 {
				label = "templates"
			}
			fmt.Fprintf(table, "%s\t%s\n", label, printable(name))
		}
		return table.Flush()
	})
}
