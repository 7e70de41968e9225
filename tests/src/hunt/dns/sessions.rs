//! Sessions (`-bh`) whose ACLs ask the DNS about the client, what it is called and its sender.

use fastrand::Rng;

use super::super::{Form, Quarry};
use crate::dice::Dice;

const OF_HOSTS: &[&str] = &[
    "host_lookup = *",
    "host_lookup = *",
    "host_lookup = 192.0.2.0/28 : 2001:db8::/32",
    "host_lookup = !192.0.2.1 : 0.0.0.0/0",
    "host_lookup_order = bydns",
    "host_lookup_order = byaddr",
    "host_lookup_order = byaddr:bydns",
    "host_lookup_order = bydns : byaddr",
    "helo_try_verify_hosts = *",
    "helo_try_verify_hosts = 192.0.2.0/29 : 2001:db8::/32",
    "helo_verify_hosts = *",
    "helo_verify_hosts = *.test",
    "helo_lookup_domains = *",
    "helo_lookup_domains =",
    "helo_lookup_domains = @ : @[] : client.test : @mx_any",
    "helo_allow_chars = _+",
    "helo_accept_junk_hosts = *",
    "host_reject_connection = *.wild.test",
    "host_reject_connection = +include_unknown : evil.test",
    "spf_guess = v=spf1 ptr:test ?all",
    "spf_guess = v=spf1 a/24 -all",
    "spf_guess =",
    "spf_smtp_comment_template = see $sender_host_address%{i}",
];

const PHASES: [&str; 4] = ["connect", "helo", "mail", "rcpt"];

/// A session.
pub(super) fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Dialogue);
    super::head(rng, &mut quarry);
    quarry.fixed("tls_advertise_hosts =\nrfc1413_query_timeout = 0s");
    for option in rng.options(4, OF_HOSTS) {
        quarry.loose(option);
    }
    for name in ["h1", "h2"] {
        quarry.fixed(format!("hostlist {name} = {}", hosts(rng, false)));
    }
    for phase in PHASES {
        quarry.fixed(format!("acl_smtp_{phase} = {phase}"));
    }
    quarry.fixed("begin acl");
    for phase in PHASES {
        quarry.fixed(format!("{phase}:"));
        for number in 0..rng.usize(0..4) {
            quarry.loose(statement(rng, phase, number));
        }
        quarry.fixed("  accept");
    }
    quarry.fixed(
        "begin routers\nall:\n  driver = dnslookup\n  transport = smtp\n\
         begin transports\nsmtp:\n  driver = smtp",
    );
    quarry.fixed(format!("? hunt -bh {}", super::client(rng)));
    for _ in 0..rng.usize(1..3) {
        quarry.loose(format!("> {} {}", rng.pick(&["EHLO", "HELO"]), greeting(rng)));
    }
    quarry.loose(format!("> MAIL FROM:<{}>", sender(rng)));
    for number in 0..rng.usize(1..4) {
        quarry.loose(format!("> RCPT TO:<b{number}@me.test>"));
    }
    quarry.fixed("> QUIT");
    quarry
}

/// What a client says that it is.
fn greeting(rng: &mut Rng) -> String {
    match rng.u32(..4) {
        0 => super::name(rng).trim().replace("\\n", "n"),
        // A part of an address is enough for Exim.
        1 => format!("[{}]", rng.pick(&["192.0.2.77", "192.0.2.5", "2001:db8::3", "10.0.0.1"])),
        _ => rng
            .pick(&[
                "client.test",
                "twin2.test",
                "wrong.test",
                "csa-ok.test",
                "csa-no.test",
                "csa-two.test",
                "x.csa-sub.test",
                "csa-none.test",
                "a.b.c.csa-subno.test",
                "pass.spf.test",
                "helo.spf.test",
                "fail.spf.test",
                "several.test",
                "six.test",
                "me.test",
                "x.y.above.odd",
                "[IPv6:2001:db8::1]",
                "192.0.2.1",
            ])
            .to_owned(),
    }
}

