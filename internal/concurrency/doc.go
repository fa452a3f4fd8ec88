// Package concurrency is the engine: it turns the rows of the task status audit into exact numbers
// of how many tasks were in a status when.
//
// A row is a [Change]: a task left one status and entered another at an instant. Its level, the
// number of tasks in a [StatusSet], is a step function that is continuous from the right: a task
// that enters RUNNING at t is counted at t, one that leaves RUNNING at t is not, so a run is the
// half-open span [start, end). Changes at one instant are netted before anyone looks at the level:
// a hand-over is 1, never 2, and a run of length zero is never seen by a level.
//
// A [Sweep] reads changes in the order of their instants, once, and keeps the numbers of each
// bucket of a [Window] for each series and for all series together. A series is whatever the caller
// counts apart, such as a task template; it is known by its index from 0.
//
// What happens in a span can be summed up to a [Cell] for each series, relative to the level before the
// span, so that cells of neighbouring spans merge exactly. A [Builder] makes them of changes, a [Block]
// packs adjacent ones of one [Kind], and a Sweep counts them like the changes that they stand for.
//
// Every instant and length is a number of microseconds, instants since the Unix epoch, UTC. The
// package is pure: now comes in as a value.
package concurrency
