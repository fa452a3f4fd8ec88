package timeline

import (
	"context"
	"slices"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// Limit is the max_concurrently_running of a workflow, or of one of its arrays, over a window, and for how
// long as many tasks were ACTIVE as it allows: it is what JobMon holds against it.
type Limit struct {
	Template string // of the array; empty for the workflow
	// Steps are what the limit was from when on, ascending: what was in force when the window began, then the
	// changes in it. Before the first there was none, and [jobmon.NoLimit] is none.
	Steps []concurrency.Step
	// Known is false for an array whose tasks the audit does not tell from those of another, because both
	// have templates of one name.
	Known   bool
	AtLimit concurrency.AtLimit
	Elapsed int64 // how much of the window is over, in microseconds
}

// measureLimits holds ACTIVE against the limits in force. It reads the cells from which the window's buckets
// are made, minutes at least, and rows where these leave open whether a limit was reached, if they are few.
func (q *question) measureLimits(ctx context.Context, snapshot store.Snapshot) ([]Limit, error) {
	limits, series := q.steps()
	steps := make([][]concurrency.Step, len(q.all.names))
	limited := false
	for i, limit := range limits {
		if limit.Known && i > 0 {
			steps[series[i]] = limit.Steps
		}
		limited = limited || limit.Known && slices.ContainsFunc(limit.Steps, isLimit)
	}
	if !limited || q.elapsed() == q.window.Start {
		return limits, nil
	}
	active := *q
	active.statuses, active.kinds, active.split = concurrency.Active, kindsOf(concurrency.Active, false), false
	active.series, active.tier = q.all, max(0, tierFor(q.window.Bucket))
	var saturation *concurrency.Saturation
	err := read(ctx, snapshot, &active, func() counter {
		saturation = concurrency.NewSaturation(concurrency.Active, q.window.Start, q.elapsed(), steps, limits[0].Steps)
		return saturation
	})
	if err != nil {
		return nil, err
	}
	refined, err := active.refine(ctx, snapshot, saturation)
	if err != nil {
		return nil, err
	}
	arrays, workflow := saturation.Result(refined)
	for i := range limits {
		if limits[i].AtLimit = workflow; i > 0 {
			limits[i].AtLimit = concurrency.AtLimit{}
			if limits[i].Known {
				limits[i].AtLimit = arrays[series[i]]
			}
		}
	}
	return limits, nil
}

func isLimit(step concurrency.Step) bool { return step.Limit < jobmon.NoLimit }

// steps lists the limits that hold in the window, the workflow's first, and the series of each in
// question.all.
func (q *question) steps() (limits []Limit, series []int) {
	type scope struct {
		Limit
		arrayID int64
		series  int
	}
	elapsed := q.elapsed() - q.window.Start
	scopes := []scope{{Limit{Known: true, Elapsed: elapsed}, 0, 0}}
	arrays := map[int]int{} // of each series
	for _, limit := range q.limits {
		i := slices.IndexFunc(scopes, func(s scope) bool { return s.arrayID == limit.ArrayID })
		if i < 0 {
			at, used := q.all.index[limit.TaskTemplateID]
			if !used {
				continue // the array has no task
			}
			i = len(scopes)
			scopes = append(scopes, scope{Limit{Template: q.all.names[at], Elapsed: elapsed}, limit.ArrayID, at})
			arrays[at]++
		}
		if limit.At >= q.until() {
			continue
		}
		step := concurrency.Step{From: limit.At, Limit: limit.MaxConcurrentlyRunning}
		if limit.At <= q.window.Start {
			scopes[i].Steps = scopes[i].Steps[:0]
		}
		scopes[i].Steps = append(scopes[i].Steps, step)
	}
	slices.SortStableFunc(scopes[1:], func(a, b scope) int { return a.series - b.series })
	for i, s := range scopes {
		s.Known = i == 0 || arrays[s.series] == 1
		limits, series = append(limits, s.Limit), append(series, s.series)
	}
	return limits, series
}

// refine reads the changes in the spans that cells have left open. It reports false when they are too many
// for something that nobody asked for, or gone.
func (q *question) refine(ctx context.Context, snapshot store.Snapshot, saturation *concurrency.Saturation) (bool, error) {
	spans := within(saturation.Open())
	if len(spans) == 0 {
		return true, nil
	}
	if len(spans) > manySpans || spans[0].From < q.horizon.RowsFrom {
		return false, nil
	}
	left := int64(MaxUnasked)
	filters := make([]store.TransitionFilter, len(spans))
	for i, span := range spans {
		filters[i] = store.TransitionFilter{WorkflowID: q.workflow.ID, From: span.From, Before: span.To}
		rows, err := snapshot.CountTransitions(ctx, filters[i], left+1) // those that are read over count too
		if left -= rows; err != nil || left < 0 {
			return false, err
		}
		filters[i].Statuses = q.statuses.Statuses()
	}
	for _, filter := range filters {
		for row, err := range snapshot.Changes(ctx, filter) {
			if err != nil {
				return false, err
			}
			series, err := q.series.of(row.TaskTemplateID)
			if err != nil {
				return false, err
			}
			if err := saturation.Refine(concurrency.ChangeOf(row, series)); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// within joins spans that are close to each other: one question about all of their rows takes less than one
// about each.
func within(spans []concurrency.Span) []concurrency.Span {
	var joined []concurrency.Span
	for _, span := range spans {
		if n := len(joined); n > 0 && span.From-joined[n-1].To <= shortGap {
			joined[n-1].To = span.To
			continue
		}
		joined = append(joined, span)
	}
	return joined
}