/// A sender, of each kind of policy.
pub(super) fn sender(rng: &mut Rng) -> String {
    let policies = [
        "pass",
        "fail",
        "told",
        "mute",
        "soft",
        "neutral",
        "empty",
        "none",
        "guess",
        "lost",
        "away",
        "within",
        "helo",
        "incself",
        "exact",
        "upper",
        "ten",
        "ptr",
        "ptr2",
        "mx",
        "mx24",
        "macro",
        "macro2",
        "mod",
        "late",
        "case",
        "ip6",
        "alias",
        "aliasnone",
        "split",
        "nospace",
        "space",
    ];
    match rng.u32(..8) {
        0 => format!("a@{}", rng.pick(super::NAMES)),
        1 => rng.pick(&["", "a@[192.0.2.1]", "a"]).to_owned(),
        _ => {
            let local = rng.pick(&["ann", "a-b", "a+b", "\"a b\"", "x.y"]);
            format!("{local}@{}.spf.test", rng.pick(&policies))
        }
    }
}

fn statement(rng: &mut Rng, phase: &str, number: usize) -> String {
    let verb = rng.pick(&["warn", "warn", "warn", "deny", "accept", "require", "defer"]);
    let mut text = format!("  {verb}");
    if rng.bool() {
        text += &format!(
            " message = {phase} {number} $dnslist_text\n       log_message = {phase} {number}"
        );
    }
    for _ in 0..rng.usize(1..3) {
        let not = rng.pick(&["", "", "", "!"]);
        let condition = match rng.u32(..12) {
            0..=4 => format!("dnslists = {}", lists(rng)),
            5 => "verify = reverse_host_lookup".to_owned(),
            6 => match phase {
                "connect" => "verify = csa".to_owned(),
                _ => rng.pick(&["verify = csa", "verify = csa/$sender_helo_name"]).to_owned(),
            },
            7 if phase != "connect" => "verify = helo".to_owned(),
            7 | 8 => format!("hosts = {}", hosts(rng, true)),
            9 | 10 if phase != "connect" => {
                let results = rng.pick(&[
                    "fail",
                    "pass : softfail",
                    "!pass",
                    "none : neutral",
                    "temperror : permerror : invalid",
                    "! none : *",
                    "err_temp : err_perm",
                    "fail:softfail:neutral:pass:none:permerror:temperror:invalid",
                ]);
                format!("{} = {results}", rng.pick(&["spf", "spf", "spf_guess"]))
            }
            9 | 10 => format!("hosts = {}", hosts(rng, true)),
            _ if phase == "mail" => "verify = sender".to_owned(),
            _ => format!("condition = ${{if match_domain{{{}}}{{@mx_any}}}}", {
                rng.pick(&["$sender_helo_name", "$sender_host_name", "second.test", "me.test"])
            }),
        };
        text += &format!("\n       {not}{condition}");
    }
    let shown = rng.pick(&[
        "d=<$dnslist_domain> <$dnslist_matched> <$dnslist_text> <$dnslist_value>",
        "d=<$dnslist_domain> <$dnslist_matched> <$dnslist_text> <$dnslist_value>",
        "h=<$sender_host_name> <$host_lookup_failed> <$host_lookup_deferred> <$sender_fullhost>",
        "r=<$sender_rcvhost> <$sender_ident> <$host_data> <$sender_host_dnssec>",
        "s=<$spf_result> <$spf_header_comment> <$spf_smtp_comment> <$spf_received> \
         <$spf_result_guessed>",
        "c=<$csa_status> <$sender_helo_name> <$sender_helo_verified> <$acl_verify_message>",
    ]);
    // Nothing is known of a sender before there is one.
    let shown = if phase == "connect" && shown.starts_with("s=") { "none" } else { shown };
    format!("{text}\n       logwrite = {phase} {number} {shown}")
}

