#!/usr/bin/env bash
# Usage: scripts/check-listen.sh HOST:PORT
# Fails when no server can listen there, before anybody waits for a build.
set -euo pipefail
address=$1
host=${address%:*} port=${address##*:}
node -e '
	const [host, port] = process.argv.slice(1);
	const server = require("node:net").createServer();
	server.once("error", ({ code }) => { console.log(code); process.exitCode = 1; });
	server.listen(Number(port), host.replace(/^\[|\]$/g, "") || undefined, () => server.close());
' "$host" "$port" >/dev/null 2>&1 || {
	echo "Port $port is taken on ${host:-this machine}: another program listens there, perhaps another demo." >&2
	echo "End it, or choose another port: make demo PORT=$((port + 1))" >&2
	exit 1
}
