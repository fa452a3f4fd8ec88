package demo

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"time"

	"tasktide/internal/jobmon"
)

const (
	tick           = 250 * time.Millisecond
	queueEvery     = 2 * time.Second
	heartbeatEvery = 10 * time.Second
	wavePeriod     = 75 * time.Second // of the number of tasks that are let run

	shortestRun = 2 * time.Second
	longestRun  = time.Minute
)

// liveRun is a workflow run that the simulator plays: it is scheduler, distributor and all workers
// at once.
type liveRun struct {
	*Simulator
	boundRun
	began    time.Time
	ready    []int64       // tasks to be queued, in this order
	attempts map[int64]int // of each task that was queued
	active   int           // tasks that are queued and have not ended
	left     int           // tasks that have not come to their end
	failed   int           // tasks that came to another end than DONE
	due      reports
}

// report is what an instance will next tell the server.
type report struct {
	at       time.Time
	instance int64
	template int
	task     int64     // 0 until the server has said it
	running  time.Time // since when; zero when this is the report that it runs
}

func newLiveRun(s *Simulator, bound boundRun) *liveRun {
	r := &liveRun{Simulator: s, boundRun: bound, began: time.Now(), attempts: map[int64]int{}, left: len(bound.tasks)}

	// Each template begins a quarter of its own length after the one before, so that about five are
	// under way at a time.
	ids := make([][]int64, s.config.Templates)
	for task, template := range bound.tasks {
		ids[template] = append(ids[template], task)
	}
	position := make(map[int64]float64, len(bound.tasks))
	for template := range ids {
		slices.Sort(ids[template])
		n := float64(len(ids[template]))
		for part, task := range ids[template] {
			position[task] = float64(template)*n/4 + float64(part) + s.rng.Float64()*n/5
			r.ready = append(r.ready, task)
		}
	}
	slices.SortFunc(r.ready, func(a, b int64) int { return cmp.Compare(position[a], position[b]) })
	return r
}

// play drives the run to its end.
func (r *liveRun) play(ctx context.Context) error {
	queueAt, heartbeatAt := r.began, r.began.Add(heartbeatEvery)
	for r.left > 0 {
		if err := r.report(ctx); err != nil {
			return err
		}
		if now := time.Now(); !now.Before(queueAt) {
			queueAt = now.Add(queueEvery)
			if err := r.queue(ctx, r.room()); err != nil {
				return err
			}
			launched, err := r.launch(ctx)
			if err != nil {
				return err
			}
			for _, next := range launched {
				next.at = time.Now().Add(300*time.Millisecond + time.Duration(r.rng.Int64N(int64(2*time.Second))))
				heap.Push(&r.due, next)
			}
		}
		if now := time.Now(); !now.Before(heartbeatAt) {
			heartbeatAt = now.Add(heartbeatEvery)
			if err := r.heartbeat(ctx); err != nil {
				return err
			}
		}
		if err := wait(ctx, tick); err != nil {
			return err
		}
	}
	if r.failed > 0 {
		return r.updateRun(ctx, r.runID, jobmon.RunError)
	}
	return r.updateRun(ctx, r.runID, jobmon.RunDone)
}

// room is how many more tasks may be queued now. It comes and goes in waves below the limit.
func (r *liveRun) room() int {
	limit := float64(r.config.MaxConcurrentlyRunning)
	phase := 2 * math.Pi * time.Since(r.began).Seconds() / wavePeriod.Seconds()
	wave := limit * (5 + 3*math.Sin(phase)) / 8 // from a quarter of the limit to all of it
	return max(int(wave)-r.active, 0)
}

// queue queues as many tasks as there is room for, one batch for each array.
func (r *liveRun) queue(ctx context.Context, room int) error {
	count := min(room, len(r.ready))
	batches := make([][]int64, len(r.arrays))
	for _, task := range r.ready[:count] {
		batches[r.tasks[task]] = append(batches[r.tasks[task]], task)
	}
	r.ready = r.ready[count:]
	for template, batch := range batches {
		if len(batch) == 0 {
			continue
		}
		var answer struct {
			Tasks map[jobmon.TaskStatus][]int64 `json:"tasks_by_status"`
		}
		err := r.client.call(ctx, http.MethodPost, fmt.Sprintf("/array/%d/queue_task_batch", r.arrays[template]), object{
			"task_ids": batch, "task_resources_id": r.resourcesID, "workflow_run_id": r.runID, "cluster_id": r.clusterID,
		}, &answer)
		if err != nil {
			return err
		}
		for _, task := range batch {
			if slices.Contains(answer.Tasks[jobmon.TaskQueued], task) {
				r.attempts[task]++
				r.active++
			} else {
				r.end(slices.Contains(answer.Tasks[jobmon.TaskDone], task))
			}
		}
	}
	return nil
}

