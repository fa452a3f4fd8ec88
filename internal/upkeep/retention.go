package upkeep

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/tracing"
)

const (
	// MinRetention is the shortest time for which rows may be kept: the roll-up has summed them up long
	// before, and a transaction that writes one has ended.
	MinRetention = 2 * time.Hour
	day          = 24 * hour
	// removedAtOnce is how many rows one transaction removes: a writer waits for it some tens of
	// milliseconds at most.
	removedAtOnce = 2_000
	retainEvery   = time.Hour
	// settleTime is how long after its start a server removes nothing: a machine may get the time only when it is up.
	// A pass that is held is tried again as often.
	settleTime = 10 * time.Minute
)

// Retention removes what is old: first rows of the audit, which are summed up by then, and much later
// what they were summed up to.
type Retention struct {
	db           Database
	log          *slog.Logger
	rows, blocks time.Duration
	clock        func() time.Time // the server's own
	confirmed    bool

	mu       sync.Mutex
	progress RetentionProgress
	watched  watched
}

// watched is since when this process has seen an instant as that of the last accepted pass.
type watched struct {
	pass  int64
	since time.Time
}

// RetentionProgress is what retention has done since the start.
type RetentionProgress struct {
	LastPass time.Time // when the last pass ended; zero before
	Rows     int64     // removed
	Hours    int64     // of which the cells were removed
	Failed   int64     // workflows that the last pass left alone because something in them is not right
	Held     Hold      // why the last pass removed nothing; the zero value when it was not held
}

// NewRetention returns a retention that keeps rows, and what they are summed up to, for a time; 0 means for
// good. It returns CodeInvalid for times that would lose something.
func NewRetention(db Database, log *slog.Logger, rows, blocks time.Duration) (*Retention, error) {
	switch {
	case rows < 0 || rows > 0 && rows < MinRetention:
		return nil, jobmon.FieldErrorf("audit_retention",
			"the rows of the audit must be kept for %s at least, because the roll-up needs them; choose a longer time, or 0 to keep them",
			MinRetention)
	case blocks < 0 || blocks > 0 && (rows == 0 || blocks < rows):
		return nil, jobmon.FieldErrorf("block_retention",
			"what the audit is summed up to cannot be removed before its rows; "+
				"choose a time that is not shorter than theirs, or 0 to keep it")
	}
	return &Retention{db: db, log: log, rows: rows, blocks: blocks, clock: time.Now}, nil
}

// WithClock has the database's clock compared with another one than [time.Now].
func (r *Retention) WithClock(clock func() time.Time) *Retention {
	r.clock = clock
	return r
}

// Confirm makes passes for a person who has seen what would be removed: see [HoldReason.Confirmable].
func (r *Retention) Confirm() *Retention {
	r.confirmed = true
	return r
}

// Progress returns what was done since the start.
func (r *Retention) Progress() RetentionProgress {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.progress
}

// Run makes a pass every hour until ctx ends, the first some minutes after the start. At once it says on the log, and in
// [Retention.Progress], when a pass would be held.
func (r *Retention) Run(ctx context.Context) error {
	failures := outage{log: r.log, loop: "retention"}
	if err := r.begin(ctx); ctx.Err() == nil {
		failures.note(ctx, err)
	}
	for wait := settleTime; ; {
		if err := rest(ctx, wait); err != nil {
			return err
		}
		wait = retainEvery
		plan, err := r.pass(ctx, r.announce)
		if ctx.Err() == nil {
			failures.note(ctx, err)
		}
		if plan.Hold != (Hold{}) {
			r.complain(ctx, plan)
			wait = settleTime
		}
	}
}

// Pass removes everything that is old enough, unless it is held: then it returns CodeConflict, and why. A workflow in
// which something is not right, such as cells that tell something else than their rows, is left as it is and told of on
// the log.
func (r *Retention) Pass(ctx context.Context) error {
	plan, err := r.pass(ctx, func(context.Context, Plan) {})
	if err == nil && plan.Hold != (Hold{}) {
		err = jobmon.Errorf(jobmon.CodeConflict, "retention is held and removes nothing: %s", plan.Hold.Message)
	}
	return err
}

