package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"

	"tasktide/internal/chart"
	"tasktide/internal/client"
	"tasktide/internal/jobmon"
	"tasktide/internal/termchart"
)

// countFlags say what is counted, in which window and buckets. Their words are those of the route task_concurrency, which
// explains what is wrong with them.
type countFlags struct {
	Last        string   `enum:"1h,6h,24h,7d,30d,all," default:"" placeholder:"RANGE" help:"Window that ends now: 1h, 6h, 24h, 7d or 30d; all is the whole workflow (24h, or all when nothing has changed since)."`
	Start       string   `placeholder:"INSTANT" help:"First instant of the window, such as 2022-05-13T03:00:00Z."`
	End         string   `placeholder:"INSTANT" help:"End of the window, which does not belong to it (now)."`
	Stat        string   `enum:"start,mean,peak,entered," default:"" placeholder:"STAT" help:"Number of each bucket: start (at its first instant), mean (time-weighted), peak (at any instant) or entered (entries)."`
	Status      []string `placeholder:"STATUS" help:"Statuses to count: letters or names, PENDING (Q, I) or ACTIVE (Q, I, O, R); several with commas (RUNNING)."`
	Template    []string `sep:"none" placeholder:"NAME" help:"Only this task template; repeat it for more."`
	Top         int      `placeholder:"N" help:"Tell at most so many templates apart, those with most task time; the rest is Other."`
	Split       string   `enum:"attempt," default:"" placeholder:"attempt" help:"attempt: count the first attempts at tasks and the later ones apart."`
	Granularity string   `enum:"auto,minute,1s,5s,10s,30s,1m,5m,10m,30m,1h,6h,1d," default:"" placeholder:"WIDTH" help:"Width of a bucket: auto, or 1s, 5s, 10s, 30s, 1m, 5m, 10m, 30m, 1h, 6h or 1d."`
	MaxPoints   int      `placeholder:"N" help:"Most buckets that --granularity auto may give."`
}

// query returns the parameters of the route that are given.
func (f countFlags) query() (url.Values, error) {
	if f.Last != "" && f.Start+f.End != "" {
		return nil, jobmon.FieldErrorf("last", "give either --last, or --start and --end")
	}
	if f.Last == "" && f.Start == "" && f.End != "" {
		return nil, jobmon.FieldErrorf("start", "--end needs --start")
	}
	query := url.Values{}
	for name, value := range map[string]string{
		"time_range": f.Last, "start": f.Start, "end": f.End, "stat": f.Stat, "split": f.Split, "granularity": f.Granularity,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	for name, value := range map[string]int{"top": f.Top, "max_points": f.MaxPoints} {
		if value != 0 {
			query.Set(name, strconv.Itoa(value))
		}
	}
	for name, values := range map[string][]string{"status": f.Status, "task_template_name": f.Template} {
		if len(values) > 0 {
			query[name] = values
		}
	}
	return query, nil
}

// usualWindow is the window of a query that names none.
const usualWindow = 24 * time.Hour

// choose has a query without a window show the whole workflow when its last change is before the usual one, as the page
// does: a chart of a run that ended days ago would be empty.
func (f countFlags) choose(ctx context.Context, source *client.Client, id int64, query url.Values) error {
	if query.Has("time_range") || query.Has("start") {
		return nil
	}
	workflow, _, err := source.Workflow(ctx, id)
	if err != nil {
		return err
	}
	if last := workflow.LastTransitionAt; last != nil && time.Since(*last) > usualWindow {
		query.Set("time_range", "all")
	}
	return nil
}

// otherwise sets a parameter that is not given.
func otherwise(query url.Values, name, value string) {
	if !query.Has(name) {
		query.Set(name, value)
	}
}

type concurrencyCommand struct {
	sourceFlags
	countFlags
	outputFlags

	ID     int64  `arg:"" help:"Id of the workflow, as tasktide workflow list prints it."`
	CSV    bool   `name:"csv" xor:"format" help:"Print the server's table of all templates, as comma-separated values."`
	Chart  bool   `xor:"format" help:"Draw a chart in the terminal."`
	Width  int    `placeholder:"COLUMNS" help:"Width of the chart, ${min_width} to ${max_width} (that of the terminal)."`
	Height int    `default:"18" placeholder:"ROWS" help:"Height of the chart's plot, ${min_height} to ${max_height} (${default})."`
	Colour string `name:"color" enum:"auto,always,never" default:"auto" placeholder:"WHEN" help:"Draw the chart in colour: always, never or auto, which is in a terminal without NO_COLOR (${default})."`
	Theme  string `enum:"light,dark," default:"" placeholder:"THEME" help:"Colours of the chart for a light or a dark terminal (as COLORFGBG says, else dark)."`
	ASCII  bool   `name:"ascii" help:"Draw the chart with ASCII characters only, as in a locale that is not UTF-8."`
}

// Help is shown under the command's --help.
func (concurrencyCommand) Help() string {
	return `Prints how many tasks were in a status at once, by bucket and task template: a table, with --json the
answer of GET /api/v2/workflow/ID/task_concurrency?format=columns, with --csv that of format=csv, with --chart a chart.

Without --granularity, buckets are a minute wide, and those of a chart as narrow as fits its width. The chart stacks the
templates' means (--stat start or entered: these numbers); with --stat peak it draws the total's peak alone, because peaks
of templates do not add up. In each column a mark shows the highest peak of the total in that column.

Examples:

    tasktide concurrency 17 --stat peak --last 1h
    tasktide concurrency 17 --last all --chart
    tasktide concurrency 17 --start 2022-05-13T03:00:00Z --end 2022-05-13T04:00:00Z --status ACTIVE --csv > active.csv
    tasktide concurrency 17 --last 24h --json | jq .total.peak`
}

// Run prints the concurrency of a workflow.
func (c concurrencyCommand) Run(ctx context.Context, t *terminal) (err error) {
	query, err := c.query()
	if err != nil {
		return err
	}
	ctx, source, closeSource, err := c.open(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeSource()) }()
	if err := c.choose(ctx, source, c.ID, query); err != nil {
		return err
	}
	switch {
	case c.CSV:
		return source.Table(ctx, c.ID, query, t.out)
	case c.Chart:
		return c.draw(ctx, t, source, query)
	}
	if !c.JSON {
		otherwise(query, "top", "5")
	}
	answer, document, err := source.Concurrency(ctx, c.ID, query)
	if err != nil {
		return err
	}
	return t.result(document, func() error {
		c.sayWhat(t, answer, query)
		return writeTable(t.out, answer)
	})
}

