// Package testfiles gives tests the files that they read: the examples of the project, which are always there, and
// recordings in ../shared/data beside the project, which a clone does not have. It is part of no binary.
package testfiles

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

const (
	// requireSharedName makes a test fail, not skip, when its recording is missing.
	requireSharedName = "TASKTIDE_REQUIRE_SHARED"
	// notJudgedName names the file that collects the names of skipped tests, which "make test" prints at its end.
	notJudgedName = "TASKTIDE_NOT_JUDGED"
)

// They are read once, so that a test may clear the environment of the programs that it starts.
var requireShared, notJudged = os.Getenv(requireSharedName), os.Getenv(notJudgedName)

// Example returns the path of a file in examples/.
func Example(tb testing.TB, name string) string {
	tb.Helper()
	return filepath.Join(root(tb), "examples", name)
}

// Shared returns the path of a file or a folder in ../shared/data. Where that is missing, the test is skipped and
// listed as not judged; it fails instead when TASKTIDE_REQUIRE_SHARED is set.
func Shared(tb testing.TB, name string) string {
	tb.Helper()
	path := filepath.Join(root(tb), "..", "shared", "data", filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		if requireShared != "" {
			tb.Fatalf("%s is set, but the recording cannot be read: %v", requireSharedName, err)
		}
		NotJudged(tb, "needs ../shared/data/"+name)
	}
	return path
}

// NotJudged skips a test for a reason that lies outside the project, and lists it as not judged.
func NotJudged(tb testing.TB, reason string) {
	tb.Helper()
	if notJudged != "" {
		file, err := os.OpenFile(notJudged, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			tb.Fatal(err)
		}
		defer file.Close()
		if _, err := fmt.Fprintf(file, "%s: %s\n", tb.Name(), reason); err != nil {
			tb.Fatal(err)
		}
	}
	tb.Skip(reason)
}

// root returns the folder of the project's go.mod.
func root(tb testing.TB) string {
	tb.Helper()
	folder, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder
		}
		if folder == filepath.Dir(folder) {
			tb.Fatal("there is no go.mod above the folder of the test")
		}
		folder = filepath.Dir(folder)
	}
}
