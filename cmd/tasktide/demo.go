package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"tasktide/internal/demo"
	"tasktide/internal/jobmon"
	"tasktide/internal/ledger"
	"tasktide/internal/store"
)

const (
	// demoSeed makes every demo show the same history.
	demoSeed = 1
	// abandonedAfter is how long the run lives whose tasks are suspect then.
	abandonedAfter = 20 * time.Second
)

type demoCommand struct {
	serverFlags
}

// Help is shown under the command's --help.
func (demoCommand) Help() string {
	return `Makes up a day of runs in a temporary database, drives one more run live through JobMon's own
state routes, and another that soon dies and leaves tasks behind which still count as running, and
serves all of it until it is interrupted. Nothing of it is kept.

Examples:

    tasktide demo
    tasktide demo --listen 127.0.0.1:0`
}

// interrupted says nothing: a signal is the way to end the demo.
func (demoCommand) interrupted() string { return "" }

// Run serves the demo until ctx ends.
func (c demoCommand) Run(ctx context.Context, t *terminal) (err error) {
	ctx, stopTracing, err := startTracing(ctx, t.log)
	if err != nil {
		return err
	}
	defer stopTracing()
	directory, err := os.MkdirTemp("", "tasktide-demo-")
	if err != nil {
		return jobmon.Errorf(jobmon.CodeUnavailable, "no temporary directory can be made: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	db, err := databaseFlag{sqliteURL(filepath.Join(directory, "demo.db"))}.open(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	server, err := newServer(ctx, c.serverFlags, db, nil, defaultCache(), retentionFlags{}, t, nil)
	if err != nil {
		return err
	}
	run, err := loadHistory(ctx, db, t.log)
	if err != nil {
		return errors.Join(err, server.listener.Close())
	}
	server.http.Handler = c.BasePath.serve(c.BasePath.opensOn(run, filepath.Base(directory), server.http.Handler))

	// The simulator is a client of the server: it ends before the server does.
	serving, stopServing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopServing()
	simulating, stopSimulating := context.WithCancel(ctx)
	defer stopSimulating()
	config := demo.Config{BaseURL: server.url() + "/api/v3", Seed: demoSeed, Log: t.log}
	simulator := demo.NewSimulator(config)
	served, simulated := make(chan error, 1), make(chan error, 1)
	go func() {
		served <- server.run(serving)
		stopSimulating() // without a server there is nothing to drive
	}()
	go func() { simulated <- simulator.Run(simulating) }()
	config.Name, config.Templates, config.TasksPerTemplate, config.MaxConcurrentlyRunning = "abandoned_pipeline", 3, 40, 16
	var abandoning sync.WaitGroup
	abandoning.Go(func() {
		if err := demo.Abandon(simulating, config, abandonedAfter); err != nil {
			t.log.ErrorContext(simulating, "the demo has no workflow whose run died", "error", err)
		}
	})
	select {
	case <-simulator.Begun():
		page := c.BasePath.below(server.url())
		fmt.Fprintf(t.out, "Open %s/workflows/%d (made-up data; more runs, one of them live: %s).\n", page, run, page)
		fmt.Fprintf(t.out, "Ctrl-C ends the demo and deletes its data in %s. Each start makes new data.\n", directory)
	case <-simulating.Done():
	}
	failed := <-simulated
	abandoning.Wait()
	stopServing()
	return errors.Join(failed, <-served)
}

// loadHistory stores the runs that are over, and returns the id of the one that is worth opening first: the last and
// largest.
func loadHistory(ctx context.Context, db store.Store, log *slog.Logger) (id int64, err error) {
	for _, workflow := range demo.History(demoSeed, time.Now().UnixMicro()) {
		id, err = ledger.New(db, log).Import(ctx, store.Import{
			Name: workflow.Name, Engine: "demo", SourceHash: "demo",
			MaxConcurrentlyRunning: workflow.MaxConcurrentlyRunning,
		}, workflow.Tasks, nil)
		if err != nil {
			return 0, err
		}
	}
	return id, nil
}

// seenCookie holds the name of the demo whose start page a browser has seen.
const seenCookie = "tasktide_demo"

// opensOn redirects the start page to a workflow at a browser's first visit of this demo. Afterwards the start page is
// the list of workflows.
func (b basePath) opensOn(workflowID int64, demo string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen, err := r.Cookie(seenCookie)
		if r.URL.Path != "/" || r.Method != http.MethodGet || err == nil && seen.Value == demo {
			next.ServeHTTP(w, r)
			return
		}
		//nolint:gosec // a demo is served over plain HTTP, and the cookie guards nothing
		http.SetCookie(w, &http.Cookie{Name: seenCookie, Value: demo, Path: string(b), HttpOnly: true, SameSite: http.SameSiteLaxMode})
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, fmt.Sprintf("%sworkflows/%d", b, workflowID), http.StatusFound)
	})
}
