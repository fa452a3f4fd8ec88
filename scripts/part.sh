#!/usr/bin/env bash
# Usage: scripts/part.sh NAME COMMAND [ARGUMENT]...
# Runs a part of the tests beside others: its name stands before each line of its output, and its time goes into the
# file that TASKTIDE_TIMES names.
set -euo pipefail
name=$1
shift
status=0
"$@" 2>&1 | sed -u "s/^/$name: /" || status=$?
if [[ -n ${TASKTIDE_TIMES-} ]]; then
	printf '%6d s  %s\n' "$SECONDS" "$name" >>"$TASKTIDE_TIMES"
fi
exit "$status"
