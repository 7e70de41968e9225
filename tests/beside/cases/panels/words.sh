# Words of these sites, beside those of `place.sh`.
new() { echo "##### site $1"; rm -rf $S/* /var/mail/* $LOG/*; conf; E=/etc/exim4; }
put() { mkdir -p $(dirname /etc/exim4/$1); cat > /etc/exim4/$1; chown -R root:Debian-exim /etc/exim4; }
bh() { echo "##### -bh $1"; $exim -bh "$@" 2>$work/err; cat $work/err; logs; }
bs() { local a=$1; shift; echo "##### -bs $a"; $exim -bs -odi -oMa $a "$@" 2>$work/err; cat $work/err; logs; }
mail() { local f=$1 t=$2 i; shift 2; echo "MAIL FROM:<$f>"; for i in $t; do echo "RCPT TO:<$i>"; done; printf 'DATA\nFrom: %s\nTo: list@x.test\nDate: Thu, 26 Nov 2026 12:00:00 +0000\nMessage-ID: <m%s@m.test>\n' "${f:-postmaster@x.test}" $((++MSGS)); printf '%s\n' "$@"; printf '\nText for %s\n.\n' "$t"; }
bt() { local i; for i; do x -bt "$i" 2>&1; done; }
bv() { local i; for i; do x -bv "$i" 2>&1; x -bvs "$i" 2>&1; done; }
after() { echo "##### after $1"; logs; sbox; x -bp 2>&1; for i in $(ids); do for w in -Mvh -Mvb -Mvl; do $exim $w $i 2>&1; done; done; }
crypted() { openssl passwd -6 -salt saltsalt "$1"; }
b64() { printf "$1" | base64 -w0; }
sbox() { for f in $(find /var/mail -type f | sort); do echo "$(grep -avE '^(Delivery-date:|	[A-Z][a-z][a-z], )' $f | md5sum | cut -c1-8) $f"; done > $work/l; sed 's/[0-9]\{6,\}[.A-Za-z0-9_-]*/N/g' $work/l | paste -d' ' - $work/l | sort -k2,2 -k1,1 | while read h n h2 f; do echo "=== $n $(stat -c '%U:%G %a' $f)"; cat $f; rm $f; done; }
