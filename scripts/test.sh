#!/usr/bin/env bash
# Runs all tests: two parts at once, and then the browsers alone, whose tests wait for what a page draws. Ends with the
# time of each part, and with the tests that were skipped because their data lie outside the project.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TASKTIDE_TIMES=${TASKTIDE_TIMES:-$folder/times} TASKTIDE_NOT_JUDGED=$folder/not-judged
touch "$TASKTIDE_TIMES" "$TASKTIDE_NOT_JUDGED"

status=0
make --no-print-directory -j2 test-race test-histories test-mariadb test-postgresql test-ui &&
	make --no-print-directory test-e2e || status=$?

echo
cat "$TASKTIDE_TIMES"
printf '%6d s  in all\n' "$SECONDS"
count=$(sort -u "$TASKTIDE_NOT_JUDGED" | wc -l)
if ((count > 0)); then
	echo "Not judged here: $count tests, for want of what lies outside the project:"
	sort -u "$TASKTIDE_NOT_JUDGED" | sed 's/^/  /'
else
	echo "Every test was judged."
fi
exit "$status"
