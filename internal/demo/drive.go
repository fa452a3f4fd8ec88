package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"tasktide/internal/jobmon"
)

// Driven is a workflow that was driven to its end.
type Driven struct {
	WorkflowID int64
	Tasks      int // all of them DONE
	Retries    int // attempts that failed, each followed by another
}

// Drive drives one workflow through a server's state routes to its end, as fast as the server answers, by several
// clients at once. One binds it, queues its tasks up to the limit and launches them, as JobMon's client and its
// distributor do; the others are workers whose tasks take no time. 3 % of the tasks fail, once. The number tells
// workflows that are driven at the same time apart.
func Drive(ctx context.Context, config Config, number, workers int) (Driven, error) {
	s := NewSimulator(config)
	s.client.spacing = 0
	bound, err := s.bind(ctx, number)
	if err != nil {
		return Driven{}, err
	}
	d := &drive{
		liveRun: newLiveRun(s, bound),
		// Nobody who puts something in waits: there are never more instances than that.
		launched: make(chan report, s.config.MaxConcurrentlyRunning),
		outcomes: make(chan outcome, s.config.MaxConcurrentlyRunning),
	}
	ctx, fail := context.WithCancelCause(ctx)
	var working sync.WaitGroup
	for i := range workers {
		rng := rand.New(rand.NewPCG(config.Seed, uint64(i)+1))
		own := client{baseURL: s.client.baseURL, http: s.client.http, rng: rng}
		working.Go(func() {
			if err := d.work(ctx, &own); err != nil {
				fail(err)
			}
		})
	}
	err = d.run(ctx)
	close(d.launched)
	fail(err)
	working.Wait()
	if err != nil {
		err = context.Cause(ctx) // what failed first
	}
	return Driven{WorkflowID: bound.workflowID, Tasks: len(bound.tasks), Retries: d.retries}, err
}

// drive is a workflow run whose workers work at the same time.
type drive struct {
	*liveRun

	launched chan report
	outcomes chan outcome
	unlucky  sync.Map // the tasks that have failed
	retries  int
}

// outcome is how a worker's attempt at a task ended.
type outcome struct {
	task   int64
	status jobmon.InstanceStatus
}

// work reports instances, one after the other, until there will be none any more.
func (d *drive) work(ctx context.Context, c *client) error {
	for next := range d.launched {
		task, status, err := c.logRunning(ctx, next.instance)
		if err != nil {
			return err
		}
		if status != jobmon.InstanceRunning {
			return fmt.Errorf("instance %d is %s and was told to run", next.instance, status.Name())
		}
		fails := false
		if c.rng.Float64() < usualFailures {
			_, failed := d.unlucky.LoadOrStore(task, true)
			fails = !failed
		}
		told := jobmon.InstanceDone
		if fails {
			told = jobmon.InstanceError
		}
		if status, err = c.logEnd(ctx, next.instance, 0, fails); err != nil {
			return err
		}
		if status != told {
			return fmt.Errorf("instance %d is %s and was told that it is %s", next.instance, status.Name(), told.Name())
		}
		d.outcomes <- outcome{task, status}
	}
	return nil
}

// run queues and launches tasks until all of them have ended.
func (d *drive) run(ctx context.Context) error {
	heartbeat := time.NewTicker(heartbeatEvery)
	defer heartbeat.Stop()
	for d.left > 0 {
		// Not for each task that ends: JobMon's client looks every few seconds what it may queue.
		room := d.config.MaxConcurrentlyRunning - d.active
		if len(d.ready) > 0 && 4*room >= d.config.MaxConcurrentlyRunning {
			if err := d.refill(ctx, room); err != nil {
				return err
			}
		}
		select {
		case one := <-d.outcomes:
			if one.status == jobmon.InstanceError {
				d.retries++
			}
			d.ended(one.task, one.status)
		case <-heartbeat.C:
			if err := d.heartbeat(ctx); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if d.failed > 0 {
		return fmt.Errorf("%d tasks of workflow %d did not end as %s", d.failed, d.workflowID, jobmon.TaskDone.Name())
	}
	return d.updateRun(ctx, d.runID, jobmon.RunDone)
}

// refill queues tasks and hands them to the workers.
func (d *drive) refill(ctx context.Context, room int) error {
	if err := d.queue(ctx, room); err != nil {
		return err
	}
	launched, err := d.launch(ctx)
	if err != nil {
		return err
	}
	for _, next := range launched {
		d.launched <- next
	}
	return nil
}
