use eximious_core::world::Fixture;

use super::*;
use crate::Macros;

const ROOT: &str = "HOST = a.example\nMORE = +relays : 192.0.2.1\n\
    hostlist relays = 192.0.2.2 : HOST\nhost_lookup = MORE\nacl_smtp_rcpt = check_rcpt\n\
    .ifdef OTHER\nacl_smtp_mail = check_rcpt\n.else\n\
    acl_smtp_data = ${if bool{yes}{check_rcpt}}\n.endif\naddresslist few = a@b.example\n\
    .include /part\nbegin transports\nsmtp:\n  driver = smtp\nbegin retry\n\
    * * senders=+few F,1h,5m\n";
const PART: &str = "begin acl\ncheck_rcpt:\n  warn set acl_m_n = 1\n  deny !hosts = +relays\n    \
    condition = ${if >{$acl_m_n}{3}}\nbegin routers\nr1:\n  driver = accept\n  \
    transport = ${if eq{a}{b}{smtp}{other}}\n  pass_router = r1\n";

/// The places of a name: `file:line:column`, with a star where it is defined.
fn places(kind: SymbolKind, name: &str) -> Vec<String> {
    let world =
        Fixture::new().file("/root", ROOT.as_bytes()).file("/part", PART.as_bytes()).world();
    let registry = crate::registry();
    let all = read_everywhere(b"/root", &Macros::new, &world, &registry).unwrap();
    let own = all.iter().filter(|one| one.kind == kind && one.name == name.as_bytes());
    let shown = own.map(|one| {
        let file = String::from_utf8_lossy(&one.place.file).into_owned();
        let sign = if one.defines { "*" } else { "" };
        format!("{sign}{file}:{}:{}", one.place.line, one.place.column)
    });
    let mut shown: Vec<String> = shown.collect();
    shown.sort();
    shown
}

#[test]
fn names_are_found_where_they_stand() {
    use SymbolKind::*;
    assert_eq!(places(Macro, "HOST"), ["*/root:1:0", "/root:3:30"]);
    assert_eq!(places(Acl, "check_rcpt"), ["*/part:2:0", "/root:5:16", "/root:7:16", "/root:9:31"]);
    // One of them stands in the text of a macro.
    let relays = places(List(ListKind::Host), "relays");
    assert_eq!(relays, ["*/root:3:9", "/part:4:17", "/root:2:8"]);
    assert_eq!(places(Instance(DriverKind::Transport), "smtp"), ["*/root:14:0", "/part:9:28"]);
    let few = places(List(ListKind::Address), "few");
    assert_eq!(few, ["*/root:11:12", "/root:17:13"]);
    assert_eq!(places(Instance(DriverKind::Router), "r1"), ["*/part:7:0", "/part:10:16"]);
    assert_eq!(places(Variable, "acl_m_n"), ["*/part:3:11", "/part:5:24"]);
}
