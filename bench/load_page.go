package main

import (
	"fmt"
	"io"
)

// String is the line for somebody who waits.
func (l loaded) String() string {
	return fmt.Sprintf("%s tasks in %.1f s, %s rows, %d retried", thousands(int64(l.tasks)), l.took.Seconds(), thousands(l.rows),
		l.contention.Retried)
}

func (l latencies) String() string {
	return fmt.Sprintf("%s (%.0f/s): %s, 99 %% within %s, all within %s, %d failed", thousands(int64(l.requests)), l.perSecond,
		milliseconds(l.median), milliseconds(l.of99), milliseconds(l.slowest), l.failed)
}

// writeLoads writes the part about the load.
func (r *report) writeLoads(w io.Writer) {
	one := r.loads[0]
	fmt.Fprintf(w, `
## Load

%s tasks live from binding to their end, as fast as the server answers, which is the binary over an empty
database. They belong to %d workflows of %d clients each, which send one request after another, as JobMon's do:
one binds the tasks, queues them while no more than one in %d is active, and launches them; %d are workers, which
say of each task that it runs and how it ended, in a request each, as if it took no time. 3 %% of the tasks fail
once and are tried again. Meanwhile %d readers ask something every %d ms each, in turn: the list of workflows with
what they do, the last hour of one of them in columns, and its tasks that ran a second ago. All of it runs on
this machine, the data on its disk.

Afterwards all tasks are DONE, and the audit is whole, as `+"`tasktide audit verify`"+` has it, with a row for each
move that was told done and no other. Otherwise there is no page. An answer has failed when there is none or its
status is not 200. JobMon's client gives up after %.0f s. *Retried* counts transactions that met others and were
run again.
`, thousands(int64(one.tasks)), loadWorkflows, 1+loadWorkers, loadShare, loadWorkers, loadReaders,
		readerEvery.Milliseconds(), clientPatience.Seconds())
	writeHead(w, []string{"database", "seconds", "rows of the audit", "rows/s", "retried"}, 1)
	for _, l := range r.loads {
		fmt.Fprintf(w, "| %s | %.1f | %s | %s | %d |\n", names[l.database], l.took.Seconds(), thousands(l.rows),
			thousands(int64(float64(l.rows)/l.took.Seconds())), l.contention.Retried)
	}
	writeHead(w, []string{"requests", "database", "number", "each second", "median", "99 % within", "slowest", "failed"}, 2)
	for _, kind := range []struct {
		name string
		of   func(loaded) latencies
	}{
		{"state routes", func(l loaded) latencies { return l.states }},
		{"readers", func(l loaded) latencies { return l.charts }},
	} {
		for _, l := range r.loads {
			all := kind.of(l)
			fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %s | %d |\n", kind.name, names[l.database], thousands(int64(all.requests)),
				thousands(int64(all.perSecond+0.5)), milliseconds(all.median), milliseconds(all.of99), milliseconds(all.slowest),
				all.failed)
		}
	}
}

// loadBars lists what was to be reached under load.
func (r *report) loadBars() []reached {
	var all []reached
	for _, l := range r.loads {
		b := atMost(clientPatience.Seconds(), inSeconds)
		slowest := l.states.slowest.Seconds()
		failed := l.states.failed + l.charts.failed
		verdict := b.verdict(slowest)
		if failed > 0 {
			verdict = "missed: answers failed"
		}
		all = append(all, reached{
			fmt.Sprintf("%s tasks, slowest answer of a state route; failed answers", thousands(int64(l.tasks))), names[l.database],
			b.String() + "; 0", fmt.Sprintf("%s; %d", inSeconds(slowest), failed), verdict,
		})
	}
	return all
}

func inSeconds(value float64) string { return threeDigits(value) + " s" }
