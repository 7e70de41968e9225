"""Speaks SMTP to port 25, line by line from the standard input, and prints what is heard: say.py FROM TO."""
import socket,sys,time
src,dst=sys.argv[1],sys.argv[2]
s=socket.socket(); s.bind((src,0)); s.settimeout(15)
for _ in range(50):
    try: s.connect((dst,25)); break
    except OSError: time.sleep(0.1)
f=s.makefile('rb')
def ans():
    try:
        while True:
            l=f.readline()
            if not l: print('(closed)'); return False
            print('  '+l.decode('utf8','surrogateescape').rstrip())
            if l[3:4]!=b'-': return l[:3]
    except Exception as e: print('('+type(e).__name__+')'); return False
if not ans(): sys.exit()
data=skip=False
for l in sys.stdin.read().split('\n')[:-1]:
    if skip:
        skip=l!='.'
        continue
    if not data: print('> '+l)
    b=l.encode('utf8','surrogateescape').replace(b'\\r',b'\r').replace(b'\\0',b'\0')
    try: s.sendall(b+b'\r\n')
    except OSError as e: print('(gone)'); break
    if data:
        if l=='.': data=False
        else: continue
    said=ans()
    if not said: break
    # What would have been the message is not said where nobody wants it.
    if l.lower()=='data': data,skip=said==b'354',said!=b'354'
s.close()
