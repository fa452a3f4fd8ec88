package store

import (
	"cmp"

	"tasktide/internal/jobmon"
)

// Stay is the time [Since, Until) that a task was in a status. Until is 0 while it still is.
type Stay struct {
	TaskID         int64
	TaskTemplateID int64
	Status         jobmon.TaskStatus
	Since, Until   int64
}

// StayKey is the place of a stay in a list by (Since, TaskID). The zero value is before all.
type StayKey struct {
	Since  int64
	TaskID int64
}

// Key returns the stay's place.
func (s Stay) Key() StayKey { return StayKey{s.Since, s.TaskID} }

// Compare orders places: it is negative when k comes before other, and 0 when they are the same.
func (k StayKey) Compare(other StayKey) int {
	return cmp.Or(cmp.Compare(k.Since, other.Since), cmp.Compare(k.TaskID, other.TaskID))
}

// StayFilter selects the stays of a workflow's tasks in one of the statuses, of which there is at least
// one, that contain the instant At. A stay that ended when it began contains none.
type StayFilter struct {
	WorkflowID      int64
	At              int64
	Statuses        []jobmon.TaskStatus
	TaskTemplateIDs []int64 // empty selects all
}

// TaskNode is where an attempt at a task ran.
type TaskNode struct {
	TaskID   int64
	Nodename string // empty while it is not known
}
