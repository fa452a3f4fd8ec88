package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/ledger"
	"tasktide/internal/store"
	"tasktide/internal/workload"
)

// generateBatch is how many tasks one transaction stages. It holds SQLite's writer for a quarter of a
// second, which an import must not: nobody else works in a database that is made for benchmarks. The six
// million rows of L take a third less time than in batches of an import's size; larger ones gain nothing.
const generateBatch = 4000

type generateCommand struct {
	databaseFlag
	outputFlags

	Size string    `enum:"S,M,L,X" default:"S" help:"How much: S is 10,000 tasks in 24 hours, M 100,000 in 24 hours, L a million in 30 days, X ten million in 1,000 workflows over 90 days (${default})."`
	Seed uint64    `default:"1" help:"The same seed gives the same tasks (${default})."`
	End  time.Time `placeholder:"INSTANT" help:"Nothing happens at this instant or later, such as 2026-01-31T00:00:00Z (now, in whole minutes)."`

	stored, workflows int // what interrupted reports
}

// Help is shown under the command's --help.
func (generateCommand) Help() string {
	return `Writes made-up workflows, to measure with, and prints their ids. A database holds each size with
each seed once. Each workflow is stored whole or not at all; an X that is interrupted leaves those that
were complete.

Example:

    tasktide generate --size M --database-url sqlite://bench.db`
}

func (c *generateCommand) interrupted() string {
	return fmt.Sprintf("%d of %d workflows were stored, each of them whole; for all of them choose another --seed or another database",
		c.stored, c.workflows)
}

// Run generates the workload.
func (c *generateCommand) Run(ctx context.Context, t *terminal) (err error) {
	size, err := workload.ParseSize(c.Size)
	if err != nil {
		return err
	}
	if c.End.IsZero() {
		c.End = time.Now().Truncate(time.Minute)
	}
	if first := c.End.Add(-size.Span); first.UnixMicro() <= 0 || c.End.UnixMicro() > store.MaxInstant {
		return jobmon.FieldErrorf("end", "--end must leave the whole workload in the years 1970 to 9999")
	}
	workflows := size.List(c.Seed, c.End.UnixMicro())
	c.workflows = len(workflows)
	db, err := c.open(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()

	begun, staged := time.Now(), 0
	show, hide := progress(t.ornament(), size.Tasks)
	defer hide()
	moves := ledger.New(db, t.log)
	document := generateDocument{Size: size.Name, Seed: c.Seed, End: moment(c.End), Workflows: []generatedWorkflow{}}
	for _, workflow := range workflows {
		run := store.Import{
			Name: workflow.Name, Engine: "workload", SourceHash: "workload",
			MaxConcurrentlyRunning: workflow.MaxConcurrentlyRunning,
		}
		id, err := moves.ImportSeq(ctx, run, workflow.Histories(), generateBatch, func(n int) { show(staged + n) })
		if jobmon.ErrorCode(err) == jobmon.CodeConflict {
			return jobmon.Errorf(jobmon.CodeConflict,
				"the workflow %q of this size and seed is already stored, or being written; choose another --seed or another database",
				workflow.Name)
		}
		if err != nil {
			return err
		}
		c.stored++
		staged += workflow.Tasks
		document.Workflows = append(document.Workflows, generatedWorkflow{id, workflow.Name, workflow.Tasks})
		if err := t.item(id); err != nil {
			return err
		}
	}
	t.sayf("Generated %d tasks of size %s in %s.\n", staged, size.Name, time.Since(begun).Round(time.Millisecond))
	document.Tasks = staged
	return t.result(document, nothing)
}

// generateDocument is the result of the command.
type generateDocument struct {
	Size      string              `json:"size"`
	Seed      uint64              `json:"seed"`
	End       moment              `json:"end"`
	Tasks     int                 `json:"tasks"`
	Workflows []generatedWorkflow `json:"workflows"`
}

type generatedWorkflow struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Tasks int    `json:"tasks"`
}
