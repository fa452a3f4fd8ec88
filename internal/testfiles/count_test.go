package testfiles_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tasktide/internal/testfiles"
)

// TestKnownNumbers counts the rows of each run in the plainest way, which shares no code with the product: at each
// start of a row, how many rows contain that instant.
func TestKnownNumbers(t *testing.T) {
	count := func(t *testing.T, run testfiles.Run) {
		t.Helper()
		attempts := run.Rows(t)
		var templates []string
		tasks := map[string]bool{}
		for _, a := range attempts {
			tasks[a.Task] = true
			if !slices.Contains(templates, a.Template) {
				templates = append(templates, a.Template)
			}
		}
		slices.Sort(templates)
		var numbers []testfiles.Numbers
		for _, template := range append(templates, "all") {
			numbers = append(numbers, numbersOf(template, of(attempts, template)))
		}
		if diff := cmp.Diff(run.Numbers, numbers); diff != "" {
			t.Errorf("numbers (-known +counted):\n%s", diff)
		}
		if got := samples(attempts, templates); got != run.Samples {
			t.Errorf("samples at whole minutes: %+v, known %+v", got, run.Samples)
		}
		if len(tasks) != run.Tasks || len(attempts) != run.Attempts {
			t.Errorf("%d tasks and %d attempts, known %d and %d", len(tasks), len(attempts), run.Tasks, run.Attempts)
		}
	}
	testfiles.EachRun(t, count)
	t.Run("table", func(t *testing.T) { count(t, testfiles.Table(t)) })
}

func of(attempts []testfiles.Row, template string) (rows []testfiles.Row) {
	for _, a := range attempts {
		if template == "all" || a.Template == template {
			rows = append(rows, a)
		}
	}
	return rows
}

// runningAt returns how many of the attempts run at an instant: from their start, included, to their end, excluded.
func runningAt(attempts []testfiles.Row, at int64) (count int) {
	for _, a := range attempts {
		if a.Started <= at && at < a.Ended {
			count++
		}
	}
	return count
}

func numbersOf(template string, attempts []testfiles.Row) testfiles.Numbers {
	n := testfiles.Numbers{Template: template, Runs: len(attempts)}
	var peakAt, micros int64
	for _, a := range attempts {
		micros += a.Ended - a.Started
		count := runningAt(attempts, a.Started)
		if count > n.Peak || count == n.Peak && a.Started < peakAt {
			n.Peak, peakAt = count, a.Started
		}
	}
	n.PeakAt = time.UnixMicro(peakAt).UTC().Format("15:04:05.000")
	n.TaskSeconds = math.Round(float64(micros)/1000) / 1000
	return n
}

func samples(attempts []testfiles.Row, templates []string) (s testfiles.Samples) {
	minute := time.Minute.Microseconds()
	first, last := int64(math.MaxInt64), int64(0)
	for _, a := range attempts {
		first, last = min(first, a.Submitted), max(last, a.Ended)
	}
	for at := first - first%minute; at < last; at += minute {
		count := 0
		for _, template := range templates {
			if running := runningAt(of(attempts, template), at); running > 0 {
				s.Rows++
				count += running
			}
		}
		s.Sum += count
		if count > s.Most {
			s.Most, s.MostAt = count, time.UnixMicro(at).UTC().Format("15:04")
		}
	}
	return s
}
