package picture

import (
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"

	"tasktide/internal/chart"
)

// WritePNG draws a chart as a PNG, Scale pixels to a CSS pixel.
func WritePNG(out io.Writer, c chart.Chart, options Options) error {
	s, err := compose(c, options)
	if err != nil {
		return err
	}
	fonts, err := loadFonts()
	if err != nil {
		return err
	}
	canvas := image.NewRGBA(image.Rect(0, 0, s.width*Scale, s.height*Scale))
	draw.Draw(canvas, canvas.Bounds(), image.NewUniform(s.page), image.Point{}, draw.Src)
	for _, shape := range s.shapes {
		source := s.paint(shape.fill)
		for _, r := range shape.rects {
			draw.Draw(canvas, image.Rect(r.x, r.y, r.x+r.width, r.y+r.height), source, image.Pt(r.x, r.y), draw.Over)
		}
	}
	for _, t := range s.texts {
		face := fonts.face(t.size, t.bold)
		drawer := font.Drawer{
			Dst: canvas, Src: image.NewUniform(t.colour), Face: face,
			Dot: fixed.Point26_6{X: fixed.Int26_6(t.x * Scale * 64), Y: fixed.Int26_6(t.y * Scale * 64)},
		}
		switch width := drawer.MeasureString(t.words); t.anchor {
		case middle:
			drawer.Dot.X -= width / 2
		case right:
			drawer.Dot.X -= width
		case left:
		}
		drawer.DrawString(t.words)
	}
	return png.Encode(out, canvas)
}

// paint returns the endless image that a shape is cut out of.
func (s *scene) paint(f fill) image.Image {
	if f.Pattern == "solid" {
		return image.NewUniform(color.NRGBA{f.Colour.R, f.Colour.G, f.Colour.B, f.alpha})
	}
	const side = chart.PatternSize * Scale
	tile := &tiled{}
	tint := f.Tint(s.page)
	for y := range side {
		for x := range side {
			tile.pixels[y][x] = f.Colour
			if f.Mark.Pattern.Covers(float64(x)/Scale, float64(y)/Scale) {
				tile.pixels[y][x] = tint
			}
		}
	}
	return tile
}

// tiled is a pattern that repeats endlessly.
type tiled struct {
	pixels [chart.PatternSize * Scale][chart.PatternSize * Scale]color.RGBA
}

// ColorModel implements [image.Image].
func (*tiled) ColorModel() color.Model { return color.RGBAModel }

// Bounds implements [image.Image].
func (*tiled) Bounds() image.Rectangle { return image.Rect(-1e9, -1e9, 1e9, 1e9) }

// At implements [image.Image].
func (t *tiled) At(x, y int) color.Color {
	const mask = chart.PatternSize*Scale - 1
	return t.pixels[y&mask][x&mask]
}
