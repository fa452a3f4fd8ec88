package upkeep_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/timeline"
	"tasktide/internal/upkeep"
)

const (
	queued  = jobmon.TaskQueued
	running = jobmon.TaskRunning
	done    = jobmon.TaskDone
)

// move is a row of a task of a template, some seconds after noon, at one attempt or another.
func move(template int64, from, to jobmon.TaskStatus, seconds int64) jobmon.Transition {
	return jobmon.Transition{
		WorkflowID: modelWorkflow, TaskTemplateID: template, From: from, To: to, At: noon + seconds*second,
		PreviousAt: noon, Retry: int(seconds % 3),
	}
}

type rows = []jobmon.Transition

var (
	// oneMinute is two writers into the same minute.
	oneMinute = []rows{{move(1, 0, running, 70)}, {move(2, 0, running, 80)}}
	// twoMinutes is two writers of which each writes into two minutes of an hour, in different cells of ten
	// minutes and of thirty, and both into one of them.
	twoMinutes = []rows{
		{move(1, 0, queued, 70), move(1, queued, running, 1330)},
		{move(3, 0, running, 1340), move(3, running, done, 2500)},
	}
	// twoHours is two writers into two hours, the cells of which are in the same coarse blocks.
	twoHours = []rows{{move(1, 0, running, 70)}, {move(2, 0, running, 3670)}}
	// before is what was there, tasks that run from the first minute of two hours on.
	before = rows{move(1, 0, running, 10), move(2, 0, queued, 65), move(2, queued, running, 75), move(1, 0, running, 3610)}
)

var scenes = []scene{
	{name: "two writers into a minute, two workers", workers: 2, writers: oneMinute},
	{name: "a writer into a minute with rows, two workers", workers: 2, writers: oneMinute[:1], marked: oneMinute[1]},
	{name: "a writer into a minute with rows, three workers", workers: 3, writers: oneMinute[:1], marked: oneMinute[1]},
	{name: "two writers into two minutes, two workers", workers: 2, writers: twoMinutes},
	{name: "two writers into two hours, two workers", workers: 2, writers: twoHours},
	{name: "late rows into minutes that are summed up, two workers", workers: 2, rolled: before, writers: []rows{
		{move(1, running, done, 15), move(2, running, done, 85)}, {move(3, 0, running, 70)},
	}},
	{name: "three writers into a minute, a worker, a crash", workers: 1, crashes: 1, writers: append(oneMinute[:2:2], rows{move(3, 0, queued, 75)})},
	{name: "two writers into a minute, two workers, a crash", workers: 2, crashes: 1, writers: oneMinute},
	{name: "two writers into two hours, two workers, a crash", workers: 2, crashes: 1, writers: twoHours},
	{name: "two writers, two workers, a refused commit", workers: 2, refusals: 1, writers: twoMinutes},
	{name: "two writers, a worker, a crash and two refused commits", workers: 1, crashes: 1, refusals: 2, writers: twoMinutes},
	{name: "a minute that ends", workers: 2, writers: oneMinute, now: noon + 119*second, minutes: 1},
	{name: "a damaged block that is made again", workers: 2, rolled: before, repairs: true, writers: oneMinute[:1]},
	{name: "workers that read marks and rows at different instants", workers: 2, workersApart: true, writers: oneMinute[:1], marked: oneMinute[1]},
	{name: "a reader at work", workers: 1, readers: 1, rolled: before, again: []int64{noon}, writers: twoMinutes},
}

// No committed row is ever outside both a mark and a block, whatever the order in which writers, workers
// and readers do what they do, and whichever of them is stopped.
func TestNoRowIsEverLost(t *testing.T) {
	t.Parallel()
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			begun := time.Now()
			w := &walker{scene: &s}
			if found := w.walk(); found != nil {
				t.Fatal(found)
			}
			t.Logf("%d schedules of up to %d steps; %d states, %d contents of the database, %d points of actors; %s", w.schedules,
				w.longest, w.states, len(w.contents), w.points, time.Since(begun).Round(time.Millisecond))
		})
	}
}

