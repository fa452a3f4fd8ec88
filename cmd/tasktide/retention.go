package main

import (
	"context"
	"errors"
	"fmt"

	"tasktide/internal/api"
	"tasktide/internal/jobmon"
	"tasktide/internal/upkeep"
)

type retentionCommand struct {
	Pass    retentionPassCommand    `cmd:"" default:"withargs" help:"Delete expired data, or show what would be deleted (the default)."`
	Recover retentionRecoverCommand `cmd:"" help:"Repair a database whose clock was wrong when retention deleted data."`
}

// Help is shown under the command's --help.
func (retentionCommand) Help() string {
	return `Without a further word, it makes a pass. See tasktide retention pass --help for its flags.

Examples:

    tasktide retention --dry-run
    tasktide retention recover`
}

type retentionPassCommand struct {
	databaseFlag
	retentionFlags
	outputFlags

	DryRun  bool `xor:"confirm" help:"Show what would be deleted, and delete nothing."`
	Confirm bool `xor:"confirm" help:"Delete even though the clock has jumped, more is due than usual, or nothing was deleted before."`

	done upkeep.RetentionProgress
}

// Help is shown under the command's --help.
func (retentionPassCommand) Help() string {
	return `Deletes the rows of the audit, and the counts, that are older than they are to be kept, as a server does
every hour. Imported runs are kept unless they were imported with --expire.

A pass is held, and deletes nothing, when the database's clock cannot be true, or when a person has to say
that it is: the message names the reason and the command. --confirm never overrules two clocks that differ.

The word pass may be left out.

Examples:

    tasktide retention pass --dry-run --audit-retention 30d
    tasktide retention --audit-retention 30d --confirm`
}

func (c *retentionPassCommand) interrupted() string {
	if c.done.Rows == 0 && c.done.Hours == 0 {
		return "nothing was removed"
	}
	return fmt.Sprintf("%d rows and the counts of %d hours were removed; the next pass goes on", c.done.Rows, c.done.Hours)
}

// Run makes one pass, or tells what it would do.
func (c *retentionPassCommand) Run(ctx context.Context, t *terminal) (err error) {
	db, err := c.open(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	retention, err := c.retention(db, t.log)
	if err != nil {
		return err
	}
	if c.DryRun {
		return c.dryRun(ctx, t, retention)
	}
	if c.Confirm {
		retention.Confirm()
	}
	err = retention.Pass(ctx)
	c.done = retention.Progress()
	if err != nil {
		return err
	}
	err = t.result(retentionDocument{c.done.Rows, c.done.Hours, c.done.Failed},
		t.prose("Removed %d rows, and the counts of %d hours.\n", c.done.Rows, c.done.Hours))
	if err == nil && c.done.Failed > 0 {
		err = jobmon.Errorf(jobmon.CodeConflict,
			"%d workflows were left alone because something in them is not right", c.done.Failed)
	}
	return err
}

func (c *retentionPassCommand) dryRun(ctx context.Context, t *terminal, retention *upkeep.Retention) error {
	plan, err := retention.Plan(ctx)
	if err != nil {
		return err
	}
	document := planDocument{Workflows: []plannedRemoval{}, Held: plan.Hold.Message}
	for _, r := range plan.Removals {
		document.Workflows = append(document.Workflows,
			plannedRemoval{r.WorkflowID, r.Name, r.Rows, momentOf(r.RowsBefore), momentOf(r.DataBefore)})
		if r.RowsBefore != 0 {
			err = t.item(fmt.Sprintf("workflow %d, %q: %d rows before %s", r.WorkflowID, r.Name, r.Rows, api.Instant(r.RowsBefore)))
		}
		if r.DataBefore != 0 && err == nil {
			err = t.item(fmt.Sprintf("workflow %d, %q: counts before %s", r.WorkflowID, r.Name, api.Instant(r.DataBefore)))
		}
		if err != nil {
			return err
		}
	}
	text := fmt.Sprintf("%d workflows would lose something.\n", len(plan.Removals))
	if plan.Hold != (upkeep.Hold{}) {
		text += fmt.Sprintf("A pass is held, and removes nothing: %s.\n", plan.Hold.Message)
	}
	return t.result(document, t.prose("%s", text))
}

type retentionRecoverCommand struct {
	databaseFlag
	retentionFlags
	outputFlags

	Confirm bool `help:"Repair; without it, the command only shows what it would do."`
}

// Help is shown under the command's --help.
func (retentionRecoverCommand) Help() string {
	return `Where the database's clock was wrong, retention may have deleted rows and counts up to an instant that is
in the future now. Then running tasks cannot be moved and charts cannot be read. Set the clock right first:
the command sets rows_from and data_from back to the end of the minute of the last row that is lost. What is
lost stays marked as lost, and nothing is made up: restore a backup to have it back. Transitions that were
dated by the wrong clock stay as they are. A server may run meanwhile.

Example:

    tasktide retention recover --confirm`
}

func (retentionRecoverCommand) interrupted() string {
	return "some workflows may not be recovered; run tasktide retention recover again, it goes on with the rest"
}

// Run recovers, or tells what it would do.
func (c retentionRecoverCommand) Run(ctx context.Context, t *terminal) (err error) {
	db, err := c.open(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	retention, err := c.retention(db, t.log)
	if err != nil {
		return err
	}
	if c.Confirm {
		retention.Confirm()
	}
	recoveries, err := retention.Recover(ctx)
	if err != nil {
		return err
	}
	kept := 0
	document := recoveryDocument{c.Confirm, []recoveredHorizon{}}
	for _, r := range recoveries {
		document.Workflows = append(document.Workflows, recoveredHorizon{r.WorkflowID, r.Name, momentOf(r.Rows), momentOf(r.Data)})
		if r.Kept {
			kept++
		}
		if err := t.item(r); err != nil {
			return err
		}
	}
	recovered := len(recoveries) - kept
	text := fmt.Sprintf("%d workflows would be recovered. Make a backup, and do it with: tasktide retention recover --confirm\n", recovered)
	switch {
	case c.Confirm:
		text = fmt.Sprintf("Recovered %d workflows.\n", recovered)
	case recovered == 0:
		text = "No workflow can be recovered.\n"
	}
	err = t.result(document, t.prose("%s", text))
	if err == nil && kept > 0 {
		err = jobmon.Errorf(jobmon.CodeConflict,
			"%d workflows were left as they are, because what they have lost is dated in the future", kept)
	}
	return err
}
