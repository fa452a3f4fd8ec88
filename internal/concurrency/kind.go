package concurrency

import "tasktide/internal/jobmon"

// Kind is a set of statuses for which cells are kept: a single status, or a union that has a name. The
// peak of any other union cannot be had from cells.
type Kind struct {
	// Name is the status's letter, PENDING or ACTIVE.
	Name string
	Set  StatusSet
}

// Kinds returns every kind: the statuses in the order of a task's life, then PENDING and ACTIVE.
func Kinds() []Kind { return kinds }

var kinds = func() []Kind {
	var all []Kind
	for _, status := range jobmon.TaskStatuses() {
		all = append(all, Kind{status.String(), Of(status)})
	}
	return append(all, Kind{"PENDING", Pending}, Kind{"ACTIVE", Active})
}()

// KindOf returns the kind that counts exactly the statuses of set, and false when there is none.
func KindOf(set StatusSet) (kind Kind, ok bool) {
	for _, kind := range kinds {
		if kind.Set == set {
			return kind, true
		}
	}
	return Kind{}, false
}
