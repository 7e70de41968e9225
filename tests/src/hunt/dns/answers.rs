//! Expansions (`-be`) that ask the DNS.

use fastrand::Rng;

use super::super::{Form, Quarry, lookups};
use crate::dice::Dice;

/// Types, and names that have such records.
const TYPES: [(&str, &[&str]); 18] = [
    ("a", &["plain.test", "c1.test", "several.test", "zero.test", "manya.example", "ad.odd"]),
    ("aaaa", &["six.test", "dual.test", "mapped.test", "both.example", "c1.test"]),
    ("a+", &["dual.test", "several.test", "plain.test", "six.test", "noaaaa.odd", "c1.test"]),
    ("mx", &["two.test", "back.test", "null.test", "mxpast.test", "cmx.test", "sp.example"]),
    ("mxh", &["two.test", "back.test", "nulltwo.test", "alias2.test", "tocase.test"]),
    ("txt", &["many.test", "long.test", "quoted.test", "bytes.test", "v.test", "spaced.test"]),
    ("txt", &["multi.example", "special.example", "emptymulti.example", "high.example"]),
    ("spf", &["realspf.example", "v.test", "many.test", "pass.spf.test", "twice.spf.test"]),
    ("soa", &["test", "a.b.test", "x.two.test", "c1.test", "a.b.nosuch", "example", "badsoa.odd"]),
    ("srv", &["_smtp._tcp.srvs.test", "_smtp._tcp.srvnull.test", "_smtp._tcp.example", "case.odd"]),
    ("tlsa", &["_25._tcp.mx1.test", "_25._tcp.mx2.test", "_25._tcp.mx2.example"]),
    ("ptr", &["192.0.2.1", "192.0.2.2", "192.0.2.7", "2001:db8::18", "192.0.2.28", "192.0.2.30"]),
    ("ptr", &["1.2.0.192.in-addr.arpa", "ptrlike.example", "192.0.2.17", "192.0.2.15", "::1"]),
    ("ns", &["test", "lame.test", "sub.example", "example", "2.0.192.in-addr.arpa"]),
    ("zns", &["a.b.c.test", "x.lame.test", "a.b.sub.example", "a.b.nosuch", "servfail.odd"]),
    ("cname", &["c1.test", "alias.test", "loop.test", "dangling.test", "www.example", "self.odd"]),
    ("csa", &["csa-ok.test", "csa-no.test", "a.csa-sub.test", "csa-two.test", "x.y.above.odd"]),
    ("csa", &["[192.0.2.1]", "192.0.2.1", "good.example", "multi.example", "a.b.csa-subno.test"]),
];

/// Questions to the DNS.
pub(super) fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Lookup);
    super::head(rng, &mut quarry);
    quarry.fixed("? -be");
    for _ in 0..rng.usize(5..16) {
        let line = match rng.u32(..16) {
            0..=10 => lookup(rng),
            11 | 12 => condition(rng),
            13 => format!("{} $lookup_dnssec_authenticated", lookup(rng)),
            14 => policy(rng),
            _ => nested(rng),
        };
        // What a wildcard has matched that is asked about on the way is left in Exim.
        quarry.loose(format!("> {}", line.replace("|$1|$2", "")));
    }
    quarry
}

fn lookup(rng: &mut Rng) -> String {
    let query = query(rng);
    let tail = lookups::tail(rng, 0);
    match rng.u32(..40) {
        0..=34 => format!("${{lookup dnsdb{{{query}}}{tail}}}"),
        35 => format!("${{lookup{{{query}}}dnsdb{{}}{tail}}}"),
        36 => format!("${{lookup dnsdb,cache=no{{{query}}}{tail}}}"),
        37 => format!("${{lookup dnsdb,ret=full{{{query}}}{tail}}}"),
        38 => format!("${{lookup dnsdb*{{{query}}}{tail}}}"),
        _ => format!("${{lookup partial-dnsdb {{ {query} }}{tail}}}"),
    }
}

/// What is asked of `dnsdb`.
fn query(rng: &mut Rng) -> String {
    let separator = match rng.u32(..3) {
        0 => separator(rng),
        _ => String::new(),
    };
    let modifiers = match rng.u32(..3) {
        0 => rng.some(1, 3, "", modifier),
        _ => String::new(),
    };
    let (kind, own) = TYPES[rng.usize(..TYPES.len())];
    let many = match rng.u32(..4) {
        0 => rng.usize(2..5),
        _ => 1,
    };
    let names: Vec<String> = (0..many)
        .map(|_| match rng.chance(3) {
            true => lookups::escaped(&super::name(rng)),
            false => lookups::escaped(rng.pick(own)),
        })
        .collect();
    let other = ["<;", "<;", "<,", "<|", "< ", "<\\n"][rng.usize(..6)];
    let list = match names.iter().any(|name| name.contains(':')) || many > 1 && rng.chance(3) {
        true if many > 1 || rng.chance(3) => {
            let sign = other.trim_start_matches('<');
            format!("{other} {}", names.join(&format!("{0}{sign}{0}", rng.pick(&["", " "]))))
        }
        _ => names.join(rng.pick(&[":", " : ", ":", "::", ": "])),
    };
    let kind = match rng.u32(..40) {
        0 => kind.to_uppercase(),
        1 => rng.pick(&["any", "hinfo", "a6", "caa", "naptr", "", "a-", "mxx", "addresses"]).into(),
        2 => return format!("{separator}{modifiers}{list}"),
        _ => kind.to_owned(),
    };
    let equals = rng.pick(&["=", "=", "=", "=", "=", " = ", "= ", " =", "=="]);
    format!("{separator}{modifiers}{kind}{equals}{list}")
}

