package demo_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tasktide/internal/demo"
	"tasktide/internal/jobmon"
	"tasktide/internal/testfiles"
)

// play lets a simulator drive the server for a while, in time that passes at once, and returns what
// it logged.
func play(t *testing.T, server *fakeServer, config demo.Config, length time.Duration) string {
	t.Helper()
	var log bytes.Buffer
	config.BaseURL = "http://127.0.0.1:8070/api/v3/"
	config.Transport = server
	config.Log = slog.New(slog.NewTextHandler(&log, nil))
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	if err := demo.NewSimulator(config).Run(ctx); err != nil {
		t.Errorf("Run: %v", err)
	}
	return log.String()
}

func TestSimulator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newFakeServer(t)
		began := time.Now()
		log := play(t, server, demo.Config{Seed: 1}, 8*time.Minute)
		if strings.Contains(log, "level=ERROR") {
			t.Errorf("the simulator complains: %s", log)
		}

		if len(server.workflows) < 2 {
			t.Fatalf("%d workflows in 8 minutes", len(server.workflows))
		}
		first := server.workflows[0]
		if first.status != jobmon.WorkflowDone || len(first.tasks) != 2400 || len(first.arrays) != 12 {
			t.Errorf("the first workflow is %s, with %d tasks of %d templates", first.status.Name(), len(first.tasks), len(first.arrays))
		}
		for _, task := range first.tasks {
			if task.status != jobmon.TaskDone {
				t.Errorf("task %d ends %s", task.id, task.status.Name())
			}
		}
		if retries := len(first.instances) - len(first.tasks); retries < 30 || retries > 150 {
			t.Errorf("%d retries of 2,400 tasks, want about 3 %%", retries)
		}
		if first.peak < 100 || first.peak > 120 {
			t.Errorf("at most %d tasks are active, want nearly 120", first.peak)
		}

		checkRuns(t, server.moves, began, first.id)
	})
}

// checkRuns checks that something soon runs, for 2 to 60 seconds a task, and that the chart moves.
func checkRuns(t *testing.T, moves []fakeMove, began time.Time, workflow int64) {
	t.Helper()
	since := map[int64]time.Time{}
	levels := map[int]int{} // running tasks at the end of each second
	running := 0
	for _, move := range moves {
		if move.workflow != workflow {
			continue
		}
		if start, ran := since[move.task]; ran {
			delete(since, move.task)
			running--
			if length := move.at.Sub(start); length < 2*time.Second || length > 65*time.Second {
				t.Errorf("task %d ran for %s", move.task, length)
			}
		}
		if move.to == jobmon.TaskRunning {
			since[move.task] = move.at
			if running++; len(levels) == 0 && move.at.Sub(began) > 5*time.Second {
				t.Errorf("the first task runs after %s", move.at.Sub(began))
			}
		}
		levels[int(move.at.Sub(began).Seconds())] = running
	}
	// A whole wave, away from the beginning and the end.
	low, high := 1<<30, 0
	for second := 60; second < 60+75; second++ {
		if level, moved := levels[second]; moved {
			low, high = min(low, level), max(high, level)
		}
	}
	if high-low < 40 || low < 10 {
		t.Errorf("between %d and %d tasks run: the chart hardly moves", low, high)
	}
}

// TestRate gives the simulator more to do than it may.
func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newFakeServer(t)
		play(t, server, demo.Config{MaxConcurrentlyRunning: 1000}, 30*time.Second)
		const most = 100 // in any second
		for i := most; i < len(server.requests); i++ {
			if took := server.requests[i].Sub(server.requests[i-most]); took < time.Second {
				t.Fatalf("%d requests within %s", most+1, took)
			}
		}
	})
}

// TestTroubledServer loses one request in ten, half of them after they were carried out.
func TestTroubledServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newFakeServer(t)
		server.trouble = func(request int, path string) (int, bool) {
			switch {
			case path == "/workflow_run" || request%10 != 0:
				return 0, false
			case request%20 == 0:
				return http.StatusLocked, false
			default:
				return http.StatusServiceUnavailable, true
			}
		}
		log := play(t, server, demo.Config{Seed: 2, TasksPerTemplate: 20, MaxConcurrentlyRunning: 40}, 10*time.Minute)
		if strings.Contains(log, "level=ERROR") {
			t.Errorf("the simulator complains: %s", log)
		}
		if first := server.workflows[0]; first.status != jobmon.WorkflowDone {
			t.Errorf("the first workflow is %s", first.status.Name())
		}
	})
}

