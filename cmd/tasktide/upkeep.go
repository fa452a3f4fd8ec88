package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"tasktide/internal/api"
	"tasktide/internal/jobmon"
	"tasktide/internal/ledger"
	"tasktide/internal/store"
	"tasktide/internal/store/sqlstore"
	"tasktide/internal/upkeep"
)

// age is a length of time that may be given in days.
type age time.Duration

// UnmarshalText reads a number of days, such as 90d, or what Go reads as a duration.
func (a *age) UnmarshalText(text []byte) error {
	if days, found := strings.CutSuffix(string(text), "d"); found {
		n, err := strconv.ParseInt(days, 10, 64)
		if err != nil || n < 0 || n > 36_500 {
			return fmt.Errorf("%q is no number of days", text)
		}
		*a = age(time.Duration(n) * 24 * time.Hour)
		return nil
	}
	d, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is no length of time; write 90d or 36h, or 0 for good", text)
	}
	*a = age(d)
	return nil
}

// String writes an age as it may be given: in days where these are whole.
func (a age) String() string {
	const day = 24 * time.Hour
	if d := time.Duration(a); d%day != 0 || d == 0 {
		return d.String()
	}
	return fmt.Sprintf("%dd", time.Duration(a)/day)
}

// retentionFlags say how long what is kept; the zero value keeps everything.
type retentionFlags struct {
	AuditRetention age `env:"TASKTIDE_AUDIT_RETENTION" default:"90d" placeholder:"AGE" help:"How long each row of the audit is kept, such as 90d or 36h; 0 for good (${default}). Counts of a minute and more stay."`
	BlockRetention age `env:"TASKTIDE_BLOCK_RETENTION" default:"400d" placeholder:"AGE" help:"How long counts are kept; 0 for good (${default})."`
}

func (f retentionFlags) retention(db *sqlstore.Store, log *slog.Logger) (*upkeep.Retention, error) {
	return upkeep.NewRetention(db, log, time.Duration(f.AuditRetention), time.Duration(f.BlockRetention))
}

// upkeepLoops are what a server does for its database beside answering.
type upkeepLoops struct {
	db        *sqlstore.Store
	kept      retentionFlags
	log       *slog.Logger
	rollUp    *upkeep.RollUp
	retention *upkeep.Retention
	verifier  *upkeep.Verifier
	maxBehind time.Duration
}

func newUpkeep(db *sqlstore.Store, kept retentionFlags, log *slog.Logger) (*upkeepLoops, error) {
	retention, err := kept.retention(db, log)
	if err != nil {
		return nil, err
	}
	return &upkeepLoops{
		db: db, kept: kept, log: log, maxBehind: maxBehind,
		rollUp: upkeep.NewRollUp(db, log), retention: retention, verifier: upkeep.NewVerifier(db, log),
	}, nil
}

// start starts the loops, which end with ctx or when stop is called; stop waits for them.
func (u *upkeepLoops) start(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	for _, loop := range []func(context.Context) error{u.rollUp.Run, u.retention.Run, u.verifier.Run} {
		running.Go(func() {
			if err := loop(ctx); err != nil && ctx.Err() == nil {
				u.log.ErrorContext(ctx, "a loop of upkeep has ended", "error", err)
			}
		})
	}
	return func() {
		cancel()
		running.Wait()
	}
}

// repairTime bounds a repair, which outlives the request that found what is damaged.
const repairTime = time.Minute

// repair has blocks made again that could not be read.
func (u *upkeepLoops) repair(ctx context.Context, blocks []store.BlockKey) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), repairTime)
	defer cancel()
	if err := u.rollUp.Repair(ctx, blocks); err != nil {
		u.log.ErrorContext(ctx, "damaged blocks of cells could not be made again", "error", err)
	}
}

// health tells how the server is. On an error, it tells what it knows without the database.
func (u *upkeepLoops) health(ctx context.Context, moves *ledger.Ledger) (api.Health, error) {
	checked, err := upkeep.CheckHealth(ctx, u.db)
	if err == nil {
		u.db.RecheckWrites(ctx)
	}
	failures := u.db.Failures()
	contention := u.db.Contention()
	rolled, took := u.rollUp.Rolled()
	removed, verified := u.retention.Progress(), u.verifier.Last()
	h := api.Health{
		Now:      api.Instant(checked.Now),
		Database: api.DatabaseHealth{WriteFailure: failureOf(failures.Write), ReadFailure: failureOf(failures.Read)},
		Writes: api.WriteHealth{
			RowsPerSecond: checked.WritesPerSecond, Retried: contention.Retried, GivenUp: contention.Reported,
			ClockClamps: moves.ClockClamps(),
		},
		RollUp: api.RollUpHealth{
			OldestMark: api.KnownInstant(checked.OldestMark), LagSeconds: checked.Lag().Seconds(),
			MarkedWorkflows: checked.MarkedWorkflows, Rows: rolled, DamagedBlocks: u.rollUp.Damaged(),
		},
		Retention: api.RetentionHealth{
			AuditSeconds: int64(time.Duration(u.kept.AuditRetention).Seconds()),
			BlockSeconds: int64(time.Duration(u.kept.BlockRetention).Seconds()),
			LastPass:     instantOf(removed.LastPass), Rows: removed.Rows, Hours: removed.Hours, LeftAlone: removed.Failed,
		},
		Verification: api.VerificationHealth{
			Began: instantOf(verified.Began), Ended: instantOf(verified.Ended), Workflows: verified.Workflows,
			Tasks: verified.Tasks, Covered: verified.Covered, Broken: verified.Broken,
			Rows: verified.Rows, Cells: verified.Cells, Defects: verified.Found,
		},
	}
	if removed.Held != (upkeep.Hold{}) {
		h.Retention.Held = &removed.Held.Message
	}
	if took > 0 {
		h.RollUp.RowsPerSecond = float64(rolled) / took.Seconds()
	}
	return h, err
}

