package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"tasktide/internal/store"
	sizes "tasktide/internal/workload"
)

// question is something that people ask of a chart beside its numbers, through HTTP.
type question struct {
	what string
	path func(s subject) string
	// within is how long it may take for workload L, if that was set.
	within time.Duration
}

// subject is what is asked about: a workflow that is over, and one of its tasks.
type subject struct {
	workflow, task int64
	span           time.Duration // of the workflow, which ends at end
}

// in returns an instant at a share of the workflow's life.
func (s subject) in(share float64) string {
	before := time.Duration(float64(s.span) * (1 - share)).Truncate(time.Second)
	return url.QueryEscape(end.Add(-before).Format(time.RFC3339))
}

func (s subject) of(format string, args ...any) string {
	return fmt.Sprintf("/api/v2/workflow/%d/%s", s.workflow, fmt.Sprintf(format, args...))
}

// whole is the workflow's life as the parameters of a window.
func (s subject) whole() string { return "start=" + s.in(0) + "&end=" + s.in(1) }

// tasksWithin is how long the tasks behind a count may take.
const tasksWithin = 200 * time.Millisecond

func questions() []question {
	return []question{
		{what: "all of it in columns, with limits, the first 10 templates and Other", path: func(s subject) string {
			return s.of("task_concurrency?format=columns&stat=mean&granularity=auto&top=10&%s", s.whole())
		}},
		{what: "the same, with attempts after the first told apart", path: func(s subject) string {
			return s.of("task_concurrency?format=columns&stat=mean&granularity=auto&top=10&split=attempt&%s", s.whole())
		}},
		{what: "what became of the tasks of each template", path: func(s subject) string { return s.of("templates") }},
		{what: "all of it as a table, by the hour", path: func(s subject) string {
			return s.of("task_concurrency?format=csv&stat=mean&granularity=1h&%s", s.whole())
		}},
		{what: "compared with itself", path: func(s subject) string {
			return s.of("compare?with=%d&stat=mean", s.workflow)
		}},
		{what: "the tasks RUNNING in its middle", within: tasksWithin, path: func(s subject) string {
			return s.of("tasks?at=%s", s.in(0.5))
		}},
		{what: "the tasks ACTIVE in its middle", within: tasksWithin, path: func(s subject) string {
			return s.of("tasks?status=ACTIVE&at=%s", s.in(0.5))
		}},
		{what: "the tasks QUEUED soon after its start", within: tasksWithin, path: func(s subject) string {
			return s.of("tasks?status=Q&at=%s", s.in(0.01))
		}},
		{what: "the tasks REGISTERING in its middle", within: tasksWithin, path: func(s subject) string {
			return s.of("tasks?status=G&at=%s", s.in(0.5))
		}},
		{what: "the tasks DONE in its middle", within: tasksWithin, path: func(s subject) string {
			return s.of("tasks?status=D&at=%s", s.in(0.5))
		}},
		{what: "the tasks DONE now", within: tasksWithin, path: func(s subject) string { return s.of("tasks?status=D") }},
		{what: "100 status changes", path: func(s subject) string { return s.of("task_status_changes?start=%s", s.in(0.5)) }},
		{what: "100 status changes to ERROR_FATAL", path: func(s subject) string {
			return s.of("task_status_changes?new_status=F&start=%s", s.in(0.5))
		}},
		{what: "the history of a task", path: func(s subject) string {
			return fmt.Sprintf("/api/v2/task/%d/status_history", s.task)
		}},
		{what: "the suspects", path: func(s subject) string { return s.of("suspects") }},
		{what: "the list of workflows, with what they do", path: func(subject) string { return "/api/v2/workflows?activity=true" }},
	}
}

// timeQuestions times all of them on every database.
func (r *readSide) timeQuestions(ctx context.Context, p *population) error {
	size, err := sizes.ParseSize(p.name)
	if err != nil {
		return err
	}
	about := make([]subject, len(r.beds))
	for i, b := range r.beds {
		about[i] = subject{workflow: p.workflow[b.kind], span: size.Span}
		err := b.store.View(ctx, func(ctx context.Context, snapshot store.Snapshot) (err error) {
			_, about[i].task, err = snapshot.TaskIDs(ctx, about[i].workflow)
			return err
		})
		if err != nil {
			return err
		}
		if about[i].task == 0 {
			return errors.New("the workload has no task")
		}
	}
	for _, q := range questions() {
		var all []contestant
		for i, b := range r.beds {
			path := q.path(about[i])
			all = append(all, contestant{name: names[b.kind], run: func(ctx context.Context) error { return b.web.read(ctx, path) }})
		}
		if err := r.time(ctx, q.in(p.name), all); err != nil {
			return err
		}
	}
	return nil
}

// in is what the timings of a question about a workload are kept under.
func (q question) in(size string) string { return size + ", " + q.what }

func (p *readPage) writeQuestions(w io.Writer) {
	fmt.Fprint(w, `
## What people ask of a chart

Through HTTP, read to the end over loopback; nothing keeps answers. The workflow is the largest of its workload; a
page of tasks has 100, and of workflows 50.
`)
	columns := []string{"question"}
	for _, kind := range p.databases {
		columns = append(columns, names[kind])
	}
	writeHead(w, columns, 1)
	for _, size := range p.sizes {
		for _, q := range questions() {
			fmt.Fprintf(w, "| %s |", q.in(size))
			for _, kind := range p.databases {
				fmt.Fprintf(w, " %s |", p.times[figure{q.in(size), names[kind]}])
			}
			fmt.Fprintln(w)
		}
	}
}

// questionBars adds what was to be reached on L.
func (p *readPage) questionBars(all []reached) []reached {
	for _, q := range questions() {
		for _, kind := range p.databases {
			if q.within > 0 {
				all = p.timeBar(all, q.in("L"), names[kind], figure{q.in("L"), names[kind]}, q.within)
			}
		}
	}
	return all
}
