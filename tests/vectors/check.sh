#!/usr/bin/env bash
# Judges protocol/vectors with other libraries than Maillon's. tests/run.sh calls it inside the virtual environment that
# it has made from requirements.txt; by hand:
#
#   python3 -m venv /tmp/v && /tmp/v/bin/pip install -r tests/vectors/requirements.txt
#   PATH=/tmp/v/bin:$PATH tests/vectors/check.sh [FOLDER]        FOLDER: other vectors than protocol/vectors
#
# The last line is `N passed, N failed, N skipped`. Exit 0 if nothing failed.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
exec python3 "$here/check.py" "${1:-$here/../../protocol/vectors}"