// launch takes the instances that the server made for queued tasks to LAUNCHED, and returns them.
func (r *liveRun) launch(ctx context.Context) ([]report, error) {
	var known struct {
		Instances map[jobmon.InstanceStatus][]int64 `json:"status_updates"`
	}
	err := r.client.call(ctx, http.MethodPost, fmt.Sprintf("/workflow_run/%d/sync_status", r.runID), object{
		"task_instance_ids": []int64{}, "status": jobmon.InstanceQueued,
	}, &known)
	if err != nil {
		return nil, err
	}
	var launched []report
	for ids := range slices.Chunk(known.Instances[jobmon.InstanceQueued], chunkSize) {
		var answer struct {
			Batches []tuple `json:"task_instance_batches"`
		}
		path := "/task_instance/instantiate_task_instances"
		if err := r.client.call(ctx, http.MethodPost, path, object{"task_instance_ids": ids}, &answer); err != nil {
			return nil, err
		}
		for _, batch := range answer.Batches {
			reports, err := r.launchBatch(ctx, batch)
			if err != nil {
				return nil, err
			}
			launched = append(launched, reports...)
		}
	}
	return launched, nil
}

func (r *liveRun) launchBatch(ctx context.Context, batch tuple) (launched []report, err error) {
	var array, number int64
	var instances []int64
	if err := batch.scan(&array, nil, &number, nil, &instances); err != nil {
		return nil, err
	}
	template := slices.Index(r.arrays, array)
	if template < 0 {
		return nil, fmt.Errorf("the server batched instances of array %d, which workflow %d does not have", array, r.workflowID)
	}
	err = r.client.call(ctx, http.MethodPost, fmt.Sprintf("/array/%d/transition_to_launched", array), object{
		"batch_number": number, "next_report_increment": instanceReportIncrement,
	}, nil)
	for _, instance := range instances {
		launched = append(launched, report{instance: instance, template: template})
	}
	return launched, err
}

// report lets every instance speak whose time has come.
func (r *liveRun) report(ctx context.Context) error {
	for len(r.due) > 0 && !r.due[0].at.After(time.Now()) {
		next := heap.Pop(&r.due).(report)
		speak := r.logRunning
		if !next.running.IsZero() {
			speak = r.logEnd
		}
		if err := speak(ctx, next); err != nil {
			return err
		}
	}
	return nil
}

func (r *liveRun) logRunning(ctx context.Context, next report) error {
	task, status, err := r.client.logRunning(ctx, next.instance)
	if err != nil {
		return err
	}
	if status != jobmon.InstanceRunning {
		// Someone stopped it meanwhile; a worker would leave it at that.
		r.active--
		r.end(status == jobmon.InstanceDone)
		return nil
	}
	template := liveTemplates[next.template]
	length := lognormal(r.rng, template.median, template.spread)
	next.task = task
	next.running = time.Now()
	next.at = next.running.Add(min(max(length, shortestRun), longestRun))
	heap.Push(&r.due, next)
	return nil
}

func (r *liveRun) logEnd(ctx context.Context, next report) error {
	fails := r.rng.Float64() < usualFailures && r.attempts[next.task] < jobmon.DefaultMaxAttempts
	status, err := r.client.logEnd(ctx, next.instance, time.Since(next.running), fails)
	if err != nil {
		return err
	}
	r.ended(next.task, status)
	return nil
}

// ended notes the end of a task's attempt, which is also the task's unless it is tried again.
func (r *liveRun) ended(task int64, status jobmon.InstanceStatus) {
	r.active--
	if status == jobmon.InstanceError && r.attempts[task] < jobmon.DefaultMaxAttempts {
		r.ready = append([]int64{task}, r.ready...)
		return
	}
	r.end(status == jobmon.InstanceDone)
}

// end counts a task that has come to its end.
func (r *liveRun) end(done bool) {
	r.left--
	if !done {
		r.failed++
	}
}

func (r *liveRun) heartbeat(ctx context.Context) error {
	var answer struct{ Status jobmon.RunStatus }
	err := r.client.call(ctx, http.MethodPost, fmt.Sprintf("/workflow_run/%d/log_heartbeat", r.runID), object{
		"status": jobmon.RunRunning, "next_report_increment": runReportIncrement,
	}, &answer)
	if err != nil {
		return err
	}
	if answer.Status != jobmon.RunRunning {
		return fmt.Errorf("the server stopped workflow run %d: it is %s", r.runID, answer.Status.Name())
	}
	return nil
}

// reports is a heap, the earliest first.
type reports []report

func (r reports) Len() int { return len(r) }

func (r reports) Less(i, j int) bool {
	return cmp.Or(r[i].at.Compare(r[j].at), cmp.Compare(r[i].instance, r[j].instance)) < 0
}

func (r reports) Swap(i, j int) { r[i], r[j] = r[j], r[i] }

func (r *reports) Push(x any) { *r = append(*r, x.(report)) }

func (r *reports) Pop() any {
	last := (*r)[len(*r)-1]
	*r = (*r)[:len(*r)-1]
	return last
}
