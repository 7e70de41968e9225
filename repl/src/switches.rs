//! The switches, each with what it does: what `help switches` prints, the page of the
//! manual and the completions of shells are made of this.

use std::fmt::Write;

/// A switch, or several that differ little.
#[derive(Debug)]
pub struct Switch {
    /// The names; behind the last may stand what it takes.
    pub names: &'static str,
    /// What it does.
    pub does: &'static str,
}

const fn switch(names: &'static str, does: &'static str) -> Switch {
    Switch { names, does }
}

/// The switches, by what they are for. Where nothing else is said, they are Exim's
/// (specification 5.2).
pub const GROUPS: &[(&str, &[Switch])] = &[
    (
        "Configuration",
        &[
            switch("-C FILES", "the configuration: the first of these files that exists"),
            switch("-D NAME=TEXT", "defines a macro; what files say of it does not count"),
            switch("-bP [NAME...]", "prints options, drivers, lists, macros; -n without names"),
            switch("-bV, --version", "the version, and what this build knows"),
            switch("-bI:help, -bI:TOPIC", "lists: dscp, sieve, help"),
            switch("--help", "how to begin"),
        ],
    ),
    (
        "Tests",
        &[
            switch("-be [TEXT...]", "expands strings, or the lines of the standard input"),
            switch("-bem FILE", "the same, with a message in a file"),
            switch("-Mset ID", "with -be: the same, with a message of the spool"),
            switch("-bt [ADDRESS...]", "where an address goes"),
            switch("-bv, -bvs [ADDRESS...]", "verifies a recipient, or a sender"),
            switch("-bh, -bhc ADDRESS", "an SMTP session as if from there; c: with callouts"),
            switch("-bf, -bF FILE", "tests a user's filter, or the system's"),
            switch("-bfd, -bfl, -bfp, -bfs TEXT", "with -bf: domain, local part, prefix, suffix"),
            switch("-brw ADDRESS", "what the rules for rewriting make of an address"),
            switch("-brt ADDRESS [DOMAIN] [ERROR]", "the rule for retries"),
            switch("-bmalware FILE", "what the scanner for malware says of a file"),
            switch("-oMa, -oMi ADDRESS", "$sender_host_address; $received_ip_address"),
            switch("-oMaa, -oMai, -oMas TEXT", "authenticator, authenticated id and sender"),
            switch("-oMr, -oMs, -oMt TEXT", "protocol, name of the host, ident"),
            switch("-oMm ID", "the message that a new one refers to"),
            switch("-v, -ov", "says what it does"),
            switch("-L NAME", "logs to the system's log alone, under that name"),
            switch("-d[SELECTORS], -dd, -dp", "says more: -d+all, -d-all+expand"),
            switch("-n", "with -bP: values alone"),
        ],
    ),
    (
        "Messages",
        &[
            switch("-bm", "takes a message from the standard input for the arguments"),
            switch("-atrn host domains", "fetches mail from a provider, over the same connection"),
            switch("-bs, -bS", "takes messages by SMTP at the standard input; S: in batch"),
            switch("-t, -ti", "recipients are in the message's header; i: as with -i"),
            switch("-i, -oi, -oitrue", "a line with a dot does not end the message"),
            switch("-f, -r ADDRESS", "the sender"),
            switch("-F NAME", "the sender's full name"),
            switch("-bnq", "leaves addresses without a domain as they are"),
            switch("-G", "leaves the header as it is"),
            switch("-N", "pretends delivery"),
            switch("-odb, -odf, -odi, -odq, -odqs", "when to deliver"),
            switch("-oem, -oep, -oeq, -oee, -oew", "how to report errors; also -em and so on"),
            switch("-oDSN", "notifications of delivery that are asked for"),
            switch("-or, -os TIME", "how long to wait for a message; for an SMTP client"),
            switch("-p PROTOCOL[:HOST]", "protocol and name of the host"),
            switch("-oB [NUMBER]", "how many messages go along a connection; else 1"),
            switch("-h NUMBER", "is taken, and changes nothing"),
            switch("--", "what follows are no switches"),
            switch("-z TEXT", "writes a line to the main log, and does nothing else"),
        ],
    ),
    (
        "The daemon",
        &[
            switch("-bd, -bdf", "takes connections; f: in the foreground"),
            switch("-bw[TIME]", "the same, with the socket that is its standard input"),
            switch("-oX INTERFACES", "listens there"),
            switch("-oP FILE", "writes its number there"),
            switch("-oPX", "takes the file with the daemon's number away"),
            switch("-oY", "nobody tells it of messages, or asks how many there are"),
            switch("-tls-on-connect", "TLS comes first"),
        ],
    ),
    (
        "The queue",
        &[
            switch("-bp, -bpa, -bpi, -bpr, -bpu", "lists the messages that wait"),
            switch("-bpra, -bpri, -bpru, -bpc", "the same; c: how many there are"),
            switch(
                "-q, -qi, -qf, -qff, -ql",
                "tries messages; i: new ones, ff: frozen ones, l: local",
            ),
            switch("-qG QUEUE", "those of a named queue; also with -bp"),
            switch("-q30m", "again and again: beside -bd, or alone"),
            switch("-R, -S TEXT", "tries those with it in a recipient, in the sender; f, ff, r"),
            switch("-M, -Mc ID", "tries messages now; c: if their time has come"),
            switch("-Mf, -Mt, -Mrm, -Mg ID", "freezes, thaws, removes, gives up messages"),
            switch(
                "-Mmad, -Mmd, -Mar, -Mes ID",
                "marks as delivered, adds recipients, changes senders",
            ),
            switch("-MG QUEUE ID", "puts messages into another queue; from one: with -qG"),
            switch("-Mvb, -Mvc, -Mvh, -Mvl ID", "a message's body, all of it, header, log"),
            switch("-bi", "runs bi_command, with what -oA gives; without one, nothing"),
        ],
    ),
    (
        "Taken for sendmail's sake, and passed over",
        &[
            switch("-Ac, -Am, -E, -U, -m, -odd, -om, -oo, -x", "nothing"),
            switch("-B, -O, -X, -oA TEXT", "nothing; -oA see -bi"),
            switch("-dropcr, -pd, -ps", "nothing; Perl begins when it is asked for"),
        ],
    ),
];

/// The page `switches`.
pub fn page() -> String {
    let mut out = String::from("Switches are Exim's; options may stand before a command.\n");
    for (group, switches) in GROUPS {
        let _ = writeln!(out, "\n{group}:");
        for switch in *switches {
            let _ = writeln!(out, "  {:<36} {}", switch.names, switch.does);
        }
    }
    out
}

/// The line of a switch, as a page.
pub fn about(name: &str) -> Option<String> {
    if name.starts_with("-MC") {
        let does = "is for processes that Exim starts by itself; here there are none";
        return Some(format!("{name} (switch)\n\n  {does}\n"));
    }
    let name = if name.starts_with("-bI:") { "-bI:TOPIC" } else { name };
    let mut all = GROUPS.iter().flat_map(|(_, switches)| switches.iter());
    let bare = |part: &str| part.split([' ', '[']).next() == Some(name);
    let found = all.find(|switch| switch.names.split(", ").any(bare))?;
    Some(format!("{} (switch)\n\n  {}\n", found.names, found.does))
}

/// The names of all switches.
pub fn names() -> impl Iterator<Item = &'static str> {
    let switches = GROUPS.iter().flat_map(|(_, switches)| switches.iter());
    let parts = switches.flat_map(|switch| switch.names.split(", "));
    parts.map(|part| part.split([' ', '[']).next().unwrap_or(part))
}
