//! Chains of routers of every driver, with any of their options.

use fastrand::Rng;

use super::{Form, Quarry};
use crate::dice::Dice;

const HEAD: &str = "+++ exim.conf
spool_directory = DIR/spool
primary_hostname = me.test
qualify_domain = me.test
keep_environment =
log_file_path = DIR/%slog
domainlist some = two.test : plain.test : *.hosts.test";

const TRANSPORTS: &str = "begin transports
smtp:
  driver = smtp
other:
  driver = smtp
  protocol = lmtp
file:
  driver = appendfile
  file = /dev/null
pipe:
  driver = pipe
  command = /bin/cat
+++ table
two.test: mx1.test
plain.test: mx1.test:mx2.test
ann: bob@two.test
bob: x@plain.test, carl@back.test
*: one";

const MAIN: &[&str] = &[
    "dns_ipv4_lookup = *",
    "disable_ipv6",
    "dns_again_means_nonexist = *.odd",
    "allow_utf8_domains",
    "hold_domains = two.test",
    "local_interfaces = 192.0.2.1",
    "extra_local_interfaces = 192.0.2.2",
    "never_users = root",
    "percent_hack_domains = me.test",
    "queue_domains = back.test",
    "allow_domain_literals",
    "dns_retry = 1",
    "local_interfaces = <; 0.0.0.0 ; ::0",
];

const GENERIC: &[&str] = &[
    "address_data = <$local_part@$domain>",
    "address_data = ${lookup{$domain}lsearch{DIR/table}}",
    "address_data = ${if eq{$local_part}{ann}fail}",
    "set = r_a = <$domain>",
    "set = r_a = ${lookup{$local_part}lsearch{DIR/table}{$value}fail}",
    "address_test = false",
    "cannot_route_message = no way for $local_part at $domain ($address_data$r_a)",
    "cannot_route_message = ${if eq{$local_part}{ann}fail}",
    "caseful_local_part",
    "check_local_user",
    "condition = ${if eq{$local_part}{ann}}",
    "condition = ${if match{$local_part}{^[a-c]}{yes}{no}}",
    "condition = ${lookup{$local_part}lsearch{DIR/none}}",
    "condition = $address_data",
    "condition = 0",
    "domains = +some",
    "domains = !+some",
    "domains = two.test : back.test : @mx_any",
    "domains = dsearch;DIR",
    "domains = lsearch;DIR/table",
    "domains = lsearch;DIR/none",
    "dsn_lasthop",
    "errors_to = err@two.test",
    "errors_to = $local_part@back.test",
    "errors_to =",
    "errors_to = bad@@",
    "expn = false",
    "fail_verify",
    "fail_verify_sender",
    "fail_verify_recipient",
    "fallback_hosts = mx3.test : mx4.test",
    "group = nogroup",
    "headers_add = X: $r_a",
    "headers_remove = x",
    "ignore_target_hosts = 192.0.2.1",
    "ignore_target_hosts = 10.0.0.0/8 : 192.0.2.2 : 2001:db8::/32",
    "ignore_target_hosts = *.hosts.test",
    "initgroups",
    "local_part_prefix = x- : *+",
    "local_part_prefix = x-\n  local_part_prefix_optional",
    "local_part_suffix = -* : +y",
    "local_part_suffix = -*\n  local_part_suffix_optional",
    "local_parts = ann : b* : ^c",
    "local_parts = !ann",
    "local_parts = lsearch;DIR/table",
    "log_as_local",
    "more = false",
    "more = ${if eq{$local_part}{ann}{yes}{no}}",
    "more = ${if eq{$local_part}{ann}}",
    "more = $local_part",
    "pass_on_timeout",
    "pass_router = last",
    "redirect_router = last",
    "require_files = DIR/table",
    "require_files = DIR/none",
    "require_files = +DIR/none : !DIR/other",
    "require_files = nobody:DIR/table",
    "router_home_directory = /home/$local_part",
    "same_domain_copy_routing",
    "self = send",
    "self = pass",
    "self = fail",
    "self = freeze",
    "self = defer",
    "self = reroute: back.test",
    "self = reroute: rewrite: plain.test",
    "senders = a@two.test",
    "senders = :",
    "senders = !:",
    "transport_home_directory = /tmp/$local_part",
    "unseen",
    "unseen = ${if eq{$local_part}{ann}{yes}{no}}",
    "user = nobody",
    "user = $local_part",
    "verify = false",
    "verify_only",
    "verify_recipient = false",
    "verify_sender = false",
    "retry_use_local_part",
];

