#!/usr/bin/env bash
# Fetches what the pages need for the browser (Bootstrap, htmx) from the npm registry into node/node_modules, exactly as
# node/package-lock.json says. No script of any package runs. What is there already is not fetched again.
#
#   deploy/assets.sh
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$MAILLON_ROOT/node"

# Written below, when npm is through.
mark=node_modules/.maillon
if [ -e "$mark" ] && cmp -s package-lock.json "$mark"; then exit 0; fi
if ! command -v npm >/dev/null; then
    complain "npm is missing: deploy/needs.sh says what to install"
    exit 2
fi
say "     fetching what the pages need for the browser"
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
cp package-lock.json "$mark"
