package runlog

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"strings"

	"tasktide/internal/jobmon"
)

// Table is a run that was read from a CSV file. It holds the file's rows, and makes the histories of their
// tasks one after another: those of a large run are never there together.
type Table struct {
	templates []string
	tasks     [][]span // each task's attempts in the order in which they ran
}

// Len returns how many tasks there are.
func (t *Table) Len() int { return len(t.tasks) }

// Histories yields the tasks in the order in which they first appear in the file. It may be read again.
func (t *Table) Histories() iter.Seq[jobmon.TaskHistory] {
	return func(yield func(jobmon.TaskHistory) bool) {
		for _, attempts := range t.tasks {
			if !yield(t.history(attempts)) {
				return
			}
		}
	}
}

// newTable joins the rows of a file into tasks, and reorders them.
func newTable(templates []string, rows []span, ends OpenEnds) (*Table, error) {
	first, last := int64(math.MaxInt64), beforeLog
	for i := range rows {
		for _, at := range []int64{rows[i].start, rows[i].end} {
			if at != beforeLog && at != afterLog {
				first, last = min(first, at), max(last, at)
			}
		}
	}
	if last == beforeLog {
		return nil, damaged(rows[0].line, columnStart, "missing, as every start and end of the file is; one at least has to be known")
	}
	slices.SortFunc(rows, func(a, b span) int {
		return cmp.Or(strings.Compare(a.task, b.task),
			cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end), a.compareDone(b), cmp.Compare(a.line, b.line))
	})
	t := &Table{templates: templates}
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].task == rows[0].task {
			n++
		}
		if err := t.checkAttempts(rows[:n]); err != nil {
			return nil, err
		}
		closeEnds(rows[:n], first, last, ends)
		t.tasks = append(t.tasks, rows[:n])
		rows = rows[n:]
	}
	slices.SortFunc(t.tasks, func(a, b []span) int { return cmp.Compare(firstLine(a), firstLine(b)) })
	return t, nil
}

// checkAttempts refuses rows of one task, in the order of their starts, that cannot be its attempts.
func (t *Table) checkAttempts(attempts []span) error {
	for i, next := range attempts[1:] {
		before := attempts[i]
		switch {
		case next.template != before.template:
			return damaged(next.line, columnTemplate,
				"%.40q, but the same task has %.40q on line %d; tasks of two templates need two names",
				t.templates[next.template], t.templates[before.template], before.line)
		case next.start < before.end:
			return damaged(next.line, columnStart, "the attempt at the same task on line %d has not ended; attempts cannot overlap, "+
				"and two tasks need two names", before.line)
		case before.status == jobmon.TaskDone:
			return damaged(before.line, columnStatus, "%s, but line %d is a later attempt at the same task; an attempt before the last "+
				"is %s or has no status, and two tasks need two names", before.status.Name(), next.line, jobmon.TaskErrorRecoverable.Name())
		}
	}
	return nil
}

// closeEnds makes spans that reach beyond the log end with it, as far as they are to.
func closeEnds(attempts []span, first, last int64, ends OpenEnds) {
	for i := range attempts {
		if attempts[i].start == beforeLog {
			attempts[i].start = first
		}
		if attempts[i].end == afterLog && ends == OpenUntilLast {
			attempts[i].end = last
		}
	}
}

func firstLine(attempts []span) int {
	line := attempts[0].line
	for _, other := range attempts[1:] {
		line = min(line, other.line)
	}
	return line
}

func (t *Table) history(attempts []span) jobmon.TaskHistory {
	moves := make([]jobmon.Move, 0, 1+5*len(attempts))
	enter := func(at int64, statuses ...jobmon.TaskStatus) {
		for _, status := range statuses {
			moves = append(moves, jobmon.Move{To: status, At: at})
		}
	}
	enter(attempts[0].start, jobmon.TaskRegistering)
	for i, attempt := range attempts {
		enter(attempt.start, jobmon.TaskQueued, jobmon.TaskInstantiating, jobmon.TaskRunning)
		switch {
		case attempt.end == afterLog:
		case i < len(attempts)-1, attempt.status == jobmon.TaskRunning:
			enter(attempt.end, jobmon.TaskErrorRecoverable, jobmon.TaskRegistering)
		case attempt.failed():
			enter(attempt.end, jobmon.TaskErrorRecoverable, jobmon.TaskErrorFatal)
		default:
			enter(attempt.end, jobmon.TaskDone)
		}
	}
	return jobmon.TaskHistory{
		Name: attempts[0].task, Template: t.templates[attempts[0].template], Attempts: len(attempts), Moves: moves,
	}
}
