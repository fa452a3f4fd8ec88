package upkeep_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/upkeep"
)

// altered is a store of which the rows and tasks are told otherwise than they are.
type altered struct {
	store.Store

	row       func(row jobmon.Transition) []jobmon.Transition
	task      func(task *store.Task)
	templates func(all []store.TemplateName) []store.TemplateName
}

func (a altered) View(ctx context.Context, read func(ctx context.Context, snapshot store.Snapshot) error) error {
	return a.Store.View(ctx, func(ctx context.Context, snapshot store.Snapshot) error {
		return read(ctx, alteredSnapshot{snapshot, a})
	})
}

type alteredSnapshot struct {
	store.Snapshot

	altered altered
}

func (a alteredSnapshot) TaskTransitions(ctx context.Context, id, from, to int64) iter.Seq2[jobmon.Transition, error] {
	return func(yield func(jobmon.Transition, error) bool) {
		for row, err := range a.Snapshot.TaskTransitions(ctx, id, from, to) {
			rows := []jobmon.Transition{row}
			if err == nil && a.altered.row != nil {
				rows = a.altered.row(row)
			}
			for _, row := range rows {
				if !yield(row, err) {
					return
				}
			}
		}
	}
}

func (a alteredSnapshot) Tasks(ctx context.Context, filter store.TaskFilter) iter.Seq2[store.Task, error] {
	return func(yield func(store.Task, error) bool) {
		for task, err := range a.Snapshot.Tasks(ctx, filter) {
			if err == nil && a.altered.task != nil {
				a.altered.task(&task)
			}
			if !yield(task, err) {
				return
			}
		}
	}
}

func (a alteredSnapshot) TemplateNames(ctx context.Context, id int64) ([]store.TemplateName, error) {
	all, err := a.Snapshot.TemplateNames(ctx, id)
	if err == nil && a.altered.templates != nil {
		all = a.altered.templates(all)
	}
	return all, err
}

// lived is a task that entered statuses at so many microseconds after noon.
func lived(name, template, path string, after ...int64) jobmon.TaskHistory {
	task := jobmon.TaskHistory{Name: name, Template: template, Attempts: 1}
	for i, to := range path {
		task.Moves = append(task.Moves, jobmon.Move{To: jobmon.TaskStatus(to), At: noon + after[i]})
	}
	return task
}

// brief generates tasks that live for some hours around an instant.
func brief(t *rapid.T, around int64) []jobmon.TaskHistory {
	pauses := []int64{0, 1, 20 * second, minute, minute - 1, 25 * minute, hour, 5 * hour}
	var tasks []jobmon.TaskHistory
	for i := range rapid.IntRange(1, 3).Draw(t, "tasks") {
		at := around + rapid.Int64Range(-20, 20).Draw(t, "begin")*rapid.SampledFrom([]int64{second, minute, hour}).Draw(t, "unit")
		task := jobmon.TaskHistory{Name: fmt.Sprint(i), Template: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "template"), Attempts: 1}
		for _, to := range rapid.SampledFrom([]string{"GQIORD", "GQIOREQIORD", "GQIOREF", "GD"}).Draw(t, "path") {
			task.Moves = append(task.Moves, jobmon.Move{To: jobmon.TaskStatus(to), At: at})
			at += rapid.SampledFrom(pauses).Draw(t, "pause")
		}
		tasks = append(tasks, task)
	}
	return tasks
}

// metAllf fails a property that no longer meets every case. The few histories of a short run may miss one.
func metAllf(t *testing.T, met bool, format string, counts ...any) {
	t.Helper()
	if !met && !testing.Short() {
		t.Errorf(format+": the test has become too easy", counts...)
	}
}

// someChecks checks a property that takes long, a few tenths of a second each time under the race detector, a third
// as often as others; but 20 times where others are, which is as few as still meet every case.
func someChecks(t *testing.T, property func(t *rapid.T)) {
	t.Helper()
	checks := flag.Lookup("rapid.checks").Value
	before := checks.String()
	defer func() {
		if err := checks.Set(before); err != nil {
			t.Error(err)
		}
	}()
	n, err := strconv.Atoi(before)
	if err == nil {
		err = checks.Set(strconv.Itoa(max((n+2)/3, min(n, 20))))
	}
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, property)
}

