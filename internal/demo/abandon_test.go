package demo_test

import (
	"testing"
	"testing/synctest"
	"time"

	"tasktide/internal/demo"
	"tasktide/internal/jobmon"
)

func TestAbandon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newFakeServer(t)
		config := demo.Config{
			BaseURL: "http://127.0.0.1:8070/api/v3", Transport: server,
			Seed: 1, Name: "left", Templates: 3, TasksPerTemplate: 40, MaxConcurrentlyRunning: 16,
		}
		if err := demo.Abandon(t.Context(), config, 20*time.Second); err != nil {
			t.Fatal(err)
		}
		workflow := server.workflows[0]
		if workflow.runStatus != jobmon.RunError {
			t.Errorf("the run is %s", workflow.runStatus.Name())
		}
		counts := map[jobmon.TaskStatus]int{}
		for _, task := range workflow.tasks {
			counts[task.status]++
		}
		if counts[jobmon.TaskRunning] < 3 || counts[jobmon.TaskDone] < 3 {
			t.Errorf("it leaves behind %v", counts)
		}
	})
}
