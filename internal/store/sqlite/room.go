package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"tasktide/internal/jobmon"
	"tasktide/internal/store/sqlstore"
)

const (
	// shared is how many bytes SQLite takes first beside a database, for the memory that connections share.
	shared = 32 << 10
	// room is how many bytes must be free for a database to be of use: less than the write-ahead log takes.
	room = 1 << 20
)

// CheckRoom returns an error unless a megabyte can be written beside the database at a path: SQLite writes a log
// there, and does not say what the operating system answered. Nothing is left behind. In place of a folder that is not
// there, the nearest one above it is tried.
func CheckRoom(path string) error {
	if err := write(existing(filepath.Dir(path)), room); err != nil {
		return sqlstore.ExplainOpening(dialect(path), err)
	}
	return nil
}

// probe returns what keeps a file of some bytes from being written beside a database, and "" when nothing does. It
// leaves the database alone: closing it would take away the locks that another connection of this process holds.
func probe(path string, bytes int) jobmon.Cause {
	if cause := causeOf(write(filepath.Dir(path), bytes)); cause != "" {
		return cause
	}
	if _, err := os.Stat(path); err != nil {
		return causeOf(err)
	}
	return ""
}

// existing returns a folder, or the nearest one above it that is there.
func existing(folder string) string {
	for {
		above := filepath.Dir(folder)
		if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) || above == folder {
			return folder
		}
		folder = above
	}
}

// write writes a file of some bytes to the disk and removes it.
func write(folder string, bytes int) error {
	file, err := os.CreateTemp(folder, ".tasktide-*")
	if err != nil {
		return err
	}
	_, err = file.Write(make([]byte, bytes))
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close(), os.Remove(file.Name()))
}

// causeOf returns what an error of the operating system means for a database, and "" when that is not known.
func causeOf(err error) jobmon.Cause {
	for cause, numbers := range map[jobmon.Cause][]syscall.Errno{
		jobmon.CauseDiskFull:   {syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG},
		jobmon.CauseReadOnly:   {syscall.EROFS},
		jobmon.CausePermission: {syscall.EACCES, syscall.EPERM},
		jobmon.CauseMissing:    {syscall.ENOENT, syscall.ENOTDIR},
		jobmon.CauseIO:         {syscall.EIO},
	} {
		for _, number := range numbers {
			if errors.Is(err, number) {
				return cause
			}
		}
	}
	return ""
}
