package upkeep

import (
	"fmt"
	"time"

	"tasktide/internal/store"
)

const (
	// maxSkew is how far the database's clock may be from the server's, and before that of the last accepted pass.
	maxSkew = 5 * time.Minute
	// One pass may bring the clock, and the cutoffs, on by a quarter of the shortest age beyond the time that the
	// server itself has seen pass, but no further than maxStep. minStep is more than the time between two passes.
	maxStep = 7 * 24 * time.Hour
	minStep = 90 * time.Minute
)

// earliestClock is before this program was written: a machine without a battery begins in 1970, or when it was made.
var earliestClock = time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

// HoldReason is why a pass of retention is held.
type HoldReason string

// The reasons. [HoldReason.Confirmable] says which of them a person can judge.
const (
	HoldSkew       HoldReason = "clock_skew"        // the database's clock and the server's differ
	HoldImpossible HoldReason = "clock_impossible"  // the clock is before this program was written
	HoldAhead      HoldReason = "watermark_ahead"   // rows or cells are said to be removed up to an instant in the future
	HoldBack       HoldReason = "clock_back"        // the clock is before the last accepted pass
	HoldJump       HoldReason = "clock_jump"        // the clock is far after the last accepted pass
	HoldFirst      HoldReason = "first_removal"     // nothing of the kind was removed before, or no pass is recorded
	HoldCutoff     HoldReason = "retention_shorter" // the cutoff is far after that of the last accepted pass
)

// Confirmable reports whether a person may overrule the reason.
func (r HoldReason) Confirmable() bool {
	switch r {
	case HoldBack, HoldJump, HoldFirst, HoldCutoff:
		return true
	case HoldSkew, HoldImpossible, HoldAhead:
	}
	return false
}

// Hold is why a pass removes nothing. The zero value is that of a pass that is not held.
type Hold struct {
	Reason HoldReason
	// Message says what is wrong and then what to do, with the command.
	Message string
}

// Evidence is what retention knows when it asks whether the database's clock can be true. Instants are microseconds since
// the Unix epoch, UTC.
type Evidence struct {
	Now    int64 // by the database's clock
	Server int64 // by the server's own clock
	Known  store.RetentionClock
	// Watched is how much of the time since Known.At the server has itself seen pass, by a clock that nobody can set.
	Watched time.Duration
	// Ahead is the latest instant up to which rows or cells of any workflow are said to be removed; 0 when none are.
	Ahead int64
	// How long rows and cells are kept; 0 means for good.
	Rows, Blocks time.Duration
	// The cutoffs of a pass now, 0 for none, and whether it would remove anything before them.
	RowsBefore, DataBefore int64
	RowsDue, DataDue       bool
	// Confirmed says that a person has seen what a pass would remove, and wants that.
	Confirmed bool
}

// step is how far one pass may bring the clock and the cutoffs on.
func (e Evidence) step() time.Duration {
	shortest := e.Rows
	if shortest == 0 || e.Blocks > 0 && e.Blocks < shortest {
		shortest = e.Blocks
	}
	return min(max(shortest/4, minStep), maxStep)
}

// Decide says whether a pass may remove anything. It is held when its clock cannot be true, and when a person has to say
// whether it is.
func (e Evidence) Decide() Hold {
	reason, what := e.doubt()
	switch {
	case reason == "" || e.Confirmed && reason.Confirmable():
		return Hold{}
	case reason.Confirmable():
		what += fmt.Sprintf(", see what would be removed with: tasktide retention %s --dry-run, and confirm it with: "+
			"tasktide retention %s --confirm", e.flags(), e.flags())
	}
	return Hold{reason, what}
}

// flags are those of the command that makes the same pass.
func (e Evidence) flags() string {
	return fmt.Sprintf("--audit-retention %s --block-retention %s", AgeText(e.Rows), AgeText(e.Blocks))
}

func (e Evidence) doubt() (reason HoldReason, what string) {
	clock := "the database's clock says " + text(e.Now)
	if apart := micros(e.Now - e.Server).Abs(); apart > maxSkew {
		return HoldSkew, fmt.Sprintf("%s and this server's %s, which is %s apart; set the wrong one right",
			clock, text(e.Server), spanText(apart))
	}
	if e.Now < earliestClock {
		return HoldImpossible, clock + ", which cannot be true; set it right"
	}
	if e.Ahead > e.Now {
		return HoldAhead, fmt.Sprintf("%s, and transitions or counts are said to be removed up to %s; if the clock is wrong, set it "+
			"right; if it is right, it was wrong before: run tasktide retention recover", clock, text(e.Ahead))
	}
	since := "the last pass"
	if !e.Known.Passed {
		since = "the newest transition"
	}
	passed := micros(e.Now - e.Known.At)
	switch {
	case e.Known.At == 0:
	case passed < -maxSkew:
		return HoldBack, fmt.Sprintf("%s, which is %s before %s, %s; set the clock right; if it is right and was wrong then",
			clock, spanText(-passed), since, text(e.Known.At))
	case passed-e.Watched > e.step():
		return HoldJump, fmt.Sprintf("%s, which is %s after %s, %s; set the clock right; if it is right because no server ran meanwhile",
			clock, spanText(passed), since, text(e.Known.At))
	}
	for _, kind := range []struct {
		what       string
		known, cut int64
		due        bool
		unit       time.Duration
	}{
		{"transitions", e.Known.RowsBefore, e.RowsBefore, e.RowsDue, time.Hour},
		{"counts", e.Known.DataBefore, e.DataBefore, e.DataDue, 24 * time.Hour},
	} {
		switch further := micros(kind.cut - kind.known); {
		case !kind.due:
		case kind.known == 0 || e.Known.At == 0:
			return HoldFirst, fmt.Sprintf("%s before %s are due, and no pass is known that removed any before; if they may go",
				kind.what, text(kind.cut))
		case further-e.Watched > e.step()+kind.unit:
			return HoldCutoff, fmt.Sprintf("%s before %s are due, and the passes until now removed those before %s; "+
				"if they are to be kept for a shorter time now",
				kind.what, text(kind.cut), text(kind.known))
		}
	}
	return "", ""
}

// Accepted returns what is known after an accepted pass. Confirmed cutoffs take the place of those that a wrong clock has left.
func (e Evidence) Accepted() store.RetentionClock {
	known := store.RetentionClock{
		At: max(e.Now, e.Known.At), Passed: true,
		RowsBefore: max(e.RowsBefore, e.Known.RowsBefore), DataBefore: max(e.DataBefore, e.Known.DataBefore),
	}
	if e.Confirmed {
		known.At = e.Now
		known.RowsBefore, known.DataBefore = min(known.RowsBefore, e.Now), min(known.DataBefore, e.Now)
	}
	return known
}

func micros(n int64) time.Duration { return time.Duration(n) * time.Microsecond }

// spanText writes a span for people: whole days, or to the second.
func spanText(d time.Duration) string {
	if d >= 48*time.Hour {
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	}
	return d.Round(time.Second).String()
}

// AgeText writes an age as a flag takes it: in days where these are whole.
func AgeText(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d == 0:
		return "0"
	case d%day != 0:
		return d.String()
	}
	return fmt.Sprintf("%dd", d/day)
}
