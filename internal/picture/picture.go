// Package picture draws the timeline as a PNG or an SVG, as the web page exports it: title, notes, chart and legend in
// the page's colours, patterns and measures.
package picture

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"strings"

	"tasktide/internal/chart"
)

// Options say how a picture is made.
type Options struct {
	Title  string
	Theme  chart.Theme
	Width  int // of the chart in CSS pixels, MinWidth to MaxWidth; the picture is wider by its margins
	Height int // of the chart in CSS pixels, MinHeight to MaxHeight, without title and legend
}

// The bounds of a chart, and its size where there is no other, in CSS pixels.
const (
	MinWidth      = 320
	DefaultWidth  = 1200
	MaxWidth      = 4000
	MinHeight     = 160
	DefaultHeight = 480
	MaxHeight     = 2000
)

// Measures of the page's picture, in CSS pixels.
const (
	padding      = 24
	titleHeight  = 30
	noteHeight   = 18
	legendRow    = 20
	legendColumn = 300
	swatch       = 14

	marginLeft, marginRight, marginTop, marginBottom = 52, 16, 12, 60

	titleSize, textSize, tickSize = 20, 13, 12
)

// Scale is how many pixels a PNG has to a CSS pixel, along each axis.
const Scale = 2

// fill is what a rectangle is painted with.
type fill struct {
	chart.Mark

	alpha uint8 // 255 for what hides what is below it
}

// rect is a rectangle of the finest picture: its unit is a pixel of a PNG.
type rect struct{ x, y, width, height int }

// shape is rectangles with one fill.
type shape struct {
	fill
	rects []rect
}

// anchor is the point of a text that has its x.
type anchor int

const (
	left anchor = iota
	middle
	right
)

// text is a line of text. Its y is the base line, in CSS pixels.
type text struct {
	words  string
	whole  string // the text that words is shortened from, if it is
	x, y   float64
	size   float64
	bold   bool
	anchor anchor
	colour color.RGBA
}

// scene is a picture before it is painted: shapes from the lowest to the uppermost, and texts above them.
type scene struct {
	title         string
	width, height int // in CSS pixels
	page          color.RGBA
	shapes        []shape
	texts         []text
}

// composer lays a picture out.
type composer struct {
	scene
	chart.Chart
	Options

	fonts   *fonts
	colours chart.Colours
	plot    rect // in pixels of a PNG
	max     float64
}

// compose lays out the picture of a chart.
func compose(c chart.Chart, options Options) (*scene, error) {
	fonts, err := loadFonts()
	if err != nil {
		return nil, err
	}
	options.Width = min(max(cmp.Or(options.Width, DefaultWidth), MinWidth), MaxWidth)
	options.Height = min(max(cmp.Or(options.Height, DefaultHeight), MinHeight), MaxHeight)
	p := &composer{Chart: c, Options: options, fonts: fonts, colours: options.Theme.Colours()}
	p.scene.title, p.scene.page = options.Title, p.colours.Page
	p.max = max(1, c.Highest) * 1.06 // as the page's axis

	notes := p.notes()
	chartTop := padding + titleHeight + len(notes)*noteHeight + 8
	p.plot = rect{
		(padding + marginLeft) * Scale, (chartTop + marginTop) * Scale,
		(options.Width - marginLeft - marginRight) * Scale, (options.Height - marginTop - marginBottom) * Scale,
	}
	p.write(options.Title, padding, padding+titleSize*0.8, options.Width, titleSize, true, p.colours.Line)
	for i, note := range notes {
		y := padding + titleHeight + i*noteHeight
		p.write(note, padding, float64(y)+textSize*0.8, options.Width, textSize, false, p.colours.Text)
	}
	p.drawGrid()
	p.drawAreas()
	p.drawLimits()
	p.drawPeaks()
	p.drawAxes(chartTop)
	rows := p.drawLegend(chartTop + options.Height + 8)
	p.scene.width = options.Width + 2*padding
	p.scene.height = chartTop + options.Height + 8 + rows*legendRow + padding
	return &p.scene, nil
}

