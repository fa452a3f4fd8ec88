// Package jobmon holds the words of the JobMon workflow manager: the statuses of tasks, task
// instances, workflows and workflow runs, which of them may follow which, what an instance's status
// means for its task, and the errors that every layer speaks. It knows nothing of storage or HTTP.
//
// Statuses are single letters, as JobMon stores and sends them. The zero value of each status type
// is "no status": what a task has before it is created.
package jobmon

import "math"

// NoLimit is JobMon's max_concurrently_running, in tasks, of a workflow or array that has no limit.
const NoLimit = math.MaxInt32

// DefaultMaxAttempts is how often JobMon tries a task whose author did not say.
const DefaultMaxAttempts = 3
