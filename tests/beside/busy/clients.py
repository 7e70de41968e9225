"""Clients that throw dice: clients.py SECONDS COUNT."""
import random,socket,ssl,sys,threading,time
end=time.time()+float(sys.argv[1]); count=int(sys.argv[2])
taken=[0]*count; errors={}
ODD=['nosuch@me.test','greylist@me.test','trash@me.test','x@dead.test','x@closed.test',
    'x@refuse.test','x@defer.test','x@far.test','x@tls.test','bad@@me.test','<>','"q q"@me.test',
    'x@nowhere.invalid','ü@me.test']
SENDERS=['','deferme@far.test','box2@me.test','s@nowhere.invalid','x@dead.test']
PARAMETERS=['',' SIZE=1000',' BODY=8BITMIME',' RET=HDRS ENVID=x',' SIZE=999999999']
NOTIFY=['','',' NOTIFY=NEVER',' NOTIFY=SUCCESS,DELAY',' ORCPT=rfc822;x@y.z']
SUBJECTS=['hello','vac','save','pipe','free offer','freezeme','failme']

def recipient():
    r=random.random()
    if r<.4:
        box=random.choice(['box%d'%random.randrange(7),'full'])
        return box+'@'+random.choice(['me.test','x.local.test','old.test'])
    if r<.7: return 'a%d@me.test'%random.randrange(1,14)
    if r<.75: return 'filtered@me.test'
    if r<.85: return 'u%d@m%d.far.test'%(random.randrange(50),random.randrange(1,2000))
    return random.choice(ODD)

def body():
    k=random.random()
    subject=random.choice(SUBJECTS) if random.random()<.3 else 'hello'
    h='From: <s@far.test>\r\nTo: <x@me.test>\r\nSubject: %s\r\n'%subject
    if k<.1:
        h+='MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n'
        h+='Content-Type: text/plain\r\n\r\nhi\r\n--b\r\nContent-Type: application/octet-stream;'
        h+=' name=x.%s\r\nContent-Transfer-Encoding: base64\r\n'%random.choice(['exe','txt'])
        h+='\r\n'+'QUJD'*200+'\r\n--b--\r\n'
    elif k<.15: h+='\r\nBuy now\r\n'
    elif k<.2: h+='From bad header\r\n\r\n'+'x'*990+'\r\n'
    elif k<.23: h+='\r\n'+('y'*70+'\r\n')*random.choice([1500,3200])
    else: h+='\r\n'+'line of text\r\n'*random.randrange(1,300)
    return h.encode('latin1')

def session(own):
    s=socket.create_connection(('127.0.0.1',25),10); s.settimeout(60); f=s.makefile('rwb',0)
    def hear():
        while l:=f.readline():
            if l[3:4]!=b'-': return l
        raise EOFError
    def ask(t): f.write(t.encode()+b'\r\n'); return hear()
    hear()
    if random.random()<.02:
        f.write(bytes(random.randrange(256) for _ in range(2000))+b'\r\n')
        hear(); s.close(); return
    ask(random.choice(['EHLO','EHLO','HELO'])+' client%d.test'%own)
    if random.random()<.1 and ask('STARTTLS').startswith(b'220'):
        c=ssl.create_default_context(); c.check_hostname=False; c.verify_mode=ssl.CERT_NONE
        s=c.wrap_socket(s); f=s.makefile('rwb',0); ask('EHLO x.test')
        if random.random()<.5: ask('AUTH PLAIN AHUAcA==')
    for _ in range(random.randrange(1,8)):
        if time.time()>end: break
        sender=random.choice(['s%d@far.test'%random.randrange(100)]+SENDERS)
        if not ask('MAIL FROM:<%s>%s'%(sender,random.choice(PARAMETERS))).startswith(b'2'): continue
        wanted=[(recipient(),random.choice(NOTIFY)) for _ in range(random.randrange(1,6))]
        some=[ask('RCPT TO:<%s>%s'%one).startswith(b'2') for one in wanted]
        if random.random()<.05: s.close(); return
        if not any(some): ask('RSET'); continue
        b=body()
        if random.random()<.03: f.write(b'DATA\r\n'+b[:len(b)//2]); s.close(); return
        if random.random()<.2: f.write(b'BDAT %d LAST\r\n'%len(b)+b); hear()
        elif ask('DATA').startswith(b'3'): f.write(b+b'.\r\n'); hear()
        taken[own]+=1
    if random.random()<.8: ask('QUIT')
    s.close()

def client(own):
    while time.time()<end:
        try: session(own)
        except (OSError,EOFError) as e:
            kind=type(e).__name__; errors[kind]=errors.get(kind,0)+1; time.sleep(.01)

threads=[threading.Thread(target=client,args=(own,)) for own in range(count)]
for one in threads: one.start()
for one in threads: one.join()
print(sum(taken),'messages sent;',errors)
