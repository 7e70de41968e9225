//! `eximious check`: each lint fires on its bad example, and not on its good one.

use eximious::check::{Finding, TargetRelease, check, lints, locate};
use eximious::config::Config;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use eximious::world::{
    Fixture, Net, Stream, Target, Tls, TlsClient, TlsFault, TlsServer, TlsSession,
};
use eximious::{Macros, World};

/// Everything that is found in a text.
fn found(text: &str, target: Option<TargetRelease>) -> (Config, Vec<Finding>) {
    found_in(text, target, World::hermetic().tls)
}

/// The same, in a build that has some TLS or none.
fn found_in(
    text: &str,
    target: Option<TargetRelease>,
    tls: Arc<dyn Tls>,
) -> (Config, Vec<Finding>) {
    let files = Fixture::new()
        .file("/c", text)
        .file("/etc/exim/everybody", "# all of them\n192.0.2.1\n0.0.0.0/0  # yes\n")
        .file("/etc/exim/few", "192.0.2.1\n# 0.0.0.0/0\n!192.0.2.9\n");
    let users = eximious_world::system().users;
    let world = World { users, tls, net: Arc::new(Services), ..files.world() };
    let registry = eximious::registry();
    let config =
        Config::read_all(b"/c", Macros::new(), &world, &registry).expect("a configuration");
    let findings = check(&config, &registry, &world, target);
    (config, findings)
}

fn codes(text: &str) -> Vec<&'static str> {
    found(text, None).1.iter().map(|finding| finding.lint.code).collect()
}

/// A system that has names for ports, and no connections.
struct Services;

impl Net for Services {
    fn connect(&self, _: &Target, _: Duration) -> io::Result<Box<dyn Stream>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn service(&self, name: &str) -> Option<u16> {
        let all = [("smtp", 25), ("smtps", 465), ("submission", 587)];
        all.into_iter().find(|(known, _)| *known == name).map(|(_, port)| port)
    }
}

/// A build without TLS.
struct NoTls;

impl Tls for NoTls {
    fn is_there(&self) -> bool {
        false
    }

    fn serve(&self, _: &TlsServer) -> Result<Box<dyn TlsSession>, TlsFault> {
        Err(TlsFault::new("TLS", "there is none"))
    }

    fn connect(&self, _: &TlsClient) -> Result<Box<dyn TlsSession>, TlsFault> {
        Err(TlsFault::new("TLS", "there is none"))
    }
}

#[test]
fn tls_is_missed_where_the_configuration_asks_for_it() {
    let text = "tls_on_connect_ports = 465\ntls_advertise_hosts =\nbegin transports\n\
        a:\n driver = smtp\n hosts_require_tls = *\nb:\n driver = smtp\n protocol = smtps\n\
        c:\n driver = smtp\n protocol = smtp\n hosts_require_dane =\n";
    let missed = |tls: Arc<dyn Tls>| {
        let findings = found_in(text, None, tls).1;
        findings.iter().filter(|finding| finding.lint.code == "W702").count()
    };
    assert_eq!((missed(Arc::new(NoTls)), missed(World::hermetic().tls)), (3, 0));
}

#[test]
fn each_lint_fires_where_its_page_says() {
    for lint in lints() {
        let tls = if lint.code == "W702" { Arc::new(NoTls) } else { World::hermetic().tls };
        let bad: Vec<&str> =
            found_in(lint.bad, None, tls).1.iter().map(|finding| finding.lint.code).collect();
        assert!(bad.contains(&lint.code), "{}: {bad:?}", lint.code);
        let good = codes(lint.good);
        assert!(!good.contains(&lint.code), "{}: {good:?}", lint.code);
    }
}

#[test]
fn codes_and_names_are_used_once() {
    let mut all: Vec<&str> = lints().iter().flat_map(|lint| [lint.code, lint.name]).collect();
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);
    assert!(lints().is_sorted_by_key(|lint| lint.code));
    for lint in lints() {
        assert!(lint.summary.ends_with('.') && lint.docs.ends_with('.'), "{}", lint.code);
    }
}

