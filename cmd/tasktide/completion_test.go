package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestCompletion(t *testing.T) {
	for line, want := range map[string]string{
		"tasktide v":                             "version",
		"tasktide nothing":                       "",
		"tasktide help au":                       "audit",
		"tasktide help audit ":                   "verify",
		"tasktide workflow ":                     "list show",
		"tasktide workflow show --js":            "--json",
		"tasktide concurrency 1 --last ":         "1h 24h 30d 6h 7d all",
		"tasktide concurrency 1 --stat p":        "peak",
		"tasktide export 1 --pn":                 "--png",
		"tasktide export 1 --theme ":             "dark light",
		"tasktide comple":                        "completion",
		"tasktide audit ":                        "verify",
		"tasktide completion ":                   "bash fish zsh",
		"tasktide completion f":                  "fish",
		"tasktide serve --lis":                   "--listen",
		"tasktide serve --no-":                   "--no-migrate",
		"tasktide serve --telemetry ":            "off on",
		"tasktide serve --listen ":               "",
		"tasktide serve --listen serve --tele":   "--telemetry",
		"tasktide import csv runs.csv --open-un": "--open-until",
		"tasktide import csv ":                   "",
		"tasktide --ver":                         "--version",
		"tasktide":                               "",
		"":                                       "",
	} {
		t.Setenv("COMP_LINE", line)
		code, out, errOut := call("complete", "tasktide", "--tele", "serve")
		got := strings.Join(strings.Fields(out), " ")
		if line == "tasktide" {
			got = strings.Trim(got, "abcdefghijklmnopqrstuvwxyz ") // every command
		}
		if code != 0 || got != want || errOut != "" {
			t.Errorf("%q becomes %q, not %q; exit %d %q", line, got, want, code, errOut)
		}
	}
	t.Setenv("COMP_LINE", "tasktide au --version")
	t.Setenv("COMP_POINT", "11")
	if _, out, _ := call("complete"); out != "audit\n" {
		t.Errorf("at the cursor stands %q", out)
	}
}

// Bash runs what it is told to when it completes a line.
func TestBashCompletes(t *testing.T) {
	directory := t.TempDir()
	if err := os.Symlink(os.Args[0], filepath.Join(directory, "tasktide")); err != nil {
		t.Fatal(err)
	}
	_, script, _ := call("completion", "bash")
	// Without a terminal, bash completes nothing by itself: the command that it would run is taken from what it knows.
	bash := exec.Command("bash", "-c", script+`
		specification=$(complete -p tasktide)
		[[ $specification =~ -C\ \'([^\']*)\' ]] && COMP_LINE="tasktide serve --lis" ${BASH_REMATCH[1]} tasktide --lis serve`)
	bash.Env = append(os.Environ(), asProgram+"=1", "PATH="+directory+":"+os.Getenv("PATH"))
	if out, err := bash.CombinedOutput(); err != nil || string(out) != "--listen\n" {
		t.Errorf("bash says %q, %v", out, err)
	}
}
