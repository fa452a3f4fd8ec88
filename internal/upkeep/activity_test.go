package upkeep_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/timeline"
	"tasktide/internal/upkeep"
)

// past is what of some lives is over.
func past(tasks []jobmon.TaskHistory, now int64) []jobmon.TaskHistory {
	var over []jobmon.TaskHistory
	for _, task := range tasks {
		task.Moves = slices.DeleteFunc(task.Moves, func(move jobmon.Move) bool { return move.At >= now })
		// No import ends where no task rests.
		for n := len(task.Moves); n > 0 && strings.ContainsRune("EA", rune(task.Moves[n-1].To)); n-- {
			task.Moves = task.Moves[:n-1]
		}
		if len(task.Moves) > 0 {
			over = append(over, task)
		}
	}
	return over
}

func checkActivity(t failer, db store.Store, id int64, tasks []jobmon.TaskHistory) {
	t.Helper()
	activities, err := timeline.New(db, nil).Activity(context.Background(), []int64{id})
	if err != nil {
		t.Fatal(err)
	}
	a := activities[0]
	levels := map[jobmon.TaskStatus]int64{}
	for _, task := range tasks {
		levels[task.Moves[len(task.Moves)-1].To]++
	}
	for status, level := range a.Levels {
		if level == 0 {
			delete(a.Levels, status)
		}
	}
	if diff := cmp.Diff(levels, a.Levels); diff != "" {
		t.Fatalf("levels now (-want +got):\n%s", diff)
	}
	bucket := timeline.ActivityBucket.Microseconds()
	window := concurrency.Window{Start: a.From, Bucket: bucket, Count: len(a.Peaks)}
	want, err := concurrency.Count(window, concurrency.Of(jobmon.TaskRunning), 1, a.Now, changesOf(tasks, func(string) int { return 0 }))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Total.Peak, a.Peaks); diff != "" || window.End() <= a.Now || window.End()-a.Now > bucket {
		t.Fatalf("peaks from %d at %d (-want +got):\n%s", a.From, a.Now, diff)
	}
}

// Before the roll-up, after it, and when old rows and old cells are gone.
func TestActivityIsThatOfAllTasks(t *testing.T) {
	db := open(t)
	roll := upkeep.NewRollUp(db, quiet)
	number := 0
	rapid.Check(t, func(t *rapid.T) {
		number++
		now := time.Now().UnixMicro()
		around := now - rapid.Int64Range(0, 40*24).Draw(t, "hours ago")*hour
		tasks := past(lives(t, around), now)
		if len(tasks) == 0 {
			return
		}
		id := load(t, db, fmt.Sprint("run ", number), tasks...)
		checkActivity(t, db, id, tasks)
		if err := roll.Pass(context.Background()); err != nil {
			t.Fatal(err)
		}
		checkActivity(t, db, id, tasks)
	})
}

func TestActivityOfWhatWasRemoved(t *testing.T) {
	db := clocked{open(t), ahead() + 100*day}
	var tasks []jobmon.TaskHistory
	for i, ago := range []int64{30 * day, 20 * day, 3 * day, 2 * hour} {
		for _, path := range []string{"GQIOR", "GQIORD", "GQ"} {
			task := jobmon.TaskHistory{Name: fmt.Sprint(i, path), Template: "a", Attempts: 1}
			for k, to := range path {
				task.Moves = append(task.Moves, jobmon.Move{To: jobmon.TaskStatus(to), At: db.now - ago + int64(k)*minute})
			}
			tasks = append(tasks, task)
		}
	}
	id := loadToExpire(t, db, "run", tasks)
	retention, err := newRetention(db, quiet, 10*24*time.Hour, 25*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	pass(t, upkeep.NewRollUp(db, quiet).Pass, retention.Pass)
	if progress := retention.Progress(); progress.Rows == 0 || progress.Hours == 0 {
		t.Fatalf("%+v were removed", progress)
	}
	checkActivity(t, db, id, tasks)

	if _, err := timeline.New(db, nil).Activity(t.Context(), []int64{id, id + 1}); jobmon.ErrorCode(err) != jobmon.CodeNotFound {
		t.Errorf("a workflow that is not there: %v", err)
	}
}
