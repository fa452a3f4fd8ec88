package chart

import (
	"fmt"
	"image/color"
	"slices"
	"unicode/utf16"
)

// Theme is a set of colours for a light or a dark background.
type Theme string

// The themes.
const (
	Light Theme = "light"
	Dark  Theme = "dark"
)

// Pattern is how a template's area is filled beside its colour.
type Pattern string

// patterns are in the order in which templates get them. They and the colours are the page's, which a test compares.
var patterns = []Pattern{"solid", "rising", "falling", "crossed", "dotted", "lined", "dashed"}

// PatternSize is the side of the square that a pattern repeats, in CSS pixels.
const PatternSize = 8

// Covers reports whether the lines of a pattern cover the point (x, y), in CSS pixels from 0 on.
func (p Pattern) Covers(x, y float64) bool {
	const half = PatternSize / 2.0
	switch p {
	case "rising":
		return modulo(x+y, PatternSize) < 1.5
	case "falling":
		return modulo(x-y, PatternSize) < 1.5
	case "crossed":
		return modulo(x+y, PatternSize) < 1.2 || modulo(x-y, PatternSize) < 1.2
	case "dotted":
		return modulo(x, half) < 1.5 && modulo(y, half) < 1.5
	case "lined":
		return modulo(y, half) < 1
	case "dashed":
		return modulo(y, half) < 1.5 && modulo(x, PatternSize) < 5
	default:
		return false
	}
}

func modulo(a, b float64) float64 {
	for a < 0 {
		a += b
	}
	for a >= b {
		a -= b
	}
	return a
}

// Mark is what tells a template from the others.
type Mark struct {
	Colour  color.RGBA
	Pattern Pattern
}

// Tint is the colour of the pattern's lines on a page of a colour.
func (m Mark) Tint(page color.RGBA) color.RGBA { return Mix(m.Colour, page, 0.6) }

// Colours are those of a theme.
type Colours struct {
	Page, Line, Text, Grid, Limit color.RGBA
	Templates                     []color.RGBA
}

var themes = map[Theme]Colours{
	Light: {
		Page: hex("#ffffff"), Line: hex("#14161f"), Text: hex("#4a4f5e"), Limit: hex("#b3261e"),
		Grid:      color.RGBA{20, 22, 31, 31}, // not premultiplied: 0.12 of 255
		Templates: hexes("#5d8dd3", "#f34664", "#8844b1", "#ca6918", "#3369dc", "#b670ad", "#ab453a", "#69617a"),
	},
	Dark: {
		Page: hex("#121212"), Line: hex("#f4f5f7"), Text: hex("#b4b9c6"), Limit: hex("#ff8a80"),
		Grid:      color.RGBA{244, 245, 247, 36}, // 0.14 of 255
		Templates: hexes("#90aad2", "#edb05a", "#aa329c", "#98e6be", "#7535f2", "#3b977c", "#805f19", "#ddf340"),
	},
}

// Colours returns the colours of the theme. The alpha of Grid is not premultiplied.
func (t Theme) Colours() Colours { return themes[t] }

// hex reads "#rrggbb".
func hex(text string) color.RGBA {
	c := color.RGBA{A: 255}
	// The texts are constants of this file.
	_, _ = fmt.Sscanf(text, "#%02x%02x%02x", &c.R, &c.G, &c.B)
	return c
}

func hexes(texts ...string) []color.RGBA {
	colours := make([]color.RGBA, len(texts))
	for i, text := range texts {
		colours[i] = hex(text)
	}
	return colours
}

// Hex writes a colour as "#rrggbb".
func Hex(c color.RGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// Mix returns the colour that is share of the way from one to another.
func Mix(from, to color.RGBA, share float64) color.RGBA {
	mix := func(a, b uint8) uint8 { return uint8(float64(a) + (float64(b)-float64(a))*share + 0.5) }
	return color.RGBA{mix(from.R, to.R), mix(from.G, to.G), mix(from.B, to.B), 255}
}

// marks returns the mark of each series' name. A template's mark depends on the names of all the workflow's
// templates, so that it is the same in every window.
func marks(answer Answer, names []string, theme Theme) map[string]Mark {
	all := slices.Clone(names)
	for _, series := range answer.Series {
		all = append(all, series.TaskTemplateName)
	}
	// The page sorts by UTF-16 code units, as JavaScript does.
	slices.SortFunc(all, func(a, b string) int {
		return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
	})
	all = slices.Compact(all)
	colours := theme.Colours()
	found := map[string]Mark{}
	for i, name := range all {
		n := len(colours.Templates)
		found[name] = Mark{colours.Templates[i%n], patterns[i/n%len(patterns)]}
	}
	for _, series := range answer.Series {
		if series.Attempts == "later" {
			mark := found[series.TaskTemplateName]
			mark.Pattern = patterns[(slices.Index(patterns, mark.Pattern)+1)%len(patterns)]
			found[series.Name()] = mark
		}
	}
	return found
}

// otherMark is the mark of what has no series of its own.
func otherMark(theme Theme) Mark {
	colours := theme.Colours()
	return Mark{Mix(colours.Text, colours.Page, 0.25), "lined"}
}
