package picture_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tasktide/internal/chart"
	"tasktide/internal/picture"
)

var update = flag.Bool("update", false, "write the golden files")

func answer(t *testing.T) (answer chart.Answer) {
	t.Helper()
	content, err := os.ReadFile("../chart/testdata/answer.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

func svg(t *testing.T, c chart.Chart, options picture.Options) string {
	t.Helper()
	var out bytes.Buffer
	if err := picture.WriteSVG(&out, c, options); err != nil {
		t.Fatal(err)
	}
	for decoder := xml.NewDecoder(bytes.NewReader(out.Bytes())); ; {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return out.String()
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// go test ./internal/picture -update writes what is drawn now: look at it.
func TestSVG(t *testing.T) {
	for _, theme := range []chart.Theme{chart.Light, chart.Dark} {
		drawn := svg(t, chart.New(answer(t), nil, theme), picture.Options{Title: "nightly <&> \x1b[31m", Theme: theme, Width: 640, Height: 240})
		file := "testdata/" + string(theme) + ".svg"
		if *update {
			if err := os.WriteFile(file, []byte(drawn), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), drawn); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		for _, said := range []string{
			"nightly &lt;&amp;&gt;", "buckets of 1 min", "time-weighted mean of the bucket", "2022-05-13 03:00:00 – 03:40:00 UTC",
			"peak of 12 templates together, 18 at 2022-05-13 03:21:44.000001 UTC", "Limit: 7", "Time (UTC)", "Other (2 templates)",
			"call_variants  ·  peak 4  ·  17.4%", "Computed 2022-05-13 03:38:40 UTC",
		} {
			if !strings.Contains(drawn, said) {
				t.Errorf("the picture does not say %q", said)
			}
		}
	}
}

// Each template is as high in the PNG as the answer says, and the line of the total's peak lies at its number in every bucket.
func TestPNG(t *testing.T) {
	for _, theme := range []chart.Theme{chart.Light, chart.Dark} {
		c := chart.New(answer(t), nil, theme)
		c.Limit = nil
		var out bytes.Buffer
		if err := picture.WritePNG(&out, c, picture.Options{Title: "nightly", Theme: theme, Width: 1068, Height: 472}); err != nil {
			t.Fatal(err)
		}
		drawn, err := png.Decode(&out)
		if err != nil {
			t.Fatal(err)
		}
		at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(drawn.At(x, y)).(color.RGBA) }
		// The page's measures: 24 around it, a title of 30, three notes of 18, 8; 52, 16, 12 and 60 around the plot.
		const left, top, width, height = 2 * (24 + 52), 2 * (24 + 30 + 3*18 + 8 + 12), 2 * 1000, 2 * 400
		highest := math.Max(c.Highest, 1) * 1.06
		ink, page := theme.Colours().Line, theme.Colours().Page
		for i := range 38 {
			x := left + (i*width+width/2)/c.Count
			row := func(number float64) int { return top + int(math.Round(height*(1-number/highest))) }
			if y := row(float64(c.Peaks[i])); at(x, y) != ink {
				t.Errorf("%s: at the peak %d of bucket %d is %v", theme, c.Peaks[i], i, at(x, y))
			}
			sum := 0.0
			for _, band := range c.Bands {
				middle := row(sum + band.Values[i]/2)
				sum += band.Values[i]
				if band.Values[i] < 0.5 {
					continue
				}
				if got, mark := at(x, middle), band.Mark; got != mark.Colour && got != mark.Tint(page) {
					t.Errorf("%s: in the middle of %s in bucket %d is %v", theme, band.Name, i, got)
				}
			}
		}
		// Nothing is drawn of what has not happened yet.
		if x := left + 39*width/c.Count + 20; at(x, top+height-4) != page {
			t.Errorf("%s: in the future is %v", theme, at(x, top+height-4))
		}
	}
}

// A bucket that is narrower than a pixel loses no peak.
func TestANarrowPeakIsInTheLine(t *testing.T) {
	a := answer(t)
	const count = 20_000
	a.Series, a.Other, a.Limits, a.PartialFrom = nil, nil, nil, nil
	a.Bucket.Seconds, a.Bucket.Count = 1, count
	a.Total.Values, a.Total.Peaks = make([]float64, count), make([]int64, count)
	a.Total.Peaks[12_345] = 1000
	drawn := svg(t, chart.New(a, nil, chart.Light), picture.Options{Theme: chart.Light, Width: 468, Height: 272})
	// The plot is 800 wide and 400 high at (152, 256), in pixels; 12,345 of 20,000 is the 493rd, and 1000 of 1060 is 23 from above.
	if !strings.Contains(drawn, "M645 278h") {
		t.Error("the peak is not in the line")
	}
}
