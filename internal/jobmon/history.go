package jobmon

// Move is a task entering a status at an instant, in microseconds since the Unix epoch, UTC.
type Move struct {
	To TaskStatus
	At int64
}

// TaskHistory is the whole life of one task of a run that is over, as an importer knows it.
type TaskHistory struct {
	Name     string
	Template string
	Attempts int // as many as there are times of being QUEUED among the moves, or more
	// Moves is the life in order: the first enters REGISTERING, and none comes before the one ahead
	// of it.
	Moves []Move
}

// Queued returns how often the task was queued.
func (h TaskHistory) Queued() (times int) {
	for _, move := range h.Moves {
		if move.To == TaskQueued {
			times++
		}
	}
	return times
}

// Check returns CodeInvalid when the history is not one that JobMon could have had: it does not
// begin with REGISTERING, goes back in time, takes a step that the state machine does not know, or
// ends in ERROR_RECOVERABLE. REGISTERING to DONE is allowed: that is a task whose result was already
// there.
func (h TaskHistory) Check() error {
	if len(h.Moves) == 0 || h.Moves[0].To != TaskRegistering {
		return Errorf(CodeInvalid, "task %q does not begin with %s", h.Name, TaskRegistering.Name())
	}
	for i, move := range h.Moves[1:] {
		before := h.Moves[i]
		cached := before.To == TaskRegistering && move.To == TaskDone
		if !before.To.MayBecome(move.To) && !cached {
			return Errorf(CodeInvalid, "task %q cannot go from %s to %s", h.Name, before.To.Name(), move.To.Name())
		}
		if move.At < before.At {
			return Errorf(CodeInvalid, "task %q enters %s before it entered %s", h.Name, move.To.Name(), before.To.Name())
		}
	}
	if last := h.Moves[len(h.Moves)-1].To; last == TaskErrorRecoverable {
		return Errorf(CodeInvalid, "task %q ends in %s, where no task rests", h.Name, last.Name())
	}
	return nil
}
