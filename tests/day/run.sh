#!/usr/bin/env bash
# A site's day on Debian's split configuration, with nothing changed in it: receive, filter,
# alias, deliver, relay, defer, retry, bounce, freeze, thaw, remove. As the superuser, with a
# mount namespace and a network of its own, so that nothing of this computer is touched:
#
#   unshare -mn tests/day/run.sh PROGRAM WORK
#
# PROGRAM stands in Exim's place, WORK is an empty directory. The smarthost is another host, in
# a network namespace of its own, where nobody listens at first. What came of it is printed,
# without what differs from day to day.
set -euo pipefail
program=$1 work=$2 port=2525

mount --make-rprivate /
ip link set lo up
unshare -n sleep 120 &
other=$!
there() { nsenter -t "$other" -n "$@"; }
until [ "$(readlink /proc/$other/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.02; done
ip link add here type veth peer name there netns "$other"
ip address add 192.0.2.1/24 dev here && ip link set here up
there ip link set lo up
there ip address add 192.0.2.2/24 dev there && there ip link set there up
for place in /var/spool/exim4 /var/mail /var/log/exim4 /var/lib/exim4; do
    mount -t tmpfs -o mode=755 tmpfs "$place"
done
chown Debian-exim: /var/spool/exim4 /var/log/exim4
chgrp mail /var/mail && chmod 2775 /var/mail
# The site: its settings are what a postmaster is asked for, and all else is the package's.
cp -a /etc/exim4 "$work/exim4" && mount --bind "$work/exim4" /etc/exim4
cat > /etc/exim4/update-exim4.conf.conf <<END
dc_eximconfig_configtype='smarthost'
dc_other_hostnames='site.test'
dc_local_interfaces='127.0.0.1.$port'
dc_smarthost='192.0.2.2::2526'
dc_relay_nets='127.0.0.9'
dc_minimaldns='false'
dc_use_split_config='true'
dc_hide_mailname='false'
dc_mailname_in_oh='true'
dc_localdelivery='mail_spool'
CFILEMODE='644'
END
echo site.test > "$work/mailname" && mount --bind "$work/mailname" /etc/mailname
printf 'postmaster: ann\ninfo: ann, bob\nfar: friend@far.test\n' > "$work/aliases"
touch /etc/aliases && mount --bind "$work/aliases" /etc/aliases
mkdir -p "$work/home/ann" "$work/home/bob"
cp /etc/passwd "$work/passwd" && cp /etc/group "$work/group"
for one in ann:5001 bob:5002; do
    name=${one%:*} number=${one#*:}
    echo "$name:x:$number:$number:$name:$work/home/$name:/bin/sh" >> "$work/passwd"
    echo "$name:x:$number:" >> "$work/group"
    chown "$number:$number" "$work/home/$name"
done
mount --bind "$work/passwd" /etc/passwd && mount --bind "$work/group" /etc/group
# shellcheck disable=SC2016
printf '# Exim filter\nif $h_subject: contains "list" then save $home/lists endif\n' > "$work/home/bob/.forward"
chown 5002:5002 "$work/home/bob/.forward"
update-exim4.conf

log=/var/log/exim4/mainlog
await() { # so many lines of the log with some text
    for _ in $(seq 600); do
        [ "$(grep -c -- "$2" "$log" 2>/dev/null || true)" -ge "$1" ] && return
        sleep 0.05
    done
    echo "no $1 lines with $2"
}
say() { # a session from an address: say FROM SENDER SUBJECT RECIPIENT...
    local from=$1 sender=$2 subject=$3
    shift 3
    swaks --server 127.0.0.1 --port "$port" --local-interface "$from" --ehlo client.test \
        --from "$sender" --to "$(IFS=,; echo "$*")" --header "Subject: $subject" \
        --header 'Date: Tue, 24 Nov 2026 12:00:00 +0000' --body text --suppress-data \
        2>&1 | grep -E '^<[-~*][-~*]? +([345]|250 )' | sed 's/id=.*/id=/' || true
}

cp "$program" "$work/exim" && chmod 755 "$work/exim"
exim=$work/exim
mkdir -m 777 "$work/next"
cat > "$work/next.conf" <<END
primary_hostname = next.test
spool_directory = $work/next
log_file_path = $work/next/%slog
keep_environment =
host_lookup =
tls_advertise_hosts =
queue_only
acl_smtp_rcpt = accept
acl_smtp_data = accept
END
ends() {
    kill "$other" 2>/dev/null || true
    for pid in /var/spool/exim4/exim-daemon.pid "$work/next.pid"; do
        if [ -e "$pid" ]; then kill "$(cat "$pid")" 2>/dev/null || true; fi
    done
}
trap ends EXIT

"$exim" -bd -q30m -oP /var/spool/exim4/exim-daemon.pid
await 1 'daemon started'
await 1 'End queue run'
echo '== received, filtered, aliases'
say 127.0.0.1 x@else.test hello ann@site.test
say 127.0.0.1 x@else.test 'a list' bob@site.test
say 127.0.0.1 x@else.test 'for both' info@site.test
say 127.0.0.1 x@else.test 'nobody' nosuch@site.test
await 1 ' == '
say 127.0.0.1 x@else.test 'relay' friend@far.test
await 4 ' Completed'
await 2 ' == '
echo '== relayed: put off, and again when the host is there'
say 127.0.0.9 x@else.test 'onward' friend@far.test
await 3 ' == '
printf 'Subject: by alias\n\ntext\n' | "$exim" -oi -f ann@site.test far
await 4 ' == '
"$exim" -bpc
there "$exim" -C "$work/next.conf" -bd -oX 192.0.2.2.2526 -oP "$work/next.pid"
"$exim" -qff
await 8 ' Completed'
"$exim" -bpc
echo '== bounced, frozen, thawed, removed'
printf 'Subject: wrong\n\ntext\n' | "$exim" -oi -f ann@site.test nosuch@site.test
await 10 ' Completed'
printf 'Subject: lost\n\ntext\n' | "$exim" -oi -f '<>' nosuch@site.test
await 1 ' Frozen'
await 11 ' Completed'
without_name() { sed -E 's/[0-9A-Za-z]{6}-[0-9A-Za-z]{11}-[0-9A-Za-z]{4}/ID/g'; }
id=$("$exim" -bp | awk '/frozen/ { print $3; exit }')
"$exim" -Mt "$id" | without_name
"$exim" -bpc
"$exim" -Mrm "$id" | without_name
"$exim" -bpc
echo '== mailboxes'
for file in /var/mail/* "$work"/home/*/lists; do
    [ -e "$file" ] || continue
    echo "$(stat -c '%U:%G %a' "$file") ${file##*/}: $(grep -c '^From ' "$file")"
    grep '^Subject:' "$file" | sort
done
echo "next host: $("$exim" -C "$work/next.conf" -bpc)"
# Deliveries that go side by side have no order.
echo '== log'
sed -E "s/^[-0-9]+ [:0-9]+ //; s/^ID //; s/ S=[0-9]+//; s/ id=[^ ]+//; s/pid=[0-9]+/pid=N/
    s/exim 4\.[^ ]+/exim/; s#$work#WORK#g; s/ C=\".*/ C=/; s/\]\*/]/" <(without_name < "$log") |
    sed 's/^ID //' | sort | uniq -c
