"""Kinds of log lines that only one of two places has: kinds.py EXIM OURS LEAST; and what
became of messages. A log line's kind is what does not differ from message to message."""
import collections,os,re,sys
ID=r'\b[0-9a-zA-Z]{6}-[0-9a-zA-Z]{11}-[0-9a-zA-Z]{4}\b'
LEFT_OUT=[(r'^\S+ \S+ \[\d+\] ',''),(ID,'ID'),(r'\b(QT|DT|RT|D)=[0-9hms.]+',r'\1=T'),
    (r'\[[0-9.]+\](:\d+)?','[IP]'),(r'<[^<>]*@[^<>]*>','<A>'),(r'\S+@\S+','A'),
    (r'(box|client|m|u|s|a|file)\d+',r'\1N'),(r'\d+','N'),(r'id\*?=\S+','id=X'),
    (r'\\N|[^ -~]','?'),(r' DSN=\S+',''),(r'X=TLS\S+','X=TLS'),(r'for A( A)*','for A'),
    (r'T="[a-z ]*"','T=T'),(r'/\S+','PATH'),(r'C=[A-Z,]{4,}','C=X'),
    (r'.*(SSL_read|non-properly).*','TLS BREAKS OFF'),(r'( \(N bytes written\))',''),
    (r'(SMTP (syntax|protocol \S+|call).{30}).*',r'\1')]

def kinds(place):
    found,example=collections.Counter(),{}
    for name in ('mainlog','rejectlog','paniclog'):
        if not os.path.exists(place+'/'+name): continue
        for line in open(place+'/'+name,errors='replace'):
            line=line.rstrip('\n')
            if 'cwd=' in line or name=='rejectlog' and not re.match(r'\d{4}-',line): continue
            kind=line
            for what,instead in LEFT_OUT: kind=re.sub(what,instead,kind)
            kind=name[0]+': '+kind
            found[kind]+=1; example.setdefault(kind,line)
    return found,example

def fate(place):
    """How many messages came, and those that are neither done nor waiting, or done twice."""
    seen={'<=':collections.Counter(),'Completed':collections.Counter()}
    for line in open(place+'/mainlog',errors='replace'):
        if m:=re.match(r'\S+ \S+ \[\d+\] ('+ID+r') (<=|Completed)',line): seen[m[2]][m[1]]+=1
    waiting=set(open(place+'/waiting').read().split())
    done=seen['Completed']
    lost=[one for one in seen['<='] if one not in done and one not in waiting]
    return len(seen['<=']),lost,[one for one in done if done[one]>1]

exim,ours,least=sys.argv[1],sys.argv[2],int(sys.argv[3])
for place in (exim,ours): print('%s: %d messages, lost %s, done twice %s'%((place,)+fate(place)))
both=[kinds(place) for place in (exim,ours)]
for who,own,other in (('exim',both[0],both[1]),('eximious',both[1],both[0])):
    print('== only',who)
    for kind,count in own[0].most_common():
        if count>=least and kind not in other[0]: print(count,kind,'\n   ',own[1][kind][:300])