func maintain(t failer, db store.Store, do func(ctx context.Context, tx store.UpkeepTx) error) {
	t.Helper()
	if err := db.Maintain(context.Background(), do); err != nil {
		t.Fatal(err)
	}
}

// deleteRows deletes the rows of [from, before) behind everybody's back.
func deleteRows(t failer, db store.Store, id, from, before int64) {
	t.Helper()
	maintain(t, db, func(ctx context.Context, tx store.UpkeepTx) error {
		deleted, err := tx.DeleteTransitions(ctx, store.TransitionFilter{WorkflowID: id, From: from, Before: before}, 1000)
		if err == nil && deleted == 0 {
			err = fmt.Errorf("there is no row in [%d, %d)", from, before)
		}
		return err
	})
}

// setHorizon changes a horizon behind everybody's back.
func setHorizon(t failer, db store.Store, id int64, change func(h *store.Horizon)) {
	t.Helper()
	maintain(t, db, func(ctx context.Context, tx store.UpkeepTx) error {
		h, err := tx.LockHorizon(ctx, id)
		if err != nil {
			return err
		}
		change(&h)
		return tx.SaveHorizon(ctx, h)
	})
}

func mark(t failer, db store.Store, id int64, minutes ...int64) {
	t.Helper()
	maintain(t, db, func(ctx context.Context, tx store.UpkeepTx) error { return tx.AddMarks(ctx, id, minutes) })
}

func kindNames() (names []string) {
	for _, kind := range concurrency.Kinds() {
		names = append(names, kind.Name)
	}
	return names
}

