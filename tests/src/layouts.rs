//! Configurations that nobody would lay out so, and what they say.

use std::fmt::Write;

use eximious::config::{Acl, Config, Instance};
use eximious::fmt::format;
use eximious::world::Fixture;
use eximious::{Macros, World};
use fastrand::Rng;

/// The text of the file `/c/included`, which the generated ones include.
pub const INCLUDED: &str = "spool_wanted =yes\n";

/// Lines that a configuration may have in any order.
const LINES: &[&str] = &[
    "qualify_domain=a.example",
    "queue_only",
    "no_message_logs",
    "hide  mysql_servers = a/b/c/d",
    "smtp_banner = \"a   b\"",
    "smtp_banner = a  b   c",
    "primary_hostname = HOST",
    "message_size_limit =SIZE",
    "log_selector = +all -dnslist_defer  -FOO",
    "domainlist  local_domains=@ : LOCAL",
    "hide domainlist_cache  more = a: b",
    "hostlist Nets = 10.0.0.0/8",
    "system_filter = = x",
    "spool_directory == /x",
    "unknown_option = 1",
    "trusted_users MAYBE",
    "timezone = \\",
    "helo_allow_chars = a\\",
    "acl_smtp_rcpt = ${if eq{a}{b}{c}{${if >{1}{2}{d}{e}}}}",
    "HOST=mx.example",
    "HOST == mx2.example",
    "SIZE=10M",
    "LOCAL = a.example : b.example",
    "MAYBE == x",
    "EQUALS = = x",
    "SET=EQUALS",
    "COMMENT = #",
    "COMMENT",
    "COMMENT qualify_domain=b.example",
    "LINE = queue_only = no",
    "LINE",
    "QUOTE = \"a",
    "LONG = a \\",
    "Broken macro",
    "begin acl",
    "begin  routers",
    "begin transports",
    "begin\tretry",
    "begin retry",
    "begin  rewrite",
    "begin authenticators",
    "begin SECTION",
    "begin nowhere",
    "check_rcpt :",
    "one:",
    "two  :",
    "three: four",
    "LABEL:",
    "driver=accept",
    "driver =appendfile",
    "file=/x/$local_part",
    "transport = one",
    "no_more",
    "local_parts = ^a{2}",
    "condition = ${if eq{$local_part}{\\}}{yes}}",
    "headers_add = A: b\\nC: d",
    "accept",
    "accept   hosts = :",
    "deny!hosts = x",
    "deny message=no   thanks",
    "warn  set  acl_m_x= $acl_m_x y",
    "require\tverify  = sender/callout",
    "!  hosts=+local",
    "hosts = 10.0.0.0/8 : \\",
    "set acl_m_FOO=1",
    "set acl_m_y == 3",
    "endpass",
    "control   = freeze",
    "nonsense  =  x",
    "accept nonsense =   y",
    "*@a.example    $1@b.example",
    "\"*@c d\"  \"x y\"   Ehq",
    "*@QUOTE   x\"@b.example  E",
    "root=x    y@b.example",
    "*   *    F,2h,15m; G,16h,1h,1.5",
    "a.example refused_A   F,1h,10m",
    "a=b  quota  senders=\"a : b\"   F,1h,10m",
    "*    QUOTE  b\" F,1h,1m",
    "# a comment",
    "#begin routers",
    "# a comment \\",
    ".include  /c/included",
    ".include_if_exists /c/missing",
    ".ifdef LOCAL",
    ".ifndef HOST",
    ".ifdef  NEVER",
    ".elifdef  HOST",
    ".else   # why",
    ".endif",
    ".endif",
    ".endif",
    ".COMMENT x",
    "\\",
    "  b \\",
    "}} {c}",
    "\u{e4}\u{f6} = x",
    "",
    "",
    "",
];

/// A configuration of lines that hardly fit together, from a seed.
pub fn ugly(rng: &mut Rng) -> Vec<u8> {
    let mut text = Vec::new();
    for _ in 0..rng.usize(1..60) {
        let mut line = rng.choice(LINES).copied().unwrap_or("");
        // Faults are found one after the other: most lines belong where they are.
        if rng.u8(..) < 100 {
            line = rng.choice(&LINES[..30]).copied().unwrap_or("");
        }
        uglify(line.as_bytes(), rng, &mut text);
    }
    text
}

