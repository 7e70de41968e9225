//! Routers that find hosts.

use fastrand::Rng;

use super::super::{Form, Quarry};
use crate::dice::Dice;

const OF_NAMES: &[&str] = &[
    "check_secondary_mx",
    "check_srv = smtp",
    "check_srv = ${if eq{$domain}{srv.test}{smtp}}",
    "check_srv = submission",
    "fail_defer_domains = *.odd",
    "fail_defer_domains = *",
    "ipv4_only = yes",
    "ipv4_only = ${if match{$domain}{^d}}",
    "ipv4_prefer = yes",
    "mx_domains = two.test : back.test",
    "mx_domains = !plain.test : *",
    "mx_fail_domains = *",
    "mx_fail_domains = servfail.odd",
    "qualify_single = false",
    "rewrite_headers = false",
    "search_parents",
    "same_domain_copy_routing",
    "srv_fail_domains = *",
    "widen_domains = one.test : two.test",
    "widen_domains = odd : x.wide.one.test",
    "dnssec_request_domains = *",
    "dnssec_request_domains = !*",
    "dnssec_require_domains = two.test : ad.odd",
];

const OF_LISTS: &[&str] = &[
    "host_all_ignored = pass",
    "host_all_ignored = fail",
    "host_find_failed = pass",
    "host_find_failed = fail",
    "host_find_failed = decline",
    "host_find_failed = defer",
    "host_find_failed = ignore",
];

const GENERIC: &[&str] = &[
    "ignore_target_hosts = 192.0.2.1",
    "ignore_target_hosts = 0.0.0.0 : 127.0.0.0/8 : ::1",
    "ignore_target_hosts = <; 2001:db8::/32 ; 10.0.0.0/8",
    "ignore_target_hosts = *.test",
    "ignore_target_hosts = mx1.test : servfail.odd",
    "ignore_target_hosts = !192.0.2.2 : *",
    "ignore_target_hosts = $domain",
    "self = send",
    "self = pass",
    "self = fail",
    "self = defer",
    "self = reroute: back.test",
    "self = reroute: rewrite: plain.test",
    "domains = !me.test : *",
    "domains = @mx_any",
    "domains = ! @mx_primary : *",
    "more = false",
    "pass_router = last",
    "cannot_route_message = none of $domain <$self_hostname> <$host_lookup_failed>",
    "unseen",
];

/// Domains that are for routers beside those that all are asked about.
const DOMAINS: &[&str] = &[
    "self.test",
    "self2.test",
    "selfa.test",
    "second.test",
    "equal.test",
    "local.test",
    "private.test",
    "private2.test",
    "private3.test",
    "zero.test",
    "zeroes.test",
    "loopback.test",
    "loops.test",
    "sixmx.test",
    "mxs.test",
    "mxloop.test",
    "mxchain.test",
    "mxsame.test",
    "mxtwice.test",
    "mxdual.test",
    "mxlower.test",
    "mxequal.test",
    "toservfail.test",
    "toservfail2.test",
    "torefused.test",
    "tonone.test",
    "tonone3.test",
    "toip2.test",
    "srvs.test",
    "srvnull.test",
    "srvnone.test",
    "srvself.test",
    "srvmissing.test",
    "srvmissing2.test",
    "srvwithout.test",
    "srvalias.test",
    "srvip.test",
    "srvfail.test",
    "srvbad.test",
    "srvsix.test",
    "short",
    "alias",
    "host",
    "fails",
    "wide",
    "inner",
    "wide2",
    "deep.er",
    "x.y.short.home.test",
    "x.plain.test",
    "a.hosts.test",
    "c.hosts.test",
    "[192.0.2.9]",
];

/// Routers, and addresses.
pub(super) fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Routing);
    super::head(rng, &mut quarry);
    quarry.fixed("begin routers");
    for number in 0..rng.usize(1..4) {
        router(rng, number, &mut quarry);
    }
    quarry.fixed(
        "last:\n  driver = redirect\n  allow_fail\n  \
         data = :fail: last $domain <$self_hostname> <$host_lookup_failed>",
    );
    quarry.fixed("begin transports\nsmtp:\n  driver = smtp\n$ mkdir -m 777 DIR/log DIR/spool");
    let sender = rng.pick(&["", "", "-f a@two.test ", "-f <> "]);
    quarry.fixed(format!("? {sender}{}", rng.pick(&["-bt", "-bt", "-bt", "-bv", "-v -bv"])));
    for number in 0..rng.usize(3..10) {
        let domain = match rng.bool() {
            true => rng.pick(DOMAINS).to_owned(),
            false => super::name(rng),
        };
        // What has the wrong records for an answer is in no zone.
        let is_wrong =
            ["cut.odd", "aa.odd", "othername.odd"].iter().any(|odd| domain.contains(odd));
        let domain = if is_wrong { "ad.odd" } else { &domain };
        quarry.loose(format!("> a{number}@{}", domain.replace("\\n", "")));
    }
    quarry
}

fn router(rng: &mut Rng, number: usize, quarry: &mut Quarry) {
    let (driver, own) = match rng.u32(..5) {
        0..=2 => ("driver = dnslookup".to_owned(), OF_NAMES),
        _ => {
            let option = match rng.chance(4) {
                true => format!("route_data = {}", hosts(rng)),
                false => format!("route_list = {}", rng.some(1, 3, " ; ", rule)),
            };
            (format!("driver = manualroute\n  {option}"), OF_LISTS)
        }
    };
    quarry.loose(format!("r{number}:\n  {driver}\n  transport = smtp"));
    let mut all = rng.options(4, own);
    all.extend(rng.options(4, GENERIC));
    for option in all {
        quarry.loose(format!("  {option}"));
    }
}

/// A rule of a manualroute router.
fn rule(rng: &mut Rng) -> String {
    let pattern = rng.pick(&["*", "*", "*.test", "!two.test", "@mx_any", "*.odd"]);
    let options = rng.pick(&[
        "",
        "",
        " byname",
        " bydns",
        " bydns ipv4_only",
        " byname ipv4_prefer",
        " ipv4_only",
    ]);
    format!("{pattern} \"{}\"{options}", hosts(rng))
}

fn hosts(rng: &mut Rng) -> String {
    rng.some(1, 3, " : ", |rng| match rng.u32(..6) {
        0 | 1 => format!("{}/mx", rng.pick(DOMAINS)),
        2 => "$domain".to_owned(),
        3 => "$domain/mx".to_owned(),
        4 => rng.pick(super::ODD).to_owned(),
        _ => rng
            .pick(&[
                "mx1.test",
                "several.test",
                "dual.test",
                "six.test::26",
                "localhost",
                "a.hosts.test",
                "plain.test/MX::26",
                "plain.test::26/mx",
                "short",
                "null.test/mx",
                "c1.test",
                "loop.test",
                "me.test",
                "0.0.0.0",
                "zero.test",
                "[2001:db8::9]",
                "under_score.test",
                "nowhere.test",
            ])
            .to_owned(),
    })
}