// TestRefusingServer refuses the first workflow's run; the simulator has to begin another.
func TestRefusingServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newFakeServer(t)
		refused := false
		server.trouble = func(_ int, path string) (int, bool) {
			if path == "/workflow_run" && !refused {
				refused = true
				return http.StatusNotFound, false
			}
			return 0, false
		}
		log := play(t, server, demo.Config{TasksPerTemplate: 5}, 10*time.Minute)
		if count := strings.Count(log, "level=ERROR"); count != 1 || !strings.Contains(log, "the server answered 404") {
			t.Errorf("the refusal is not told once: %s", log)
		}
		if len(server.workflows) < 2 || server.workflows[1].status != jobmon.WorkflowDone {
			t.Errorf("%d workflows, and the second is not done", len(server.workflows))
		}
	})
}

// TestDeadServer has no server at all: the simulator keeps trying, not too often, and can be stopped.
func TestDeadServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		transport := roundTripper(func(*http.Request) (*http.Response, error) {
			tries++
			return nil, errors.New("connection refused")
		})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		simulator := demo.NewSimulator(demo.Config{
			BaseURL: "http://127.0.0.1:1", Transport: transport, Log: slog.New(slog.DiscardHandler),
		})
		if err := simulator.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
		if tries < 20 || tries > 300 {
			t.Errorf("%d tries in 10 minutes", tries)
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestOverHTTP drives a server on a socket, in real time, until the first task runs.
func TestOverHTTP(t *testing.T) {
	server := newFakeServer(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ran := false
	server.trouble = func(_ int, path string) (int, bool) {
		if strings.HasSuffix(path, "/log_running") {
			ran = true
			cancel()
		}
		return 0, false
	}
	socket := httptest.NewServer(http.StripPrefix("/api/v3", server.mux))
	simulator := demo.NewSimulator(demo.Config{
		BaseURL: socket.URL + "/api/v3", TasksPerTemplate: 5, Log: slog.New(slog.DiscardHandler),
	})
	if err := simulator.Run(ctx); err != nil {
		t.Errorf("Run: %v", err)
	}
	socket.Close() // waits for the handlers
	if !ran {
		t.Error("no task ran within a minute")
	}
}

// TestBodiesAreJobMons compares the keys of each body with what an unmodified client sent.
func TestBodiesAreJobMons(t *testing.T) {
	file, err := os.Open(testfiles.Shared(t, "jobmon-traffic/mp_fail.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	recorded := map[string][]string{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	numbers := regexp.MustCompile(`/\d+`)
	for lines.Scan() {
		var line struct{ M, P, Req string }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		var body object
		if line.Req != "" {
			if err := json.Unmarshal([]byte(line.Req), &body); err != nil {
				t.Fatal(err)
			}
		}
		route := line.M + " " + numbers.ReplaceAllString(strings.TrimPrefix(line.P, "/api/v3"), "/{id}")
		recorded[route] = keysOf(body)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}

	synctest.Test(t, func(t *testing.T) {
		server := newFakeServer(t)
		play(t, server, demo.Config{Seed: 1, TasksPerTemplate: 40}, 3*time.Minute)
		if len(server.routes) != 25 {
			t.Errorf("the simulator used %d routes, want 25: %v", len(server.routes), server.routes)
		}
		for _, route := range slices.Sorted(slices.Values(server.routes)) {
			spoken := strings.NewReplacer("/cluster/{name}", "/cluster/multiprocess", "/queue/{name}", "/queue/null.q").Replace(route)
			if diff := cmp.Diff(recorded[spoken], server.bodies[route]); diff != "" {
				t.Errorf("%s: the keys are not those of JobMon's client: %s", route, diff)
			}
		}
	})
}
