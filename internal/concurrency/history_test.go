package concurrency_test

import (
	"math"
	"math/rand/v2"
	"slices"

	"pgregory.net/rapid"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
)

// step is one entry of a task into a status.
type step struct {
	at    int64
	to    jobmon.TaskStatus
	retry bool // the task is at an attempt after its first
}

// task is the whole life of one task; the instants of its steps do not decrease.
type task struct {
	series   int
	steps    []step
	attempts int // so far
}

// enter adds a step. An attempt begins when the task is queued and ends when it waits for the next one; when it is
// reset, those before it are forgotten.
func (t *task) enter(s step) {
	var before jobmon.TaskStatus
	if n := len(t.steps); n > 0 {
		before = t.steps[n-1].to
	}
	switch {
	case s.to == jobmon.TaskQueued:
		t.attempts++
	case s.to == jobmon.TaskRegistering && before != jobmon.TaskErrorRecoverable:
		t.attempts = 0
	}
	s.retry = t.attempts > 1 && s.to != jobmon.TaskRegistering && s.to != jobmon.TaskAdjustingResources
	t.steps = append(t.steps, s)
}

// scenario is a history and a question about it.
type scenario struct {
	window   concurrency.Window
	statuses []jobmon.TaskStatus // the union that is counted
	series   int
	now      int64
	tasks    []task
	shuffle  uint64 // seeds the order in which the changes arrive
}

// never is an instant long after everything that a scenario tells.
const never = math.MaxInt64

// changes returns the history's rows, each with the status it left, in no particular order.
func (s scenario) changes() []concurrency.Change {
	var changes []concurrency.Change
	for _, task := range s.tasks {
		var from step
		for _, to := range task.steps {
			changes = append(changes, concurrency.Change{
				At: to.at, Series: task.series, From: from.to, To: to.to, Since: from.at, FromRetry: from.retry, ToRetry: to.retry,
			})
			from = to
		}
	}
	random := rand.New(rand.NewPCG(s.shuffle, 0))
	random.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
	return changes
}

func (s scenario) set() concurrency.StatusSet { return concurrency.Of(s.statuses...) }

// The choices that a byte of an encoded scenario makes.
var (
	unions = [][]jobmon.TaskStatus{
		{jobmon.TaskRunning},
		{jobmon.TaskQueued, jobmon.TaskInstantiating},
		{jobmon.TaskQueued, jobmon.TaskInstantiating, jobmon.TaskLaunched, jobmon.TaskRunning},
		jobmon.TaskStatuses(),
		{jobmon.TaskDone},
		{jobmon.TaskErrorRecoverable},
		{jobmon.TaskRegistering, jobmon.TaskRunning, jobmon.TaskErrorFatal},
		{},
	}
	buckets = []int64{1, 2, 3, 7, 10, 60, 1000, 86_400_000_000}
)

// decode makes a scenario of any bytes; bytes that are missing are zeros. Instants are few and lie
// on and beside the edges of buckets, so that ties are common: among the steps of one task, among
// tasks, and with an edge.
//
//	series-1, union, bucket, count, start, now (0: never), shuffle
//	then for each task: series, first instant in quarter buckets, number of steps,
//	and for each step: status + 9*(how long after the step before)
func decode(data []byte) scenario {
	next := func() byte {
		if len(data) == 0 {
			return 0
		}
		b := data[0]
		data = data[1:]
		return b
	}
	var s scenario
	s.series = 1 + int(next())%4
	s.statuses = unions[int(next())%len(unions)]
	s.window.Bucket = buckets[int(next())%len(buckets)]
	s.window.Count = int(next()) % 13
	s.window.Start = int64(int8(next()))
	s.now = never
	if b := int64(next()); b > 0 {
		s.now = s.window.Start - 2 + (b-1)*(s.window.End()-s.window.Start+4)/254
	}
	s.shuffle = uint64(next())

	width := s.window.Bucket
	pauses := []int64{0, 0, 1, 1, width / 4, width, 2*width + 1, 100 * width}
	for len(data) > 0 {
		t := task{series: int(next()) % s.series}
		at := s.window.Start + int64(int8(next()))*max(1, width/4)
		for range next() % 8 {
			b := int(next())
			t.enter(step{at: at, to: jobmon.TaskStatuses()[b%9]})
			at += pauses[b/9%len(pauses)]
		}
		s.tasks = append(s.tasks, t)
	}
	return s
}

// life encodes a task for decode: its steps enter the statuses of path, each at the pause after the
// step before that is listed for it, the last one listed from there on.
func life(series, quarters int, path string, pauses ...int) []byte {
	encoded := []byte{byte(series), byte(quarters), byte(len(path))}
	for i := range path {
		status := slices.Index(jobmon.TaskStatuses(), jobmon.TaskStatus(path[i]))
		encoded = append(encoded, byte(status+9*pauses[min(i, len(pauses)-1)]))
	}
	return encoded
}

// scenarios generates scenarios in which tasks mostly live as tasks do, around the window.
func scenarios() *rapid.Generator[scenario] {
	paths := rapid.OneOf(
		rapid.SampledFrom([]string{"GQIORD", "RD", "QRD", "GQIOREG", "QIREAQR", "QREQREQRD", "QIR", "GQIOREF", "RERERD"}),
		rapid.StringOfN(rapid.RuneFrom([]rune("GQIORDEAF")), 0, 7, -1),
	)
	return rapid.Custom(func(t *rapid.T) scenario {
		count := rapid.SampledFrom([]int{6, 1, 2, 3, 9, 12, 0}).Draw(t, "buckets")
		series := rapid.IntRange(1, 4).Draw(t, "series")
		now := 0
		if rapid.Bool().Draw(t, "now is near") {
			now = rapid.IntRange(1, 255).Draw(t, "now")
		}
		encoded := []byte{
			byte(series - 1),
			byte(rapid.IntRange(0, len(unions)-1).Draw(t, "union")),
			byte(rapid.IntRange(0, len(buckets)-1).Draw(t, "bucket")),
			byte(count),
			rapid.Byte().Draw(t, "start"),
			byte(now),
			rapid.Byte().Draw(t, "shuffle"),
		}
		for range rapid.IntRange(1, 25).Draw(t, "tasks") {
			encoded = append(encoded, life(
				rapid.IntRange(0, series-1).Draw(t, "series"),
				rapid.IntRange(-8, 4*count).Draw(t, "first quarter"),
				paths.Draw(t, "path"),
				rapid.SliceOfN(rapid.IntRange(0, 7), 7, 7).Draw(t, "pauses")...)...)
		}
		s := decode(encoded)
		if s.now != never && rapid.Bool().Draw(t, "now is on an edge") {
			s.now = s.window.BucketStart(rapid.IntRange(0, count).Draw(t, "edge"))
		}
		return s
	})
}