const OF_NAMES: &[&str] = &[
    "check_secondary_mx",
    "check_srv = smtp",
    "check_srv = ${if eq{$domain}{srv.test}{smtp}}",
    "fail_defer_domains = *.odd",
    "ipv4_only = yes",
    "ipv4_prefer = yes",
    "mx_domains = two.test : back.test",
    "mx_fail_domains = *",
    "qualify_single = false",
    "rewrite_headers = false",
    "search_parents",
    "same_domain_copy_routing",
    "srv_fail_domains = *",
    "widen_domains = one.test : two.test",
    "dnssec_request_domains = *",
    "dnssec_require_domains = two.test",
];

const OF_LISTS: &[&str] = &[
    "host_all_ignored = pass",
    "host_all_ignored = fail",
    "host_all_ignored = ignore",
    "host_find_failed = pass",
    "host_find_failed = fail",
    "host_find_failed = decline",
    "host_find_failed = defer",
    "host_find_failed = ignore",
    "host_find_failed = freeze",
    "hosts_randomize = false",
];

const OF_PROGRAMS: &[&str] = &[
    "current_directory = /",
    "command_group = nogroup",
    "timeout = 2s",
    "current_directory = /nosuch",
];

/// Domains, of each kind that the zones have.
const DOMAINS: &[&str] = &[
    "two.test",
    "back.test",
    "plain.test",
    "six.test",
    "dual.test",
    "dualmx.test",
    "txt.test",
    "alias.test",
    "dangling.test",
    "mxalias.test",
    "null.test",
    "nullmore.test",
    "local.test",
    "self.test",
    "self2.test",
    "selfa.test",
    "second.test",
    "equal.test",
    "toip.test",
    "toip2.test",
    "tonone.test",
    "tonone2.test",
    "tonone3.test",
    "totxt.test",
    "private.test",
    "private2.test",
    "srv.test",
    "srvnone.test",
    "srvmissing2.test",
    "single",
    "wide",
    "x.wild.test",
    "nowhere.test",
    "me.test",
    "servfail.odd",
    "toservfail2.test",
    "a.hosts.test",
    "TWO.test",
    "[192.0.2.9]",
    "[IPv6:2001:db8::9]",
    "[192.0.2.99]",
    "[1.2.3]",
    "10.0.0.1",
    "under_score.test",
];

const LOCALS: &[&str] =
    &["ann", "bob", "carl", "x-ann", "ann-y", "Ann", "a+b", "nobody", "b%two.test", "x"];

/// A configuration, and addresses.
pub fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Routing);
    quarry.fixed(HEAD);
    for option in rng.options(3, MAIN) {
        quarry.loose(option);
    }
    quarry.fixed("begin routers");
    for number in 0..rng.usize(1..6) {
        router(rng, number, &mut quarry);
    }
    quarry.fixed("last:\n  driver = redirect\n  allow_fail");
    quarry
        .fixed("  data = :fail: last $local_part $domain <$address_data> <$r_a> <$self_hostname>");
    quarry.fixed(TRANSPORTS);
    let sender = rng.pick(&["", "", "-f a@two.test ", "-f <> "]);
    quarry.fixed(format!("? {sender}{}", rng.pick(&["-bt", "-bt", "-bv", "-bvs", "-v -bv"])));
    for _ in 0..rng.usize(2..8) {
        quarry.loose(format!("> {}@{}", rng.pick(LOCALS), rng.pick(DOMAINS)));
    }
    quarry
}

