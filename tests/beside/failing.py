#!/usr/bin/env python3
"""Calls of the system that fail, one after the other, while mail comes in and goes out: what
was promised is not lost, what was refused is not delivered, and nothing is delivered twice.

    tests/beside/failing.py PROGRAM MODE CALL:ERROR[/ERROR][+]...

as the superuser, with strace: `failing.py target/debug/eximious session openat:ENOSPC+
fsync:EIO`. For each N up to MOST (60), the Nth such call of each thread fails; with `+`, all
from there on. MODE says what is watched: `session` a session at the standard input that
delivers before it ends, `submit` a message from a program, `run` a run of the queue, `daemon`
a daemon that both takes and delivers. Afterwards the queue is run twice in peace. A message
goes into a maildir, into a mailbox file, to a command and to another host.

What it says is to be weighed: a command of the shell that fails runs anew and may have written
before, and an answer that is lost behind the final dot, or between two of the program's
processes, makes two of one.
"""
import glob
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

PORT, SINK = 2598, 2597
USERS = ["ann", "bob", "cat", "dan"]
LINE = "A line of the body as people write it, here for the %dth time.\n"
LINES = 30
LAST = "for the %dth time" % (LINES - 1)
CONF = """
primary_hostname = me.test
qualify_domain = me.test
spool_directory = PLACE/spool
log_file_path = PLACE/log/%slog
keep_environment =
tls_advertise_hosts =
never_users =
acl_smtp_rcpt = accept
acl_smtp_data = accept
daemon_smtp_ports = PORT
local_interfaces = 127.0.0.1
begin routers
folders:
  driver = accept
  local_parts = ann : eve
  transport = folder
files:
  driver = accept
  local_parts = bob
  transport = file
commands:
  driver = accept
  local_parts = cat
  transport = command
away:
  driver = manualroute
  local_parts = dan
  route_list = * 127.0.0.1 byname
  self = send
  transport = host
begin transports
folder:
  driver = appendfile
  directory = PLACE/mail/$local_part_data
  maildir_format
  user = mail
file:
  driver = appendfile
  file = PLACE/mail/bob
  user = mail
command:
  driver = pipe
  command = /bin/sh -c "cat >> PLACE/mail/cat"
  temp_errors = *
  user = mail
host:
  driver = smtp
  port = SINK
  allow_localhost
begin retry
* * F,2d,1s
"""


class Sink:
    """A next host that takes all."""

    def __init__(self):
        self.heard = []
        listener = socket.create_server(("127.0.0.1", SINK))
        threading.Thread(target=self.serve, args=(listener,), daemon=True).start()

    def serve(self, listener):
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=self.speak, args=(connection,), daemon=True).start()

    def speak(self, connection):
        with connection, connection.makefile("rwb") as stream:
            def say(text):
                stream.write(text)
                stream.flush()
            try:
                say(b"220 sink\r\n")
                while line := stream.readline():
                    verb = line[:4].upper()
                    if verb == b"DATA":
                        say(b"354 go\r\n")
                        data = b""
                        while (line := stream.readline()) != b".\r\n":
                            if not line:
                                return
                            data += line
                        self.heard.append(data)
                        say(b"250 ok\r\n")
                    elif verb == b"QUIT":
                        say(b"221 bye\r\n")
                        return
                    else:
                        say(b"250 ok\r\n")
            except OSError:
                pass


class Place:
    """Folders of one try, and what is found in them."""

    def __init__(self, program, sink):
        self.program, self.sink = program, sink
        self.folder = tempfile.mkdtemp()
        os.chmod(self.folder, 0o755)
        self.conf = f"{self.folder}/conf"
        self.trace = f"{self.folder}/trace"

    def begin(self):
        for name in ("spool", "log", "mail"):
            shutil.rmtree(f"{self.folder}/{name}", ignore_errors=True)
            os.makedirs(f"{self.folder}/{name}")
            owner = "mail:mail" if name == "mail" else "Debian-exim:Debian-exim"
            subprocess.run(["chown", owner, f"{self.folder}/{name}"], check=True)
        text = CONF.replace("PLACE", self.folder).replace("PORT", str(PORT))
        with open(self.conf, "w") as file:
            file.write(text.replace("SINK", str(SINK)))
        self.sink.heard.clear()
        if os.path.exists(self.trace):
            os.remove(self.trace)

    def read(self, pattern):
        texts = []
        for name in glob.glob(f"{self.folder}/{pattern}"):
            with open(name, errors="replace") as file:
                texts.append(file.read())
        return "".join(texts)

    def copies(self):
        """How often each has the beginning, and the end."""
        texts = {"ann": self.read("mail/ann/new/*"), "bob": self.read("mail/bob")}
        texts["cat"] = self.read("mail/cat")
        texts["dan"] = b"".join(self.sink.heard).decode(errors="replace")
        return {who: (text.count("Subject: MARK"), text.count(LAST)) for who, text in texts.items()}

    def left(self):
        files = glob.glob(f"{self.folder}/spool/input/*") + glob.glob(f"{self.folder}/spool/msglog/*")
        return [os.path.basename(name) for name in files]

    def call(self, *words, strace=(), **how):
        return subprocess.Popen([*strace, self.program, "-C", self.conf, *words],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                start_new_session=True, **how)

    def peace(self):
        for _ in range(2):
            ended(self.call("-qff"), b"")


