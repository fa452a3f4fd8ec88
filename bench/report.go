package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"tasktide/internal/store/testdb"
)

// names are the databases as people write them.
var names = map[testdb.Kind]string{
	testdb.SQLite: "SQLite", testdb.MariaDB: "MariaDB", testdb.PostgreSQL: "PostgreSQL",
}

// report is the page in the making.
type report struct {
	args     []string
	begun    time.Time
	rounds   int
	machine  []fact
	versions []fact
	lines    []line
	reads    readPage
	loads    []loaded
}

// line is one comparison.
type line struct {
	workload
	measurement

	database testdb.Kind
	medium   string
}

// know notes a database's version.
func (r *report) know(kind testdb.Kind, version string) {
	known := fact{names[kind], version}
	if !slices.Contains(r.versions, known) {
		r.versions = append(r.versions, known)
	}
}

// write writes the page.
func (r *report) write(w io.Writer) {
	command := "make bench"
	if len(r.args) > 0 {
		command = "cd bench && go run . " + strings.Join(r.args, " ")
	}
	title := "Benchmarks"
	if i := slices.Index(r.args, "-sizes") + 1; i > 0 && i < len(r.args) {
		title += ", size " + r.args[i]
	}
	fmt.Fprintf(w, `# %s

What the audit costs when tasks move, how long answers take, and what many clients at once see. The program in
[bench](../bench) wrote this page; do not edit it. The page's own speed is in [benchmarks-page.md](benchmarks-page.md).

`+"```sh\n%s\n```"+`

| machine | |
|---|---|
`, title, command)
	for _, fact := range slices.Concat(r.machine, r.versions) {
		fmt.Fprintf(w, "| %s | %s |\n", fact.name, fact.value)
	}
	fmt.Fprintf(w, "| date | %s |\n", r.begun.UTC().Format("2006-01-02 15:04 UTC"))
	r.writeBars(w)
	if r.reads.measured {
		r.reads.write(w)
	}
	if len(r.lines) > 0 {
		r.writeMoves(w)
	}
	if len(r.loads) > 0 {
		r.writeLoads(w)
	}
}

// writeMoves writes the part about what the audit costs.
func (r *report) writeMoves(w io.Writer) {
	fmt.Fprintf(w, `
## Moves

**With** is the store as it is: lock the tasks, read the clock, append the audit, move the tasks, in one
transaction. **Without** is the same transaction, on connections with the same settings, without the audit.
The two run in turns, %d times each, on two databases of one server that were prepared alike: one workflow
of %d templates and %s tasks. Servers have their default settings, with which a commit is durable; the
clients run on the same machine. A figure is the median of its rounds, a ratio the median of the ratios of
neighbouring rounds, with the least and the greatest in brackets.

After each line, the program compares each task with what it was told: its status is the one into which it
was moved last, and the audit has each of its moves exactly once, in an unbroken chain. Otherwise there is
no page. *Retried* and *reported* count transactions that met a deadlock or waited for a lock for too long,
and were run again, or given up.
`, r.rounds, templates, thousands(taskCount))
	var moves int
	var retried, reported int64
	for _, line := range r.lines {
		moves += line.moves
		retried += line.contention.Retried
		reported += line.contention.Reported
	}
	fmt.Fprintf(w, "\nOf %s moves, 0 were lost and 0 doubled. %d transactions met a deadlock or a long wait; %d were given up (bar: 0).\n",
		thousands(int64(moves)), retried+reported, reported)
	r.writeTable(w, "Single moves",
		"Each writer moves tasks of its own, one at a time. Moves per second; more is better.",
		"| database | data on | writers | with | without | with ÷ without | retried | reported |", writers)
	r.writeTable(w, "Bulk moves",
		"One writer moves many tasks in one transaction. Milliseconds per transaction; less is better.",
		"| database | data on | tasks | with | without | with ÷ without | retried | reported |", atOnce)
}

func (r *report) writeTable(w io.Writer, title, introduction, head, unit string) {
	fmt.Fprintf(w, "\n## %s\n\n%s\n\n%s\n|---|---|--:|--:|--:|--:|--:|--:|\n", title, introduction, head)
	for _, line := range r.lines {
		if line.unit == unit {
			fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %d | %d |\n", names[line.database], line.medium,
				thousands(int64(line.size)), line.figure(line.with), line.figure(line.without), line.ratios(),
				line.contention.Retried, line.contention.Reported)
		}
	}
}

