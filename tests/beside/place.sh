#!/usr/bin/env bash
# A place for a case (see `compare.sh`): a network, another one behind it at 192.0.2.2 to .30,
# a spool, logs, mailboxes and a configuration of its own, and the words that cases are made of.
here=$(cd "$(dirname "$0")" && pwd)
program=$1 work=$2 case=$3
mount --make-rprivate /
ip link set lo up
unshare -n sleep 600 & other=$!
there() { nsenter -t "$other" -n "$@"; }
until [ "$(readlink /proc/$other/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.02; done
ip link add here type veth peer name there netns "$other"
ip address add 192.0.2.1/24 dev here && ip link set here up
there ip link set lo up
for n in $(seq 2 30); do there ip address add 192.0.2.$n/24 dev there; done
there ip link set there up
for p in /var/spool/exim4 /var/mail /var/log/exim4 /etc/exim4; do mount -t tmpfs -o mode=755 tmpfs $p; done
chown Debian-exim: /var/spool/exim4 /var/log/exim4; chgrp mail /var/mail; chmod 2777 /var/mail
cp /etc/passwd $work/passwd; cp /etc/group $work/group
for one in ann:5001 bob:5002 cat:5003; do n=${one%:*} u=${one#*:}
 mkdir -p $work/home/$n; chown $u:$u $work/home/$n
 echo "$n:x:$u:$u:${n^} Smith,,,:$work/home/$n:/bin/sh" >> $work/passwd; echo "$n:x:$u:" >> $work/group; done
mount --bind $work/passwd /etc/passwd; mount --bind $work/group /etc/group
chmod 755 "$work"
cp "$program" $work/exim; chmod 4755 $work/exim
exim=$work/exim
S=/var/spool/exim4 LOG=/var/log/exim4
conf() { # the whole configuration from standard input, with what is the same for all before it
 { cat <<E
primary_hostname = me.test
keep_environment =
received_header_text = Received: x
E
 cat; } > /etc/exim4/exim4.conf; chown root:Debian-exim /etc/exim4/exim4.conf; }
# Calls the program with arguments.
x() { echo "--- $*"; $exim "$@"; local r=$?; [ $r = 0 ] || echo "rc $r"; }
# Calls a command as a user: as NUMBER COMMAND...
as() { local u=$1; shift; echo "--- $u: $*"; setpriv --reuid=$u --regid=$u --clear-groups "$@"; local r=$?; [ $r = 0 ] || echo "rc $r"; }
msg() { printf 'From: %s\nTo: x@y.test\nDate: Thu, 26 Nov 2026 12:00:00 +0000\nMessage-ID: <%s@m.test>\nSubject: %s\n\nbody of %s\n' "${3:-ann@me.test}" "$1" "${2:-hello}" "$1"; }
# Hands a message in and has it delivered: send SENDER RECIPIENT...
send() { local s=$1; shift; echo "--- send $s -> $*"; msg "m$((++MSGS))" "$SUBJECT" | $exim -oi -odf -f "$s" "$@"; local r=$?; [ $r = 0 ] || echo "rc $r"; }
# A scripted host: host NUMBER [port=PORT] WHAT=ANSWER... (see `host.py`)
host() { local n=$1; shift; local p=25; case $1 in port=*) p=${1#port=}; shift;; esac; ( exec nsenter -t "$other" -n python3 $here/host.py 192.0.2.$n $p $work/host.$n "$@" ) & eval "H$n=$!"; until [ -e $work/host.$n ]; do sleep 0.02; done; sleep 0.1; }
# Ends a host, and shows what it heard.
gone() { eval "kill \$H$1; wait \$H$1 2>/dev/null"; heard $1; rm -f $work/host.$1; }
heard() { sleep 0.1; echo "=== host $1"; cat $work/host.$1; : > $work/host.$1; }
logs() { for f in main reject panic; do [ -e $LOG/${f}log ] && { echo "=== $f"; cat $LOG/${f}log; : > $LOG/${f}log; }; done; true; }
spool() { echo "=== spool"; for f in $(cd $S; ls input/*-H input/*/*-H msglog/* 2>/dev/null); do echo "-- $f"; cat $S/$f; done; }
boxes() { for f in /var/mail/*; do [ -e $f ] || continue; echo "=== box $f $(stat -c '%U:%G %a' $f)"; cat $f; rm $f; done; }
# The same with what is in directories below, names of files without their numbers.
all_boxes() { for f in $(find /var/mail -type f | sort); do echo "=== $f $(stat -c '%U:%G %a' $f)" | sed 's/[0-9]\{6,\}[.A-Za-z0-9_-]*/N/g'; cat $f; rm $f; done; }
ids() { $exim -bp | awk '/^ *[0-9]+[smhd]/ {print $3}'; }
# Waits for so many lines of the log with a text.
await() { for _ in $(seq 200); do [ "$(cat $LOG/mainlog 2>/dev/null | grep -c -- "$2")" -ge $1 ] && return; sleep 0.05; done; echo "no $1 of $2"; }
# Not as a child of the first process, which Exim takes for a sign to stay in front.
daemon() { ( $exim -bd "${@:--q1h}" -oX 127.0.0.1.25:192.0.2.1.25 -oP $S/d.pid; : ); for _ in $(seq 100); do [ -s $S/d.pid ] && (exec 3<>/dev/tcp/127.0.0.1/25) 2>/dev/null && break; sleep 0.05; done; }
stop() { kill $(cat $S/d.pid); sleep 0.3; }
say() { # lines to the daemon, answers told: say FROMADDR... from stdin
 python3 $here/say.py "${1:-127.0.0.1}" "${2:-127.0.0.1}"; }
dns() { # zone from standard input, authoritative for . on 127.0.0.1:53
 mkdir -p $work/nsd; cat > $work/nsd/zone
 cat > $work/nsd/nsd.conf <<E
server:
 ip-address: 127.0.0.1
 port: 53
 username: ""
 chroot: ""
 zonesdir: "$work/nsd"
 database: ""
 pidfile: "$work/nsd/pid"
 xfrdfile: "$work/nsd/xfrd"
 zonelistfile: "$work/nsd/zl"
 xfrdir: "$work/nsd"
 logfile: "$work/nsd/log"
remote-control:
 control-enable: no
zone:
 name: "."
 zonefile: "zone"
E
 echo 'nameserver 127.0.0.1' > $work/resolv.conf; mount --bind $work/resolv.conf /etc/resolv.conf
 nsd -c $work/nsd/nsd.conf -d & sleep 0.7; }
cd "$work"
# shellcheck disable=SC1090
. "$case"
