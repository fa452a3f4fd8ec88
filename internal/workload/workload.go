// Package workload makes up the workflows that Tasktide is measured with: as many tasks as the size asks
// for, drawn from a seed, one after the other, so that none of them has to be kept.
//
// Instants are microseconds since the Unix epoch, UTC. The same seed and the same end give the same
// workflows; they depend on the end only by being shifted along.
package workload

import (
	"fmt"
	"math"
	"strings"
	"time"

	"tasktide/internal/jobmon"
)

// Size is how large a workload is.
type Size struct {
	Name      string        // one letter
	Workflows int           // how many workflows there are
	Tasks     int           // of all workflows together
	Largest   int           // tasks of the largest workflow, the first
	Templates int           // of each workflow
	Span      time.Duration // every task moves in [end-Span, end) only
}

const day = 24 * time.Hour

// Sizes lists the sizes, the smallest first.
func Sizes() []Size {
	return []Size{
		{Name: "S", Workflows: 1, Tasks: 10_000, Largest: 10_000, Templates: 20, Span: day},
		{Name: "M", Workflows: 1, Tasks: 100_000, Largest: 100_000, Templates: 20, Span: day},
		{Name: "L", Workflows: 1, Tasks: 1_000_000, Largest: 1_000_000, Templates: 60, Span: 30 * day},
		{Name: "X", Workflows: 1_000, Tasks: 10_000_000, Largest: 2_000_000, Templates: 20, Span: 90 * day},
	}
}

// ParseSize returns the size of that name. CodeInvalid when there is none.
func ParseSize(name string) (Size, error) {
	sizes := Sizes()
	names := make([]string, len(sizes))
	for i, size := range sizes {
		if size.Name == name {
			return size, nil
		}
		names[i] = size.Name
	}
	return Size{}, jobmon.FieldErrorf("size", "%q is not a size; use one of %s", name, strings.Join(names, ", "))
}

// List returns the workflows that the seed gives, the largest first. The largest has tasks over the whole
// of [end-Span, end). The others last as much less as they are smaller, so that all have as many tasks an
// hour, and lie anywhere in there.
func (s Size) List(seed uint64, end int64) []Workflow {
	begin := end - s.Span.Microseconds()
	workflows := make([]Workflow, s.Workflows)
	for i, tasks := range s.tasks() {
		lasts := int64(float64(s.Span.Microseconds()) * (float64(tasks) / float64(s.Largest)))
		w := Workflow{
			Name:      fmt.Sprintf("workload_%s_seed_%d", s.Name, seed),
			Tasks:     tasks,
			Templates: s.Templates,
			End:       end,
			seed:      seed,
			stream:    uint64(i),
		}
		if s.Workflows > 1 {
			w.Name += fmt.Sprintf("_%04d", i+1)
		}
		w.From = begin
		if idle := s.Span.Microseconds() - lasts; idle > 0 {
			w.From += w.chance(starts).Int64N(idle)
		}
		w.Until = w.From + lasts
		activeOnAverage := float64(tasks) * meanActive.Seconds() / (float64(lasts) / 1e6)
		w.MaxConcurrentlyRunning = int64(math.Ceil(2 * activeOnAverage))
		workflows[i] = w
	}
	return workflows
}

// tasks returns how many tasks each workflow has. Those after the largest share what it leaves in
// proportion to 1/2, 1/3, 1/4 and so on.
func (s Size) tasks() []int {
	shares := make([]float64, s.Workflows) // of each workflow and those before it
	for i := 1; i < s.Workflows; i++ {
		shares[i] = shares[i-1] + 1/float64(i+1)
	}
	counts := []int{s.Largest}
	rest, given := float64(s.Tasks-s.Largest), 0
	for i := 1; i < s.Workflows; i++ {
		// Rounding what has been given out so far, not each count, makes the sum come out.
		upToHere := int(rest * (shares[i] / shares[s.Workflows-1]))
		counts = append(counts, upToHere-given)
		given = upToHere
	}
	return counts
}
