package main

import (
	"context"
	"io"

	"tasktide/internal/runlog"
)

type importCSVCommand struct {
	importFlags
	File      string `arg:"" help:"The table, of comma-separated values."`
	OpenUntil string `enum:"log,now" default:"log" help:"How long a task runs that has no end: to the last instant of the log, or until now, for as long as that may be (${default})."`
}

// openEnds is what --open-until may say.
var openEnds = map[string]runlog.OpenEnds{"log": runlog.OpenUntilLast, "now": runlog.OpenUntilNow}

// Help is shown under the command's --help.
func (importCSVCommand) Help() string {
	return `The first line names the columns, in any order: task, template, start, end and, if there is one,
status. Each other line is an attempt at a task, and lines with the same task are its attempts.

start and end are instants such as 2026-03-01T12:00:00Z or 2026-03-01T13:00:00.25+01:00, or seconds
since 1970. Without a start, a task ran before the first instant of the log, and counts from there; without
an end, it still ran at the last. status is D (DONE), which nothing means too, or E or F for an attempt
that failed.

Prints the id of the new workflow. The run is stored whole or not at all, and the same file under the
same name only once.

Example:

    tasktide import csv runs.csv --workflow nightly`
}

// Run loads the table.
func (c importCSVCommand) Run(ctx context.Context, t *terminal) error {
	if err := checkName(c.Workflow); err != nil {
		return err
	}
	var table *runlog.Table
	hash, err := readLog(ctx, c.File, maxLog, func(file io.Reader) (err error) {
		table, err = runlog.ParseCSV(file, openEnds[c.OpenUntil])
		return err
	})
	if err != nil {
		return err
	}
	return c.store(ctx, t, runLog{engine: "csv", hash: hash, tasks: table.Histories(), count: table.Len()})
}
