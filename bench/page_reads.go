package main

import (
	"fmt"
	"io"
	"strings"

	"tasktide/internal/store/testdb"
)

// readPage is the page's part about answers and the roll-up.
type readPage struct {
	measured  bool
	rounds    int
	databases []testdb.Kind
	sizes     []string

	times    map[figure]timing
	compared int64 // numbers
	// prdCounts is how many counts of the PRD's SQL were found to be ours; of prdOf others, prdWrong were not.
	prdCounts, prdWrong, prdOf int

	rollUps  []rolled
	rebuilt  rebuilt
	weights  []weighing
	resident resident
}

// weighing is the length of an answer.
type weighing struct {
	view view
	stat string
	weight
}

func (p *readPage) begin(o options) {
	p.measured, p.rounds, p.databases, p.times = true, o.rounds, o.databases, map[figure]timing{}
	for _, size := range o.sizes {
		p.sizes = append(p.sizes, size.Name)
	}
}

// write writes the tables after the bars.
func (p *readPage) write(w io.Writer) {
	p.writeMethod(w)
	p.writeViews(w)
	p.writePairs(w)
	p.writeQuestions(w)
	p.writeRollUps(w)
	p.writeSizes(w)
}

func (p *readPage) writeMethod(w io.Writer) {
	fmt.Fprintf(w, `
## Answers

How many tasks of a workflow were RUNNING when: for each template and each bucket, and for all templates
together, level at the start, mean, exact peak and its instant, and entries. Workloads %s are what
`+"`tasktide generate --seed %d --end %s`"+` makes, stored through the same code: S is 10,000 tasks of 20
templates in 24 hours, M 100,000, L a million tasks of 60 templates in 30 days. Each answer is worked out from
the database anew; nothing keeps answers. A figure is the median of at least %d turns, in which all that stand
in one table take part one after the other, with the least and the greatest in brackets.

Before anything was timed, the answers of %s, from rows alone (workloads of up to two million rows) and
summed up, were held against DuckDB's, which it works out from the same rows: %s numbers, all of them equal.
Means were compared as integrals, in whole task-microseconds.
`, strings.Join(p.sizes, ", "), seed, end.Format("2006-01-02T15:04:05Z"), p.rounds, p.names(), thousands(p.compared))
	if p.prdOf > 0 {
		fmt.Fprintf(w, `
**The PRD's SQL** runs on PostgreSQL over Tasktide's tables, with the PRD's index, and with the joins through
the node that JobMon's tables need. It has a point at each minute, which is what is called start here, and
nothing else: no mean, no peak, no zeros. Its %s counts of whole workflows are ours. But it looks back no more
than one hour: where a window begins within a workflow, tasks that had been running for longer are missing. In
the last 12 hours of S, %s of its %s counts are too low for that.
`, thousands(int64(p.prdCounts)), thousands(int64(p.prdWrong)), thousands(int64(p.prdOf)))
	}
	fmt.Fprint(w, `
**DuckDB** has the rows in memory, in order, with one byte for each status and template, and two threads; it
only sums its answers up, and is not charged with handing them over. Its two statements are in
[peers_duckdb.go](../bench/peers_duckdb.go): one gives start, mean and entries, the other peaks. Tasktide gives
all of them in one answer, which takes DuckDB both; the bars are held against both, and against the first alone.
`)
}

func (p *readPage) names() string {
	var all []string
	for _, kind := range p.databases {
		all = append(all, names[kind])
	}
	return strings.Join(all, ", ")
}

func (p *readPage) writeViews(w io.Writer) {
	who := []string{}
	for _, kind := range p.databases {
		who = append(who, names[kind], names[kind]+overHTTP)
	}
	who = append(who, duckMeans, duckPeak, prdSQL)
	p.writeTimings(w, who, "")
	fmt.Fprint(w, `
29.5 days by the minute is the longest that one answer may tell of with 60 templates. HTTP is the columns of
means, read to the end over loopback. – was not attempted.

Before the roll-up, from rows alone:
`)
	who = nil
	for _, kind := range p.databases {
		who = append(who, names[kind])
	}
	p.writeTimings(w, who, cold)
}