/// Adds a line with other white space around it and in it, and broken into
/// several.
pub fn uglify(line: &[u8], rng: &mut Rng, out: &mut Vec<u8>) {
    const BLANK: &[&[u8]] = &[b"", b"", b"", b" ", b"  ", b"\t", b"      ", b"\x0b", b"\r"];
    let mut blank = |out: &mut Vec<u8>| {
        let index = rng.usize(..BLANK.len());
        out.extend_from_slice(BLANK[index]);
        rng.u8(..)
    };
    blank(out);
    // A comment does not go on, and Exim skips a directive with much behind it.
    if matches!(line.first(), Some(b'#' | b'.')) {
        out.extend_from_slice(line);
        out.push(b'\n');
        return;
    }
    for (index, c) in line.iter().enumerate() {
        let chance = blank(&mut Vec::new());
        match c {
            b'=' if chance < 100 => {
                blank(out);
                out.push(*c);
                if line.get(index + 1) != Some(&b'=') {
                    blank(out);
                }
            }
            b' ' if chance < 20 => {
                out.extend_from_slice(b"  \\\n");
                blank(out);
                if chance < 4 {
                    out.extend_from_slice(b"# between\n");
                    blank(out);
                }
            }
            _ => out.push(*c),
        }
    }
    blank(out);
    if blank(&mut Vec::new()) < 2 {
        out.extend_from_slice(b"\0 behind  ");
    }
    out.push(b'\n');
}

/// The layout of a text.
///
/// # Panics
/// A second time changes something, or the meaning changes: shows the shortest
/// part of the text with which that is so.
pub fn check(text: &[u8]) -> Vec<u8> {
    let Some(mut why) = wrong(text) else { return format(text) };
    let mut lines: Vec<&[u8]> = text.split_inclusive(|c| *c == b'\n').collect();
    let mut at = 0;
    while at < lines.len() {
        let line = lines.remove(at);
        match wrong(&lines.concat()) {
            Some(other) => why = other,
            None => {
                lines.insert(at, line);
                at += 1;
            }
        }
    }
    let (text, shown) = (lines.concat(), format(&lines.concat()));
    panic!("{}\n---\n{}\n{why}", text.escape_ascii(), shown.escape_ascii());
}

fn wrong(text: &[u8]) -> Option<String> {
    let once = format(text);
    let twice = format(&once);
    if twice != once {
        return Some(format!("--- a second time\n{}", twice.escape_ascii()));
    }
    let (before, after) = (meaning(text), meaning(&once));
    let differ = before.lines().zip(after.lines()).find(|(a, b)| a != b);
    let differ = differ.map(|(a, b)| format!("--- before\n{a}\n--- after\n{b}"));
    differ.or_else(|| (before != after).then(|| "something is missing".into()))
}

/// All that a configuration says, without the places.
pub fn meaning(text: &[u8]) -> String {
    let world = World {
        users: eximious_world::system().users,
        ..Fixture::new().file("/c/conf", text).file("/c/included", INCLUDED).world()
    };
    let registry = eximious::registry();
    let mut config = match Config::read_all(b"/c/conf", Macros::new(), &world, &registry) {
        Ok(config) => config,
        Err(why) => return why.to_string(),
    };
    config.settings.config_lines = 0;
    let mut out = String::new();
    let mut add = |what: &dyn std::fmt::Debug| {
        let _ = writeln!(out, "{what:?}");
    };
    add(&config.settings);
    add(&config.hidden);
    for (name, value) in config.macros.iter() {
        add(&(name.escape_ascii().to_string(), value.escape_ascii().to_string()));
    }
    config.acls.iter().for_each(|one| add(&acl(one)));
    for instances in [&config.routers, &config.transports, &config.authenticators] {
        instances.iter().for_each(|one| add(&instance(one)));
    }
    config.rewrite.iter().for_each(|(rule, _)| add(rule));
    config.retry.iter().for_each(|(rule, _)| add(rule));
    // Exim stops at the first. What others quote may be laid out as it would be
    // in another section.
    for (index, fault) in config.faults.iter().enumerate() {
        let blank = |c: &u8| index > 0 && (c.is_ascii_whitespace() || *c == 0x0b);
        let message: Vec<u8> = fault.message().iter().copied().filter(|c| !blank(c)).collect();
        add(&message.escape_ascii().to_string());
    }
    config.warnings.iter().for_each(|w| add(&w.escape_ascii().to_string()));
    out
}

fn acl(acl: &Acl) -> String {
    let mut out = format!("acl {:?}", acl.name);
    for statement in &acl.statements {
        let _ = write!(out, "\n  {}", statement.verb.name());
        for term in &statement.terms {
            let (name, text) = (term.term.meta.name, &term.text);
            let _ = write!(out, " [{} {name} {:?} {text:?}]", term.negated, term.variable);
        }
    }
    out
}

fn instance(one: &Instance) -> String {
    let driver = one.driver.as_ref().map(|driver| driver.meta.name);
    let (name, options, hidden) = (&one.name, &one.options, &one.hidden);
    format!("{:?} {name:?} {driver:?} {} {options:?} {hidden:?}", one.kind, one.misnamed)
}
