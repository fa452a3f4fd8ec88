package termchart_test

import (
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rivo/uniseg"
	"pgregory.net/rapid"

	"tasktide/internal/chart"
	"tasktide/internal/termchart"
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

func draw(t interface{ Fatal(args ...any) }, c chart.Chart, options termchart.Options) string {
	var out strings.Builder
	if err := termchart.Draw(&out, c, options); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// go test ./internal/termchart -update writes what is drawn now: look at it.
func TestCharts(t *testing.T) {
	entered, peak, nothing := answer(t), answer(t), answer(t)
	entered.Stat, peak.Stat = "entered", "peak"
	nothing.Series, nothing.Other, nothing.Limits = nil, nil, nil
	nothing.Total = chart.Total{Values: make([]float64, 40), Peaks: make([]int64, 40)}
	for name, c := range map[string]struct {
		answer  chart.Answer
		options termchart.Options
	}{
		"80":        {answer(t), termchart.Options{Width: 80, Height: 18}},
		"200":       {answer(t), termchart.Options{Width: 200, Height: 24}},
		"40":        {answer(t), termchart.Options{Width: 40, Height: 6}},
		"ascii":     {answer(t), termchart.Options{Width: 80, Height: 18, ASCII: true}},
		"indexed":   {answer(t), termchart.Options{Width: 80, Height: 18, Colour: termchart.Indexed}},
		"truecolor": {answer(t), termchart.Options{Width: 80, Height: 18, Colour: termchart.TrueColour}},
		"entered":   {entered, termchart.Options{Width: 80, Height: 12}},
		"peak":      {peak, termchart.Options{Width: 80, Height: 12}},
		"nothing":   {nothing, termchart.Options{Width: 80, Height: 12}},
	} {
		t.Run(name, func(t *testing.T) {
			c.options.Title = "nightly \x1b[31mred"
			drawn := draw(t, chart.New(c.answer, nil, chart.Dark), c.options)
			file := filepath.Join("testdata", name+".txt")
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
			if strings.Contains(drawn, "\x1b[31m") {
				t.Error("a name moves the terminal")
			}
			for _, r := range drawn {
				if c.options.ASCII && r > 126 {
					t.Errorf("%q is not ASCII", r)
				}
			}
		})
	}
}

var sequence = regexp.MustCompile("\x1b\\[[0-9;]*m")

// In each column the highest peak of the total has its mark, in the row of its number, at every width.
func TestEachColumnMarksItsPeak(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.IntRange(1, 400).Draw(t, "buckets")
		scale := rapid.SampledFrom([]int64{1, 3, 40, 900, 70_000}).Draw(t, "scale")
		a := chart.Answer{
			Stat: "mean", Statuses: []string{"R"}, Bucket: chart.Bucket{Seconds: 60, Count: count},
			Total:  chart.Total{Peaks: make([]int64, count), Values: make([]float64, count)},
			Series: make([]chart.Series, rapid.IntRange(1, 9).Draw(t, "templates")),
		}
		for k := range a.Series {
			a.Series[k].TaskTemplateName = strings.Repeat("t", k+1)
			a.Series[k].Values = make([]float64, count)
		}
		for i := range count {
			sum := 0.0
			for k := range a.Series {
				if rapid.IntRange(0, 3).Draw(t, "some") == 0 {
					a.Series[k].Values[i] = float64(rapid.Int64Range(0, scale).Draw(t, "value"))
					sum += a.Series[k].Values[i]
				}
			}
			a.Total.Peaks[i] = int64(math.Ceil(sum)) + rapid.Int64Range(0, scale).Draw(t, "above")
		}
		a.Window = chart.Window{Start: a.Bucket.First, End: a.Bucket.First}
		c := chart.New(a, nil, chart.Dark)
		options := termchart.Options{
			Width: rapid.IntRange(40, 250).Draw(t, "width"), Height: rapid.IntRange(6, 30).Draw(t, "height"),
			Colour: rapid.SampledFrom([]termchart.Depth{termchart.NoColour, termchart.Indexed, termchart.TrueColour}).Draw(t, "colour"),
			ASCII:  rapid.Bool().Draw(t, "ascii"),
		}
		lines := strings.Split(sequence.ReplaceAllString(draw(t, c, options), ""), "\n")
		var rows [][]rune // the plot, from below
		left := 0
		for _, line := range lines {
			if uniseg.StringWidth(line) > options.Width {
				t.Fatalf("%q is %d wide, not %d", line, uniseg.StringWidth(line), options.Width)
			}
			runes := []rune(line)
			if at := slices.IndexFunc(runes, func(r rune) bool { return strings.ContainsRune("│┤|+└", r) }); at >= 0 && at < 10 {
				left = at + 1
				rows = append(rows, runes)
			}
		}
		floor := rows[len(rows)-1]
		rows = rows[:len(rows)-1]
		slices.Reverse(rows)
		// A number of the axis and its row give the scale.
		step, perStep := 0.0, 0
		for y, row := range rows {
			if label := strings.TrimSpace(string(row[:left-1])); label != "" && y > 0 && perStep == 0 {
				value := json.Number(strings.ReplaceAll(label, ",", ""))
				step, _ = value.Float64()
				perStep = y
			}
		}
		columns := c.Columns(len(floor) - left)
		for x, column := range columns {
			at := -1
			for y, row := range rows {
				if left+x < len(row) && strings.ContainsRune("─^", row[left+x]) || left+x < len(row) && column.Peak > 0 &&
					strings.ContainsRune("▁▔", row[left+x]) && y == int(math.Ceil(float64(column.Peak)/step*float64(perStep)-1e-9))-1 {
					at = y
				}
			}
			want := int(math.Ceil(float64(column.Peak)/step*float64(perStep)-1e-9)) - 1
			if column.Peak > 0 && at != want {
				t.Fatalf("the peak %d of column %d is marked in row %d, not %d:\n%s", column.Peak, x, at, want, strings.Join(lines, "\n"))
			}
		}
	})
}
