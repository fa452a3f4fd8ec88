package jobmon_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"tasktide/internal/jobmon"
)

func TestTaskStatusPredicates(t *testing.T) {
	for _, s := range jobmon.TaskStatuses() {
		if got, want := s.Final(), strings.Contains("DF", s.String()); got != want {
			t.Errorf("%s is final: %t", s.Name(), got)
		}
		if got, want := s.Active(), strings.Contains("QIOR", s.String()); got != want {
			t.Errorf("%s is active: %t", s.Name(), got)
		}
	}
	if none := jobmon.TaskStatus(0); none.Final() || none.Active() {
		t.Error("a task that does not exist yet is final or active")
	}
}

func TestResets(t *testing.T) {
	for letter, want := range map[string]struct{ resets, resetsIfRunning bool }{
		"G": {true, true}, "Q": {true, true}, "I": {true, true}, "O": {true, true}, "R": {false, true},
		"D": {false, false}, "E": {true, true}, "A": {true, true}, "F": {true, true},
	} {
		s := jobmon.TaskStatus(letter[0])
		if got := s.Resets(false); got != want.resets {
			t.Errorf("%s resets: %t", s.Name(), got)
		}
		if got := s.Resets(true); got != want.resetsIfRunning {
			t.Errorf("%s resets if running: %t", s.Name(), got)
		}
	}
}

func TestTaskMoves(t *testing.T) {
	// What a task goes through when its instance enters a status, with attempts left and without.
	type moves struct{ left, none string }
	implied := map[string]moves{
		"Q": {"Q", "Q"}, "I": {"I", "I"}, "O": {"O", "O"}, "R": {"R", "R"}, "D": {"D", "D"},
		"F": {"EF", "EF"},
		"W": {"EG", "EF"}, "E": {"EG", "EF"}, "U": {"EG", "EF"}, "Z": {"EA", "EF"},
		"T": {}, "K": {}, "X": {},
	}
	for _, instance := range jobmon.InstanceStatuses() {
		for _, task := range jobmon.TaskStatuses() {
			for _, attempts := range []struct {
				made, most int
				left       bool
			}{{0, 3, true}, {1, 3, true}, {2, 3, true}, {3, 3, false}, {4, 3, false}, {1, 1, false}} {
				want := implied[instance.String()].none
				if attempts.left {
					want = implied[instance.String()].left
				}
				if task.Final() || want == task.String() {
					want = ""
				}
				name := fmt.Sprintf("instance %s, task %s, attempt %d of %d", instance, task, attempts.made, attempts.most)
				got := instance.TaskMoves(task, attempts.made, attempts.most)
				var path string
				for _, step := range got {
					path += step.String()
				}
				if path != want {
					t.Errorf("%s: moves %q, want %q", name, path, want)
				}
				checkMoves(t, name, instance, task, got)
			}
		}
	}
}

// checkMoves checks what holds for every answer: no task rests in ERROR_RECOVERABLE, a failure
// passes through it, and each step of a failure is legal from any status that an attempt can be in.
func checkMoves(
	t *testing.T, name string, instance jobmon.InstanceStatus, task jobmon.TaskStatus, path []jobmon.TaskStatus,
) {
	t.Helper()
	if len(path) == 0 {
		return
	}
	if path[len(path)-1] == jobmon.TaskErrorRecoverable {
		t.Errorf("%s: the task rests in ERROR_RECOVERABLE", name)
	}
	if !instance.Failed() {
		return
	}
	if path[0] != jobmon.TaskErrorRecoverable {
		t.Errorf("%s: the failure does not pass through ERROR_RECOVERABLE", name)
	}
	switch task {
	case jobmon.TaskInstantiating, jobmon.TaskLaunched, jobmon.TaskRunning:
		for from, i := task, 0; i < len(path); from, i = path[i], i+1 {
			if !from.MayBecome(path[i]) {
				t.Errorf("%s: %s to %s is not legal", name, from.Name(), path[i].Name())
			}
		}
	}
}

// An attempt that goes well, or is tried again, leads its task through legal moves only.
func TestTaskFollowsItsInstances(t *testing.T) {
	for _, life := range []struct{ instances, task string }{
		{"QIORD", "QIORD"},
		{"QIRD", "QIRD"}, // the worker was quicker than the distributor
		{"QIW", "QIEG"},
		{"QIOU QIORE QIORD", "QIOEGQIOREGQIORD"},
		{"QIORZ QIORTRD", "QIOREAQIORD"},
		{"QIOXE QIOF", "QIOEGQIOEF"},
		{"QIORE QIORE QIORE", "QIOREGQIOREGQIOREF"},
		{"QIORKF", "QIOREF"},
	} {
		task, attempts := jobmon.TaskRegistering, 0
		var path string
		for attempt := range strings.FieldsSeq(life.instances) {
			attempts++
			var before jobmon.InstanceStatus
			for _, letter := range attempt {
				instance := jobmon.InstanceStatus(letter)
				if before != 0 && !before.MayBecome(instance) {
					t.Fatalf("%s: %s to %s", life.instances, before.Name(), instance.Name())
				}
				before = instance
				for _, step := range instance.TaskMoves(task, attempts, jobmon.DefaultMaxAttempts) {
					if !task.MayBecome(step) {
						t.Errorf("%s: %s to %s is not legal", life.instances, task.Name(), step.Name())
					}
					task = step
					path += step.String()
				}
			}
		}
		if path != life.task {
			t.Errorf("%s: the task went through %s, want %s", life.instances, path, life.task)
		}
	}
}

func TestInstanceStatusPredicates(t *testing.T) {
	for _, s := range jobmon.InstanceStatuses() {
		if got, want := s.Failed(), strings.Contains("EFWUZ", s.String()); got != want {
			t.Errorf("%s has failed: %t", s.Name(), got)
		}
		if got, want := s.Live(), strings.Contains("QIORT", s.String()); got != want {
			t.Errorf("%s is live: %t", s.Name(), got)
		}
	}
}

func TestStatusesInJSON(t *testing.T) {
	type document struct {
		Task     jobmon.TaskStatus
		Instance jobmon.InstanceStatus
		Workflow jobmon.WorkflowStatus
		Run      jobmon.RunStatus
		Levels   map[jobmon.TaskStatus]int
	}
	const text = `{"Task":"R","Instance":"W","Workflow":"H","Run":"C","Levels":{"D":2}}`
	var read document
	if err := json.Unmarshal([]byte(text), &read); err != nil {
		t.Fatal(err)
	}
	written, err := json.Marshal(read)
	if err != nil || string(written) != text {
		t.Errorf("read and written again: %s, %v", written, err)
	}
	for _, bad := range []string{`{"Task":"T"}`, `{"Instance":"G"}`, `{"Workflow":"E"}`, `{"Run":"Q"}`, `{"Task":""}`} {
		err := json.Unmarshal([]byte(bad), &document{})
		if jobmon.ErrorCode(err) != jobmon.CodeInvalid {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
