package upkeep_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/timeline"
	"tasktide/internal/upkeep"
)

const (
	otherThanRows = "R: the cells of a minute and its rows tell different things"
	otherThan     = ": a cell of %s minutes and the finer ones tell different things"
)

func coarser(minutes string) string { return "R" + strings.Replace(otherThan, "%s", minutes, 1) }

// Cells that are whole and wrong are found where they are, and made again from the rows.
func TestWrongCellsAreFoundAndHealed(t *testing.T) {
	db := open(t)
	roll := upkeep.NewRollUp(db, quiet)
	tasks := []jobmon.TaskHistory{longRun(), lived("2", "b", "GQIORD", hour, hour, hour, hour, hour+second, 50*hour)}
	for _, c := range []struct {
		name string
		do   func(id int64)
		want []string
	}{
		{"a minute with rows", func(id int64) { falsify(t, db, id, "R", 0, noon+90*minute) },
			[]string{"1h30m0s " + otherThanRows, "1h30m0s " + coarser("10")}},
		{"a minute without", func(id int64) { falsify(t, db, id, "R", 0, noon+95*minute) },
			[]string{"1h35m0s " + otherThanRows, "1h30m0s " + coarser("10")}},
		{"an hour without rows, on a day with some", func(id int64) { falsify(t, db, id, "R", 0, noon+5*hour+7*minute) },
			[]string{"5h7m0s " + otherThanRows, "5h0m0s " + coarser("10")}},
		{"a day without rows", func(id int64) { falsify(t, db, id, "R", 0, noon+40*hour+7*minute) },
			[]string{"40h7m0s " + otherThanRows, "40h0m0s " + coarser("10")}},
		{"the last hour, which begins with the last row", func(id int64) { falsify(t, db, id, "R", 0, noon+50*hour) },
			[]string{"50h0m0s " + otherThanRows, "50h0m0s " + coarser("10")}},
		{"ten minutes", func(id int64) { falsify(t, db, id, "R", 1, noon+90*minute) },
			[]string{"1h30m0s " + coarser("10"), "1h30m0s " + coarser("30")}},
		{"thirty minutes", func(id int64) { falsify(t, db, id, "R", 2, noon+90*minute) },
			[]string{"1h30m0s " + coarser("30"), "1h0m0s " + coarser("60")}},
		{"an hour", func(id int64) { falsify(t, db, id, "R", 3, noon+90*minute) },
			[]string{"1h0m0s " + coarser("60"), "-12h0m0s " + coarser("1440")}},
		{"a day", func(id int64) { falsify(t, db, id, "R", 4, noon) }, []string{"-12h0m0s " + coarser("1440")}},
		{"ten minutes of an hour without rows", func(id int64) { falsify(t, db, id, "R", 1, noon+5*hour) },
			[]string{"5h0m0s " + coarser("10"), "5h0m0s " + coarser("30")}},
		{"ten minutes of a day without rows", func(id int64) { falsify(t, db, id, "R", 1, noon+40*hour) },
			[]string{"40h0m0s " + coarser("10"), "40h0m0s " + coarser("30")}},
		{"the first day without rows", func(id int64) { falsify(t, db, id, "R", 4, noon+60*hour) }, []string{"60h0m0s " + coarser("1440")}},
		{"no minutes", func(id int64) { deleteBlocks(t, db, id, minute, noon+hour) }, nil},
		{"no ten minutes", func(id int64) { deleteBlocks(t, db, id, 10*minute, noon) }, nil},
		{"no days", func(id int64) {
			deleteBlocks(t, db, id, day, concurrency.Tiers()[4].BlockStart(noon))
			deleteBlocks(t, db, id, day, concurrency.Tiers()[4].BlockStart(noon+60*hour))
		}, nil},
		{"minutes that cannot be read", func(id int64) { ruin(t, db, keyOf(id, "R", 0, hour)) }, []string{"1h0m0s R: the block of minutes is damaged"}},
		{"hours that cannot be read", func(id int64) { ruin(t, db, keyOf(id, "R", 3, hour)) },
			[]string{"-36h0m0s R: a block of cells of 60 minutes is damaged"}},
		{"all that can be damaged", func(id int64) {
			for _, block := range blocksOf(t, db, id) {
				ruin(t, db, block.BlockKey)
			}
		}, nil},
	} {
		id := load(t, db, c.name, tasks...)
		pass(t, roll.Pass)
		c.do(id)
		report := verify(t, db, id)
		switch {
		case c.want != nil:
			t.Log(c.name)
			found(t, report, c.want...)
		case report.Found == 0:
			t.Errorf("%s: nothing is found", c.name)
		}
		if report.Covered != 2 {
			t.Errorf("%s: %d tasks are covered, and their rows are as they were", c.name, report.Covered)
		}
		marked, err := roll.Rebuild(t.Context(), id)
		if err != nil || marked == 0 || marked%60 != 0 {
			t.Errorf("%s: %d minutes are made again, %v", c.name, marked, err)
		}
		pass(t, roll.Pass)
		if report := verify(t, db, id); report.Found > 0 {
			t.Errorf("%s: after the rebuild there are %v", c.name, report.Defects)
		}
		for _, bucket := range []int64{minute, 10 * minute, hour, day} {
			check(t, timeline.New(db, nil), timeline.Request{
				WorkflowID: id, All: true, End: new(noon), Bucket: bucket, Statuses: concurrency.Of(running),
			}, tasks, c.name)
		}
	}
}

