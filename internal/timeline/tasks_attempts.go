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
		total := int64(len(ran))
		if total == 0 {
			total = int64(task.NumAttempts) // a run was loaded, and has no instances
		}
		told[i].Attempt = chain.attempt(stay.Status, total)
		// Each attempt has one instance, so the later ones stand at the end.
		if begun := total - chain.later; told[i].Attempt > 0 && begun > 0 && len(ran) > 0 {
			told[i].Nodename = ran[begun-1]
		}
	}
	return told, nil
}

// chain is what the transitions of a task tell of its attempts up to an instant and after it.
type chain struct {
	whole        bool // it begins with the task's creation
	begun, later int64
	// from is the status that the last transition up to the instant left, unless there is none.
	from  jobmon.TaskStatus
	known bool
}

// follow takes the next transition of the task.
func (c *chain) follow(row jobmon.Transition, at int64) {
	c.whole = c.whole || row.From == 0
	begins := int64(0)
	if row.To == jobmon.TaskQueued {
		begins = 1
	}
	if row.At > at {
		c.later += begins
		return
	}
	c.begun += begins
	c.from, c.known = row.From, true
}

// attempt returns the number of the attempt that the task was at in a status, when there were so many in all.
func (c *chain) attempt(status jobmon.TaskStatus, total int64) int64 {
	begun := c.begun
	if !c.whole {
		begun = total - c.later
	}
	return attemptOf(status, c.from, c.known, begun)
}

// attemptOf numbers the attempt that a task is at in a status, or that led to it, when so many have begun. It is 0
// where there is none, and where it cannot be told: there are ways into DONE without an attempt, so that it takes
// the status that the task came from, if it is known.
func attemptOf(status, from jobmon.TaskStatus, known bool, begun int64) int64 {
	led := from.InAttempt()
	if !known {
		led = !status.Final()
	}
	if status == jobmon.TaskQueued || led && status.InAttempt() {
		return max(begun, 0)
	}
	return 0
}
