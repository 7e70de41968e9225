//! ACLs for all phases: every verb, conditions, modifiers and controls in any order,
//! right and wrong; named, inline and in files, and called from texts.

use fastrand::Rng;

use super::texts::text;
use super::{Form, Quarry};
use crate::dice::Dice;

/// The options of phases that a session comes to.
const PHASES: [&str; 14] = [
    "connect",
    "helo",
    "mail",
    "rcpt",
    "predata",
    "data",
    "data_prdr",
    "dkim",
    "mime",
    "vrfy",
    "expn",
    "etrn",
    "quit",
    "notquit",
];

const VERBS: &[&str] =
    &["accept", "accept", "deny", "defer", "discard", "drop", "require", "warn", "warn", "warn"];

const HEAD: &str = "primary_hostname = me.test
spool_directory = DIR/spool
log_file_path = DIR/log/%slog
keep_environment =
tls_advertise_hosts =
qualify_domain = me.test
prdr_enable
domainlist local_domains = me.test
hostlist known_hosts = 192.0.2.1 : 192.0.2.64
addresslist friends = ann@me.test : *@a.test";

const TAIL: &str = "begin routers
fail:
  driver = redirect
  local_parts = failing
  data = :fail: no such user
  allow_fail
local:
  driver = accept
  domains = +local_domains
  local_parts = ann : bob : postmaster
  address_data = data of $local_part
  transport = null
begin transports
null:
  driver = appendfile
  file = /dev/null
+++ table
ann: one
bob: two words
yes: yes
a: ${acl{a9}}";

/// A configuration, and a session or two.
pub fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Dialogue);
    quarry.fixed("+++ exim.conf").fixed(HEAD);
    // An ACL calls those that come later: none is without an end.
    let names: Vec<String> = (0..rng.usize(3..7)).map(|n| format!("a{n}")).collect();
    let mut files = Vec::new();
    for phase in PHASES {
        if rng.chance(4) {
            continue;
        }
        let name = names[rng.usize(..names.len())].clone();
        let value = match rng.u32(..12) {
            0 => statement(rng, &names, "").join(" "),
            1 => {
                files.push(phase);
                format!("DIR/{phase}.acl")
            }
            2 => format!("${{if eq{{$sender_helo_name}}{{x}}{{{name}}}{{a0}}}}"),
            3 => text(rng, 2, &names),
            _ => name,
        };
        quarry.loose(format!("acl_smtp_{phase} = {value}"));
    }
    quarry.fixed("begin acl");
    for (index, name) in names.iter().enumerate() {
        quarry.fixed(format!("{name}:"));
        statements(rng, &mut quarry, &names[index + 1..]);
    }
    quarry.fixed(TAIL);
    for phase in files {
        quarry.fixed(format!("+++ {phase}.acl"));
        statements(rng, &mut quarry, &names);
    }
    session(rng, &mut quarry);
    quarry
}

fn statements(rng: &mut Rng, quarry: &mut Quarry, calls: &[String]) {
    for _ in 0..rng.usize(0..5) {
        quarry.loose(statement(rng, calls, "  ").join("\n"));
    }
    if !rng.chance(5) {
        quarry.loose("  accept");
    }
}

/// A verb with its conditions and modifiers, in lines.
fn statement(rng: &mut Rng, calls: &[String], indent: &str) -> Vec<String> {
    let mut lines = vec![format!("{indent}{}", rng.pick(VERBS))];
    for _ in 0..rng.usize(0..5) {
        let term = term(rng, calls);
        match rng.chance(4) && lines.len() == 1 {
            true => lines[0] = format!("{} {term}", lines[0]),
            false => lines.push(format!("{indent}    {term}")),
        }
    }
    lines
}

fn term(rng: &mut Rng, calls: &[String]) -> String {
    let not = if rng.chance(5) { "!" } else { "" };
    match rng.u32(..13) {
        0..=4 => format!("{not}{}", condition(rng, calls)),
        5 => format!("message = {}", text(rng, 2, calls)),
        6 => format!("log_message = {}", text(rng, 2, calls)),
        7 => format!("logwrite = {}", text(rng, 2, calls)),
        8 | 9 => {
            let name = rng.pick(&["acl_m_a", "acl_m_b", "acl_c_a", "acl_m0"]);
            format!("set {name} = {}", text(rng, 2, calls))
        }
        10 => format!("control = {}", control(rng)),
        11 => other(rng, calls),
        _ => "endpass".to_owned(),
    }
}