#[test]
fn places_are_those_of_the_file() {
    let text = "X = ${lc:$nosuch}\n\nprimary_hostname = a.example\nhelo_allow_chars = ${uc:a} \\\n    X\nsmtp_banner = ${foo:x} X\n";
    let (config, findings) = found(text, None);
    let places: Vec<String> = findings
        .iter()
        .filter(|finding| finding.lint.code == "E103")
        .filter_map(|finding| {
            let place = locate(&config, &finding.spot)?;
            let inside = place.inside.map_or("", |_| " in a macro");
            Some(format!("{}:{}{inside} {}", place.line, place.column, finding.message))
        })
        .collect();
    assert_eq!(
        places,
        [
            "6:14 unknown expansion operator \"foo\"",
            "6:23 in a macro unknown variable name \"nosuch\"",
        ]
    );
}

#[test]
fn names_are_looked_for_in_their_section() {
    let same = "begin routers\nx:\n  debug_print = a\nbegin transports\nx:\n  \
                debug_print = b\n";
    let public = "begin authenticators\nx:\n  driver = cram_md5\nbegin routers\nx:\n  \
                  driver = accept\n  verify_only\n";
    let whole = "begin routers\nr:\n  driver = accept\nbegin transports\nr:\n  \
                 driver = smtp\n  body_only\n  headers_only\n";
    let pair = "begin authenticators\na:\n  driver = plaintext\n  public_name = X\n  \
                server_condition = 1\nb:\n  driver = plaintext\n  public_name = X\n  \
                server_condition = 1\n";
    for (text, wanted) in [
        (public, &["2 no public name specified for the x authenticator"][..]),
        (
            same,
            &["2 no driver defined for router \"x\"", "5 no driver defined for transport \"x\""],
        ),
        (
            whole,
            &[
                "2 r router: a transport is required for this router",
                "5 r transport: body_only and headers_only are mutually exclusive",
            ],
        ),
        (pair, &["6 two server authenticators (a and b) have the same public name (X)"]),
    ] {
        let (config, findings) = found(text, None);
        let told: Vec<String> = findings
            .iter()
            .filter(|finding| finding.lint.code == "E101")
            .map(|f| format!("{} {}", locate(&config, &f.spot).map_or(0, |p| p.line), f.message))
            .collect();
        assert_eq!(told, wanted);
    }
}

#[test]
fn a_comment_silences_with_a_reason() {
    let bad = "queue_only\nproxy_required_hosts = *\n";
    assert_eq!(codes(bad), ["W401"]);
    for (comment, silent) in [
        ("# eximious: allow W401 the old server needs it\n", true),
        ("# eximious: allow older-name the old server needs it\n# and more\n", true),
        ("# eximious: allow W401, W203 the old server needs it\n", false),
        ("# eximious: allow W401\n", false),
        ("# eximious: allow W402 why not\n", false),
    ] {
        let text = bad.replace("proxy", &format!("{comment}proxy"));
        assert_eq!(codes(&text).is_empty(), silent, "{comment}");
    }
}

#[test]
fn a_comment_without_effect_is_shown() {
    let bad = "queue_only\nproxy_required_hosts = *\n";
    for (comment, wanted) in [
        ("# eximious: allow W401 why\n", &[][..]),
        ("# eximious: allow W401, W203 why\n", &["W219"]),
        ("# eximious: allow E999, W401 why\n", &["W219"]),
        ("# eximious: allow W401\n", &["W219", "W401"]),
        ("# eximious: alow W401 why\n", &["W219", "W401"]),
        ("# eximious: allow W203 why\n", &["W219", "W401"]),
        ("# eximious: target exim-9.9\n", &["W219", "W401"]),
        // What holds in another release, or with other macros.
        ("# eximious: allow W402 why\n", &["W401"]),
        (".ifdef X\n# eximious: allow W203 why\nqueue_only\n.endif\n", &["W401"]),
    ] {
        let text = bad.replace("proxy", &format!("{comment}proxy"));
        assert_eq!(codes(&text), wanted, "{comment}");
    }
}

