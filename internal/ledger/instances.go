package ledger

import (
	"context"
	"slices"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// Attempt is an instance after a report, and its task.
type Attempt struct {
	Instance store.Instance
	Task     store.Task
}

// LogRunning records that a worker has begun an instance, and expects to hear of it again within the
// given time. The instance and its task become RUNNING; the status in the answer says whether they
// did. An instance that was told to kill itself ends here, as ERROR_FATAL, and one that was given up
// for lack of a heartbeat as ERROR. CodeNotFound.
func (l *Ledger) LogRunning(
	ctx context.Context, instanceID int64, report store.InstanceReport, reportWithin time.Duration,
) (Attempt, error) {
	return l.report(ctx, instanceID, report, reportWithin, "", func(now jobmon.InstanceStatus) jobmon.InstanceStatus {
		switch now {
		case jobmon.InstanceKillSelf:
			return jobmon.InstanceErrorFatal
		case jobmon.InstanceNoHeartbeat:
			return jobmon.InstanceError
		default:
			return jobmon.InstanceRunning
		}
	})
}

// LogDone records that an instance has succeeded. It and its task become DONE, unless the task is no
// longer this instance's: then the instance ends as ERROR_FATAL, because its result does not count.
// CodeNotFound.
func (l *Ledger) LogDone(ctx context.Context, instanceID int64, report store.InstanceReport) (Attempt, error) {
	return l.report(ctx, instanceID, report, 0, "", func(jobmon.InstanceStatus) jobmon.InstanceStatus {
		return jobmon.InstanceDone
	})
}

// LogError records that an instance has failed in the way that state says, with a description for
// people. Its task goes through ERROR_RECOVERABLE to REGISTERING or ADJUSTING_RESOURCES while it has
// attempts left, and to ERROR_FATAL after them. CodeInvalid when state is no error; CodeNotFound.
func (l *Ledger) LogError(
	ctx context.Context, instanceID int64, state jobmon.InstanceStatus, description string, report store.InstanceReport,
) (Attempt, error) {
	if !state.Failed() {
		return Attempt{}, jobmon.FieldErrorf("error_state",
			"error_state %q is not one of E (ERROR), F (ERROR_FATAL), U (UNKNOWN_ERROR), W (NO_DISTRIBUTOR_ID), Z (RESOURCE_ERROR)",
			state)
	}
	return l.report(ctx, instanceID, report, 0, description, func(jobmon.InstanceStatus) jobmon.InstanceStatus {
		return state
	})
}

// report takes one instance to the status that a report means for it, and its task along.
func (l *Ledger) report(
	ctx context.Context, instanceID int64, report store.InstanceReport, reportWithin time.Duration, description string,
	wanted func(now jobmon.InstanceStatus) jobmon.InstanceStatus,
) (Attempt, error) {
	var attempt Attempt
	err := l.db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		instances, tasks, err := lockInstances(ctx, tx, store.InstanceFilter{IDs: []int64{instanceID}})
		if err != nil {
			return err
		}
		if len(instances) == 0 {
			return jobmon.Errorf(jobmon.CodeNotFound, "there is no task instance %d", instanceID)
		}
		attempt = Attempt{Instance: instances[0], Task: tasks[instances[0].TaskID]}
		to, path := outcome(attempt, wanted(attempt.Instance.Status))
		if to == 0 {
			return nil
		}
		at, err := l.now(ctx, tx, []store.Task{attempt.Task})
		if err != nil {
			return err
		}
		if err := l.take(ctx, tx, attempt.Task, path, at); err != nil {
			return err
		}
		if reportWithin > 0 {
			by := at + reportWithin.Microseconds()
			report.ReportBy = &by
		}
		ids := []int64{instanceID}
		if description != "" {
			if err := tx.AppendInstanceErrors(ctx, ids, description, at); err != nil {
				return err
			}
		}
		attempt.Instance.Status = to
		if len(path) > 0 {
			attempt.Task.Status = path[len(path)-1]
		}
		return tx.MoveInstances(ctx, store.InstanceMove{IDs: ids, To: to, At: at, Report: report})
	})
	return attempt, err
}

// outcome decides what a report that its instance is now in status to does: the status that the
// instance takes, 0 when the report comes too late or repeats an earlier one, and the statuses that
// the task goes through.
func outcome(attempt Attempt, to jobmon.InstanceStatus) (jobmon.InstanceStatus, []jobmon.TaskStatus) {
	instance, task := attempt.Instance, attempt.Task
	if instance.Status == to || !reaches(instance.Status, to) {
		return 0, nil
	}
	if !instance.Newest || !task.Status.Active() {
		// The task was reset, tried again or settled meanwhile: what this attempt says of it is void.
		if to == jobmon.InstanceDone && task.Status == jobmon.TaskDone && instance.Newest {
			return to, nil
		}
		return jobmon.InstanceErrorFatal, nil
	}
	path := to.TaskMoves(task.Status, task.NumAttempts, task.MaxAttempts)
	if len(path) > 0 && !task.Status.MayBecome(path[0]) {
		if !to.Failed() {
			return 0, nil
		}
		// A task that is only queued has nothing that could have failed; it must not be left there.
		path = []jobmon.TaskStatus{jobmon.TaskRegistering}
	}
	return to, path
}

