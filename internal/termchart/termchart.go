// Package termchart draws the timeline in a terminal, out of block elements or, where the locale has none, of ASCII.
package termchart

import (
	"bufio"
	"fmt"
	"image/color"
	"io"
	"math"
	"slices"
	"strings"

	"tasktide/internal/chart"
)

// Depth is how many colours a terminal has.
type Depth int

// The depths.
const (
	NoColour   Depth = iota
	Indexed          // 256 colours
	TrueColour       // 24 bits
)

// Options say how the chart is drawn.
type Options struct {
	Title  string // of the workflow
	Width  int    // of the whole chart in columns, MinWidth to MaxWidth
	Height int    // of the plot in rows, MinHeight to MaxHeight
	Colour Depth
	ASCII  bool
}

// The bounds of a chart.
const (
	MinWidth  = 40
	MaxWidth  = 400
	MinHeight = 6
	MaxHeight = 100
)

// MaxBands is how many layers a chart has keys for.
const MaxBands = 53

// keys name the layers where colours do not: the first is the legend's first. Other is a dot.
const keys = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// glyphs are what a chart is drawn with.
type glyphs struct {
	eighths            []rune // of a cell from its bottom, by how many are filled
	shades             []rune // of layers without colours
	peak               []rune // low, in the middle and high in a cell
	top, limit         rune   // the window's peak, and the limit
	axis, tick, corner rune
	floor, floorTick   rune
	ellipsis, dot      string
	span               string
}

var (
	blocks = glyphs{
		eighths: []rune(" ▁▂▃▄▅▆▇█"), shades: []rune("▓░▒█"), peak: []rune("▁─▔"), top: '◆', limit: '╌',
		axis: '│', tick: '┤', corner: '└', floor: '─', floorTick: '┬', ellipsis: "…", dot: " · ", span: " – ",
	}
	ascii = glyphs{
		eighths: []rune("         "), peak: []rune("^^^"), top: '*', limit: '-',
		axis: '|', tick: '+', corner: '+', floor: '-', floorTick: '+', ellipsis: "~", dot: ", ", span: " to ",
	}
)

// cell is a character of the plot. A colour without alpha is the terminal's own.
type cell struct {
	glyph  rune
	fg, bg color.RGBA
}

// plot is the cells that are drawn, the lowest row first.
type plot struct {
	chart.Chart
	Options
	glyphs

	labels  int // width of the numbers at the y axis
	columns []chart.Column
	step    float64 // between two numbers at the y axis
	perStep int     // rows for each
	rows    [][]cell
}

// PlotWidth returns how many columns the plot of a chart has at most: with as many buckets or fewer, each bucket has
// a column of its own.
func PlotWidth(width int) int { return width - len("1,000 ") - 1 }

// Draw writes a chart. The areas are the answer's statistic, the templates stacked. Above them, a mark in each column
// is the highest peak of the total in all buckets that the column covers, and one marks that of the window.
func Draw(out io.Writer, c chart.Chart, options Options) error {
	options.Width = min(max(options.Width, MinWidth), MaxWidth)
	options.Height = min(max(options.Height, MinHeight), MaxHeight)
	p := &plot{Chart: c, Options: options, glyphs: blocks}
	if options.ASCII {
		p.glyphs = ascii
	}
	p.scale()
	for x, column := range p.columns {
		p.drawStack(x, column)
		p.drawLimit(x)
		p.drawPeak(x, column)
	}
	w := bufio.NewWriter(out)
	p.writeHead(w)
	p.writePlot(w)
	p.writeTime(w)
	p.writeLegend(w)
	return w.Flush()
}

// colour returns the colour of a mark. A terminal has no patterns: templates of one colour are lighter and darker.
func colour(mark chart.Mark) color.RGBA {
	switch white, black := (color.RGBA{255, 255, 255, 255}), (color.RGBA{A: 255}); mark.Pattern {
	case "rising":
		return chart.Mix(mark.Colour, white, 0.45)
	case "falling":
		return chart.Mix(mark.Colour, black, 0.45)
	case "crossed", "dotted", "dashed":
		return chart.Mix(mark.Colour, white, 0.7)
	default:
		return mark.Colour
	}
}

// scale chooses the numbers of the y axis so that each begins a row.
func (p *plot) scale() {
	p.step = chart.Step(p.Highest, max(2, p.Height/3))
	steps := max(1, int(math.Ceil(p.Highest/p.step)))
	p.perStep = max(1, p.Height/steps)
	rows := steps*p.perStep + 1 // the uppermost for its number
	p.labels = len(chart.Number(float64(steps) * p.step))
	p.columns = p.Columns(p.Width - p.labels - 2)
	p.rows = make([][]cell, rows)
	for y := range p.rows {
		p.rows[y] = make([]cell, len(p.columns))
		for x := range p.rows[y] {
			p.rows[y][x].glyph = ' '
		}
	}
}

