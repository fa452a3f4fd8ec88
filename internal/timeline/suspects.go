package timeline

import (
	"context"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// Suspects are the tasks of a workflow that count as active though the run of their latest instance has ended,
// or was not heard of in time: nobody would move them on.
type Suspects struct {
	Count int64
	Since int64 // the earliest of all; 0 when there is none
	Page  []Suspect
	More  bool // there are others after the page
	// Groups count all of them by what they have in common, in no order, but for Ungrouped ones, of which
	// there would be more groups than [MaxSuspectGroups].
	Groups    map[SuspectGroup]int64
	Ungrouped int64
	Now       int64
}

// MaxSuspectGroups is how many groups of suspects are told apart.
const MaxSuspectGroups = 10_000

// SuspectGroup is what several suspects may have in common. They have been in their status since an instant
// before Since, and are still.
type SuspectGroup struct {
	Template string
	Status   jobmon.TaskStatus
	Attempts Attempts // which attempts at their tasks they are
	Since    int64    // as in [Suspect]
}

// Suspect is one of them.
type Suspect struct {
	store.Suspect

	// Since is from when on nobody has moved it on: the end of its run, the instant by which that should have
	// been heard of, or its last move where that is later, since a worker may outlive its run.
	Since int64
}

// Suspects lists them by ascending id: of those with an id above after no more than limit, which is 1 or more.
// CodeNotFound for a workflow that does not exist.
func (t *Timeline) Suspects(ctx context.Context, workflowID, after int64, limit int) (Suspects, error) {
	s := Suspects{Groups: map[SuspectGroup]int64{}}
	err := t.db.View(ctx, func(ctx context.Context, snapshot store.Snapshot) (err error) {
		if _, err := snapshot.Workflow(ctx, workflowID); err != nil {
			return err
		}
		if s.Now, err = snapshot.Now(ctx); err != nil {
			return err
		}
		for found, err := range snapshot.Suspects(ctx, workflowID, s.Now) {
			if err != nil {
				return err
			}
			since := found.Run.HeartbeatAt
			if found.Run.Status.Ended() {
				since = found.Run.StatusAt
			}
			s.add(Suspect{found, max(since, found.StatusAt)}, after, limit)
		}
		return nil
	})
	return s, err
}

func (s *Suspects) add(found Suspect, after int64, limit int) {
	s.Count++
	if s.Since == 0 || found.Since < s.Since {
		s.Since = found.Since
	}
	group := SuspectGroup{found.TaskTemplateName, found.Status, FirstAttempts, found.Since}
	if found.NumAttempts > 1 {
		group.Attempts = LaterAttempts
	}
	if s.Groups[group] > 0 || len(s.Groups) < MaxSuspectGroups {
		s.Groups[group]++
	} else {
		s.Ungrouped++
	}
	switch {
	case found.TaskID <= after:
	case len(s.Page) < limit:
		s.Page = append(s.Page, found)
	default:
		s.More = true
	}
}