#[test]
fn a_target_decides_what_is_known() {
    let text = "hosts_xclient = 127.0.0.1\nbegin transports\nt:\n  driver = appendfile\n  file = /x/$local_part\n";
    let codes = |target: &str| -> Vec<&str> {
        let (_, findings) = found(text, TargetRelease::parse(target));
        findings.iter().map(|f| f.lint.code).filter(|code| code.starts_with('E')).collect()
    };
    assert_eq!(codes("exim-4.99"), ["E110"]);
    assert_eq!(codes("exim-4.98"), ["E109", "E110"]);
    assert_eq!(codes("4.93"), ["E109"]);
}

#[test]
fn the_packaged_configuration_gives_no_error() {
    let file = "/var/lib/exim4/config.autogenerated";
    let world = eximious_world::system();
    if world.files.stat(file.as_bytes(), true).is_err() {
        return;
    }
    let registry = eximious::registry();
    let config =
        Config::read_all(file.as_bytes(), Macros::new(), &world, &registry).expect("a file");
    let findings = check(&config, &registry, &world, None);
    let shown: Vec<String> = findings
        .iter()
        .map(|f| {
            format!("{} {:?} {}", f.lint.code, locate(&config, &f.spot).map(|p| p.line), f.message)
        })
        .collect();
    // What it defines and does not use is true.
    let others = shown.iter().filter(|line| !line.starts_with("W202") && !line.starts_with("W205"));
    assert_eq!(others.collect::<Vec<_>>(), Vec::<&String>::new());
}

/// A configuration in which nothing is found.
const SOUND: &str = include_str!("../data/check/sound.conf");

/// Changes of it, each with what must be found.
const MISTAKES: &str = include_str!("../data/check/mistakes.txt");

/// What is right, and does nothing yet.
const NOT_YET: &str = "W701";

/// Changes of it that are right, though they look like mistakes.
const RIGHT: &str = include_str!("../data/check/right.txt");

/// A change of a configuration.
#[derive(Default)]
struct Change {
    from: String,
    to: String,
    /// The code that must be found, and a part of the line.
    finds: Option<(String, String)>,
}

/// The changes of a file: their form stands at its head.
fn changes(file: &str) -> Vec<Change> {
    let file = file.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
    let change = |block: &str| {
        let part = |sign: char| {
            let lines = block.lines().filter_map(|line| line.strip_prefix(sign));
            unescaped(&lines.collect::<Vec<_>>().join("\n"))
        };
        let finds = part('=');
        let finds =
            finds.trim_start().split_once(' ').map(|(code, line)| (code.into(), line.into()));
        Change { from: part('-'), to: part('+'), finds }
    };
    file.split("\n\n").map(change).filter(|change| !change.from.is_empty()).collect()
}

fn unescaped(text: &str) -> String {
    text.replace('␍', "\r").replace('␉', "\t").replace('⏎', "\n")
}

#[test]
fn all_changes_are_read() {
    let blocks = |file: &str| file.lines().filter(|line| line.starts_with('=')).count();
    let mistakes = changes(MISTAKES);
    assert!(mistakes.len() > 200 && mistakes.len() == blocks(MISTAKES));
    assert!(changes(RIGHT).len() > 100);
}

#[test]
fn five_thousand_mistakes_are_no_more_work_than_lines() {
    let names = |n: u32| {
        format!("domainlist l{n} = +m{n} : y.example\nNO_OPTION{n} = x\nno_such_{n} = 1\n")
    };
    let text: String = (0..1700).map(names).collect();
    let start = std::time::Instant::now();
    let (_, findings) = found(&text, None);
    // A build without optimization, on a machine that does other things.
    assert!(start.elapsed().as_secs() < 60);
    assert!(findings.len() >= 5000, "{}", findings.len());
}

