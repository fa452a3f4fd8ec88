package upkeep_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tasktide/internal/store"
	"tasktide/internal/upkeep"
)

// believable is what a server knows that has passed an hour ago, and keeps rows for 90 days and cells for 400.
func believable() upkeep.Evidence {
	const rows, blocks = 90 * day, 400 * day
	at := noon - hour
	return upkeep.Evidence{
		Now: noon, Server: noon, Watched: time.Hour,
		Known: store.RetentionClock{At: at, Passed: true, RowsBefore: at - rows, DataBefore: at - at%day - blocks},
		Ahead: at - rows,
		Rows:  90 * 24 * time.Hour, Blocks: 400 * 24 * time.Hour,
		RowsBefore: noon - rows, DataBefore: noon - noon%day - blocks, RowsDue: true, DataDue: true,
	}
}

// at is the same evidence when both clocks say another time.
func at(e upkeep.Evidence, now int64) upkeep.Evidence {
	e.RowsBefore += now - e.Now
	e.DataBefore += now - now%day - (e.Now - e.Now%day)
	e.Now, e.Server = now, now
	return e
}

// kept is the same evidence where rows and cells are kept for another time.
func kept(e upkeep.Evidence, age time.Duration) upkeep.Evidence {
	e.Rows, e.Blocks = age, age
	e.RowsBefore, e.DataBefore = e.Now-age.Microseconds(), e.Now-age.Microseconds()
	e.Known.RowsBefore, e.Known.DataBefore = e.Known.At-age.Microseconds(), e.Known.At-age.Microseconds()
	return e
}

func TestWhenAPassIsHeld(t *testing.T) {
	restarted := believable()
	restarted.Watched = 0
	for _, c := range []struct {
		name     string
		evidence func() upkeep.Evidence
		held     upkeep.HoldReason
		says     string
	}{
		{"an hour after the last pass", believable, "", ""},
		{"at a restart", func() upkeep.Evidence { return restarted }, "", ""},
		{"after a weekend", func() upkeep.Evidence { return at(restarted, noon+3*day) }, "", ""},
		{"stopped for three weeks", func() upkeep.Evidence { return at(restarted, noon+21*day) }, upkeep.HoldJump, "21 days after the last pass"},
		{"the database was away for three weeks", func() upkeep.Evidence {
			e := at(restarted, noon+21*day)
			e.Watched = 21*24*time.Hour + time.Hour
			return e
		}, "", ""},
		{"100 days ahead", func() upkeep.Evidence { return at(believable(), noon+100*day) }, upkeep.HoldJump, "set the clock right"},
		{"100 days ahead with nothing due", func() upkeep.Evidence {
			e := at(believable(), noon+100*day)
			e.RowsDue, e.DataDue = false, false
			return e
		}, upkeep.HoldJump, "set the clock right"},
		{"100 days ahead, before the first pass", func() upkeep.Evidence {
			e := at(restarted, noon+100*day)
			e.Known.Passed = false
			return e
		}, upkeep.HoldJump, "100 days after the newest transition"},
		{"the database's clock only", func() upkeep.Evidence {
			e := at(believable(), noon+100*day)
			e.Server = noon
			return e
		}, upkeep.HoldSkew, "this server's 2026-03-01T12:00:00Z"},
		{"the server's clock only", func() upkeep.Evidence {
			e := believable()
			e.Server -= 6 * minute
			return e
		}, upkeep.HoldSkew, "6m0s apart"},
		{"a boot in 1970", func() upkeep.Evidence { return at(believable(), hour) }, upkeep.HoldImpossible, "cannot be true"},
		{"a clock that was wrong and comes back", func() upkeep.Evidence { return at(believable(), noon-2*day) }, upkeep.HoldBack, "before the last pass"},
		{"a clock that was set back by a minute", func() upkeep.Evidence { return at(believable(), noon-hour-minute) }, "", ""},
		{"after a wrong clock was believed", func() upkeep.Evidence {
			e := believable()
			e.Ahead = noon + 10*day
			return e
		}, upkeep.HoldAhead, "run tasktide retention recover"},
		{"the first removal", func() upkeep.Evidence {
			e := believable()
			e.Known.RowsBefore = 0
			return e
		}, upkeep.HoldFirst, "--audit-retention 90d --block-retention 400d --confirm"},
		{"no pass and no row known", func() upkeep.Evidence {
			e := believable()
			e.Known = store.RetentionClock{}
			return e
		}, upkeep.HoldFirst, "no pass is known"},
		{"a new database", func() upkeep.Evidence {
			e := believable()
			e.Known, e.RowsDue, e.DataDue = store.RetentionClock{}, false, false
			return e
		}, "", ""},
		{"a retention of 90 days becomes one of 30", func() upkeep.Evidence {
			e := believable()
			e.Rows, e.RowsBefore = 30*24*time.Hour, e.Now-30*day
			return e
		}, upkeep.HoldCutoff, "kept for a shorter time"},
		{"of 90 days one of 89", func() upkeep.Evidence {
			e := believable()
			e.Rows, e.RowsBefore = 89*24*time.Hour, e.Now-89*day
			return e
		}, "", ""},
		{"36 hours, at a restart", func() upkeep.Evidence { return kept(restarted, 36*time.Hour) }, "", ""},
		{"36 hours, 8 hours ahead", func() upkeep.Evidence { return kept(at(restarted, noon+8*hour), 36*time.Hour) }, "", ""},
		{"36 hours, 2 days ahead", func() upkeep.Evidence { return kept(at(restarted, noon+2*day), 36*time.Hour) }, upkeep.HoldJump, ""},
		{"2 hours, at a restart", func() upkeep.Evidence { return kept(restarted, 2*time.Hour) }, "", ""},
		{"2 hours, 2 hours ahead", func() upkeep.Evidence { return kept(at(restarted, noon+2*hour), 2*time.Hour) }, upkeep.HoldJump, ""},
	} {
		e := c.evidence()
		hold := e.Decide()
		if hold.Reason != c.held || !strings.Contains(hold.Message, c.says) {
			t.Errorf("%s: held %q because %q, want %q because %q", c.name, hold.Reason, hold.Message, c.held, c.says)
		}
		if offered := strings.Contains(hold.Message, " --confirm"); offered != c.held.Confirmable() {
			t.Errorf("%s: --confirm is offered %t: %s", c.name, offered, hold.Message)
		}
		e.Confirmed = true
		if got := e.Decide() == (upkeep.Hold{}); got != (c.held == "" || c.held.Confirmable()) {
			t.Errorf("%s: a person is obeyed %t", c.name, got)
		}
	}
}