/// Hosts by their names, and what to do where those can't be had.
fn hosts(rng: &mut Rng, may_name: bool) -> String {
    rng.some(1, 4, " : ", |rng| {
        let item = rng.pick(&[
            "*.test",
            "client.test",
            "twin2.test",
            "several.test",
            "dual.test",
            "six.test",
            "c1.test",
            "loop.test",
            "nowhere.test",
            "servfail.odd",
            "noaaaa.odd",
            "^t.*\\\\.test\\$",
            "^mixed",
            "@",
            "@[]",
            "@mx_any",
            "192.0.2.1",
            "192.0.2.0/29",
            "*.wild.test",
            "example",
            "dnsdb;a=$sender_host_name",
            "net-dnsdb;a=client.test",
            "net24-dnsdb;txt=x",
            "",
            "+include_unknown",
            "+ignore_unknown",
            "+include_unknown",
            "+ignore_unknown",
            "+include_defer",
            "+ignore_defer",
            "+h1",
            "+h2",
            "localhost",
            "under_score.test",
            "dangling.test",
        ]);
        let item = if item.starts_with("+h") && !may_name { "*.odd" } else { item };
        format!("{}{item}", rng.pick(&["", "", "", "!"]))
    })
}

/// Lists that are asked.
fn lists(rng: &mut Rng) -> String {
    let mut list = rng.some(1, 3, " : ", |rng| {
        let domain = rng.pick(&[
            "rbl.test",
            "rbl.test",
            "rbl.test",
            "two.rbl.test",
            "all.rbl.test",
            "none.test",
            "list.test",
            "servfail.odd",
            "refused.odd",
            "loop.test",
            "a_b.test",
            "c1.test",
        ]);
        let own = match rng.u32(..6) {
            0 => rng.pick(&[",two.rbl.test", ",servfail.odd", ", all.rbl.test", ",none.test", ","]),
            _ => "",
        };
        let values = match rng.bool() {
            true => values(rng),
            false => String::new(),
        };
        let key = match rng.u32(..4) {
            0 => format!("/{}", keys(rng)),
            _ => String::new(),
        };
        format!("{domain}{own}{values}{key}")
    });
    for _ in 0..rng.usize(0..2) {
        let word =
            rng.pick(&["+include_unknown", "+exclude_unknown", "+defer_unknown", "+unknown"]);
        list = match rng.chance(4) {
            true => format!("{list} : {word}"),
            false => format!("{word} : {list}"),
        };
    }
    list
}

/// What answers count.
fn values(rng: &mut Rng) -> String {
    let sign = rng.pick(&["=", "=", "=", "&", "!=", "!&", "==", "=&", "!==", "!=&", "&=", "=!"]);
    let list = rng.some(1, 3, ",", |rng| {
        rng.pick(&[
            "127.0.0.2",
            "127.0.0.3",
            "127.0.0.7",
            "0.0.0.2",
            "0.0.0.1",
            "0.0.0.4",
            "127.0.0.0/24",
            "127.0.0.10",
            "127.1.2.3",
            "192.0.2.6",
            "0.255.255.0",
            "255.255.255.255",
            "0.0.0.0",
            "127.0.0.6",
            "127.0.0.4",
        ])
        .to_owned()
    });
    format!("{sign}{list}")
}

/// What a list is asked for in the place of the client.
fn keys(rng: &mut Rng) -> String {
    let list = ["", "<; ", "<|"][rng.usize(..3)];
    let between = match list {
        "" => " :: ",
        "<; " => ";",
        _ => " | ",
    };
    let keys = rng.some(1, 3, between, |rng| {
        rng.pick(&[
            "192.0.2.2",
            "192.0.2.6",
            "192.0.2.9",
            "192.0.2.40",
            "two.test.names",
            "plain.test.names",
            "me.test.names",
            "$sender_helo_name.names",
            "client.test.names",
            "nobody.names",
            "1.2.3",
        ])
        .to_owned()
    });
    format!("{list}{keys}")
}
