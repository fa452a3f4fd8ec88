package testfiles_test

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"tasktide/internal/testfiles"
)

var update = flag.Bool("update", false, "write the files in examples/")

// TestTheExamplesAreMadeHere fails when a file in examples/ is not what this test makes of its seed. It draws whole
// numbers only, so that every machine makes the same.
func TestTheExamplesAreMadeHere(t *testing.T) {
	for name, content := range map[string][]byte{"nightly.tsv": nightly(), "runs.csv": warehouse()} {
		path := testfiles.Example(t, name)
		if *update {
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		stored, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(stored, content) {
			t.Errorf("%s differs from what its seed makes; go test ./internal/testfiles -update writes it anew", path)
		}
	}
}

// millis is an instant or a duration in milliseconds.
type millis = int64

const (
	second millis = 1000
	minute        = 60 * second
	slots         = 200 // tasks that the cluster of the trace runs at once
)

// job is an attempt at a task of the trace.
type job struct {
	id                            int
	process, tag                  string
	attempt                       int
	submit, start, complete       millis
	length                        millis // of the run
	failed                        bool
	freed                         func(at millis) // submits what waits for it
	cpu, memory, read, writtenOut int64
}

// pipeline plays a night of a sequencing pipeline, as Nextflow and a cluster with a number of slots would.
type pipeline struct {
	rng   *rand.Rand
	ready []*job // in no order, before they are submitted
	done  []*job
	ids   int
}

// between draws a number from [low, high).
func (p *pipeline) between(low, high int64) int64 { return low + p.rng.Int64N(high-low) }

// add makes a task ready, whose run takes from low to high, and which calls then when it is done or has failed for good,
// which is at its third attempt. Of its first attempts so many fail.
func (p *pipeline) add(at millis, process, tag string, low, high millis, failures int, then func(at millis)) {
	p.attempt(at, job{process: process, tag: tag, attempt: 1}, low, high, failures, then)
}

func (p *pipeline) attempt(at millis, j job, low, high millis, failures int, then func(at millis)) {
	j.submit = at + p.between(40, 900)
	j.length = p.between(low, high)
	j.failed = j.attempt <= failures
	j.cpu, j.memory = p.between(600, 990), p.between(200<<20, 6<<30)
	j.read, j.writtenOut = p.between(40<<20, 3<<30), p.between(1<<20, 800<<20)
	j.freed = func(at millis) {
		if j.failed && j.attempt < 3 {
			p.attempt(at, job{process: j.process, tag: j.tag, attempt: j.attempt + 1}, low, high, failures, then)
			return
		}
		then(at)
	}
	p.ready = append(p.ready, &j)
}

// play runs everything, in the order in which it is submitted, when a slot is free.
func (p *pipeline) play() {
	free := make([]millis, slots)
	for len(p.ready) > 0 {
		slices.SortStableFunc(p.ready, func(a, b *job) int { return cmp.Compare(b.submit, a.submit) })
		j := p.ready[len(p.ready)-1]
		p.ready = p.ready[:len(p.ready)-1]
		p.ids++
		j.id = p.ids
		slot := 0
		for i, at := range free {
			if at < free[slot] {
				slot = i
			}
		}
		j.start = max(j.submit+p.between(1200, 4800), free[slot]+p.between(300, 1500))
		j.complete = j.start + j.length
		free[slot] = j.complete
		p.done = append(p.done, j)
		j.freed(j.complete)
	}
}

// nightly is a trace as Nextflow writes it with trace.raw, and with start, complete and attempt among its fields.
func nightly() []byte {
	const samples, windows = 48, 150
	p := &pipeline{rng: rand.New(rand.NewPCG(2026, 3))}
	began := time.Date(2026, time.March, 3, 2, 0, 4, 0, time.UTC).UnixMilli()
	aligned, annotated, latest := 0, 0, millis(0)
	for s := 1; s <= samples; s++ {
		tag := fmt.Sprintf("S%02d", s)
		at := began + int64(s)*p.between(300, 700)
		p.add(at, "fastqc", tag, 35*second, 95*second, 0, func(millis) {})
		retries := 0
		if s%13 == 5 {
			retries = 1 // it is killed for its memory, and gets more
		}
		p.add(at, "trim_reads", tag, 50*second, 2*minute, 0, func(at millis) {
			p.add(at, "align", tag, 5*minute, 11*minute, retries, func(at millis) {
				p.add(at, "sort_bam", tag, 30*second, 80*second, 0, func(at millis) {
					if aligned++; aligned == samples/2 {
						// All windows at once, soon after a minute has begun: they are over before the next.
						burst := at - at%minute + minute + 12*second
						for w := range windows {
							p.add(burst, "count_windows", fmt.Sprintf("chr%d:%d", 1+w%22, 1+w/22), 11*second, 32*second, 0, func(millis) {})
						}
					}
					p.add(at, "call_variants", tag, 7*minute, 14*minute, 0, func(at millis) {
						failures := 0
						if s == 31 {
							failures = 3 // it fails for good, and is left out of the report
						}
						p.add(at, "annotate", tag, minute, 3*minute, failures, func(at millis) {
							latest = max(latest, at)
							if annotated++; annotated == samples {
								p.add(latest, "report", "cohort", 100*second, 140*second, 0, func(millis) {})
							}
						})
					})
				})
			})
		})
	}
	p.play()
	return trace(p.done)
}

// trace writes attempts in the order in which they ended, as Nextflow does.
func trace(done []*job) []byte {
	slices.SortFunc(done, func(a, b *job) int { return cmp.Or(cmp.Compare(a.complete, b.complete), cmp.Compare(a.id, b.id)) })
	var text bytes.Buffer
	text.WriteString("task_id\thash\tnative_id\tname\tstatus\texit\tattempt\tsubmit\tstart\tcomplete\tduration\trealtime\t" +
		"%cpu\tpeak_rss\tpeak_vmem\trchar\twchar\n")
	for _, j := range done {
		status, exit := "COMPLETED", 0
		if j.failed {
			status, exit = "FAILED", 137
		}
		fmt.Fprintf(&text, "%d\t%02x/%06x\t%d\t%s (%s)\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d.%d\t%d\t%d\t%d\t%d\n",
			j.id, j.id*73%256, j.id*8_675_309%(1<<24), 48_200_000+j.id, j.process, j.tag, status, exit, j.attempt,
			j.submit, j.start, j.complete, j.complete-j.submit, j.length,
			j.cpu/10, j.cpu%10, j.memory, j.memory+j.memory/3, j.read, j.writtenOut)
	}
	return text.Bytes()
}

// warehouse is a table of an evening's load of a data warehouse: what some other engine can say of its tasks.
func warehouse() []byte {
	rng := rand.New(rand.NewPCG(2026, 4))
	between := func(low, high int64) time.Duration { return time.Duration(low+rng.Int64N(high-low)) * time.Millisecond }
	began := time.Date(2026, time.March, 4, 22, 0, 0, 0, time.UTC)
	var rows [][]string
	add := func(task, template string, start, end time.Time, status string) {
		rows = append(rows, []string{task, template, instantOf(start), instantOf(end), status})
	}
	regions := []string{"EU", "US", "APAC"}
	tables := strings.Fields("orders customers invoices payments shipments returns products suppliers")
	// It was under way when the log began.
	add("compact_partitions", "compact", time.Time{}, began.Add(between(90_000, 95_000)), "DONE")
	for i, table := range tables {
		for k, region := range regions {
			name := table + ", " + region
			at := began.Add(between(1_000, 20_000))
			end := at.Add(between(40_000, 150_000))
			if i == 3 && k == 1 { // the source hangs up once
				add("extract ("+name+")", "extract", at, end, "ERROR_RECOVERABLE")
				at = end.Add(between(5_000, 6_000))
				end = at.Add(between(40_000, 150_000))
			}
			add("extract ("+name+")", "extract", at, end, "DONE")
			at = end.Add(between(500, 3_000))
			end = at.Add(between(60_000, 240_000))
			add("clean ("+name+")", "clean", at, end, "DONE")
			at = end.Add(between(500, 3_000))
			end = at.Add(between(20_000, 90_000))
			status := "DONE"
			if i == 5 && k == 2 {
				status = "ERROR_FATAL"
			}
			add("load ("+name+")", "load", at, end, status)
		}
	}
	// All checks run at once, and between two minutes.
	for i, table := range tables {
		for check := range 5 {
			at := began.Add(11*time.Minute + 14*time.Second + between(0, 3_000))
			add(fmt.Sprintf("check %d (%s)", check+1, table), "check", at, at.Add(between(9_000, 35_000)), "DONE")
		}
		if i%4 == 0 { // these still run when the log ends
			at := began.Add(12*time.Minute + between(0, 8_000))
			add("report ("+table+")", "report", at, time.Time{}, "")
		}
	}
	published := began.Add(12*time.Minute + 5*time.Second)
	add("publish", "publish", published, published.Add(between(60_000, 80_000)), "DONE")
	var text bytes.Buffer
	writer := csv.NewWriter(&text)
	_ = writer.Write([]string{"task", "template", "start", "end", "status"})
	_ = writer.WriteAll(rows) // a buffer takes everything
	return text.Bytes()
}

// instantOf writes an instant, and nothing for none.
func instantOf(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Format("2006-01-02T15:04:05.000Z07:00")
}
