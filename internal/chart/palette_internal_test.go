package chart

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

const page = "../../ui/src/charts/"

func source(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(page + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// The colours and patterns are the page's, whose source says them once more.
func TestThePaletteIsThePages(t *testing.T) {
	palette, figure := source(t, "palette.ts"), source(t, "figure.ts")
	colours := regexp.MustCompile(`"(#[0-9a-f]{6})"`)
	of := func(text, declaration, theme string) []string {
		t.Helper()
		_, rest, found := strings.Cut(text, declaration)
		_, rest, named := strings.Cut(rest, theme+":")
		// What follows is another theme, or another constant.
		end := strings.Index(rest, "dark:")
		if theme == "dark" || end < 0 {
			end = strings.Index(rest, "};")
		}
		if !found || !named || end < 0 {
			t.Fatalf("the page's source has no %q with %q", declaration, theme)
		}
		var all []string
		for _, match := range colours.FindAllStringSubmatch(rest[:end], -1) {
			all = append(all, match[1])
		}
		return all
	}
	for _, theme := range []Theme{Light, Dark} {
		c, name := theme.Colours(), string(theme)
		var templates []string
		for _, colour := range c.Templates {
			templates = append(templates, Hex(colour))
		}
		for _, pair := range []struct {
			what      string
			ours, own []string
		}{
			{"palettes", templates, of(palette, "export const palettes", name)},
			{"pages", []string{Hex(c.Page)}, of(palette, "export const pages", name)},
			{"inks", []string{Hex(c.Line), Hex(c.Text)}, of(palette, "export const inks", name)},
			{"limitColour", []string{Hex(c.Limit)}, of(figure, "export const limitColour", name)},
		} {
			if diff := cmp.Diff(pair.own, pair.ours); diff != "" {
				t.Errorf("%s, %s (-page +ours):\n%s", pair.what, theme, diff)
			}
		}
		grid := fmt.Sprintf("rgba(%d, %d, %d, %.2f)", c.Grid.R, c.Grid.G, c.Grid.B, float64(c.Grid.A)/255)
		if !strings.Contains(palette, grid) {
			t.Errorf("the page has no grid of %s", grid)
		}
	}
	quoted := make([]string, len(patterns))
	for i, pattern := range patterns {
		quoted[i] = fmt.Sprintf("  %q,\n", pattern)
	}
	if want := "export const patterns = [\n" + strings.Join(quoted, "") + "] as const"; !strings.Contains(palette, want) {
		t.Errorf("the page has other patterns than\n%s", want)
	}
}

// The page's tests compare its own patterns with the same file.
func TestPatternsAreThePages(t *testing.T) {
	const file, scale = page + "patterns.txt", 2
	var drawn strings.Builder
	for _, pattern := range patterns {
		fmt.Fprintln(&drawn, pattern)
		for y := range PatternSize * scale {
			for x := range PatternSize * scale {
				if pattern.Covers(float64(x)/scale, float64(y)/scale) {
					drawn.WriteByte('#')
				} else {
					drawn.WriteByte('.')
				}
			}
			drawn.WriteByte('\n')
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(drawn.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(content), drawn.String()); diff != "" {
		t.Errorf("go test ./internal/chart -update writes %s (-file +drawn):\n%s", file, diff)
	}
}
