package concurrency_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/testfiles"
)

// TestWholeRuns counts whole runs, whose numbers are known, and compares them with what a sample at each whole minute sees.
func TestWholeRuns(t *testing.T) {
	testfiles.EachRun(t, countRun)
	t.Run("table", func(t *testing.T) { countRun(t, testfiles.Table(t)) })
}

func countRun(t *testing.T, known testfiles.Run) {
	t.Helper()
	attempts := known.Rows(t)
	templates := []string{}
	for _, a := range attempts {
		if !slices.Contains(templates, a.Template) {
			templates = append(templates, a.Template)
		}
	}
	slices.Sort(templates)

	var changes []concurrency.Change
	for _, a := range attempts {
		series := slices.Index(templates, a.Template)
		end := jobmon.TaskDone
		if a.Failed {
			end = jobmon.TaskErrorRecoverable
		}
		changes = append(changes,
			concurrency.Change{At: a.Submitted, Series: series, From: jobmon.TaskRegistering, To: jobmon.TaskQueued},
			concurrency.Change{At: a.Started, Series: series, From: jobmon.TaskQueued, To: jobmon.TaskRunning},
			concurrency.Change{At: a.Ended, Series: series, From: jobmon.TaskRunning, To: end})
	}
	first := slices.MinFunc(changes, func(a, b concurrency.Change) int { return cmp.Compare(a.At, b.At) }).At
	last := slices.MaxFunc(changes, func(a, b concurrency.Change) int { return cmp.Compare(a.At, b.At) }).At
	window := concurrency.Align(first, last, time.Minute.Microseconds())
	got, err := concurrency.Count(window, concurrency.Of(jobmon.TaskRunning), len(templates), never, changes)
	if err != nil {
		t.Fatal(err)
	}

	describe := func(template string, s concurrency.Series) testfiles.Numbers {
		at := time.UnixMicro(s.WindowPeakAt).UTC().Format("15:04:05.000")
		return testfiles.Numbers{
			Template: template, Runs: int(sum(s.Entered)), Peak: int(s.WindowPeak), PeakAt: at, TaskSeconds: s.TaskSeconds(),
		}
	}
	var numbers []testfiles.Numbers
	for i, template := range templates {
		numbers = append(numbers, describe(template, got.Series[i]))
	}
	numbers = append(numbers, describe("all", got.Total))
	if d := diff.Diff(known.Numbers, numbers); d != "" {
		t.Errorf("by template (-known +counted):\n%s", d)
	}

	var samples testfiles.Samples
	for _, s := range got.Series {
		for _, level := range s.Start {
			samples.Sum += int(level)
			samples.Rows += int(min(level, 1))
		}
	}
	most := slices.Max(got.Total.Start)
	samples.Most = int(most)
	samples.MostAt = time.UnixMicro(window.BucketStart(slices.Index(got.Total.Start, most))).UTC().Format("15:04")
	if samples != known.Samples {
		t.Errorf("samples at whole minutes: %+v, known %+v", samples, known.Samples)
	}
}
