# A site that has its mail looked at by clamd and spamd, which answer well, badly and not at all.
cat > $work/scan.py <<'P'
import socket,sys,threading,time
mode={'clam':'ok','spam':'ok'}
def rd(c,n):
    b=b''
    while len(b)<n:
        d=c.recv(n-len(b))
        if not d: break
        b+=d
    return b
def clam(c):
    b=b''
    while not b.endswith((b'\0',b'\n')):
        d=c.recv(1)
        if not d: return
        b+=d
    log('clam %r'%b)
    data=b''
    if b'INSTREAM' in b:
        while True:
            n=int.from_bytes(rd(c,4),'big')
            if n==0: break
            data+=rd(c,n)
    log('clam got body %s'%(b'hello' in data))
    end=b[-1:]
    import re
    m=re.search(rb'X-Clam: (.*)',data)
    t=m.group(1).strip().decode() if m else 'ok'
    ans={'ok':b'stream: OK','virus':b'stream: Eicar-Test-Signature FOUND','err':b'stream: Something bad ERROR','junk':b'what','empty':b'','two':b'stream: A.B FOUND\nstream: C FOUND','size':b'INSTREAM size limit exceeded. ERROR','space':b'stream: A B (x) FOUND','nocolon':b'Virus FOUND','long':b'stream: '+b'v'*3000+b' FOUND'}.get(t,b'stream: OK')
    if t=='close': c.close(); return
    c.sendall(ans+(b'' if t=='noend' else end)); c.close()
def spam(c):
    b=b''
    c.settimeout(3)
    try:
        while True:
            d=c.recv(65536)
            if not d: break
            b+=d
    except Exception: pass
    head=b.split(b'\r\n\r\n')[0]
    log('spam %r'%[l for l in head.split(b'\r\n') if not l.startswith(b'Content-length')])
    import re
    m=re.search(rb'X-Spam: (.*)',b)
    t=m.group(1).strip().decode() if m else 'ok'
    rep=b'Spam detection\n\nline two: \xe9\n\n pts rule\n'
    def a(score,req=b'5.0',v=b'1.1',body=rep,yes=b'False'): return b'SPAMD/'+v+b' 0 EX_OK\r\nSpam: '+yes+b' ; '+score+b' / '+req+b'\r\n\r\n'+body
    ans={'ok':a(b'1.2'),'spam':a(b'12.3',yes=b'True'),'neg':a(b'-3.7'),'big':a(b'999.9',yes=b'True'),'zero':a(b'0.0'),'small':a(b'0.4'),'junk':b'hello\r\n','empty':b'','err':b'SPAMD/1.1 76 Bad header line: x\r\n\r\n','norep':a(b'6.1',body=b'',yes=b'True'),'req':a(b'4.0',req=b'3.5',yes=b'True'),'lines':a(b'7.7',body=b'a\n\n\nb\n',yes=b'True'),'crlf':a(b'7.7',body=b'a\r\n\r\nb\r\n',yes=b'True'),'tab':a(b'\t7.7'),'frac':a(b'5.25'),'neg0':a(b'-0.4'),'old':b'SPAMD/1.0 0 EX_OK\r\nSpam: True ; 15.5 / 5.0\r\n\r\nrep\n'}.get(t,a(b'1.2'))
    try: c.sendall(ans)
    except Exception: pass
    c.close()
lock=threading.Lock()
def log(t):
    with lock: open(sys.argv[1],'a').write(t+'\n')
def serve(port,f):
    s=socket.socket(); s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); s.bind(('127.0.0.1',port)); s.listen(20)
    while True:
        c,_=s.accept()
        def go(c=c):
            try: f(c)
            except Exception as e: log(repr(e))
        threading.Thread(target=go,daemon=True).start()
threading.Thread(target=serve,args=(3310,clam),daemon=True).start()
threading.Thread(target=serve,args=(783,spam),daemon=True).start()
time.sleep(100)
P
python3 $work/scan.py $work/scan.log & SC=$!
sleep 0.5
one() { # extra headers, lines
 printf 'EHLO c.test\nMAIL FROM:<a@b.test>\nRCPT TO:<ann@me.test>\nDATA\n%b\n.\nQUIT\n' "$1" | say; }
site() { conf <<C
log_selector = +delivery_size
queue_only
$1
acl_smtp_rcpt = accept
acl_smtp_data = data
acl_smtp_mime = mime
begin acl
mime:
  warn logwrite = mime \$mime_content_type \$mime_filename \$mime_part_count \$mime_is_multipart
       decode = default
       regex = ^needle(.*)\$
       logwrite = found \$regex_match_string \$1 \$mime_decoded_filename
  accept
data:
$2
  accept
begin routers
all:
  driver = accept
  transport = t
begin transports
t:
  driver = appendfile
  file = /var/mail/all
  user = mail
C
 daemon; shift 2
 for h in "$@"; do echo "## $h"; one "Subject: x\n$h\n\nhello\nneedle in hay\n"; done
 stop; logs; cat $work/scan.log | sort; rm -f $work/scan.log; spool | grep -v '^DATE\|^--\|^-\|^ID' | grep 'X-\|^[0-9][0-9][0-9]' ; for i in $(ids); do $exim -Mrm $i >/dev/null; done; }
