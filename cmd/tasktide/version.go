package main

import "fmt"

// The linker sets these; the date is that of the commit, so that a commit always makes the same program.
var (
	version = "dev"
	commit  = "unknown"
	date    = "unknown"
)

func versionLine() string { return fmt.Sprintf("tasktide %s (commit %s of %s)", version, commit, date) }

type versionCommand struct{ outputFlags }

// versionDocument is the result of the command.
type versionDocument struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Date    string `json:"date"` // of the commit
}

// Help is shown under the command's --help.
func (versionCommand) Help() string { return "Example:\n\n    tasktide version" }

// Run prints the version.
func (versionCommand) Run(t *terminal) error {
	return t.result(versionDocument{version, commit, date}, t.line(versionLine()))
}
