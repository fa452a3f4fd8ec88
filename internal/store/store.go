// Package store is the contract between Tasktide and its database. It says what can be stored and
// asked, what each answer promises and which error comes back; store/storetest holds every promise
// as a test. It never decides whether a move is legal and never counts: that is the business of the
// ledger and of the engine.
//
// Instants are microseconds since the Unix epoch, UTC, up to [MaxInstant]; 0 stands for "not yet". A
// name or hash by which something is found, and a run's JobMon version, may have 255 characters. Texts
// are valid UTF-8 without NUL, and compare byte by byte.
//
// Every error carries a code of package jobmon. Besides the codes a method names, all of them return
// CodeContention when others held the needed locks for too long, CodeUnavailable when the database
// cannot be reached or the context ended first, CodeInvalid for a text or an instant that is none, and
// CodeTooLarge for a name or hash that is too long.
package store

import "context"

// Store is everything that a database does for Tasktide.
type Store interface {
	Catalog
	Writer
	Reader
	Importer
	Upkeeper
	Tokens

	// Close waits for what is under way and releases the database.
	Close() error
}

// Catalog holds the definitions that a JobMon client registers before it runs anything. All of it is
// safe to repeat: registering what exists returns what exists. An id that names nothing is
// CodeNotFound.
type Catalog interface {
	// RegisterTool returns the tool of that name, and creates it when there is none.
	RegisterTool(ctx context.Context, name string) (Tool, error)
	// ToolVersions lists a tool's versions by ascending id.
	ToolVersions(ctx context.Context, toolID int64) ([]ToolVersion, error)
	// AddToolVersion adds a version to a tool. Repeating it adds another.
	AddToolVersion(ctx context.Context, toolID int64) (ToolVersion, error)

	// TaskTemplates lists a tool version's templates by ascending id.
	TaskTemplates(ctx context.Context, toolVersionID int64) ([]TaskTemplate, error)
	// RegisterTaskTemplate returns the id of the tool version's template of that name.
	RegisterTaskTemplate(ctx context.Context, toolVersionID int64, name string) (int64, error)
	// TaskTemplateVersions lists a template's versions by ascending id.
	TaskTemplateVersions(ctx context.Context, taskTemplateID int64) ([]TaskTemplateVersion, error)
	// RegisterTaskTemplateVersion returns the version with that template, command and argument hash,
	// and creates it, with the arguments that it names, when there is none. ID and ArgIDs of the
	// argument are ignored. The id of an argument name never changes.
	RegisterTaskTemplateVersion(ctx context.Context, version TaskTemplateVersion) (TaskTemplateVersion, error)

	// Cluster returns the cluster of that name.
	Cluster(ctx context.Context, name string) (Cluster, error)
	// Queue returns a cluster's queue of that name.
	Queue(ctx context.Context, clusterID int64, name string) (Queue, error)

	// RegisterNodes returns the ids of the nodes, in their order, and creates those that are new.
	RegisterNodes(ctx context.Context, nodes []Node) ([]int64, error)
	// RegisterDAG returns the graph with that hash.
	RegisterDAG(ctx context.Context, hash string) (DAG, error)
	// AddEdges stores the edges of a graph that are not there yet; markCreated says that no more
	// will come.
	AddEdges(ctx context.Context, dagID int64, edges []Edge, markCreated bool) error
	// AddTaskResources stores a request for resources. Repeating it adds another.
	AddTaskResources(ctx context.Context, resources TaskResources) (int64, error)

	// WorkflowsByArgs lists the workflows that were made with these arguments.
	WorkflowsByArgs(ctx context.Context, argsHash string) ([]WorkflowMatch, error)
}

// Writer runs the transactions that change a run's state.
type Writer interface {
	// Update runs change in one transaction. It commits when change returns nil; otherwise it leaves
	// nothing behind and returns that error. When the database asks for a retry (deadlock, busy),
	// change is run again from the start, a bounded number of times: it must not keep anything from
	// one run to the next. When the database refuses to store something (CodeConflict, CodeInvalid, or
	// CodeNotFound for what a new row refers to), the transaction is over: Update returns that error,
	// whatever change does. A nil error means that all of it is stored for good; any error means that it
	// may be stored at most once and never in part.
	Update(ctx context.Context, change func(ctx context.Context, tx Tx) error) error
}

