#!/usr/bin/env bash
# Usage: scripts/setup.sh [go] [node] [compiler] [cplusplus] [databases] [prometheus] [browser]
# Prints nothing when these are here. Installs what is missing from Debian's packages when it runs as
# root; otherwise it prints the command that does, and fails.
#
# Only programs are wanted: no service of an installed package is started, and none is left enabled.
# No other service and no configuration changes.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=()

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
	compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null || packages+=(postgresql)
	command -v redis-server >/dev/null || packages+=(redis-server)
}

# The alerts are tested with Prometheus.
check_prometheus() {
	{ command -v prometheus && command -v promtool; } >/dev/null || packages+=(prometheus)
}

# WebKit comes with a small browser that it drives, which needs a screen.
check_browser() {
	command -v "${CHROMIUM:-chromium}" >/dev/null || packages+=(chromium)
	command -v firefox-esr >/dev/null || packages+=(firefox-esr)
	command -v WebKitWebDriver >/dev/null || packages+=(webkit2gtk-driver)
	command -v Xvfb >/dev/null || packages+=(xvfb)
}

# Lists the services that there are, by the names that start them: of systemd units, and of init scripts.
services() {
	local folder
	for folder in /lib/systemd/system /usr/lib/systemd/system /etc/init.d; do
		[[ ! -d $folder ]] || find "$folder" -maxdepth 1 \( -type f -o -type l \) -printf '%f\n'
	done | sort -u
}

policy=/usr/sbin/policy-rc.d
# PostgreSQL's package makes a cluster unless a file here says otherwise.
clusters=/etc/postgresql-common/createcluster.d

# Lets packages start or restart only the services that were there before.
forbid_starting() {
	services >"$work/before"
	if [[ -e $policy ]]; then
		mv "$policy" "$work/policy"
	fi
	cat >"$policy" <<-END
		#!/bin/sh
		# Tasktide's scripts/setup.sh removes this file when it ends.
		while [ \$# -gt 0 ]; do case \$1 in -*) shift ;; *) break ;; esac; done
		grep -qxF -e "\$1" -e "\$1.service" $work/before || exit 101
		[ ! -x $work/policy ] || exec $work/policy "\$@"
	END
	chmod 755 "$policy"
	mkdir -p "$clusters"
	echo 'create_main_cluster = false' >"$clusters/tasktide.conf"
}

# Disables what packages have enabled that was not there before, and puts everything else back.
restore_services() {
	local name
	while read -r name; do
		case $name in
			*@.* | *.*.*) ;;
			*.service | *.socket | *.timer | *.path | *.target) deb-systemd-helper disable "$name" || true ;;
			*.*) ;;
			*) update-rc.d "$name" disable || true ;;
		esac
	done < <(comm -13 "$work/before" <(services))
	rm -f "$policy" "$clusters/tasktide.conf"
	rmdir --ignore-fail-on-non-empty -p "$clusters" 2>/dev/null || true
	if [[ -e $work/policy ]]; then
		mv "$work/policy" "$policy"
	fi
}

install() {
	export DEBIAN_FRONTEND=noninteractive
	apt-get update && apt-get install -y --no-install-recommends "${packages[@]}"
}

for need in "$@"; do
	"check_$need"
done

((${#packages[@]})) || exit 0
if ! command -v apt-get >/dev/null; then
	fail "Missing: ${packages[*]} (the names of Debian's packages). Install them, and run this again."
elif [[ $EUID != 0 ]]; then
	fail "Missing: ${packages[*]}. Install them with: sudo $PWD/scripts/setup.sh $*"
fi
echo "Installing ${packages[*]} (none of their services is started or enabled) ..."
work=$(mktemp -d)
trap 'restore_services >>"$work/log" 2>&1; rm -rf "$work"' EXIT
forbid_starting
install </dev/null >"$work/log" 2>&1 || {
	cat "$work/log" >&2
	fail "apt-get could not install ${packages[*]}."
}
