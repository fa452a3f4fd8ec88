// Package runlog reads the logs of runs that other workflow engines left behind and turns each into
// tasks with their transitions, ready to be imported.
package runlog

import "tasktide/internal/jobmon"

// The bounds of every run log. What exceeds them is refused rather than cut short.
const (
	MaxRows      = 5_000_000 // rows after the column names
	MaxLineBytes = 1 << 20   // bytes of one line, its end included
	MaxNameRunes = 255       // characters of a task's name
)

// Run is what a log says about one run.
type Run struct {
	Engine string               // the engine that ran it, such as "nextflow"
	Tasks  []jobmon.TaskHistory // in the order in which they first appear
}
