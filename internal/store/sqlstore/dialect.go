package sqlstore

import (
	"io/fs"

	"tasktide/internal/jobmon"
)

// Dialect is everything in which one database differs from another. Statements are otherwise the same
// everywhere: they quote "array" and "user", which are reserved words on some databases.
type Dialect struct {
	// Migrations holds the files NNNN_name.sql, numbered from 0001 without gaps.
	Migrations fs.FS
	// Clock is the statement that reads the database's clock with microseconds.
	Clock string
	// ForUpdate ends a SELECT that locks its rows. It is empty where a transaction that writes has the
	// database to itself.
	ForUpdate string
	// IDs selects the elements of its one parameter, a JSON array of integers. A statement so takes any
	// number of ids without meeting a limit on parameters.
	IDs string
	// Greatest is the name of the function that returns the largest of its arguments.
	Greatest string
	// Lower is the name of the function that takes text to lower case, in all of Unicode.
	Lower string
	// SkipExisting ends an INSERT that leaves out the rows whose unique key is taken. column is any
	// column of the table.
	SkipExisting func(column string) string
	// Instant makes a parameter of an instant in microseconds since the Unix epoch, UTC.
	Instant func(microseconds int64) any
	// Classify recognises an error of the database by its number: its code, and whether the same
	// transaction may succeed when it is run again. An error that it does not know is CodeInternal.
	Classify func(err error) (code jobmon.Code, retry bool)
}
