package mysql

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"tasktide/internal/jobmon"
)

// server is what matters of the server behind a database.
type server struct {
	mariaDB        bool
	version        string
	maxConnections int
	binlogFormat   string // of the log that replicas follow; empty without one
	collations     string // those of columns that do not compare byte by byte, with an example
}

// inspect connects once and asks.
func inspect(ctx context.Context, config *mysql.Config) (s server, err error) {
	db, err := pool(config, nil, 1)
	if err != nil {
		return s, err
	}
	defer db.Close()
	// Some servers do not know some of these: SHOW leaves them out, where a SELECT would fail.
	rows, err := db.QueryContext(ctx, `
		SHOW VARIABLES WHERE Variable_name IN ('version', 'max_connections', 'log_bin', 'binlog_format')`)
	if err != nil {
		return s, err
	}
	defer rows.Close()
	settings := map[string]string{}
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return s, err
		}
		settings[strings.ToLower(name)] = value
	}
	if err := rows.Err(); err != nil {
		return s, err
	}
	s.version = settings["version"]
	s.mariaDB = strings.Contains(strings.ToLower(s.version), "mariadb")
	s.maxConnections, err = strconv.Atoi(settings["max_connections"])
	if err != nil {
		return s, err
	}
	if settings["log_bin"] == "ON" {
		s.binlogFormat = settings["binlog_format"]
	}
	err = db.QueryRowContext(ctx, `
		SELECT COALESCE(MAX(CONCAT(table_name, '.', column_name, ' has the collation ', collation_name)), '')
		FROM information_schema.columns
		WHERE table_schema = DATABASE() AND collation_name NOT IN ('utf8mb4_nopad_bin', 'utf8mb4_0900_bin') AND EXISTS (
			SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'schema_version')`).
		Scan(&s.collations)
	return s, err
}

var leadingNumbers = regexp.MustCompile(`^(?:5\.5\.5-)?(\d+)\.(\d+)\.(\d+)`)

// check refuses a server that would give other answers than the rest.
func (s server) check() error {
	invalid := func(format string, args ...any) error { return jobmon.Errorf(jobmon.CodeInvalid, format, args...) }
	name, oldest := "MySQL", []int{8, 0, 17}
	if s.mariaDB {
		name, oldest = "MariaDB", []int{10, 6, 0}
	}
	found := leadingNumbers.FindStringSubmatch(s.version)
	if found == nil {
		return invalid("the database's version %q cannot be read; MySQL 8.0.17 or newer, or MariaDB 10.6 or newer, is needed", s.version)
	}
	for i, least := range oldest {
		part, err := strconv.Atoi(found[i+1])
		if err != nil || part < least {
			return invalid("the database is %s %s, which is too old; %s %d.%d.%d or newer is needed",
				name, s.version, name, oldest[0], oldest[1], oldest[2])
		}
		if part > least {
			break
		}
	}
	if s.binlogFormat == "STATEMENT" {
		return invalid("the database has binlog_format=STATEMENT, which InnoDB refuses at READ COMMITTED; set it to ROW or MIXED")
	}
	if s.collations != "" {
		return invalid("the database's column %s, which takes different names for one; convert its table to %s",
			s.collations, map[bool]string{true: "utf8mb4_nopad_bin", false: "utf8mb4_0900_bin"}[s.mariaDB])
	}
	return nil
}

// settings are those of every connection.
func (s server) settings(isolation string) map[string]string {
	settings := map[string]string{
		"time_zone": "'+00:00'",
		// Double quotes make names, and what does not fit is an error and never cut.
		"sql_mode": "'ANSI_QUOTES,STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO," +
			"NO_ENGINE_SUBSTITUTION'",
		"default_storage_engine":   "InnoDB",
		"autocommit":               "1",
		"foreign_key_checks":       "1",
		"unique_checks":            "1",
		"sql_safe_updates":         "0",
		"sql_auto_is_null":         "0",
		"sql_select_limit":         "18446744073709551615",
		"innodb_lock_wait_timeout": strconv.Itoa(lockWait),
		"lock_wait_timeout":        strconv.Itoa(lockWait),
		"wait_timeout":             seconds(2 * idleTime),
	}
	if s.mariaDB {
		settings["tx_isolation"] = "'" + isolation + "'"
		// A list of ids is looked up in the index, however long it is.
		settings["in_predicate_conversion_threshold"] = "0"
		settings["optimizer_max_sel_arg_weight"] = "0"
	} else {
		settings["transaction_isolation"] = "'" + isolation + "'"
		settings["range_optimizer_max_mem_size"] = "0"
	}
	return settings
}

func (s server) writeSettings() map[string]string {
	settings := s.settings("READ-COMMITTED")
	if s.mariaDB {
		settings["max_statement_time"] = seconds(writeTime)
	}
	return settings
}

func (s server) readSettings() map[string]string {
	settings := s.settings("REPEATABLE-READ")
	if s.mariaDB {
		settings["max_statement_time"] = seconds(readTime)
	} else {
		settings["max_execution_time"] = strconv.FormatInt(readTime.Milliseconds(), 10)
	}
	return settings
}

func seconds(d time.Duration) string { return fmt.Sprint(int(d.Seconds())) }
