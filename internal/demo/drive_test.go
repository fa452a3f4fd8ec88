package demo_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"tasktide/internal/demo"
	"tasktide/internal/jobmon"
)

func TestDrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newFakeServer(t)
		config := demo.Config{
			BaseURL: "http://127.0.0.1:8070/api/v3", Transport: server,
			Seed: 1, Templates: 4, TasksPerTemplate: 250, MaxConcurrentlyRunning: 100,
		}
		driven, err := demo.Drive(t.Context(), config, 1, 3)
		if err != nil {
			t.Fatal(err)
		}
		workflow := server.workflows[0]
		if driven.WorkflowID != workflow.id || driven.Tasks != 1000 || workflow.status != jobmon.WorkflowDone {
			t.Errorf("%+v; workflow %d is %s", driven, workflow.id, workflow.status.Name())
		}
		for _, task := range workflow.tasks {
			if task.status != jobmon.TaskDone || task.attempts > 2 {
				t.Errorf("task %d ends %s after %d attempts", task.id, task.status.Name(), task.attempts)
			}
		}
		if retries := len(workflow.instances) - 1000; retries != driven.Retries || retries < 10 || retries > 60 {
			t.Errorf("%d retries of 1,000 tasks, want about 3 %%, and %d are told", retries, driven.Retries)
		}
		if workflow.peak != 100 {
			t.Errorf("at most %d tasks are active, want the limit", workflow.peak)
		}
	})
}

// TestDriveGivesUp has a worker be refused, and then the one who queues.
func TestDriveGivesUp(t *testing.T) {
	for _, route := range []string{"/log_done", "/queue_task_batch"} {
		synctest.Test(t, func(t *testing.T) {
			server := newFakeServer(t)
			server.trouble = func(_ int, path string) (int, bool) {
				if strings.HasSuffix(path, route) {
					return http.StatusBadRequest, false
				}
				return 0, false
			}
			if err := driveFew(t.Context(), server); err == nil || !strings.Contains(err.Error(), route) {
				t.Errorf("%s is refused: %v", route, err)
			}
		})
	}
}

// TestDriveIsStopped ends with its context.
func TestDriveIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		server := newFakeServer(t)
		server.trouble = func(_ int, path string) (int, bool) {
			if strings.HasSuffix(path, "/log_done") {
				cancel()
			}
			return 0, false
		}
		if err := driveFew(ctx, server); !errors.Is(err, context.Canceled) {
			t.Errorf("Drive: %v", err)
		}
	})
}

func driveFew(ctx context.Context, server *fakeServer) error {
	_, err := demo.Drive(ctx, demo.Config{BaseURL: "http://127.0.0.1:8070/api/v3", Transport: server, TasksPerTemplate: 5}, 1, 3)
	return err
}