#[test]
fn each_mistake_is_found_where_it_is() {
    assert!(codes(SOUND).is_empty());
    for Change { from, to, finds } in changes(MISTAKES) {
        let (code, line) = finds.expect("what must be found");
        assert!(SOUND.contains(&from), "{from}");
        let text = SOUND.replacen(&from, &to, 1);
        let at = text.find(&line).unwrap_or_else(|| panic!("no line has {line}"));
        let number = text[..at].matches('\n').count() as u32 + 1;
        let (config, findings) = found(&text, None);
        let all: Vec<(&str, Option<u32>, &str)> = findings
            .iter()
            .map(|f| (f.lint.code, locate(&config, &f.spot).map(|p| p.line), &*f.message))
            .collect();
        let hit = |(own, place, _): &(&str, Option<u32>, &str)| {
            *own == code && (line.is_empty() || *place == Some(number))
        };
        assert!(all.iter().any(hit), "{to:?}: {code} in line {number} of {all:?}");
    }
}

/// A configuration whose ACLs stand in files.
fn found_in_files(acl: &str) -> Vec<String> {
    let files = Fixture::new()
        .file("/c", "acl_smtp_rcpt = /acls/rcpt\nacl_smtp_data = /acls/${lc:data}\n")
        .file("/acls/rcpt", acl)
        .file("/acls/inner", "# more\ndeny  senders = +nobody\n")
        .file("/acls/data", "nonsense\n");
    let (world, registry) = (files.world(), eximious::registry());
    let mut config = Config::read_all(b"/c", Macros::new(), &world, &registry).expect("a file");
    config.load_acl_files(&world, &registry);
    let findings = check(&config, &registry, &world, None);
    let shown = findings.iter().map(|f| {
        let place = locate(&config, &f.spot).expect("a place");
        let file = config.sources.file(place.file).expect("a file");
        let file = String::from_utf8_lossy(&file.name);
        format!("{} {file}:{}:{}", f.lint.code, place.line, place.column)
    });
    shown.collect()
}

#[test]
fn an_acl_in_a_file_is_read() {
    let sound = "# to begin with\nrequire verify = recipient\ndeny    message = \\\n  no\n";
    assert_eq!(found_in_files(sound), Vec::<String>::new());
    let places = found_in_files(
        "\nrequire verify = recipent\n  deny    message = a \\\n    # a comment\n    ${foo:x}\n\
         deny acl = /acls/inner one\n  nonsense\nwarn control = no_pipelining\naccept\n",
    );
    let expected = [
        "W207 /acls/rcpt:6:0",
        "E114 /acls/rcpt:2:17",
        "E103 /acls/rcpt:5:4",
        "E101 /acls/rcpt:7:0",
        "E104 /acls/inner:2:16",
    ];
    for place in expected {
        assert!(places.iter().any(|found| found == place), "{place}: {places:?}");
    }
}

