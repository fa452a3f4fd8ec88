package store

import "context"

// Upkeeper keeps sums of the audit beside it, and removes what is old.
//
// What is promised about sums: a row of the audit and a mark for its minute are stored in one
// transaction, and whoever writes a block that tells of the minute deletes, in one transaction with it,
// exactly the marks that it had read before the rows. So each row is told of by a mark, by a block or by
// both, in every snapshot.
type Upkeeper interface {
	// Maintain is Update for the transactions of upkeep.
	Maintain(ctx context.Context, change func(ctx context.Context, tx UpkeepTx) error) error
}

// UpkeepTx is one transaction of upkeep. Its questions are answered as of when they are asked.
type UpkeepTx interface {
	Snapshot

	// LockHorizon returns a workflow's horizon and locks it: whoever changes its blocks or its horizon
	// does so first, so that one does at a time. Those who move its tasks do not wait for it.
	LockHorizon(ctx context.Context, workflowID int64) (Horizon, error)
	// SaveHorizon stores a locked horizon.
	SaveHorizon(ctx context.Context, horizon Horizon) error

	// LockRetentionClock returns what [Snapshot.RetentionClock] does and locks it.
	LockRetentionClock(ctx context.Context) (RetentionClock, error)
	// SaveRetentionClock stores it in place of the one that is locked.
	SaveRetentionClock(ctx context.Context, clock RetentionClock) error

	// AddMarks says that the cells of minutes, each given by an instant in it, are to be made again.
	AddMarks(ctx context.Context, workflowID int64, minutes []int64) error
	// DeleteMarks deletes the marks with these ids and returns how many of them were still there.
	DeleteMarks(ctx context.Context, ids []int64) (int64, error)

	// SaveBlocks stores blocks of a locked workflow, in place of those with the same key.
	SaveBlocks(ctx context.Context, blocks []Block) error
	// DeleteBlocks deletes the blocks of a locked workflow in ranges, of every kind.
	DeleteBlocks(ctx context.Context, workflowID int64, ranges []BlockRange) error

	// DeleteTransitions deletes up to most of the transitions that match, the earliest first, and returns
	// how many.
	DeleteTransitions(ctx context.Context, filter TransitionFilter, most int) (int64, error)
}

// Mark says that a minute has transitions that its cells may not tell of.
type Mark struct {
	ID     int64
	Minute int64 // its first instant
}

// MarkFilter selects a workflow's marks of minutes that begin in [From, Before).
type MarkFilter struct {
	WorkflowID int64
	From       int64
	Before     int64
}

// BlockKey identifies a block of cells. The block of a tier begins at a multiple of its length.
type BlockKey struct {
	WorkflowID int64
	Kind       string // of [concurrency.Kind]
	Width      int64  // of a cell, in microseconds; 0 for the sum of what was removed
	Start      int64  // instant; 0 for the sum of what was removed
}

// Block is a block of cells as [concurrency.Block] encodes it. Its series are task templates, by the id of
// one that has the name.
type Block struct {
	BlockKey

	Generation int64
	Cells      []byte
}

// BlockRange selects the blocks with cells of one width that begin in [From, Before).
type BlockRange struct {
	Width  int64
	From   int64
	Before int64
}

// BlockFilter selects a workflow's blocks of some kinds in some ranges.
type BlockFilter struct {
	WorkflowID int64
	Kinds      []string
	Ranges     []BlockRange
}

// Horizon tells how far back a workflow's history reaches. The zero value, with an id, is that of a
// workflow from which nothing was removed.
type Horizon struct {
	WorkflowID int64
	RowsFrom   int64 // transitions before it are removed or being removed; a whole hour, after a recovery a minute
	DataFrom   int64 // cells before it are removed; a whole hour, after a recovery a minute
	FirstAt    int64 // the workflow's first transition, once it is before RowsFrom; 0 otherwise
	LastAt     int64 // its last transition before RowsFrom; 0 when there is none
	Generation int64 // grows with every change of the workflow's blocks and of this
	Kept       bool  // nothing is removed because of its age
	// RunsLost says that transitions were removed before the attempts after the first and the lengths of runs
	// were summed up, so that neither is known.
	RunsLost bool
}

// RetentionClock is what retention holds the database's clock against. Its instants are 0 where they are not known.
type RetentionClock struct {
	// At is the instant of the last pass whose clock was believed. Before the first, it is when the newest row of the
	// audit was stored that the database had when its schema was brought to this version.
	At     int64
	Passed bool // At is that of a pass
	// Transitions before RowsBefore and cells before DataBefore may have been removed by the passes until now.
	RowsBefore, DataBefore int64
}
