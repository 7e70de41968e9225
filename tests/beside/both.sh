# A folder $work, in which each of Exim and eximious has one of its own (`exim`, `ours`), and what
# runs a case with each.
beside=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
# Has each run a case in a place (`place.sh`), for so many seconds at the most: both CASE PROGRAM
# SECONDS. What they print is in exim.raw and ours.raw.
both() {
    local who program
    for who in exim ours; do
        program=/usr/sbin/exim4
        if [ $who = ours ]; then program=$2; fi
        mkdir "$work/$who"
        timeout -k 5 "$3" unshare -mnu --kill-child -pf --mount-proc \
            bash "$beside/place.sh" "$program" "$work/$who" "$1" > "$work/$who.raw" 2>&1
    done
}
