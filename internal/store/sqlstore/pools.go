package sqlstore

// Writers returns how many connections a process opens for what changes the database, given how many
// the server allows to all: a quarter, so that several processes fit, and no more than help.
func Writers(maxConnections int) int { return min(max(maxConnections/4, 2), 32) }

// Readers is Writers for what only reads.
func Readers(maxConnections int) int { return min(max(maxConnections/8, 2), 12) }
