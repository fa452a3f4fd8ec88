#!/usr/bin/env bash
# Usage: scripts/test-cold.sh [demo] [test]
# Runs the README's commands in an empty clone of HEAD, as somebody who has never built it: with a new HOME, without
# caches of Go and npm, and without settings. Both commands unless one is named. Ends with the time of each part, and
# leaves nothing behind but Debian's packages that "make test" installs when it runs as root.
set -euo pipefail
cd "$(dirname "$0")/.."

demo_within=1200 test_within=4500 # seconds

folder=$(mktemp -d /tmp/cold-XXXXXX) # a short path: database servers put sockets below it
clone=$folder/tasktide
job=
finish() {
	local status=$?
	[[ -z $job ]] || kill -KILL -- "-$job" 2>/dev/null || true
	chmod -R u+w "$folder" # Go's module cache is read-only
	rm -rf "$folder"
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

# Only what a machine needs to reach the network passes.
clean=(env -i PATH="$PATH" LANG=C.UTF-8 USER="${USER:-$(id -un)}" HOME="$folder/home" TMPDIR="$folder/tmp" TASKTIDE_TIMES="$folder/times")
for name in {http,https,no}_proxy {HTTP,HTTPS,NO}_PROXY GOPROXY GOSUMDB npm_config_registry SSL_CERT_FILE NODE_EXTRA_CA_CERTS; do
	[[ -z ${!name-} ]] || clean+=("$name=${!name}")
done

fail() {
	echo "$*" >&2
	exit 1
}

record() { printf '%6d s  %s\n' "$((SECONDS - $2))" "$1" >>"$folder/times"; }

# A demo that is ended as with Ctrl-C, once it has printed its address and a page is there.
try_demo() {
	local began=$SECONDS address
	echo "make demo, without caches ..."
	set -m # a process group of its own, which hears of Ctrl-C
	"${clean[@]}" TASKTIDE_LISTEN=127.0.0.1:0 make -C "$clone" demo >"$folder/demo.log" 2>&1 &
	job=$!
	set +m
	until address=$(grep -om1 'http://127\.0\.0\.1:[0-9]*/workflows/[0-9]*' "$folder/demo.log"); do
		kill -0 "$job" 2>/dev/null || { cat "$folder/demo.log" >&2; fail "make demo ended without an address."; }
		((SECONDS - began < demo_within)) || fail "make demo printed no address within $demo_within s."
		sleep 1
	done
	record "make demo, to its address" "$began"
	"${clean[@]}" node -e 'fetch(process.argv[1]).then((page) => process.exit(page.ok ? 0 : 1))' "$address" ||
		fail "There is no page at $address."
	cat "$folder/demo.log"
	kill -INT -- "-$job"
	wait "$job" || true
	job=
	! compgen -G "$folder/tmp/tasktide-demo-*" >/dev/null || fail "The demo left its data behind."
}

try_tests() {
	local began=$SECONDS
	echo "make test, without caches ..."
	set -m
	timeout --signal=KILL "$test_within" "${clean[@]}" make -C "$clone" test </dev/null &
	job=$!
	set +m
	wait "$job" || fail "make test failed, or took longer than $test_within s."
	job=
	record "make test" "$began"
}

chmod 755 "$folder" # databases run as another user when this one is root
mkdir -m 755 "$folder/home"
mkdir -m 1777 "$folder/tmp"
[[ -z $(git status --porcelain) ]] || echo "What is not committed is not tested."
git clone --quiet --no-hardlinks "file://$(git rev-parse --absolute-git-dir)" "$clone" 2>/dev/null ||
	git clone --quiet --no-hardlinks "$PWD" "$clone"
git -C "$clone" checkout --quiet --detach "$(git rev-parse HEAD)"
if [[ -d ../shared/data ]]; then
	mkdir "$folder/shared"
	ln -s "$(realpath ../shared/data)" "$folder/shared/data"
fi
record clone 0

parts=("$@")
((${#parts[@]})) || parts=(demo test)
for part in "${parts[@]}"; do
	case $part in
		demo) try_demo ;;
		test) try_tests ;;
		*) fail "Usage: scripts/test-cold.sh [demo] [test]" ;;
	esac
done
echo
echo "From an empty clone, without caches:"
cat "$folder/times"
