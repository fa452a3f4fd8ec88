#!/usr/bin/env bash
# Fails when a generated file is not what "make generate" makes. It compares with the work tree, not
# with the last commit, so that it can be run before one.
set -euo pipefail
cd "$(dirname "$0")/.."

generated=(ui/src/api/schema.d.ts docs/operations.md)

before=$(sha256sum "${generated[@]}")
make --no-print-directory generate
diff <(echo "$before") <(sha256sum "${generated[@]}") || {
	echo "A generated file was stale; \"make generate\" has just renewed it: commit it." >&2
	exit 1
}
