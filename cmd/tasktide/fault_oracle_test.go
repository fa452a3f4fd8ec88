package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/store/testdb"
)

// life is what the audit tells of one task, in order.
type life struct {
	template int // index of stormTemplates
	rows     []jobmon.Transition
}

// entered returns the statuses that a task entered.
func (l life) entered() string {
	var statuses strings.Builder
	for _, row := range l.rows {
		statuses.WriteString(row.To.String())
	}
	return statuses.String()
}

// verify compares the database with what the storm asked for and was told, and returns the lives of the
// tasks.
func (s *storm) verify(kind testdb.Kind, databaseURL string) []life {
	s.t.Helper()
	db, err := kind.OpenURL(context.Background(), databaseURL)
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	lives := map[int64]life{}
	for template, tasks := range s.tasks {
		for _, id := range tasks {
			lives[id] = life{template: template}
		}
	}
	var tasks []store.Task
	instances := map[int64][]store.Instance{} // by task
	err = db.View(context.Background(), func(ctx context.Context, snapshot store.Snapshot) error {
		templates, err := snapshot.TemplateNames(ctx, s.workflowID)
		if err != nil {
			return err
		}
		names := map[int64]string{}
		for _, template := range templates {
			names[template.ID] = template.Name
		}
		for row, err := range snapshot.Transitions(ctx, store.TransitionFilter{WorkflowID: s.workflowID, Before: store.MaxInstant}) {
			if err != nil {
				return err
			}
			task, known := lives[row.TaskID]
			if !known || names[row.TaskTemplateID] != stormTemplates[task.template] {
				s.t.Errorf("%+v is of no task that was bound, or of another template", row)
			}
			task.rows = append(task.rows, row)
			lives[row.TaskID] = task
		}
		all, err := snapshot.Instances(ctx, store.InstanceFilter{WorkflowID: s.workflowID})
		if err != nil {
			return err
		}
		for _, instance := range all {
			instances[instance.TaskID] = append(instances[instance.TaskID], instance)
		}
		for task, err := range snapshot.Tasks(ctx, store.TaskFilter{WorkflowID: s.workflowID}) {
			if err != nil {
				return err
			}
			tasks = append(tasks, task)
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if len(tasks) != stormTasks || len(lives) != stormTasks {
		s.t.Errorf("%d tasks and %d histories are stored, want %d", len(tasks), len(lives), stormTasks)
	}
	untold := 0
	for _, task := range tasks {
		untold += s.verifyTask(task, lives[task.ID], instances[task.ID])
	}
	s.verifyBatches(lives, instances)
	asked, told := 0, 0
	for status := range s.asked {
		asked, told = asked+s.asked[status], told+s.told[status]
	}
	s.t.Logf("of %d moves %d were asked for and %d told done; of the %d others %d are there", stormMoves, asked, told, asked-told, untold)
	ordered := make([]life, 0, len(tasks))
	for _, task := range tasks {
		ordered = append(ordered, lives[task.ID])
	}
	return ordered
}

// verifyTask compares one task with its history, its instances and what was told of it. It returns how
// many moves are there that were not told done.
func (s *storm) verifyTask(task store.Task, life life, instances []store.Instance) (untold int) {
	s.t.Helper()
	var last jobmon.Transition
	for _, row := range life.rows {
		if row.From != last.To || row.PreviousAt != last.At || row.At < last.At {
			s.t.Errorf("task %d: %+v does not follow %+v", task.ID, row, last)
		}
		last = row
	}
	if task.Status != last.To || task.StatusAt != last.At {
		s.t.Errorf("task %d is %s since %d, its last audit row is %+v", task.ID, task.Status, task.StatusAt, last)
	}
	asked, told := "G"+s.byTask.asked[task.ID], "G"+s.byTask.told[task.ID]
	for _, instance := range instances {
		asked, told = asked+s.later.asked[instance.ID], told+s.later.told[instance.ID]
	}
	entered := life.entered()
	if !strings.HasPrefix("GQIRD", entered) { // so that nothing is there twice
		s.t.Errorf("task %d entered %s", task.ID, entered)
	}
	for _, status := range told {
		if strings.Count(entered, string(status)) != 1 {
			s.t.Errorf("task %d was told to have entered %s; the audit has %s", task.ID, told, entered)
		}
	}
	for _, status := range entered {
		if !strings.ContainsRune(asked, status) {
			s.t.Errorf("task %d was asked to enter %s; the audit has %s", task.ID, asked, entered)
		}
	}
	attempts := min(len(entered)-1, 1)
	if len(instances) != attempts || task.NumAttempts != attempts {
		s.t.Errorf("task %d entered %s and has %d attempts and the instances %+v", task.ID, entered, task.NumAttempts, instances)
	} else if attempts > 0 && (instances[0].Status.String() != task.Status.String() || instances[0].RunID != s.runID ||
		instances[0].ArrayID != task.ArrayID || !instances[0].Newest) {
		s.t.Errorf("task %d is %s, its instance %+v", task.ID, task.Status, instances[0])
	}
	return len(entered) - len(told)
}

// verifyBatches holds that what one request was to move was moved at one instant or not at all, and that
// each batch of instances is whole.
func (s *storm) verifyBatches(lives map[int64]life, instances map[int64][]store.Instance) {
	s.t.Helper()
	taskOf := map[int64]int64{}
	steps := map[[2]int64][]int64{}
	for task, attempts := range instances {
		for _, instance := range attempts {
			taskOf[instance.ID] = task
			key := [2]int64{instance.ArrayID, instance.BatchNum}
			steps[key] = append(steps[key], instance.StepID)
		}
	}
	for _, batch := range s.batches {
		at := map[int64]bool{}
		for _, id := range batch.ids {
			if batch.to != "Q" {
				id = taskOf[id]
			}
			entered := int64(0)
			for _, row := range lives[id].rows {
				if row.To.String() == batch.to {
					entered = row.At
				}
			}
			at[entered] = true
		}
		if len(at) != 1 {
			s.t.Errorf("what was to enter %s together did so at %v", batch.to, at)
		}
	}
	for key, of := range steps {
		slices.Sort(of)
		if of[0] != 0 || of[len(of)-1] != int64(len(of)-1) || len(of) > stormBatch {
			s.t.Errorf("batch %d of array %d has the steps %v", key[1], key[0], of)
		}
	}
}

// oracle counts tasks one by one, at every instant at which anything happens to any of them.
type oracle struct {
	lives    []life
	instants []int64
	counted  map[int64]census
}

// census is how many tasks of each template are in each status.
type census [3]['Z' + 1]int64

func newOracle(lives []life) oracle {
	o := oracle{lives: lives, counted: map[int64]census{}}
	for _, life := range lives {
		for _, row := range life.rows {
			o.instants = append(o.instants, row.At)
		}
	}
	slices.Sort(o.instants)
	o.instants = slices.Compact(o.instants)
	return o
}

// count returns how many tasks of a template, or of all when it is negative, are in the statuses at an
// instant.
func (o oracle) count(template int, statuses string, at int64) (count int64) {
	found, known := o.counted[at]
	if !known {
		for _, life := range o.lives {
			status := jobmon.TaskStatus(0)
			for _, row := range life.rows {
				if row.At <= at {
					status = row.To
				}
			}
			found[life.template][status]++
		}
		o.counted[at] = found
	}
	for i := range found {
		for _, status := range statuses {
			if template < 0 || template == i {
				count += found[i][status]
			}
		}
	}
	return count
}

// peak returns the most tasks at any instant of [from, to), and the first such instant.
func (o oracle) peak(template int, statuses string, from, to int64) (most, at int64) {
	most, at = o.count(template, statuses, from), from
	for _, instant := range o.instants {
		if from < instant && instant < to {
			if count := o.count(template, statuses, instant); count > most {
				most, at = count, instant
			}
		}
	}
	return most, at
}

// spent returns how often tasks entered the statuses from outside in [from, to), and how long they were in
// them in [from, until), in microseconds.
func (o oracle) spent(template int, statuses string, from, to, until int64) (entered, micros int64) {
	for _, life := range o.lives {
		if template >= 0 && template != life.template {
			continue
		}
		before := ""
		for i, row := range life.rows {
			left := until
			if i+1 < len(life.rows) {
				left = min(life.rows[i+1].At, until)
			}
			in := strings.Contains(statuses, row.To.String())
			if in && (before == "" || !strings.Contains(statuses, before)) && from <= row.At && row.At < to {
				entered++
			}
			if in {
				micros += max(left-max(row.At, from), 0)
			}
			before = row.To.String()
		}
	}
	return entered, micros
}

// expect returns what the timeline has to say of a template, or of all when it is negative, given the
// window and the instant of the answer.
func (o oracle) expect(t *testing.T, template int, statuses, stat string, of columns) (expected series, peaks []int64) {
	t.Helper()
	first, now := micros(t, of.Bucket.First), micros(t, of.GeneratedAt)
	width := of.Bucket.Seconds * 1_000_000
	var area int64
	for i := range of.Bucket.Count {
		from := first + int64(i)*width
		to, until := min(from+width, now+1), min(from+width, now)
		peak, at := o.peak(template, statuses, from, to)
		entered, spent := o.spent(template, statuses, from, to, until)
		area += spent
		if peak > expected.Peak {
			expected.Peak, expected.PeakAt = peak, time.UnixMicro(at).UTC().Format(time.RFC3339Nano)
		}
		value := float64(peak)
		switch stat {
		case "start":
			value = float64(o.count(template, statuses, from))
		case "entered":
			value = float64(entered)
		case "mean":
			value = float64(o.count(template, statuses, from))
			if elapsed := until - from; elapsed > 0 {
				value = float64((200*spent+elapsed)/(2*elapsed)) / 100 // to the nearest hundredth
			}
		}
		expected.Values = append(expected.Values, value)
		peaks = append(peaks, peak)
	}
	expected.TaskSeconds = json.Number(strconv.FormatFloat(float64(area)/1e6, 'f', -1, 64))
	if template >= 0 {
		expected.Name = stormTemplates[template]
	}
	return expected, peaks
}

func micros(t *testing.T, instant string) int64 {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, instant)
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixMicro()
}

// compareTimeline asks for the timeline of the whole run, and of what came after its middle, and compares
// it with the oracle.
func (p *program) compareTimeline(t *testing.T, workflowID int64, lives []life) {
	t.Helper()
	o := newOracle(lives)
	middle := o.instants[len(o.instants)/2]
	for _, window := range []url.Values{
		{"time_range": {"all"}},
		{"start": {time.UnixMicro(middle).UTC().Format(time.RFC3339Nano)}},
	} {
		for status, statuses := range map[string]string{"R": "R", "ACTIVE": "QIOR"} {
			for _, stat := range []string{"start", "peak", "entered", "mean"} {
				query := url.Values{"format": {"columns"}, "granularity": {"1s"}, "stat": {stat}, "status": {status}}
				maps.Copy(query, window)
				path := fmt.Sprintf("/api/v2/workflow/%d/task_concurrency?%s", workflowID, query.Encode())
				var got columns
				p.ask(t, path, &got)
				begins, ends := micros(t, got.Window.Start), micros(t, got.Window.End)
				if window.Has("time_range") && begins > o.instants[0] || begins > middle || ends <= o.instants[len(o.instants)-1] ||
					got.Bucket.Seconds != 1 || got.Bucket.First != got.Window.Start || int64(got.Bucket.Count) != (ends-begins)/1e6 {
					t.Errorf("%s: the window is %+v, its buckets %+v", path, got.Window, got.Bucket)
					continue
				}
				want := got
				want.Series = []series{}
				for i := range stormTemplates {
					expected, _ := o.expect(t, i, statuses, stat, got)
					if expected.Peak > 0 {
						want.Series = append(want.Series, expected)
					}
				}
				want.Total.series, want.Total.Peaks = o.expect(t, -1, statuses, stat, got)
				if diff := cmp.Diff(want, got, cmp.AllowUnexported(columnsTotal{})); diff != "" {
					t.Errorf("%s: the timeline (+) and the oracle (-) differ:\n%s", path, diff)
				}
			}
		}
	}
}
