#!/usr/bin/env bash
# A busy while with each of Exim and eximious, and what only one of them logs: as the superuser,
#
#   tests/beside/busy/busy.sh [SECONDS] [PROGRAM]
#
# Clients (`clients.py`) and next hosts (`hosts.py`) throw dice, so that no two runs are alike.
# Compared are kinds of lines, those that come at least LEAST times (2); and each message that
# was taken has to be completed, once, or to wait still (`kinds.py`).
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../both.sh
. "$here/../both.sh"
export BUSY_SECONDS=${1:-60}
ours=$(readlink -f "${2:-$here/../../../target/debug/eximious}")
both "$here/site.sh" "$ours" $((BUSY_SECONDS + 180))
for who in exim ours; do
    echo "== $who"
    cat "$work/$who.raw"
done
python3 "$here/kinds.py" "$work/exim" "$work/ours" "${LEAST:-2}"
