package timeline

import (
	"testing"

	"tasktide/internal/store"
)

// Of suspects that have nothing in common there are only so many groups, and the others are counted.
func TestSuspectGroupsAreBounded(t *testing.T) {
	s := Suspects{Groups: map[SuspectGroup]int64{}}
	for since := range int64(MaxSuspectGroups + 2) {
		s.add(Suspect{store.Suspect{TaskID: since + 1}, since}, 0, 1)
	}
	s.add(Suspect{store.Suspect{TaskID: MaxSuspectGroups + 3}, 0}, 0, 1)
	s.add(Suspect{store.Suspect{TaskID: MaxSuspectGroups + 4, NumAttempts: 2}, 0}, 0, 1)
	first := s.Groups[SuspectGroup{Attempts: FirstAttempts}]
	if len(s.Groups) != MaxSuspectGroups || first != 2 || s.Ungrouped != 3 || s.Count != MaxSuspectGroups+4 {
		t.Errorf("%d groups, %d in the first, %d in none, %d in all", len(s.Groups), first, s.Ungrouped, s.Count)
	}
}
