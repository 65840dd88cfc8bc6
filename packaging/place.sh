#!/bin/sh
# usage: place.sh SOURCE
# Puts contribd's units and, where there is none yet, its starting configuration in place, from the folders systemd/
# and config/ of SOURCE. In the environment: PREFIX, where the program is (/opt/contribd); UNITS, for its units
# (/etc/systemd/system); CONFIG (/etc/contribd); DESTDIR, in front of these two (nothing).
set -eu
source=$1 prefix=${PREFIX:-/opt/contribd}
units=${DESTDIR:-}${UNITS:-/etc/systemd/system} config=${DESTDIR:-}${CONFIG:-/etc/contribd}

install -d "$units" "$config/mappings"
for unit in "$source"/systemd/contribd*; do
    sed "s|/opt/contribd|$prefix|g" "$unit" > "$units/${unit##*/}"
done
if [ ! -e "$config/contribd.yaml" ]; then
    install -m 0644 "$source/config/contribd.yaml" "$config"
    install -m 0644 "$source"/config/mappings/*.yaml "$config/mappings"
fi
