package main

import (
	"context"
	"io"
	"slices"

	"tasktide/internal/runlog"
)

type importNextflowCommand struct {
	importFlags
	File string `arg:"" help:"The trace: execution_trace.txt, or what -with-trace wrote."`
}

// Help is shown under the command's --help.
func (importNextflowCommand) Help() string {
	return `Prints the id of the new workflow. The run is stored whole or not at all, and the same file
under the same name only once.

Example:

    tasktide import nextflow results/pipeline_info/execution_trace.txt --workflow nightly`
}

// Run loads the trace.
func (c importNextflowCommand) Run(ctx context.Context, t *terminal) error {
	if err := checkName(c.Workflow); err != nil {
		return err
	}
	var run runlog.Run
	hash, err := readLog(ctx, c.File, maxLog, func(file io.Reader) (err error) {
		run, err = runlog.ParseNextflow(file)
		return err
	})
	if err != nil {
		return err
	}
	return c.store(ctx, t, runLog{engine: run.Engine, hash: hash, tasks: slices.Values(run.Tasks), count: len(run.Tasks)})
}