// eighth returns the height of a number in eighths of a row.
func (p *plot) eighth(number float64) float64 { return number / p.step * float64(p.perStep) * 8 }

// row returns the row that a number above zero reaches up to.
func (p *plot) row(number float64) int {
	// A number of the axis is the upper end of the row below it, whatever rounding makes of it.
	y := int(math.Ceil(p.eighth(number)/8-1e-9)) - 1
	return min(max(y, 0), len(p.rows)-1)
}

// drawStack fills a column. A cell can show two layers at most: it shows those that have most of it.
func (p *plot) drawStack(x int, column chart.Column) {
	if column.Bucket < 0 {
		return
	}
	tops := make([]int, len(p.Bands)) // in eighths
	sum, largest := 0.0, 0
	for k, band := range p.Bands {
		sum += band.Values[column.Bucket]
		tops[k] = min(int(math.Round(p.eighth(sum))), len(p.rows)*8)
		if band.Values[column.Bucket] > p.Bands[largest].Values[column.Bucket] {
			largest = k
		}
	}
	if len(tops) > 0 && sum > 0 && tops[len(tops)-1] == 0 { // less than an eighth is still something
		for k := largest; k < len(tops); k++ {
			tops[k] = 1
		}
	}
	for y := range p.rows {
		if len(tops) == 0 || y*8 >= tops[len(tops)-1] {
			break
		}
		p.rows[y][x] = p.stackCell(tops, y)
	}
	below := 0
	for k, top := range tops {
		p.writeKey(x, k, below, top)
		below = top
	}
}

// stackCell returns a cell that one layer fills, or two.
func (p *plot) stackCell(tops []int, y int) cell {
	const none = -1
	lower, upper, lowerShare, upperShare := none, none, 0, 0
	filled, below := 0, y*8
	for k, top := range tops {
		share := min(top, y*8+8) - max(below, y*8)
		below = max(below, top)
		if share <= 0 {
			continue
		}
		filled += share
		switch {
		case lower == none:
			lower, lowerShare = k, share
		case upper == none:
			upper, upperShare = k, share
		case share > min(lowerShare, upperShare): // the third: the least of them goes
			if lowerShare < upperShare {
				lower, lowerShare = upper, upperShare
			}
			upper, upperShare = k, share
		}
	}
	if p.Colour == NoColour || filled < 8 || upper == none {
		if upperShare > lowerShare {
			lower = upper
		}
		return p.fill(lower, filled)
	}
	// Of the eighths of a third layer, both get their part.
	share := int(math.Round(float64(lowerShare) / float64(lowerShare+upperShare) * 8))
	return cell{p.eighths[min(max(share, 1), 7)], colour(p.Bands[lower].Mark), colour(p.Bands[upper].Mark)}
}

// fill returns a cell of which a layer fills so many eighths.
func (p *plot) fill(k, filled int) cell {
	switch {
	case p.Colour != NoColour && filled == 8:
		return cell{glyph: ' ', bg: colour(p.Bands[k].Mark)}
	case p.Colour != NoColour && !p.ASCII:
		return cell{glyph: p.eighths[filled], fg: colour(p.Bands[k].Mark)}
	case p.ASCII && filled < 4:
		return cell{glyph: '_', fg: p.background(k)}
	case filled < 4:
		return cell{glyph: p.eighths[filled]}
	case p.ASCII:
		return cell{glyph: p.key(k), bg: p.background(k)}
	default:
		return cell{glyph: p.shade(k)}
	}
}

func (p *plot) background(k int) color.RGBA {
	if p.Colour == NoColour {
		return color.RGBA{}
	}
	return colour(p.Bands[k].Mark)
}

// rank is the place of a layer in the legend.
func (p *plot) rank(k int) int { return len(p.Bands) - 1 - k }

func (p *plot) shade(k int) rune { return p.shades[p.rank(k)%len(p.shades)] }

func (p *plot) key(k int) rune {
	if p.Other != nil && k == 0 && len(p.Bands) > 1 {
		return '.'
	}
	return rune(keys[min(p.rank(k), len(keys)-1)])
}

// keyEvery is how many columns are from one key of a layer to the next.
const keyEvery = 8

