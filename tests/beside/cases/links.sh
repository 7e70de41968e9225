# Spools, logs, mailboxes and configurations behind links, and with the wrong owner.
conf <<'E'
smtp_enforce_sync = false
begin routers
u:
 driver = accept
 domains = me.test
 check_local_user
 transport = l
f:
 driver = manualroute
 route_list = * 192.0.2.29
 transport = s
begin transports
l:
 driver = appendfile
 file = /var/mail/$local_part_data
s:
 driver = smtp
begin retry
* * F,1h,1h
E
cp /etc/exim4/exim4.conf $work/c
t() { echo "## $1"; send s@far.test ann@me.test; boxes | grep -c body; send s@far.test x@far.test; $exim -bp | sed 's/^ *[0-9]*[smh]//'; x -q; x -bpc; exim_dumpdb $S retry 2>&1 | grep -c 29; logs; find $other -type f | sed 's/.*-\([HDJ]\)$/\1/' | sort | grep -v hints ; for i in $(ids); do x -Mvl $i;  x -Mrm $i; done; rm -rf $S/*; logs > /dev/null; }
other=$work/o; mk() { rm -rf $other; mkdir -m 750 $other; chown Debian-exim:Debian-exim $other; }
mk; ln -s $other $S/input; t input
mk; ln -s $other $S/db; t db
mk; ln -s $other $S/msglog; t msglog
sed -i 's/^smtp_enf.*/split_spool_directory/' /etc/exim4/exim4.conf
mk; mkdir -p $S/input; chown Debian-exim:Debian-exim $S/input; for c in {a..z} {A..Z} {0..9}; do mkdir $other/$c; chown Debian-exim $other/$c; ln -s $other/$c $S/input/$c; done; t split
cp $work/c /etc/exim4/exim4.conf
mk; ln -s /nowhere $S/db; t db-dangling
mk; ln -s /nowhere $S/msglog; t msg-dangling
mk; ln -s /nowhere $S/input; t in-dangling
mk; chown root:root $other; chmod 755 $other; ln -s $other $S/db; t db-root
# mailboxes
mkdir $work/mb; chmod 777 $work/mb; ln -s $work/mb/ann /var/mail/ann; send s@far.test ann@me.test; logs; rm /var/mail/ann
rm -rf /var/mail/*; mount --bind $work/mb /var/mail;  send s@far.test ann@me.test; logs; boxes | grep -c body; umount /var/mail
# configuration behind links
mv /etc/exim4/exim4.conf /etc/exim4/real; ln -s real /etc/exim4/exim4.conf; x -bP qualify_domain; chown ann /etc/exim4/real; x -bP qualify_domain; chown root /etc/exim4/real; chmod 666 /etc/exim4/real;  x -bP qualify_domain; chmod 664 /etc/exim4/real; chgrp ann /etc/exim4/real; x -bP qualify_domain; chgrp Debian-exim /etc/exim4/real; x -bP qualify_domain; chown Debian-exim /etc/exim4/real;  x -bP qualify_domain; chown root:root /etc/exim4/real; chmod 644 /etc/exim4/real; chmod 777 /etc/exim4;  x -bP qualify_domain; rm /etc/exim4/exim4.conf; x -bP qualify_domain; mkdir /etc/exim4/exim4.conf; x -bP qualify_domain