func failureOf(f *sqlstore.Standing) *api.DatabaseFailure {
	if f == nil {
		return nil
	}
	return &api.DatabaseFailure{
		Cause: f.Cause, Message: f.Message, Failures: f.Failures,
		Since: api.Instant(f.Since.UnixMicro()), Last: api.Instant(f.Last.UnixMicro()),
	}
}

func instantOf(t time.Time) *api.Instant {
	if t.IsZero() {
		return nil
	}
	return api.KnownInstant(t.UnixMicro())
}

type rollUpCommand struct {
	Rebuild rollUpRebuildCommand `cmd:"" help:"Have the counts of a workflow, or of all, made again from the rows of the audit."`
}

// Help is shown under the command's --help.
func (rollUpCommand) Help() string {
	return `Examples:

    tasktide rollup rebuild
    tasktide rollup rebuild --workflow 17`
}

type rollUpRebuildCommand struct {
	databaseFlag
	outputFlags

	Workflow int64 `placeholder:"ID" help:"Only this workflow."`

	minutes int64 // that are marked
}

// Help is shown under the command's --help.
func (rollUpRebuildCommand) Help() string {
	return `Marks what is to be counted again; servers do so within moments, and answer rightly in between.

Example:

    tasktide rollup rebuild --workflow 17`
}

func (c *rollUpRebuildCommand) interrupted() string {
	return fmt.Sprintf("%d minutes will be counted again; run the command again for the others", c.minutes)
}

// Run marks what is to be made again.
func (c *rollUpRebuildCommand) Run(ctx context.Context, t *terminal) (err error) {
	db, err := c.open(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	roll := upkeep.NewRollUp(db, t.log)
	if c.Workflow != 0 {
		c.minutes, err = roll.Rebuild(ctx, c.Workflow)
	} else {
		c.minutes, err = roll.RebuildAll(ctx)
	}
	if err != nil {
		return err
	}
	document := rebuildDocument{Minutes: c.minutes}
	if c.Workflow != 0 {
		document.WorkflowID = &c.Workflow
	}
	return t.result(document, t.prose("%d minutes will be counted again.\n", c.minutes))
}

// rebuildDocument is the result of the command.
type rebuildDocument struct {
	WorkflowID *int64 `json:"workflow_id"` // nil for all workflows
	Minutes    int64  `json:"minutes"`     // that will be counted again
}

type auditCommand struct {
	Verify auditVerifyCommand `cmd:"" help:"Compare the audit with the tasks, and the counts with the audit."`
}

// Help is shown under the command's --help.
func (auditCommand) Help() string {
	return `Examples:

    tasktide audit verify
    tasktide audit verify --workflow 17 --json`
}

type auditVerifyCommand struct {
	databaseFlag
	outputFlags

	Workflow int64 `placeholder:"ID" help:"Only this workflow."`

	report upkeep.Report
}

// Help is shown under the command's --help.
func (auditVerifyCommand) Help() string {
	return `Checks that each task has the status that its last row in the audit tells, by an unbroken chain of
rows from its creation on, and that everything that is counted agrees with the rows. What retention has
removed is no defect. Defects are printed, and the exit code is 1 when there is one.

Example:

    tasktide audit verify --workflow 17`
}

func (c *auditVerifyCommand) interrupted() string {
	found := "no defects"
	if c.report.Found > 0 {
		found = fmt.Sprintf("%d defects", c.report.Found)
	}
	return fmt.Sprintf("%d of %d workflows were verified, with %s; nothing was changed", c.report.Workflows, c.report.Chosen, found)
}

// Run verifies the audit.
func (c *auditVerifyCommand) Run(ctx context.Context, t *terminal) (err error) {
	db, err := c.open(ctx, new(false)) // a backup has to stay one for the program that it is of
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	verifier := upkeep.NewVerifier(db, t.log)
	if c.Workflow != 0 {
		c.report, err = verifier.Workflow(ctx, c.Workflow)
	} else {
		c.report, err = verifier.All(ctx, nil)
	}
	report := c.report
	for _, defect := range report.Defects {
		if err := t.item(defect); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	err = t.result(verifyDocumentOf(report), t.prose("Verified %d workflows, %d tasks, %d rows and %d cells in %s: %d defects.\n",
		report.Workflows, report.Tasks, report.Rows, report.Cells, report.Ended.Sub(report.Began).Round(time.Millisecond), report.Found))
	if err == nil && report.Found > 0 {
		err = jobmon.Errorf(jobmon.CodeConflict, "the audit has %d defects", report.Found)
	}
	return err
}
