package demo_test

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"tasktide/internal/jobmon"
)

func (f *fakeServer) workflow(_ *http.Request, body object) object {
	hash := f.hash(body["workflow_args_hash"], 256)
	f.hash(body["task_hash"], 256)
	for _, w := range f.workflows {
		if w.argsHash == hash {
			return object{"workflow_id": w.id, "status": w.status, "newly_created": false}
		}
	}
	w := &fakeWorkflow{
		id: f.newID(), argsHash: hash, limit: int(f.integer(body["max_concurrently_running"])),
		status: jobmon.WorkflowRegistering, arrays: map[int64]*fakeArray{}, tasks: map[int64]*fakeTask{},
		byKey: map[string]*fakeTask{}, instances: map[int64]*fakeInstance{},
	}
	f.workflows = append(f.workflows, w)
	return object{"workflow_id": w.id, "status": w.status, "newly_created": true}
}

// find returns the workflow for which has holds.
func (f *fakeServer) find(what string, has func(*fakeWorkflow) bool) *fakeWorkflow {
	i := slices.IndexFunc(f.workflows, has)
	if i < 0 {
		f.t.Fatalf("%s does not exist", what)
	}
	return f.workflows[i]
}

func (f *fakeServer) byArray(id int64) *fakeWorkflow {
	return f.find(fmt.Sprint("array ", id), func(w *fakeWorkflow) bool { return w.arrays[id] != nil })
}

func (f *fakeServer) byInstance(id int64) *fakeWorkflow {
	return f.find(fmt.Sprint("instance ", id), func(w *fakeWorkflow) bool { return w.instances[id] != nil })
}

func (f *fakeServer) byRun(id int64) *fakeWorkflow {
	return f.find(fmt.Sprint("run ", id), func(w *fakeWorkflow) bool { return w.run == id })
}

func (f *fakeServer) byID(id int64) *fakeWorkflow {
	return f.find(fmt.Sprint("workflow ", id), func(w *fakeWorkflow) bool { return w.id == id })
}

func (f *fakeServer) array(_ *http.Request, body object) object {
	w := f.byID(f.integer(body["workflow_id"]))
	name := body["name"].(string)
	for id, array := range w.arrays {
		if array.name == name {
			return object{"array_id": id}
		}
	}
	id := f.newID()
	w.arrays[id] = &fakeArray{name: name}
	return object{"array_id": id}
}

func (f *fakeServer) bindTasks(_ *http.Request, body object) object {
	w := f.byID(f.integer(body["workflow_id"]))
	tasks := body["tasks"].(object)
	if len(tasks) == 0 || len(tasks) > 500 {
		f.t.Errorf("%d tasks in one request", len(tasks))
	}
	answer := object{}
	for key, value := range tasks {
		fields := value.([]any)
		if len(fields) != 10 {
			f.t.Errorf("a task of %d fields: %v", len(fields), fields)
		}
		f.hash(key, 61)
		f.hash(fields[1], 256)
		array := w.arrays[f.integer(fields[2])]
		if array == nil {
			f.t.Errorf("a task of array %v, which does not exist", fields[2])
		}
		task := w.byKey[key]
		if task == nil {
			task = &fakeTask{id: f.newID(), template: array.name, max: int(f.integer(fields[6]))}
			w.byKey[key], w.tasks[task.id] = task, task
			f.enter(w, task, jobmon.TaskRegistering)
		}
		answer[key] = []any{task.id, task.status}
	}
	w.created = w.created || body["mark_created"] == true
	return object{"tasks": answer}
}

// enter moves a task without a question and writes the audit.
func (f *fakeServer) enter(w *fakeWorkflow, task *fakeTask, to jobmon.TaskStatus) {
	if task.status.Active() {
		w.active--
	}
	if to.Active() {
		w.active++
	}
	w.peak = max(w.peak, w.active)
	task.status = to
	f.moves = append(f.moves, fakeMove{at: time.Now(), workflow: w.id, task: task.id, to: to})
}

// move moves a task as the state machine allows.
func (f *fakeServer) move(w *fakeWorkflow, task *fakeTask, to jobmon.TaskStatus) {
	if !task.status.MayBecome(to) {
		f.t.Errorf("task %d cannot go from %s to %s", task.id, task.status.Name(), to.Name())
		return
	}
	f.enter(w, task, to)
}

// moveInstance moves an instance and its task. Staying is what a repeated request comes to.
func (f *fakeServer) moveInstance(w *fakeWorkflow, id int64, to jobmon.InstanceStatus) *fakeInstance {
	instance := w.instances[id]
	if instance.status == to {
		return instance
	}
	if !instance.status.MayBecome(to) {
		f.t.Errorf("instance %d cannot go from %s to %s", id, instance.status.Name(), to.Name())
		return instance
	}
	instance.status = to
	for _, status := range to.TaskMoves(instance.task.status, instance.task.attempts, instance.task.max) {
		f.move(w, instance.task, status)
	}
	return instance
}

