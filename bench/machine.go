package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// medium is where the data of a database is.
type medium struct {
	name      string
	directory string
}

const (
	onDisk   = "disk"
	inMemory = "memory"
)

// findMedium returns a directory on a medium.
func findMedium(name string) (medium, error) {
	candidates := map[string][]string{onDisk: {os.TempDir(), "."}, inMemory: {"/dev/shm"}}[name]
	if candidates == nil {
		return medium{}, fmt.Errorf("%q is not a medium; use disk or memory", name)
	}
	for _, candidate := range candidates {
		volatile, err := isVolatile(candidate)
		if err != nil {
			return medium{}, err
		}
		if volatile == (name == inMemory) {
			directory, err := filepath.Abs(candidate)
			return medium{name, directory}, err
		}
	}
	return medium{}, fmt.Errorf("none of %s is on %s; set TMPDIR for a disk", strings.Join(candidates, ", "), name)
}

// isVolatile reports whether a directory lies in memory.
func isVolatile(directory string) (bool, error) {
	const tmpfs, ramfs = 0x01021994, 0x858458f6
	var fs syscall.Statfs_t
	if err := syscall.Statfs(directory, &fs); err != nil {
		return false, fmt.Errorf("%s: %w", directory, err)
	}
	return fs.Type == tmpfs || fs.Type == ramfs, nil
}

// fact is a line of a table that describes something.
type fact struct{ name, value string }

// describeMachine tells what figures depend on, besides the databases.
func describeMachine(media []medium) ([]fact, error) {
	facts := []fact{
		{"processor", fmt.Sprintf("%s, %d cores", entry("/proc/cpuinfo", "model name", ":"), runtime.NumCPU())},
		{"memory", memory(entry("/proc/meminfo", "MemTotal", ":"))},
		{"system", strings.Trim(entry("/etc/os-release", "PRETTY_NAME", "="), `"`) + ", Linux " + kernel()},
		{"Go", strings.TrimPrefix(runtime.Version(), "go")},
	}
	for _, medium := range media {
		took, err := timeSync(medium.directory)
		if err != nil {
			return nil, err
		}
		facts = append(facts, fact{"fsync of 4 KiB, " + medium.name, microseconds(took)})
	}
	return facts, nil
}

// entry returns the first value of a name in a file of lines that each hold a name and a value, and
// "unknown" when there is none.
func entry(file, name, separator string) string {
	content, err := os.Open(file)
	if err != nil {
		return unknown
	}
	defer content.Close()
	lines := bufio.NewScanner(content)
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), separator)
		if strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return unknown
}

const unknown = "unknown"

// memory makes gibibytes of what the system writes as "16000000 kB".
func memory(text string) string {
	kibibytes, err := strconv.ParseFloat(strings.TrimSuffix(text, " kB"), 64)
	if err != nil {
		return text
	}
	return fmt.Sprintf("%.0f GiB", kibibytes/(1<<20))
}

func kernel() string {
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return unknown
	}
	return strings.TrimSpace(string(release))
}

// timeSync returns how long it usually takes until a small write is on a medium for good.
func timeSync(directory string) (time.Duration, error) {
	file, err := os.CreateTemp(directory, "tasktide-bench-")
	if err != nil {
		return 0, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	block := make([]byte, 4096)
	took := make([]time.Duration, 200)
	for i := range took {
		begun := time.Now()
		if _, err := file.Write(block); err != nil {
			return 0, err
		}
		if err := file.Sync(); err != nil {
			return 0, err
		}
		took[i] = time.Since(begun)
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

func microseconds(d time.Duration) string {
	return thousands(d.Microseconds()) + " µs, the median of 200"
}