/// What stands between records, and within them.
fn separator(rng: &mut Rng) -> String {
    let between = rng.pick(&[":", ";", ",", "|", " ", "\\n", "=", ">", "a", "/", "\\t", ""]);
    let within =
        rng.pick(&["", "", "", ",", ";", ":", ", ", ",;", ",:", ";;", ",,", "; ", ",+", ",\\n"]);
    let space = rng.pick(&["", " ", " ", " ", "  "]);
    format!("{}>{between}{within}{space}", rng.pick(&["", "", "", " "]))
}

fn modifier(rng: &mut Rng) -> String {
    let word = match rng.u32(..24) {
        0 => rng.pick(&["defer_", "defer_x", "dnssec_", "retry_", "retrans_", "x_y", "retry_x"]),
        1 => rng.pick(&["retry_-1", "retrans_x", "retrans_1", "DEFER_NEVER", "retry_1x", "defer"]),
        2..=4 => rng.pick(&["retry_1", "retry_0", "retrans_1s", "retrans_0s", "retrans_1s500"]),
        _ => rng.pick(&[
            "defer_strict",
            "defer_never",
            "defer_lax",
            "dnssec_strict",
            "dnssec_lax",
            "dnssec_never",
        ]),
    };
    format!("{word}{}", rng.pick(&[",", ",", ",", ",", ", ", " , ", " ,", " ", ",,", ""]))
}

/// A condition that asks.
fn condition(rng: &mut Rng) -> String {
    let list = rng.some(1, 3, " : ", |rng| {
        let item = match rng.u32(..3) {
            0 => format!("dnsdb;{}", query(rng).replace(':', "::")),
            _ => rng
                .pick(&[
                    "@mx_any",
                    "@mx_primary",
                    "@mx_secondary",
                    "@mx_any/ignore=192.0.2.99",
                    "@mx_any/ignore=<;10.0.0.0/8;192.0.2.1",
                    "@mx_primary/ignore=127.0.0.0/8",
                    "@mx_secondary/ignore=",
                    "@mx_any/ignored",
                    "@mx_none",
                    "@",
                    "dnsdb;mx=$domain",
                    "+include_unknown",
                    "+ignore_unknown",
                    "+include_defer",
                    "+ignore_defer",
                    "*.odd",
                ])
                .to_owned(),
        };
        format!("{}{item}", rng.pick(&["", "", "", "!", "! "]))
    });
    let subject = match rng.bool() {
        true => lookups::escaped(&super::name(rng)),
        false => rng
            .pick(&[
                "self.test",
                "self2.test",
                "second.test",
                "equal.test",
                "local.test",
                "selfa.test",
                "mxequal.test",
                "mxlower.test",
                "tonone3.test",
                "loops.test",
                "me.test",
                "treated.test",
                "toservfail2.test",
                "mxloop.test",
                "private3.test",
            ])
            .to_owned(),
    };
    format!("${{if match_domain{{{subject}}}{{{list}}}{{yes <$value>}}{{no}}}}")
}

/// A sender's policy, asked by itself.
fn policy(rng: &mut Rng) -> String {
    let sender = super::sessions::sender(rng);
    let odd = ["", "192.0.2", "x", "192.0.2.1.25", " 192.0.2.1", "::ffff:192.0.2.1"];
    let client = if rng.chance(8) { rng.pick(&odd).to_owned() } else { super::client(rng) };
    format!("${{lookup {{{sender}}} spf {{{client}}}{}}}", lookups::tail(rng, 0))
}

/// An answer that is asked about.
fn nested(rng: &mut Rng) -> String {
    let inner = format!("${{lookup dnsdb{{{}}}}}", query(rng));
    match rng.u32(..4) {
        0 => format!("${{map{{<\\n {inner}}}{{[${{lookup dnsdb{{a=$item}}}}]}}}}"),
        1 => format!("${{lookup dnsdb{{>; txt={inner}}}}}"),
        2 => format!("${{sort{{<\\n {inner}}}{{<}}{{$item}}}}"),
        _ => format!("${{escape:{inner}}} ${{listcount:<\\n {inner}}}"),
    }
}
