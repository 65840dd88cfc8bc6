#!/bin/sh
# usage: sbom.sh DIST WORK
# Writes contribd-VERSION.cdx.json into DIST: what is in the packages and the bundle, with versions, licences and who
# needs whom, in CycloneDX's form. It is read from the environment that `make packages` leaves in WORK.
. "$(dirname "$0")/settings.sh"
dist=$1 work=$2
environment=$work/tree/opt/contribd
[ -e "$environment/bin/python" ] || stop "$environment is missing: \`make packages\` builds it"
"$tools/cyclonedx-py" environment --output-reproducible --output-format JSON --pyproject pyproject.toml \
    --output-file "$dist/contribd-$version.cdx.json" "$environment/bin/python"
