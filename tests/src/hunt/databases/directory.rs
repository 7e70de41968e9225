//! Directories: one with entries, and two servers that answer what they are told to.

use fastrand::Rng;

use super::super::lookups;
use crate::dice::Dice;

const BASES: &[&str] = &[
    "uid=fred,ou=people,o=base",
    "uid=fred,ou=people,o=base",
    "uid=barney,ou=people,o=base",
    "ou=people,o=base",
    "ou=people,o=base",
    "ou=many,o=base",
    "ou=hidden,o=base",
    "ou=nosuch,o=base",
    "ou=refloop,o=base",
    "cn=alias,o=base",
    "o=base",
    "",
    "o=other",
    "not a name",
    "uid=wilma%20%5C%2B%20co%5C%2C%20ltd,ou=people,o=base",
];

const ATTRIBUTES: &[&str] = &[
    "cn",
    "cn",
    "mail",
    "mail",
    "uid,mail",
    "mail,attr1,attr2",
    "description",
    "octets",
    "userPassword",
    "objectClass",
    "nosuch",
    "*",
    "+",
    "1.1",
    "",
    "MAIL",
    "attr",
    "cn,cn",
    "cn,nosuch",
    "cn;lang-en",
    "dn",
    "entryDN",
    "a%62",
    ",cn",
    "sn, cn",
];

const FILTERS: &[&str] = &[
    "(uid=fred)",
    "(uid=fred)",
    "(uid=*)",
    "uid=fred",
    "(|(uid=fred)(uid=barney))",
    "(&(sn=Flint)(!(uid=fred)))",
    "(mail=ff%2Cx@base.example)",
    "(description=\\\\28par\\\\2aen\\\\29*)",
    "(uid=m1*)",
    "(uid=m1)",
    "(uid=nosuch)",
    "",
    "()",
    "(uid",
    "uid",
    "(uid=fred))",
    "(nosuch=1)",
    "(cn~=Fred)",
    "(uid>=x)",
    "(objectClass=*)",
    "(uid=${quote_ldap:fr*d})",
    "(cn=${quote_ldap:Fred, the First})",
    "(uid=${quote_ldap:wilma + co, ltd})",
    "(&)",
    "(uid:caseIgnoreMatch:=FRED)",
];

/// Servers of an option.
pub fn servers(rng: &mut Rng) -> &'static str {
    rng.pick(&[
        "127.0.0.1::LDAPPORT",
        "127.0.0.1::LDAPPORT",
        "127.0.0.1::LDAPPORT",
        "127.0.0.1::NOPORT : 127.0.0.1::LDAPPORT",
        "<; 127.0.0.1:NOPORT ; LDAPDIR/ldapi",
        "LDAPDIR/nosuch : 127.0.0.1::LDAPPORT",
        "",
        "127.0.0.1::LDAPPORT/x : 127.0.0.1::x",
    ])
}

fn kind(rng: &mut Rng) -> &'static str {
    rng.pick(&["ldap", "ldap", "ldap", "ldapm", "ldapm", "ldapdn"])
}

/// Whom to ask.
fn host(rng: &mut Rng) -> &'static str {
    rng.pick(&[
        "ldap://127.0.0.1:LDAPPORT",
        "ldap://127.0.0.1:LDAPPORT",
        "ldap://127.0.0.1:LDAPPORT",
        "ldap://127.0.0.1:LDAPPORT",
        "ldap://",
        "ldap://",
        "ldapi://LDAPSOCKET",
        "LDAP://127.0.0.1:LDAPPORT",
        "ldap://localhost:LDAPPORT",
        "ldap://127.0.0.1:NOPORT",
        "ldapi://LDAPDIR%2Fnosuch",
        "ldapi://",
        "ldapc://127.0.0.1:LDAPPORT",
        "http://127.0.0.1:LDAPPORT",
        "ldap:",
        "URL:ldap://127.0.0.1:LDAPPORT",
    ])
}

