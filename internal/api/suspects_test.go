package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// TestSuspects: tasks stay active when their run dies, and are told.
func TestSuspects(t *testing.T) {
	f := newFixture(t)
	b := f.bind("suspects", 3)
	instances := f.queue(b)
	f.send("POST", fmt.Sprintf("/api/v3/task_instance/%d/log_running", instances[0]), `{"next_report_increment": 60}`).ok()
	path := fmt.Sprintf("/api/v2/workflow/%d/suspects", b.workflow)
	if got := f.send("GET", path, "").ok(); fmt.Sprintf("%v %v %v", at(t, got, "count"), at(t, got, "since"), at(t, got, "tasks")) != "0 <nil> []" {
		t.Errorf("while the run lives: %v", got)
	}
	var run store.Run
	change := func(status jobmon.RunStatus, heartbeat time.Duration) {
		t.Helper()
		err := f.store.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
			runs, err := tx.Runs(ctx, b.workflow)
			if err != nil {
				return err
			}
			now, err := tx.Now(ctx)
			if err != nil {
				return err
			}
			run = runs[0]
			run.Status, run.StatusAt, run.HeartbeatAt = status, now, now+heartbeat.Microseconds()
			_, err = tx.SaveRun(ctx, run)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	type list struct {
		Count int
		Since time.Time
		Tasks []struct {
			ID     int64
			Status string
			Since  time.Time
			Reason string
		}
		NextCursor *string `json:"next_cursor"`
	}
	get := func(query string) (l list) {
		t.Helper()
		got := f.send("GET", path+query, "")
		got.ok()
		if err := json.Unmarshal(got.body, &l); err != nil {
			t.Fatal(err)
		}
		return l
	}
	change(jobmon.RunRunning, -time.Hour)
	for _, task := range get("").Tasks {
		// The run was to be heard of an hour ago, but the task was moved on after that.
		if task.Reason != "heartbeat_lost" || time.Since(task.Since) > time.Hour/2 {
			t.Errorf("%+v", task)
		}
	}
	change(jobmon.RunError, time.Hour)
	ended := time.UnixMicro(run.StatusAt)
	all := get("")
	if all.Count != 3 || !all.Since.Equal(ended) || len(all.Tasks) != 3 || all.NextCursor != nil ||
		all.Tasks[0].Status != "R" || all.Tasks[0].Reason != "run_ended" || !all.Tasks[1].Since.Equal(ended) {
		t.Errorf("%+v", all)
	}
	first := get("?limit=2")
	if first.Count != 3 || len(first.Tasks) != 2 || first.NextCursor == nil {
		t.Fatalf("%+v", first)
	}
	second := get("?limit=2&cursor=" + *first.NextCursor)
	if second.Count != 3 || len(second.Tasks) != 1 || second.Tasks[0].ID != all.Tasks[2].ID || second.NextCursor != nil {
		t.Errorf("%+v", second)
	}
	if groups := at(t, f.send("GET", path, "").ok(), "groups"); groups != nil {
		t.Errorf("groups that nobody asked for: %v", groups)
	}
	type group struct {
		Template string `json:"task_template_name"`
		Status   string
		Attempts string
		Since    time.Time
		Count    int
	}
	var grouped struct {
		Groups    []group
		Ungrouped int
	}
	if err := json.Unmarshal(f.send("GET", path+"?groups=true&limit=1", "").body, &grouped); err != nil {
		t.Fatal(err)
	}
	want := []group{{"sleep", "I", "first", ended.UTC(), 2}, {"sleep", "R", "first", ended.UTC(), 1}}
	if !slices.Equal(grouped.Groups, want) || grouped.Ungrouped != 0 {
		t.Errorf("%+v, want %+v", grouped, want)
	}
	other := fmt.Sprintf("/api/v2/workflow/%d/suspects", f.bind("another", 1).workflow)
	if got := f.send("GET", other+"?cursor="+*first.NextCursor, "").refused(400, "invalid"); got.Field == nil || *got.Field != "cursor" {
		t.Errorf("the cursor of another query: %+v", got)
	}
	f.send("GET", "/api/v2/workflow/999999/suspects", "").refused(404, "not_found")
}
