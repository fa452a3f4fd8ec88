package runlog_test

import (
	"cmp"
	"math"
	"os"
	"slices"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"

	"tasktide/internal/jobmon"
	"tasktide/internal/runlog"
	"tasktide/internal/testfiles"
)

// TestWholeRuns sweeps the histories that the reader makes of whole runs, and finds their known numbers.
func TestWholeRuns(t *testing.T) {
	testfiles.EachRun(t, func(t *testing.T, known testfiles.Run) {
		t.Helper()
		run, err := runlog.ParseNextflow(open(t, known.Path))
		if err != nil {
			t.Fatal(err)
		}
		compareRun(t, known, run.Tasks)
	})
	t.Run("table", func(t *testing.T) {
		known := testfiles.Table(t)
		table, err := runlog.ParseCSV(open(t, known.Path), runlog.OpenUntilLast)
		if err != nil {
			t.Fatal(err)
		}
		compareRun(t, known, slices.Collect(table.Histories()))
	})
}

func open(t *testing.T, path string) *os.File {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

// step is a change of the number of running tasks at an instant.
type step struct {
	at     int64
	change int
}

func compareRun(t *testing.T, known testfiles.Run, tasks []jobmon.TaskHistory) {
	t.Helper()
	attempts, fatal := 0, 0
	steps := map[string][]step{}
	for _, task := range tasks {
		attempts += task.Attempts
		if err := task.Check(); err != nil {
			t.Error(err)
		}
		if task.Moves[len(task.Moves)-1].To == jobmon.TaskErrorFatal {
			fatal++
		}
		running := false
		for _, move := range task.Moves {
			if running {
				steps[task.Template] = append(steps[task.Template], step{move.At, -1})
				steps["all"] = append(steps["all"], step{move.At, -1})
			}
			if running = move.To == jobmon.TaskRunning; running {
				steps[task.Template] = append(steps[task.Template], step{move.At, 1})
				steps["all"] = append(steps["all"], step{move.At, 1})
			}
		}
	}
	if len(tasks) != known.Tasks || attempts != known.Attempts || fatal != known.Fatal {
		t.Errorf("%d tasks, %d attempts, %d fatal; want %d, %d, %d",
			len(tasks), attempts, fatal, known.Tasks, known.Attempts, known.Fatal)
	}
	if len(steps) != len(known.Numbers) {
		t.Errorf("%d templates, want %d", len(steps)-1, len(known.Numbers)-1)
	}
	var numbers []testfiles.Numbers
	for _, n := range known.Numbers {
		numbers = append(numbers, sweep(n.Template, steps[n.Template]))
	}
	if d := diff.Diff(known.Numbers, numbers); d != "" {
		t.Errorf("numbers (-known +parsed):\n%s", d)
	}
}

func sweep(template string, steps []step) testfiles.Numbers {
	got := testfiles.Numbers{Template: template}
	var level int
	var peakAt, micros int64
	slices.SortFunc(steps, func(a, b step) int { return cmp.Compare(a.at, b.at) })
	for i, s := range steps {
		level += s.change
		micros -= s.at * int64(s.change)
		if s.change > 0 {
			got.Runs++
		}
		settled := i+1 == len(steps) || steps[i+1].at > s.at
		if settled && level > got.Peak {
			got.Peak, peakAt = level, s.at
		}
	}
	got.PeakAt = time.UnixMicro(peakAt).UTC().Format("15:04:05.000")
	got.TaskSeconds = math.Round(float64(micros)/1000) / 1000
	return got
}