// Whatever the clocks say, in the order of passes: what goes without a person's word is old enough by a clock that
// differs by no more than a quarter of its age from the true one, and a pass that is held changes nothing.
func TestNoRowGoesEarlyByAWrongClock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		age := rapid.SampledFrom([]time.Duration{36 * time.Hour, 10 * 24 * time.Hour, 90 * 24 * time.Hour}).Draw(t, "age")
		truth := noon
		known := store.RetentionClock{At: truth, Passed: true, RowsBefore: truth - age.Microseconds()}
		watched, wrong := time.Duration(0), int64(0) // by how much the clock differed at the last accepted pass
		for range rapid.IntRange(1, 20).Draw(t, "passes") {
			passed := rapid.SampledFrom([]int64{hour, hour, day, 20 * day}).Draw(t, "passed")
			truth += passed
			watched += time.Duration(passed) * time.Microsecond
			if rapid.IntRange(0, 4).Draw(t, "restart") == 0 {
				watched = 0
			}
			ahead := rapid.SampledFrom([]int64{0, 0, hour, -day, day, 6 * day, 100 * day, 10_000 * day, -20_000 * day}).Draw(t, "ahead")
			now := truth + ahead
			e := upkeep.Evidence{
				Now: now, Server: now, Known: known, Watched: watched, Rows: age, RowsBefore: max(now-age.Microseconds(), 0), RowsDue: true,
			}
			step := min(age.Microseconds()/4, 7*day)
			if hold := e.Decide(); hold != (upkeep.Hold{}) {
				continue
			}
			if e.RowsBefore > known.RowsBefore+watched.Microseconds()+step+hour {
				t.Fatalf("the cutoff goes on by %v", time.Duration(e.RowsBefore-known.RowsBefore)*time.Microsecond)
			}
			if ahead > max(wrong, 0)+step {
				t.Fatalf("a clock that is %v ahead is believed after one that was %v", time.Duration(ahead)*time.Microsecond, time.Duration(wrong)*time.Microsecond)
			}
			after := e.Accepted()
			if after.At < known.At || after.RowsBefore < known.RowsBefore || !after.Passed {
				t.Fatalf("%+v became %+v", known, after)
			}
			known, watched, wrong = after, 0, after.At-truth
		}
	})
}