// writeTimings writes a line for each window of which there is a timing, and a column for each of those who were
// timed, how they were.
func (p *readPage) writeTimings(w io.Writer, who []string, how string) {
	writeHead(w, append([]string{"window"}, who...), 1)
	for _, v := range views {
		cells, taken := []string{v.String()}, false
		for _, name := range who {
			took := p.times[figure{v.String(), name + how}]
			taken = taken || len(took) > 0
			cells = append(cells, took.String())
		}
		if taken {
			fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
		}
	}
}

func writeHead(w io.Writer, columns []string, left int) {
	align := strings.Repeat("---|", left) + strings.Repeat("--:|", len(columns)-left)
	if columns[len(columns)-1] == "" {
		align = strings.TrimSuffix(align, "--:|") + "---|"
	}
	fmt.Fprintf(w, "\n| %s |\n|%s\n", strings.Join(columns, " | "), align)
}

// writePairs writes what was measured in pairs.
func (p *readPage) writePairs(w io.Writer) {
	fmt.Fprintf(w, `
## What an answer's time depends on

The pairs of each line took their turns side by side. The workflow of 400 days has %s tasks of 20
templates, in one hour of each day. Live is S up to now and tasks that move now, at that
rate; it is read from right after a roll-up until a second after the end of the next minute, which is when a
server sums that up, so that up to a minute is read row by row. The closed window is 24 h of the same workflow
that are over.
`, thousands(longTasks))
	writeHead(w, []string{"window", "database", "first", "second", "second ÷ first"}, 2)
	line := func(what, database string, first, second figure) {
		a, b := p.times[first], p.times[second]
		if len(a) > 0 && len(b) > 0 {
			fmt.Fprintf(w, "| %s | %s | %s | %s | %s |\n", what, database, a, b, b.over(a))
		}
	}
	for _, kind := range p.databases {
		for _, pair := range screenPairs() {
			line(fmt.Sprintf("%s, %s", pair.small, pair.large), names[kind],
				figure{pair.String(), names[kind] + ", the day"}, figure{pair.String(), names[kind] + ", the month"})
		}
		line(distance+", the first, the last", names[kind],
			figure{distance, names[kind] + atTheStart}, figure{distance, names[kind] + atTheEnd})
		for _, rate := range liveRates() {
			line(liveFigure(rate)+", closed, live", names[kind], figure{liveFigure(rate), names[kind] + isClosed},
				figure{liveFigure(rate), names[kind] + isLive})
		}
	}
}

func (p *readPage) writeRollUps(w io.Writer) {
	fmt.Fprint(w, "\n## The roll-up\n\nA workload is summed up from nothing, once.\n")
	writeHead(w, []string{"workload", "database", "rows", "seconds", "rows/s"}, 2)
	for _, one := range p.rollUps {
		fmt.Fprintf(w, "| %s | %s | %s | %.1f | %s |\n", one.size, names[one.database], thousands(one.rows), one.took.Seconds(),
			thousands(int64(one.perSecond())))
	}
	fmt.Fprintf(w, "\nAll minutes of one hour of %s, %s rows, summed up again:\n", p.rebuilt.size, thousands(p.rebuilt.rows))
	writeHead(w, []string{"database", "time"}, 1)
	for _, kind := range p.databases {
		fmt.Fprintf(w, "| %s | %s |\n", names[kind], p.times[figure{rebuildFigure, names[kind]}])
	}
}

func (p *readPage) writeSizes(w io.Writer) {
	fmt.Fprint(w, "\n## Bytes\n")
	writeHead(w, []string{"answer, in columns, as the server sends it", "plain", "gzip", "zstd"}, 1)
	for _, one := range p.weights {
		fmt.Fprintf(w, "| %s, %s | %s | %s | %s |\n", one.view, one.stat, kilobytes(float64(one.plain)), kilobytes(float64(one.gzip)),
			kilobytes(float64(one.zstd)))
	}
	if p.resident.size != "" {
		fmt.Fprintf(w, `
A server over SQLite, with %s and the smaller workloads in it, has %s resident after %d charts of all kinds asked
for by %d clients, and had %s at most.
`, p.resident.size, megabytes(float64(p.resident.after)*1024), memoryRequests, memoryClients, megabytes(float64(p.resident.most)*1024))
	}
}
