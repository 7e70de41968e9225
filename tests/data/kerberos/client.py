"""A client of SMTP that authenticates by GSSAPI (RFC 4752).

client.py WAY AUTHORIZATION PROGRAM ARGUMENTS... starts the program as its server, and prints
what it hears. WAY is `first` (the token comes with the command), `asked` (behind it),
`oneway` (the server need not show itself), or a fault: `junk`, `layer`, `short`, `changed`.
"""

import base64
import subprocess
import sys

import gssapi

way, authorization, *command = sys.argv[1:]
server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def hear():
    """The text of a reply; anything but a question ends the conversation, if it is no greeting."""
    while True:
        line = server.stdout.readline().decode().rstrip()
        if line[3:4] != "-":
            break
    print(line[:3] if line.startswith(("220", "250", "334")) else line)
    if not line.startswith(("220", "250", "334")):
        server.stdin.write(b"QUIT\r\n")
        server.stdin.close()
        server.wait()
        sys.exit()
    return base64.b64decode(line[4:]) if line.startswith("334") else b""


def say(line):
    server.stdin.write(line + b"\r\n")
    server.stdin.flush()


hear()
say(b"EHLO client.test")
hear()
flags = [gssapi.RequirementFlag.integrity]
if way != "oneway":
    flags.append(gssapi.RequirementFlag.mutual_authentication)
name = gssapi.Name("smtp@mx.test.ex", name_type=gssapi.NameType.hostbased_service)
context = gssapi.SecurityContext(name=name, usage="initiate", flags=flags)
token = context.step()
if way == "junk":
    token = b"junk" + token[4:]
if way == "asked":
    say(b"AUTH GSSAPI")
    hear()
    say(base64.b64encode(token))
else:
    say(b"AUTH GSSAPI " + base64.b64encode(token))
said = hear()
while not context.complete:
    say(base64.b64encode(context.step(said) or b""))
    said = hear()
offer = context.unwrap(said).message
assert offer == b"\1\0\0\0", offer
choice = {"layer": b"\4\0\xff\xff", "short": b"\1"}.get(way, b"\1\0\0\0")
wrapped = context.wrap(choice + authorization.encode(), False).message
if way == "changed":
    wrapped = wrapped[:-1] + bytes([wrapped[-1] ^ 1])
say(base64.b64encode(wrapped))
hear()
