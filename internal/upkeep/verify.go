package upkeep

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/tracing"
)

const (
	// verifiedAtOnce is how many tasks are looked at in one snapshot.
	verifiedAtOnce = 5_000
	// maxListed is how many defects are told one by one.
	maxListed = 100
	// verifyEvery is how often everything is verified, and verifyAfter how long after the start.
	verifyEvery, verifyAfter = 24 * time.Hour, time.Minute
	// restTimes is for how many times as long as a step took the verification rests after it, so that it
	// takes little from those who wait for answers.
	restTimes = 4
)

// Defect is a fault of the audit, or of what it was summed up to.
type Defect struct {
	WorkflowID int64
	TaskID     int64 // 0 when it is not about one task
	At         int64 // where in time it begins; 0 when it is not about an instant
	What       string
}

// String says where the defect is and what it is.
func (d Defect) String() string {
	where := fmt.Sprintf("workflow %d", d.WorkflowID)
	if d.TaskID != 0 {
		where += fmt.Sprintf(", task %d", d.TaskID)
	}
	if d.At != 0 {
		where += ", " + time.UnixMicro(d.At).UTC().Format("2006-01-02T15:04:05.000000Z")
	}
	return where + ": " + d.What
}

// Report is what a verification has looked at and found.
type Report struct {
	Began, Ended time.Time
	Chosen       int64 // workflows that were to be verified
	Workflows    int64 // of them, those that were verified to their end
	Tasks        int64
	Covered      int64 // tasks whose status is the one that their last row tells, by a whole chain
	Broken       int64 // tasks whose chain of rows is broken
	Rows         int64
	Cells        int64 // compared with rows, or with finer ones
	Found        int64 // defects
	Defects      []Defect
}

func (r *Report) add(other Report) {
	r.Workflows += other.Workflows
	r.Tasks += other.Tasks
	r.Covered += other.Covered
	r.Broken += other.Broken
	r.Rows += other.Rows
	r.Cells += other.Cells
	r.Found += other.Found
	r.Defects = append(r.Defects, other.Defects[:min(len(other.Defects), maxListed-len(r.Defects))]...)
}

func (r *Report) fault(d Defect) {
	r.Found++
	if len(r.Defects) < maxListed {
		r.Defects = append(r.Defects, d)
	}
}

// Verifier holds the audit against the tasks' own statuses, and what was summed up against the rows. What
// lies before a workflow's horizon is no defect.
type Verifier struct {
	db  Database
	log *slog.Logger

	mu   sync.Mutex
	last Report
}

// NewVerifier returns a verifier of db that tells of defects on log.
func NewVerifier(db Database, log *slog.Logger) *Verifier { return &Verifier{db: db, log: log} }

// Last returns the report of the last verification of everything that has ended; it is zero before.
func (v *Verifier) Last() Report {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.last
}

// Run verifies everything once a day, without haste, until ctx ends.
func (v *Verifier) Run(ctx context.Context) error {
	failures := outage{log: v.log, loop: "the verification of the audit"}
	for wait := verifyAfter; ; {
		if err := rest(ctx, wait); err != nil {
			return err
		}
		wait = verifyEvery
		err := v.Pass(ctx)
		if err != nil {
			wait = verifyAfter
		}
		if ctx.Err() == nil {
			failures.note(ctx, err, "next_attempt_in", wait)
		}
	}
}

