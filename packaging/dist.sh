#!/bin/sh
# usage: dist.sh [FOLDER]
# Builds the wheel and the sdist into FOLDER (dist/). The same sources give the same bytes, wherever and whenever.
. "$(dirname "$0")/settings.sh"
exec "$tools/python" -m hatchling build -t sdist -t wheel -d "${1:-dist}"