// pass is Pass, which tells what it will do before it does. It returns no error when it is held.
func (r *Retention) pass(ctx context.Context, announce func(context.Context, Plan)) (Plan, error) {
	plan, err := r.Plan(ctx)
	if err == nil && plan.Hold == (Hold{}) {
		plan.Hold, err = r.accept(ctx, plan.evidence)
	}
	if err != nil || plan.Hold != (Hold{}) {
		return plan, err
	}
	announce(ctx, plan)
	failed := int64(0)
	err = r.each(ctx, plan.Now, func(w store.WorkflowInfo, due due) error {
		err := r.workflow(ctx, w, due)
		if err != nil && ctx.Err() == nil && jobmon.ErrorCode(err) != jobmon.CodeUnavailable {
			failed++
			r.log.ErrorContext(ctx, "retention leaves a workflow alone", "workflow_id", w.ID, "error", err)
			return nil
		}
		return err
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress.Failed = failed
	if err == nil {
		r.progress.LastPass = time.Now()
	}
	return plan, err
}

// due is what of a workflow is old: rows before one instant, cells before another. 0 is nothing.
type due struct {
	horizon     store.Horizon
	rows, cells int64
}

// each calls do with every workflow from which something may be removed as of an instant.
func (r *Retention) each(ctx context.Context, now int64, do func(w store.WorkflowInfo, due due) error) error {
	return eachWorkflow(ctx, r.db, func(w store.WorkflowInfo) error {
		if w.FirstAt == 0 {
			return nil
		}
		var d due
		err := r.db.View(ctx, func(ctx context.Context, snapshot store.Snapshot) (err error) {
			if d.horizon, err = snapshot.Horizon(ctx, w.ID); err != nil || d.horizon.Kept {
				return err
			}
			d.rows, d.cells = old(now, w.ImportedAt, r.rows, hour), old(now, w.ImportedAt, r.blocks, day)
			return nil
		})
		if err != nil || d.rows == 0 && d.cells == 0 {
			return err
		}
		return do(w, d)
	})
}

// old returns the whole unit of time before which things are older than age. What was imported is not older
// than its import.
func old(now, importedAt int64, age time.Duration, unit int64) int64 {
	if age == 0 || importedAt > now-age.Microseconds() {
		return 0
	}
	at := max(now-age.Microseconds(), 0)
	return at - at%unit
}

func (r *Retention) workflow(ctx context.Context, w store.WorkflowInfo, due due) (err error) {
	ctx, span := tracing.Begin(ctx, "remove what is old")
	span.Int("tasktide.workflow_id", w.ID)
	defer func() { span.End(err) }()
	from := due.horizon.RowsFrom - due.horizon.RowsFrom%hour // a recovery leaves a whole minute
	if from == 0 {
		from = w.FirstAt - w.FirstAt%hour
	}
	// A day at a time, with the days after it in which there is nothing: what the rows say is compared with
	// the cells before they go.
	for from < due.rows && from <= w.LastAt {
		to, err := r.nextDay(ctx, w, from, due.rows)
		if err != nil {
			return err
		}
		if err := r.advanceRows(ctx, w, from, to); err != nil {
			return err
		}
		from = to
	}
	if err := r.removeRows(ctx, w.ID, due.rows); err != nil {
		return err
	}
	from = due.horizon.DataFrom
	if from == 0 {
		from = w.FirstAt - w.FirstAt%day
	}
	for from < due.cells && from <= w.LastAt {
		to, err := r.nextDay(ctx, w, from, due.cells)
		if err != nil {
			return err
		}
		if err := r.removeCells(ctx, w, to); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// nextDay returns the first instant of the next day on which there is anything in a workflow, up to before.
func (r *Retention) nextDay(ctx context.Context, w store.WorkflowInfo, from, before int64) (int64, error) {
	to := min(from-from%day+day, before)
	for to < before && to <= w.LastAt {
		next := min(to+day, before)
		if is, err := busy(ctx, r.db, w.ID, to, next); err != nil || is {
			return to, err
		}
		to = next
	}
	return to, nil
}

// advanceRows moves the horizon of a workflow's rows, once everything before it is in the cells.
func (r *Retention) advanceRows(ctx context.Context, w store.WorkflowInfo, from, to int64) error {
	hours, err := busyHours(ctx, r.db, w.ID, from, to)
	if err != nil {
		return err
	}
	for _, at := range hours {
		var report Report
		err := r.db.View(ctx, func(ctx context.Context, snapshot store.Snapshot) error {
			return report.hour(ctx, snapshot, w.ID, at)
		})
		if err != nil {
			return err
		}
		if report.Found > 0 {
			return jobmon.Errorf(jobmon.CodeInternal, "its rows are not removed: %s; run tasktide rollup rebuild --workflow %d",
				report.Defects[0], w.ID)
		}
	}
	return r.db.Maintain(ctx, func(ctx context.Context, tx store.UpkeepTx) error {
		horizon, err := tx.LockHorizon(ctx, w.ID)
		if err != nil || horizon.RowsFrom >= to || horizon.Kept {
			return err
		}
		marks, err := tx.Marks(ctx, store.MarkFilter{WorkflowID: w.ID, Before: to})
		if err != nil {
			return err
		}
		if len(marks) > 0 {
			return jobmon.Errorf(jobmon.CodeConflict, "its rows are not removed: some before %s are not summed up yet", text(to))
		}
		if horizon.FirstAt == 0 {
			horizon.FirstAt = w.FirstAt
		}
		// As it is now: a late row may have come since.
		now, err := tx.Workflow(ctx, w.ID)
		if err != nil {
			return err
		}
		if now.LastAt < to {
			horizon.LastAt = now.LastAt
		}
		horizon.RowsFrom = to
		horizon.Generation++
		return tx.SaveHorizon(ctx, horizon)
	})
}

// removeRows removes the rows before a workflow's horizon, which nobody reads any more, as far as they are old: where
// a wrong clock has moved the horizon, a recovery may need what is left.
func (r *Retention) removeRows(ctx context.Context, workflowID, before int64) error {
	for removed := int64(removedAtOnce); removed == removedAtOnce; {
		err := r.db.Maintain(ctx, func(ctx context.Context, tx store.UpkeepTx) error {
			horizon, err := tx.Horizon(ctx, workflowID)
			removed = 0
			before := min(horizon.RowsFrom, before)
			if err != nil || before == 0 {
				return err
			}
			old := store.TransitionFilter{WorkflowID: workflowID, Before: before}
			removed, err = tx.DeleteTransitions(ctx, old, removedAtOnce)
			return err
		})
		if err != nil {
			return err
		}
		r.mu.Lock()
		r.progress.Rows += removed
		r.mu.Unlock()
		if removed == removedAtOnce {
			if err := rest(ctx, 0); err != nil { // let those who write go first
				return err
			}
		}
	}
	return nil
}