// reaches reports whether an instance may go from one status to another, at once or through a status
// that nobody reported: a worker that was being looked for and speaks up is running, and one that
// failed before it could say that it runs was not heard of.
func reaches(from, to jobmon.InstanceStatus) bool {
	if from.MayBecome(to) {
		return true
	}
	switch from {
	case jobmon.InstanceTriaging:
		return jobmon.InstanceRunning.MayBecome(to)
	case jobmon.InstanceInstantiated:
		return to.Failed()
	case jobmon.InstanceLaunched:
		return jobmon.InstanceNoHeartbeat.MayBecome(to)
	default:
		return false
	}
}

// take moves one task along a path that outcome returned.
func (l *Ledger) take(ctx context.Context, tx store.Tx, task store.Task, path []jobmon.TaskStatus, at int64) error {
	if len(path) == 1 && path[0] == jobmon.TaskRegistering {
		return reset(ctx, tx, []int64{task.ID}, at)
	}
	return follow(ctx, tx, []int64{task.ID}, at, path...)
}

// KillBatch ends the instances of a batch that were told to kill themselves. A task that was still
// theirs is ERROR_FATAL; one that was reset meanwhile stays as it is. CodeNotFound for the array.
func (l *Ledger) KillBatch(ctx context.Context, arrayID, batchNum int64) error {
	filter := store.InstanceFilter{
		ArrayID: arrayID, BatchNum: batchNum, Statuses: []jobmon.InstanceStatus{jobmon.InstanceKillSelf},
	}
	return l.db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		instances, tasks, err := lockInstances(ctx, tx, filter)
		if err != nil {
			return err
		}
		var killed []store.Instance
		var failed, released []int64
		for _, instance := range instances {
			if instance.Status != jobmon.InstanceKillSelf {
				continue
			}
			killed = append(killed, instance)
			_, path := outcome(Attempt{Instance: instance, Task: tasks[instance.TaskID]}, jobmon.InstanceErrorFatal)
			switch len(path) {
			case 0:
			case 1:
				released = append(released, instance.TaskID)
			default:
				failed = append(failed, instance.TaskID)
			}
		}
		if len(killed) == 0 {
			return nil
		}
		at, err := l.now(ctx, tx, sortedTasks(tasks))
		if err != nil {
			return err
		}
		if err := moveInstances(ctx, tx, killed, jobmon.InstanceErrorFatal, at); err != nil {
			return err
		}
		if err := reset(ctx, tx, released, at); err != nil || len(failed) == 0 {
			return err
		}
		return follow(ctx, tx, failed, at, jobmon.TaskErrorRecoverable, jobmon.TaskErrorFatal)
	})
}

// TerminateInstances ends what a run that is being resumed has under way, and returns how many
// instances that concerned: those not launched yet end, and their tasks go back to REGISTERING, so
// that nothing waits for a run that is gone; those launched, and in a cold resume those running, are
// told to kill themselves, and their tasks follow when they do. A run in any other status is left
// alone. CodeNotFound.
func (l *Ledger) TerminateInstances(ctx context.Context, runID int64) (int, error) {
	var terminated int
	err := l.db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		terminated = 0
		run, err := tx.LockRun(ctx, runID)
		if err != nil {
			return err
		}
		waiting := []jobmon.InstanceStatus{jobmon.InstanceQueued, jobmon.InstanceInstantiated}
		ending := append(slices.Clone(waiting), jobmon.InstanceLaunched)
		switch run.Status {
		case jobmon.RunColdResume:
			ending = append(ending, jobmon.InstanceRunning)
		case jobmon.RunHotResume:
		default:
			return nil
		}
		instances, tasks, err := lockInstances(ctx, tx, store.InstanceFilter{RunID: runID, Statuses: ending})
		if err != nil {
			return err
		}
		instances, _ = partition(instances, func(i store.Instance) bool { return slices.Contains(ending, i.Status) })
		if len(instances) == 0 {
			return nil
		}
		terminated = len(instances)
		at, err := l.now(ctx, tx, sortedTasks(tasks))
		if err != nil {
			return err
		}
		notLaunched, launched := partition(instances, func(i store.Instance) bool {
			return slices.Contains(waiting, i.Status)
		})
		if err := tx.AppendInstanceErrors(ctx, instanceIDs(instances), "terminated: the workflow is being resumed", at); err != nil {
			return err
		}
		if err := moveInstances(ctx, tx, notLaunched, jobmon.InstanceErrorFatal, at); err != nil {
			return err
		}
		if err := moveInstances(ctx, tx, launched, jobmon.InstanceKillSelf, at); err != nil {
			return err
		}
		held, _ := partition(notLaunched, func(i store.Instance) bool {
			return i.Newest && tasks[i.TaskID].Status.Active()
		})
		return reset(ctx, tx, tasksOf(held), at)
	})
	return terminated, err
}
