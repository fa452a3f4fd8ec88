package concurrency_test

import (
	"slices"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
)

// everySeries asks the oracle for all series together.
const everySeries = -1

// The oracle counts tasks, one by one, at every instant at which anything happens. It knows neither
// changes nor levels, and shares no code with the engine.

// statusAt returns the status of t at an instant, 0 before its creation.
func statusAt(t task, at int64) jobmon.TaskStatus {
	var status jobmon.TaskStatus
	for _, step := range t.steps {
		if step.at <= at {
			status = step.to
		}
	}
	return status
}

func (s scenario) counts(status jobmon.TaskStatus) bool { return slices.Contains(s.statuses, status) }

// of returns the tasks of one series, or of every one.
func (s scenario) of(series int) []task {
	var tasks []task
	for _, t := range s.tasks {
		if series == everySeries || t.series == series {
			tasks = append(tasks, t)
		}
	}
	return tasks
}

// listed returns how many tasks are in the scenario's union at an instant.
func (s scenario) listed(series int, at int64) int64 {
	var n int64
	for _, t := range s.of(series) {
		if s.counts(statusAt(t, at)) {
			n++
		}
	}
	return n
}

// taskMicros returns the time that tasks spend in the union during [from, to).
func (s scenario) taskMicros(series int, from, to int64) int64 {
	var sum int64
	for _, t := range s.of(series) {
		for i, step := range t.steps {
			left := int64(never)
			if i+1 < len(t.steps) {
				left = t.steps[i+1].at
			}
			if overlap := min(left, to) - max(step.at, from); s.counts(step.to) && overlap > 0 {
				sum += overlap
			}
		}
	}
	return sum
}

// entries returns how many steps lead from outside the union into it during [from, to).
func (s scenario) entries(series int, from, to int64) int64 {
	var n int64
	for _, t := range s.of(series) {
		var before jobmon.TaskStatus
		for _, step := range t.steps {
			if from <= step.at && step.at < to && s.counts(step.to) && !s.counts(before) {
				n++
			}
			before = step.to
		}
	}
	return n
}

// highest returns the highest level during [from, to), and its first instant.
func (s scenario) highest(series int, from, to int64) (peak, at int64) {
	instants := []int64{from}
	for _, t := range s.tasks {
		for _, step := range t.steps {
			if from < step.at && step.at < to {
				instants = append(instants, step.at)
			}
		}
	}
	slices.Sort(instants)
	peak, at = s.listed(series, from), from
	for _, instant := range instants {
		if n := s.listed(series, instant); n > peak {
			peak, at = n, instant
		}
	}
	return peak, at
}

// expect answers the scenario's question for one series, or for every one.
func (s scenario) expect(series int) concurrency.Series {
	n := s.window.Count
	want := concurrency.Series{
		Start: make([]int64, n), Peak: make([]int64, n), PeakAt: make([]int64, n),
		Entered: make([]int64, n), Area: make([]int64, n),
	}
	known := s.window.Start + s.window.Bucket*int64(n) // what is known ends before this instant
	if s.now != never {
		known = min(known, s.now+1)
	}
	for i := range n {
		from := s.window.Start + int64(i)*s.window.Bucket
		to := from + s.window.Bucket
		want.PeakAt[i] = from
		if from > s.now {
			continue
		}
		want.Start[i] = s.listed(series, from)
		want.Peak[i], want.PeakAt[i] = s.highest(series, from, min(to, known))
		want.Entered[i] = s.entries(series, from, min(to, known))
		want.Area[i] = s.taskMicros(series, from, min(to, s.now))
	}
	want.WindowPeakAt = s.window.Start
	if known > s.window.Start {
		want.WindowPeak, want.WindowPeakAt = s.highest(series, s.window.Start, known)
	}
	return want
}

// answer is the oracle's whole result. Chains are whole here, so there is no defect.
func (s scenario) answer() concurrency.Result {
	want := concurrency.Result{Window: s.window, Now: s.now, Total: s.expect(everySeries)}
	for i := range s.series {
		want.Series = append(want.Series, s.expect(i))
	}
	return want
}