// writeKey writes the key of a layer into the middle of it, in some columns.
func (p *plot) writeKey(x, k, from, to int) {
	first, end := (from+7)/8, to/8 // the rows that are the layer's alone
	if p.Stat == "peak" || first >= end || (x+3*p.rank(k))%keyEvery != keyEvery/2 {
		return
	}
	c := &p.rows[(first+end-1)/2][x]
	c.glyph, c.fg, c.bg = p.key(k), readable(colour(p.Bands[k].Mark)), p.background(k)
	if p.Colour == NoColour {
		c.fg = color.RGBA{}
	}
}

// readable returns black or white, whichever is easier to read on a colour.
func readable(on color.RGBA) color.RGBA {
	if 299*int(on.R)+587*int(on.G)+114*int(on.B) > 128_000 {
		return color.RGBA{A: 255}
	}
	return color.RGBA{255, 255, 255, 255}
}

// drawLimit draws the limit when the column's bucket begins, and in a column in which nothing has happened yet too.
func (p *plot) drawLimit(x int) {
	at := p.Start + p.Whole()*int64(x)/int64(len(p.columns))
	if bucket := p.columns[x].Bucket; bucket >= 0 {
		at = p.Start + p.BucketWidth*int64(bucket)
	}
	if limit := p.LimitAt(at); limit != nil && !p.LimitAbove && *limit > 0 {
		p.over(x, p.row(float64(*limit)), p.limit, p.limitColour())
	}
}

func (p *plot) limitColour() color.RGBA { return color.RGBA{230, 70, 60, 255} }

func (p *plot) drawPeak(x int, column chart.Column) {
	if column.Peak <= 0 {
		return
	}
	y := p.row(float64(column.Peak))
	glyph := p.peak[1]
	switch part := p.eighth(float64(column.Peak)) - float64(y*8); {
	case column.HasMax:
		glyph = p.top
	case part < 3:
		glyph = p.peak[0]
	case part > 5.5:
		glyph = p.peak[2]
	}
	p.over(x, y, glyph, color.RGBA{})
}

// over writes a glyph over a cell, on what fills most of it.
func (p *plot) over(x, y int, glyph rune, fg color.RGBA) {
	c := &p.rows[y][x]
	if i := strings.IndexRune(string(p.eighths), c.glyph); c.bg.A == 0 && i >= 0 && len([]rune(string(p.eighths)[:i])) >= 4 {
		c.bg = c.fg
	}
	c.glyph, c.fg = glyph, fg
	if fg.A == 0 && c.bg.A != 0 {
		c.fg = readable(c.bg)
	}
	if p.Colour == NoColour {
		c.fg = color.RGBA{}
	}
}

func (p *plot) writePlot(w *bufio.Writer) {
	for y, row := range slices.Backward(p.rows) {
		label, axis := "", p.axis
		// A number stands beside the row that begins at it.
		if y%p.perStep == 0 && y > 0 {
			label, axis = chart.Number(float64(y/p.perStep)*p.step), p.tick
		}
		fmt.Fprintf(w, "%*s %c", p.labels, label, axis)
		p.writeCells(w, row)
	}
}

// writeCells writes a row without blanks at its end.
func (p *plot) writeCells(w *bufio.Writer, cells []cell) {
	end := len(cells)
	for end > 0 && cells[end-1].glyph == ' ' && cells[end-1].bg.A == 0 {
		end--
	}
	var now cell
	for _, c := range cells[:end] {
		if c.fg != now.fg || c.bg != now.bg {
			_, _ = w.WriteString(p.style(c.fg, c.bg))
			now = c
		}
		_, _ = w.WriteRune(c.glyph)
	}
	if now.fg.A != 0 || now.bg.A != 0 {
		_, _ = w.WriteString("\x1b[0m")
	}
	_ = w.WriteByte('\n')
}

// style returns the control sequence for two colours.
func (p *plot) style(fg, bg color.RGBA) string {
	if p.Colour == NoColour {
		return ""
	}
	var sequence strings.Builder
	sequence.WriteString("\x1b[0")
	for _, c := range []struct {
		color.RGBA
		kind int
	}{{fg, 38}, {bg, 48}} {
		switch {
		case c.A == 0:
		case p.Colour == TrueColour:
			fmt.Fprintf(&sequence, ";%d;2;%d;%d;%d", c.kind, c.R, c.G, c.B)
		default:
			fmt.Fprintf(&sequence, ";%d;5;%d", c.kind, indexed(c.RGBA))
		}
	}
	return sequence.String() + "m"
}

// indexed returns the nearest of the 216 colours of the cube.
func indexed(c color.RGBA) int {
	level := func(v uint8) int {
		if v < 48 {
			return 0
		}
		return max(1, (int(v)-35)/40)
	}
	return 16 + 36*level(c.R) + 6*level(c.G) + level(c.B)
}
