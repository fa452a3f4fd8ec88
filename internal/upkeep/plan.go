package upkeep

import (
	"context"
	"time"

	"tasktide/internal/store"
)

// Plan is what a pass would do.
type Plan struct {
	Now int64 // by the database's clock
	// Hold is why nothing would be removed; the removals are what is due all the same.
	Hold     Hold
	Removals []Removal

	evidence Evidence
}

// Removal is what a pass would remove of a workflow: rows before RowsBefore and cells before DataBefore,
// both instants, 0 for none.
type Removal struct {
	WorkflowID             int64
	Name                   string
	Rows                   int64
	RowsBefore, DataBefore int64
}

// Plan returns what a pass would do now, and removes nothing.
func (r *Retention) Plan(ctx context.Context) (Plan, error) {
	plan := Plan{evidence: Evidence{Rows: r.rows, Blocks: r.blocks, Confirmed: r.confirmed}}
	e := &plan.evidence
	if r.rows == 0 {
		return plan, nil // and no cells either
	}
	err := r.db.View(ctx, func(ctx context.Context, snapshot store.Snapshot) (err error) {
		if e.Now, err = snapshot.Now(ctx); err != nil {
			return err
		}
		e.Server = r.clock().UnixMicro()
		if e.Known, err = snapshot.RetentionClock(ctx); err != nil {
			return err
		}
		rowsFrom, dataFrom, err := snapshot.LatestHorizon(ctx)
		e.Ahead = max(rowsFrom, dataFrom)
		return err
	})
	if err != nil {
		return plan, err
	}
	plan.Now = e.Now
	if plan.Removals, err = r.removals(ctx, e.Now); err != nil {
		return plan, err
	}
	e.RowsBefore, e.DataBefore = old(e.Now, 0, r.rows, hour), old(e.Now, 0, r.blocks, day)
	for _, removal := range plan.Removals {
		e.RowsDue = e.RowsDue || removal.RowsBefore != 0
		e.DataDue = e.DataDue || removal.DataBefore != 0
	}
	e.Watched = r.watch(e.Known.At)
	plan.Hold = r.keep(e.Decide())
	return plan, nil
}

// watch returns for how long this process has known that the last accepted pass was at an instant. It is told by a clock
// that nobody can set.
func (r *Retention) watch(pass int64) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.watched.since.IsZero() || r.watched.pass != pass {
		r.watched = watched{pass, time.Now()}
	}
	return time.Since(r.watched.since)
}

// keep keeps why a pass is held for [Retention.Progress].
func (r *Retention) keep(hold Hold) Hold {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress.Held = hold
	return hold
}

// begin stores when the newest row was stored, where no pass is known yet: before the server writes rows, which cannot
// say whether the clock is right that they are dated by.
func (r *Retention) begin(ctx context.Context) error {
	err := r.db.Maintain(ctx, func(ctx context.Context, tx store.UpkeepTx) error {
		known, err := tx.LockRetentionClock(ctx)
		if err != nil || known.At != 0 {
			return err
		}
		if known.At, err = tx.NewestStored(ctx); err != nil || known.At == 0 {
			return err
		}
		return tx.SaveRetentionClock(ctx, known)
	})
	if err != nil {
		return err
	}
	plan, err := r.Plan(ctx)
	if plan.Hold != (Hold{}) {
		r.complain(ctx, plan)
	}
	return err
}

func (r *Retention) complain(ctx context.Context, plan Plan) {
	rows, workflows := plan.due()
	r.log.WarnContext(ctx, "retention is held and removes nothing", "why", plan.Hold.Message, "reason", plan.Hold.Reason,
		"clock", text(plan.Now), "rows_due", rows, "workflows_due", workflows)
}

// announce says on the log what an accepted pass will remove.
func (r *Retention) announce(ctx context.Context, plan Plan) {
	rows, workflows := plan.due()
	if workflows == 0 {
		return
	}
	e := plan.evidence
	r.log.InfoContext(ctx, "retention removes what is old", "clock", text(plan.Now), "pass_before", text(e.Known.At),
		"rows", rows, "rows_before", text(e.RowsBefore), "cells_before", text(e.DataBefore), "workflows", workflows)
}

// due counts the rows that are due, and the workflows of which anything is.
func (p Plan) due() (rows int64, workflows int) {
	for _, removal := range p.Removals {
		rows += removal.Rows
	}
	return rows, len(p.Removals)
}

// accept stores that a pass is accepted, unless it is held by what another one has stored meanwhile. A pass that is held
// stores nothing.
func (r *Retention) accept(ctx context.Context, e Evidence) (hold Hold, err error) {
	if e.Rows == 0 {
		return Hold{}, nil
	}
	err = r.db.Maintain(ctx, func(ctx context.Context, tx store.UpkeepTx) error {
		known, err := tx.LockRetentionClock(ctx)
		if err != nil {
			return err
		}
		if known != e.Known {
			e.Known, e.Watched = known, 0
		}
		if hold = e.Decide(); hold != (Hold{}) {
			return nil
		}
		return tx.SaveRetentionClock(ctx, e.Accepted())
	})
	if err == nil && hold == (Hold{}) {
		r.watch(e.Accepted().At)
	}
	return r.keep(hold), err
}

func (r *Retention) removals(ctx context.Context, now int64) ([]Removal, error) {
	var removals []Removal
	err := r.each(ctx, now, func(w store.WorkflowInfo, due due) error {
		removal := Removal{WorkflowID: w.ID, Name: w.Name}
		err := r.db.View(ctx, func(ctx context.Context, snapshot store.Snapshot) (err error) {
			if due.rows <= w.FirstAt {
				return nil
			}
			removal.Rows, err = snapshot.CountTransitions(ctx, store.TransitionFilter{WorkflowID: w.ID, Before: due.rows}, 1<<62)
			return err
		})
		if removal.Rows > 0 {
			removal.RowsBefore = due.rows
		}
		if due.cells > max(due.horizon.DataFrom, w.FirstAt-w.FirstAt%day) && w.LastAt >= due.horizon.DataFrom {
			removal.DataBefore = due.cells
		}
		if removal.RowsBefore != 0 || removal.DataBefore != 0 {
			removals = append(removals, removal)
		}
		return err
	})
	return removals, err
}