// notes say below the title what the picture shows.
func (p *composer) notes() []string {
	what := "Tasks " + p.Counted() + " at once"
	if p.Stat == "entered" {
		what = "Tasks that entered the status (" + strings.TrimPrefix(p.Counted(), "in ") + ")"
	}
	span, bucket := chart.Span(p.Window.Start, p.Window.End), chart.Duration(p.Bucket.Seconds)
	notes := []string{fmt.Sprintf("%s, %s, buckets of %s", what, span, bucket)}
	areas := "Templates: " + p.Statistic() + "."
	if p.Stat == "peak" {
		areas = "Area: " + p.Statistic() + ", of the total."
	}
	peak := chart.Number(float64(p.Total.Peak))
	switch {
	case p.Total.Peak == 0:
		peak = "nothing was counted in the window"
	case p.Total.PeakAt == nil:
		peak = "at most " + peak + " in the window"
	default:
		peak += " at " + chart.Instant(*p.Total.PeakAt)
	}
	if p.Peaks != nil {
		areas += " Line: peak of " + p.TotalOf() + ", " + peak + "."
	} else {
		areas += " Peak of " + p.TotalOf() + ": " + peak + "."
	}
	notes = append(notes, areas)
	limit := ""
	if last := p.LastLimit(); last != nil {
		limit = "Limit: " + chart.Number(float64(*last))
		if p.LimitAbove {
			limit += ", above the chart"
		}
		limit += ". "
	}
	return append(notes, limit+"Computed "+chart.Instant(p.GeneratedAt))
}

// write adds a text, as much of it as fits into a width of so many CSS pixels.
func (p *composer) write(words string, x, y float64, width int, size float64, bold bool, colour color.RGBA) {
	words = oneLine(words)
	t := text{words: p.fonts.fit(words, float64(width), size, bold), x: x, y: y, size: size, bold: bold, colour: colour}
	if t.words != words {
		t.whole = words
	}
	p.texts = append(p.texts, t)
}

// draw adds rectangles of one colour.
func (p *composer) draw(colour color.RGBA, alpha uint8, rects ...rect) {
	p.shapes = append(p.shapes, shape{fill{chart.Mark{Colour: colour, Pattern: "solid"}, alpha}, rects})
}

// across returns the pixel column of an instant.
func (p *composer) across(at int64) int {
	return p.plot.x + int(math.Round(float64(at-p.Start)/float64(p.Whole())*float64(p.plot.width)))
}

// up returns the pixel row of a number.
func (p *composer) up(number float64) int {
	return p.plot.y + max(0, int(math.Round(float64(p.plot.height)*(1-number/p.max))))
}

const timeTicks = 9

func (p *composer) drawGrid() {
	grid := p.colours.Grid
	solid := color.RGBA{grid.R, grid.G, grid.B, 255}
	var lines []rect
	for _, y := range p.numbers() {
		lines = append(lines, rect{p.plot.x, p.up(y) - 1, p.plot.width, Scale})
	}
	for _, tick := range p.Ticks(p.ticks()) {
		x := p.across(tick.At)
		lines = append(lines, rect{x - 1, p.plot.y, Scale, p.plot.height}, rect{x - 1, p.plot.y + p.plot.height, Scale, 4 * Scale})
	}
	p.draw(solid, grid.A, lines...)
}

func (p *composer) ticks() int { return max(2, min(timeTicks*p.Width/DefaultWidth, 40)) }

// numbers returns the marks of the y axis.
func (p *composer) numbers() (marks []float64) {
	step := chart.Step(p.max, 7)
	for y := 0.0; y <= p.max; y += step {
		marks = append(marks, y)
	}
	return marks
}

