package picture

import (
	"math"

	"tasktide/internal/chart"
)

// minSideStep is the width, in CSS pixels, below which steps get no separator at their sides: it would hide them.
const minSideStep = 8

// areas are the stacked layers, pixel column by pixel column, as the page draws them.
type areas struct {
	*composer

	layers     []shape
	separators shape
	tops       []int // rows at which the layers of a bucket begin, from above
	before     []int // those of the bucket to the left
}

func (p *composer) drawAreas() {
	a := &areas{
		composer: p, layers: make([]shape, len(p.Bands)), tops: make([]int, len(p.Bands)), before: make([]int, len(p.Bands)),
		separators: shape{fill: fill{chart.Mark{Colour: p.colours.Page, Pattern: "solid"}, 255}},
	}
	if len(p.Bands) == 0 {
		return
	}
	for k, band := range p.Bands {
		a.layers[k].fill = fill{band.Mark, 255}
	}
	columns := p.Columns(p.plot.width)
	withSides := float64(p.plot.width)/float64(p.Count) >= minSideStep*Scale
	previous := -1
	for x := 0; x < len(columns); {
		bucket, from := columns[x].Bucket, x
		for x < len(columns) && columns[x].Bucket == bucket {
			x++
		}
		if bucket < 0 {
			continue
		}
		a.tops, a.before = a.before, a.tops
		a.stack(bucket)
		a.draw(from, x-from)
		if withSides && previous >= 0 {
			a.drawSides(from)
		}
		previous = bucket
	}
	p.shapes = append(p.shapes, a.layers...)
	p.shapes = append(p.shapes, a.separators)
}

// stack computes the tops of a bucket.
func (a *areas) stack(bucket int) {
	sum, largest, height := 0.0, 0, a.plot.height
	for k, band := range a.Bands {
		value := band.Values[bucket]
		sum += value
		if value > a.Bands[largest].Values[bucket] {
			largest = k
		}
		a.tops[k] = max(0, int(math.Floor(float64(height)*(1-sum/a.max)+0.5)))
	}
	if last := len(a.tops) - 1; sum > 0 && a.tops[last] == height { // less than a pixel is still something
		for k := largest; k <= last; k++ {
			a.tops[k] = height - 1
		}
	}
}

// draw draws the columns of a bucket. A separator is cut out of the neighbour that can spare it; between two thin layers
// there is none, or neither would be seen.
func (a *areas) draw(from, width int) {
	bottom, lower := a.plot.height, 0
	x := a.plot.x + from
	for k, top := range a.tops {
		height := bottom - top
		if height <= 0 {
			continue
		}
		a.layers[k].rects = append(a.layers[k].rects, rect{x, a.plot.y + top, width, height})
		if lower > 2*Scale {
			a.separators.rects = append(a.separators.rects, rect{x, a.plot.y + bottom, width, Scale})
		} else if lower > 0 && height > 2*Scale {
			a.separators.rects = append(a.separators.rects, rect{x, a.plot.y + bottom - Scale, width, Scale})
		}
		lower, bottom = height, top
	}
}

// drawSides separates two colours that meet side by side, where a boundary between layers jumps.
func (a *areas) drawSides(from int) {
	last := len(a.tops) - 1
	highest := max(a.tops[last], a.before[last])
	for k := range last {
		top := max(highest, min(a.tops[k], a.before[k]))
		if bottom := max(a.tops[k], a.before[k]); bottom > top {
			a.separators.rects = append(a.separators.rects, rect{a.plot.x + from, a.plot.y + top, Scale, bottom - top})
		}
	}
}
