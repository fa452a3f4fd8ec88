package jobmon

import "slices"

// WorkflowStatus is the status of a workflow.
type WorkflowStatus byte

// The statuses of a workflow. WorkflowIncomplete is not JobMon's: an imported run has it that is over and has tasks
// which are neither DONE nor ERROR_FATAL.
const (
	WorkflowRegistering   WorkflowStatus = 'G'
	WorkflowQueued        WorkflowStatus = 'Q'
	WorkflowInstantiating WorkflowStatus = 'I'
	WorkflowLaunched      WorkflowStatus = 'O'
	WorkflowRunning       WorkflowStatus = 'R'
	WorkflowDone          WorkflowStatus = 'D'
	WorkflowHalted        WorkflowStatus = 'H'
	WorkflowFailed        WorkflowStatus = 'F'
	WorkflowAborted       WorkflowStatus = 'A'
	WorkflowIncomplete    WorkflowStatus = 'N'
)

var workflows = machine[WorkflowStatus]{
	what: "workflow",
	order: []WorkflowStatus{
		WorkflowRegistering, WorkflowQueued, WorkflowInstantiating, WorkflowLaunched, WorkflowRunning,
		WorkflowDone, WorkflowHalted, WorkflowFailed, WorkflowAborted, WorkflowIncomplete,
	},
	rules: map[WorkflowStatus]rule[WorkflowStatus]{
		WorkflowRegistering:   {"REGISTERING", []WorkflowStatus{WorkflowQueued, WorkflowAborted}},
		WorkflowQueued:        {"QUEUED", []WorkflowStatus{WorkflowInstantiating, WorkflowFailed, WorkflowHalted}},
		WorkflowInstantiating: {"INSTANTIATING", []WorkflowStatus{WorkflowLaunched, WorkflowFailed}},
		WorkflowLaunched:      {"LAUNCHED", []WorkflowStatus{WorkflowRunning, WorkflowFailed}},
		WorkflowRunning:       {"RUNNING", []WorkflowStatus{WorkflowHalted, WorkflowDone, WorkflowFailed}},
		WorkflowDone:          {"DONE", nil},
		WorkflowHalted:        {"HALTED", []WorkflowStatus{WorkflowRegistering}},
		WorkflowFailed:        {"FAILED", []WorkflowStatus{WorkflowRegistering}},
		WorkflowAborted:       {"ABORTED", []WorkflowStatus{WorkflowRegistering}},
		WorkflowIncomplete:    {"INCOMPLETE", []WorkflowStatus{WorkflowRegistering}},
	},
}

// WorkflowStatuses lists every workflow status.
func WorkflowStatuses() []WorkflowStatus { return slices.Clone(workflows.order) }

// ParseWorkflowStatus reads a status by its letter or, in any case, its name. Anything else is
// CodeInvalid.
func ParseWorkflowStatus(text string) (WorkflowStatus, error) { return workflows.parse(text) }

// MayBecome reports whether a workflow may go from s to next. Staying is not a move.
func (s WorkflowStatus) MayBecome(next WorkflowStatus) bool { return workflows.may(s, next) }

// AtRest reports whether nothing drives the workflow, so that an administrator may set any of its
// tasks' statuses.
func (s WorkflowStatus) AtRest() bool {
	switch s {
	case WorkflowFailed, WorkflowDone, WorkflowAborted, WorkflowHalted, WorkflowIncomplete:
		return true
	default:
		return false
	}
}

// Name returns the status in words, such as RUNNING, and "" for no status.
func (s WorkflowStatus) Name() string { return workflows.name(s) }

// String returns the status's letter, and "" for no status.
func (s WorkflowStatus) String() string { return letter(s) }

// MarshalText writes the letter.
func (s WorkflowStatus) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a letter or a name; see [ParseWorkflowStatus].
func (s *WorkflowStatus) UnmarshalText(text []byte) (err error) {
	*s, err = ParseWorkflowStatus(string(text))
	return err
}

// RunStatus is the status of a workflow run: one execution of a workflow.
type RunStatus byte

