package demo

import (
	"cmp"
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"tasktide/internal/jobmon"
)

const (
	// cycle is how often the scheduler looks for tasks to queue; what became ready since enters the
	// queue at once.
	cycle = 15 * time.Second
	// bindAtOnce is how many tasks enter REGISTERING at the same instant.
	bindAtOnce = 500
)

// schedule plays a plan through under its limit and returns its tasks, the last of which moves at
// the instant end.
func schedule(rng *rand.Rand, plan plan, end int64) []jobmon.TaskHistory {
	s := scheduler{rng: rng, plan: plan, left: make([]int, len(plan.templates))}
	for i, template := range plan.templates {
		s.left[i] = template.tasks
		for n := range template.tasks {
			s.template = append(s.template, i)
			s.tasks = append(s.tasks, jobmon.TaskHistory{
				Name:     fmt.Sprintf("%s_part-%d", template.name, n+1),
				Template: template.name,
			})
		}
	}
	for i := range s.tasks {
		bound := time.Duration(i/bindAtOnce) * 180 * time.Millisecond
		s.enter(i, bound, jobmon.TaskRegistering)
	}
	for i, template := range plan.templates {
		if len(template.after) == 0 {
			s.release(i, time.Second)
		}
	}
	s.run()

	var last int64
	for _, task := range s.tasks {
		last = max(last, task.Moves[len(task.Moves)-1].At)
	}
	for _, task := range s.tasks {
		for i := range task.Moves {
			task.Moves[i].At += end - last
		}
	}
	return s.tasks
}

// scheduler is a plan under way. Times are since the workflow's start.
type scheduler struct {
	rng      *rand.Rand
	plan     plan
	tasks    []jobmon.TaskHistory
	template []int // of each task
	left     []int // of each template, the tasks that are not done
	ready    []int // tasks that may be queued, first come first served
	active   int
	events   events
}

// event is something that the scheduler learns: a task becomes ready, or an attempt ends.
type event struct {
	at    time.Duration
	task  int
	ended bool
	fails bool
}

func (s *scheduler) run() {
	for now := time.Duration(0); len(s.events) > 0 || len(s.ready) > 0; now += cycle {
		for len(s.events) > 0 && s.events[0].at <= now {
			s.handle(heap.Pop(&s.events).(event))
		}
		count := min(s.plan.limit-s.active, len(s.ready))
		for _, task := range s.ready[:count] {
			s.attempt(task, now)
		}
		s.ready = s.ready[count:]
	}
}

func (s *scheduler) handle(e event) {
	if !e.ended {
		s.ready = append(s.ready, e.task)
		return
	}
	s.active--
	if !e.fails {
		s.enter(e.task, e.at, jobmon.TaskDone)
		s.through(s.template[e.task], e.at)
		return
	}
	s.enter(e.task, e.at, jobmon.TaskErrorRecoverable)
	if s.tasks[e.task].Attempts < jobmon.DefaultMaxAttempts {
		s.enter(e.task, e.at, jobmon.TaskRegistering)
		s.ready = append(s.ready, e.task)
		return
	}
	// The template is never through now, and what waits for it never becomes ready.
	s.enter(e.task, e.at, jobmon.TaskErrorFatal)
}

// through takes one finished task off its template and releases what waited for the template.
func (s *scheduler) through(finished int, at time.Duration) {
	if s.left[finished]--; s.left[finished] > 0 {
		return
	}
	for i, template := range s.plan.templates {
		waited := slices.Contains(template.after, finished)
		if waited && !slices.ContainsFunc(template.after, func(other int) bool { return s.left[other] > 0 }) {
			s.release(i, at)
		}
	}
}

// release makes a template's tasks ready, in its bursts.
func (s *scheduler) release(released int, at time.Duration) {
	template := s.plan.templates[released]
	size := (template.tasks + max(template.bursts, 1) - 1) / max(template.bursts, 1)
	first := slices.Index(s.template, released)
	for n := range template.tasks {
		burst := template.every * time.Duration(n/size)
		heap.Push(&s.events, event{at: at + template.delay + burst, task: first + n})
	}
}

// attempt queues a task and plays its attempt through to the end, which is yet to be handled.
func (s *scheduler) attempt(task int, now time.Duration) {
	s.active++
	s.tasks[task].Attempts++
	template := s.plan.templates[s.template[task]]
	// One request queues the tasks of one template; they follow each other.
	at := now + time.Duration(s.template[task])*60*time.Millisecond
	s.enter(task, at, jobmon.TaskQueued)
	at += s.between(time.Second, 8*time.Second)
	s.enter(task, at, jobmon.TaskInstantiating)
	at += s.between(200*time.Millisecond, 2*time.Second)
	s.enter(task, at, jobmon.TaskLaunched)
	at += s.between(time.Second, 25*time.Second)
	s.enter(task, at, jobmon.TaskRunning)

	mayFail := template.fatal || s.tasks[task].Attempts < jobmon.DefaultMaxAttempts
	e := event{task: task, ended: true, fails: s.rng.Float64() < template.failures && mayFail}
	e.at = at + lognormal(s.rng, template.median, template.spread)
	heap.Push(&s.events, e)
}

func (s *scheduler) enter(task int, at time.Duration, status jobmon.TaskStatus) {
	s.tasks[task].Moves = append(s.tasks[task].Moves, jobmon.Move{To: status, At: at.Microseconds()})
}

func (s *scheduler) between(least, most time.Duration) time.Duration {
	return least + time.Duration(s.rng.Int64N(int64(most-least)))
}

// lognormal draws a run time; it is cut off at eight times the median.
func lognormal(rng *rand.Rand, median time.Duration, spread float64) time.Duration {
	factor := math.Exp(spread * rng.NormFloat64())
	return time.Duration(float64(median) * min(factor, 8))
}

// events is a heap, the earliest first; ties go by task, so that the order never depends on chance.
type events []event

func (e events) Len() int { return len(e) }

func (e events) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(e[i].at, e[j].at), cmp.Compare(e[i].task, e[j].task)) < 0
}

func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }

func (e *events) Push(x any) { *e = append(*e, x.(event)) }

func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}
