package timeline

import (
	"context"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// describe says of stays which tasks they are of, and at which attempt these were at the instant.
func describe(
	ctx context.Context, snapshot store.Snapshot, at int64, stays []store.Stay, templates []store.TemplateName,
) ([]TaskAt, error) {
	if len(stays) == 0 {
		return nil, nil
	}
	ids := make([]int64, len(stays))
	for i, stay := range stays {
		ids[i] = stay.TaskID
	}
	tasks := make(map[int64]store.Task, len(ids))
	for task, err := range snapshot.Tasks(ctx, store.TaskFilter{IDs: ids}) {
		if err != nil {
			return nil, err
		}
		tasks[task.ID] = task
	}
	chains := make(map[int64]*chain, len(ids))
	for _, id := range ids {
		chains[id] = &chain{}
	}
	for row, err := range snapshot.TransitionsOf(ctx, ids) {
		if err != nil {
			return nil, err
		}
		chains[row.TaskID].follow(row, at)
	}
	nodes := make(map[int64][]string, len(ids))
	for node, err := range snapshot.TaskNodes(ctx, ids) {
		if err != nil {
			return nil, err
		}
		nodes[node.TaskID] = append(nodes[node.TaskID], node.Nodename)
	}
	names := make(map[int64]string, len(templates))
	for _, template := range templates {
		names[template.ID] = template.Name
	}
	told := make([]TaskAt, len(stays))
	for i, stay := range stays {
		task, chain, ran := tasks[stay.TaskID], chains[stay.TaskID], nodes[stay.TaskID]
		told[i] = TaskAt{Stay: stay, Name: task.Name, Template: names[stay.TaskTemplateID]}
		attempt, known := chain.attempt(task.NumAttempts, stay.Status)
		if known {
			told[i].Attempt = &attempt
		}
		// Each attempt has one instance, so the later ones stand at the end.
		if begun := len(ran) - chain.later; begun > 0 && (known && attempt > 0 || stay.Status.Active()) {
			told[i].Nodename = ran[begun-1]
		}
	}
	return told, nil
}

// chain is what the transitions of a task tell of its attempts up to an instant and after it. A task begins an
// attempt when it enters QUEUED. Its attempts are forgotten when it is reset, which leaves a row only when
// the task was not in REGISTERING already, as one that failed is until it is queued again.
type chain struct {
	last jobmon.Transition
	// begun counts the attempts up to the instant since the creation or the last reset that left a row. whole
	// says that there is such a row, and waited that the task may have been reset since without one.
	begun         int
	whole, waited bool
	// later counts the attempts after the instant. The others say that the task was reset after it, and that
	// it may have been without a row.
	later                   int
	resetLater, waitedLater bool
}

// follow takes the next transition of the task.
func (c *chain) follow(row jobmon.Transition, at int64) {
	waits := row.From == jobmon.TaskErrorRecoverable && row.To == jobmon.TaskRegistering
	// What ERROR_FATAL leads to by way of ERROR_RECOVERABLE is another try with larger resources.
	resets := row.To == jobmon.TaskRegistering && row.From != jobmon.TaskErrorRecoverable ||
		row.To == jobmon.TaskAdjustingResources && c.last.From == jobmon.TaskErrorFatal
	begins := row.To == jobmon.TaskQueued
	c.last = row
	if row.At > at {
		c.resetLater = c.resetLater || resets
		c.waitedLater = c.waitedLater || waits
		if begins {
			c.later++
		}
		return
	}
	c.waited = c.waited || waits
	c.waitedLater = waits // the task is still waiting at the instant
	if resets {           // or it is created
		c.begun, c.whole, c.waited = 0, true, false
	}
	if begins {
		c.begun++
	}
}

// attempt returns how many attempts the task had begun at the instant, when it has as many now and was in a
// status then, and whether that can be told.
func (c *chain) attempt(now int, status jobmon.TaskStatus) (attempt int, known bool) {
	counted := now - c.later // the least that they can have been
	waiting := c.waitedLater || status == jobmon.TaskRegistering && !c.whole
	switch {
	case !c.resetLater && !waiting:
		return max(0, counted), true
	case c.whole && !c.waited:
		return c.begun, true
	default:
		return c.begun, c.whole && !c.resetLater && c.begun == counted
	}
}
