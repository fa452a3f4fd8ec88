package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tasktide/internal/store/testdb"
)

const (
	faultReaders = 4
	// faultAttempts is how often a writer sends one request at most, and faultReads how often a reader asks.
	faultAttempts, faultReads = 10_000, 100_000
)

// faultKills say when the database is killed: when so many moves to a status were told done.
var faultKills = []struct {
	status string
	after  int
}{
	{"Q", stormTasks / 2}, {"I", stormTasks / 2}, {"R", stormTasks / 4}, {"D", stormTasks / 2},
}

// fault is a storm in which the database goes away and comes back. Half of its writers send a request
// again until it is answered, as JobMon's client does; the others give up what they asked for.
type fault struct {
	*storm
	again *time.Ticker // each of its ticks lets one request be sent that was refused before
	next  *time.Ticker // and each of these a reader ask, so that readers do not have the processor to themselves

	// Under the storm's lock.
	down     bool
	refused  map[string]int // requests, by who sent them
	late     int            // of them, those whose answer came when the database was back
	answered int            // questions of readers
}

// Who sends requests.
const (
	insists  = "a writer that insists"
	givesUp  = "a writer that gives up"
	onlyAsks = "a reader"
)

// TestTheDatabaseIsKilledInAStorm kills the database four times while 16 writers and 4 readers are at
// work, and starts it again once each kind of them was refused. Tasktide itself is started once.
func TestTheDatabaseIsKilledInAStorm(t *testing.T) {
	for _, kind := range []testdb.Kind{testdb.MariaDB, testdb.PostgreSQL} {
		t.Run(string(kind), func(t *testing.T) { killDatabase(t, kind) })
	}
}

