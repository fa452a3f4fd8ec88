package timeline

import (
	"context"
	"math"
	"slices"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// Bounds of the history of a task, of which the latest part is told.
const (
	// MaxStays is how many transitions a history has.
	MaxStays = 10_000
	// MaxAttempts is how many attempts a history has, and how many errors of these. An attempt may come with
	// texts of [store.MaxShown] characters.
	MaxAttempts = 1_000
)

// History is all that is known of one task.
type History struct {
	Task     store.Task
	Template string // its name
	Now      int64
	// Stays are in order, and each ends when the next begins.
	Stays []TaskStay
	// RowsFrom is the instant before which transitions of the task were removed, 0 when none was. The stay
	// that ended with the first that is left is known and is among the stays.
	RowsFrom int64
	Attempts []Attempt // in order
	// Truncated says that earlier stays, attempts or errors are left out because there are too many, or the
	// ends of texts because they are too long.
	Truncated bool
}

// TaskStay is the time [From, Until) that a task was in a status.
type TaskStay struct {
	Status jobmon.TaskStatus
	From   int64
	Until  int64 // 0 while it lasts
	// Attempt is the number of the attempt that the task was at, or that led to the status. It is 0 where
	// there is none, in REGISTERING and in ADJUSTING_RESOURCES too, and where it cannot be told any more.
	Attempt int64
}

// Attempt is an attempt at a task with what went wrong in it, in order.
type Attempt struct {
	store.TaskAttempt

	Errors []store.InstanceError
}

// History returns all that is known of a task. CodeNotFound for one that does not exist.
func (t *Timeline) History(ctx context.Context, taskID int64) (History, error) {
	var history History
	err := t.db.View(ctx, func(ctx context.Context, snapshot store.Snapshot) (err error) {
		history = History{}
		if history.Now, err = snapshot.Now(ctx); err != nil {
			return err
		}
		if err := history.describe(ctx, snapshot, taskID); err != nil {
			return err
		}
		if err := history.readAttempts(ctx, snapshot); err != nil {
			return err
		}
		return history.readStays(ctx, snapshot)
	})
	return history, err
}

func (h *History) describe(ctx context.Context, snapshot store.Snapshot, taskID int64) error {
	for task, err := range snapshot.Tasks(ctx, store.TaskFilter{IDs: []int64{taskID}}) {
		if err != nil {
			return err
		}
		h.Task = task
	}
	if h.Task.ID == 0 {
		return jobmon.Errorf(jobmon.CodeNotFound, "there is no task %d", taskID)
	}
	templates, err := snapshot.TemplateNames(ctx, h.Task.WorkflowID)
	for _, template := range templates {
		if template.ID == h.Task.TaskTemplateID {
			h.Template = template.Name
		}
	}
	return err
}

// readAttempts reads the latest attempts and what went wrong in them.
func (h *History) readAttempts(ctx context.Context, snapshot store.Snapshot) error {
	found, err := snapshot.TaskAttempts(ctx, h.Task.ID, MaxAttempts)
	if err != nil || len(found) == 0 {
		return err
	}
	ids, position := make([]int64, len(found)), make(map[int64]int, len(found))
	h.Attempts = make([]Attempt, len(found))
	h.Truncated = found[0].Number > 1
	for i, attempt := range found {
		h.Attempts[i].TaskAttempt = attempt
		h.Truncated = h.Truncated || attempt.Cut
		ids[i], position[attempt.ID] = attempt.ID, i
	}
	failures, err := snapshot.InstanceErrors(ctx, ids, MaxAttempts+1)
	if len(failures) > MaxAttempts {
		failures, h.Truncated = failures[len(failures)-MaxAttempts:], true
	}
	for _, failure := range failures {
		attempt := &h.Attempts[position[failure.InstanceID]]
		attempt.Errors = append(attempt.Errors, failure)
		h.Truncated = h.Truncated || failure.Cut
	}
	return err
}

// readStays reads the latest transitions and tells from them the stays between them.
func (h *History) readStays(ctx context.Context, snapshot store.Snapshot) error {
	horizon, err := snapshot.Horizon(ctx, h.Task.WorkflowID)
	if err != nil {
		return err
	}
	kept := store.ChangeFilter{
		WorkflowID: h.Task.WorkflowID, TaskID: h.Task.ID, From: horizon.RowsFrom, Before: math.MaxInt64,
	}
	rows, earlier, err := snapshot.StatusChanges(ctx, kept, store.ChangePage{Descending: true, Limit: MaxStays})
	if err != nil {
		return err
	}
	slices.Reverse(rows)
	first := rows
	if earlier != nil {
		h.Truncated = true
		if first, _, err = snapshot.StatusChanges(ctx, kept, store.ChangePage{Limit: 1}); err != nil {
			return err
		}
	}
	if len(first) == 0 || first[0].From != 0 {
		h.RowsFrom = horizon.RowsFrom
	}
	h.Stays = staysOf(rows, h.Task)
	whole := len(rows) > 0 && rows[0].From == 0
	numberAttempts(h.Stays, whole, h.attempts())
	return nil
}

// attempts returns how many attempts there were at the task in all: as many as it has instances, or, where a
// run was loaded that has none, as it says.
func (h *History) attempts() int64 {
	if n := len(h.Attempts); n > 0 {
		return h.Attempts[n-1].Number
	}
	return int64(h.Task.NumAttempts)
}

// staysOf returns the stays between a task's transitions, with the one that ended with the first of them. A
// task of which all transitions are removed has been in its status all the while.
func staysOf(rows []store.StatusChange, task store.Task) []TaskStay {
	if len(rows) == 0 {
		return []TaskStay{{Status: task.Status, From: task.StatusAt}}
	}
	var stays []TaskStay
	if before := rows[0]; before.From != 0 {
		stays = append(stays, TaskStay{Status: before.From, From: before.PreviousAt, Until: before.At})
	}
	for i, row := range rows {
		stay := TaskStay{Status: row.To, From: row.At}
		if i+1 < len(rows) {
			stay.Until = rows[i+1].At
		}
		stays = append(stays, stay)
	}
	return stays
}

// numberAttempts says to which attempt each stay belongs: one begins whenever the task is queued. Unless the
// stays are the whole of the history, the number of all attempts tells which was the first of these.
func numberAttempts(stays []TaskStay, whole bool, attempts int64) {
	queued := int64(0)
	for _, stay := range stays {
		if stay.Status == jobmon.TaskQueued {
			queued++
		}
	}
	begun := int64(0)
	if !whole {
		if begun = attempts - queued; begun < 0 {
			return // nobody knows how many there were
		}
	}
	var from jobmon.TaskStatus
	for i := range stays {
		if stays[i].Status == jobmon.TaskQueued {
			begun++
		}
		stays[i].Attempt = attemptOf(stays[i].Status, from, whole || i > 0, begun)
		from = stays[i].Status
	}
}
