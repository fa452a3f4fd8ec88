package jobmon_test

import (
	"strings"
	"testing"

	"tasktide/internal/jobmon"
)

func TestWorkflowAtRest(t *testing.T) {
	for _, s := range jobmon.WorkflowStatuses() {
		if got, want := s.AtRest(), strings.Contains("FDAHN", s.String()); got != want {
			t.Errorf("%s is at rest: %t", s.Name(), got)
		}
	}
}

func TestRunAlive(t *testing.T) {
	for _, s := range jobmon.RunStatuses() {
		if got, want := s.Alive(), strings.Contains("LBRCH", s.String()); got != want {
			t.Errorf("%s is alive: %t", s.Name(), got)
		}
	}
}

func TestRunDrivesItsWorkflow(t *testing.T) {
	drives := map[string]string{
		"L": "G", "B": "Q", "A": "A", "I": "I", "O": "O", "R": "R", "D": "D", "T": "H", "S": "F", "E": "F",
	}
	for _, s := range jobmon.RunStatuses() {
		want, drives := drives[s.String()]
		got, ok := s.WorkflowBecomes()
		if ok != drives || got.String() != want {
			t.Errorf("%s makes its workflow %q, %t; want %q", s.Name(), got.String(), ok, want)
		}
	}
}
