package concurrency

import "tasktide/internal/jobmon"

// StatusSet is a union of task statuses. A task is in exactly one status at a time, so the level of
// a union is the sum of the levels of its statuses. The zero value is empty.
type StatusSet uint32 // bit i stands for the status whose letter is 'A'+i

// The unions that have a name.
const (
	// Pending is PENDING: queued or instantiating.
	Pending StatusSet = 1<<(jobmon.TaskQueued-'A') | 1<<(jobmon.TaskInstantiating-'A')
	// Active is ACTIVE: what JobMon counts against max_concurrently_running.
	Active StatusSet = Pending | 1<<(jobmon.TaskLaunched-'A') | 1<<(jobmon.TaskRunning-'A')
	// All holds every task status.
	All StatusSet = Active | 1<<(jobmon.TaskRegistering-'A') | 1<<(jobmon.TaskDone-'A') |
		1<<(jobmon.TaskErrorRecoverable-'A') | 1<<(jobmon.TaskAdjustingResources-'A') |
		1<<(jobmon.TaskErrorFatal-'A')
)

// Of returns the union of the given statuses. What is not a task status, such as 0, adds nothing.
func Of(statuses ...jobmon.TaskStatus) StatusSet {
	var set StatusSet
	for _, status := range statuses {
		set |= 1 << (status - 'A') & All
	}
	return set
}

// Has reports whether status is in the set; 0, the status before a task's creation, never is.
func (s StatusSet) Has(status jobmon.TaskStatus) bool { return s.count(status) == 1 }

// Delta returns what a task that goes from one status to another adds to the level of the set: 1, 0 or -1.
func (s StatusSet) Delta(from, to jobmon.TaskStatus) int64 { return s.count(to) - s.count(from) }

// Statuses lists the set in the order of a task's life.
func (s StatusSet) Statuses() []jobmon.TaskStatus {
	var in []jobmon.TaskStatus
	for _, status := range jobmon.TaskStatuses() {
		if s.Has(status) {
			in = append(in, status)
		}
	}
	return in
}

// count is what one task in status adds to the level: 1 or 0. A status below 'A' wraps to a shift
// past the last bit, which gives 0.
func (s StatusSet) count(status jobmon.TaskStatus) int64 { return int64(s >> (status - 'A') & 1) }
