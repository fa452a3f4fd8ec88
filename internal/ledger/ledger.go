// Package ledger is the only way to change the status of a task. Each of its methods is one
// transaction: it locks the rows, checks the state machine, moves the tasks and appends to the task
// status audit. Told done, a move is in the audit exactly once; told failed, or told nothing, it is
// there at most once and the chain of rows is whole.
//
// Instants are microseconds since the Unix epoch, UTC, by the database's clock. An id that names
// nothing is CodeNotFound, except in a list of ids: those are returned as unknown, and the rest moves.
// A move that the state machine does not allow is not an error: nothing is written and the status
// that holds is returned, as JobMon's client expects. Every method may return CodeContention or
// CodeUnavailable; see package store.
package ledger

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// clampWarning is how far a task's last change may lie in the future, in microseconds, before that
// is a fault to tell somebody about and not two clocks that differ a little.
const clampWarning = 5 * 60 * 1_000_000

// Database is what the ledger needs of a store.
type Database interface {
	store.Writer
	store.Importer
}

// Ledger moves tasks. It is safe for concurrent use, and so are several ledgers on one database.
type Ledger struct {
	db     Database
	log    *slog.Logger
	clamps atomic.Int64
}

// New returns a ledger that writes to db and warns on log.
func New(db Database, log *slog.Logger) *Ledger {
	return &Ledger{db: db, log: log}
}

// ClockClamps returns how many moves since the start were dated more than 5 minutes after the
// database's clock, because their tasks had last changed then: a sign that the clock was set back.
func (l *Ledger) ClockClamps() int64 { return l.clamps.Load() }

// now reads the database's clock for a move of locked tasks, and speaks up when it runs far behind
// the instants that they already carry.
func (l *Ledger) now(ctx context.Context, tx store.Tx, tasks []store.Task) (int64, error) {
	at, err := tx.Now(ctx)
	if err != nil {
		return 0, err
	}
	for _, task := range tasks {
		if ahead := task.StatusAt - at; ahead > clampWarning {
			l.clamps.Add(1)
			l.log.WarnContext(ctx, "the database's clock is behind the last change of a task; the move is dated by the task",
				"task_id", task.ID, "behind_us", ahead)
			break
		}
	}
	return at, nil
}

// lockTask locks one task.
func lockTask(ctx context.Context, tx store.Tx, id int64) (store.Task, error) {
	tasks, err := tx.LockTasks(ctx, store.TaskFilter{IDs: []int64{id}})
	if err != nil {
		return store.Task{}, err
	}
	if len(tasks) == 0 {
		return store.Task{}, jobmon.Errorf(jobmon.CodeNotFound, "there is no task %d", id)
	}
	return tasks[0], nil
}

// follow moves tasks through statuses, one after the other at one instant.
func follow(ctx context.Context, tx store.Tx, ids []int64, at int64, path ...jobmon.TaskStatus) error {
	for _, to := range path {
		if err := tx.MoveTasks(ctx, store.TaskMove{IDs: ids, To: to, At: at}); err != nil {
			return err
		}
	}
	return nil
}

// reset takes tasks back to REGISTERING with no attempts behind them, and tells what still runs for
// them to stop. Otherwise a late report of such an attempt would be taken for news of the next one.
func reset(ctx context.Context, tx store.Tx, ids []int64, at int64) error {
	if len(ids) == 0 {
		return nil
	}
	err := tx.MoveTasks(ctx, store.TaskMove{
		IDs: ids, To: jobmon.TaskRegistering, At: at, Attempts: store.ForgetAttempts,
	})
	if err != nil {
		return err
	}
	live := slices.DeleteFunc(jobmon.InstanceStatuses(), func(s jobmon.InstanceStatus) bool { return !s.Live() })
	instances, err := tx.LockInstances(ctx, store.InstanceFilter{TaskIDs: ids, Statuses: live})
	if err != nil {
		return err
	}
	return endInstances(ctx, tx, instances, at)
}

// endInstances tells attempts to kill themselves where their state machine has that, and otherwise
// ends them.
func endInstances(ctx context.Context, tx store.Tx, instances []store.Instance, at int64) error {
	kill := func(i store.Instance) bool { return i.Status.MayBecome(jobmon.InstanceKillSelf) }
	killed, ended := partition(instances, kill)
	if err := moveInstances(ctx, tx, killed, jobmon.InstanceKillSelf, at); err != nil {
		return err
	}
	return moveInstances(ctx, tx, ended, jobmon.InstanceErrorFatal, at)
}

func moveInstances(
	ctx context.Context, tx store.Tx, instances []store.Instance, to jobmon.InstanceStatus, at int64,
) error {
	if len(instances) == 0 {
		return nil
	}
	return tx.MoveInstances(ctx, store.InstanceMove{IDs: instanceIDs(instances), To: to, At: at})
}

// partition splits rows into those that match and those that do not, in order.
func partition[T any](rows []T, matches func(T) bool) (yes, no []T) {
	for _, row := range rows {
		if matches(row) {
			yes = append(yes, row)
		} else {
			no = append(no, row)
		}
	}
	return yes, no
}

func taskIDs(tasks []store.Task) []int64 {
	ids := make([]int64, len(tasks))
	for i, task := range tasks {
		ids[i] = task.ID
	}
	return ids
}

func instanceIDs(instances []store.Instance) []int64 {
	ids := make([]int64, len(instances))
	for i, instance := range instances {
		ids[i] = instance.ID
	}
	return ids
}

// tasksOf returns the ids of the tasks that the instances belong to, ascending and once each.
func tasksOf(instances []store.Instance) []int64 {
	ids := make([]int64, len(instances))
	for i, instance := range instances {
		ids[i] = instance.TaskID
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// unknown returns the ids that are not among those found.
func unknown(asked, found []int64) []int64 {
	known := make(map[int64]bool, len(found))
	for _, id := range found {
		known[id] = true
	}
	var missing []int64
	for _, id := range asked {
		if !known[id] {
			missing = append(missing, id)
			known[id] = true
		}
	}
	return missing
}