#[test]
fn what_is_right_is_left_alone() {
    let mut wrong = Vec::new();
    for Change { from, to, .. } in changes(RIGHT) {
        assert!(SOUND.contains(&from), "{from}");
        let (_, findings) = found(&SOUND.replacen(&from, &to, 1), None);
        let wrongs = findings.into_iter().filter(|finding| finding.lint.code != NOT_YET);
        wrong.extend(wrongs.map(|f| format!("{to}: {} {}", f.lint.code, f.message)));
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn what_could_have_been_meant_is_offered() {
    for (from, to, help) in [
        ("message_size_limit", "mesage_size_limit", "did you mean message_size_limit?"),
        ("driver = dnslookup", "driver = dnslokup", "did you mean dnslookup?"),
        ("${lookup{$local_part}lsearch*", "${lookpu{$local_part}lsearch*", "did you mean lookup?"),
        ("${if match{", "${if mach{", "did you mean match?"),
        ("lsearch*{/etc/aliases}", "lsarch*{/etc/aliases}", "did you mean lsearch?"),
        ("${quote_mysql:", "${quote_mysq:", "did you mean quote_mysql?"),
        ("$smtp_active_hostname", "$smtp_active_hostnme", "did you mean $smtp_active_hostname?"),
        ("  warn    spam", "  wran    spam", "did you mean warn?"),
        ("          ratelimit =", "          ratelimt =", "did you mean ratelimit?"),
        ("+tls_sni", "+tls_sny", "did you mean +tls_sni?"),
        ("begin routers", "begin routres", "did you mean begin routers?"),
        ("header_syntax", "header_sintax", "did you mean header_syntax?"),
        (
            "control = dkim_disable_verify",
            "control = dkim_disable_verfy",
            "did you mean dkim_disable_verify?",
        ),
        ("senders = +no_senders", "senders = +no_sender", "did you mean +no_senders?"),
        ("{$message_size}{10M}", "{message_size}{10M}", "write $message_size"),
        (
            "message_size_limit",
            "tls_on_connect_ports = smpts\nmessage_size_limit",
            "did you mean smtps?",
        ),
        ("${quote_mysql:", "${quote_ldap_dn:", "write quote_mysql"),
    ] {
        let (_, findings) = found(&SOUND.replacen(from, to, 1), None);
        let all: Vec<Option<&str>> = findings.iter().map(|f| f.help.as_deref()).collect();
        assert!(all.contains(&Some(help)), "{to}: {all:?}");
    }
}

#[test]
fn a_misspelt_driver_is_told_once() {
    let told = |text: &str| -> Vec<(String, Option<String>)> {
        let (_, findings) = found(text, None);
        findings.into_iter().map(|f| (f.message, f.help)).collect()
    };
    let meant = Some("did you mean redirect?".to_owned());
    let all = told("begin routers\nr:\n  driver = redirct\n  data = x\n  file_transport = y\n");
    assert_eq!(all.iter().map(|(_, help)| help.clone()).collect::<Vec<_>>(), [meant]);
    let all = told("begin routers\nr:\n  drivr = redirect\n  data = x\n");
    let helps: Vec<&str> = all.iter().filter_map(|(_, help)| help.as_deref()).collect();
    assert_eq!(helps, ["did you mean driver?"], "{all:?}");
    let all = told("begin routers\nr:\n  data = x\n  driver = redirect\n");
    assert!(all.iter().any(|(_, help)| help.as_deref() == Some("write driver = … before it")));
    let itself = told(".include /c\n").remove(0).1;
    assert_eq!(itself.as_deref(), Some("the file includes itself"));
}

#[test]
fn a_target_knows_when_each_word_went() {
    for (from, to, until, code) in [
        ("tls_advertise_hosts = *", "drop_cr", "4.100", "E109"),
        ("tls_advertise_hosts = *", "allow_insecure_tainted_data = yes", "4.96", "E102"),
        ("tls_advertise_hosts = *", "gnutls_require_mac = x", "4.88", "E102"),
        ("+tls_sni", "+taint", "4.96", "E101"),
        ("${if match{", "${if or{{pwcheck{a:b}}{match{", "4.100", "E109"),
        ("${tod_full}", "${lookup ibase{select 1}}", "4.100", "E109"),
        ("${tod_full}", "$bmi_deliver", "4.100", "E109"),
        ("  no_more\n", "  bmi_rule = 1\n", "4.100", "E109"),
        (
            "  deny    local_parts",
            "  deny    bmi_optin = *\n  warn    control = bmi_run\n  deny    local_parts",
            "4.100",
            "E109",
        ),
    ] {
        let text = SOUND.replacen(from, to, 1);
        let minor: u32 = until[2..].parse().expect("a release");
        for (minor, gone) in [(minor - 1, false), (minor, true)] {
            let (_, findings) = found(&text, Some(TargetRelease { major: 4, minor }));
            let of = |f: &&Finding| {
                f.lint.code == code && (f.message.contains("went with") || code != "E109")
            };
            let all: Vec<&str> = findings.iter().map(|f| &*f.message).collect();
            assert_eq!(findings.iter().any(|f| of(&f)), gone, "{to} in 4.{minor}: {all:?}");
        }
    }
}

#[test]
fn a_target_knows_what_was_otherwise() {
    for (from, to, since) in [
        ("${tod_full}", "${run{/bin/echo $sender_helo_name}}", "4.96"),
        ("${tod_full}", "${if match_domain{$sender_helo_name}{a.example}{$value}}", "4.96"),
        ("maildir_format", "maildir_format\n  headers_add = X: $local_part_data", "4.94"),
    ] {
        let text = SOUND.replacen(from, to, 1);
        let minor: u32 = since[2..].parse().expect("a release");
        for (minor, otherwise) in [(minor - 1, true), (minor, false)] {
            let (config, findings) = found(&text, Some(TargetRelease { major: 4, minor }));
            let line = to.lines().last().unwrap_or_default();
            let here = |f: &Finding| {
                f.lint.code == "W402"
                    && locate(&config, &f.spot).is_some_and(|place| {
                        config
                            .sources
                            .line(place)
                            .is_some_and(|text| String::from_utf8_lossy(text).contains(line))
                    })
            };
            assert_eq!(findings.iter().any(here), otherwise, "{to} in 4.{minor}");
        }
    }
}

#[test]
fn a_target_knows_when_each_word_came() {
    for (from, to, since) in [
        ("tls_advertise_hosts = *", "tls_alpn = smtp", "4.95"),
        ("tls_advertise_hosts = *", "acl_smtp_wellknown = accept", "4.98"),
        ("tls_advertise_hosts = *", "log_ports = 25", "4.99"),
        ("tls_advertise_hosts = *", "bounce_charset = utf-8", "4.100"),
        ("tls_advertise_hosts = *", "recipients_max = ${if eq{a}{b}{1}{2}}", "4.98"),
        ("tls_advertise_hosts = *", "dmarc_tld_file = $spool_directory/x", "4.99"),
        ("addresslist no_senders", "hide addresslist no_senders", "4.94"),
        (
            "  deny    condition = ${if match{",
            "  deny    encrypted = *\n  deny    condition = ${if match{",
            "4.97",
        ),
        ("${tod_full}", "${listquote{:}{a}}", "4.94"),
        ("${tod_full}", "${mask_n:fe80::1/64}", "4.96"),
        ("${tod_full}", "${lookup{a}dsearch,filter=file{/x}}", "4.94"),
        ("${tod_full}", "${lookup{a}dsearch,ret=full{/x}}", "4.94"),
        ("${tod_full}", "${lookup{a}dsearch,key=path{/x}}", "4.98"),
        ("${tod_full}", "${lookup{a}json{/x}}", "4.93"),
        ("${tod_full}", "${lookup sqlite,file=/x{select 1}}", "4.95"),
        ("${tod_full}", "${readsocket{/x}{y}{5s:tls=yes}}", "4.92"),
        ("${tod_full}", "${readsocket{/x}{y}{5s:cache=yes}}", "4.94"),
        ("${tod_full}", "${readsocket{/x}{y}{5s:tls=yes:sni=a}}", "4.97"),
        ("${tod_full}", "${run,preexpand{/bin/echo a}}", "4.96"),
        ("${tod_full}", "${if forany_json{[1]}{eq{$item}{1}}}", "4.93"),
        ("+tls_sni", "+receive_time", "4.91"),
        ("+tls_sni", "+tls_on_connect", "4.99"),
        ("+tls_sni", "+dmarc", "4.100"),
        ("${tod_full}", "$connection_id", "4.99"),
        ("${tod_full}", "$recipients_list", "4.97"),
        ("${tod_full}", "${headerwrap_20_90:x}", "4.97"),
        ("${tod_full}", "${lookup{a.example}psl{/x}}", "4.100"),
        ("${tod_full}", "${lookup{a}lsearch,ret=full{/x}}", "4.95"),
        (
            "  accept  authenticated",
            "  warn    seen = -1h / key=a\n  accept  authenticated",
            "4.96",
        ),
        ("control = submission/sender_retain", "control = debug/stop", "4.96"),
        ("control = submission/sender_retain", "remove_header = ^(?i)x-spam-", "4.97"),
        (
            "maildir_format",
            "maildir_format\nsmtp_x:\n  driver = smtp\n  protocol = ${lc:LMTP}",
            "4.100",
        ),
        ("verify = recipient", "verify = recipient/quota=", "4.95"),
        ("  return_output", "  command = /x $local_part", "4.96"),
    ] {
        let text = SOUND.replacen(from, to, 1);
        let minor: u32 = since[2..].parse().expect("a release");
        // What is refused from a release on is the one that goes the other way.
        let refused = to.contains("command =");
        for (minor, there) in [(minor - 1, refused), (minor, !refused)] {
            let (_, findings) = found(&text, Some(TargetRelease { major: 4, minor }));
            let code = if refused { "E110" } else { "E109" };
            let all: Vec<&str> = findings.iter().map(|f| f.lint.code).collect();
            assert_eq!(!all.contains(&code), there, "{to} in 4.{minor}: {all:?}");
        }
    }
}

/// `$pipe_addresses` is no variable; it stands for the addresses as a word of its own, in a pipe's
/// command that no shell reads, and in a filter's.
#[test]
fn addresses_of_a_command_are_no_unknown_variable() {
    let fires = |text: &str| {
        let text = format!("begin transports\nx:\n  driver = {text}\n");
        codes(&text).contains(&"E103")
    };
    for good in [
        "pipe\n  command = /bin/x -- $pipe_addresses",
        "pipe\n  command = /bin/x ${pipe_addresses} -y",
        "pipe\n  command = \"/bin/x -f \\\"a b\\\" $pipe_addresses\"",
        "pipe\n  command = /bin/x \"$pipe_addresses\"",
        "smtp\n  transport_filter = /bin/x $host $pipe_addresses",
    ] {
        assert!(!fires(good), "{good}");
    }
    for bad in [
        "pipe\n  command = /bin/x to=$pipe_addresses",
        "pipe\n  command = /bin/x $pipe_addresses_too",
        "pipe\n  use_shell\n  command = /bin/x $pipe_addresses",
        "lmtp\n  command = /bin/x $pipe_addresses",
        "pipe\n  command = /bin/x\n  environment = A=$pipe_addresses",
    ] {
        assert!(fires(bad), "{bad}");
    }
}

/// An ACL that is called with arguments is named by the first word, whatever the others are.
#[test]
fn an_acl_with_arguments_is_looked_for() {
    let codes_of = |text: &str| {
        let acl = format!("acl_smtp_rcpt = rcpt\nbegin acl\nrcpt:\n  deny !acl = {text}\n");
        codes(&format!("{acl}grey:\n  accept\nhost:\n  accept\n"))
    };
    for good in ["grey $sender_address host", "grey ${if def:domain{a}{b}}", "${lc:GREY} x"] {
        assert!(!codes_of(good).contains(&"E105"), "{good}");
    }
    for bad in ["gray $sender_address", "gray ${if def:domain{grey}{grey}}", "gray x"] {
        assert!(codes_of(bad).contains(&"E105"), "{bad}: {:?}", codes_of(bad));
    }
}

/// The hosts of a `route_list` are expanded rule by rule.
#[test]
fn hosts_of_a_route_list_are_expanded() {
    let fires = |list: &str| {
        let router = format!("begin routers\nx:\n  driver = manualroute\n  route_list = {list}\n");
        codes(&format!("{router}  transport = y\nbegin transports\ny:\n  driver = smtp\n"))
            .contains(&"E103")
    };
    for good in [
        "^a\\\\.test$ 192.0.2.1 ; * \"${if eq{$domain}{a.test}{192.0.2.1}{b.test : c.test}}\"",
        "a.test $domain byname ; * 192.0.2.1 ${if eq{a}{b}{x}{y}}",
        "<+ a.test 192.0.2.1 + * ${lc:b.test}",
    ] {
        assert!(!fires(good), "{good}");
    }
    for bad in [
        "a.test 192.0.2.1 ; * \"${fi eq{$1}{a}{192.0.2.8}{192.0.2.9}}\" byname",
        "* ${if eq{$domian}{a}{192.0.2.8}{192.0.2.9}}",
        "* ${if eq {a}{b}{192.0.2.8}{192.0.2.9}}",
    ] {
        assert!(fires(bad), "{bad}");
    }
}