M="X-Clam: ok|X-Clam: virus|X-Clam: err|X-Clam: junk|X-Clam: empty|X-Clam: two|X-Clam: size|X-Clam: space|X-Clam: nocolon|X-Clam: close|X-Clam: noend|X-Clam: long"
IFS='|' read -ra MM <<< "$M"
P="X-Spam: ok|X-Spam: spam|X-Spam: neg|X-Spam: big|X-Spam: zero|X-Spam: small|X-Spam: junk|X-Spam: empty|X-Spam: err|X-Spam: norep|X-Spam: req|X-Spam: lines|X-Spam: crlf|X-Spam: tab|X-Spam: frac|X-Spam: neg0|X-Spam: old"
IFS='|' read -ra PP <<< "$P"
site 'av_scanner = clamd:127.0.0.1 3310' '  deny malware = *
  message = virus $malware_name
  warn add_header = X-M: <$malware_name>' "${MM[@]}"
site 'av_scanner = clamd:127.0.0.1 3310' '  deny malware = */defer_ok
  message = virus $malware_name' "${MM[@]}"
site 'av_scanner = clamd:127.0.0.1 3310 retry=1s : 127.0.0.1 3311' '  deny malware = ^Eicar
  message = virus $malware_name
  warn malware = true/defer_ok
   logwrite = any $malware_name
  warn malware = false
   logwrite = none
  warn !malware = A
   logwrite = not A $malware_name' "X-Clam: virus" "X-Clam: ok" "X-Clam: space"
site 'av_scanner = clamd:127.0.0.1 3312' '  deny malware = *' "X-Clam: virus"
site 'av_scanner = clamd:127.0.0.1 3312' '  warn malware = */defer_ok
  logwrite = $malware_name' "X-Clam: virus"
site 'av_scanner = clamd:/nonexistent' '  deny malware = *' "X-Clam: virus"
site 'av_scanner = clamd:127.0.0.1 3310 local' '  deny malware = *' "X-Clam: virus"
site 'av_scanner = clamd:127.0.0.1 3310' '  deny malware = */tmo=2s' "X-Clam: virus"
site 'av_scanner = ${if eq{$sender_address}{a@b.test}{clamd:127.0.0.1 3310}{x}}' '  deny malware = *' "X-Clam: virus"
site 'av_scanner = cmdline:/bin/grep virus %s:virus:(virus)' '  deny malware = *
 message = $malware_name' "X-Clam: virus" "X-Clam: ok"
site 'av_scanner = nosuch:x' '  deny malware = *' "X-Clam: virus"
site 'av_scanner = clamd' '  deny malware = *' "X-Clam: virus"
W='  logwrite = <$spam_score> <$spam_score_int> <$spam_bar> <$spam_action>
  add_header = X-Spam-Report: $spam_report
  add_header = X-Spam-Bar: $spam_bar'
site 'spamd_address = 127.0.0.1 783' "  warn spam = nobody
$W
  warn spam = nobody:true
$W" "${PP[@]}"
site 'spamd_address = 127.0.0.1 783' "  deny spam = nobody/defer_ok
  message = no \$spam_score" "X-Spam: spam" "X-Spam: junk"
site 'spamd_address = 127.0.0.1 784 : 127.0.0.1 783 retry=1s pri=2 : 127.0.0.1 783 weight=5 time=00:00-23:59:59' "  warn spam = nobody:true
$W
  deny condition = \${if >{\$spam_score_int}{80}}
   message = score \$spam_score" "X-Spam: spam" "X-Spam: ok"
site 'spamd_address = 127.0.0.1 784' "  warn spam = nobody:true
$W" "X-Spam: spam"
site 'spamd_address = 127.0.0.1 784' "  warn spam = nobody:true/defer_ok
$W" "X-Spam: spam"
site 'spamd_address = 127.0.0.1 783' "  warn spam = ann:true
$W
  warn spam = 0
   logwrite = zero
  warn spam = false
   logwrite = false
  warn spam = x y
$W
  warn spam = \$acl_m_none
   logwrite = none
  warn spam = \$acl_m_none:true
$W" "X-Spam: spam" "X-Spam: ok"
site 'spamd_address = 127.0.0.1 784 foo=1' "  warn spam = nobody:true
$W" "X-Spam: spam"
site 'spamd_address = 127.0.0.1' "  warn spam = nobody:true
$W" "X-Spam: spam"
site 'spamd_address = /nonexistent' "  warn spam = nobody:true
$W" "X-Spam: spam"
kill $SC
