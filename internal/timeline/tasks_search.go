package timeline

import (
	"context"
	"slices"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

const (
	// strideRows is about how many rows a search looks at with one question.
	strideRows = 20_000
	// headStart is how many rows the search expects of ends before it goes through beginnings too, where it
	// looks at more than a row each time: in most statuses tasks stay for so short a time that all ends are
	// among these.
	headStart = 10 * strideRows
	// rowsPerEnd is how many rows it takes to find an end, at the least: a task has about as many.
	rowsPerEnd = 6
)

// search finds a page of the stays that contain an instant. Those that are not over are at hand: the tasks
// tell of them, in order. Those that are over are told of by the row that ended each, somewhere after the
// instant, and by the row that began it, somewhere before. The search goes through the ends, until it has
// found as many as the level says that there are. Where tasks stay for long, such as in REGISTERING until
// their turn comes, that may take all rows there are; but then most of those that came stay, and a page of
// them is found by their beginnings, from the first on. So it goes through both, and takes what comes first.
type search struct {
	snapshot    store.Snapshot
	filter      store.StayFilter
	after       store.StayKey
	most        int
	level       int64 // how many stays contain the instant
	first, last int64 // of the workflow's transitions
	whole       bool  // the row that began it is there of every stay after the key
	rows        int64 // that may still be read

	strideRows, headStart int64
}

// page returns the first stays after the key, by (Since, TaskID).
func (s *search) page(ctx context.Context) ([]store.Stay, error) {
	if len(s.filter.Statuses) == 0 {
		return nil, nil
	}
	open, err := s.snapshot.OpenStays(ctx, s.filter, s.after, s.most)
	if err != nil || s.last <= s.filter.At {
		return open, err // nothing has happened since
	}
	count, err := s.snapshot.CountOpenStays(ctx, s.filter)
	if err != nil {
		return nil, err
	}
	e := ends{walk: walk{at: s.filter.At + 1, end: s.last + 1, stride: firstStride}, missing: s.level - count}
	b := beginnings{walk: walk{at: max(s.first, s.after.Since), end: s.filter.At + 1, stride: firstStride}}
	for e.missing > 0 && e.at < e.end {
		if s.whole && e.rows+rowsPerEnd*e.missing > b.rows+s.headStart {
			if err := s.begin(ctx, &b); err != nil {
				return nil, err
			}
			if len(b.found) >= s.most || b.at >= b.end {
				return b.found, nil
			}
			continue
		}
		if err := s.end(ctx, &e); err != nil {
			return nil, err
		}
	}
	return firstOf(append(open, e.found...), s.most), nil
}

// ends is a walk through the ends of stays. found are the first of those after the key.
type ends struct {
	walk

	missing int64
	found   []store.Stay
}

func (s *search) end(ctx context.Context, e *ends) error {
	from, before, err := s.next(ctx, &e.walk)
	if err != nil {
		return err
	}
	for stay, err := range s.snapshot.EndedStays(ctx, s.filter, from, before, e.missing) {
		if err != nil {
			return err
		}
		e.missing--
		if stay.Key().Compare(s.after) <= 0 {
			continue
		}
		// Cut back now and then, so that no more are held than a few pages.
		if e.found = append(e.found, stay); len(e.found) >= 4*max(s.most, MaxTasks) {
			e.found = firstOf(e.found, s.most)
		}
	}
	return nil
}

// beginnings is a walk through the beginnings of stays, over or not. found are those after the key, in order.
type beginnings struct {
	walk

	found []store.Stay
}

func (s *search) begin(ctx context.Context, b *beginnings) error {
	from, before, err := s.next(ctx, &b.walk)
	if err != nil {
		return err
	}
	stays, err := s.snapshot.BegunStays(ctx, s.filter, s.after, from, before, s.most-len(b.found))
	b.found = append(b.found, stays...)
	return err
}

// walk goes through the span [at, end) in strides.
type walk struct {
	at, end, stride int64
	rows            int64 // that it went over
}

// firstStride is as long as most workflows take for much fewer rows than a stride may have.
const firstStride = 10 * minute

// next takes a stride over as many rows as one may have, or fewer, unless there are more in a second. It returns
// the span [from, before).
func (s *search) next(ctx context.Context, w *walk) (from, before int64, err error) {
	for {
		from, before = w.at, min(w.end, w.at+w.stride)
		filter := store.TransitionFilter{WorkflowID: s.filter.WorkflowID, From: from, Before: before}
		rows, err := s.snapshot.CountTransitions(ctx, filter, s.strideRows+1)
		if err != nil {
			return 0, 0, err
		}
		if rows > s.strideRows && before-from > second {
			w.stride = (before - from) / 4
			continue
		}
		if rows > s.strideRows {
			if rows, err = s.snapshot.CountTransitions(ctx, filter, s.rows+1); err != nil {
				return 0, 0, err
			}
		}
		if s.rows -= rows; s.rows < 0 {
			return 0, 0, jobmon.FieldErrorf("at", "more than %d transitions lie between this instant and what tells which tasks "+
				"were in these statuses; ask for fewer statuses, or a later instant", MaxTransitions)
		}
		if rows <= s.strideRows/4 {
			w.stride *= 2
		}
		w.rows += rows
		w.at = before
		return from, before, nil
	}
}

// firstOf sorts stays and returns the first of them.
func firstOf(stays []store.Stay, most int) []store.Stay {
	slices.SortFunc(stays, func(a, b store.Stay) int { return a.Key().Compare(b.Key()) })
	return stays[:min(most, len(stays))]
}
