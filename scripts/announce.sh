#!/usr/bin/env bash
# Usage: scripts/announce.sh MESSAGE COMMAND [ARGUMENT]...
# Runs a command, and prints the message if it takes longer than 3 seconds: what is cached needs no words.
set -euo pipefail
message=$1
shift
# The message is ended with the command, and so is its sleep, which would keep an output open that somebody reads.
{
	trap 'kill $! 2>/dev/null' TERM
	sleep 3 >/dev/null 2>&1 &
	wait $! && echo "$message"
} &
announcer=$!
trap 'kill "$announcer" 2>/dev/null || true; wait "$announcer" 2>/dev/null || true' EXIT
"$@"