def ended(process, text):
    """What a process said, whether it had to be killed, and how it ended."""
    try:
        out, err = process.communicate(text, timeout=40)
        hung = False
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        hung = True
    return out.decode(errors="replace"), err.decode(errors="replace"), hung


def message():
    head = "From: eve@me.test\nSubject: MARK\nMessage-ID: <m@me.test>\n\n"
    return head + "".join(LINE % number for number in range(LINES))


def session():
    lines = ["EHLO x.test", "MAIL FROM:<eve@me.test>"]
    lines += [f"RCPT TO:<{user}@me.test>" for user in USERS]
    lines += ["DATA", *message().splitlines(), ".", "QUIT"]
    return "".join(line + "\r\n" for line in lines).encode()


def promised(answers):
    """To whom the message was promised; None where nothing is known."""
    last = [line for line in answers.replace("\r", "").split("\n") if re.match(r"\d{3} ", line)]
    end = 4 + len(USERS)
    if len(last) <= end or not last[end - 1].startswith("354"):
        return None
    if not last[end].startswith("2"):
        return []
    return [user for user, line in zip(USERS, last[3:]) if line.startswith("2")]


def over_tcp(process):
    """A session with a daemon, as much of it as there was."""
    for _ in range(100):
        try:
            with socket.create_connection(("127.0.0.1", PORT), 20) as connection:
                connection.settimeout(20)
                connection.sendall(session())
                answers = b""
                while piece := connection.recv(4096):
                    answers += piece
                return answers.decode(errors="replace")
        except ConnectionRefusedError:
            if process.poll() is not None:
                return ""
            time.sleep(0.05)
        except OSError:
            return ""
    return ""


def watched(place, mode, strace):
    """Does what is watched; to whom the message was promised, and what went wrong."""
    if mode == "session":
        process = place.call("-odi", "-oMa", "192.0.2.1", "-bs", strace=strace, stdin=subprocess.PIPE)
        out, err, hung = ended(process, session())
        to = promised(out)
    elif mode == "submit":
        process = place.call("-odi", "-oi", "-f", "eve@me.test", *USERS, strace=strace, stdin=subprocess.PIPE)
        out, err, hung = ended(process, message().encode())
        to = [] if process.returncode else USERS
    elif mode == "run":
        ended(place.call("-odq", "-oi", "-f", "eve@me.test", *USERS, stdin=subprocess.PIPE), message().encode())
        process = place.call("-qff", strace=strace)
        _, err, hung = ended(process, b"")
        to = USERS
    else:
        process = place.call("-bdf", strace=strace)
        to = promised(over_tcp(process))
        for _ in range(40):
            if "Completed" in place.read("log/mainlog") or process.poll() is not None:
                break
            time.sleep(0.1 if to else 0.01)
        for child in subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split():
            os.kill(int(child), signal.SIGTERM)
        _, err, hung = ended(process, b"")
    faults = ["hangs"] if hung else []
    if process.returncode < 0 and not hung or "panicked" in err:
        faults.append(f"ended with {process.returncode}: {err[:200]}")
    return to, faults


def ask(place, mode, call, error, which):
    place.begin()
    inject = f"inject={call}:error={error}:when={which}"
    strace = ["strace", "-f", "-qq", "-o", place.trace, "-e", f"trace={call}", "-e", inject]
    to, faults = watched(place, mode, strace)
    place.peace()
    for who, (begun, whole) in place.copies().items():
        if begun != whole:
            faults.append(f"{who} has {begun} beginnings and {whole} ends")
        if to is not None and who in to and not whole:
            faults.append(f"{who} has lost it")
        if to is not None and who not in to and whole:
            faults.append(f"{who} has what was refused")
        if whole > 1:
            faults.append(f"{who} has it {whole} times")
    reported = re.findall(r"Final-Recipient: rfc822;(.*)", place.read("mail/eve/new/*"))
    if reported:
        faults.append(f"reported: {' '.join(reported)}")
    if left := place.left():
        faults.append(f"left: {' '.join(left)}")
    return "(INJECTED)" in place.read("trace"), faults


def main():
    program, mode, *calls = sys.argv[1:]
    most = int(os.environ.get("MOST", "60"))
    place = Place(os.path.abspath(program), Sink())
    for one in calls:
        call, errors = one.rstrip("+").split(":")
        onwards = "+" if one.endswith("+") else ""
        for error in errors.split("/"):
            failed = 0
            for number in range(1, most + 1):
                was_failed, faults = ask(place, mode, call, error, f"{number}{onwards}")
                failed += was_failed
                if was_failed and faults:
                    print(f"{call} {error} {number}{onwards}: {'; '.join(faults)}", flush=True)
                if not was_failed:
                    break
            print(f"{mode}, {call} {error}{onwards}: {failed} asked", flush=True)
    shutil.rmtree(place.folder)


if __name__ == "__main__":
    main()
