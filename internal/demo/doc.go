// Package demo makes the material of the demonstration: a day of history to import, and a simulator
// that drives live workflows through a server's HTTP state routes, as JobMon's client does. Nothing
// else may use it: what it makes looks real and is not.
package demo