// blocksOf returns all blocks of a workflow, that of what was removed among them.
func blocksOf(t failer, db store.Reader, id int64) (blocks []store.Block) {
	t.Helper()
	ranges := []store.BlockRange{{Width: 0, Before: 1}}
	for _, tier := range concurrency.Tiers() {
		ranges = append(ranges, store.BlockRange{Width: tier.Width, Before: store.MaxInstant})
	}
	err := db.View(context.Background(), func(ctx context.Context, snapshot store.Snapshot) (err error) {
		blocks, err = snapshot.Blocks(ctx, store.BlockFilter{WorkflowID: id, Kinds: kindNames(), Ranges: ranges})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return blocks
}

// saveBlocks stores blocks behind everybody's back.
func saveBlocks(t failer, db store.Store, blocks ...store.Block) {
	t.Helper()
	maintain(t, db, func(ctx context.Context, tx store.UpkeepTx) error {
		if _, err := tx.LockHorizon(ctx, blocks[0].WorkflowID); err != nil {
			return err
		}
		return tx.SaveBlocks(ctx, blocks)
	})
}

// deleteBlocks deletes the blocks of every kind that begin at an instant.
func deleteBlocks(t failer, db store.Store, id, width, start int64) {
	t.Helper()
	maintain(t, db, func(ctx context.Context, tx store.UpkeepTx) error {
		if _, err := tx.LockHorizon(ctx, id); err != nil {
			return err
		}
		return tx.DeleteBlocks(ctx, id, []store.BlockRange{{Width: width, From: start, Before: start + 1}})
	})
}

// falsify makes a cell of a kind tell that another task entered at its beginning, whole as it is. There need
// be no block.
func falsify(t failer, db store.Store, id int64, kind string, tier int, at int64) {
	t.Helper()
	shape := concurrency.Tiers()[tier]
	key := store.BlockKey{WorkflowID: id, Kind: kind, Width: shape.Width, Start: shape.BlockStart(at)}
	cells := concurrency.NewBlock(shape.Width, shape.Cells)
	for _, block := range blocksOf(t, db, id) {
		if block.BlockKey == key {
			var err error
			if cells, err = concurrency.DecodeBlock(block.Cells, shape.Width, shape.Cells); err != nil {
				t.Fatal(err)
			}
		}
	}
	entries, err := cells.Append(nil, shape.Cell(at))
	if err != nil {
		t.Fatal(err)
	}
	one := concurrency.Cell{Length: shape.Width, Open: 1, Delta: 1, Peak: 1, Area: shape.Width, Entered: 1}
	i := slices.IndexFunc(entries, func(e concurrency.Entry) bool { return e.Series == concurrency.Total })
	if i < 0 {
		entries = append(entries, concurrency.Entry{Series: concurrency.Total, Cell: one})
	} else {
		entries[i].Cell = one.Beside(entries[i].Cell)
	}
	cells.Put(shape.Cell(at), entries)
	saveBlocks(t, db, store.Block{BlockKey: key, Generation: 1_000_000, Cells: cells.Encode()})
}

func verify(t failer, db upkeep.Database, id int64) upkeep.Report {
	t.Helper()
	report, err := upkeep.NewVerifier(db, quiet).Workflow(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// found compares defects with wanted ones, each as an instant after noon and a part of what is said.
func found(t *testing.T, report upkeep.Report, want ...string) {
	t.Helper()
	var got []string
	for _, d := range report.Defects {
		got = append(got, fmt.Sprintf("%s %s", time.Duration(d.At-noon)*time.Microsecond, d.What))
	}
	matches := slices.EqualFunc(got, want, strings.Contains)
	if !matches || report.Found != int64(len(want)) {
		t.Errorf("found %d:\n\t%s\nwant\n\t%s", report.Found, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func TestNothingIsFoundInHealthyDatabases(t *testing.T) {
	db := open(t)
	roll := upkeep.NewRollUp(db, quiet)
	number := 0
	someChecks(t, func(t *rapid.T) {
		number++
		tasks := brief(t, noon)
		id := load(t, db, fmt.Sprint("run ", number), tasks...)
		rows := 0
		for _, task := range tasks {
			rows += len(task.Moves)
		}
		whole := func(when string) {
			report := verified(t, db, id, when)
			if report.Workflows != 1 || report.Tasks != int64(len(tasks)) || report.Covered != report.Tasks || report.Rows != int64(rows) {
				t.Fatalf("%s: %+v of %d tasks and %d rows", when, report, len(tasks), rows)
			}
		}
		whole("before the roll-up")
		pass(t, roll.Pass)
		whole("after it")
		at := tasks[0].Moves[0].At
		mark(t, db, id, at, at+3*minute)
		whole("with marks")
	})
}

// What is compared is counted: here two statuses with a template and the total, in each of the five tiers.
func TestVerificationCountsCells(t *testing.T) {
	db := open(t)
	id := load(t, db, "run", lived("1", "a", "GD", 10*second, 20*second))
	if got := verified(t, db, id, "before the roll-up").Cells; got != 0 {
		t.Errorf("%d cells before there are any", got)
	}
	pass(t, upkeep.NewRollUp(db, quiet).Pass)
	report := verified(t, db, id, "after it")
	if report.Cells != 20 {
		t.Errorf("%d cells, want 20", report.Cells)
	}
	if report.Began.IsZero() || report.Ended.Before(report.Began) {
		t.Errorf("it went from %v to %v", report.Began, report.Ended)
	}
	deleteBlocks(t, db, id, minute, noon)
	if report := verify(t, db, id); report.Cells != 20 || report.Found == 0 {
		t.Errorf("%d cells and %d defects without the minutes, want 20 cells", report.Cells, report.Found)
	}
	if _, err := upkeep.NewVerifier(db, quiet).Workflow(t.Context(), id+1); jobmon.ErrorCode(err) != jobmon.CodeNotFound {
		t.Errorf("of no workflow: %v", err)
	}
}

func TestVerificationOfManyTasks(t *testing.T) {
	const many = 5_001 // more than are looked at in one snapshot
	db := open(t)
	var tasks []jobmon.TaskHistory
	for i := range many {
		tasks = append(tasks, lived(fmt.Sprint(i), "a", "GD", 0, second))
	}
	id := load(t, db, "run", tasks...)
	if r := verified(t, db, id, "as it is"); r.Tasks != many || r.Covered != many || r.Rows != 2*many {
		t.Errorf("%d tasks, %d covered, %d rows", r.Tasks, r.Covered, r.Rows)
	}
	last := int64(0)
	r := verify(t, altered{Store: db, task: func(task *store.Task) {
		task.Status = jobmon.TaskRunning
		last = max(last, task.ID)
	}}, id)
	if r.Found != many || len(r.Defects) != 100 || r.Covered != 0 || r.Tasks != many {
		t.Errorf("%d defects, %d of them listed, %d tasks, %d covered", r.Found, len(r.Defects), r.Tasks, r.Covered)
	}
	r = verify(t, altered{Store: db, task: func(task *store.Task) {
		if task.ID == last {
			task.StatusAt++
		}
	}}, id)
	found(t, r, "1.000001s the task entered its status at another instant")
	if r.Covered != many-1 || r.Defects[0].TaskID != last {
		t.Errorf("%d covered, the defect is of task %d, want %d", r.Covered, r.Defects[0].TaskID, last)
	}
}

func TestVerificationOfManyWorkflows(t *testing.T) {
	const many = 101 // more than are listed at once
	db := open(t)
	for i := range many {
		load(t, db, fmt.Sprint(i), lived("1", "a", "GD", 0, second), lived("2", "a", "GD", 0, second))
	}
	steps := 0
	report, err := upkeep.NewVerifier(db, quiet).All(t.Context(), func(time.Duration) error { steps++; return nil })
	if err != nil || report.Workflows != many || report.Tasks != 2*many || report.Covered != 2*many || report.Rows != 4*many || report.Found != 0 {
		t.Errorf("%+v, %v", report, err)
	}
	if steps < many || report.Ended.Before(report.Began) || report.Began.IsZero() {
		t.Errorf("%d steps from %v to %v", steps, report.Began, report.Ended)
	}
	report, err = upkeep.NewVerifier(altered{Store: db, task: func(task *store.Task) { task.StatusAt++ }}, quiet).All(t.Context(), nil)
	if err != nil || report.Found != 2*many || len(report.Defects) != 100 {
		t.Errorf("%d defects, %d of them listed, %v", report.Found, len(report.Defects), err)
	}
	ends := errors.New("enough")
	if _, err := upkeep.NewVerifier(db, quiet).All(t.Context(), func(time.Duration) error { return ends }); !errors.Is(err, ends) {
		t.Errorf("it went on after %v", err)
	}
}

// chainOf is a task with a row in each of six minutes, and another beside it that is always whole.
func chainOf() []jobmon.TaskHistory {
	return []jobmon.TaskHistory{
		lived("whole", "b", "GD", 0, 10*minute),
		lived("1", "a", "GQIORD", minute, 2*minute, 3*minute, 4*minute, 5*minute, 6*minute),
	}
}

func TestMissingRowsAreFound(t *testing.T) {
	db := open(t)
	for _, c := range []struct {
		name         string
		from, before int64
		want         []string
	}{
		{"the first", minute, 2 * minute, []string{"2m0s the chain begins with a move from REGISTERING; the row that leads there is missing"}},
		{"one in the middle", 4 * minute, 5 * minute, []string{"5m0s the chain is broken: the task was in INSTANTIATING, and the row says that it left LAUNCHED"}},
		{"the last", 6 * minute, 7 * minute, []string{"6m0s the task is in DONE, and its last row says RUNNING"}},
		{"all", minute, 7 * minute, []string{"6m0s the task is in DONE and has no row"}},
		{"the first and the last", minute, 2 * minute, nil},
	} {
		id := load(t, db, c.name, chainOf()...)
		deleteRows(t, db, id, noon+c.from, noon+c.before)
		want := c.want
		if want == nil {
			deleteRows(t, db, id, noon+6*minute, noon+7*minute)
			want = []string{"2m0s the chain begins", "6m0s the task is in DONE, and"}
		}
		report := verify(t, db, id)
		found(t, report, want...)
		if report.Covered != 1 || report.Tasks != 2 || report.Defects[0].TaskID == 0 {
			t.Errorf("%s: %+v", c.name, report)
		}
	}
}

func TestWrongRowsAreFound(t *testing.T) {
	db := open(t)
	id := load(t, db, "run", chainOf()...)
	alter := func(at int64, change func(row *jobmon.Transition)) func(jobmon.Transition) []jobmon.Transition {
		return func(row jobmon.Transition) []jobmon.Transition {
			if row.At == noon+at {
				change(&row)
			}
			return []jobmon.Transition{row}
		}
	}
	for name, c := range map[string]struct {
		row  func(row jobmon.Transition) []jobmon.Transition
		task func(task *store.Task)
		want []string
	}{
		"created twice":       {alter(3*minute, func(row *jobmon.Transition) { row.From, row.PreviousAt = 0, 0 }), nil, []string{"3m0s the task is created a second time"}},
		"another previous_at": {alter(3*minute, func(row *jobmon.Transition) { row.PreviousAt++ }), nil, []string{"3m0s the chain is broken: the task had entered QUEUED at another instant"}},
		"another template":    {alter(minute, func(row *jobmon.Transition) { row.TaskTemplateID++ }), nil, []string{"1m0s the row names task template"}},
		"left another status": {alter(3*minute, func(row *jobmon.Transition) { row.From = running }), nil, []string{"3m0s the chain is broken: the task was in QUEUED, and the row says that it left RUNNING"}},
		"entered another":     {alter(6*minute, func(row *jobmon.Transition) { row.To = jobmon.TaskErrorFatal }), nil, []string{"6m0s the task is in DONE, and its last row says ERROR_FATAL"}},
		"a row of a foreign task": {func(row jobmon.Transition) []jobmon.Transition {
			foreign := row
			foreign.TaskID += 1_000_000
			if row.At == noon+6*minute {
				return []jobmon.Transition{row, foreign}
			}
			return []jobmon.Transition{row}
		}, nil, []string{"6m0s the audit has a row of a task that is not in the workflow"}},
		"another status": {nil, func(task *store.Task) {
			if task.Name == "1" {
				task.Status = running
			}
		}, []string{"6m0s the task is in RUNNING, and its last row says DONE"}},
	} {
		report := verify(t, altered{Store: db, row: c.row, task: c.task}, id)
		found(t, report, c.want...)
		covered := int64(1)
		if strings.Contains(name, "foreign") {
			covered = 2
		}
		if report.Covered != covered {
			t.Errorf("%s: %d tasks are covered, want %d", name, report.Covered, covered)
		}
	}
}

// Rows before the horizon are being removed: whatever is left of them is no defect, and what is missing from
// it on is one.
func TestHalfRemovedRowsAreNoDefect(t *testing.T) {
	db := open(t)
	id := load(t, db, "run",
		lived("across", "a", "GQIORD", minute, 2*minute, 3*minute, hour, hour+minute, hour+2*minute), // enters LAUNCHED at the horizon
		lived("before", "a", "GD", minute, 5*minute), lived("at", "a", "GD", 7*minute, hour))
	pass(t, upkeep.NewRollUp(db, quiet).Pass)
	setHorizon(t, db, id, func(h *store.Horizon) { h.RowsFrom, h.FirstAt, h.LastAt = noon+hour, noon+minute, noon+7*minute })
	if r := verified(t, db, id, "before any is removed"); r.Rows != 4 || r.Covered != 3 {
		t.Errorf("%d rows, %d covered", r.Rows, r.Covered)
	}
	deleteRows(t, db, id, noon, noon+3*minute)
	verified(t, db, id, "while some are removed")
	deleteRows(t, db, id, noon, noon+hour)
	if r := verified(t, db, id, "when all are removed"); r.Covered != 3 || r.Tasks != 3 {
		t.Errorf("%d of %d tasks are covered", r.Covered, r.Tasks)
	}
	deleteRows(t, db, id, noon+hour, noon+hour+1)
	mark(t, db, id, noon+hour) // so that only the chain tells
	found(t, verify(t, db, id), "1h1m0s the chain begins with a move from LAUNCHED", "1h0m0s the task is in DONE and has no row")
}

func TestDefectsSayWhere(t *testing.T) {
	for want, d := range map[string]upkeep.Defect{
		"workflow 7: what":         {WorkflowID: 7, What: "what"},
		"workflow 7, task 8: what": {WorkflowID: 7, TaskID: 8, What: "what"},
		"workflow 7, task 8, 2026-03-01T12:00:00.000001Z: what": {WorkflowID: 7, TaskID: 8, At: noon + 1, What: "what"},
		"workflow 7, 2026-03-01T12:00:00.000000Z: what":         {WorkflowID: 7, At: noon, What: "what"},
	} {
		if got := d.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
