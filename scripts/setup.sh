#!/usr/bin/env bash
# Usage: scripts/setup.sh [go] [node] [compiler] [cplusplus] [databases] [prometheus] [browser]
# Says nothing when these are here. Installs what is missing from Debian's packages when it runs as
# root; otherwise it prints the line that does, and fails.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=()
before=

fail() {
	echo "$*" >&2
	exit 1
}

check_go() {
	local wanted
	wanted=$(sed -n 's/^go \([0-9]*\.[0-9]*\).*/\1/p' go.mod)
	# An older Go that can fetch the right one does so here.
	go list -m >/dev/null ||
		fail "Go $wanted or newer is needed: install it from https://go.dev/dl/ and put its bin folder on PATH."
}

check_node() {
	local at_least='
		const parts = (version) => version.match(/\d+/g).map(Number);
		const [major, minor = 0] = parts(require("./ui/package.json").engines.node);
		const [ourMajor, ourMinor] = parts(process.versions.node);
		process.exit(ourMajor > major || (ourMajor === major && ourMinor >= minor) ? 0 : 1);'
	{ command -v npm && node -e "$at_least"; } >/dev/null 2>&1 ||
		fail "Node $(sed -n 's/.*"node": "[^0-9]*\(.*\)".*/\1/p' ui/package.json) or newer, with npm, is needed: install it from https://nodejs.org/ and put its bin folder on PATH."
}

# The race detector is linked with C.
check_compiler() {
	echo '#include <stdlib.h>' | gcc -fsyntax-only -x c - 2>/dev/null || packages+=(gcc libc6-dev)
}

# DuckDB, which the benchmarks compare with, is C++. To check its callers, the compiler of C is enough.
check_cplusplus() {
	echo '#include <vector>' | g++ -fsyntax-only -x c++ - 2>/dev/null || packages+=(g++)
}

# The tests run their own MariaDB, PostgreSQL and Redis, as ordinary programs.
check_databases() {
	PATH=$PATH:/usr/sbin command -v mariadbd >/dev/null || packages+=(mariadb-server-core)
	compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null || {
		# Debian's package makes and starts a cluster unless it is told not to.
		before+="apt-get install -y --no-install-recommends postgresql-common && \
sed -i \"s/^#*create_main_cluster.*/create_main_cluster = false/\" /etc/postgresql-common/createcluster.conf && "
		packages+=(postgresql)
	}
	command -v redis-server >/dev/null || packages+=(redis-server)
}

# The alerts are tested with Prometheus, whose package starts a server unless that is masked.
check_prometheus() {
	{ command -v prometheus && command -v promtool; } >/dev/null || {
		before+="mkdir -p /etc/systemd/system && ln -sf /dev/null /etc/systemd/system/prometheus.service && "
		packages+=(prometheus)
	}
}

# WebKit comes with a small browser that it drives, which needs a screen.
check_browser() {
	command -v "${CHROMIUM:-chromium}" >/dev/null || packages+=(chromium)
	command -v firefox-esr >/dev/null || packages+=(firefox-esr)
	command -v WebKitWebDriver >/dev/null || packages+=(webkit2gtk-driver)
	command -v Xvfb >/dev/null || packages+=(xvfb)
}

for need in "$@"; do
	"check_$need"
done

((${#packages[@]})) || exit 0
install="apt-get update && ${before}apt-get install -y --no-install-recommends ${packages[*]}"
if [[ $EUID != 0 ]]; then
	fail "Missing: ${packages[*]}. Install with: sudo sh -c '$install'"
elif ! command -v apt-get >/dev/null; then
	fail "Missing: ${packages[*]}. On Debian: $install"
fi
echo "Installing ${packages[*]} ..."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
DEBIAN_FRONTEND=noninteractive sh -c "$install" </dev/null >"$log" 2>&1 || {
	cat "$log" >&2
	fail "This failed: $install"
}
