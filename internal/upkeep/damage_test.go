package upkeep_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/timeline"
	"tasktide/internal/upkeep"
)

// ofVersion is a whole block of a version that nobody knows.
func ofVersion(version byte, cells []byte) []byte {
	body := slices.Clone(cells[:len(cells)-4])
	body[0] = version
	return binary.BigEndian.AppendUint32(body, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
}

// injured is a block that can no longer be read.
func injured(t *rapid.T, block store.Block) store.Block {
	cells := slices.Clone(block.Cells)
	switch rapid.SampledFrom([]string{"garbage", "truncated", "flipped", "empty", "version"}).Draw(t, "damage") {
	case "garbage":
		cells = []byte("what is this? " + fmt.Sprint(rapid.Uint64().Draw(t, "garbage")))
	case "truncated":
		cells = cells[:rapid.IntRange(0, len(cells)-1).Draw(t, "length")]
	case "flipped":
		cells[rapid.IntRange(0, len(cells)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
	case "empty":
		cells = []byte{}
	case "version":
		cells = ofVersion(2, cells)
	}
	block.Cells = cells
	return block
}

// injure damages some of a workflow's blocks and returns their keys.
func injure(t *rapid.T, db store.Store, id int64, may func(key store.BlockKey) bool) (keys []store.BlockKey) {
	t.Helper()
	blocks := slices.DeleteFunc(blocksOf(t, db, id), func(b store.Block) bool { return !may(b.BlockKey) })
	if len(blocks) == 0 {
		return nil
	}
	for _, block := range rapid.SliceOfNDistinct(rapid.SampledFrom(blocks), 1, 8, func(b store.Block) string { return fmt.Sprint(b.BlockKey) }).Draw(t, "blocks") {
		saveBlocks(t, db, injured(t, block))
		keys = append(keys, block.BlockKey)
	}
	return keys
}

// readable reports whether a block can be read.
func readable(block store.Block) bool {
	tier, known := concurrency.TierOf(block.Width)
	_, err := concurrency.DecodeBlock(block.Cells, tier.Width, tier.Cells)
	return known && err == nil
}

// listener hears of the blocks that answers did without.
type listener struct{ keys []store.BlockKey }

func (l *listener) damaged(_ context.Context, keys []store.BlockKey) {
	l.keys = append(l.keys, keys...)
}

// heard demands that an answer has told of blocks that are damaged and nothing else, each once.
func (l *listener) heard(t failer, damaged []store.BlockKey) {
	t.Helper()
	for i, key := range l.keys {
		if !slices.Contains(damaged, key) {
			t.Fatalf("%+v is not damaged", key)
		}
		if slices.Contains(l.keys[:i], key) {
			t.Fatalf("%+v was told twice", key)
		}
	}
	l.keys = nil
}

// exactly asks for the levels of which a block tells, of all attempts.
func exactly(key store.BlockKey) timeline.Request {
	tier, _ := concurrency.TierOf(key.Width)
	kind, _ := concurrency.KindNamed(key.Kind)
	return timeline.Request{
		WorkflowID: key.WorkflowID, Start: key.Start, End: new(key.Start + tier.BlockLength()), Bucket: key.Width, Statuses: kind.Set,
	}
}

// Whatever blocks are damaged, as long as there are rows the answer is the engine's over all of them, and
// everything that is damaged can be made again.
func TestAnswersInSpiteOfDamage(t *testing.T) {
	db := open(t)
	roll, ears := upkeep.NewRollUp(db, quiet), &listener{}
	line := timeline.New(db, ears.damaged)
	number := 0
	someChecks(t, func(t *rapid.T) {
		number++
		tasks := brief(t, noon)
		id := load(t, db, fmt.Sprint("run ", number), tasks...)
		pass(t, roll.Pass)
		damaged := injure(t, db, id, func(store.BlockKey) bool { return true })
		checkExactly(t, line, damaged[0], tasks, "damaged")
		kind, _ := concurrency.KindNamed(damaged[0].Kind)
		if !kind.Retries && !slices.Contains(ears.keys, damaged[0]) { // for those, few rows are read instead
			t.Fatalf("%+v was not told", damaged[0])
		}
		ears.heard(t, damaged)
		for range 2 {
			check(t, line, requests(t, id, noon), tasks, "damaged")
			ears.heard(t, damaged)
		}
		if rapid.Bool().Draw(t, "a late mark") {
			move := rapid.SampledFrom(tasks[0].Moves).Draw(t, "move")
			mark(t, db, id, move.At)
			pass(t, roll.Pass)
			check(t, line, requests(t, id, noon), tasks, "damaged, after the roll-up of a late mark")
			ears.keys = nil
		}
		before := roll.Damaged()
		if rapid.Bool().Draw(t, "rebuild") {
			if _, err := roll.Rebuild(context.Background(), id); err != nil {
				t.Fatal(err)
			}
		} else if err := roll.Repair(context.Background(), damaged); err != nil {
			t.Fatal(err)
		} else if roll.Damaged() < before+int64(len(damaged)) {
			t.Fatalf("%d damaged blocks are counted, and %d were told of", roll.Damaged()-before, len(damaged))
		}
		check(t, line, requests(t, id, noon), tasks, "before the pass")
		pass(t, roll.Pass)
		for _, block := range blocksOf(t, db, id) {
			if !readable(block) {
				t.Fatalf("%+v is still damaged", block.BlockKey)
			}
		}
		verified(t, db, id, "after the repair")
		ears.keys = nil
		check(t, line, requests(t, id, noon), tasks, "after the repair")
		if len(ears.keys) > 0 {
			t.Fatalf("after the repair these are damaged: %+v", ears.keys)
		}
	})
}

// From when on rows are gone, coarse cells come from finer ones; and where those are damaged too there is no
// answer, rather than a wrong one.
func TestDamageAfterTheRows(t *testing.T) {
	base := ahead()
	db := clocked{open(t), base + 300*day}
	roll, ears := upkeep.NewRollUp(db, quiet), &listener{}
	line := timeline.New(db, ears.damaged)
	number, answers, failures := 0, 0, 0
	someChecks(t, func(t *rapid.T) {
		number++
		tasks := brief(t, base)
		id := loadToExpire(t, db, fmt.Sprint("run ", number), tasks)
		pass(t, roll.Pass)
		age := func(before, within int64) time.Duration {
			return time.Duration(db.now-base-rapid.Int64Range(before, within).Draw(t, "cut")*hour) * time.Microsecond
		}
		rows := age(0, 30)
		blocks := time.Duration(0)
		if rapid.Bool().Draw(t, "cells go too") {
			blocks = max(rows, age(-12, 30))
		}
		retention, err := newRetention(lone{db, id}, quiet, rows, blocks)
		if err != nil {
			t.Fatal(err)
		}
		pass(t, retention.Pass)
		horizon := horizonOf(t, db, id)
		coarseOnly := rapid.Bool().Draw(t, "coarse only")
		damaged := injure(t, db, id, func(key store.BlockKey) bool { return key.Width > minute || !coarseOnly })
		var asked []timeline.Request
		for _, key := range damaged {
			if key.Width == minute {
				asked = append(asked, exactly(key))
			}
		}
		for range 4 {
			asked = append(asked, requests(t, id, base))
		}
		for _, request := range asked {
			start := concurrency.Align(request.Start, *request.End, request.Bucket).Start
			answer, err := line.Concurrency(context.Background(), request)
			ears.heard(t, damaged)
			switch {
			case start < horizon.DataFrom:
				refused(t, err, "start", "data_from")
			case start < horizon.RowsFrom && request.Bucket < minute:
				if jobmon.ErrorCode(err) != jobmon.CodeInternal { // which is found out first does not matter
					refused(t, err, "granularity", "rows_from")
				}
			case err != nil:
				failures++
				if coarseOnly || jobmon.ErrorCode(err) != jobmon.CodeInternal || !strings.Contains(err.Error(), "damaged") {
					t.Fatalf("%+v, %+v, %+v: %v", damaged, horizon, request, err)
				}
			default:
				answers++
				atLeast(t, answer, counted(t, tasks, answer, request.Statuses))
			}
		}
		err = roll.Repair(context.Background(), damaged)
		lost := slices.ContainsFunc(damaged, func(k store.BlockKey) bool { return k.Width == 0 || k.Width == minute && k.Start < horizon.RowsFrom })
		if lost != (err != nil) || err != nil && (jobmon.ErrorCode(err) != jobmon.CodeInternal || !strings.Contains(err.Error(), "are damaged")) {
			t.Fatalf("the repair of %+v says %v", damaged, err)
		}
		// A roll-up stops rather than sum up from what is lost; nobody else has to wait for it here.
		if err := roll.Pass(context.Background()); err != nil && (!lost || jobmon.ErrorCode(err) != jobmon.CodeInternal) {
			t.Fatal(err)
		}
		if lost {
			unmark(t, db, id)
		}
		report := verify(t, db, id)
		if lost != (report.Found > 0) {
			t.Fatalf("after the repair of %+v with %+v the verification finds %v", damaged, horizon, report.Defects)
		}
	})
	metAllf(t, answers > 0 && failures > 0, "%d answers and %d failures", answers, failures)
}

// keyOf is the key of the block that has the cell of a tier at an instant after noon.
func keyOf(id int64, kind string, tier int, after int64) store.BlockKey {
	shape := concurrency.Tiers()[tier]
	return store.BlockKey{WorkflowID: id, Kind: kind, Width: shape.Width, Start: shape.BlockStart(noon + after)}
}

// ruin damages blocks.
func ruin(t failer, db store.Store, keys ...store.BlockKey) {
	t.Helper()
	for _, key := range keys {
		saveBlocks(t, db, store.Block{BlockKey: key, Generation: 1_000_000, Cells: []byte("ruined")})
	}
}

// longRun is a task that ran for a day and a bit, in the middle of hours.
func longRun() jobmon.TaskHistory {
	return lived("1", "a", "GQIORD", minute, 2*minute, 3*minute, 4*minute, 90*minute, day+90*minute)
}

// An answer tells of exactly the damaged blocks that it would have needed.
func TestOnlyWhatIsNeededIsTold(t *testing.T) {
	db := open(t)
	tasks := []jobmon.TaskHistory{longRun()}
	id := load(t, db, "run", tasks...)
	roll, ears := upkeep.NewRollUp(db, quiet), &listener{}
	pass(t, roll.Pass)
	minutes, tens, days := keyOf(id, "R", 0, hour), keyOf(id, "R", 1, hour), keyOf(id, "R", 4, hour)
	elsewhere := keyOf(id, "Q", 0, 0)
	ruin(t, db, minutes, tens, elsewhere)
	line := timeline.New(db, ears.damaged)
	for _, c := range []struct {
		name                string
		from, until, bucket int64
		statuses            concurrency.StatusSet
		want                []store.BlockKey
	}{
		{"by the minute", hour, 2 * hour, minute, concurrency.Of(running), []store.BlockKey{minutes}},
		{"by ten minutes", hour, 2 * hour, 10 * minute, concurrency.Of(running), []store.BlockKey{tens, minutes}},
		{"by the hour", 0, 4 * hour, hour, concurrency.Of(running), nil},
		{"by the day", -36 * hour, 37 * hour, day, concurrency.Of(running), nil},
		{"another hour", 3 * hour, 4 * hour, minute, concurrency.Of(running), nil},
		{"another status", hour, 2 * hour, minute, concurrency.Of(done), nil},
		{"the other status", 0, hour, minute, concurrency.Of(queued), []store.BlockKey{elsewhere}},
	} {
		request := timeline.Request{WorkflowID: id, Start: noon + c.from, End: new(noon + c.until), Bucket: c.bucket, Statuses: c.statuses}
		check(t, line, request, tasks, c.name)
		if !slices.Equal(ears.keys, c.want) {
			t.Errorf("%s: told of %+v, want %+v", c.name, ears.keys, c.want)
		}
		ears.keys = nil
	}
	ruin(t, db, days)
	request := timeline.Request{WorkflowID: id, Start: noon + 36*hour, End: new(noon + 37*hour), Bucket: hour, Statuses: concurrency.Of(running)}
	check(t, line, request, tasks, "after days")
	if !slices.Equal(ears.keys, []store.BlockKey{days}) {
		t.Errorf("after days: told of %+v", ears.keys)
	}
	if err := roll.Repair(t.Context(), []store.BlockKey{days}); err != nil || roll.Damaged() != 1 {
		t.Errorf("%v, %d damaged blocks", err, roll.Damaged())
	}
	// One that is whole by now is left alone.
	before := blocksOf(t, db, id)
	if err := roll.Repair(t.Context(), []store.BlockKey{days, keyOf(id, "D", 0, 0)}); err != nil {
		t.Error(err)
	}
	if after := blocksOf(t, db, id); !slices.EqualFunc(before, after, func(a, b store.Block) bool { return a.Generation == b.Generation }) {
		t.Error("a repair has changed blocks that were whole")
	}
	if next := marksOf(t, db, id); len(next) > 0 {
		t.Errorf("a repair has marked %v", next)
	}
}

func marksOf(t failer, db store.Reader, id int64) (minutes []int64) {
	t.Helper()
	err := db.View(context.Background(), func(ctx context.Context, snapshot store.Snapshot) error {
		marks, err := snapshot.Marks(ctx, store.MarkFilter{WorkflowID: id, Before: store.MaxInstant})
		for _, m := range marks {
			minutes = append(minutes, m.Minute)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return minutes
}

// unmark deletes the marks of a workflow.
func unmark(t failer, db store.Store, id int64) {
	t.Helper()
	maintain(t, db, func(ctx context.Context, tx store.UpkeepTx) error {
		marks, err := tx.Marks(ctx, store.MarkFilter{WorkflowID: id, Before: store.MaxInstant})
		if err != nil {
			return err
		}
		var ids []int64
		for _, m := range marks {
			ids = append(ids, m.ID)
		}
		_, err = tx.DeleteMarks(ctx, ids)
		return err
	})
}

// A block of minutes whose rows are removed is the last that tells of them: requests that need it fail, the
// others are answered, and a repair says that it cannot.
func TestTheLastBlockOfMinutes(t *testing.T) {
	db := open(t)
	tasks := []jobmon.TaskHistory{longRun()}
	id := load(t, db, "run", tasks...)
	roll := upkeep.NewRollUp(db, quiet)
	pass(t, roll.Pass)
	setHorizon(t, db, id, func(h *store.Horizon) { h.RowsFrom, h.FirstAt, h.LastAt = noon+3*hour, noon+minute, noon+90*minute })
	deleteRows(t, db, id, noon, noon+3*hour)
	verified(t, db, id, "before the damage")
	lost, tens := keyOf(id, "R", 0, hour), keyOf(id, "R", 1, hour)
	ruin(t, db, lost)
	line := timeline.New(db, nil)
	ask := func(from, until, bucket int64) (timeline.Request, error) {
		r := timeline.Request{WorkflowID: id, Start: noon + from, End: new(noon + until), Bucket: bucket, Statuses: concurrency.Of(running)}
		_, err := line.Concurrency(t.Context(), r)
		return r, err
	}
	for _, needs := range [][3]int64{{hour, 2 * hour, minute}, {0, 2 * hour, minute}, {2*hour - minute, 2 * hour, minute}} {
		if _, err := ask(needs[0], needs[1], needs[2]); jobmon.ErrorCode(err) != jobmon.CodeInternal || !strings.Contains(err.Error(), "rows that it was made from are removed") {
			t.Errorf("%v: %v", needs, err)
		}
	}
	answered := func(when string, spans ...[3]int64) {
		t.Helper()
		for _, s := range spans {
			r, err := ask(s[0], s[1], s[2])
			if err != nil {
				t.Errorf("%s: %v: %v", when, s, err)
				continue
			}
			check(t, line, r, tasks, when)
		}
	}
	others := [][3]int64{{0, hour, minute}, {2 * hour, 3 * hour, minute}, {0, 5 * hour, 10 * minute}, {-12 * hour, 36 * hour, day}, {3 * hour, 3*hour + minute, second}}
	answered("with one lost block", others...)
	found(t, verify(t, db, id), "1h0m0s R: the block of minutes is damaged")
	// Another block beside it is made again all the same.
	ruin(t, db, keyOf(id, "D", 3, hour))
	err := roll.Repair(t.Context(), []store.BlockKey{lost, keyOf(id, "D", 3, hour)})
	if jobmon.ErrorCode(err) != jobmon.CodeInternal || !strings.Contains(err.Error(), "are damaged") {
		t.Errorf("the repair says %v", err)
	}
	found(t, verify(t, db, id), "1h0m0s R: the block of minutes is damaged")
	// What lies over it cannot be made again either, and is needed.
	ruin(t, db, tens)
	if err := roll.Repair(t.Context(), []store.BlockKey{tens}); jobmon.ErrorCode(err) != jobmon.CodeInternal {
		t.Errorf("the repair of the coarser block says %v", err)
	}
	if _, err := ask(0, 5*hour, 10*minute); jobmon.ErrorCode(err) != jobmon.CodeInternal {
		t.Errorf("by ten minutes: %v", err)
	}
	answered("with two lost blocks", [3]int64{0, 6 * hour, 30 * minute}, others[0], others[3])
	// Not even a window after the rows' horizon is refused for its buckets, when what is lost came before.
	ruin(t, db, keyOf(id, "R", 2, hour), keyOf(id, "R", 3, hour))
	if _, err := ask(3*hour, 3*hour+minute, second); jobmon.ErrorCode(err) != jobmon.CodeInternal {
		t.Errorf("a window of seconds after what is lost: %v", err)
	}
}

// So is the sum of what was removed altogether.
func TestTheSumOfWhatWasRemoved(t *testing.T) {
	// Early in a block of days, so that one block reaches before and after the horizon.
	days := concurrency.Tiers()[4]
	base := days.BlockStart(ahead()+days.BlockLength()) + 12*hour
	db := clocked{open(t), base + 300*day}
	task := jobmon.TaskHistory{Name: "1", Template: "a", Attempts: 1, Moves: []jobmon.Move{
		{To: jobmon.TaskRegistering, At: base}, {To: jobmon.TaskDone, At: base + 10*day},
	}}
	other := task // which came in the last hour of the next day
	other.Name, other.Moves = "2", []jobmon.Move{
		{To: jobmon.TaskRegistering, At: base + 36*hour - 30*minute}, {To: jobmon.TaskDone, At: base + 10*day},
	}
	tasks := []jobmon.TaskHistory{task, other}
	id := loadToExpire(t, db, "run", tasks)
	roll, ears := upkeep.NewRollUp(db, quiet), &listener{}
	age := time.Duration(db.now-base-2*day) * time.Microsecond
	retention, err := newRetention(db, quiet, age, age)
	if err != nil {
		t.Fatal(err)
	}
	pass(t, roll.Pass, retention.Pass)
	verified(t, db, id, "after retention")
	from := horizonOf(t, db, id).DataFrom
	if from != base+36*hour {
		t.Fatalf("cells from %d on are left, want %d", from, base+36*hour)
	}
	for _, block := range blocksOf(t, db, id) {
		if shape, _ := concurrency.TierOf(block.Width); block.Width > 0 && block.Start+shape.BlockLength() <= from {
			t.Errorf("%+v is left", block.BlockKey)
		}
	}
	line := timeline.New(db, ears.damaged)
	request := timeline.Request{WorkflowID: id, Start: base + 3*day, End: new(base + 4*day), Bucket: hour, Statuses: concurrency.Of(jobmon.TaskRegistering)}
	check(t, line, request, tasks, "after retention")
	key := store.BlockKey{WorkflowID: id, Kind: "G"}
	// While it is whole, a repair has nothing to do.
	if err := roll.Repair(t.Context(), []store.BlockKey{key}); err != nil {
		t.Errorf("the repair of what is whole says %v", err)
	}
	// A coarse block reaches before the horizon: what is removed there is no defect.
	falsify(t, db, id, "G", 4, base)
	verified(t, db, id, "with nonsense before the horizon")
	ruin(t, db, key)
	if _, err := line.Concurrency(t.Context(), request); jobmon.ErrorCode(err) != jobmon.CodeInternal || !strings.Contains(err.Error(), "what was removed") {
		t.Errorf("the answer is %v", err)
	}
	if !slices.Equal(ears.keys, []store.BlockKey{key}) {
		t.Errorf("told of %+v", ears.keys)
	}
	request.Statuses = concurrency.Of(done)
	check(t, line, request, tasks, "of another status")
	if err := roll.Repair(t.Context(), []store.BlockKey{key}); jobmon.ErrorCode(err) != jobmon.CodeInternal {
		t.Errorf("the repair says %v", err)
	}
	report := verify(t, db, id)
	if report.Found != 1 || !strings.Contains(report.Defects[0].What, "G: the sum of what was removed") {
		t.Errorf("the verification finds %v", report.Defects)
	}
	// Retention does not add to what it cannot read.
	retention, err = newRetention(db, quiet, age-3*24*time.Hour, age-3*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := retention.Pass(t.Context()); err != nil || retention.Progress().Failed != 1 || horizonOf(t, db, id).DataFrom != from {
		t.Errorf("%v: %+v, cells from %d", err, retention.Progress(), horizonOf(t, db, id).DataFrom)
	}
	deleteBlocks(t, db, id, 0, 0)
	if report := verify(t, db, id); report.Found != int64(len(concurrency.Kinds())) {
		t.Errorf("without any sum the verification finds %v", report.Defects)
	}
}

var errBroken = errors.New("the database is broken")

// broken is a store that fails at some question.
type broken struct{ store.Store }

func (b broken) View(ctx context.Context, read func(ctx context.Context, snapshot store.Snapshot) error) error {
	return b.Store.View(ctx, func(ctx context.Context, snapshot store.Snapshot) error { return read(ctx, brokenSnapshot{snapshot}) })
}

type brokenSnapshot struct{ store.Snapshot }

func (brokenSnapshot) Blocks(context.Context, store.BlockFilter) ([]store.Block, error) {
	return nil, errBroken
}

// What cannot be read is no defect: the verification says that it could not be done.
func TestVerificationOfABrokenDatabase(t *testing.T) {
	db := open(t)
	id := load(t, db, "run", longRun())
	if _, err := upkeep.NewVerifier(broken{db}, quiet).Workflow(t.Context(), id); !errors.Is(err, errBroken) {
		t.Errorf("it says %v", err)
	}
}