fn router(rng: &mut Rng, number: usize, quarry: &mut Quarry) {
    let transport = rng.pick(&[
        "transport = smtp",
        "transport = smtp",
        "transport = other",
        "transport = file",
        "transport = ${if eq{$local_part}{ann}{smtp}{other}}",
        "transport = ${if eq{$local_part}{ann}{nosuch}{pipe}}",
    ]);
    let (driver, own): (String, &[&str]) = match rng.u32(..8) {
        0 => (format!("driver = accept\n  {transport}"), &[]),
        1 => (format!("driver = ipliteral\n  {transport}"), &[]),
        2 | 3 => (format!("driver = dnslookup\n  {transport}"), OF_NAMES),
        4 | 5 => {
            let routes = rng.some(1, 3, " ; ", route);
            let option = match rng.chance(5) {
                true => format!("route_data = {}", hosts(rng)),
                false => format!("route_list = {routes}"),
            };
            (format!("driver = manualroute\n  {transport}\n  {option}"), OF_LISTS)
        }
        6 => {
            let said = said(rng);
            let command = format!("command = /bin/echo {said}\n  command_user = nobody");
            (format!("driver = queryprogram\n  {transport}\n  {command}"), OF_PROGRAMS)
        }
        _ => (format!("driver = redirect\n  data = {}", children(rng)), &[]),
    };
    quarry.loose(format!("r{number}:\n  driver = {}", &driver["driver = ".len()..]));
    let mut all = rng.options(5, GENERIC);
    if !own.is_empty() {
        all.extend(rng.options(3, own));
    }
    for option in all {
        quarry.loose(format!("  {option}"));
    }
}

/// A rule of a manualroute router.
fn route(rng: &mut Rng) -> String {
    let pattern = rng.pick(&[
        "*",
        "*",
        "+some",
        "two.test",
        "*.test",
        "!two.test",
        "^(.*)\\\\.test$",
        "lsearch;DIR/table",
        "partial-lsearch;DIR/table",
    ]);
    let options = rng.pick(&[
        "",
        "",
        " byname",
        " bydns",
        " bydns ipv4_only",
        " ipv4_prefer",
        " other",
        " file",
        " nosuch",
        " bydns file",
    ]);
    format!("{pattern} \"{}\"{options}", hosts(rng))
}

fn hosts(rng: &mut Rng) -> String {
    rng.some(0, 3, " : ", |rng| {
        let all = [
            "mx1.test",
            "mx2.test",
            "192.0.2.7",
            "[192.0.2.8]::26",
            "mx3.test::1225",
            "two.test/mx",
            "back.test/MX",
            "plain.test/mx",
            "dual.test",
            "six.test",
            "self.test/mx",
            "nowhere.test",
            "servfail.odd",
            "null.test/mx",
            "alias.test",
            "me.test",
            "private.test",
            "$domain",
            "$value",
            "$1.test",
            "+",
            "127.0.0.1",
            "localhost",
            "bad host",
            "selfa.test",
            "mx1.test::99999",
            "mx1.test/x",
            "",
        ];
        rng.pick(&all).to_owned()
    })
}

/// What a program answers.
fn said(rng: &mut Rng) -> String {
    let word = rng.pick(&[
        "ACCEPT", "ACCEPT", "ACCEPT", "DECLINE", "PASS", "FAIL", "DEFER", "FREEZE", "REDIRECT",
        "OK", "accept",
    ]);
    let more = match word {
        "REDIRECT" => children(rng),
        "ACCEPT" | "accept" => rng.some(0, 4, " ", |rng| {
            let all = [
                "TRANSPORT=smtp",
                "TRANSPORT=file",
                "TRANSPORT=nosuch",
                "HOSTS=mx1.test:mx2.test",
                "HOSTS=two.test/mx",
                "HOSTS=nowhere.test",
                "HOSTS=self.test/mx",
                "LOOKUP=byname",
                "LOOKUP=bydns",
                "LOOKUP=x",
                "DATA=what",
                "DATA=\\\"a b\\\"",
                "X=y",
                "HOSTS=",
            ];
            rng.pick(&all).to_owned()
        }),
        _ => rng.pick(&["", "no such $local_part", "x=y"]).to_owned(),
    };
    format!("{word} {more}")
}

/// To what addresses lead.
fn children(rng: &mut Rng) -> String {
    rng.some(1, 3, ", ", |rng| match rng.u32(..8) {
        0 => "$local_part@two.test".to_owned(),
        1 => "${lookup{$local_part}lsearch{DIR/table}}".to_owned(),
        2 => rng
            .pick(&[
                ":fail: gone",
                ":defer: later",
                ":blackhole:",
                ":unknown:",
                "${if eq{a}{b}{x}fail}",
            ])
            .to_owned(),
        3 => rng.pick(&["$local_part", "bob", "<$local_part@$domain>"]).to_owned(),
        _ => format!("{}@{}", rng.pick(LOCALS), rng.pick(DOMAINS)),
    })
}
