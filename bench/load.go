package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"tasktide/internal/api"
	"tasktide/internal/demo"
	"tasktide/internal/jobmon"
	"tasktide/internal/store/sqlstore"
	"tasktide/internal/store/testdb"
	"tasktide/internal/upkeep"
)

// The tasks are those of a few workflows, which are driven at the same time: tasks are bound and queued while
// others of the same workflow, and of others, are reported.
const (
	loadWorkflows = 4
	loadWorkers   = 3 // of each, beside the one client that binds, queues and launches
	loadTemplates = 10
	loadTasks     = 10_000
	loadTasksFew  = 1_000
	loadShare     = 4 // one task of so many may be active at once

	loadReaders = 4
	// readerEvery is how often each of them asks something.
	readerEvery = 500 * time.Millisecond
	// clientPatience is how long JobMon's client waits for an answer.
	clientPatience = 20 * time.Second
	// loadTime bounds the load on one database.
	loadTime = 5 * time.Minute

	// Rows of the audit: of a task that is bound, queued, instantiated, launched, running and done, and of an
	// attempt between that fails, after which its task is registering again.
	rowsOfTask  = 6
	rowsOfRetry = 6
)

// loaded is what the load on one database came to.
type loaded struct {
	database       testdb.Kind
	tasks, retries int
	took           time.Duration
	states, charts latencies
	contention     sqlstore.Contention
	rows           int64 // of the audit
}

// loadTest is the load on one database.
type loadTest struct {
	server         *process
	tasks          int
	states, charts *meter
}

