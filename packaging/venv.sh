#!/bin/sh
# usage: venv.sh FOLDER WHEELHOUSE
# Installs a wheelhouse into a virtual environment that is kept in FOLDER and knows itself by the path at which
# packages have it: /opt/contribd. A virtual environment cannot be moved, so it is built under that path, in a mount
# namespace of its own: the host's /opt does not change. Nothing is compiled, nothing comes from an index. Where FOLDER
# has one already, only what differs is exchanged.
. "$(dirname "$0")/settings.sh"
final=/opt/contribd

if [ "$1" != --inside ]; then
    folder=$1 wheelhouse=$2
    mkdir -p "$folder"
    user=
    [ "$(id -u)" = 0 ] || user="--user --map-root-user"
    # shellcheck disable=SC2086
    exec unshare --mount $user "$0" --inside "$(realpath "$folder")" "$(realpath "$wheelhouse")"
fi
folder=$2 wheelhouse=$3

# Held open: FOLDER may lie below /opt, or be hidden by what is mounted now.
exec 3< "$folder"
mount --make-rprivate /
scratch=$(mktemp -d)
trap 'umount -l "$final" /opt "$scratch" 2>/dev/null; rmdir "$scratch"' EXIT
mount -t tmpfs tmpfs "$scratch"
mkdir "$scratch/upper" "$scratch/work"
mkdir -p /opt
mount -t overlay -o "lowerdir=/opt,upperdir=$scratch/upper,workdir=$scratch/work" overlay /opt
mkdir -p "$final"
mount --no-canonicalize --bind /proc/self/fd/3 "$final"
exec 3<&-

[ -e "$final/pyvenv.cfg" ] || "$python" -m venv --without-pip "$final"
"$tools/python" -m pip --disable-pip-version-check --python "$final/bin/python" install --quiet --no-compile \
    --no-warn-script-location --root-user-action ignore --no-index --find-links "$wheelhouse" --require-hashes \
    --only-binary :all: --requirement "$wheelhouse/requirements.txt"
# What activates it in a shell says where it was built, and nobody needs it.
rm -f "$final"/bin/activate* "$final"/bin/Activate*
# Compiled here: the service may not write, and root's commands should leave nothing that no package owns.
PYTHONHASHSEED=0 "$final/bin/python" packaging/compile.py "$final/lib"