// A damaged block of a finer tier is told once, and hides nothing but what would be compared with it.
func TestDamageHidesNothingElse(t *testing.T) {
	db := open(t)
	id := load(t, db, "run", longRun())
	pass(t, upkeep.NewRollUp(db, quiet).Pass)
	ruin(t, db, keyOf(id, "R", 0, hour))
	falsify(t, db, id, "R", 1, noon)
	falsify(t, db, id, "R", 1, noon+3*hour)
	found(t, verify(t, db, id), "1h0m0s R: the block of minutes is damaged",
		"0s "+coarser("10"), "3h0m0s "+coarser("10"), "0s "+coarser("30"), "3h0m0s "+coarser("30"))
}

// What is marked is not summed up yet: nobody reads its cells, whatever they say.
func TestMarkedCellsAreNoDefect(t *testing.T) {
	db := open(t)
	id := load(t, db, "run", longRun())
	pass(t, upkeep.NewRollUp(db, quiet).Pass)
	for tier := range concurrency.Tiers() {
		falsify(t, db, id, "R", tier, noon+90*minute)
	}
	mark(t, db, id, noon+90*minute)
	verified(t, db, id, "with a mark")
	falsify(t, db, id, "R", 0, noon+91*minute)
	found(t, verify(t, db, id), "1h31m0s "+otherThanRows)
	falsify(t, db, id, "R", 1, noon+100*minute)
	found(t, verify(t, db, id), "1h31m0s "+otherThanRows, "1h40m0s "+coarser("10")) // that of half an hour has a marked minute
}

// Below the horizon of the rows nothing is made again, and what can be compared still is.
func TestRebuildAfterTheRows(t *testing.T) {
	db := open(t)
	tasks := []jobmon.TaskHistory{longRun()}
	id := load(t, db, "run", tasks...)
	roll := upkeep.NewRollUp(db, quiet)
	pass(t, roll.Pass)
	setHorizon(t, db, id, func(h *store.Horizon) { h.RowsFrom, h.FirstAt, h.LastAt = noon+day, noon+minute, noon+90*minute })
	deleteRows(t, db, id, noon, noon+day)
	before := blocksOf(t, db, id)
	marked, err := roll.Rebuild(t.Context(), id)
	if err != nil || marked == 0 || slices.Min(marksOf(t, db, id)) < noon+day {
		t.Errorf("%d minutes from %d on are marked, want them from %d on: %v", marked, slices.Min(marksOf(t, db, id)), noon+day, err)
	}
	if int64(len(marksOf(t, db, id))) != marked {
		t.Errorf("%d minutes are marked, and %d were told", len(marksOf(t, db, id)), marked)
	}
	pass(t, roll.Pass)
	if after := blocksOf(t, db, id); !slices.EqualFunc(before, after, func(a, b store.Block) bool { return string(a.Cells) == string(b.Cells) }) {
		t.Error("the rebuild has changed what was right")
	}
	verified(t, db, id, "after the rebuild")
	falsify(t, db, id, "R", 1, noon+90*minute)
	found(t, verify(t, db, id), "1h30m0s "+coarser("10"), "1h30m0s "+coarser("30"))
	// Nothing is known there but what the cells say: minutes are not held against rows that are gone.
	falsify(t, db, id, "R", 0, noon+5*hour)
	lost := []string{"1h30m0s " + coarser("10"), "5h0m0s " + coarser("10"), "1h30m0s " + coarser("30")}
	found(t, verify(t, db, id), lost...)
	// From the horizon on they are.
	falsify(t, db, id, "R", 0, noon+day)
	found(t, verify(t, db, id), append([]string{"24h0m0s " + otherThanRows, lost[0], lost[1], "24h0m0s " + coarser("10")}, lost[2:]...)...)
}