// The statuses of a workflow run.
const (
	RunRegistered   RunStatus = 'G'
	RunLinking      RunStatus = 'L'
	RunBound        RunStatus = 'B'
	RunInstantiated RunStatus = 'I'
	RunLaunched     RunStatus = 'O'
	RunRunning      RunStatus = 'R'
	RunDone         RunStatus = 'D'
	RunStopped      RunStatus = 'S'
	RunError        RunStatus = 'E'
	RunColdResume   RunStatus = 'C'
	RunHotResume    RunStatus = 'H'
	RunTerminated   RunStatus = 'T'
	RunAborted      RunStatus = 'A'
)

var runs = machine[RunStatus]{
	what: "workflow run",
	order: []RunStatus{
		RunRegistered, RunLinking, RunBound, RunInstantiated, RunLaunched, RunRunning, RunDone,
		RunStopped, RunError, RunColdResume, RunHotResume, RunTerminated, RunAborted,
	},
	rules: map[RunStatus]rule[RunStatus]{
		RunRegistered:   {"REGISTERED", []RunStatus{RunLinking}},
		RunLinking:      {"LINKING", []RunStatus{RunBound, RunAborted}},
		RunBound:        {"BOUND", []RunStatus{RunInstantiated, RunError, RunColdResume, RunHotResume}},
		RunInstantiated: {"INSTANTIATED", []RunStatus{RunLaunched, RunError}},
		RunLaunched:     {"LAUNCHED", []RunStatus{RunRunning, RunError}},
		RunRunning:      {"RUNNING", []RunStatus{RunDone, RunStopped, RunColdResume, RunHotResume, RunError}},
		RunDone:         {"DONE", nil},
		RunStopped:      {"STOPPED", nil},
		RunError:        {"ERROR", nil},
		RunColdResume:   {"COLD_RESUME", []RunStatus{RunTerminated}},
		RunHotResume:    {"HOT_RESUME", []RunStatus{RunTerminated}},
		RunTerminated:   {"TERMINATED", nil},
		RunAborted:      {"ABORTED", nil},
	},
}

// RunStatuses lists every workflow run status.
func RunStatuses() []RunStatus { return slices.Clone(runs.order) }

// ParseRunStatus reads a status by its letter or, in any case, its name. Anything else is
// CodeInvalid.
func ParseRunStatus(text string) (RunStatus, error) { return runs.parse(text) }

// MayBecome reports whether a run may go from s to next. Staying is not a move.
func (s RunStatus) MayBecome(next RunStatus) bool { return runs.may(s, next) }

// Ended reports whether the run has ended: no status follows.
func (s RunStatus) Ended() bool { return len(runs.rules[s].next) == 0 }

// Alive reports whether the run holds its workflow, so that no other run may begin.
func (s RunStatus) Alive() bool {
	switch s {
	case RunLinking, RunBound, RunRunning, RunColdResume, RunHotResume:
		return true
	default:
		return false
	}
}

// WorkflowBecomes returns the status that the workflow takes when its run enters s, and false when s
// says nothing about the workflow.
func (s RunStatus) WorkflowBecomes() (WorkflowStatus, bool) {
	status := map[RunStatus]WorkflowStatus{
		RunLinking:      WorkflowRegistering,
		RunBound:        WorkflowQueued,
		RunAborted:      WorkflowAborted,
		RunInstantiated: WorkflowInstantiating,
		RunLaunched:     WorkflowLaunched,
		RunRunning:      WorkflowRunning,
		RunDone:         WorkflowDone,
		RunTerminated:   WorkflowHalted,
		RunStopped:      WorkflowFailed,
		RunError:        WorkflowFailed,
	}[s]
	return status, status != 0
}

// Name returns the status in words, such as RUNNING, and "" for no status.
func (s RunStatus) Name() string { return runs.name(s) }

// String returns the status's letter, and "" for no status.
func (s RunStatus) String() string { return letter(s) }

// MarshalText writes the letter.
func (s RunStatus) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a letter or a name; see [ParseRunStatus].
func (s *RunStatus) UnmarshalText(text []byte) (err error) {
	*s, err = ParseRunStatus(string(text))
	return err
}
