"""Stops the power while eight clients hand in mail, and asks whether all of it is there: as the
superuser,

    power.py PROGRAM [KIND [SEED]]

KIND is the file system of the spool, in a file behind a loop device: ext4, plain (ext4 without a
journal) or xfs. What the file holds while the daemon is stopped is what a disk holds after the power
failed; a daemon with it, and with another identifier of the start of the system, has to have each
message that a client was told is taken, as it came.
"""
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

PORT = 2600
MAKE = {'ext4': 'mkfs.ext4 -q', 'plain': 'mkfs.ext4 -q -O ^has_journal', 'xfs': 'mkfs.xfs -q'}
CONFIG = '''primary_hostname = me.test
spool_directory = WORK/disk/spool
log_file_path = WORK/log/%slog
keep_environment =
tls_advertise_hosts =
queue_only
smtp_accept_max = 0
smtp_accept_max_per_connection = 0
split_spool_directory = SPLIT
acl_smtp_rcpt = accept
'''

program = os.path.abspath(sys.argv[1])
kind = sys.argv[2] if len(sys.argv) > 2 else 'ext4'
seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
chance = random.Random(seed)
work = tempfile.mkdtemp()
os.chmod(work, 0o755)
disk, image = f'{work}/disk', f'{work}/image'


def run(command):
    subprocess.run(command, shell=True, check=True, stdout=subprocess.DEVNULL)


def start():
    boot = f'{work}/boot'
    with open(boot, 'w') as file:
        file.write('%08x-0000-0000-0000-000000000000\n' % chance.getrandbits(32))
    inside = f'mount --bind {boot} /proc/sys/kernel/random/boot_id && exec "$@"'
    daemon = [program, '-C', f'{work}/conf', '-bdf', '-oX', f'127.0.0.1.{PORT}']
    # Who is greeted finds all that was put back.
    started = subprocess.Popen(['unshare', '-m', 'sh', '-c', inside, 'sh', *daemon])
    for _ in range(600):
        try:
            with socket.create_connection(('127.0.0.1', PORT), 30) as greeted:
                if greeted.recv(100):
                    return started
        except OSError:
            pass
        time.sleep(0.05)
    sys.exit('it does not start')


taken, lock, is_over = {}, threading.Lock(), threading.Event()


def client(number):
    own = random.Random(f'{seed} {number}')
    stream = socket.create_connection(('127.0.0.1', PORT), 10)
    lines = stream.makefile('rb')

    def say(text):
        stream.sendall(text)
        while True:
            line = lines.readline()
            if not line:
                raise OSError
            if line[3:4] != b'-':
                return line

    try:
        lines.readline()
        say(b'EHLO client.test\r\n')
        for count in range(1_000_000):
            if is_over.is_set():
                return
            for line in [b'MAIL FROM:<a@b.test>', b'RCPT TO:<c@d.test>', b'DATA']:
                say(line + b'\r\n')
            text = b'message %d of %d\r\n' % (count, number) * own.choice([1, 50, 250, 2000])
            said = re.search(rb'id=(\S+)', say(b'Subject: s\r\n\r\n' + text + b'.\r\n'))
            with lock:
                taken[said.group(1).decode()] = text.replace(b'\r\n', b'\n')
    except OSError:
        pass


def whole(told):
    count, missing = 0, []
    for name, text in told.items():
        place = f'{disk}/spool/input/' + (f'{name[5]}/' if seed % 2 else '') + name
        try:
            with open(place + '-H', 'rb') as header, open(place + '-D', 'rb') as data:
                ends = header.read().endswith(b'Subject: s\n')
                is_whole = ends and data.read() == name.encode() + b'-D\n' + text
        except OSError:
            is_whole = False
        count += is_whole
        if not is_whole:
            missing.append(name)
    return count, missing


os.makedirs(disk)
os.makedirs(f'{work}/log')
with open(f'{work}/conf', 'w') as file:
    file.write(CONFIG.replace('WORK', work).replace('SPLIT', str(bool(seed % 2)).lower()))
run(f'truncate -s 400M {image} && {MAKE[kind]} {image} && mount -o loop {image} {disk}')
run(f'mkdir {disk}/spool && chown Debian-exim: {disk}/spool {work}/log')
try:
    daemon = start()
    for number in range(8):
        threading.Thread(target=client, args=(number,), daemon=True).start()
    time.sleep(0.5 + 1.5 * chance.random())
    daemon.send_signal(signal.SIGSTOP)
    with lock:
        told = dict(taken)
    run(f'cp --sparse=always {image} {image}.then')
    is_over.set()
    daemon.kill()
    daemon.wait()
    run(f'umount {disk}')
    if kind == 'plain':
        subprocess.run(f'e2fsck -fy {image}.then > /dev/null 2>&1', shell=True)
    run(f'mount -o loop{",nouuid" if kind == "xfs" else ""} {image}.then {disk}')
    before, _ = whole(told)
    daemon = start()
    after, missing = whole(told)
    daemon.terminate()
    daemon.wait()
    with open(f'{work}/log/mainlog') as log:
        back = sum(' was put back' in line for line in log)
    print(f'{kind} {seed}: {len(told)} taken, {before} on the disk, {back} put back, {after} there')
    for name in missing:
        print('missing:', name)
finally:
    subprocess.run(f'umount {disk}; rm -rf {work}', shell=True)
sys.exit(bool(missing))