func TestRebuildAll(t *testing.T) {
	db := open(t)
	roll := upkeep.NewRollUp(db, quiet)
	one, other := load(t, db, "one", longRun()), load(t, db, "other", longRun())
	pass(t, roll.Pass)
	for _, id := range []int64{one, other} {
		falsify(t, db, id, "R", 0, noon+90*minute)
	}
	all, err := roll.RebuildAll(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if marked := len(marksOf(t, db, one)) + len(marksOf(t, db, other)); int64(marked) != all || len(marksOf(t, db, one)) == 0 {
		t.Errorf("%d minutes are marked, and %d were told", marked, all)
	}
	pass(t, roll.Pass)
	verified(t, db, one, "after the rebuild")
	verified(t, db, other, "after the rebuild")
	if _, err := roll.Rebuild(t.Context(), other+1); jobmon.ErrorCode(err) != jobmon.CodeNotFound {
		t.Errorf("of no workflow: %v", err)
	}
}

// What is damaged in an hour whose rows are still there is made again from these, along with all that lies
// over it, however much of it is damaged.
func TestRepairAtTheHorizon(t *testing.T) {
	db := open(t)
	tasks := []jobmon.TaskHistory{longRun(), lived("2", "b", "GQIORD", hour, hour, hour, 2*hour, 3*hour, 4*hour)}
	for _, twice := range []bool{false, true} {
		id := load(t, db, fmt.Sprint("both hours: ", twice), tasks...)
		roll := upkeep.NewRollUp(db, quiet)
		pass(t, roll.Pass)
		setHorizon(t, db, id, func(h *store.Horizon) { h.RowsFrom, h.FirstAt, h.LastAt = noon+hour, noon+minute, noon+4*minute })
		deleteRows(t, db, id, noon, noon+hour)
		damaged := []store.BlockKey{keyOf(id, "R", 0, hour), keyOf(id, "R", 1, hour), keyOf(id, "R", 2, hour)}
		ruin(t, db, damaged...)
		if twice { // and nobody has told of it, or knows what is in it
			ruin(t, db, keyOf(id, "R", 0, 3*hour))
		}
		if err := roll.Repair(t.Context(), damaged); err != nil {
			t.Error(err)
		}
		check(t, timeline.New(db, nil), timeline.Request{
			WorkflowID: id, Start: noon, End: new(noon + 5*hour), Bucket: 10 * minute, Statuses: concurrency.Of(running),
		}, tasks, "before the pass")
		pass(t, roll.Pass)
		verified(t, db, id, "after the repair")
		if left := marksOf(t, db, id); len(left) > 0 {
			t.Errorf("%d minutes are still marked", len(left))
		}
	}
}

// Two templates that share a name are one series, known by the first of them; which that is may change when
// tasks of another come along.
func TestTheFirstTemplateOfAName(t *testing.T) {
	db := open(t)
	id := load(t, db, "run", longRun())
	pass(t, upkeep.NewRollUp(db, quiet).Pass)
	joined := altered{Store: db, templates: func(all []store.TemplateName) []store.TemplateName {
		return append([]store.TemplateName{{ID: -1, Name: all[0].Name}}, all...)
	}}
	if r := verified(t, joined, id, "with another template of the name"); r.Cells == 0 {
		t.Error("nothing was compared")
	}
}

// Rows are not removed while their cells tell something else.
func TestRetentionKeepsTheRowsOfWrongCells(t *testing.T) {
	base := ahead()
	db := clocked{open(t), base + 300*day}
	id := loadToExpire(t, db, "run", []jobmon.TaskHistory{{Name: "1", Template: "a", Attempts: 1, Moves: []jobmon.Move{
		{To: jobmon.TaskRegistering, At: base}, {To: jobmon.TaskDone, At: base + minute},
	}}})
	roll := upkeep.NewRollUp(db, quiet)
	retention, err := newRetention(db, quiet, 200*24*time.Hour, 0)
	if err != nil {
		t.Fatal(err)
	}
	pass(t, roll.Pass)
	falsify(t, db, id, "R", 0, base+30*minute)
	pass(t, retention.Pass)
	if p := retention.Progress(); p.Rows != 0 || p.Failed != 1 || horizonOf(t, db, id).RowsFrom != 0 {
		t.Errorf("%+v, rows from %d", p, horizonOf(t, db, id).RowsFrom)
	}
	if _, err := roll.Rebuild(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	pass(t, roll.Pass, retention.Pass)
	if p := retention.Progress(); p.Rows != 2 || p.Failed != 0 {
		t.Errorf("after a rebuild: %+v", p)
	}
}
