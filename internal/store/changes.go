package store

import (
	"unicode/utf8"

	"tasktide/internal/jobmon"
)

// StatusChange is a row of the audit with what people want to read beside it.
type StatusChange struct {
	jobmon.Transition

	StoredAt         int64 // when the row was written, which is long after At for an imported run
	TaskName         string
	TaskTemplateName string
}

// Key returns the row's place.
func (c StatusChange) Key() ChangeKey { return ChangeKey{c.At, c.ID} }

// ChangeKey is the place of a row of the audit by (At, ID).
type ChangeKey struct {
	At int64
	ID int64
}

// ChangeFilter selects the rows of a workflow's audit in [From, Before). A zero field after these selects
// all.
type ChangeFilter struct {
	WorkflowID       int64
	From             int64
	Before           int64
	TaskID           int64
	TaskTemplateIDs  []int64
	PreviousStatuses []jobmon.TaskStatus
	NewStatuses      []jobmon.TaskStatus
}

// ChangePage is a page of a list of rows.
type ChangePage struct {
	Descending bool       // the latest row first
	After      *ChangeKey // where the page before ended; nil for the first page
	Limit      int        // how many rows the page has at most; 1 or more
	// Look is how many rows may be looked at to find those of some templates or statuses among them; 1 or
	// more.
	Look int
}

// TaskAttempt is an instance of a task with what was reported of it. A text of which nothing was reported
// is nil.
type TaskAttempt struct {
	ID            int64
	RunID         int64
	Number        int64 // 1 for the task's first instance, and so on
	Status        jobmon.InstanceStatus
	StatusAt      int64
	SubmittedAt   int64 // 0 when it was not
	Nodename      *string
	DistributorID *string
	Wallclock     *string
	MaxRSS        *string
	CPU           *string
	Queue         *string // its name, and its cluster's; nil when the resources name none
	Cluster       *string
	Requested     *string // the resources as they were stored, JSON text
	// Cut says that a text had more than [MaxShown] characters. The end of it is left out, and so is all of
	// Requested.
	Cut bool
}

// InstanceError is an error that was recorded for an instance.
type InstanceError struct {
	InstanceID  int64
	At          int64
	Description string // the first [MaxShown] characters
	Cut         bool   // there are more
}

// MaxShown is how many characters of a text a [TaskAttempt] and an [InstanceError] have: what somebody
// reported may be as long as a request, and a task may have many attempts.
const MaxShown = 10_000

// Shorten cuts a text off after [MaxShown] characters and reports whether there were more.
func Shorten(text string) (shown string, cut bool) {
	if len(text) <= MaxShown || utf8.RuneCountInString(text) <= MaxShown {
		return text, false
	}
	characters := 0
	for at := range text {
		if characters == MaxShown {
			return text[:at], true
		}
		characters++
	}
	return text, false
}
