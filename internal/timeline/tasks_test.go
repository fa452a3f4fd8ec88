package timeline_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/timeline"
)

func list(t failer, line *timeline.Timeline, request timeline.TasksRequest) timeline.TasksAnswer {
	t.Helper()
	answer, err := line.Tasks(context.Background(), request)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// listAll reads all pages.
func listAll(t failer, line *timeline.Timeline, request timeline.TasksRequest) (tasks []timeline.TaskAt, level int64) {
	t.Helper()
	for {
		answer := list(t, line, request)
		tasks = append(tasks, answer.Tasks...)
		if answer.Next == nil {
			return tasks, answer.Level
		}
		request.At, request.After = &answer.At, *answer.Next
	}
}

func namesOf(tasks []timeline.TaskAt) []string {
	names := []string{}
	for _, task := range tasks {
		names = append(names, task.Name)
	}
	return names
}

func TestTasksAtAnInstant(t *testing.T) {
	db := open(t)
	id := load(t, db, "run", ran("a", 10, 100), ran("a", -7200, 30), ran("b", 20, 40), ran("b", 20, 20))
	line := timeline.New(db, nil)
	for _, c := range []struct {
		name    string
		seconds int64
		request timeline.TasksRequest
		want    []string
	}{
		{"the one that is there for longest comes first", 25, timeline.TasksRequest{}, []string{"a -7200", "a 10", "b 20"}},
		{"one that enters is there", 10, timeline.TasksRequest{}, []string{"a -7200", "a 10"}},
		{"one that leaves is not", 30, timeline.TasksRequest{}, []string{"a 10", "b 20"}},
		{"when the last leaves, none is", 100, timeline.TasksRequest{}, []string{}},
		{"before there was anything", -7201, timeline.TasksRequest{}, []string{}},
		{"one template", 25, timeline.TasksRequest{Templates: []string{"b", "b"}}, []string{"b 20"}},
		{"two templates", 25, timeline.TasksRequest{Templates: []string{"b", "a"}}, []string{"a -7200", "a 10", "b 20"}},
		{"a union", 5, timeline.TasksRequest{Statuses: concurrency.Active}, []string{"a -7200", "a 10", "b 20", "b 20"}},
		{"what is over for good", 35, timeline.TasksRequest{Statuses: concurrency.Of(jobmon.TaskDone)}, []string{"b 20", "a -7200"}},
		{"no status at all", 25, timeline.TasksRequest{Statuses: 1 << 31}, []string{}},
	} {
		c.request.WorkflowID, c.request.At = id, new(noon+c.seconds*second)
		if c.request.Statuses == 0 {
			c.request.Statuses = running
		}
		for _, limit := range []int{1, 2, 100} {
			c.request.Limit = limit
			tasks, level := listAll(t, line, c.request)
			if !slices.Equal(namesOf(tasks), c.want) || level != int64(len(c.want)) {
				t.Errorf("%s, %d to a page: %v, level %d; want %v", c.name, limit, namesOf(tasks), level, c.want)
			}
		}
	}
	tasks := list(t, line, timeline.TasksRequest{WorkflowID: id, At: new(noon + 25*second), Statuses: concurrency.All, Limit: 10}).Tasks
	done, first := tasks[3], tasks[0]
	if first.Since != noon-7200*second || first.Until != noon+30*second || first.Status != jobmon.TaskRunning || first.Template != "a" {
		t.Errorf("the first is %+v", first)
	}
	if done.Since != noon+20*second || done.Until != 0 || done.Status != jobmon.TaskDone || done.Template != "b" {
		t.Errorf("the one that is done is %+v", done)
	}
	for _, task := range tasks {
		if task.Attempt != 1 || task.Nodename != "" {
			t.Errorf("attempt %v on %q", task.Attempt, task.Nodename)
		}
	}
}

func TestTasksNow(t *testing.T) {
	db := open(t)
	id := load(t, db, "run", waiting(1), waiting(2), waiting(3))
	line := timeline.New(db, nil)
	before := time.Now().UnixMicro()
	request := timeline.TasksRequest{WorkflowID: id, Statuses: concurrency.Pending, Limit: 2}
	first := list(t, line, request)
	if first.At != first.Now || first.At < before || first.Level != 3 || len(first.Tasks) != 2 || first.Next == nil {
		t.Fatalf("the first page is %+v", first)
	}
	// Whatever happens now, the pages that follow tell of the same instant.
	var ids []int64
	for _, task := range listEach(t, db, id) {
		ids = append(ids, task.ID)
	}
	moveAt(t, db, first.Now+1, jobmon.TaskInstantiating, ids...)
	moveAt(t, db, first.Now+1, jobmon.TaskLaunched, ids...)
	request.At, request.After = &first.At, *first.Next
	second := list(t, line, request)
	if second.Level != 3 || second.Next != nil || !slices.Equal(namesOf(second.Tasks), []string{"3"}) {
		t.Errorf("the second page is %+v", second)
	}
	if task := second.Tasks[0]; task.Status != jobmon.TaskQueued || task.Until != first.Now+1 {
		t.Errorf("the task of the second page is %+v", task)
	}
}

// waiting is a task that is queued from noon on.
func waiting(number int) jobmon.TaskHistory {
	return jobmon.TaskHistory{Name: fmt.Sprint(number), Template: "a", Attempts: 1, Moves: []jobmon.Move{
		{To: jobmon.TaskRegistering, At: noon}, {To: jobmon.TaskQueued, At: noon},
	}}
}

func listEach(t failer, db store.Reader, id int64) (tasks []store.Task) {
	t.Helper()
	err := db.View(context.Background(), func(ctx context.Context, snapshot store.Snapshot) error {
		for task, err := range snapshot.Tasks(ctx, store.TaskFilter{WorkflowID: id}) {
			if err != nil {
				return err
			}
			tasks = append(tasks, task)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tasks
}

func moveAt(t failer, db store.Writer, at int64, to jobmon.TaskStatus, ids ...int64) {
	t.Helper()
	err := db.Update(context.Background(), func(ctx context.Context, tx store.Tx) error {
		return tx.MoveTasks(ctx, store.TaskMove{IDs: ids, To: to, At: at})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTasksThatAreRefused(t *testing.T) {
	db := open(t)
	id := load(t, db, "run", ran("a", 0, 1))
	for name, c := range map[string]struct {
		request timeline.TasksRequest
		code    jobmon.Code
		field   string
	}{
		"unknown workflow": {timeline.TasksRequest{WorkflowID: id + 1}, jobmon.CodeNotFound, ""},
		"the future":       {timeline.TasksRequest{At: new(time.Now().Add(time.Hour).UnixMicro())}, jobmon.CodeInvalid, "at"},
		"unknown template": {timeline.TasksRequest{Templates: []string{"a", "A"}}, jobmon.CodeInvalid, "task_template_name"},
		"a bare request":   {timeline.TasksRequest{}, "", ""},
	} {
		if c.request.WorkflowID == 0 {
			c.request.WorkflowID = id
		}
		c.request.Statuses, c.request.Limit = running, 1
		_, err := timeline.New(db, nil).Tasks(context.Background(), c.request)
		if jobmon.ErrorCode(err) != c.code {
			t.Errorf("%s: %v, want code %q", name, err, c.code)
			continue
		}
		if known, ok := err.(*jobmon.Error); ok && known.Field != c.field { //nolint:errorlint // the outermost error is meant
			t.Errorf("%s: field %q, want %q", name, known.Field, c.field)
		}
	}
}

// More are not told at once than a page may hold.
func TestAPageOfTasksIsBounded(t *testing.T) {
	db := open(t)
	var tasks []jobmon.TaskHistory
	for i := range timeline.MaxTasks + 1 {
		tasks = append(tasks, waiting(i))
	}
	id := load(t, db, "run", tasks...)
	answer := list(t, timeline.New(db, nil), timeline.TasksRequest{WorkflowID: id, Statuses: concurrency.Pending, Limit: 1 << 30})
	if len(answer.Tasks) != timeline.MaxTasks || answer.Next == nil {
		t.Errorf("a page of %d, next %v", len(answer.Tasks), answer.Next)
	}
}

// worker takes one task through attempts as the ledger does, a second each, and remembers what was true when.
type worker struct {
	t         failer
	db        store.Store
	task      store.Task
	run       int64
	resources int64
	now       int64
	truth     []attemptAt
}

type attemptAt struct {
	at      int64
	status  jobmon.TaskStatus
	attempt int64
	node    string // of the attempt; empty without one
}

// waits reports whether the task is at no attempt.
func (a attemptAt) waits() bool {
	return a.status == jobmon.TaskRegistering || a.status == jobmon.TaskAdjustingResources
}

func newWorker(t failer, db store.Store, name string) *worker {
	t.Helper()
	id := load(t, db, name, jobmon.TaskHistory{Name: "1", Template: "a", Moves: []jobmon.Move{{To: jobmon.TaskRegistering, At: noon}}})
	w := &worker{t: t, db: db, task: listEach(t, db, id)[0], now: noon}
	w.truth = []attemptAt{{at: noon, status: jobmon.TaskRegistering}}
	ctx := context.Background()
	var err error
	if w.resources, err = db.AddTaskResources(ctx, store.TaskResources{Type: "O", Requested: "{}"}); err != nil {
		t.Fatal(err)
	}
	w.update(func(ctx context.Context, tx store.Tx) (err error) {
		w.run, err = tx.SaveRun(ctx, store.Run{WorkflowID: id, Status: jobmon.RunRunning, StatusAt: noon, CreatedAt: noon, HeartbeatAt: noon})
		return err
	})
	return w
}

func (w *worker) update(change func(ctx context.Context, tx store.Tx) error) {
	w.t.Helper()
	if err := w.db.Update(context.Background(), change); err != nil {
		w.t.Fatal(err)
	}
}

// take goes through statuses at one instant.
func (w *worker) take(attempts store.Attempts, path ...jobmon.TaskStatus) {
	w.t.Helper()
	w.now += second
	state := w.truth[len(w.truth)-1]
	state.at = w.now
	w.update(func(ctx context.Context, tx store.Tx) error {
		for i, to := range path {
			move := store.TaskMove{IDs: []int64{w.task.ID}, To: to, At: w.now}
			if i == len(path)-1 {
				move.Attempts = attempts
			}
			if err := tx.MoveTasks(ctx, move); err != nil {
				return err
			}
			state.status = to
		}
		if attempts != store.AddAttempt {
			return nil
		}
		return w.queue(ctx, tx, w.now)
	})
	if attempts == store.AddAttempt {
		state.attempt++
		state.node = nodeAt(w.now)
	}
	w.truth = append(w.truth, state)
}

func nodeAt(at int64) string { return fmt.Sprint("node ", at) }

func (w *worker) queue(ctx context.Context, tx store.Tx, at int64) error {
	batch := store.InstanceBatch{
		RunID: w.run, ArrayID: w.task.ArrayID, TaskResourcesID: w.resources, TaskIDs: []int64{w.task.ID}, At: at,
	}
	if err := tx.QueueInstances(ctx, batch); err != nil {
		return err
	}
	queued, err := tx.Instances(ctx, store.InstanceFilter{TaskIDs: batch.TaskIDs, NewestOnly: true})
	if err != nil {
		return err
	}
	return tx.MoveInstances(ctx, store.InstanceMove{
		IDs: []int64{queued[0].ID}, To: jobmon.InstanceRunning, At: at, Report: store.InstanceReport{Nodename: new(nodeAt(at))},
	})
}

// step does one of the things that may happen to the task next.
func (w *worker) step(t *rapid.T) {
	const (
		registering, queuing, failing, adjusting = jobmon.TaskRegistering, jobmon.TaskQueued, jobmon.TaskErrorRecoverable, jobmon.TaskAdjustingResources
	)
	status := w.truth[len(w.truth)-1].status
	if rapid.IntRange(0, 5).Draw(t, "reset") == 0 {
		w.take(store.ForgetAttempts, registering) // without a row when it is there already
		return
	}
	switch status {
	case registering, adjusting:
		w.take(store.AddAttempt, queuing)
	case queuing:
		w.take(store.KeepAttempts, jobmon.TaskInstantiating, jobmon.TaskLaunched, jobmon.TaskRunning)
	case jobmon.TaskErrorFatal:
		w.take(store.ForgetAttempts, failing, adjusting)
	case jobmon.TaskRunning:
		to := rapid.SampledFrom([]jobmon.TaskStatus{registering, registering, adjusting, jobmon.TaskErrorFatal, jobmon.TaskDone}).Draw(t, "to")
		if to == jobmon.TaskDone {
			w.take(store.KeepAttempts, to)
		} else {
			w.take(store.KeepAttempts, failing, to)
		}
	default:
		w.take(store.ForgetAttempts, registering)
	}
}

// Which attempt it was is told as it was, whether the task was reset meanwhile or not.
func TestAttemptsAtAnInstant(t *testing.T) {
	db := open(t)
	line := timeline.New(db, nil)
	number := 0
	rapid.Check(t, func(t *rapid.T) {
		number++
		w := newWorker(t, db, fmt.Sprint("run ", number))
		for range rapid.IntRange(0, 14).Draw(t, "steps") {
			w.step(t)
		}
		history, err := line.History(context.Background(), w.task.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range w.truth {
			for _, stay := range history.Stays {
				if stay.From <= want.at && (want.at < stay.Until || stay.Until == 0) && !want.waits() && stay.Attempt != want.attempt {
					t.Fatalf("the history says attempt %d, want %+v", stay.Attempt, want)
				}
			}
			request := timeline.TasksRequest{WorkflowID: w.task.WorkflowID, At: &want.at, Statuses: concurrency.All, Limit: 10}
			answer := list(t, line, request)
			if len(answer.Tasks) != 1 || answer.Tasks[0].Status != want.status {
				t.Fatalf("%+v in place of %+v", answer.Tasks, want)
			}
			if want.waits() {
				want.attempt, want.node = 0, ""
			}
			if got := answer.Tasks[0]; got.Attempt != want.attempt || got.Nodename != want.node {
				t.Fatalf("attempt %d on %q, want %+v, in %+v", got.Attempt, got.Nodename, want, w.truth)
			}
		}
	})
}
