"""How a message's lines end: what Exim and a program keep of all short texts of `a`, space, CR
and LF in several places of a message, by DATA, BDAT or -bS.

    tests/beside/lines.py PROGRAM [data|chunks|batch] [LENGTH]

As the superuser. It prints what differs, `-` what Exim keeps and `+` what the program does.
"""
import itertools, os, re, shutil, subprocess, sys, tempfile

EXIM = '/usr/sbin/exim4'
CONFIG = '''spool_directory = DIR/spool
log_file_path = DIR/spool/%slog
primary_hostname = me.test
keep_environment =
host_lookup =
tls_advertise_hosts =
acl_smtp_rcpt = accept
acl_smtp_data = accept
queue_only
smtp_accept_max_nonmail = 100000
smtp_accept_max_per_connection = 0
received_header_text =
'''
# What one session takes.
MANY = 400


def session(messages, way):
    """What a client says, and how the program is called."""
    said = b'' if way == 'batch' else b'EHLO h\r\n'
    for one in messages:
        said += b'MAIL FROM:<a@b.test>\r\nRCPT TO:<x@me.test>\r\n'
        if way == 'chunks':
            said += b'BDAT %d LAST\r\n' % len(one) + one
        else:
            said += b'DATA\r\n' + one + b'\r\n.\r\n'
    return said + b'QUIT\r\n', ['-bS'] if way == 'batch' else ['-oMa', '1.2.3.4', '-bs']


def kept(folder, name):
    """The header and the body of a message in the spool."""
    header = open(f'{folder}/spool/input/{name}-H', 'rb').read().split(b'\n\n', 1)[1]
    header = re.sub(rb'(?m)^\d\d\d[A-Z* ] ', b'|', header)
    made = rb'\|(Received: ;|Message-Id|From|Date).*\n'
    body = open(f'{folder}/spool/input/{name}-D', 'rb').read().split(b'\n', 1)[1]
    return re.sub(made, b'', header), body


def ask(program, messages, way):
    folder = tempfile.mkdtemp()
    os.chmod(folder, 0o755)
    os.makedirs(folder + '/spool')
    shutil.chown(folder + '/spool', 'Debian-exim', 'Debian-exim')
    open(folder + '/conf', 'w').write(CONFIG.replace('DIR', folder))
    said, call = session(messages, way)
    done = subprocess.run([program, '-C', folder + '/conf', *call], input=said, capture_output=True)
    if way == 'batch':
        names = sorted(name[:-2] for name in os.listdir(folder + '/spool/input') if name.endswith('-H'))
    else:
        answer = rb'(?m)^(?:250 OK id=(\S+)|(5\d\d .*))\r$'
        names = [name.decode() if name else why for name, why in re.findall(answer, done.stdout)]
    found = [kept(folder, name) if isinstance(name, str) else (name, b'') for name in names]
    shutil.rmtree(folder)
    if len(found) != len(messages):
        sys.exit(f'{program}: {len(found)} of {len(messages)} messages\n{done.stdout[-300:]}')
    return found


def main():
    program = sys.argv[1]
    way = sys.argv[2] if len(sys.argv) > 2 else 'data'
    longest = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    messages = []
    for length in range(longest + 1):
        for text in map(bytes, itertools.product(b'a \r\n', repeat=length)):
            for before in (b'F: x\r\nG: y', b'F: x\r\n', b'F: x\r\n\r\nb', b'F: x', b''):
                messages.append(before + text + b'Z: 1\r\n\r\nbody')
    differ = 0
    for at in range(0, len(messages), MANY):
        some = messages[at:at + MANY]
        for message, theirs, ours in zip(some, ask(EXIM, some, way), ask(program, some, way)):
            if theirs != ours:
                differ += 1
                print(message, '\n -', theirs, '\n +', ours)
    print(f'{len(messages)} messages, {differ} differ')


main()