// Tx is one transaction that changes state. Locks last until its end and are taken in one order by
// everyone: run, workflow, array, tasks by ascending id, instances by ascending id.
type Tx interface {
	// Now reads the database's clock. It is read once, after the locks are held, so that an instant
	// never lies before the wait for a lock.
	Now(ctx context.Context) (int64, error)

	// LockWorkflow returns a workflow and locks it. A workflow that is being imported does not exist
	// yet. CodeNotFound.
	LockWorkflow(ctx context.Context, id int64) (Workflow, error)
	// LockWorkflowByKey is LockWorkflow by what identifies a workflow to JobMon's client. CodeNotFound.
	LockWorkflowByKey(ctx context.Context, key WorkflowKey) (Workflow, error)
	// SaveWorkflow stores a locked workflow, or a new one when its ID is 0, and returns its id.
	// CodeConflict when another has the same key; CodeNotFound.
	SaveWorkflow(ctx context.Context, workflow Workflow) (int64, error)
	// SetWorkflowAttributes adds or overwrites attributes.
	SetWorkflowAttributes(ctx context.Context, workflowID int64, attributes map[string]string) error

	// LockRun returns a workflow run and locks it. CodeNotFound.
	LockRun(ctx context.Context, id int64) (Run, error)
	// Runs lists a workflow's runs by ascending id.
	Runs(ctx context.Context, workflowID int64) ([]Run, error)
	// SaveRun stores a locked run, or a new one when its ID is 0, and returns its id. CodeNotFound.
	SaveRun(ctx context.Context, run Run) (int64, error)

	// LockArray returns an array and locks it. CodeNotFound.
	LockArray(ctx context.Context, id int64) (Array, error)
	// Arrays lists a workflow's arrays by ascending id.
	Arrays(ctx context.Context, workflowID int64) ([]Array, error)
	// SaveArray stores a locked array, or a new one when its ID is 0, and returns its id. CodeConflict
	// when the workflow has one of that template version; CodeNotFound.
	SaveArray(ctx context.Context, array Array) (int64, error)
	// AppendLimit records that a limit holds from an instant on.
	AppendLimit(ctx context.Context, limit Limit) error

	// LockTasks returns the tasks that match, by ascending id, and locks them.
	LockTasks(ctx context.Context, filter TaskFilter) ([]Task, error)
	// InsertTasks adds tasks in REGISTERING, with the audit row that says so and its mark, and returns
	// their ids in the order given. CodeConflict when one exists; CodeUnavailable as MoveTasks.
	InsertTasks(ctx context.Context, tasks []Task, at int64) ([]int64, error)
	// MoveTasks moves locked tasks to one status and appends one audit row for each, with the status
	// it had and max(At, the instant it got there), and a mark for each minute that these instants lie
	// in. A task that is in that status already gets no row and keeps its instant; what the move says of
	// attempts and resources holds for it too. CodeUnavailable when an instant lies before the rows that
	// the workflow's history still has, where no row may be added any more.
	MoveTasks(ctx context.Context, move TaskMove) error
	// DescribeTask overwrites a locked task's name, command and max_attempts.
	DescribeTask(ctx context.Context, task Task) error
	// Neighbours returns, for the tasks of one workflow, those directly after them in its graph, or
	// directly before them when upstream is true, by ascending id and without locking them.
	Neighbours(ctx context.Context, workflowID int64, tasks []int64, upstream bool) ([]Task, error)

	// Instances returns the instances that match, by ascending id, without locking them.
	Instances(ctx context.Context, filter InstanceFilter) ([]Instance, error)
	// LockInstances is Instances, with a lock on each.
	LockInstances(ctx context.Context, filter InstanceFilter) ([]Instance, error)
	// QueueInstances adds one queued instance for each task to an array's next batch, in the order
	// given, which is also the order of their ids and steps. The array is locked.
	QueueInstances(ctx context.Context, batch InstanceBatch) error
	// MoveInstances moves locked instances to one status.
	MoveInstances(ctx context.Context, move InstanceMove) error
	// AppendInstanceErrors records the same error for each instance.
	AppendInstanceErrors(ctx context.Context, instances []int64, description string, at int64) error
}