// uncounted is a transaction that says of marks that others have deleted that it has deleted them: with
// it, the roll-up does not check how many it has.
type uncounted struct{ upkeepTx }

func (tx uncounted) DeleteMarks(ctx context.Context, ids []int64) (int64, error) {
	_, err := tx.upkeepTx.DeleteMarks(ctx, ids)
	return int64(len(ids)), err
}

// byMinute deletes all marks of the minutes of which it is given some.
type byMinute struct{ upkeepTx }

func (tx byMinute) DeleteMarks(_ context.Context, ids []int64) (int64, error) {
	return tx.deleteWhere(func(s *state, m store.Mark) bool {
		return slices.ContainsFunc(ids, func(id int64) bool { return s.minutes[id-1] == m.Minute })
	}), nil
}

// upTo deletes all marks up to the last that it is given.
type upTo struct{ upkeepTx }

func (tx upTo) DeleteMarks(_ context.Context, ids []int64) (int64, error) {
	return tx.deleteWhere(func(_ *state, m store.Mark) bool { return m.ID <= slices.Max(ids) }), nil
}

// unlocked lets several change the blocks of a workflow at a time.
type unlocked struct{ upkeepTx }

func (tx unlocked) LockHorizon(ctx context.Context, id int64) (store.Horizon, error) {
	return tx.Horizon(ctx, id)
}

// What the promise hangs on: with any of it taken out, the same walk finds rows that are lost.
func TestTheWalkFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, s := range []scene{
		{
			name: "it is not checked how many marks were deleted", workers: 2, writers: oneMinute,
			flaw: func(tx upkeepTx) store.UpkeepTx { return uncounted{tx} },
		},
		{
			name: "marks are deleted by their minute", workers: 1, writers: oneMinute,
			flaw: func(tx upkeepTx) store.UpkeepTx { return byMinute{tx} },
		},
		{
			name: "marks are deleted up to an id", workers: 1, writers: oneMinute,
			flaw: func(tx upkeepTx) store.UpkeepTx { return upTo{tx} },
		},
		{
			name: "two change the blocks of a workflow at a time", workers: 2, writers: twoHours,
			flaw: func(tx upkeepTx) store.UpkeepTx { return unlocked{tx} },
		},
		{name: "a minute has one mark", workers: 1, writers: oneMinute, uniqueMarks: true},
		{
			name: "a reader takes marks and blocks from two snapshots", readers: 1, readersApart: true,
			rolled: before, again: []int64{noon + minute}, writers: []rows{{move(1, 0, running, 20), move(1, running, done, 70)}},
		},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			w := &walker{scene: &s}
			found := w.walk()
			if found == nil {
				t.Fatalf("%d schedules and nothing found", w.schedules)
			}
			t.Log(found)
		})
	}
}

// still is a database at one instant.
type still struct{ store.Snapshot }

func (s still) View(ctx context.Context, read func(ctx context.Context, snapshot store.Snapshot) error) error {
	return read(ctx, s.Snapshot)
}

// compare holds answers out of one snapshot against the engine's over all rows in it.
func compare(ctx context.Context, snapshot store.Snapshot, id int64, kinds ...concurrency.Kind) error {
	now, err := snapshot.Now(ctx)
	if err != nil {
		return err
	}
	var changes []concurrency.Change
	for row, err := range snapshot.Changes(ctx, store.TransitionFilter{WorkflowID: id, Before: now}) {
		if err != nil {
			return err
		}
		changes = append(changes, concurrency.Change{At: row.At, From: row.From, To: row.To})
	}
	for _, bucket := range []int64{minute, hour, day} {
		for _, kind := range kinds {
			answer, err := timeline.New(still{snapshot}, nil).Concurrency(ctx, timeline.Request{
				WorkflowID: id, Start: noon - hour, End: new(noon + 2*hour), Bucket: bucket, Statuses: kind.Set,
			})
			if err != nil {
				return err
			}
			want, err := concurrency.Count(answer.Window, kind.Set, 1, answer.Now, changes)
			if err != nil {
				return err
			}
			if !reflect.DeepEqual(want, answer.Result) {
				return fmt.Errorf("%s in buckets of %d minutes is not the engine's over %d rows", kind.Name, bucket/minute, len(changes))
			}
		}
	}
	return nil
}

