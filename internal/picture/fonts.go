package picture

import (
	"strings"
	"sync"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
)

// fonts are the Go fonts: Latin, Greek and Cyrillic. An SVG names the fonts of the page, which are no wider.
type fonts struct {
	regular, bold *sfnt.Font
	faces         map[faceKey]font.Face
}

type faceKey struct {
	size float64 // in pixels of a PNG
	bold bool
}

var parseFonts = sync.OnceValues(func() (*fonts, error) {
	regular, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return nil, err
	}
	bold, err := opentype.Parse(gobold.TTF)
	return &fonts{regular: regular, bold: bold}, err
})

// loadFonts returns the fonts, with faces of their own: a face may be used by one goroutine only.
func loadFonts() (*fonts, error) {
	parsed, err := parseFonts()
	if err != nil {
		return nil, err
	}
	return &fonts{parsed.regular, parsed.bold, map[faceKey]font.Face{}}, nil
}

// face returns the face of a size in CSS pixels.
func (f *fonts) face(size float64, bold bool) font.Face {
	key := faceKey{size * Scale, bold}
	if face, known := f.faces[key]; known {
		return face
	}
	source := f.regular
	if bold {
		source = f.bold
	}
	// At 72 dots per inch, a point is a pixel. The size is positive and the font was parsed: there is no other error.
	face, _ := opentype.NewFace(source, &opentype.FaceOptions{Size: key.size, DPI: 72, Hinting: font.HintingNone})
	f.faces[key] = face
	return face
}

// width returns the width of a text in CSS pixels.
func (f *fonts) width(words string, size float64, bold bool) float64 {
	return float64(font.MeasureString(f.face(size, bold), words)) / 64 / Scale
}

// fit returns as much of a text as fits into a width, in CSS pixels, without its middle: names often differ at their ends
// alone.
func (f *fonts) fit(words string, width, size float64, bold bool) string {
	if f.width(words, size, bold) <= width {
		return words
	}
	runes := []rune(words)
	for kept := len(runes) - 1; kept > 0; kept-- {
		short := string(runes[:(kept+1)/2]) + "…" + string(runes[len(runes)-kept/2:])
		if f.width(short, size, bold) <= width {
			return short
		}
	}
	return "…"
}

// oneLine replaces what no picture can show.
func oneLine(words string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, words)
}
