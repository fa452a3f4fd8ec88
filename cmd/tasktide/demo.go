package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	if err := loadHistory(ctx, db, t.log); err != nil {
		return errors.Join(err, server.listener.Close())
	}

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
		fmt.Fprintf(t.out, "Tasktide DEMO serves %s with made-up runs; interrupt it to end.\n", c.BasePath.below(server.url()))
	case <-simulating.Done():
	}
	failed := <-simulated
	abandoning.Wait()
	stopServing()
	return errors.Join(failed, <-served)
}

func loadHistory(ctx context.Context, db store.Store, log *slog.Logger) error {
	for _, workflow := range demo.History(demoSeed, time.Now().UnixMicro()) {
		_, err := ledger.New(db, log).Import(ctx, store.Import{
			Name: workflow.Name, Engine: "demo", SourceHash: "demo",
			MaxConcurrentlyRunning: workflow.MaxConcurrentlyRunning,
		}, workflow.Tasks, nil)
		if err != nil {
			return err
		}
	}
	return nil
}
