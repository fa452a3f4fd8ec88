package workload

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"tasktide/internal/jobmon"
)

// A step of a task's life takes from nothing to this long, evenly spread. Between RUNNING and the end of
// an attempt lies its run time, whose logarithm in seconds is normally distributed.
const (
	untilQueued        = 30 * time.Second
	untilInstantiating = 10 * time.Second
	untilLaunched      = 20 * time.Second
	untilRunning       = 120 * time.Second

	meanLogarithm = 6.2
	spread        = 1.0

	// failing is the share of tasks whose first attempt fails. The second never does.
	failing = 0.03

	// meanActive is how long an attempt counts against the limit on average: 75 s from being queued to
	// RUNNING, and the mean of the run times, exp(6.2 + 1/2) s.
	meanActive = 75*time.Second + 812*time.Second
)

// Each purpose of chance has a generator of its own, so that one does not change with another.
const (
	starts uint64 = iota + 1
	lives
)

// Workflow is one workflow of a workload. All its tasks are created in [From, Until) and live to their
// end, unless that lies at End or later: they are then still on their way at End.
type Workflow struct {
	Name string
	// MaxConcurrentlyRunning is a limit that the tasks keep to, in active tasks: twice their average.
	MaxConcurrentlyRunning int64
	Tasks                  int
	Templates              int
	From, Until, End       int64

	seed, stream uint64
}

func (w Workflow) chance(purpose uint64) *rand.Rand {
	return rand.New(rand.NewPCG(w.seed, w.stream<<8|purpose))
}

// Histories yields the tasks in the order of their creation, which is spread evenly over [From, Until).
// It holds none of them, may be read again and yields the same then. What it yields belongs to the reader.
func (w Workflow) Histories() iter.Seq[jobmon.TaskHistory] {
	return func(yield func(jobmon.TaskHistory) bool) {
		rng := w.chance(lives)
		templates := make([]string, w.Templates)
		for i := range templates {
			templates[i] = fmt.Sprintf("template_%02d", i+1)
		}
		// A part of the time for each task, and not an instant anywhere in it, makes them come in order
		// without one being looked at before its turn.
		part := (w.Until - w.From) / int64(w.Tasks)
		for i := range w.Tasks {
			// The square prefers the first templates: of 20, the first has 22 % of the tasks and the last
			// has 3 %.
			u := rng.Float64()
			template := templates[int(float64(w.Templates)*u*u)]
			l := life{rng: rng, now: w.From + int64(i)*part + rng.Int64N(part), end: w.End}
			l.play()
			task := jobmon.TaskHistory{
				Name:     template + "_part-" + strconv.Itoa(i+1),
				Template: template,
				Attempts: l.attempts,
				Moves:    l.moves,
			}
			if !yield(task) {
				return
			}
		}
	}
}

// life is a task on its way.
type life struct {
	rng      *rand.Rand
	now      int64
	end      int64 // what lies here or later has not happened
	attempts int
	moves    []jobmon.Move
}

// play draws the whole life.
func (l *life) play() {
	fails := l.rng.Float64() < failing
	l.moves = make([]jobmon.Move, 0, 6)
	l.enter(jobmon.TaskRegistering)
	if fails {
		l.attempt()
		// As the ledger writes it: no task rests in ERROR_RECOVERABLE.
		l.enter(jobmon.TaskErrorRecoverable)
		l.enter(jobmon.TaskRegistering)
	}
	l.attempt()
	l.enter(jobmon.TaskDone)
}

// attempt goes from being queued to the end of the run time.
func (l *life) attempt() {
	l.wait(untilQueued)
	if l.enter(jobmon.TaskQueued) {
		l.attempts++
	}
	l.wait(untilInstantiating)
	l.enter(jobmon.TaskInstantiating)
	l.wait(untilLaunched)
	l.enter(jobmon.TaskLaunched)
	l.wait(untilRunning)
	l.enter(jobmon.TaskRunning)
	seconds := math.Exp(meanLogarithm + spread*l.rng.NormFloat64())
	l.now += int64(seconds * 1e6)
}

func (l *life) wait(most time.Duration) {
	l.now += l.rng.Int64N(most.Microseconds())
}

// enter moves the task now, and reports whether that still happened.
func (l *life) enter(to jobmon.TaskStatus) bool {
	if l.now >= l.end {
		return false
	}
	l.moves = append(l.moves, jobmon.Move{To: to, At: l.now})
	return true
}
