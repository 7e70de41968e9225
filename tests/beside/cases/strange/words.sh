# Words of these sites, beside those of `place.sh`: each is looked at in the same ways.
put() { mkdir -p $(dirname /etc/exim4/$1); cat > /etc/exim4/$1; chown -R root:Debian-exim /etc/exim4; }
bh() { echo "##### -bh $*"; $exim -bh "$@" 2>$work/err; cat $work/err; logs; }
bs() { local a=$1; shift; echo "##### -bs $a"; $exim -bs -odi -oMa $a "$@" 2>$work/err; cat $work/err; logs; }
mail() { local f=$1 t=$2 i; shift 2; echo "MAIL FROM:<$f>"; for i in $t; do echo "RCPT TO:<$i>"; done; printf 'DATA\nFrom: %s\nTo: list@x.test\nDate: Thu, 26 Nov 2026 12:00:00 +0000\nMessage-ID: <m%s@m.test>\n' "${f:-postmaster@x.test}" $((++MSGS)); printf '%s\n' "$@"; printf '\nText for %s\n.\n' "$t"; }
b64() { printf "$1" | base64 -w0; }
# tell SENDER SUBJECT ARGS...: with -t or recipients
after() { echo "##### after $1"; logs; all_boxes; x -bp 2>&1; x -bpa 2>&1; for i in $(ids); do for w in -Mvh -Mvb -Mvl; do $exim $w $i 2>&1; done; done; }
sess() { echo "EHLO ${HELO:-h.far.test}"; echo "VRFY ann"; echo "EXPN ann"; echo "ETRN #far.test"; echo FOO; echo "MAIL"; echo "MAIL FROM:<a b>"; echo "RCPT TO:<x@y>"; echo DATA
 for s in $SENDERS; do [ "$s" = - ] && s=; echo "MAIL FROM:<$s>"; for r in $ADDRS; do echo "RCPT TO:<$r>"; done; echo RSET; done
 printf '%s\n' "$EXTRA"
 mail "${SENDER:-s@far.test}" "$(echo $ADDRS | cut -d' ' -f1-4)" "Subject: ${SUBJECT:-hello}" "$HEADER"
 echo "HELP"; echo "NOOP x"; echo "QUIT x"; echo QUIT; }
# Without options that the real Exim does not have yet.
newer='^(acl_smtp_atrn|bounce_charset|daemon_modules_load|dmarc_[a-z_]*|exim_version|hosts_xclient|log_ports|queue_run_order|redis_servers|remote_max_parallel|rfc1413_port|tls_early_banner_hosts|sieve_inbox|tpda_[a-z_]*|arc_sign|tls_eccurve) =|gnutls_compat_mode'
look() { for o in '' routers transports authenticators; do x -bP $o 2>&1 | grep -avE "$newer"; done; for o in $NAMES; do x -bP "$o" 2>&1; done; x -bP config 2>&1 | grep -v '^#' | head -400; x -bP macros 2>&1|grep -v ^_; }
battery() { # what is asked of each
 x -bV 2>&1 | sed -n '/onfiguration\|rror\|rc /p'
 [ "$NOLOOK" ] || look
 for a in $ADDRS; do y -bt "$a"; y -bv "$a"; y -bvs "$a"; done
 y -f "<>" -bt $ADDRS; y -f s@far.test -bt $ADDRS; y -bt -f ann@me.test $ADDRS
 printf '%s\n' "$BE" | grep . > $work/be && { echo "--- be"; $exim -be < $work/be 2>&1; }
 for c in ${CLIENTS:-192.0.2.5 192.0.2.20 127.0.0.1}; do sess | bh $c; done
 for c in ${CLIENTS:-192.0.2.5 192.0.2.20 127.0.0.1}; do sess | bs $c; done
 after smtp
 { printf 'From: ann@me.test\nTo: %s\nBcc: %s\nDate: Thu, 26 Nov 2026 12:00:00 +0000\nMessage-ID: <t1@m.test>\nSubject: by -t\n%s\n\nbody\n' "$(echo $ADDRS | cut -d' ' -f1-3 | tr ' ' ,)" "$(echo $ADDRS | cut -d' ' -f4-6 | tr ' ' ,)" "${HEADER:-X-A: b}"; } > $work/tmsg
 as 5001 $exim -odi -t < $work/tmsg 2>&1
 as 5002 $exim -oi -odf -f "${SENDER:-s@far.test}" $ADDRS < $work/tmsg 2>&1
 { echo "MAIL FROM:<ann@me.test>"; for r in $ADDRS; do echo "RCPT TO:<$r>"; done; printf 'DATA\nSubject: batch\n\nx\n.\nQUIT\n'; } > $work/bsm
 as 5003 $exim -bS -odi < $work/bsm 2>&1
 after local; x -qff 2>&1; after run; for f in $SHOW; do echo "== $f"; cat $f 2>&1; done; }
E=/etc/exim4
SENDERS="s@far.test - ann@me.test bad@spam.test"
y() { x "$@" 2>$work/err; cat $work/err; }
new() { echo "##### site $1"; rm -rf $S/* /var/mail/* $LOG/* /etc/exim4/*; { printf 'remote_max_parallel = 1\nqueue_run_in_order\n'; cat; } | conf; E=/etc/exim4; SENDERS="s@far.test - ann@me.test bad@spam.test" SENDER= SUBJECT= HEADER= EXTRA= NAMES= BE= CLIENTS= SHOW= NOLOOK=${NOLOOKS-}; }
# A shorter look.
quick() { x -bV 2>&1 | sed -n '/rror\|rc /p'
 for o in $NAMES; do x -bP "$o" 2>&1; done
 y -bt $ADDRS; y -f s@far.test -bv $ADDRS; y -bvs $ADDRS
 printf '%s\n' "$BE" | grep . > $work/be && { echo "--- be"; $exim -be < $work/be 2>&1; }
 for c in ${CLIENTS:-192.0.2.5 127.0.0.1}; do sess | bh $c; sess | bs $c; done
 after smtp
 printf 'From: ann@me.test\nTo: %s\nDate: Thu, 26 Nov 2026 12:00:00 +0000\nMessage-ID: <t1@m.test>\nSubject: by -t\n%s\n\nbody\n' "$(echo $ADDRS | tr ' ' ,)" "${HEADER:-X-A: b}" > $work/tmsg
 $exim -odi -t < $work/tmsg 2>&1; after local; x -qff 2>&1; after run; for f in $SHOW; do echo "== $f"; cat $f 2>&1; done; }
# The usual end of a configuration.
tail_() { cat; printf 'l:\n driver = appendfile\n file = /var/mail/box\n user = mail\ns:\n driver = smtp\n hosts_try_fastopen =\n'; }
head_() { printf 'qualify_domain = me.test\ntls_advertise_hosts =\nhost_lookup =\n'; cat; }
