package workload_test

import (
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/workload"
)

var end = time.Date(2026, 5, 14, 9, 30, 0, 0, time.UTC).UnixMicro()

func size(t *testing.T, name string) workload.Size {
	t.Helper()
	found, err := workload.ParseSize(name)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestParseSize(t *testing.T) {
	for _, want := range workload.Sizes() {
		if got := size(t, want.Name); got != want {
			t.Errorf("%s is read as %+v", want.Name, got)
		}
	}
	for _, name := range []string{"", "s", "XL"} {
		if _, err := workload.ParseSize(name); jobmon.ErrorCode(err) != jobmon.CodeInvalid {
			t.Errorf("%q is a size, or refused with %v", name, err)
		}
	}
}

func TestWorkflowsOfASize(t *testing.T) {
	for _, size := range workload.Sizes() {
		begin := end - size.Span.Microseconds()
		workflows := size.List(7, end)
		tasks := 0
		names := map[string]bool{}
		for i, w := range workflows {
			tasks += w.Tasks
			names[w.Name] = true
			if w.From < begin || w.Until <= w.From || w.Until > end || w.End != end {
				t.Errorf("%s: tasks are created in [%d, %d) and end before %d; want all in [%d, %d)",
					w.Name, w.From, w.Until, w.End, begin, end)
			}
			if i > 0 && w.Tasks > workflows[i-1].Tasks {
				t.Errorf("%s has %d tasks, more than the one before it", w.Name, w.Tasks)
			}
			if w.Templates != size.Templates {
				t.Errorf("%s has %d templates, want %d", w.Name, w.Templates, size.Templates)
			}
		}
		if len(workflows) != size.Workflows || len(names) != size.Workflows || tasks != size.Tasks {
			t.Errorf("%s has %d workflows of %d names and %d tasks, want %d and %d",
				size.Name, len(workflows), len(names), tasks, size.Workflows, size.Tasks)
		}
		if first := workflows[0]; first.Tasks != size.Largest || first.From != begin || first.Until != end {
			t.Errorf("%s: the largest has %d tasks created in [%d, %d); want %d in [%d, %d)",
				size.Name, first.Tasks, first.From, first.Until, size.Largest, begin, end)
		}
	}
}

// Few workflows have most of the tasks, and at any time many are under way.
func TestXIsSkewedAndSpread(t *testing.T) {
	x := size(t, "X")
	workflows := x.List(1, end)
	largest := 0
	for _, w := range workflows[:100] {
		largest += w.Tasks
	}
	if smallest := workflows[len(workflows)-1].Tasks; largest < x.Tasks/2 || smallest < 1_000 {
		t.Errorf("a tenth of the workflows has %d tasks, and the smallest %d", largest, smallest)
	}
	for share := range 10 {
		from := end - x.Span.Microseconds()/10*int64(share+1)
		begun := 0
		for _, w := range workflows {
			if w.From >= from && w.From < from+x.Span.Microseconds()/10 {
				begun++
			}
		}
		if begun < 50 || begun > 200 {
			t.Errorf("%d workflows begin in tenth %d from the end", begun, share)
		}
	}
}

func TestHistories(t *testing.T) {
	x := size(t, "X").List(3, end)
	for _, w := range []workload.Workflow{
		size(t, "S").List(1, end)[0], size(t, "M").List(2, end)[0], x[99], x[999],
	} {
		t.Run(w.Name, func(t *testing.T) { checkHistories(t, w) })
	}
}

// checkHistories checks what holds of every workflow.
func checkHistories(t *testing.T, w workload.Workflow) {
	t.Helper()
	tasks, transitions, retried, done := 0, 0, 0, 0
	templates, names := map[string]int{}, map[string]bool{}
	whole := int64(0) // instants that are whole seconds
	active := map[int64]int{}
	previous := w.From
	part := (w.Until - w.From) / int64(w.Tasks)
	for task := range w.Histories() {
		if err := task.Check(); err != nil {
			t.Fatal(err)
		}
		first, last := task.Moves[0].At, task.Moves[len(task.Moves)-1]
		if first < previous || first-previous > 2*part || first >= w.Until || last.At >= w.End {
			t.Fatalf("task %s goes from %d to %d, the one before it begins at %d", task.Name, first, last.At, previous)
		}
		previous = first
		tasks++
		transitions += len(task.Moves)
		templates[task.Template]++
		names[task.Name] = true
		attempts := 0
		var before jobmon.Move
		for _, move := range task.Moves {
			if move.To == jobmon.TaskQueued {
				attempts++
			}
			if move.At%1_000_000 == 0 {
				whole++
			}
			if before.To == jobmon.TaskErrorRecoverable && (move.To != jobmon.TaskRegistering || move.At != before.At) {
				t.Fatalf("task %s rests in ERROR_RECOVERABLE: %v", task.Name, task.Moves)
			}
			if move.To.Active() {
				active[move.At]++
			}
			if before.To.Active() {
				active[move.At]--
			}
			before = move
		}
		if attempts != task.Attempts || attempts > 2 {
			t.Fatalf("task %s says %d attempts: %v", task.Name, task.Attempts, task.Moves)
		}
		if attempts == 2 {
			retried++
		}
		if last.To == jobmon.TaskDone {
			done++
		}
	}
	if tasks != w.Tasks || len(names) != tasks || len(templates) != w.Templates {
		t.Errorf("%d tasks of %d names and %d templates, want %d and %d", tasks, len(names), len(templates), w.Tasks, w.Templates)
	}
	if perTask := float64(transitions) / float64(tasks); perTask < 5.9 || perTask > 6.3 {
		t.Errorf("%.2f transitions a task, want about 6", perTask)
	}
	if share := float64(retried) / float64(tasks); share < 0.02 || share > 0.04 {
		t.Errorf("%.1f %% of the tasks are retried, want 3", 100*share)
	}
	if over := w.End > w.Until+(24*time.Hour).Microseconds(); over && done < tasks || !over && done == tasks || done < tasks*9/10 {
		t.Errorf("%d of %d tasks are done; the run is over: %t", done, tasks, over)
	}
	if templates["template_01"] < 4*templates["template_20"] {
		t.Errorf("the templates have %v tasks, which is not skewed", templates)
	}
	if whole > int64(transitions)/1000 {
		t.Errorf("%d of %d moves are at a whole second", whole, transitions)
	}
	checkLimit(t, w, active)
}

// checkLimit checks that the limit is kept and within reach. active has the changes in the number of
// active tasks by instant.
func checkLimit(t *testing.T, w workload.Workflow, active map[int64]int) {
	t.Helper()
	now, peak := 0, 0
	for _, at := range slices.Sorted(maps.Keys(active)) {
		now += active[at]
		peak = max(peak, now)
	}
	if limit := int(w.MaxConcurrentlyRunning); peak > limit || peak < limit/4 {
		t.Errorf("%d tasks are active at once, the limit is %d", peak, limit)
	}
}

func TestTheSeedAndTheEndDecide(t *testing.T) {
	s := size(t, "S")
	list := func(seed uint64, end int64) (all []jobmon.TaskHistory) {
		for _, w := range s.List(seed, end) {
			all = slices.AppendSeq(all, w.Histories())
		}
		return all
	}
	one := list(1, end)
	if !reflect.DeepEqual(one, list(1, end)) {
		t.Error("the same seed and end give other tasks")
	}
	if reflect.DeepEqual(one, list(2, end)) {
		t.Error("another seed gives the same tasks")
	}
	for _, task := range one {
		for i := range task.Moves {
			task.Moves[i].At += 12_345_678
		}
	}
	if !reflect.DeepEqual(one, list(1, end+12_345_678)) {
		t.Error("another end does more than shift the tasks")
	}
	x := size(t, "X").List(1, end)
	if !reflect.DeepEqual(x, size(t, "X").List(1, end)) {
		t.Error("the same seed and end give other workflows")
	}
	a, b := slices.Collect(x[998].Histories()), slices.Collect(x[999].Histories())
	if a[0].Moves[1].At-a[0].Moves[0].At == b[0].Moves[1].At-b[0].Moves[0].At {
		t.Error("two workflows of one workload are alike")
	}
}

// A reader may keep what it was given, end early, and begin again.
func TestHistoriesAreReadAsOneLikes(t *testing.T) {
	w := size(t, "L").List(1, end)[0]
	take := func(n int) (some []jobmon.TaskHistory) {
		for task := range w.Histories() {
			if some = append(some, task); len(some) == n {
				break
			}
		}
		return some
	}
	if first := take(100); !reflect.DeepEqual(first, take(200)[:100]) {
		t.Error("the first tasks differ from one reading to the next")
	}
}
