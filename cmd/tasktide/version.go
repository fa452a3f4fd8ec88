package main

import "fmt"

// The linker sets these; the date is that of the commit, so that a commit always makes the same program.
var (
	version = "dev"
	commit  = "unknown"
	date    = "unknown"
)

func versionLine() string { return fmt.Sprintf("tasktide %s (commit %s of %s)", version, commit, date) }

type versionCommand struct{}

// Help is shown under the command's --help.
func (versionCommand) Help() string { return "Example:\n\n    tasktide version" }

// Run prints the version.
func (versionCommand) Run(t *terminal) error {
	_, err := fmt.Fprintln(t.out, versionLine())
	return err
}