// The same with a real database: two roll-ups, writers and a reader at once, a number of times.
func TestRollUpsRaceWithWriters(t *testing.T) {
	const writers, moves = 4, 25
	db, ctx := open(t), t.Context()
	var tasks []jobmon.TaskHistory
	for i := range writers {
		tasks = append(tasks, jobmon.TaskHistory{
			Name: fmt.Sprint(i), Template: "a", Attempts: 1, Moves: []jobmon.Move{{To: jobmon.TaskRegistering, At: noon}},
		})
	}
	id := load(t, db, "race", tasks...)
	var ids []int64
	view := func(read func(ctx context.Context, snapshot store.Snapshot) error) {
		if err := db.View(ctx, read); err != nil {
			t.Error(err)
		}
	}
	view(func(ctx context.Context, snapshot store.Snapshot) error {
		for task, err := range snapshot.Tasks(ctx, store.TaskFilter{WorkflowID: id}) {
			if err != nil {
				return err
			}
			ids = append(ids, task.ID)
		}
		return nil
	})
	written := make(chan struct{})
	var writing, others sync.WaitGroup
	for i, task := range ids {
		writing.Go(func() {
			statuses := []jobmon.TaskStatus{queued, jobmon.TaskInstantiating, jobmon.TaskLaunched, running, done}
			for n := range moves {
				// All write into the same few minutes at about the same time.
				at := noon + int64(n)*13*second + int64(i)
				err := db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
					return tx.MoveTasks(ctx, store.TaskMove{IDs: []int64{task}, To: statuses[(n+i)%len(statuses)], At: at})
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	until := func(do func()) {
		others.Go(func() {
			for more := true; more; {
				select {
				case <-written:
					more = false // once more, and that was it
				default:
				}
				do()
			}
		})
	}
	for range 2 {
		roll := upkeep.NewRollUp(db, quiet)
		until(func() {
			if err := roll.Pass(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	active, _ := concurrency.KindOf(concurrency.Active, false)
	until(func() {
		view(func(ctx context.Context, snapshot store.Snapshot) error { return compare(ctx, snapshot, id, active) })
	})
	writing.Wait()
	close(written)
	others.Wait()
	if err := upkeep.NewRollUp(db, quiet).Pass(ctx); err != nil {
		t.Fatal(err)
	}
	view(func(ctx context.Context, snapshot store.Snapshot) error {
		marks, err := snapshot.Marks(ctx, store.MarkFilter{WorkflowID: id, Before: noon + day})
		if err != nil || len(marks) > 0 {
			t.Errorf("%d marks are left, %v", len(marks), err)
		}
		return compare(ctx, snapshot, id, concurrency.Kinds()...)
	})
}

// defect says what is wrong with the contents of a database, or nothing: each row's minute has a mark or
// is in the cells exactly as the engine makes them, and so is the minute of each cell. Cells of every tier
// are held against the rows, not against finer cells.
func (c *contents) defect() string {
	for t, tier := range concurrency.Tiers() {
		dirty := map[int64]bool{}
		for _, mark := range c.marks {
			dirty[mark.Minute-mark.Minute%tier.Width] = true
		}
		wanted, index := map[int64]*concurrency.Builder{}, map[string]int64{}
		for _, template := range modelTemplates {
			index[template.Name] = min(cmp.Or(index[template.Name], template.ID), template.ID)
		}
		for _, row := range c.matching(store.TransitionFilter{Before: c.now + 365*day}) {
			at := row.At - row.At%tier.Width
			if wanted[at] == nil {
				wanted[at] = concurrency.NewBuilder(at, tier.Width)
			}
			of := slices.IndexFunc(modelTemplates, func(n store.TemplateName) bool { return n.ID == row.TaskTemplateID })
			series := int(index[modelTemplates[of].Name])
			if err := wanted[at].Add(concurrency.ChangeOf(row, series)); err != nil {
				return err.Error()
			}
		}
		for k, kind := range concurrency.Kinds() {
			if t >= kind.Tiers {
				continue
			}
			stored, damaged := c.storedCells(kind.Name, t)
			for at := range wanted {
				if _, has := stored[at]; !has && !damaged[tier.BlockStart(at)] {
					stored[at] = nil // nothing happens there
				}
			}
			for at, cells := range stored {
				want := map[int64]concurrency.Cell{}
				if wanted[at] != nil {
					for _, e := range wanted[at].Entries(k) {
						if e.Cell != (concurrency.Cell{Length: tier.Width}) {
							want[int64(e.Series)] = e.Cell
						}
					}
				}
				if !dirty[at] && !maps.Equal(cells, want) {
					return fmt.Sprintf("%s: no mark tells that the cell of %d minutes at %s, %v, is not what its rows make, %v",
						kind.Name, tier.Width/minute, clock(at), cells, want)
				}
			}
		}
	}
	return ""
}

// storedCells returns the cells of a kind and tier in which something happens, by their first instant and by
// the id of their series, and the blocks that are damaged.
func (c *contents) storedCells(kind string, t int) (stored map[int64]map[int64]concurrency.Cell, damaged map[int64]bool) {
	tier := concurrency.Tiers()[t]
	stored, damaged = map[int64]map[int64]concurrency.Cell{}, map[int64]bool{}
	for key, b := range c.blocks {
		if key.Kind != kind || key.Width != tier.Width {
			continue
		}
		block, err := concurrency.DecodeBlock(b.Cells, tier.Width, tier.Cells)
		if err != nil {
			damaged[key.Start] = true
			continue
		}
		for i := range tier.Cells {
			entries := sure(block.Append(nil, i))
			if len(entries) == 0 {
				continue
			}
			cells := map[int64]concurrency.Cell{}
			for _, e := range entries {
				id := int64(concurrency.Total)
				if e.Series != concurrency.Total {
					id = block.Series()[e.Series]
				}
				cells[id] = e.Cell
			}
			stored[key.Start+int64(i)*tier.Width] = cells
		}
	}
	return stored, damaged
}

// count lets the engine count all rows.
func (c *contents) count(window concurrency.Window, statuses concurrency.StatusSet) concurrency.Result {
	var changes []concurrency.Change
	for _, row := range c.rows {
		changes = append(changes, concurrency.Change{At: row.At, Series: int(1 - row.TaskTemplateID%2), From: row.From, To: row.To})
	}
	return sure(concurrency.Count(window, statuses, 2, c.now, changes))
}

// wrongAnswer says which answer from contents is not the engine's over all rows, or nothing.
func (c *contents) wrongAnswer() string {
	midnight := noon - 12*hour
	for _, request := range []timeline.Request{
		{Start: noon, End: new(noon + 2*hour), Bucket: minute},
		{Start: midnight, End: new(midnight + day), Bucket: hour},
		{Start: midnight - day, End: new(midnight + 2*day), Bucket: day},
	} {
		for _, kind := range concurrency.Kinds() {
			if kind.Name != "ACTIVE" && kind.Name != "R" {
				continue
			}
			request.WorkflowID, request.Statuses = modelWorkflow, kind.Set
			answer, err := timeline.New(c, nil).Concurrency(context.Background(), request)
			if err != nil {
				return err.Error()
			}
			if want := c.count(answer.Window, kind.Set); !reflect.DeepEqual(want, answer.Result) {
				return fmt.Sprintf("%s in buckets of %d minutes is not the engine's over all rows: %v, not %v",
					kind.Name, request.Bucket/minute, answer.Total, want.Total)
			}
		}
	}
	return ""
}

func clock(at int64) string { return time.UnixMicro(at).UTC().Format("15:04") }
