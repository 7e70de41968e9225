"""Next hosts at 192.0.2.11 to .16 and .21 to .24, port 25: good ones, a silent one, one that
puts off, one that throws dice."""
import random,socket,threading,time

def talk(c,kind):
    try:
        c.settimeout(30)
        if kind=='silent': time.sleep(20); return
        f=c.makefile('rwb',0)
        def say(t): f.write(t.encode()+b'\r\n')
        if kind=='defer' and random.random()<.3: return say('421 busy')
        say('220 peer ESMTP')
        while l:=f.readline():
            verb,r=l[:4].upper(),random.random()
            odd=kind=='odd'
            if odd and r<.02: return
            if odd and r<.03: say('garbage without end'); continue
            if verb==b'EHLO':
                extras=[b'SIZE 100000']
                extras+=[one for one in (b'PIPELINING',b'CHUNKING') if random.random()<.6]
                f.write(b'250-peer\r\n'+b''.join(b'250-'+one+b'\r\n' for one in extras)
                    +b'250-DSN\r\n250 8BITMIME\r\n')
            elif verb==b'RCPT':
                if kind=='defer': say('451 later')
                elif odd and r<.3: say('550-no such\r\n550 user here')
                elif odd and r<.5: say('450 later')
                else: say('250 ok')
            elif verb==b'DATA':
                if odd and r<.2: say('452 full'); continue
                say('354 go')
                while l!=b'.\r\n':
                    if not (l:=f.readline()): return
                if odd and r<.4: say('554 spam')
                elif odd and r<.5: return
                else: say('250 taken')
            elif verb==b'BDAT':
                left=int(l.split()[1])
                while left>0:
                    if not (d:=f.read(left)): return
                    left-=len(d)
                say('554 spam' if odd and r<.4 else '250 taken')
            elif verb==b'QUIT': return say('221 bye')
            else: say('250 ok')
    except OSError: pass
    finally: c.close()

def serve(number,kind):
    s=socket.socket()
    s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1)
    s.bind(('192.0.2.%d'%number,25)); s.listen(200)
    while True:
        c,_=s.accept()
        threading.Thread(target=talk,args=(c,kind),daemon=True).start()

# Nobody listens at .15.
KINDS={11:'good',12:'silent',13:'defer',14:'odd',16:'good',21:'good',22:'silent',23:'defer',24:'odd'}
for one in KINDS.items(): threading.Thread(target=serve,args=one,daemon=True).start()
time.sleep(100000)
