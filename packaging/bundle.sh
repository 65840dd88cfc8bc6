#!/bin/sh
# usage: bundle.sh DIST WORK [PYTHON-VERSION...]
# Packs all that a host without any package index needs into one tar file in DIST: contribd's wheel from DIST, a wheel of
# each dependency for $SYSTEM_PYTHON and for each PYTHON-VERSION (3.12), their hashes, units, configuration, and the
# script that installs them.
. "$(dirname "$0")/settings.sh"
dist=$1 work=$2
shift 2

name=contribd-$version-bundle-linux-$(uname -m)
folder=$work/$name
rm -rf "$folder"
mkdir -p "$folder/config"
packaging/wheelhouse.sh "$work/wheelhouse" "$dist/contribd-$version-py3-none-any.whl" "$@"
mkdir "$folder/wheels"
cp "$work"/wheelhouse/*.whl "$folder/wheels"
cp "$work/wheelhouse/requirements.txt" "$folder"
echo "$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')" "$@" > "$folder/pythons"
cp packaging/place.sh "$folder"
cp packaging/bundle-install.sh "$folder/install.sh"
cp -r systemd "$folder"
cp -r config/contribd.yaml config/mappings "$folder/config"
chmod -R u=rwX,go=rX "$folder"
tar --create --sort=name --format=gnu --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" \
    --directory "$work" "$name" | gzip -n > "$dist/$name.tar.gz"
echo "$dist/$name.tar.gz"