// sayWhat says what the numbers of a table are.
func (c concurrencyCommand) sayWhat(t *terminal, answer chart.Answer, query url.Values) {
	t.sayf("Tasks %s: %s.\n%s, buckets of %s.\n", answer.Counted(), answer.Statistic(),
		chart.Span(answer.Window.Start, answer.Window.End), chart.Duration(answer.Bucket.Seconds))
	total := answer.Total
	switch {
	case total.Peak == 0:
		t.sayf("No task was counted in this window.%s\n", wider(query))
	case total.PeakAt == nil:
		t.sayf("Peak of %s: at most %s.\n", answer.TotalOf(), chart.Number(float64(total.Peak)))
	default:
		t.sayf("Peak of %s: %s at %s.\n", answer.TotalOf(), chart.Number(float64(total.Peak)), chart.Instant(*total.PeakAt))
	}
	if answer.ValuesAre != "exact" && answer.ValuesAre != "" {
		t.sayf("The templates' numbers are upper bounds.\n")
	}
}

// wider says how to see more where nothing is in the window.
func wider(query url.Values) string {
	if query.Get("time_range") == "all" || query.Has("start") {
		return ""
	}
	return " --last all shows the whole workflow."
}

// writeTable writes a row a bucket. Those that have not begun are left out.
func writeTable(out io.Writer, answer chart.Answer) error {
	c := chart.New(answer, nil, chart.Light)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "BUCKET START (UTC)\tTOTAL PEAK\tTOTAL\t")
	if len(c.Limit) > 0 {
		fmt.Fprint(table, "LIMIT\t")
	}
	for _, band := range c.Legend {
		fmt.Fprintf(table, "%s\t", printable(band.Name))
	}
	fmt.Fprintln(table)
	for i := range c.Count {
		at := c.Start + c.BucketWidth*int64(i)
		if at >= c.End {
			break
		}
		fmt.Fprintf(table, "%s\t%d\t%s\t",
			chart.Time(at).Format(time.DateTime), answer.Total.Peaks[i], plain(answer.Total.Values[i]))
		if limit := c.LimitAt(at); limit != nil {
			fmt.Fprintf(table, "%d\t", *limit)
		} else if len(c.Limit) > 0 {
			fmt.Fprint(table, "-\t")
		}
		for _, band := range c.Legend {
			fmt.Fprintf(table, "%s\t", plain(band.Values[i]))
		}
		fmt.Fprintln(table)
	}
	return table.Flush()
}

