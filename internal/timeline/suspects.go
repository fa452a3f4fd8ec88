package timeline

import (
	"context"

	"tasktide/internal/store"
)

// Suspects are the tasks of a workflow that count as active though the run of their latest instance has ended,
// or was not heard of in time: nobody would move them on.
type Suspects struct {
	Count int64
	Since int64 // the earliest of all; 0 when there is none
	Page  []Suspect
	More  bool // there are others after the page
	Now   int64
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
	var s Suspects
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
	switch {
	case found.TaskID <= after:
	case len(s.Page) < limit:
		s.Page = append(s.Page, found)
	default:
		s.More = true
	}
}