func (f *fakeServer) workflowRun(_ *http.Request, body object) object {
	w := f.byID(f.integer(body["workflow_id"]))
	switch {
	case !w.created:
		f.t.Errorf("workflow %d has not been bound to its end", w.id)
	case w.run != 0:
		return object{"workflow_run_id": nil, "err_msg": "another run is linking"}
	}
	w.run, w.runStatus = f.newID(), jobmon.RunLinking
	return object{"workflow_run_id": w.run, "status": w.runStatus}
}

func (f *fakeServer) updateStatus(r *http.Request, body object) object {
	w := f.byRun(f.pathID(r))
	to, err := jobmon.ParseRunStatus(body["status"].(string))
	if err != nil {
		f.t.Error(err)
	}
	if to != w.runStatus {
		if !w.runStatus.MayBecome(to) {
			f.t.Errorf("run %d cannot go from %s to %s", w.run, w.runStatus.Name(), to.Name())
		}
		w.runStatus = to
		if status, follows := to.WorkflowBecomes(); follows {
			w.status = status
		}
	}
	return object{"status": w.runStatus}
}

func (f *fakeServer) heartbeat(r *http.Request, _ object) object {
	return object{"status": f.byRun(f.pathID(r)).runStatus}
}

func (f *fakeServer) syncStatus(r *http.Request, body object) object {
	w := f.byRun(f.pathID(r))
	var ids []int64
	for id, instance := range w.instances {
		if instance.status.String() == body["status"] {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	updates := object{}
	if len(ids) > 0 {
		updates[body["status"].(string)] = ids
	}
	return object{"status_updates": updates, "time": "2026-05-14 09:30:00"}
}

func (f *fakeServer) queueTaskBatch(r *http.Request, body object) object {
	id := f.pathID(r)
	w := f.byArray(id)
	array := w.arrays[id]
	if run := f.integer(body["workflow_run_id"]); run != w.run || w.runStatus != jobmon.RunRunning {
		f.t.Errorf("tasks are queued in run %d, which is not running", run)
	}
	array.batches++
	byStatus := map[jobmon.TaskStatus][]int64{}
	for _, task := range f.integers(body["task_ids"]) {
		task := w.tasks[task]
		if task.template != array.name {
			f.t.Errorf("task %d of %s is queued in array %s", task.id, task.template, array.name)
		}
		if task.status == jobmon.TaskRegistering {
			task.attempts++
			f.move(w, task, jobmon.TaskQueued)
			w.instances[f.newID()] = &fakeInstance{task: task, array: id, batch: array.batches, status: jobmon.InstanceQueued}
		}
		byStatus[task.status] = append(byStatus[task.status], task.id)
	}
	if w.active > w.limit {
		f.t.Errorf("%d tasks are active, limit %d", w.active, w.limit)
	}
	return object{"tasks_by_status": byStatus}
}

func (f *fakeServer) instantiate(_ *http.Request, body object) object {
	type key struct{ array, batch int64 }
	ids := map[key][]int64{}
	for _, id := range f.integers(body["task_instance_ids"]) {
		instance := f.moveInstance(f.byInstance(id), id, jobmon.InstanceInstantiated)
		k := key{instance.array, instance.batch}
		ids[k] = append(ids[k], id)
	}
	batches := [][]any{}
	for k, ids := range ids {
		batches = append(batches, []any{k.array, f.byArray(k.array).arrays[k.array].name, k.batch, 1, ids})
	}
	return object{"task_instance_batches": batches}
}

func (f *fakeServer) launched(r *http.Request, body object) object {
	array := f.pathID(r)
	batch := f.integer(body["batch_number"])
	w := f.byArray(array)
	for id, instance := range w.instances {
		if instance.array == array && instance.batch == batch && instance.status == jobmon.InstanceInstantiated {
			f.moveInstance(w, id, jobmon.InstanceLaunched)
		}
	}
	return object{}
}

func (f *fakeServer) logRunning(r *http.Request, _ object) object {
	id := f.pathID(r)
	w := f.byInstance(id)
	instance := f.moveInstance(w, id, jobmon.InstanceRunning)
	return object{"task_instance": []any{id, instance.status, w.run, instance.task.id, "name", "command", w.id, nil, nil}}
}

func (f *fakeServer) logDone(r *http.Request, _ object) object {
	id := f.pathID(r)
	return object{"status": f.moveInstance(f.byInstance(id), id, jobmon.InstanceDone).status}
}

func (f *fakeServer) logError(r *http.Request, _ object) object {
	id := f.pathID(r)
	return object{"status": f.moveInstance(f.byInstance(id), id, jobmon.InstanceError).status}
}