fn condition(rng: &mut Rng, calls: &[String]) -> String {
    match rng.u32(..18) {
        0..=2 => format!("condition = {}", text(rng, 2, calls)),
        3 | 4 if !calls.is_empty() => {
            let name = &calls[rng.usize(..calls.len())];
            let arguments = rng.some(0, 2, "", |rng| format!(" {}", rng.pick(&["x", "$domain"])));
            format!("acl = {name}{arguments}")
        }
        5 => format!("acl = {} condition = no", rng.pick(VERBS)),
        6 => {
            let list =
                ["192.0.2.1", "!192.0.2.1 : *", "+known_hosts", "@", "", "*.test", "+nosuch"];
            format!("hosts = {}", rng.pick(&list))
        }
        7 => {
            let list = ["+local_domains", "me.test : a.test", "! me.test", "@", "", "^me\\."];
            format!("{} = {}", rng.pick(&["domains", "sender_domains"]), rng.pick(&list))
        }
        8 => {
            let list = ["ann : bob", "!ann", "", "*", "lsearch;DIR/table", "^a.*"];
            format!("local_parts = {}", rng.pick(&list))
        }
        9 => {
            let list = ["+friends", ":", "*@me.test", "ann@me.test : bob@a.test", "!ann@*", ""];
            format!("{} = {}", rng.pick(&["senders", "recipients"]), rng.pick(&list))
        }
        10 => format!("authenticated = {}", rng.pick(&["*", "plain", ""])),
        11 => format!("encrypted = {}", rng.pick(&["*", ""])),
        12 => {
            let list = [
                "list.test",
                "list.test=127.0.0.2",
                "list.test!=127.0.0.2 : white.test",
                "list.test/$sender_helo_name",
                "list.test,texts.test",
                "nosuch.test",
            ];
            format!("dnslists = {}", rng.pick(&list))
        }
        13 | 14 => content(rng).to_owned(),
        _ => format!("verify = {}", verify(rng)),
    }
}

/// What looks into a message, or asks who signed it. No scanner is there.
fn content(rng: &mut Rng) -> &'static str {
    rng.pick(&[
        "spf = pass : neutral",
        "spf = fail : softfail : none",
        "spf = !pass",
        "spf = nosuch",
        "spf_guess = pass : none",
        "dkim_status = none",
        "dkim_status = fail : invalid : pass",
        "dkim_signers = a.test : me.test",
        "malware = *",
        "malware = */defer_ok",
        "malware = false",
        "spam = nobody",
        "spam = nobody:true/defer_ok",
        "spam = 0",
        "regex = ^body",
        "regex = (?i)SUBJECT : x$",
        "regex = (",
        "mime_regex = ^part",
        "mime_regex = x : body",
        "decode = default",
        "decode = $mime_filename",
        "decode = /dev/null/x",
        "condition = ${if eq{$mime_content_type}{text/plain}}",
        "condition = ${if def:regex_match_string}",
        "condition = ${if eq{$dkim_verify_status}{none}}",
        "condition = $mime_is_multipart",
    ])
}

fn verify(rng: &mut Rng) -> String {
    let what = [
        "sender",
        "recipient",
        "sender=ann@me.test",
        "sender=nobody@me.test",
        "header_syntax",
        "header_sender",
        "not_blind",
        "header_names_ascii",
        "helo",
        "reverse_host_lookup",
        "certificate",
        "csa",
        "sender/no_details",
        "recipient/defer_ok",
        "nosuch",
        "sender=",
    ];
    rng.pick(&what).to_owned()
}

fn control(rng: &mut Rng) -> String {
    let what = [
        "caseful_local_part",
        "caselower_local_part",
        "fakereject/not this",
        "fakedefer",
        "freeze",
        "queue_only",
        "queue",
        "submission",
        "submission/sender_retain",
        "no_mbox_unspool",
        "no_multiline_responses",
        "no_enforce_sync",
        "enforce_sync",
        "suppress_local_fixups",
        "dscp/46",
        "no_pipelining",
        "no_delay_flush",
        "utf8_downconvert",
        "allow_auth_unadvertised",
        "nosuch",
        "freeze/no_tell",
        "submission/domain=x.test/name=A B",
        "no_callout_flush",
        "fakereject",
        "dkim_disable_verify",
        "debug/kill",
    ];
    rng.pick(&what).to_owned()
}

