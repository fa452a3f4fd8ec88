// Package runlog reads the logs of runs that other workflow engines left behind and turns each into
// tasks with their transitions, ready to be imported.
package runlog

import "tasktide/internal/jobmon"

// Run is what a log says about one run.
type Run struct {
	Engine string               // the engine that ran it, such as "nextflow"
	Tasks  []jobmon.TaskHistory // in the order in which they first appear
}
