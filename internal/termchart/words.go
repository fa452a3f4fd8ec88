package termchart

import (
	"bufio"
	"fmt"
	"image/color"
	"strconv"
	"strings"
	"unicode"

	"github.com/rivo/uniseg"

	"tasktide/internal/chart"
)

// clean returns a text that a terminal can show: without control characters and, in ASCII, without others.
func (p *plot) clean(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) && (r < unicode.MaxASCII || !p.ASCII) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRuneToASCII(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

// fit returns as much of a text as fits into so many columns, without its middle: names often differ at their ends
// alone.
func (p *plot) fit(text string, width int) string {
	text = p.clean(text)
	if uniseg.StringWidth(text) <= width {
		return text
	}
	runes := []rune(text)
	for kept := len(runes) - 1; kept > 0; kept-- {
		short := string(runes[:(kept+1)/2]) + p.ellipsis + string(runes[len(runes)-kept/2:])
		if uniseg.StringWidth(short) <= width {
			return short
		}
	}
	return p.ellipsis
}

// pad returns a text with blanks after it up to a width.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-uniseg.StringWidth(text)))
}

// wrap joins parts to lines that are as wide as the chart at most, and breaks a part that is longer between its words.
func (p *plot) wrap(w *bufio.Writer, parts ...string) {
	line := ""
	add := func(separator, words string) {
		if line != "" && uniseg.StringWidth(line+separator+words) > p.Width {
			fmt.Fprintln(w, line)
			line = ""
		}
		if line != "" {
			line += separator
		}
		line += words
	}
	for _, part := range parts {
		if p.ASCII {
			part = strings.ReplaceAll(part, " – ", p.span)
		}
		switch {
		case part == "":
		case uniseg.StringWidth(part) <= p.Width:
			add(p.dot, part)
		default:
			separator := p.dot
			for word := range strings.FieldsSeq(part) {
				add(separator, word)
				separator = " "
			}
		}
	}
	fmt.Fprintln(w, line)
}

func (p *plot) writeHead(w *bufio.Writer) {
	fmt.Fprintln(w, p.fit(p.Title, p.Width))
	what := "tasks " + p.Counted() + " at once"
	if p.Stat == "entered" {
		what = "tasks that entered the status (" + strings.TrimPrefix(p.Counted(), "in ") + ")"
	}
	p.wrap(w, what, chart.Span(p.Window.Start, p.Window.End), "buckets of "+chart.Duration(p.Bucket.Seconds))
	areas := "areas: " + p.Statistic()
	switch p.Stat {
	case "peak":
		areas = "area: " + p.Statistic() + ", of the total"
	case "mean", "start":
		areas += ", stacked"
	}
	if fewer := len(p.columns) < p.Count; fewer {
		areas += fmt.Sprintf(" (in each column the fullest of up to %d buckets)", (p.Count+len(p.columns)-1)/len(p.columns)+1)
	}
	p.wrap(w, areas, p.peakWords())
	fmt.Fprintln(w)
}

func (p *plot) peakWords() string {
	if p.Peaks == nil {
		return ""
	}
	return fmt.Sprintf("%c peak of the total", p.peak[1])
}

// windowWords says what the peak of the window is.
func (p *plot) windowWords() string {
	total := p.Total
	switch {
	case total.Peak == 0:
		return "no task was counted in this window"
	case !total.Exact():
		return fmt.Sprintf("total: at most %s at once", chart.Number(float64(total.Peak)))
	case total.PeakAt != nil:
		mark := string(p.top) + " "
		if p.Peaks == nil {
			mark = ""
		}
		return fmt.Sprintf("%speak of the total: %s at %s", mark, chart.Number(float64(total.Peak)), chart.Instant(*total.PeakAt))
	default:
		return "peak of the total: " + chart.Number(float64(total.Peak))
	}
}