func plain(value float64) string { return strconv.FormatFloat(value, 'f', -1, 64) }

// draw draws the chart.
func (c concurrencyCommand) draw(ctx context.Context, t *terminal, source *client.Client, query url.Values) error {
	width := cmp.Or(c.Width, terminalWidth(t.out))
	switch {
	case c.Width != 0 && (c.Width < termchart.MinWidth || c.Width > termchart.MaxWidth):
		return jobmon.FieldErrorf("width", "--width must be from %d to %d", termchart.MinWidth, termchart.MaxWidth)
	case c.Height < termchart.MinHeight || c.Height > termchart.MaxHeight:
		return jobmon.FieldErrorf("height", "--height must be from %d to %d", termchart.MinHeight, termchart.MaxHeight)
	case c.Top > termchart.MaxBands-1:
		return jobmon.FieldErrorf("top",
			"a chart in the terminal tells at most %d templates apart; give a smaller --top", termchart.MaxBands-1)
	}
	width = min(max(width, termchart.MinWidth), termchart.MaxWidth)
	otherwise(query, "top", "8")
	if c.Granularity == "" {
		query.Set("granularity", "auto")
		otherwise(query, "max_points", strconv.Itoa(termchart.PlotWidth(width)))
	}
	otherwise(query, "stat", "mean")
	view, err := read(ctx, source, c.ID, query)
	if err != nil {
		return err
	}
	theme := chart.Theme(cmp.Or(c.Theme, terminalTheme()))
	drawn := chart.New(view.answer, view.templates, theme)
	if drawn.Empty() && wider(query) != "" {
		t.sayf("No task was counted in this window.%s\n", wider(query))
	}
	return termchart.Draw(t.out, drawn, termchart.Options{
		Title: view.workflow.Name, Width: width, Height: c.Height,
		Colour: c.depth(t.out), ASCII: c.ASCII || !isUTF8(),
	})
}

// view is what a chart or a picture is made of.
type view struct {
	workflow  client.Workflow
	templates []string
	answer    chart.Answer
}

func read(ctx context.Context, source *client.Client, id int64, query url.Values) (v view, err error) {
	if v.workflow, _, err = source.Workflow(ctx, id); err != nil {
		return v, err
	}
	if v.templates, err = source.Templates(ctx, id); err != nil {
		return v, err
	}
	v.answer, _, err = source.Concurrency(ctx, id, query)
	return v, err
}

// terminalWidth returns the columns of the terminal that out is, else those of COLUMNS, else 80.
func terminalWidth(out io.Writer) int {
	if file, isFile := out.(*os.File); isFile {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
			return width
		}
	}
	if width, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && width > 0 {
		return width
	}
	return 80
}

// depth returns how many colours the chart has.
func (c concurrencyCommand) depth(out io.Writer) termchart.Depth {
	file, isFile := out.(*os.File)
	inTerminal := isFile && term.IsTerminal(int(file.Fd())) && os.Getenv("TERM") != "dumb"
	if c.Colour == "never" || c.Colour == "auto" && (!inTerminal || os.Getenv("NO_COLOR") != "") {
		return termchart.NoColour
	}
	if depth := os.Getenv("COLORTERM"); depth == "truecolor" || depth == "24bit" {
		return termchart.TrueColour
	}
	return termchart.Indexed
}

// terminalTheme reads the background from COLORFGBG, which some terminals set: 7 and 15 are white.
func terminalTheme() string {
	fields := strings.Split(os.Getenv("COLORFGBG"), ";")
	if last := fields[len(fields)-1]; last == "7" || last == "15" {
		return string(chart.Light)
	}
	return string(chart.Dark)
}

// isUTF8 reports whether the locale's characters are UTF-8.
func isUTF8() bool {
	locale := cmp.Or(os.Getenv("LC_ALL"), os.Getenv("LC_CTYPE"), os.Getenv("LANG"))
	locale = strings.ReplaceAll(strings.ToUpper(locale), "-", "")
	return strings.Contains(locale, "UTF8")
}
