package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The examples of the page about the command line print what it says.
func TestTheExamplesOfTheCommandLine(t *testing.T) {
	content, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	t.Setenv("TASKTIDE_DATABASE_URL", "sqlite://runs.db")
	t.Setenv("LC_ALL", "C.UTF-8")
	t.Setenv("NO_COLOR", "1")
	table := regexp.MustCompile("(?s)```csv\n(.*?)```").FindSubmatch(content)
	if err := os.WriteFile("runs.csv", table[1], 0o600); err != nil {
		t.Fatal(err)
	}
	calls := 0
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllSubmatch(content, -1) {
		for _, example := range strings.Split("\n"+string(block[1]), "\n$ tasktide ")[1:] {
			command, want, _ := strings.Cut(example, "\n")
			var out bytes.Buffer // as in a terminal
			run(t.Context(), strings.Fields(command), &out, &out)
			calls++
			// A line of three dots stands for lines that differ from time to time.
			pattern := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSuffix(want, "\n")), `\.\.\.`+"\n", "(?s:.*\n)")
			got := strings.TrimSuffix(strings.ReplaceAll(out.String(), "\r\n", "\n"), "\n")
			if !regexp.MustCompile(`^` + pattern + `$`).MatchString(got) {
				t.Errorf("tasktide %s prints\n%s\nand not\n%s", command, got, want)
			}
		}
	}
	if calls < 9 {
		t.Errorf("only %d examples", calls)
	}
}