// bar is what a comparison is to reach.
type bar struct {
	unit   string
	size   int
	on     []testdb.Kind
	medium string // empty for all
	ratio  float64
}

// bars are those of moves.
var bars = []bar{
	{writers, 16, []testdb.Kind{testdb.MariaDB, testdb.PostgreSQL}, onDisk, 0.80},
	{writers, 16, []testdb.Kind{testdb.MariaDB, testdb.PostgreSQL}, inMemory, 0.55},
	{atOnce, 10_000, []testdb.Kind{testdb.MariaDB, testdb.PostgreSQL}, "", 1.5},
	{atOnce, 10_000, []testdb.Kind{testdb.SQLite}, "", 2.2},
}

// writeBars writes what was to be reached, of answers and of moves.
func (r *report) writeBars(w io.Writer) {
	all := r.reads.bars()
	for _, bar := range bars {
		for _, line := range r.lines {
			if line.unit != bar.unit || line.size != bar.size || !slices.Contains(bar.on, line.database) ||
				bar.medium != "" && line.medium != bar.medium {
				continue
			}
			all = append(all, reached{
				fmt.Sprintf("%s %s, with ÷ without the audit", thousands(int64(line.size)), line.unit),
				names[line.database] + ", " + line.medium, line.bar(bar.ratio), line.ratios(), line.verdict(bar.ratio),
			})
		}
	}
	all = append(all, r.loadBars()...)
	if len(all) == 0 {
		return
	}
	fmt.Fprint(w, "\n## The bars\n")
	writeHead(w, []string{"what", "database", "bar", "measured", ""}, 2)
	for _, one := range all {
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s |\n", one.what, one.on, one.bar, one.measured, one.verdict)
	}
}

// ratio returns the median, the least and the greatest of the ratios of rounds that ran side by side.
func (l line) ratio() (middle, least, greatest float64) {
	ratios := make([]float64, len(l.with))
	for i := range ratios {
		ratios[i] = l.with[i] / l.without[i]
	}
	return median(ratios), slices.Min(ratios), slices.Max(ratios)
}

func (l line) ratios() string {
	middle, least, greatest := l.ratio()
	if l.unit == writers {
		return fmt.Sprintf("%.0f %% (%.0f–%.0f)", 100*middle, 100*least, 100*greatest)
	}
	return fmt.Sprintf("%.2f× (%.2f–%.2f)", middle, least, greatest)
}

func (l line) bar(ratio float64) string {
	if l.unit == writers {
		return fmt.Sprintf("≥ %.0f %%", 100*ratio)
	}
	return fmt.Sprintf("≤ %.1f×", ratio)
}

// verdict says whether a bar is reached, and by how much it is missed.
func (l line) verdict(bar float64) string {
	middle, _, _ := l.ratio()
	switch {
	case l.unit == writers && middle < bar:
		return fmt.Sprintf("missed by %.1f points", 100*(bar-middle))
	case l.unit == atOnce && middle > bar:
		if middle-bar < 0.005 {
			return "missed by less than 0.01×"
		}
		return fmt.Sprintf("missed by %.2f×", middle-bar)
	}
	return "reached"
}

// figure is the median of a side's figures.
func (l line) figure(figures []float64) string {
	middle := median(figures)
	if l.unit == writers || middle >= 100 {
		return thousands(int64(middle + 0.5))
	}
	return strconv.FormatFloat(middle, 'f', 1, 64)
}

// summary is the line for somebody who waits.
func (l line) summary(check bool) string {
	other := "without"
	if check {
		other = "with, in the program's own SQL"
	}
	return fmt.Sprintf("%s, %s, %s %s: %s with, %s %s: %s; %d retried, %d reported", names[l.database], l.medium,
		thousands(int64(l.size)), l.unit, l.figure(l.with), l.figure(l.without), other, l.ratios(),
		l.contention.Retried, l.contention.Reported)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// thousands writes a number with commas between its thousands.
func thousands(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
