#!/bin/sh
# usage: contribd-restart-running COMMAND...
# Restarts, after an upgrade, each contribd that runs: `COMMAND... UNIT` does it, such as `systemctl try-restart`. A
# daemon that is told to stop waits for its answers first, so that nothing is lost or posted twice. One whose
# configuration the new version refuses would not come back: it is left running as it is, and named.

status=0
for unit in $(systemctl list-units --plain --no-legend --state=active contribd.service 'contribd@*.service' |
    cut -d ' ' -f 1); do
    name=${unit%.service}
    config=/etc/contribd/${name#contribd@}.yaml
    if [ ! -e "$config" ] || found=$(/opt/contribd/bin/contribd check --no-env --config "$config" 2>&1); then
        "$@" "$unit" || status=$?
    else
        echo "$found" >&2
        echo "contribd: $unit still runs the version before: this one refuses $config. Mend it, then: systemctl restart $unit" >&2
    fi
done
exit "$status"
