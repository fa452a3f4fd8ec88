package api

import (
	"context"

	"tasktide/internal/jobmon"
)

// Health tells how the server and its upkeep are. What is counted since the start is this server's own;
// the rest is the database's, whoever else uses it.
type Health struct {
	Now          Instant            `json:"now"`
	Database     DatabaseHealth     `json:"database"`
	Writes       WriteHealth        `json:"writes"`
	RollUp       RollUpHealth       `json:"roll_up"`
	Retention    RetentionHealth    `json:"retention"`
	Verification VerificationHealth `json:"verification"`
}

// Instant is an instant in microseconds since the Unix epoch, UTC.
type Instant = instant

// KnownInstant returns an instant, or nil for 0, which stands for one that has not come.
func KnownInstant(microseconds int64) *Instant { return known(microseconds) }

// DatabaseHealth tells what keeps this server from writing to the database, or from reading some of it.
type DatabaseHealth struct {
	WriteFailure *DatabaseFailure `json:"write_failure"` // nil when the last write succeeded
	ReadFailure  *DatabaseFailure `json:"read_failure"`  // nil when the last read succeeded
}

// DatabaseFailure is a cause that lasts. Its instants are the server's.
type DatabaseFailure struct {
	Cause    jobmon.Cause `json:"cause"`
	Message  string       `json:"message"` // what is wrong, then what to do
	Since    Instant      `json:"since"`   // when it was first met
	Last     Instant      `json:"last"`    // and last
	Failures int64        `json:"failures"`
}

// WriteHealth tells of the moves of tasks.
type WriteHealth struct {
	RowsPerSecond float64 `json:"rows_per_second"` // of the audit, over the last 10 seconds
	Retried       int64   `json:"retried"`         // transactions that met others and were run again, since the start
	GivenUp       int64   `json:"given_up"`        // and those that were not
	ClockClamps   int64   `json:"clock_clamps"`    // moves dated by their task because the clock was behind by minutes
}

// RollUpHealth tells how far behind the roll-up is.
type RollUpHealth struct {
	OldestMark      *Instant `json:"oldest_mark"` // the earliest minute that is not summed up yet
	LagSeconds      float64  `json:"lag_seconds"` // how long ago that was over
	MarkedWorkflows int64    `json:"marked_workflows"`
	Rows            int64    `json:"rows"`            // summed up since the start
	RowsPerSecond   float64  `json:"rows_per_second"` // while it worked
	DamagedBlocks   int64    `json:"damaged_blocks"`  // found since the start
}

// RetentionHealth tells what is removed because of its age.
type RetentionHealth struct {
	AuditSeconds int64    `json:"audit_seconds"` // 0: for good
	BlockSeconds int64    `json:"block_seconds"`
	LastPass     *Instant `json:"last_pass"`
	Rows         int64    `json:"rows"`       // removed since the start
	Hours        int64    `json:"hours"`      // of which the cells were removed since the start
	LeftAlone    int64    `json:"left_alone"` // workflows in which the last pass found something wrong
	Held         *string  `json:"held"`       // why nothing is removed, and what to do; null when passes are not held
}

// VerificationHealth tells what the last verification found; its instants are null before the first.
type VerificationHealth struct {
	Began     *Instant `json:"began"`
	Ended     *Instant `json:"ended"`
	Workflows int64    `json:"workflows"`
	Tasks     int64    `json:"tasks"`
	Covered   int64    `json:"covered"` // tasks whose status is the one that the audit tells
	Broken    int64    `json:"broken"`  // tasks whose chain of rows is broken
	Rows      int64    `json:"rows"`
	Cells     int64    `json:"cells"`
	Defects   int64    `json:"defects"`
}

func (s *server) upkeepHealth(ctx context.Context, _ none) (Health, error) { return s.Health(ctx) }
