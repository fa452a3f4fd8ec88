package jobmon

import "slices"

// InstanceStatus is the status of a task instance: one attempt at a task.
type InstanceStatus byte

// The statuses of a task instance.
const (
	InstanceQueued          InstanceStatus = 'Q'
	InstanceInstantiated    InstanceStatus = 'I'
	InstanceLaunched        InstanceStatus = 'O'
	InstanceRunning         InstanceStatus = 'R'
	InstanceTriaging        InstanceStatus = 'T'
	InstanceDone            InstanceStatus = 'D'
	InstanceError           InstanceStatus = 'E'
	InstanceErrorFatal      InstanceStatus = 'F'
	InstanceKillSelf        InstanceStatus = 'K'
	InstanceNoDistributorID InstanceStatus = 'W'
	InstanceNoHeartbeat     InstanceStatus = 'X'
	InstanceUnknownError    InstanceStatus = 'U'
	InstanceResourceError   InstanceStatus = 'Z'
)

var instances = machine[InstanceStatus]{
	what: "task instance",
	order: []InstanceStatus{
		InstanceQueued, InstanceInstantiated, InstanceLaunched, InstanceRunning, InstanceTriaging, InstanceDone,
		InstanceError, InstanceErrorFatal, InstanceKillSelf, InstanceNoDistributorID, InstanceNoHeartbeat,
		InstanceUnknownError, InstanceResourceError,
	},
	rules: map[InstanceStatus]rule[InstanceStatus]{
		InstanceQueued: {"QUEUED", []InstanceStatus{InstanceInstantiated, InstanceKillSelf}},
		InstanceInstantiated: {"INSTANTIATED", []InstanceStatus{
			InstanceLaunched, InstanceNoDistributorID, InstanceKillSelf, InstanceRunning,
		}},
		InstanceLaunched: {"LAUNCHED", []InstanceStatus{
			InstanceRunning, InstanceUnknownError, InstanceNoHeartbeat, InstanceResourceError,
			InstanceKillSelf, InstanceErrorFatal,
		}},
		InstanceRunning: {"RUNNING", []InstanceStatus{
			InstanceTriaging, InstanceError, InstanceUnknownError, InstanceResourceError, InstanceKillSelf, InstanceDone,
		}},
		InstanceTriaging: {"TRIAGING", []InstanceStatus{
			InstanceRunning, InstanceResourceError, InstanceUnknownError, InstanceErrorFatal,
		}},
		InstanceDone:            {"DONE", nil},
		InstanceError:           {"ERROR", nil},
		InstanceErrorFatal:      {"ERROR_FATAL", nil},
		InstanceKillSelf:        {"KILL_SELF", []InstanceStatus{InstanceErrorFatal, InstanceDone}},
		InstanceNoDistributorID: {"NO_DISTRIBUTOR_ID", nil},
		InstanceNoHeartbeat:     {"NO_HEARTBEAT", []InstanceStatus{InstanceError}},
		InstanceUnknownError:    {"UNKNOWN_ERROR", nil},
		InstanceResourceError:   {"RESOURCE_ERROR", nil},
	},
}

// InstanceStatuses lists every task instance status.
func InstanceStatuses() []InstanceStatus { return slices.Clone(instances.order) }

// ParseInstanceStatus reads a status by its letter or, in any case, its name. Anything else is
// CodeInvalid.
func ParseInstanceStatus(text string) (InstanceStatus, error) { return instances.parse(text) }

// MayBecome reports whether an instance may go from s to next. What it may not do is ignored, not
// refused: reports arrive late and out of order, and the reporter is told the status that holds.
func (s InstanceStatus) MayBecome(next InstanceStatus) bool { return instances.may(s, next) }

// Live reports whether the attempt may still run or be running.
func (s InstanceStatus) Live() bool {
	switch s {
	case InstanceQueued, InstanceInstantiated, InstanceLaunched, InstanceRunning, InstanceTriaging:
		return true
	default:
		return false
	}
}

// Failed reports whether entering s ends the attempt with an error.
func (s InstanceStatus) Failed() bool {
	switch s {
	case InstanceError, InstanceErrorFatal, InstanceNoDistributorID, InstanceUnknownError, InstanceResourceError:
		return true
	default:
		return false
	}
}

// TaskMoves returns the statuses that a task in status task goes through, in order, when one of its
// instances enters s after the task's attempts-th attempt of at most maxAttempts. It is empty when
// the task stays where it is: because s says nothing about the task, because the task is there
// already, or because it is DONE or ERROR_FATAL and the instance comes too late.
//
// A failed attempt always passes through ERROR_RECOVERABLE. The caller still has to check each step
// with [TaskStatus.MayBecome].
func (s InstanceStatus) TaskMoves(task TaskStatus, attempts, maxAttempts int) []TaskStatus {
	if task.Final() {
		return nil
	}
	switch {
	case s == InstanceErrorFatal, s.Failed() && attempts >= maxAttempts:
		return []TaskStatus{TaskErrorRecoverable, TaskErrorFatal}
	case s == InstanceResourceError:
		return []TaskStatus{TaskErrorRecoverable, TaskAdjustingResources}
	case s.Failed():
		return []TaskStatus{TaskErrorRecoverable, TaskRegistering}
	}
	same, known := map[InstanceStatus]TaskStatus{
		InstanceQueued:       TaskQueued,
		InstanceInstantiated: TaskInstantiating,
		InstanceLaunched:     TaskLaunched,
		InstanceRunning:      TaskRunning,
		InstanceDone:         TaskDone,
	}[s]
	if !known || same == task {
		return nil
	}
	return []TaskStatus{same}
}

// Name returns the status in words, such as RUNNING, and "" for no status.
func (s InstanceStatus) Name() string { return instances.name(s) }

// String returns the status's letter, and "" for no status.
func (s InstanceStatus) String() string { return letter(s) }

// MarshalText writes the letter.
func (s InstanceStatus) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a letter or a name; see [ParseInstanceStatus].
func (s *InstanceStatus) UnmarshalText(text []byte) (err error) {
	*s, err = ParseInstanceStatus(string(text))
	return err
}