/// What stands before a URL.
fn settings(rng: &mut Rng) -> String {
    if rng.bool() {
        return String::new();
    }
    let all = [
        "user=cn=manager,o=base pass=secret",
        "user=\\\"cn=manager,o=base\\\" pass=\\\"secret\\\"",
        "USER=cn=manager,o=base PASS=secret",
        "user=uid=fred,ou=people,o=base pass=frodo",
        "user=\\\"uid=barney,ou=people,o=base\\\" pass=\\\"rubble pass\\\"",
        "user=uid%3Dfred,ou%3Dpeople,o%3Dbase pass=frodo",
        "user=${quote_ldap_dn:cn=manager,o=base} pass=${quote:secret}",
        "size=1",
        "size=2",
        "SIZE=no",
        "size=0",
        "time=2",
        "TIME=0",
        "time=x",
        "connect=2",
        "nettime=2",
        "dereference=always",
        "dereference=searching",
        "DEREFERENCE=NEVER",
        "dereference=finding",
        "dereference=x",
        "referrals=follow",
        "referrals=nofollow",
        "REFERRALS=x",
        "servers=127.0.0.1::LDAPPORT",
        "servers=127.0.0.1::NOPORT:127.0.0.1::LDAPPORT",
        "SERVERS=127.0.0.1::LDAPPORT",
        "servers=\\\"127.0.0.1::LDAPPORT\\\"",
        "servers=",
        "pass=",
        "user=",
        "netapi=1",
        "x=1",
        "size =1",
        "size= 1",
        "=",
        "size",
    ];
    let text = rng.some(1, 3, " ", |rng| rng.pick(&all).to_owned());
    format!("{text}{}", rng.pick(&[" ", " ", "  ", ""]))
}

/// A URL of the directory.
fn url(rng: &mut Rng, filter: &str) -> String {
    let (host, base) = (host(rng), rng.pick(BASES));
    let attributes = rng.pick(ATTRIBUTES);
    let scope =
        rng.pick(&["sub", "sub", "sub", "one", "base", "", "SUB", "subtree", "x", "children"]);
    let slash = if rng.chance(20) { "" } else { "/" };
    let whole = match rng.u32(..12) {
        0 => format!("{host}{slash}{base}"),
        1 => format!("{host}{slash}{base}?{attributes}"),
        2 => format!("{host}{slash}{base}?{attributes}?{scope}"),
        3 => format!("{host}{slash}{base}???{filter}"),
        4 => {
            let more =
                rng.pick(&["", "x", "!x", "bindname=cn=a", "!bindname=cn=a", "x?y", "x=%2C"]);
            format!("{host}{slash}{base}?{attributes}?{scope}?{filter}?{more}")
        }
        _ => format!("{host}{slash}{base}?{attributes}?{scope}?{filter}"),
    };
    match rng.chance(12) {
        true => format!("{whole}{}", rng.pick(&[" ", " x", "%", "%zz", "#a", "\\n"])),
        false => whole,
    }
}

/// A value of an entry that a server gives.
fn value(rng: &mut Rng) -> &'static str {
    rng.pick(&[
        "1",
        "one",
        "two words",
        "",
        "a,b",
        ",",
        "a=b",
        "a\"b",
        "a^5Cb",
        "^0A",
        "x^0Ay",
        "a^00b",
        "é",
        "^FF",
        " lead",
        "trail ",
        "^22q^22",
        "'",
        "a:b",
        "^09",
        "x^0D^0Ay",
    ])
}

/// What a server that is told so answers: its port and the words.
fn told(rng: &mut Rng) -> String {
    let entries = rng.some(0, 3, "", |rng| {
        let name = rng.pick(&["cn=a", "cn=a,o=b", "", "cn=a b", "cn=\\\\,", "cn=\"a\""]);
        let all = ["a", "b", "c", "A", "a b", ""];
        let first = rng.usize(..all.len());
        let attributes: Vec<String> = (0..rng.usize(..4))
            .map(|number| match (all[(first + number) % all.len()], rng.chance(8)) {
                (attribute, true) => format!("~{attribute}"),
                (attribute, false) => {
                    format!("~{attribute}={}", rng.some(1, 3, "|", |rng| value(rng).into()))
                }
            })
            .collect();
        let attributes = attributes.concat();
        let other = match rng.chance(12) {
            true => rng.pick(&["i;", "s~0.2;", "r~ldap:///x;", "r~x;"]),
            false => "",
        };
        format!("{other}e~{name}{attributes};")
    });
    let end = match rng.u32(..10) {
        0 => {
            let code =
                rng.pick(&["1", "3", "4", "10", "11", "32", "34", "50", "51", "52", "53", "80"]);
            let matched = rng.pick(&["", "o=b", "x"]);
            format!("d~{code}~{matched}~{}", rng.pick(&["", "no", "no no^0A", "é"]))
        }
        _ => "d~0".to_owned(),
    };
    let attributes = rng.pick(&["a", "a", "a,b", "", "b", "a,b,c", "*", "A", "a b"]);
    let whole = format!("{entries}{end}");
    let whole = whole.replace('%', "%25").replace('?', "%3F");
    format!("ldap://127.0.0.1:APORT/{}?{attributes}", lookups::escaped(&whole))
}