// measureLoad fills the page's part about the load.
func measureLoad(ctx context.Context, o options, page *report, progress io.Writer) (err error) {
	directory, err := os.MkdirTemp("", "tasktide-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	binary, err := build(ctx, directory)
	if err != nil {
		return err
	}
	tasks := loadTasks
	if o.quick {
		tasks = loadTasksFew
	}
	for _, kind := range o.databases {
		one, err := loadOne(ctx, binary, kind, o.media[0].directory, tasks, page, progress)
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		page.loads = append(page.loads, one)
	}
	return nil
}

// loadOne starts a server over an empty database, puts the load on it, and verifies what it has stored.
func loadOne(
	ctx context.Context, binary string, kind testdb.Kind, directory string, tasks int, page *report, progress io.Writer,
) (one loaded, err error) {
	ctx, cancel := context.WithTimeout(ctx, loadTime)
	defer cancel()
	at, stop, err := place(kind, directory) //nolint:contextcheck // a server is started to its end, and stopped
	if err != nil {
		return one, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	databaseURL, err := at(ctx, "bench_load")
	if err != nil {
		return one, err
	}
	t := &loadTest{tasks: tasks, states: newMeter(), charts: newMeter()}
	if t.server, err = start(ctx, binary, databaseURL); err != nil {
		return one, err
	}
	one, err = t.run(ctx)
	one.database = kind
	for _, m := range []*meter{t.states, t.charts} {
		for _, failure := range m.failures {
			_, failed := fmt.Fprintf(progress, "load: %s: failed: %s\n", names[kind], failure)
			err = errors.Join(err, failed)
		}
	}
	if err = errors.Join(err, t.server.stop()); err != nil {
		return one, err
	}
	version, err := one.verify(ctx, databaseURL)
	if err != nil {
		return one, err
	}
	page.know(kind, version)
	_, err = fmt.Fprintf(progress, "load: %s: %s; states %s, the slowest %s; charts %s, the slowest %s\n", names[kind], one,
		one.states, t.states.slowest, one.charts, t.charts.slowest)
	return one, err
}

func newMeter() *meter {
	return &meter{next: &http.Transport{MaxIdleConnsPerHost: loadWorkflows * (1 + loadWorkers)}}
}

// run drives the workflows while readers read, and returns what it came to.
func (t *loadTest) run(ctx context.Context) (one loaded, err error) {
	driven := make([]demo.Driven, loadWorkflows)
	driving, within := errgroup.WithContext(ctx)
	reading, readers := errgroup.WithContext(ctx)
	over := make(chan struct{})
	begun := time.Now()
	for i := range loadWorkflows {
		driving.Go(func() (err error) {
			perTemplate := t.tasks / loadWorkflows / loadTemplates
			driven[i], err = demo.Drive(within, demo.Config{
				BaseURL: t.server.address + "/api/v3", Seed: seed, Templates: loadTemplates, TasksPerTemplate: perTemplate,
				MaxConcurrentlyRunning: perTemplate * loadTemplates / loadShare, Transport: t.states,
			}, i+1, loadWorkers)
			return err
		})
	}
	for i := range loadReaders {
		reading.Go(func() error { return t.read(readers, i, over) })
	}
	err = driving.Wait()
	one.took = time.Since(begun)
	close(over)
	if err = errors.Join(err, reading.Wait()); err != nil {
		return one, err
	}
	for _, workflow := range driven {
		one.tasks += workflow.Tasks
		one.retries += workflow.Retries
	}
	one.states, one.charts = t.states.sum(one.took), t.charts.sum(one.took)
	if one.tasks != t.tasks {
		return one, fmt.Errorf("%d tasks were driven, not %d", one.tasks, t.tasks)
	}
	if err := t.compare(ctx, driven); err != nil {
		return one, err
	}
	var health struct{ Writes api.WriteHealth }
	err = t.ask(ctx, "/api/v2/health", &health)
	one.contention = sqlstore.Contention{Retried: health.Writes.Retried, Reported: health.Writes.GivenUp}
	return one, err
}

// listed is what is read of the list of workflows.
type listed struct {
	Workflows []struct {
		ID       int64                 `json:"id"`
		Status   jobmon.WorkflowStatus `json:"status"`
		Activity struct {
			Tasks map[jobmon.TaskStatus]int `json:"tasks"`
		} `json:"activity"`
	} `json:"workflows"`
}

const listPath = "/api/v2/workflows?activity=true"

// read asks one thing after the other, as somebody does who looks at the list of workflows and then at one of
// them, until the load is over. An answer that fails is noted by the meter and does not end it.
func (t *loadTest) read(ctx context.Context, reader int, over <-chan struct{}) error {
	client := &http.Client{Transport: t.charts}
	rest := time.NewTicker(readerEvery)
	defer rest.Stop()
	var list listed
	for turn := 0; ; turn++ {
		select {
		case <-rest.C:
		case <-over:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
		path := listPath
		if n := len(list.Workflows); n > 0 && turn%3 > 0 {
			path = fmt.Sprintf("/api/v2/workflow/%d/", list.Workflows[reader%n].ID)
			if turn%3 == 1 {
				path += "task_concurrency?time_range=1h&granularity=auto&format=columns&stat=mean"
			} else {
				path += "tasks?at=" + url.QueryEscape(time.Now().Add(-time.Second).UTC().Format(time.RFC3339Nano))
			}
		}
		var body bytes.Buffer
		if _, err := fetch(ctx, client, t.server.address+path, "identity", &body); err != nil || path != listPath {
			continue
		}
		if err := json.Unmarshal(body.Bytes(), &list); err != nil {
			return err
		}
	}
}

// ask requests a path and decodes the answer.
func (t *loadTest) ask(ctx context.Context, path string, answer any) error {
	var body bytes.Buffer
	if _, err := fetch(ctx, http.DefaultClient, t.server.address+path, "identity", &body); err != nil {
		return err
	}
	return json.Unmarshal(body.Bytes(), answer)
}

// compare returns an error unless the server says of each workflow that it is done with all of its tasks.
func (t *loadTest) compare(ctx context.Context, driven []demo.Driven) error {
	var list listed
	if err := t.ask(ctx, listPath, &list); err != nil {
		return err
	}
	tasks := map[int64]int{}
	for _, workflow := range list.Workflows {
		if workflow.Status == jobmon.WorkflowDone {
			tasks[workflow.ID] = workflow.Activity.Tasks[jobmon.TaskDone]
		}
	}
	for _, workflow := range driven {
		if tasks[workflow.WorkflowID] != workflow.Tasks {
			return fmt.Errorf("%d tasks of workflow %d are done, not %d", tasks[workflow.WorkflowID], workflow.WorkflowID, workflow.Tasks)
		}
	}
	return nil
}

// verify returns an error unless the audit is whole and has every move that was told done, and no other. It
// returns the database's version.
func (l *loaded) verify(ctx context.Context, databaseURL string) (version string, err error) {
	opened, err := l.database.OpenURL(ctx, databaseURL)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	report, err := upkeep.NewVerifier(opened, slog.New(slog.DiscardHandler)).All(ctx, nil)
	if err != nil {
		return "", err
	}
	l.rows = report.Rows
	if want := int64(rowsOfTask*l.tasks + rowsOfRetry*l.retries); report.Found > 0 || report.Covered != int64(l.tasks) || l.rows != want {
		return "", fmt.Errorf("the audit tells of %d tasks of %d, has %d rows, not %d, and %d defects: %v", report.Covered, l.tasks,
			l.rows, want, report.Found, report.Defects)
	}
	return versionOf(ctx, l.database, opened)
}
