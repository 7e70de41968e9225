#!/usr/bin/env bash
# What Exim and eximious do in a case, and where they differ: as the superuser,
#
#   tests/beside/compare.sh CASE [PROGRAM]
#
# A case is a script with the words of `place.sh`, in a place of its own: a network with another
# one behind it, processes, mounts, users ann, bob and cat. What it prints is compared without
# what differs from run to run (`undated.py`), `-` what Exim says and `+` what eximious says.
# SORT=1 compares without order, SECONDS_EACH says how long it may take.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
case=$(readlink -f "$1")
ours=$(readlink -f "${2:-$here/../../target/debug/eximious}")
work=$(mktemp -d)
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
for who in exim ours; do
    program=/usr/sbin/exim4
    if [ $who = ours ]; then program=$ours; fi
    mkdir "$work/$who"
    timeout -k 5 "${SECONDS_EACH:-240}" unshare -mnu --kill-child -pf --mount-proc \
        bash "$here/place.sh" "$program" "$work/$who" "$case" > "$work/$who.raw" 2>&1
    python3 "$here/undated.py" "$work" < "$work/$who.raw" > "$work/$who.txt"
done
if [ -n "${SORT:-}" ]; then
    for who in exim ours; do sort -o "$work/$who.txt" "$work/$who.txt"; done
fi
echo "$(wc -l < "$work/exim.txt") lines"
diff -U${CONTEXT:-3} --label exim --label eximious "$work/exim.txt" "$work/ours.txt"
