#!/bin/sh
# usage: wheelhouse.sh FOLDER WHEEL [PYTHON-VERSION...]
# Gathers in FOLDER all that an installation needs: WHEEL (contribd's own), a wheel of each dependency, and
# requirements.txt with the SHA-256 of every one of them. Wheels fit $SYSTEM_PYTHON, and each PYTHON-VERSION (3.12).
# What FOLDER has already is not fetched again; where nothing has changed, no index is asked.
. "$(dirname "$0")/settings.sh"
folder=$1 wheel=$2
shift 2

mkdir -p "$folder"
fetch() { # fetch [OPTION...]: the dependencies' wheels; one that is not what requirements.txt says ends this
    "$tools/python" -m pip --disable-pip-version-check --python "$python" download --quiet --only-binary :all: \
        --require-hashes --no-deps --dest "$folder" --requirement packaging/requirements.txt "$@"
}
state() { # state [PYTHON-VERSION...]: what is asked for, and the bytes that are there
    cat packaging/requirements.txt
    "$python" -V
    echo "$@"
    (cd "$folder" && find . -name '*.whl' -exec sha256sum {} + | sort)
}

rm -f "$folder"/contribd-*.whl
if [ "$(state "$@" | sha256sum)" != "$(cat "$folder/fetched" 2>/dev/null)" ]; then
    fetch
    for wanted in "$@"; do fetch --python-version "$wanted"; done
    state "$@" | sha256sum > "$folder/fetched"
fi

cp "$wheel" "$folder"
{
    cat packaging/requirements.txt
    echo "contribd==$version --hash=sha256:$(sha256sum "$wheel" | cut -d ' ' -f 1)"
} > "$folder/requirements.txt"