fn other(rng: &mut Rng, calls: &[String]) -> String {
    match rng.u32(..8) {
        0 | 1 => format!("add_header = {}: {}", rng.pick(&["X-A", "Subject", ":at_start:X-B"]), {
            text(rng, 1, calls)
        }),
        2 => format!("remove_header = {}", rng.pick(&["subject", "x-a : x-b", "$acl_m_a"])),
        3 => format!("delay = {}", rng.pick(&["1s", "0s", "$acl_m_a", "x"])),
        4 => format!(
            "log_reject_target = {}",
            rng.pick(&["main", "reject : main", "", "panic", "x"])
        ),
        5 => format!("queue = {}", rng.pick(&["q", "$local_part", "a/b", ""])),
        6 => "continue = $acl_m_a".to_owned(),
        _ => rng.pick(&["nosuch = a", "message", "hosts", "set x = y", "control"]).to_owned(),
    }
}

/// A message in parts, and one with a signature of which no key can be found.
const PARTS: &str = "From: ann@me.test\\r\\nMIME-Version: 1.0\\r\\nContent-Type: multipart/mixed; \
    boundary=\"b\"\\r\\n\\r\\nhead\\r\\n--b\\r\\nContent-Type: text/plain; name=a.txt\\r\\n\\r\\n\
    part one\\r\\n--b\\r\\nContent-Disposition: attachment; filename=\"x.bin\"\\r\\n\
    Content-Transfer-Encoding: base64\\r\\n\\r\\ncGFydCB4Cg==\\r\\n--b--\\r\\n.\\r\\n";
const SIGNED: &str = "DKIM-Signature: v=1; a=rsa-sha256; d=a.test; s=k; h=from; \
    bh=g3zLYH4xKxcPrHOD18z9YfpQcnk/GaJedfustWU5uGs=; b=AAAA\\r\\nFrom: ann@me.test\\r\\n\\r\\n\
    body\\r\\n.\\r\\n";

/// A session that comes to most ACLs.
fn session(rng: &mut Rng, quarry: &mut Quarry) {
    let client = rng.pick(&["192.0.2.1", "192.0.2.2", "192.0.2.9", "2001:db8::1"]);
    quarry.fixed(format!("? hunt -bh {client}"));
    quarry.loose(format!("> {}", rng.pick(&["EHLO client.test", "HELO x", "EHLO [192.0.2.1]"])));
    for _ in 0..rng.usize(1..3) {
        for _ in 0..rng.usize(0..2) {
            let command =
                ["VRFY ann", "EXPN bob", "ETRN #x", "VRFY nobody@me.test", "NOOP", "RSET"];
            quarry.loose(format!("> {}", rng.pick(&command)));
        }
        let sender = rng.pick(&["ann@me.test", "", "x@a.test", "nobody@me.test", "s@nosuch.test"]);
        let parameters = rng.pick(&["", "", " SIZE=100", " PRDR", " BODY=8BITMIME"]);
        quarry.loose(format!("> MAIL FROM:<{sender}>{parameters}"));
        for _ in 0..rng.usize(1..4) {
            let all = [
                "ann@me.test",
                "bob@me.test",
                "nobody@me.test",
                "x@a.test",
                "failing@me.test",
                "postmaster",
                "Ann@ME.test",
            ];
            quarry.loose(format!("> RCPT TO:<{}>", rng.pick(&all)));
        }
        quarry.loose("> DATA");
        let message = [
            "From: ann@me.test\\r\\nSubject: x\\r\\n\\r\\nbody\\r\\n.\\r\\n",
            "From: nobody@me.test\\r\\nTo: (((\\r\\n\\r\\n.\\r\\n",
            "\\r\\n.\\r\\n",
            "Sender: x@a.test\\r\\nX-A: y\\r\\n\\r\\nbody\\r\\n.\\r\\n",
            PARTS,
            SIGNED,
        ];
        quarry.loose(format!(">\\ {}", rng.pick(&message)));
    }
    if !rng.chance(4) {
        quarry.loose("> QUIT");
    }
}
