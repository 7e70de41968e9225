//! The kinds of malware scanners that `av_scanner` may name (specification 45.2). They
//! are known, and asked by none yet.

use eximious_core::{Effects, Meta, Runs, TaintRule};

/// A kind of scanner.
#[derive(Clone, Debug)]
pub struct Scanner {
    /// What it says of itself.
    pub meta: Meta,
    /// How it is asked.
    pub run: Runs,
}

const fn scanner(name: &'static str, syntax: &'static str, summary: &'static str) -> Scanner {
    let meta = Meta::new(name, Effects::NET, TaintRule::Tainted);
    let meta = meta.syntax(syntax).summary(summary).source("specification 45.2");
    Scanner { meta, run: Runs::NotYet }
}

/// All of them, by name.
pub static SCANNERS: &[Scanner] = &[
    scanner("avast", "avast:<socket>[:<option>]...", "Avast, over a socket."),
    scanner("aveserver", "aveserver:<socket>", "Kaspersky 5, over a socket."),
    scanner("clamd", "clamd:<socket or host port>[:local]", "ClamAV, over a socket or TCP."),
    scanner("cmdline", "cmdline:<command>:<trigger>:<name>", "Any command; patterns read it."),
    scanner("drweb", "drweb:<socket or host port>", "DrWeb's daemon, over a socket or TCP."),
    scanner("f-prot6d", "f-prot6d:<host port>", "F-Prot 6, over TCP."),
    scanner("f-protd", "f-protd:<host ports>", "F-Prot, over HTTP."),
    scanner("fsecure", "fsecure:<socket>", "F-Secure, over a socket."),
    scanner("kavdaemon", "kavdaemon:<socket>", "Kaspersky 4, over a socket."),
    scanner("mksd", "mksd:<threads>", "mks_vir's daemon."),
    scanner("sock", "sock:<socket or host port>:<command>:<trigger>:<name>", "Any daemon."),
    scanner("sophie", "sophie:<socket>", "Sophie, over a socket."),
];
