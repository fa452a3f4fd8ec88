// Package auth tells who is asking and what they may: JobMon's session cookie, tokens of machines, and the one
// decision about who may see and who may change a workflow. It knows nothing of HTTP.
package auth
