package upkeep_test

import (
	"context"
	"testing"
	"time"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/timeline"
	"tasktide/internal/upkeep"
)

// versions tells whether a question's version has changed.
type versions struct {
	t       *testing.T
	db      store.Reader
	request timeline.Request
	last    string
}

func (v *versions) ask() string {
	v.t.Helper()
	answer, err := timeline.New(v.db, nil).Concurrency(context.Background(), v.request)
	if err != nil {
		v.t.Fatal(err)
	}
	if answer.Version == "" {
		v.t.Fatal("an answer without a version")
	}
	return answer.Version
}

func (v *versions) same(after string) {
	v.t.Helper()
	if now := v.ask(); now != v.last {
		v.t.Errorf("%s the version is another", after)
		v.last = now
	}
}

func (v *versions) another(after string) {
	v.t.Helper()
	now := v.ask()
	if now == v.last {
		v.t.Errorf("%s the version is the same", after)
	}
	v.last = now
}

// moveOne moves the first task of a workflow.
func moveOne(t *testing.T, db store.Store, id int64, to jobmon.TaskStatus, at int64) {
	t.Helper()
	err := db.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
		if _, err := tx.LockWorkflow(ctx, id); err != nil {
			return err
		}
		tasks, err := tx.LockTasks(ctx, store.TaskFilter{WorkflowID: id})
		if err != nil {
			return err
		}
		return tx.MoveTasks(ctx, store.TaskMove{IDs: []int64{tasks[0].ID}, To: to, At: at})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func setLimit(t *testing.T, db store.Store, id, at int64) {
	t.Helper()
	err := db.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
		if _, err := tx.LockWorkflow(ctx, id); err != nil {
			return err
		}
		return tx.AppendLimit(ctx, store.Limit{WorkflowID: id, MaxConcurrentlyRunning: 7, At: at})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheVersionChangesWithWhatTheAnswerTells(t *testing.T) {
	db := open(t)
	roll := upkeep.NewRollUp(db, quiet)
	id := load(t, db, "run", lived("1", "a", "GQ", 0, 10*minute), lived("2", "b", "GD", 0, 20*minute))
	v := &versions{t: t, db: db, request: timeline.Request{
		WorkflowID: id, Start: noon, End: new(noon + hour + 30*minute), Bucket: minute, Statuses: concurrency.Of(queued),
	}}
	v.last = v.ask()
	v.same("asked again")
	pass(t, roll.Pass)
	v.another("after the roll-up")
	pass(t, roll.Pass)
	v.same("after a roll-up without anything to do")

	moveOne(t, db, id, jobmon.TaskInstantiating, noon+hour+20*minute)
	v.another("after a row before the window's end")
	pass(t, roll.Pass)
	v.another("after its roll-up")
	mark(t, db, id, noon)
	v.another("after a mark")
	pass(t, roll.Pass)
	v.another("when it is gone")

	moveOne(t, db, id, jobmon.TaskLaunched, noon+2*hour)
	v.same("after a row after the window's end")
	pass(t, roll.Pass)
	v.same("after its roll-up")
	setLimit(t, db, id, noon+hour+30*minute)
	v.same("after a limit from the window's end on")
	setLimit(t, db, id, noon+hour+30*minute-1)
	v.another("after a limit from before it on")
	v.same("asked again")

	setHorizon(t, db, id, func(h *store.Horizon) { h.RowsFrom = noon })
	v.another("after rows were removed")
	setHorizon(t, db, id, func(h *store.Horizon) { h.DataFrom = noon - 12*hour })
	v.another("after cells were removed")
}

// A row that was there before is told of by every version, whichever tier's block tells of it.
func TestTheVersionKnowsWhatIsCarriedIn(t *testing.T) {
	db := open(t)
	roll := upkeep.NewRollUp(db, quiet)
	id := load(t, db, "run", lived("1", "a", "GQ", -60*day, -60*day))
	pass(t, roll.Pass)
	v := &versions{t: t, db: db, request: timeline.Request{
		WorkflowID: id, Start: noon + 70*minute, End: new(noon + 80*minute), Bucket: minute, Statuses: concurrency.Of(queued),
	}}
	v.last = v.ask()
	to := map[jobmon.TaskStatus]jobmon.TaskStatus{queued: jobmon.TaskInstantiating, jobmon.TaskInstantiating: queued}
	is := queued
	for _, before := range []int64{50 * day, 10 * day, 2 * day, 14 * hour, 8 * hour, 2 * hour, hour, 0} {
		is = to[is]
		moveOne(t, db, id, is, noon+75*minute-before)
		v.another("after a row long before")
		pass(t, roll.Pass)
		v.another("after its roll-up")
	}
}

func TestTheVersionKnowsWhatIsBeside(t *testing.T) {
	db := open(t)
	roll := upkeep.NewRollUp(db, quiet)
	id := load(t, db, "run", lived("1", "a", "GQ", 0, 10*minute))
	pass(t, roll.Pass)
	v := &versions{t: t, db: db, request: timeline.Request{
		WorkflowID: id, Start: noon, End: new(noon + hour), Bucket: minute, Statuses: concurrency.Of(done),
		Beside: []concurrency.StatusSet{concurrency.Of(running), concurrency.Of(jobmon.TaskInstantiating)},
	}}
	v.last = v.ask()
	moveOne(t, db, id, jobmon.TaskInstantiating, noon+20*minute)
	pass(t, roll.Pass)
	v.another("after a row that only what is beside tells of, and its roll-up")
}

func TestTheVersionIsTheQuestions(t *testing.T) {
	db := open(t)
	id := load(t, db, "run", lived("1", "a", "GD", 0, 10*minute), lived("2", "b", "GD", 0, 20*minute))
	other := load(t, db, "other", lived("1", "a", "GD", 0, 10*minute), lived("2", "b", "GD", 0, 20*minute))
	base := timeline.Request{WorkflowID: id, Start: noon, End: new(noon + hour), Bucket: minute, Statuses: concurrency.Of(done)}
	seen := map[string]string{}
	for name, change := range map[string]func(r *timeline.Request){
		"as it is":         func(*timeline.Request) {},
		"another start":    func(r *timeline.Request) { r.Start -= minute },
		"another end":      func(r *timeline.Request) { r.End = new(noon + hour + minute) },
		"another bucket":   func(r *timeline.Request) { r.Bucket = 5 * minute },
		"one template":     func(r *timeline.Request) { r.Templates = []string{"a"} },
		"another template": func(r *timeline.Request) { r.Templates = []string{"b"} },
		"another status":   func(r *timeline.Request) { r.Statuses = concurrency.Of(running) },
		"others beside":    func(r *timeline.Request) { r.Beside = []concurrency.StatusSet{concurrency.Active} },
		"a union":          func(r *timeline.Request) { r.Statuses = concurrency.Active },
		"another workflow": func(r *timeline.Request) { r.WorkflowID = other },
	} {
		r := base
		change(&r)
		version := (&versions{t: t, db: db, request: r}).ask()
		if same, known := seen[version]; known {
			t.Errorf("%s has the version of %s", name, same)
		}
		seen[version] = name
	}
	// What means the same is the same.
	r := base
	r.Start, r.Templates = r.Start+second, []string{"b", "a", "b"}
	if _, known := seen[(&versions{t: t, db: db, request: r}).ask()]; !known {
		t.Error("the same question, asked otherwise, has another version")
	}
}

// With now in the window, time itself changes the answer: from bucket to bucket, whatever happens.
func TestTheVersionGoesOnWithTime(t *testing.T) {
	db := open(t)
	id := load(t, db, "run", lived("1", "a", "GQ", 0, 0))
	pass(t, upkeep.NewRollUp(db, quiet).Pass)
	at := func(now int64) store.Reader { return clocked{db, noon + now} }
	v := &versions{t: t, db: at(10 * minute), request: timeline.Request{
		WorkflowID: id, Start: noon, End: new(noon + hour), Bucket: minute, Statuses: concurrency.Of(queued),
	}}
	v.last = v.ask()
	v.db = at(11*minute - 1)
	v.same("within the bucket")
	v.db = at(11 * minute)
	v.another("in the next bucket")
	v.db = at(hour - 1)
	v.another("in the last bucket")
	v.db = at(hour)
	v.another("when the window is over")
	v.db = at(30 * day)
	v.same("long after")
	// A window that ends now moves with its buckets.
	v.request = timeline.Request{WorkflowID: id, Last: time.Hour, Bucket: minute, Statuses: concurrency.Of(queued)}
	v.db = at(10 * minute)
	v.last = v.ask()
	v.db = at(10*minute + 59*second)
	v.same("within the bucket of a window that ends now")
	v.db = at(11 * minute)
	v.another("in its next bucket")
}

// What happens at this very instant is known, and counted once.
func TestARowOfNow(t *testing.T) {
	db := open(t)
	tasks := []jobmon.TaskHistory{lived("1", "a", "GQ", 0, 10*minute), lived("2", "a", "GQ", 0, 11*minute-1)}
	id := load(t, db, "run", tasks...)
	pass(t, upkeep.NewRollUp(db, quiet).Pass)
	for _, now := range []int64{10*minute - 1, 10 * minute, 11*minute - 1, 11 * minute} {
		for _, bucket := range []int64{second, minute, 10 * minute} {
			check(t, timeline.New(clocked{db, noon + now}, nil), timeline.Request{
				WorkflowID: id, Start: noon, End: new(noon + 20*minute), Bucket: bucket, Statuses: concurrency.Of(queued),
			}, tasks, "now")
		}
	}
}