// Pass verifies everything without haste, and tells of what it found on the log and in [Verifier.Last].
func (v *Verifier) Pass(ctx context.Context) error {
	report, err := v.All(ctx, func(took time.Duration) error { return rest(ctx, restTimes*took) })
	if err != nil {
		return err
	}
	for _, defect := range report.Defects {
		v.log.ErrorContext(ctx, "the audit has a defect", "defect", defect.String())
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.last = report
	return nil
}

func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// All verifies every workflow. After each step, paced, unless nil, is told how long it took. With an error, the
// report holds what was verified and found until then.
func (v *Verifier) All(ctx context.Context, paced func(took time.Duration) error) (Report, error) {
	report := Report{Began: time.Now()}
	err := eachWorkflow(ctx, v.db, func(store.WorkflowInfo) error {
		report.Chosen++
		return nil
	})
	if err == nil {
		err = eachWorkflow(ctx, v.db, func(w store.WorkflowInfo) error {
			found, err := v.workflow(ctx, w, paced)
			report.add(found)
			return err
		})
	}
	report.Chosen = max(report.Chosen, report.Workflows) // some may be new
	report.Ended = time.Now()
	return report, err
}

// Workflow verifies one workflow, and reports like [Verifier.All]. CodeNotFound.
func (v *Verifier) Workflow(ctx context.Context, id int64) (Report, error) {
	var w store.WorkflowInfo
	err := v.db.View(ctx, func(ctx context.Context, snapshot store.Snapshot) (err error) {
		w, err = snapshot.Workflow(ctx, id)
		return err
	})
	if err != nil {
		return Report{}, err
	}
	began := time.Now()
	report, err := v.workflow(ctx, w, nil)
	report.Chosen, report.Began, report.Ended = 1, began, time.Now()
	return report, err
}

// eachWorkflow calls do with every workflow, the newest first.
func eachWorkflow(ctx context.Context, db store.Reader, do func(w store.WorkflowInfo) error) error {
	const page = 100
	for before, more := int64(0), true; more; {
		var workflows []store.WorkflowInfo
		err := db.View(ctx, func(ctx context.Context, snapshot store.Snapshot) (err error) {
			workflows, err = snapshot.Workflows(ctx, store.WorkflowFilter{BeforeID: before, Limit: page})
			return err
		})
		if err != nil {
			return err
		}
		for _, w := range workflows {
			if err := do(w); err != nil {
				return err
			}
			before = w.ID
		}
		more = len(workflows) == page
	}
	return nil
}

// workflow verifies a workflow in steps, each in a snapshot of its own and right in itself.
func (v *Verifier) workflow(
	ctx context.Context, w store.WorkflowInfo, paced func(took time.Duration) error,
) (report Report, err error) {
	ctx, span := tracing.Begin(ctx, "verify a workflow")
	span.Int("tasktide.workflow_id", w.ID)
	defer func() { span.End(err) }()
	step := func(check func(ctx context.Context, snapshot store.Snapshot) error) error {
		begun := time.Now()
		if err := v.db.View(ctx, check); err != nil || paced == nil {
			return err
		}
		return paced(time.Since(begun))
	}
	var first, last int64
	err = step(func(ctx context.Context, snapshot store.Snapshot) (err error) {
		first, last, err = snapshot.TaskIDs(ctx, w.ID)
		return err
	})
	if err != nil {
		return report, err
	}
	for ; first > 0 && first <= last; first += verifiedAtOnce {
		err := step(func(ctx context.Context, snapshot store.Snapshot) error {
			return report.chains(ctx, snapshot, w.ID, first, min(first+verifiedAtOnce-1, last))
		})
		if err != nil {
			return report, err
		}
	}
	hours, err := busyHours(ctx, v.db, w.ID, w.FirstAt-w.FirstAt%hour, w.LastAt+1)
	if err != nil {
		return report, err
	}
	for _, check := range hours {
		err := step(func(ctx context.Context, snapshot store.Snapshot) error {
			return report.hour(ctx, snapshot, w.ID, check)
		})
		if err != nil {
			return report, err
		}
	}
	for _, span := range coarseSpansOf(hours) {
		err := step(func(ctx context.Context, snapshot store.Snapshot) error {
			return report.coarse(ctx, snapshot, w.ID, span)
		})
		if err != nil {
			return report, err
		}
	}
	err = step(func(ctx context.Context, snapshot store.Snapshot) error {
		if err := report.outside(ctx, snapshot, w.ID); err != nil {
			return err
		}
		if err := report.ahead(ctx, snapshot, w.ID); err != nil {
			return err
		}
		return report.removed(ctx, snapshot, w.ID)
	})
	if err == nil {
		report.Workflows = 1
	}
	return report, err
}

// chains verifies the tasks with ids in [from, to].
func (r *Report) chains(ctx context.Context, snapshot store.Snapshot, workflowID, from, to int64) error {
	horizon, err := snapshot.Horizon(ctx, workflowID)
	if err != nil {
		return err
	}
	tasks := map[int64]store.Task{}
	for task, err := range snapshot.Tasks(ctx, store.TaskFilter{WorkflowID: workflowID, AfterID: from - 1, UpToID: to}) {
		if err != nil {
			return err
		}
		tasks[task.ID] = task
	}
	chains := map[int64]*chain{}
	for row, err := range snapshot.TaskTransitions(ctx, workflowID, from, to) {
		if err != nil {
			return err
		}
		if row.At < horizon.RowsFrom {
			continue // removed, or being removed
		}
		r.Rows++
		task, exists := tasks[row.TaskID]
		if !exists {
			r.fault(Defect{workflowID, row.TaskID, row.At, "the audit has a row of a task that is not in the workflow"})
			continue
		}
		c := chains[row.TaskID]
		if c == nil {
			c = &chain{}
			chains[row.TaskID] = c
		}
		if what := c.follow(row, task, horizon.RowsFrom); what != "" {
			c.broken = true
			r.fault(Defect{workflowID, row.TaskID, row.At, what})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(tasks)) {
		r.Tasks++
		if c := chains[id]; c != nil && c.broken {
			r.Broken++
		}
		if what, covered := chains[id].ends(tasks[id], horizon.RowsFrom); covered {
			r.Covered++
		} else if what != "" {
			r.fault(Defect{workflowID, id, tasks[id].StatusAt, what})
		}
	}
	return nil
}

// chain is how far the rows of a task have been followed.
type chain struct {
	status jobmon.TaskStatus
	at     int64
	begun  bool
	broken bool
}

// follow takes the next row, and says what is wrong with it.
func (c *chain) follow(row jobmon.Transition, task store.Task, rowsFrom int64) (what string) {
	before := *c
	c.status, c.at, c.begun = row.To, row.At, true
	switch {
	case row.TaskTemplateID != task.TaskTemplateID:
		return fmt.Sprintf("the row names task template %d and the task has %d", row.TaskTemplateID, task.TaskTemplateID)
	case !before.begun && row.From != 0 && row.PreviousAt >= rowsFrom:
		return fmt.Sprintf("the chain begins with a move from %s; the row that leads there is missing", row.From.Name())
	case !before.begun:
		return ""
	case row.From == 0:
		return "the task is created a second time"
	case row.From != before.status:
		return fmt.Sprintf("the chain is broken: the task was in %s, and the row says that it left %s",
			before.status.Name(), row.From.Name())
	case row.PreviousAt != before.at:
		return fmt.Sprintf("the chain is broken: the task had entered %s at another instant than the row says", before.status.Name())
	}
	return ""
}

// ends compares the end of a chain with its task. Nothing is wrong when the task's rows are removed.
func (c *chain) ends(task store.Task, rowsFrom int64) (what string, covered bool) {
	switch {
	case c == nil && task.StatusAt < rowsFrom:
		return "", true
	case c == nil:
		return fmt.Sprintf("the task is in %s and has no row", task.Status.Name()), false
	case c.status != task.Status:
		return fmt.Sprintf("the task is in %s, and its last row says %s", task.Status.Name(), c.status.Name()), false
	case c.at != task.StatusAt:
		return "the task entered its status at another instant than its last row says", false
	}
	return "", !c.broken
}
