package store

import (
	"context"
	"iter"

	"tasktide/internal/jobmon"
)

// Reader answers questions about one instant of the database.
type Reader interface {
	// View runs read in one read-only transaction: everything that it asks is answered from the same
	// snapshot, whatever is written meanwhile.
	View(ctx context.Context, read func(ctx context.Context, snapshot Snapshot) error) error
}

// Snapshot is the database at one instant. A workflow that is being imported is in none. It answers one
// question at a time: while a sequence that it returned is read, ask it nothing else.
type Snapshot interface {
	// Now reads the database's clock.
	Now(ctx context.Context) (int64, error)

	// Workflow returns one workflow. CodeNotFound.
	Workflow(ctx context.Context, id int64) (WorkflowInfo, error)
	// Workflows lists workflows by descending id.
	Workflows(ctx context.Context, filter WorkflowFilter) ([]WorkflowInfo, error)
	// Ownerships tells whose the workflows are to which things belong, each once, by ascending id. What is not
	// there is left out.
	Ownerships(ctx context.Context, of Subject) ([]Ownership, error)
	// Run returns one workflow run. CodeNotFound.
	Run(ctx context.Context, id int64) (Run, error)
	// TemplateNames lists the templates of a workflow's tasks by name, then id.
	TemplateNames(ctx context.Context, workflowID int64) ([]TemplateName, error)

	// CountTransitions counts the transitions that match, and stops at most.
	CountTransitions(ctx context.Context, filter TransitionFilter, most int64) (int64, error)
	// SumTransitions sums up the transitions that match, in no order.
	SumTransitions(ctx context.Context, filter TransitionFilter) ([]TransitionCount, error)
	// Changes yields the transitions that match in the order of their instants, with nothing but At,
	// TaskTemplateID, From, To, PreviousAt and Retry. An error ends it.
	Changes(ctx context.Context, filter TransitionFilter) iter.Seq2[jobmon.Transition, error]
	// Transitions yields the transitions that match by (At, ID). An error ends it.
	Transitions(ctx context.Context, filter TransitionFilter) iter.Seq2[jobmon.Transition, error]

	// TaskIDs returns the least and the greatest id of a workflow's tasks, both 0 when there are none.
	TaskIDs(ctx context.Context, workflowID int64) (least, greatest int64, err error)
	// TaskTransitions yields a workflow's transitions of tasks with ids in [from, to], whether there is such
	// a task or not, by (TaskID, At, ID). An error ends it.
	TaskTransitions(ctx context.Context, workflowID, from, to int64) iter.Seq2[jobmon.Transition, error]
	// CountSince counts the transitions of all workflows at or after an instant, and stops at most.
	CountSince(ctx context.Context, at, most int64) (int64, error)

	// Horizon returns how far back a workflow's history reaches.
	Horizon(ctx context.Context, workflowID int64) (Horizon, error)
	// Marks lists the marks that match by (Minute, ID).
	Marks(ctx context.Context, filter MarkFilter) ([]Mark, error)
	// NextMarked returns the first workflow with an id after the given one that has a mark, and its
	// earliest minute that has one. The workflow is 0 when there is none.
	NextMarked(ctx context.Context, after int64) (workflowID, minute int64, err error)
	// Blocks lists the blocks that match by (Width, Start), then in no order.
	Blocks(ctx context.Context, filter BlockFilter) ([]Block, error)
	// BlockGeneration returns the greatest generation of the blocks that match, 0 when there is none.
	BlockGeneration(ctx context.Context, filter BlockFilter) (int64, error)

	// RetentionClock returns what retention holds the database's clock against.
	RetentionClock(ctx context.Context) (RetentionClock, error)
	// NewestStored returns when the row of the audit was stored that was stored last, 0 when there is none.
	NewestStored(ctx context.Context) (int64, error)
	// LatestHorizon returns the latest RowsFrom and the latest DataFrom of all workflows, 0 when there is none.
	LatestHorizon(ctx context.Context) (rowsFrom, dataFrom int64, err error)

	// OpenStays lists those of the stays that are not over, by (Since, TaskID), from the one after a place on,
	// and stops at most.
	OpenStays(ctx context.Context, filter StayFilter, after StayKey, most int) ([]Stay, error)
	// CountOpenStays counts those of the stays that are not over.
	CountOpenStays(ctx context.Context, filter StayFilter) (int64, error)
	// EndedStays yields those of the stays that ended in [from, before), by Until, and stops at most. An error
	// ends it.
	EndedStays(ctx context.Context, filter StayFilter, from, before, most int64) iter.Seq2[Stay, error]
	// BegunStays lists those of the stays, over or not, that began in [from, before), by (Since, TaskID), from
	// the one after a place on, and stops at most.
	BegunStays(ctx context.Context, filter StayFilter, after StayKey, from, before int64, most int) ([]Stay, error)
	// TransitionsOf yields the transitions of tasks by (TaskID, At, ID). An error ends it.
	TransitionsOf(ctx context.Context, taskIDs []int64) iter.Seq2[jobmon.Transition, error]
	// TaskNodes yields where the attempts at tasks ran, by TaskID and in the order of the attempts. An error
	// ends it.
	TaskNodes(ctx context.Context, taskIDs []int64) iter.Seq2[TaskNode, error]

	// StatusChanges returns a page of the rows that match, in the order of the page, and the place after which
	// the next one begins, nil when this is the last. It looks at no more than so many rows to find those of
	// some templates or statuses: a page may then be short, or empty, and not the last. A row that is added
	// meanwhile makes no other one appear twice or not at all.
	StatusChanges(ctx context.Context, filter ChangeFilter, page ChangePage) (rows []StatusChange, next *ChangeKey, err error)
	// TaskAttempts lists a task's latest instances by ascending id, most of them at most.
	TaskAttempts(ctx context.Context, taskID int64, most int) ([]TaskAttempt, error)
	// InstanceErrors lists what was recorded last for some instances in the order in which it was, most of it
	// at most.
	InstanceErrors(ctx context.Context, instances []int64, most int) ([]InstanceError, error)

	// Limits lists a workflow's limits and its arrays' by (At, order of change).
	Limits(ctx context.Context, workflowID int64) ([]Limit, error)
	// Tasks yields the tasks that match by ascending id. An error ends it.
	Tasks(ctx context.Context, filter TaskFilter) iter.Seq2[Task, error]
	// Suspects yields a workflow's tasks that count against its limit though the run of their latest
	// instance has ended or was not heard of in time, as of an instant, by ascending id. An error ends it.
	Suspects(ctx context.Context, workflowID, at int64) iter.Seq2[Suspect, error]
	// Instances returns the instances that match, by ascending id.
	Instances(ctx context.Context, filter InstanceFilter) ([]Instance, error)
	// RequestedResources returns the resources as they were stored, JSON text. CodeNotFound.
	RequestedResources(ctx context.Context, taskResourcesID int64) (string, error)
}

// Importer loads runs that are over. A run is staged in batches that nobody sees and appears whole
// or not at all.
type Importer interface {
	// BeginImport makes room for a run and returns the id that its workflow will have. It first
	// removes what an import that died left behind. CodeConflict when the same source is already
	// stored under the same name, or is being loaded.
	BeginImport(ctx context.Context, run Import) (int64, error)
	// ImportTasks stages tasks with their whole history, as one transaction. CodeInvalid for a task
	// without any; CodeNotFound when the run is not being imported, or no longer because it was taken
	// for dead.
	ImportTasks(ctx context.Context, workflowID int64, tasks []jobmon.TaskHistory) error
	// PublishImport makes the run visible in the given status, which it has had since its last
	// transition. Its limit, and those of its arrays, which are none, hold from its first. CodeNotFound
	// as ImportTasks.
	PublishImport(ctx context.Context, workflowID int64, status jobmon.WorkflowStatus) error
	// AbandonImport removes a run that was not published, in batches that hold nobody up. It does
	// nothing when the run is gone already. CodeConflict when it is published.
	AbandonImport(ctx context.Context, workflowID int64) error
}
