#!/bin/sh
# usage: install.sh
# Installs contribd, or another version of it, from this folder, as root. It asks no package index: everything is here,
# and every wheel is checked against requirements.txt first. In the environment: PYTHON, the interpreter (python3);
# PREFIX, where the program goes (/opt/contribd); UNITS (/etc/systemd/system); CONFIG (/etc/contribd). A configuration
# that is there stays; nothing is enabled, started or restarted.
set -eu
cd "$(dirname "$0")"
export PREFIX="${PREFIX:-/opt/contribd}"
python=${PYTHON:-python3}

fitting=$(cat pythons)
found=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
case " $fitting " in
    *" $found "*) ;;
    *)
        echo "install.sh: these wheels are for Python $fitting, and $python is $found; say PYTHON=... or make a bundle for it" >&2
        exit 1
        ;;
esac

"$python" -m venv "$PREFIX"
"$PREFIX/bin/python" -m pip --isolated --disable-pip-version-check install --quiet --no-index --find-links wheels \
    --require-hashes --only-binary :all: --requirement requirements.txt
./place.sh .
echo "contribd $("$PREFIX/bin/contribd" --version | sed 's/contribd //') is in $PREFIX; systemctl daemon-reload shows its units to systemd"
