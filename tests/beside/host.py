"""A scripted SMTP host: host.py ADDRESS PORT FILE WHAT=ANSWER...

WHAT is conn, ehlo, mail, mail:ADDRESS, rcpt, rcpt:ADDRESS, data, end, quit, auth, auth:NAME,
starttls (with cert, key, alpn); show=1 writes messages into FILE. In an answer, a backslash and
an n end a line, `~N` waits before it, `-` alone closes, and `-!` behind it closes after it (`-x` resets).
With end:ADDRESS, a client of LMTP hears an answer for each recipient.
"""
import socket,struct,sys,threading,time,ssl,re
addr,port,out=sys.argv[1],int(sys.argv[2]),sys.argv[3]
A={'conn':'220 host','ehlo':'250-host\\n250-PIPELINING\\n250 SIZE','helo':'250 host','mail':'250 ok','rcpt':'250 ok','data':'354 go','end':'250 taken','quit':'221 bye','rset':'250 reset','starttls':'220 go','auth':'235 in','noop':'250 ok'}
for a in sys.argv[4:]:
    k,v=a.split('=',1); A[k]=v
lock=threading.Lock()
def log(s):
    with lock:
        open(out,'a',errors='surrogateescape').write(s+'\n')
class Gone(Exception): pass
def serve(c,n):
    f=c.makefile('rwb')
    def say(v):
        m=re.match(r'~([\d.]+) ?(.*)',v,re.S)
        if m: time.sleep(float(m.group(1))); v=m.group(2)
        if v=='-': raise Gone
        close=v.endswith(('-!','-x'))
        reset=v.endswith('-x')
        if close: v=v[:-2]
        f.write(v.replace('\\n','\r\n').encode('utf8','surrogateescape')+b'\r\n'); f.flush()
        log('%d> %s'%(n,v))
        if reset: time.sleep(0.1); c.setsockopt(socket.SOL_SOCKET,socket.SO_LINGER,struct.pack('ii',1,0))
        if close: raise Gone
    try:
        say(A['conn']); rcpts=0; each=[]; lmtp=any(k.startswith('end:') for k in A)
        last=False
        while True:
            l=f.readline()
            if not l: log('%d closed'%n); return
            s=l.rstrip(b'\r\n').decode('utf8','surrogateescape')
            log('%d< %s'%(n,s)); v=s.split(' ')[0].lower()
            k=v
            if v=='ehlo' or v=='lhlo': k='ehlo'
            if v=='rcpt':
                m=re.search(r'<([^>]*)>',s); a=m.group(1) if m else ''
                k='rcpt:'+a if 'rcpt:'+a in A else 'rcpt'
                if A[k].startswith('2'): each.append(a)
            if v=='mail':
                m=re.search(r'<([^>]*)>',s); a=m.group(1) if m else ''; each=[]
                k='mail:'+a if 'mail:'+a in A else 'mail'
            if v=='auth':
                au=A.get('auth:'+s.split(' ')[1].upper(),A['auth'])
                if au.startswith('334'):
                    for st in au.split('|'):
                        if st.startswith('334'):
                            say(st); l=f.readline(); log('%d< %s'%(n,l.rstrip(b'\r\n').decode()))
                        else: say(st)
                    continue
            if v=='bdat':
                p=s.split(' '); f.read(int(p[1]))
                if len(p)>2: say(A['end'])
                else: say('250 chunk')
                continue
            say(au if v=='auth' else A.get(k,'500 what') )
            if v=='starttls' and A['starttls'].startswith('2'):
                ctx=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); ctx.load_cert_chain(A['cert'],A['key'])
                if 'alpn' in A: ctx.set_alpn_protocols(A['alpn'].split(','))
                c=ctx.wrap_socket(c,server_side=True); f=c.makefile('rwb'); log('%d tls'%n)
            if v=='data' and A['data'].startswith('3'):
                b=[]
                while True:
                    l=f.readline()
                    if not l: log('%d closed in data'%n); return
                    if l==b'.\r\n': break
                    b.append(l)
                if 'show' in A: log('%d| '%n+b''.join(b).decode('utf8','surrogateescape').replace('\r\n','\n%d| '%n))
                for a in each if lmtp else [None]: say(A.get('end:%s'%a,A['end']))
            if v=='quit': log('%d bye'%n); c.close(); return
    except Gone: log('%d we close'%n); f.close(); c.close()
    except Exception as e: log('%d error %s'%(n,type(e).__name__))
s=socket.socket(socket.AF_INET6 if ':' in addr else socket.AF_INET); s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); s.bind((addr,port)); s.listen(64)
open(out,'a').close()
n=0
while True:
    c,_=s.accept(); n+=1; threading.Thread(target=serve,args=(c,n),daemon=True).start()
