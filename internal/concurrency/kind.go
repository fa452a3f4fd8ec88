package concurrency

import (
	"slices"

	"tasktide/internal/jobmon"
)

// Kind is what one block of cells is about: the tasks in a set of statuses, which is a single status or a
// union that has a name, or those of them that are at an attempt after their first. The peak of any other
// union cannot be had from cells. [Runs] is about no level.
type Kind struct {
	// Name is unique: the status's letter, PENDING or ACTIVE, with retryOf before it for attempts after the first.
	Name string
	Set  StatusSet
	// Retries says that only attempts after the first count.
	Retries bool
	// Tiers is for how many of the finest [Tiers] there are cells.
	Tiers int

	classes int64 // of a template, of which each is a series of its own
}

// Runs is the kind that tells how long the runs took that ended in DONE, each at the instant of its end: each
// class of lengths is a series, and Entered of its cells is how many runs. Nothing else in them means anything.
var Runs = Kind{Name: "runs", Tiers: 1, classes: lengthClasses}

const retryOf = "retry of "

// Kinds returns every kind: the statuses in the order of a task's life, then PENDING and ACTIVE; those that
// belong to attempts once more for the ones after the first; and [Runs].
func Kinds() []Kind { return kinds }

var kinds = func() []Kind {
	var all, retries []Kind
	add := func(name string, set StatusSet, inAttempt bool) {
		all = append(all, Kind{Name: name, Set: set, Tiers: len(tiers), classes: 1})
		if inAttempt {
			retries = append(retries, Kind{Name: retryOf + name, Set: set, Retries: true, Tiers: len(tiers), classes: 1})
		}
	}
	for _, status := range jobmon.TaskStatuses() {
		add(status.String(), Of(status), status.InAttempt())
	}
	add("PENDING", Pending, true)
	add("ACTIVE", Active, true)
	return slices.Concat(all, retries, []Kind{Runs})
}()

// KindOf returns the kind that counts exactly the statuses of set, of attempts after the first only or of all,
// and false when there is none.
func KindOf(set StatusSet, retries bool) (kind Kind, ok bool) {
	return findKind(func(k Kind) bool { return k.Set == set && k.Retries == retries && k.classes == 1 })
}

// KindNamed returns the kind with a name, and false when there is none.
func KindNamed(name string) (kind Kind, ok bool) {
	return findKind(func(k Kind) bool { return k.Name == name })
}

func findKind(is func(Kind) bool) (kind Kind, ok bool) {
	if i := slices.IndexFunc(kinds, is); i >= 0 {
		return kinds[i], true
	}
	return Kind{}, false
}

// Series returns the id, or the index, of the series that tells of one class of what has an id, or an index: of
// a task template. All kinds but [Runs] have the class 0 only.
func (k Kind) Series(of int64, class int) int64 { return of*k.classes + int64(class) }

// Of is the reverse of Series.
func (k Kind) Of(series int64) (of int64, class int) {
	return series / k.classes, int(series % k.classes)
}

// delta returns by how much a change alters the number of tasks that count.
func (k Kind) delta(c Change) int64 {
	if k.Retries {
		c = c.OfRetries()
	}
	return k.Set.Delta(c.From, c.To)
}
