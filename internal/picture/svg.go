package picture

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"

	"tasktide/internal/chart"
)

// fontFamily is the page's.
const fontFamily = `system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif`

// WriteSVG draws a chart as an SVG: texts as such, areas and lines as paths.
func WriteSVG(out io.Writer, c chart.Chart, options Options) error {
	s, err := compose(c, options)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" font-family="%s">`+"\n",
		s.width, s.height, fontFamily)
	fmt.Fprintf(w, "<title>%s</title>\n", escaped(s.title))
	patterns := s.writePatterns(w)
	fmt.Fprintf(w, `<rect width="100%%" height="100%%" fill="%s"/>`+"\n", chart.Hex(s.page))
	// The unit of the shapes is half a pixel. Where they meet there must be no seam.
	fmt.Fprintf(w, `<g transform="scale(%v)" shape-rendering="crispEdges">`+"\n", 1.0/Scale)
	for _, shape := range s.shapes {
		if len(shape.rects) == 0 {
			continue
		}
		paint := chart.Hex(shape.Colour)
		if shape.Pattern != "solid" {
			paint = "url(#" + patterns[shape.Mark] + ")"
		}
		opacity := ""
		if shape.alpha < 255 {
			opacity = fmt.Sprintf(` fill-opacity="%.2f"`, float64(shape.alpha)/255)
		}
		fmt.Fprintf(w, `<path fill="%s"%s d="%s"/>`+"\n", paint, opacity, path(shape.rects))
	}
	fmt.Fprintln(w, "</g>")
	anchors := map[anchor]string{left: "", middle: ` text-anchor="middle"`, right: ` text-anchor="end"`}
	for _, t := range s.texts {
		weight, whole := "", ""
		if t.bold {
			weight = ` font-weight="600"`
		}
		if t.whole != "" {
			whole = "<title>" + escaped(t.whole) + "</title>"
		}
		fmt.Fprintf(w, `<text x="%s" y="%s" font-size="%v"%s%s fill="%s">%s%s</text>`+"\n",
			number(t.x), number(t.y), t.size, weight, anchors[t.anchor], chart.Hex(t.colour), whole, escaped(t.words))
	}
	fmt.Fprintln(w, "</svg>")
	return w.Flush()
}

// writePatterns defines the patterns that the shapes have, and returns their ids.
func (s *scene) writePatterns(w io.Writer) map[chart.Mark]string {
	const side = chart.PatternSize * Scale
	ids := map[chart.Mark]string{}
	for _, shape := range s.shapes {
		if _, known := ids[shape.Mark]; known || shape.Pattern == "solid" {
			continue
		}
		id := fmt.Sprintf("p%d", len(ids))
		ids[shape.Mark] = id
		var runs []rect
		for y := range side {
			for x := 0; x < side; x++ {
				from := x
				for x < side && shape.Pattern.Covers(float64(x)/Scale, float64(y)/Scale) {
					x++
				}
				if x > from {
					runs = append(runs, rect{from, y, x - from, 1})
				}
			}
		}
		fmt.Fprintf(w, `<pattern id="%s" width="%d" height="%[2]d" patternUnits="userSpaceOnUse">`+
			`<rect width="%[2]d" height="%[2]d" fill="%s"/><path fill="%s" d="%s"/></pattern>`+"\n",
			id, side, chart.Hex(shape.Colour), chart.Hex(shape.Tint(s.page)), path(runs))
	}
	return ids
}

// path draws rectangles one after the other.
func path(rects []rect) string {
	var d strings.Builder
	for _, r := range rects {
		fmt.Fprintf(&d, "M%d %dh%dv%dh-%dz", r.x, r.y, r.width, r.height, r.width)
	}
	return d.String()
}

func number(value float64) string { return strconv.FormatFloat(value, 'f', -1, 64) }

func escaped(words string) string {
	var b strings.Builder
	// A builder takes everything.
	_ = xml.EscapeText(&b, []byte(words))
	return b.String()
}
