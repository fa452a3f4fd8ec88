package store

import (
	"time"

	"tasktide/internal/jobmon"
)

// MaxInstant is the last instant that every database can store, 9999-12-31T23:59:59.999999Z, in
// microseconds since the Unix epoch.
const MaxInstant int64 = 253_402_300_799_999_999

// Tool is a piece of software that runs workflows.
type Tool struct {
	ID   int64
	Name string
}

// ToolVersion is one version of a tool.
type ToolVersion struct {
	ID     int64
	ToolID int64
}

// TaskTemplate is a kind of task of a tool version.
type TaskTemplate struct {
	ID            int64
	ToolVersionID int64
	Name          string
}

// TaskTemplateVersion is a command with named arguments.
type TaskTemplateVersion struct {
	ID              int64
	TaskTemplateID  int64
	CommandTemplate string
	ArgMappingHash  string // decimal, up to 78 digits
	NodeArgs        []string
	TaskArgs        []string
	OpArgs          []string
	ArgIDs          map[string]int64 // of every argument named above
}

// Cluster is a place where tasks run.
type Cluster struct {
	ID                   int64
	Name                 string
	Type                 string
	ConnectionParameters *string // JSON text, nil when there are none
}

// Queue is a queue of a cluster.
type Queue struct {
	ID         int64
	Name       string
	Parameters string // a Python literal, as JobMon's client reads it
}

// Node is a template version with the arguments that place it in a graph.
type Node struct {
	TaskTemplateVersionID int64
	ArgsHash              string
	Args                  map[int64]string // by argument id
}

// DAG is a graph of nodes.
type DAG struct {
	ID        int64
	CreatedAt int64 // when its edges were complete; 0 before
}

// Edge is a node's place in a graph.
type Edge struct {
	NodeID     int64
	Upstream   []int64
	Downstream []int64
}

// TaskResources is what a task asks of a queue.
type TaskResources struct {
	QueueID   *int64
	Type      string // O original, V validated, A adjusted
	Requested string // JSON text
}

// WorkflowKey identifies a workflow to JobMon's client. Hashes are decimal text of up to 78 digits.
type WorkflowKey struct {
	ToolVersionID int64
	DAGID         int64
	ArgsHash      string
	TaskHash      string
}

// WorkflowMatch is a workflow with given arguments, as a client compares it with its own.
type WorkflowMatch struct {
	ID            int64
	TaskHash      string
	ToolVersionID int64
	DAGID         int64
	DAGHash       string
}

// Workflow is a workflow and its limit, in tasks that are active at once.
type Workflow struct {
	WorkflowKey
	ID                     int64
	Name                   string
	Description            string
	Args                   string
	MaxConcurrentlyRunning int64
	Status                 jobmon.WorkflowStatus
	StatusAt               int64
	CreatedAt              int64 // when all its tasks were bound; 0 before
}

// Run is one execution of a workflow.
type Run struct {
	ID            int64
	WorkflowID    int64
	User          string
	JobmonVersion string
	Status        jobmon.RunStatus
	StatusAt      int64
	CreatedAt     int64
	HeartbeatAt   int64 // it is lost when nothing is heard of it by this instant
}

// Array is all the tasks of one template version in one workflow, and their limit.
type Array struct {
	ID                     int64
	TaskTemplateVersionID  int64
	WorkflowID             int64
	Name                   string
	MaxConcurrentlyRunning int64
	CreatedAt              int64
}

// Limit is a max_concurrently_running that holds from At on, for a workflow or, when ArrayID is not
// 0, for one of its arrays.
type Limit struct {
	WorkflowID             int64
	ArrayID                int64
	TaskTemplateID         int64 // the array's, 0 for a workflow; what AppendLimit is given is ignored
	MaxConcurrentlyRunning int64
	At                     int64
}

// Task is a task. Status was entered at StatusAt.
type Task struct {
	ID              int64
	WorkflowID      int64
	NodeID          int64
	ArrayID         int64
	TaskTemplateID  int64 // its array's; what InsertTasks is given is ignored
	TaskResourcesID int64 // 0 when none
	ArgsHash        string
	Name            string
	Command         string
	ResourceScales  string // JSON text
	FallbackQueues  string // JSON text
	NumAttempts     int
	MaxAttempts     int
	Status          jobmon.TaskStatus
	StatusAt        int64
}

// TaskFilter selects tasks; a zero field selects all. An empty filter selects nothing.
type TaskFilter struct {
	IDs        []int64
	WorkflowID int64
	NodeIDs    []int64
	Statuses   []jobmon.TaskStatus
	AfterID    int64 // only ids above it
	UpToID     int64 // and none above it
}

