package jobmon

// Cause names what keeps a database from doing what it was asked, whatever the database calls it. Its text is
// part of log lines and of the API: it stays as it is.
type Cause string

// The causes. None of them lies in the request: the same request works once the cause is gone.
const (
	CauseDiskFull           Cause = "disk_full"
	CauseReadOnly           Cause = "read_only"
	CauseCorrupt            Cause = "corrupt"
	CauseLocked             Cause = "locked"
	CauseTooManyConnections Cause = "too_many_connections"
	CausePermission         Cause = "permission"
	CauseMissing            Cause = "missing"
	CauseUnreachable        Cause = "unreachable"
	CauseIO                 Cause = "io_error"
	CauseTimeout            Cause = "timeout"
)

// Database is what the sentence of a cause is about.
type Database struct {
	// Name is the subject of the sentence, such as "the database /var/lib/tasktide.db".
	Name string
	// File says that the database is a file of this machine, and not a server.
	File bool
}

// sentence says what is wrong with a database, and what to do about a file and about a server.
type sentence struct{ problem, file, server string }

// sentences holds one for each cause. An empty remedy means that this kind of database has no such cause; the other
// remedy is given then.
var sentences = map[Cause]sentence{
	CauseDiskFull: {
		"has no disk space left",
		"free space on its file system, or move it to a larger one",
		"free space on the disk of the database server",
	},
	CauseReadOnly: {
		"is read-only",
		"make the file, its directory and its file system writable",
		"connect to the server that accepts writes, or end its read-only mode",
	},
	CauseCorrupt: {
		"is corrupt",
		"stop the server, check the disk, and restore the file from a backup",
		"check the disk and the log of the database server, and restore the database from a backup",
	},
	CauseLocked: {
		"is locked by another process",
		"end that process, or wait until it has finished, and try again",
		"end the session or transaction that holds the lock, or wait until it has finished, and try again",
	},
	CauseTooManyConnections: {
		"has no connection left",
		"",
		"raise max_connections of the database server, or end other clients",
	},
	CausePermission: {
		"denies access",
		"give the user that runs tasktide read and write permission on the file and its directory",
		"correct the user, the password, or the privileges of the user",
	},
	CauseMissing: {
		"does not exist",
		"restore the file, or name another one, and restart the server",
		"create the database, or name another one",
	},
	CauseUnreachable: {
		"cannot be reached",
		"check that its file system is mounted, and try again",
		"start the database server, or correct the host, the port and the network",
	},
	CauseIO: {
		"cannot read or write its disk",
		"check the disk and the log of the operating system",
		"check the disk and the log of the database server",
	},
	CauseTimeout: {
		"did not finish in time",
		"see what slows the disk down, and try again",
		"see what slows the database server down or ends its statements, and try again",
	},
}

// Causes returns every cause.
func Causes() []Cause {
	return []Cause{
		CauseDiskFull, CauseReadOnly, CauseCorrupt, CauseLocked, CauseTooManyConnections, CausePermission, CauseMissing,
		CauseUnreachable, CauseIO, CauseTimeout,
	}
}

// Sentence says what is wrong with a database, and what to do. It is empty for what is not a cause.
func (c Cause) Sentence(of Database) string {
	s, known := sentences[c]
	if !known {
		return ""
	}
	remedy := s.server
	if of.File && s.file != "" {
		remedy = s.file
	}
	return of.Name + " " + s.problem + "; " + remedy
}

// ErrorCause returns the first cause of an [Error] in err's tree, and "" when there is none.
func ErrorCause(err error) Cause {
	switch level := err.(type) { //nolint:errorlint // each level of the tree is looked at
	case *Error:
		if level.Cause != "" {
			return level.Cause
		}
		return ErrorCause(level.Err)
	case interface{ Unwrap() error }:
		return ErrorCause(level.Unwrap())
	case interface{ Unwrap() []error }:
		for _, branch := range level.Unwrap() {
			if cause := ErrorCause(branch); cause != "" {
				return cause
			}
		}
	}
	return ""
}