fn tail(rng: &mut Rng) -> String {
    match rng.u32(..5) {
        0 => lookups::tail(rng, 0),
        1 => "{${extract{mail}{$value}}|$value}{no}".to_owned(),
        2 => "{<${sg{$value}{\\n}{#}}|$ldap_dn>}{no <$ldap_dn>}".to_owned(),
        3 => "{${listextract{1}{<, $value}}|${map{<,, $value}{<$item>}}}{no}".to_owned(),
        _ => "{<$value>}{no}".to_owned(),
    }
}

/// A lookup, in an expansion.
pub fn lookup(rng: &mut Rng) -> String {
    let (kind, settings) = (kind(rng), settings(rng));
    let filter = rng.pick(FILTERS);
    let url = if rng.chance(3) { told(rng) } else { url(rng, filter) };
    let tail = tail(rng);
    match rng.u32(..24) {
        0 => format!("${{lookup {kind},cache=no_rd{{{settings}{url}}}{tail}}}"),
        1 => format!("${{lookup {kind},servers=127.0.0.1::LDAPPORT{{{settings}{url}}}{tail}}}"),
        2 => {
            let kinds = rng.pick(&["ldap*", "partial-ldap", "ldapx", "LDAP", "ldap,ret=key"]);
            format!("${{lookup {kinds}{{{settings}{url}}}{tail}}}")
        }
        3 => format!("${{lookup {kind} {{ {settings} {url} }}{tail}}}"),
        4 => format!("${{lookup {kind}{{{url} {settings}}}{tail}}}"),
        _ => format!("${{lookup {kind}{{{settings}{url}}}{tail}}}"),
    }
}

/// A condition that asks whether somebody is let in.
pub fn authenticated(rng: &mut Rng) -> String {
    let user = rng.pick(&[
        "user=\\\"uid=fred,ou=people,o=base\\\"",
        "user=uid=fred,ou=people,o=base",
        "user=\\\"uid=barney,ou=people,o=base\\\"",
        "user=uid=nosuch,o=base",
        "user=\\\"\\\"",
        "user=",
        "",
        "user=${quote_ldap_dn:uid=fred,ou=people,o=base}",
        "user=not a name",
    ]);
    let pass = rng.pick(&[
        "pass=frodo",
        "pass=\\\"frodo\\\"",
        "pass=\\\"rubble pass\\\"",
        "pass=rubble pass",
        "pass=${quote:rubble pass}",
        "pass=wrong",
        "pass=\\\"\\\"",
        "pass=",
        "",
    ]);
    let url = rng.pick(&[
        "ldap://127.0.0.1:LDAPPORT/",
        "ldap://127.0.0.1:LDAPPORT/",
        "ldap://127.0.0.1:LDAPPORT",
        "ldap:///",
        "ldapi://LDAPSOCKET/",
        "ldap://127.0.0.1:NOPORT/",
        "ldap://127.0.0.1:LDAPPORT/ou=people,o=base?cn?sub?(uid=fred)",
        "",
        "x",
    ]);
    let rest = rng.pick(&["{yes}{no}", "", "{yes}", "{yes}{no}"]);
    format!("${{if ldapauth{{{user} {pass} {url}}}{rest}}}")
}

/// A query of a list: its type and the query.
pub fn listed(rng: &mut Rng, subject: &str) -> (&'static str, String) {
    let attribute = rng.pick(&["mail", "cn", "uid,mail", "nosuch"]);
    let filter = match rng.chance(3) {
        true => rng.pick(&["(uid=fred)", "(uid=*)", "(uid"]).to_owned(),
        false => format!("(|(uid=${{quote_ldap:{subject}}})(uid=fred))"),
    };
    let url = format!("ldap://127.0.0.1:LDAPPORT/ou=people,o=base?{attribute}?sub?{filter}");
    (kind(rng), url)
}

/// What is found for a part of an address.
pub fn of(rng: &mut Rng, variable: &str) -> String {
    let kind = kind(rng);
    let attribute = rng.pick(&["mail", "mail", "cn", "uid,mail", "description"]);
    let base = match rng.chance(5) {
        true => format!("uid=${{quote_ldap_dn:{variable}}},ou=people,o=base"),
        false => "ou=people,o=base".to_owned(),
    };
    let filter = rng.pick(&["(uid=KEY)", "(uid=KEY)", "(|(uid=KEY)(sn=Flint))", "(uid=KEY"]);
    let filter = filter.replace("KEY", &format!("${{quote_ldap:{variable}}}"));
    let tail = rng.pick(&["", "{$value}fail", "{$value}{}", "{$value}"]);
    format!("${{lookup {kind}{{ldap:///{base}?{attribute}?sub?{filter}}}{tail}}}")
}
