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
# shellcheck source=both.sh
. "$here/both.sh"
case=$(readlink -f "$1")
ours=$(readlink -f "${2:-$here/../../target/debug/eximious}")
both "$case" "$ours" "${SECONDS_EACH:-240}"
for who in exim ours; do
    python3 "$here/undated.py" "$work" < "$work/$who.raw" > "$work/$who.txt"
done
if [ -n "${SORT:-}" ]; then
    for who in exim ours; do sort -o "$work/$who.txt" "$work/$who.txt"; done
fi
echo "$(wc -l < "$work/exim.txt") lines"
diff -U${CONTEXT:-3} --label exim --label eximious "$work/exim.txt" "$work/ours.txt"