func killDatabase(t *testing.T, kind testdb.Kind) {
	t.Helper()
	database, err := testdb.Start(kind, testdb.Hostile())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(database.Stop)
	name, err := database.Empty(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	databaseURL := database.URL(name)
	if code, _, errOut := call("migrate", "--database-url", databaseURL); code != 0 {
		t.Fatal(errOut)
	}
	// Those who only ask do so more often than a server allows.
	server := start(t, "serve", "--database-url", databaseURL, "--listen", "127.0.0.1:0", "--rate-limit", "0")
	f := &fault{storm: newStorm(t, server), again: time.NewTicker(5 * time.Millisecond), next: time.NewTicker(150 * time.Millisecond), refused: map[string]int{}}
	defer f.again.Stop()
	defer f.next.Stop()
	f.failed = f.writerFailed
	f.bind()

	var others sync.WaitGroup
	others.Go(func() { f.killAndRestart(database) })
	for reader := range faultReaders {
		others.Go(func() { f.read(reader) })
	}
	f.run()
	others.Wait()
	t.Logf("refused were %v, %d of them when the database was back; %d questions were answered", f.refused, f.late, f.answered)

	server.compareTimeline(t, f.workflowID, f.verify(kind, databaseURL))
	if err := server.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := server.wait(); err != nil {
		t.Errorf("tasktide ended with %v\n%s", err, server.stderr)
	}
}

// killAndRestart kills the database when it is time, and starts it again when everybody has seen that it
// is gone.
func (f *fault) killAndRestart(database *testdb.Server) {
	for _, kill := range faultKills {
		f.await(func() bool { return f.told[kill.status] >= kill.after })
		over := false
		var before map[string]int
		f.change(func() { over, f.down, before = f.over, true, maps.Clone(f.refused) })
		if over {
			f.t.Errorf("the storm was over when fewer than %d moves to %s had been told done", kill.after, kill.status)
			return
		}
		database.Kill()
		f.change(func() { f.t.Logf("killed when %v moves were told done", f.told) })
		f.await(func() bool {
			return !slices.ContainsFunc([]string{insists, givesUp, onlyAsks}, func(who string) bool { return f.refused[who] == before[who] })
		})
		err := database.Restart()
		f.change(func() { f.down, f.over = false, f.over || err != nil })
		if err != nil {
			f.t.Errorf("the database cannot be started again: %v", err)
		}
	}
}

// checkRefusal holds that a request that failed was refused as it must be, and reports whether there is
// still somebody to ask.
func (f *fault) checkRefusal(who, what string, r reply) bool {
	if r.err != nil {
		f.t.Errorf("%s: tasktide did not answer: %v", what, r.err)
		f.change(func() { f.over = true })
		return false
	}
	var answer struct {
		Error struct{ Code, Message string } `json:"error"`
	}
	err := json.Unmarshal(r.body, &answer)
	ok := err == nil && answer.Error.Message != "" && strings.HasPrefix(r.header.Get("Content-Type"), "application/json")
	switch r.status {
	case http.StatusServiceUnavailable:
		ok = ok && answer.Error.Code == "unavailable" && r.header.Get("Retry-After") != ""
	case http.StatusLocked:
		ok = ok && answer.Error.Code == "contention"
	default:
		ok = false
	}
	if !ok {
		f.t.Errorf("%s: %s with %v", what, r, r.header)
	}
	f.change(func() {
		f.refused[who]++
		if !f.down {
			f.late++
		}
		ok = !f.over
	})
	return ok
}

func (f *fault) writerFailed(w writer, attempt int, what string, r reply) (again bool) {
	if w.number%2 == 0 {
		if attempt == faultAttempts {
			f.t.Errorf("%s: refused %d times: %s", what, attempt, r)
		}
		if !f.checkRefusal(insists, what, r) || attempt == faultAttempts {
			return false
		}
		<-f.again.C
		return true
	}
	f.checkRefusal(givesUp, what, r)
	// What is next would be refused too, and be given up.
	f.await(func() bool { return !f.down })
	return false
}

// read asks for the timeline and the workflows until the storm is over.
func (f *fault) read(reader int) {
	for i := reader; i < faultReads; i++ {
		<-f.next.C
		var over bool
		var told, asked map[string]int
		f.change(func() { over, told = f.over, maps.Clone(f.told) })
		if over {
			return
		}
		stat := []string{"start", "mean", "peak", "entered"}[i%4]
		status := []string{"R", "ACTIVE", "D", "PENDING", "Q"}[i/4%5]
		path := fmt.Sprintf("/api/v2/workflow/%d/task_concurrency?time_range=all&granularity=1s&format=columns&stat=%s&status=%s",
			f.workflowID, stat, status)
		list := i%6 == 0
		if list {
			path = "/api/v2/workflows"
		}
		r := f.exchange(http.MethodGet, path, nil)
		f.change(func() { asked = maps.Clone(f.asked) })
		switch {
		case r.err != nil || r.status != http.StatusOK:
			if !f.checkRefusal(onlyAsks, path, r) {
				return
			}
			<-f.again.C
			continue
		case list:
			f.checkWorkflows(r)
		default:
			first := map[string]string{"ACTIVE": "Q", "PENDING": "Q"}[status] // what a task enters them by
			first = cmp.Or(first, status)
			f.checkTimeline(path, stat, r, told[first], asked[first])
		}
		f.change(func() { f.answered++ })
	}
}

func (f *fault) checkWorkflows(r reply) {
	var answer struct {
		Workflows []struct {
			ID   int64
			Name string
		}
	}
	if err := json.Unmarshal(r.body, &answer); err != nil || len(answer.Workflows) != 1 ||
		answer.Workflows[0].ID != f.workflowID || answer.Workflows[0].Name != "storm" {
		f.t.Errorf("the workflows are %s", r)
	}
}

// checkTimeline holds that an answer contradicts neither itself nor what was told and asked of moves into
// its statuses.
func (f *fault) checkTimeline(path, stat string, r reply, told, asked int) {
	wrong := func(format string, args ...any) { f.t.Errorf("%s: %s: %s", path, fmt.Sprintf(format, args...), r) }
	var answer columns
	if err := json.Unmarshal(r.body, &answer); err != nil {
		wrong("%v", err)
		return
	}
	entered := 0.0
	for i, total := range answer.Total.Values {
		sum, highest := 0.0, 0.0
		for _, template := range answer.Series {
			if template.Values[i] < 0 {
				wrong("%s has %v in bucket %d", template.Name, template.Values[i], i)
			}
			sum += template.Values[i]
			highest = max(highest, template.Values[i])
		}
		// Each mean is rounded to hundredths.
		if stat == "mean" && math.Abs(sum-total) > 0.0051*float64(len(answer.Series)+1) || stat == "peak" && (highest > total || total > sum) ||
			(stat == "start" || stat == "entered") && sum != total {
			wrong("the templates do not fit the total %v in bucket %d", total, i)
		}
		peak := float64(answer.Total.Peaks[i])
		if total < 0 || total > stormTasks || peak > stormTasks || stat != "entered" && total > peak {
			wrong("the total is %v in bucket %d, its peak %v", total, i, peak)
		}
		entered += total
	}
	if len(answer.Total.Values) != answer.Bucket.Count || len(answer.Total.Peaks) != answer.Bucket.Count {
		wrong("it has not a number for each bucket")
	}
	if stat == "entered" && (entered < float64(told) || entered > float64(asked)) {
		wrong("%v entered; %d were told before, and %d asked after", entered, told, asked)
	}
}