func (p *composer) drawAxes(chartTop int) {
	ink := p.colours.Text
	for _, y := range p.numbers() {
		p.texts = append(p.texts, text{
			words: chart.Number(y), x: float64(p.plot.x)/Scale - 6, y: float64(p.up(y))/Scale + tickSize*0.35,
			size: tickSize, anchor: right, colour: ink,
		})
	}
	below := float64(p.plot.y+p.plot.height) / Scale
	for _, tick := range p.Ticks(p.ticks()) {
		x := float64(p.across(tick.At)) / Scale
		t := text{words: tick.Text, x: x, y: below + 18, size: tickSize, anchor: middle, colour: ink}
		p.texts = append(p.texts, t)
		if tick.Day != "" {
			t.words, t.y = tick.Day, t.y+15
			p.texts = append(p.texts, t)
		}
	}
	p.texts = append(p.texts, text{
		words: "Time (UTC)", x: float64(p.plot.x+p.plot.width/2) / Scale, y: float64(chartTop + p.Height - 8),
		size: tickSize, anchor: middle, colour: ink,
	})
}

// drawLimits draws the limit as a dashed line.
func (p *composer) drawLimits() {
	if p.LimitAbove {
		return
	}
	const thick, dash, gap = 3, 9 * Scale, 9 * Scale
	var dashes []rect
	for i, step := range p.Limit {
		if step.Limit == nil {
			continue
		}
		until := p.Start + p.Whole()
		if i+1 < len(p.Limit) {
			until = min(until, p.Limit[i+1].From.UnixMicro())
		}
		from, to := p.across(max(step.From.UnixMicro(), p.Start)), p.across(until)
		y := p.up(float64(*step.Limit))
		for x := from; x < to; x += dash + gap {
			dashes = append(dashes, rect{x, y - thick/2, min(dash, to-x), thick})
		}
	}
	p.draw(p.colours.Limit, 255, dashes...)
}

// drawPeaks draws the total's peak as a line of steps. Each column of pixels has the highest peak of all buckets in it.
func (p *composer) drawPeaks() {
	if p.Peaks == nil {
		return
	}
	const thick = 3
	var line []rect
	before := -1
	columns := p.Columns(p.plot.width)
	for x := 0; x < len(columns); {
		from := x
		same := func(c chart.Column) bool {
			return c.Peak == columns[from].Peak && (c.Bucket < 0) == (columns[from].Bucket < 0)
		}
		for x < len(columns) && same(columns[x]) {
			x++
		}
		if columns[from].Bucket < 0 {
			break // nothing has happened yet, from here on
		}
		y := p.up(float64(columns[from].Peak))
		line = append(line, rect{p.plot.x + from, y - thick/2, x - from, thick})
		if before >= 0 && before != y {
			line = append(line, rect{p.plot.x + from - thick/2, min(before, y) - thick/2, thick, max(before, y) - min(before, y) + thick})
		}
		before = y
	}
	p.draw(p.colours.Line, 255, line...)
}

// drawLegend lists the layers from the top of the stack to its bottom, column by column, and returns how many rows it has.
func (p *composer) drawLegend(top int) int {
	columns := max(1, p.Width/legendColumn)
	rows := (len(p.Legend) + columns - 1) / columns
	for i, band := range p.Legend {
		x, y := padding+(i/rows)*p.Width/columns, top+i%rows*legendRow
		if p.Stat != "peak" { // else there are no layers
			p.shapes = append(p.shapes, shape{fill{band.Mark, 255}, []rect{{x * Scale, y * Scale, swatch * Scale, swatch * Scale}}})
		}
		most := ""
		if !band.Exact() {
			most = "≤ "
		}
		words := fmt.Sprintf("%s  ·  peak %s%s  ·  %s", band.Name, most, chart.Number(float64(band.Peak)), chart.Share(band.Share))
		p.write(words, float64(x+swatch+8), float64(y)+1+textSize*0.8, p.Width/columns-30, textSize, false, p.colours.Line)
	}
	return rows
}
