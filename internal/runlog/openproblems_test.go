package runlog_test

import (
	"cmp"
	"math"
	"os"
	"slices"
	"testing"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/runlog"
)

// realTrace is a Nextflow run on AWS Batch. It lies beside the project, not in it.
const realTrace = "../../../shared/data/nextflow-openproblems-2022-05-13.tsv"

func TestRealRun(t *testing.T) {
	file, err := os.Open(realTrace)
	if os.IsNotExist(err) {
		t.Skip("the recorded run is not on this machine: ../shared/data beside the project is missing")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	run, err := runlog.ParseNextflow(file)
	if err != nil {
		t.Fatal(err)
	}

	attempts := 0
	for _, task := range run.Tasks {
		attempts += task.Attempts
		if err := task.Check(); err != nil {
			t.Error(err)
		}
		if last := task.Moves[len(task.Moves)-1].To; last != jobmon.TaskDone {
			t.Errorf("task %q ends in %s", task.Name, last.Name())
		}
	}
	if len(run.Tasks) != 852 || attempts != 864 {
		t.Errorf("%d tasks and %d attempts, want 852 and 864: 12 retries", len(run.Tasks), attempts)
	}

	type row struct {
		runs    int
		peak    int
		peakAt  string
		seconds float64
	}
	want := map[string]row{
		"dataset_images":        {18, 9, "03:15:41.860", 698.8},
		"get_software_versions": {1, 1, "03:09:19.259", 16.2},
		"list_datasets":         {6, 4, "03:13:51.786", 135.6},
		"list_methods":          {6, 3, "03:13:51.823", 117.4},
		"list_metrics":          {6, 3, "03:13:51.347", 127.8},
		"list_tasks":            {1, 1, "03:09:18.206", 16.2},
		"load_dataset":          {29, 13, "03:17:30.231", 5635.416},
		"method_images":         {32, 18, "03:15:46.080", 1597.1},
		"metric_images":         {19, 16, "03:15:45.339", 991.8},
		"run_method":            {148, 25, "03:23:09.136", 7111.1},
		"run_metric":            {598, 137, "03:24:14.803", 17787.3},
		"":                      {864, 147, "03:24:14.803", 34234.716},
	}
	steps := map[string][]step{}
	for _, task := range run.Tasks {
		running := false
		for _, move := range task.Moves {
			if running {
				steps[task.Template] = append(steps[task.Template], step{move.At, -1})
				steps[""] = append(steps[""], step{move.At, -1})
			}
			if running = move.To == jobmon.TaskRunning; running {
				steps[task.Template] = append(steps[task.Template], step{move.At, 1})
				steps[""] = append(steps[""], step{move.At, 1})
			}
		}
	}
	if len(steps) != len(want) {
		t.Errorf("%d templates, want %d", len(steps)-1, len(want)-1)
	}
	for template, want := range want {
		var got row
		var level int
		var peakAt, micros int64
		slices.SortFunc(steps[template], func(a, b step) int { return cmp.Compare(a.at, b.at) })
		for i, s := range steps[template] {
			level += s.change
			micros -= s.at * int64(s.change)
			if s.change > 0 {
				got.runs++
			}
			settled := i+1 == len(steps[template]) || steps[template][i+1].at > s.at
			if settled && level > got.peak {
				got.peak, peakAt = level, s.at
			}
		}
		got.peakAt = time.UnixMicro(peakAt).UTC().Format("15:04:05.000")
		got.seconds = math.Round(float64(micros)/1000) / 1000
		if got != want {
			t.Errorf("template %q: got %+v, want %+v", template, got, want)
		}
	}
}

// step is a change of the number of running tasks at an instant.
type step struct {
	at     int64
	change int
}
