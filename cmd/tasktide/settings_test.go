package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the table of settings into docs/operations.md")

// The table of settings in the operator's guide is made from the flags of serve.
func TestTheTableOfSettingsIsFresh(t *testing.T) {
	const (
		file  = "../../docs/operations.md"
		begin = "<!-- settings: written by make generate -->\n"
		end   = "<!-- end of settings -->\n"
	)
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(content), begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("%s has no %q, or no %q after it", file, begin, end)
	}
	fresh := before + begin + settingsTable(t) + end + after
	if *update {
		if err := os.WriteFile(file, []byte(fresh), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(fresh, string(content)); diff != "" {
		t.Errorf("run make generate; the table has changed (-want +got):\n%s", diff)
	}
}

func settingsTable(t *testing.T) string {
	t.Helper()
	parser, err := newParser(&cli{})
	if err != nil {
		t.Fatal(err)
	}
	serve, err := parser.Parse([]string{"serve"})
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("| flag | environment | default | what it is |\n|---|---|---|---|\n")
	for _, f := range serve.Selected().Flags {
		// The column beside it tells the default already.
		help := strings.NewReplacer(" (${default})", "", " (${default_database_shown})", "", " ("+unset(f)+")", "", "|", `\|`).Replace(f.OrigHelp)
		standard := unset(f)
		switch {
		case f.Default == defaultDatabaseURL():
			standard = "`tasktide.db` in your data directory"
		case f.HasDefault:
			standard = "`" + f.Default + "`"
		}
		if strings.Contains(help, "${") || len(f.Envs) != 1 {
			t.Errorf("--%s must have one variable of the environment, and no other reference in its help: %q", f.Name, f.OrigHelp)
			continue
		}
		fmt.Fprintf(&table, "| `--%s` | `%s` | %s | %s |\n", f.Name, f.Envs[0], standard, help)
	}
	return table.String()
}
