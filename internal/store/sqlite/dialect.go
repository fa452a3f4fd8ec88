package sqlite

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"io/fs"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"tasktide/internal/jobmon"
	"tasktide/internal/store/sqlstore"
)

func dialect(path string) sqlstore.Dialect {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the path is a constant
	}
	return sqlstore.Dialect{
		System:     "sqlite",
		Migrations: files,
		Tables:     "SELECT name FROM sqlite_schema WHERE type = 'table'",
		Clock:      "SELECT tasktide_now()",
		Parameter:  func(int) string { return "?" },
		OneOf: func(column string, ids []int64) (string, []any) {
			list, err := json.Marshal(ids)
			if err != nil {
				panic(err) // integers always encode
			}
			return column + " IN (SELECT value FROM json_each(?))", []any{string(list)}
		},
		Greatest:     "MAX",
		Lower:        func(text string) string { return "tasktide_lower(" + text + ")" },
		SkipExisting: func(string) string { return " ON CONFLICT DO NOTHING" },
		Overwrite:    sqlstore.OverwriteOnConflict,
		UseIndex:     func(string) string { return "" },
		Instant:      func(microseconds int64) any { return microseconds },
		Classify:     classify,
		Explain:      func(err error) error { return explain(path, err) },
	}
}

// classify knows SQLite's result codes; the low byte of an extended code is the primary one.
func classify(err error) (code jobmon.Code, retry bool) {
	var failure *sqlite.Error
	if !errors.As(err, &failure) {
		if errors.Is(err, driver.ErrBadConn) {
			return jobmon.CodeUnavailable, false // not again: it may have been stored
		}
		return jobmon.CodeInternal, false
	}
	switch failure.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
		return jobmon.CodeConflict, false
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return jobmon.CodeNotFound, false
	case sqlite3.SQLITE_CONSTRAINT_CHECK:
		return jobmon.CodeInvalid, false
	}
	switch failure.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return jobmon.CodeContention, true
	case sqlite3.SQLITE_TOOBIG:
		return jobmon.CodeTooLarge, false
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY,
		sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		return jobmon.CodeUnavailable, false
	}
	return jobmon.CodeInternal, false
}

// crossed reports whether another process that opens the same file at this moment got in the way.
func crossed(err error) bool {
	var failure *sqlite.Error
	if !errors.As(err, &failure) {
		return false
	}
	switch failure.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return true
	}
	// It has removed the journal that this one was about to remove.
	return failure.Code() == sqlite3.SQLITE_IOERR_DELETE_NOENT
}

// explain turns what went wrong while a file was being opened into a sentence that says what to do.
func explain(path string, err error) error {
	sentence := func(code jobmon.Code, text string) error {
		return &jobmon.Error{Code: code, Message: "the database " + path + " " + text, Err: err}
	}
	var failure *sqlite.Error
	var known *jobmon.Error
	switch {
	case errors.Is(err, errNoWAL):
		return sentence(jobmon.CodeInvalid, "is on a file system that cannot share memory between processes; name a file on a local disk")
	case errors.As(err, &failure):
	case errors.As(err, &known):
		return err
	default:
		return sentence(jobmon.CodeInvalid, "cannot be opened: "+err.Error())
	}
	switch failure.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return sentence(jobmon.CodeUnavailable, "is locked by another process; end that process and try again")
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
		return sentence(jobmon.CodeInvalid, "is not a SQLite database, or is damaged; name another file")
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH:
		return sentence(jobmon.CodeInvalid, "cannot be written; change the permissions of the file and its folder or name another file")
	case sqlite3.SQLITE_FULL:
		return sentence(jobmon.CodeUnavailable, "is on a disk that is full; make room")
	case sqlite3.SQLITE_IOERR:
		return sentence(jobmon.CodeUnavailable, "cannot be read or written: the disk reports an error")
	}
	return sentence(jobmon.CodeInternal, "cannot be opened: "+err.Error())
}