// writeTime writes the time axis: its line, its instants and, below them, its days.
func (p *plot) writeTime(w *bufio.Writer) {
	n := len(p.columns)
	line, texts, days := repeat(p.floor, n), repeat(' ', n+p.labels+2), repeat(' ', n+p.labels+2)
	free, dayFree := 0, 0
	longest := len("15:04:05") + 3
	for _, tick := range p.Ticks(max(1, n/longest)) {
		x := int((tick.At - p.Start) * int64(n) / p.Whole())
		line[x] = p.floorTick
		at := min(max(x+p.labels+2-len(tick.Text)/2, 0), len(texts)-len(tick.Text))
		if at >= free {
			free = put(texts, at, tick.Text) + 1
		}
		if tick.Day != "" {
			if at = min(at, len(days)-len(tick.Day)-len(" UTC")); at >= dayFree {
				dayFree = put(days, at, tick.Day) + 1
			}
		}
	}
	put(days, len(days)-len("UTC"), "UTC")
	fmt.Fprintf(w, "%*s %c%s\n", p.labels, "0", p.corner, string(line))
	fmt.Fprintln(w, strings.TrimRight(string(texts), " "))
	fmt.Fprintf(w, "%s\n\n", string(days))
}

func repeat(r rune, n int) []rune { return []rune(strings.Repeat(string(r), n)) }

// put writes a text of ASCII at a place and returns where it ends.
func put(line []rune, at int, text string) int { return at + copy(line[at:], []rune(text)) }

// writeLegend writes the templates, the one with most task-seconds first, and the total.
func (p *plot) writeLegend(w *bufio.Writer) {
	p.wrap(w, p.windowWords(), p.limitWords())
	p.wrap(w, fmt.Sprintf("%s: %s task-seconds", p.TotalOf(), chart.Number(p.Total.TaskSeconds)))
	if len(p.Legend) == 0 {
		return
	}
	fmt.Fprintln(w)
	longest, peaks := 0, 0
	words := make([]string, len(p.Legend))
	for i, band := range p.Legend {
		longest = max(longest, uniseg.StringWidth(p.clean(band.Name)))
		words[i] = peakOf(band, p.ASCII)
		peaks = max(peaks, uniseg.StringWidth(words[i]))
	}
	const swatch, share, gap = len("a ## "), len(" 100.0%"), 4
	rest := swatch + 2 + peaks + share
	columns := max(1, (p.Width+gap)/(min(longest, 40)+rest+gap))
	name := min(longest, (p.Width+gap)/columns-gap-rest)
	rows := (len(p.Legend) + columns - 1) / columns
	for y := range rows {
		for i := y; i < len(p.Legend); i += rows {
			band := p.Legend[i]
			p.writeSwatch(w, i)
			fmt.Fprintf(w, " %s  %*s%*s", pad(p.fit(band.Name, name), name), peaks, words[i], share, chart.Share(band.Share))
			if i+rows < len(p.Legend) {
				fmt.Fprint(w, strings.Repeat(" ", gap))
			}
		}
		fmt.Fprintln(w)
	}
}

// peakOf says what the peak of a template is. Without block elements there is no sign for "at most" either.
func peakOf(band chart.Band, ascii bool) string {
	most := ""
	if !band.Exact() {
		most = "≤ "
		if ascii {
			most = "<= "
		}
	}
	return "peak " + most + chart.Number(float64(band.Peak))
}

// writeSwatch writes the key of an entry of the legend, and what its layer is filled with.
func (p *plot) writeSwatch(w *bufio.Writer, i int) {
	k := len(p.Bands) - 1 - i
	switch {
	case p.Stat == "peak": // there are no layers
		fmt.Fprint(w, "    ")
	case p.Colour != NoColour:
		fmt.Fprintf(w, "%c %s  %s", p.key(k), p.style(color.RGBA{}, colour(p.Legend[i].Mark)), "\x1b[0m")
	case p.ASCII:
		fmt.Fprintf(w, "%c %[1]c%[1]c", p.key(k))
	default:
		fmt.Fprintf(w, "%c %c%[2]c", p.key(k), p.shade(k))
	}
}

// limitWords says what the limit is at the end, and for how long it was reached.
func (p *plot) limitWords() string {
	last := p.LastLimit()
	if last == nil {
		return ""
	}
	words := fmt.Sprintf("%c limit %s", p.limit, chart.Number(float64(*last)))
	if p.LimitAbove {
		words = fmt.Sprintf("limit %s, above the chart", chart.Number(float64(*last)))
	}
	for _, limit := range p.Limits {
		if limit.Scope != "workflow" || limit.AtLimitSeconds == nil || limit.AtLimitShare == nil {
			continue
		}
		about := ""
		if limit.AtLimitWidth != nil && *limit.AtLimitWidth > 0 {
			about = "at most "
		}
		words += fmt.Sprintf(", reached for %s%s s (%s)", about, chart.Number(*limit.AtLimitSeconds), chart.Share(*limit.AtLimitShare))
	}
	return words
}