// Suspect is a task that is active, and the run that should move it on and cannot.
type Suspect struct {
	TaskID           int64
	TaskName         string
	TaskTemplateName string
	Status           jobmon.TaskStatus
	StatusAt         int64
	NumAttempts      int // as in [Task]
	Run              Run
}

// Attempts says what a move does to a task's number of attempts.
type Attempts int

// What a move may do to a task's attempts.
const (
	KeepAttempts Attempts = iota
	AddAttempt
	ForgetAttempts
)

// Of returns how many attempts there are after the move when there were so many before.
func (a Attempts) Of(before int) int {
	switch a {
	case AddAttempt:
		return before + 1
	case ForgetAttempts:
		return 0
	default:
		return before
	}
}

// TaskMove moves tasks to one status.
type TaskMove struct {
	IDs             []int64
	To              jobmon.TaskStatus
	At              int64
	Attempts        Attempts
	TaskResourcesID int64 // overwrites the tasks' own unless it is 0
}

// Retry returns what [jobmon.Transition] says of the move of a task with so many attempts before.
func (m TaskMove) Retry(attempts int) int {
	if m.To.InAttempt() {
		attempts = m.Attempts.Of(attempts)
	}
	return max(attempts-1, 0)
}

// Instance is one attempt at a task.
type Instance struct {
	ID              int64
	RunID           int64
	WorkflowID      int64
	ArrayID         int64
	ArrayName       string
	TaskID          int64
	TaskResourcesID int64
	BatchNum        int64
	StepID          int64
	Status          jobmon.InstanceStatus
	StatusAt        int64
	Newest          bool // no later attempt at the task exists
}

// InstanceFilter selects instances; a zero field selects all. An empty filter selects nothing.
type InstanceFilter struct {
	IDs        []int64
	TaskIDs    []int64
	RunID      int64
	WorkflowID int64
	ArrayID    int64
	BatchNum   int64
	Statuses   []jobmon.InstanceStatus
	NewestOnly bool
}

// InstanceBatch is a batch of queued instances.
type InstanceBatch struct {
	RunID           int64
	ArrayID         int64
	TaskResourcesID int64
	TaskIDs         []int64
	At              int64
}

// InstanceMove moves instances to one status and stores what was reported with it.
type InstanceMove struct {
	IDs    []int64
	To     jobmon.InstanceStatus
	At     int64
	Report InstanceReport
}

// InstanceReport is what a distributor or a worker says of an instance. What is nil keeps its value:
// a later report never erases an earlier one.
type InstanceReport struct {
	DistributorID  *string
	Nodename       *string
	ProcessGroupID *int64
	Stdout         *string
	Stderr         *string
	StdoutLog      *string
	StderrLog      *string
	Wallclock      *string
	MaxRSS         *string
	CPU            *string
	Usage          *string
	SubmittedAt    *int64
	ReportBy       *int64
}

// WorkflowInfo is a workflow as it is listed to people.
type WorkflowInfo struct {
	Workflow
	Tool    string
	User    string // of its latest run; empty when it has none
	FirstAt int64  // its first transition; 0 when it has none
	LastAt  int64  // its last transition; 0 when it has none
	// ImportedAt is when the run was published, 0 when it was not loaded from elsewhere.
	ImportedAt int64
	Active     bool // some task counts against the limit
}

// WorkflowFilter selects workflows for a list; a zero field selects all.
type WorkflowFilter struct {
	Search   string // part of the name, in any case, or the whole id
	Status   jobmon.WorkflowStatus
	User     string // of any of its runs
	BeforeID int64  // only ids below it
	Limit    int
}

// TemplateName is a task template that a workflow uses. Two templates of one workflow may share a
// name: they are then one series.
type TemplateName struct {
	ID   int64
	Name string
}

// TransitionFilter selects a workflow's transitions in [From, Before) that leave or enter one of the
// statuses, or any when there are none.
type TransitionFilter struct {
	WorkflowID int64
	From       int64
	Before     int64
	Statuses   []jobmon.TaskStatus
}

// TransitionCount says how often tasks of a template went from one status to another, by the attempt as in
// [jobmon.Transition].
type TransitionCount struct {
	TaskTemplateID int64
	From, To       jobmon.TaskStatus
	Retry          int
	Count          int64
}

// Import names a run that is to be loaded.
type Import struct {
	Name       string
	Engine     string
	SourceHash string // of the file that it comes from: the same under the same name is refused
	// StaleAfter is how long an import that is not published may have been silent before it counts as
	// dead and is removed; 0 means a minute.
	StaleAfter time.Duration
	// Expire says that the run may be removed by its age like any other, counted from when it was loaded.
	Expire bool
	// MaxConcurrentlyRunning is the limit that held throughout, in active tasks; 0 means none.
	MaxConcurrentlyRunning int64
}
