package jobmon

import "slices"

// TaskStatus is the status of a task.
type TaskStatus byte

// The statuses of a task, in the order of its life. No task ever rests in TaskErrorRecoverable: it
// stands in the audit between an attempt that failed and what follows from that.
const (
	TaskRegistering        TaskStatus = 'G'
	TaskQueued             TaskStatus = 'Q'
	TaskInstantiating      TaskStatus = 'I'
	TaskLaunched           TaskStatus = 'O'
	TaskRunning            TaskStatus = 'R'
	TaskDone               TaskStatus = 'D'
	TaskErrorRecoverable   TaskStatus = 'E'
	TaskAdjustingResources TaskStatus = 'A'
	TaskErrorFatal         TaskStatus = 'F'
)

var tasks = machine[TaskStatus]{
	what: "task",
	order: []TaskStatus{
		TaskRegistering, TaskQueued, TaskInstantiating, TaskLaunched, TaskRunning,
		TaskDone, TaskErrorRecoverable, TaskAdjustingResources, TaskErrorFatal,
	},
	rules: map[TaskStatus]rule[TaskStatus]{
		TaskRegistering:        {"REGISTERING", []TaskStatus{TaskQueued}},
		TaskQueued:             {"QUEUED", []TaskStatus{TaskInstantiating}},
		TaskInstantiating:      {"INSTANTIATING", []TaskStatus{TaskLaunched, TaskRunning, TaskErrorRecoverable}},
		TaskLaunched:           {"LAUNCHED", []TaskStatus{TaskRunning, TaskErrorRecoverable}},
		TaskRunning:            {"RUNNING", []TaskStatus{TaskDone, TaskErrorRecoverable}},
		TaskDone:               {"DONE", nil},
		TaskAdjustingResources: {"ADJUSTING_RESOURCES", []TaskStatus{TaskQueued}},
		TaskErrorRecoverable: {"ERROR_RECOVERABLE", []TaskStatus{
			TaskAdjustingResources, TaskQueued, TaskErrorFatal, TaskRegistering,
		}},
		TaskErrorFatal: {"ERROR_FATAL", nil},
	},
}

// TaskStatuses lists every task status in the order of a task's life.
func TaskStatuses() []TaskStatus { return slices.Clone(tasks.order) }

// ParseTaskStatus reads a status by its letter or, in any case, its name. Anything else is
// CodeInvalid.
func ParseTaskStatus(text string) (TaskStatus, error) { return tasks.parse(text) }

// MayBecome reports whether a task may go from s to next. Staying is not a move.
func (s TaskStatus) MayBecome(next TaskStatus) bool { return tasks.may(s, next) }

// Final reports whether an attempt's failure or success can no longer change the task: only a reset
// leads out of DONE and ERROR_FATAL.
func (s TaskStatus) Final() bool { return s == TaskDone || s == TaskErrorFatal }

// Active reports whether JobMon counts the task against max_concurrently_running.
func (s TaskStatus) Active() bool {
	return s == TaskQueued || s == TaskInstantiating || s == TaskLaunched || s == TaskRunning
}

// InAttempt reports whether the time that a task is in the status belongs to an attempt at it: a task that is
// REGISTERING or ADJUSTING_RESOURCES waits for the next one.
func (s TaskStatus) InAttempt() bool {
	return s != 0 && s != TaskRegistering && s != TaskAdjustingResources
}

// Resets reports whether the reset rule takes a task in status s back to REGISTERING: never from
// DONE, and from RUNNING only when the caller asks for it.
func (s TaskStatus) Resets(resetIfRunning bool) bool {
	return s != TaskDone && (s != TaskRunning || resetIfRunning)
}

// Name returns the status in words, such as RUNNING, and "" for no status.
func (s TaskStatus) Name() string { return tasks.name(s) }

// String returns the status's letter, and "" for no status.
func (s TaskStatus) String() string { return letter(s) }

// MarshalText writes the letter.
func (s TaskStatus) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a letter or a name; see [ParseTaskStatus].
func (s *TaskStatus) UnmarshalText(text []byte) (err error) {
	*s, err = ParseTaskStatus(string(text))
	return err
}

// Transition is one row of the task status audit: a task left one status and entered another.
// Instants are microseconds since the Unix epoch, UTC.
type Transition struct {
	ID             int64
	TaskID         int64
	WorkflowID     int64
	TaskTemplateID int64
	From           TaskStatus // 0 when the task was created
	To             TaskStatus
	At             int64 // the task is in To from this instant on, and no longer in From
	PreviousAt     int64 // when From was entered; 0 when From is
	// Retry numbers an attempt at the task from 0, since the task was last reset: that to which the time in
	// To belongs or, where To belongs to none, that to which the time in From did.
	Retry int
}

// Retried reports whether the time in From and that in To belong to an attempt after the first.
func (t Transition) Retried() (from, to bool) {
	before := t.Retry
	if t.To == TaskQueued {
		before-- // a task begins an attempt when it is queued
	}
	return t.From.InAttempt() && before > 0, t.To.InAttempt() && t.Retry > 0
}
