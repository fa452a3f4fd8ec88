package storetest

import (
	"context"
	"slices"
	"strings"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// life is what becomes of one task of a [model]. No move is before the one ahead of it.
type life struct {
	template int64
	moves    []jobmon.Move
}

// at returns the status in which the task is at an instant, 0 before its creation.
func (l life) at(instant int64) (status jobmon.TaskStatus) {
	for _, move := range l.moves {
		if move.At <= instant {
			status = move.To
		}
	}
	return status
}

// statusSets are the sets that are counted, by their letters, from which alone the model counts.
var statusSets = map[string]concurrency.StatusSet{
	"R": concurrency.Of(jobmon.TaskRunning), "QI": concurrency.Pending, "QIOR": concurrency.Active,
}

func isIn(status jobmon.TaskStatus, set string) bool {
	return strings.Contains(set, string(rune(status)))
}

// count looks at every task of some templates at every instant of a window. It shares nothing with the
// engine, whose numbers it has to find, but the form of the answer.
func (m *model) count(window concurrency.Window, now int64, set string, templates []int64) (s concurrency.Series) {
	for i := range window.Count {
		first := window.Start + int64(i)*window.Bucket
		var start, peak, entered, area int64
		peakAt := first
		for at := first; at < first+window.Bucket && at <= now; at++ {
			level := int64(0)
			for _, life := range m.lives {
				if !slices.Contains(templates, life.template) {
					continue
				}
				if isIn(life.at(at), set) {
					level++
				}
				var before jobmon.TaskStatus
				for _, move := range life.moves {
					if move.At == at && isIn(move.To, set) && !isIn(before, set) {
						entered++
					}
					before = move.To
				}
			}
			if at == first {
				start = level
			}
			if level > peak {
				peak, peakAt = level, at
			}
			if at < now {
				area += level // for one microsecond
			}
		}
		s.Start, s.Peak, s.PeakAt = append(s.Start, start), append(s.Peak, peak), append(s.PeakAt, peakAt)
		s.Entered, s.Area = append(s.Entered, entered), append(s.Area, area)
	}
	return s
}

// compareSeries lets the engine count what the store returns, as package timeline does, and compares
// the numbers with the model's.
func (m *model) compareSeries(f *fixture, window concurrency.Window, now int64, templates []int64) {
	before := store.TransitionFilter{WorkflowID: f.workflow, Before: min(window.Start, now+1)}
	within := store.TransitionFilter{WorkflowID: f.workflow, From: window.Start, Before: min(window.End(), now+1)}
	for letters, set := range statusSets {
		sweep := concurrency.NewSweep(window, set, len(templates), now)
		f.view(func(ctx context.Context, view store.Snapshot) error {
			sums, err := view.SumTransitions(ctx, before)
			f.ok(err)
			for _, sum := range sums {
				f.ok(sweep.Carry(slices.Index(templates, sum.TaskTemplateID), sum.From, sum.To, sum.Count))
			}
			for row, err := range view.Transitions(ctx, within) {
				f.ok(err)
				series := slices.Index(templates, row.TaskTemplateID)
				f.ok(sweep.Add(concurrency.Change{At: row.At, Series: series, From: row.From, To: row.To}))
			}
			return nil
		})
		got := sweep.Result()
		if len(got.Defects) > 0 {
			f.Errorf("in %s: defects %+v", letters, got.Defects)
		}
		for i, template := range templates {
			sameSeries(f, letters+", one template", got.Series[i], m.count(window, now, letters, []int64{template}))
		}
		sameSeries(f, letters+", in total", got.Total, m.count(window, now, letters, templates))
	}
}

func sameSeries(t tester, what string, got, want concurrency.Series) {
	t.Helper()
	equal(t, what+": start", got.Start, want.Start)
	equal(t, what+": peak", got.Peak, want.Peak)
	equal(t, what+": instant of the peak", got.PeakAt, want.PeakAt)
	equal(t, what+": entered", got.Entered, want.Entered)
	equal(t, what+": area", got.Area, want.Area)
}
