package main

import (
	"context"
	"log/slog"
	"strings"

	"github.com/alecthomas/kong"
)

// warnOfUnknown logs each variable of the environment that looks like a setting and is none. Kubernetes sets such
// for a service of this name, so they are no reason to stop. Their values may be secrets.
func warnOfUnknown(ctx context.Context, app *kong.Application, environment []string, log *slog.Logger) {
	known := map[string]bool{}
	_ = kong.Visit(app, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			for _, name := range flag.Envs {
				known[name] = true
			}
		}
		return next(nil)
	})
	for _, variable := range environment {
		name, _, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, "TASKTIDE_") || known[name] {
			continue
		}
		if near := nearest(name, known); near != "" {
			log.WarnContext(ctx, "the environment has an unknown setting, which is ignored", "name", name, "did_you_mean", near)
		} else {
			log.WarnContext(ctx, "the environment has an unknown setting, which is ignored", "name", name)
		}
	}
}

// nearest returns the known name that is at most two letters off, or begins with this one; "" when there is
// none. Flags and commands are suggested by the same measure, which kong keeps to itself.
func nearest(name string, known map[string]bool) string {
	found, distance := "", 3
	for candidate := range known {
		d := editDistance(name, candidate)
		if d > 2 && strings.HasPrefix(candidate, name) {
			d = 2
		}
		if d < distance || d == distance && found != "" && candidate < found {
			found, distance = candidate, d
		}
	}
	return found
}

// editDistance is how many letters have to be added, removed or replaced to make one word of the other.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
