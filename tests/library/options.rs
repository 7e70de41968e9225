//! Options: every name of the language has its record, and names and defaults
//! are those that a real Exim shows.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};

use eximious::{DriverKind, OptionDef, OptionKind, OptionPlace, Registry};
use eximious_tests::{reference::Reference, root};

/// One driver of each kind that the packaged program has, as it is before
/// anything is set that needs not be.
const DRIVERS: &str = "\
begin routers
accept:
  driver = accept
  transport = pipe
dnslookup:
  driver = dnslookup
  transport = smtp
ipliteral:
  driver = ipliteral
  transport = smtp
iplookup:
  driver = iplookup
  hosts = 192.0.2.1
  port = 43
manualroute:
  driver = manualroute
  route_data = x
  transport = smtp
queryprogram:
  driver = queryprogram
  command = /bin/true
  command_user = nobody
redirect:
  driver = redirect
  data = x
begin transports
appendfile:
  driver = appendfile
autoreply:
  driver = autoreply
lmtp:
  driver = lmtp
  command = /bin/true
pipe:
  driver = pipe
smtp:
  driver = smtp
begin authenticators
cram_md5:
  driver = cram_md5
  public_name = X
  server_secret = x
cyrus_sasl:
  driver = cyrus_sasl
  public_name = PLAIN
dovecot:
  driver = dovecot
  public_name = X
external:
  driver = external
  public_name = X
plaintext:
  driver = plaintext
  public_name = X
spa:
  driver = spa
  public_name = X
tls:
  driver = tls
";

/// What 4.98.2 shows where the specification of 4.100 says something else, or
/// what its packager chose, or what the configuration above sets.
const DIFFERENT: &[(&str, &str, &str)] = &[
    ("main", "exim_version", "its own number"),
    ("main", "primary_hostname", "the system's"),
    ("main", "process_log_path", "beneath spool_directory"),
    ("main", "qualify_domain", "primary_hostname"),
    ("main", "qualify_recipient", "qualify_domain"),
    ("main", "remote_max_parallel", "6 in 4.100"),
    ("smtp", "port", "a number in 4.100"),
    ("smtp", "protocol", "unset in 4.100"),
    ("smtp", "retry_use_local_part", "off for smtp alone"),
    ("accept", "log_as_local", "on for accept alone"),
    ("cyrus_sasl", "server_mech", "public_name"),
    ("cram_md5", "server_secret", "set"),
    ("iplookup", "hosts", "set"),
    ("iplookup", "port", "set"),
    ("lmtp", "command", "set"),
    ("manualroute", "route_data", "set"),
    ("queryprogram", "command", "set"),
    ("queryprogram", "command_group", "that of the user"),
    ("queryprogram", "command_user", "set"),
    ("redirect", "data", "set"),
];

/// What the configuration above sets for most drivers.
const SET: &[&str] = &["driver", "public_name", "transport"];

/// Options that 4.98.2 lacks: newer ones, and those of parts that Debian leaves
/// out.
const LACKING: &[(&str, &[&str])] = &[
    (
        "MAIN",
        &[
            "acl_smtp_atrn",
            "bmi_config_file",
            "bounce_charset",
            "bounce_host_details",
            "daemon_modules_load",
            "dcc_direct_add_header",
            "dccifd_address",
            "dccifd_options",
            "disable_fsync",
            "dmarc_forensic_sender",
            "dmarc_history_file",
            "dmarc_tld_file",
            "dmarc_tree_walk",
            "hosts_xclient",
            "ibase_servers",
            "log_json_file",
            "log_ports",
            "metrics_listen",
            "oracle_servers",
            "proxy_required_hosts",
            "queue_run_order",
            "redis_servers",
            "rfc1413_port",
            "spool_first",
            "spool_write_ahead",
            "srs_config",
            "srs_hashlength",
            "srs_hashmin",
            "srs_maxage",
            "srs_secrets",
            "srs_usehash",
            "srs_usetimestamp",
            "tls_early_banner_hosts",
            "tls_ticket_secret_file",
        ],
    ),
    (
        "ROUTERS",
        &[
            "bmi_deliver_alternate",
            "bmi_deliver_default",
            "bmi_dont_deliver",
            "bmi_rule",
            "translate_ip_address",
        ],
    ),
    (
        "ROUTER_REDIRECT",
        &["sieve_inbox", "srs", "srs_alias", "srs_condition", "srs_dbinsert", "srs_dbselect"],
    ),
    ("TRANSPORTS", &["tpda_delivery_action", "tpda_host_defer_action"]),
    ("TRANSPORT_PIPE", &["use_classresources"]),
    (
        "TRANSPORT_SMTP",
        &["arc_sign", "gnutls_compat_mode", "mta_sts_domains", "tls_eccurve", "tlsrpt_domains"],
    ),
    ("AUTHENTICATOR_DOVECOT", &["server_tls"]),
];

/// Drivers that 4.98.2 lacks as a whole.
const NO_DRIVERS: &[&str] =
    &["AUTHENTICATOR_GSASL", "AUTHENTICATOR_HEIMDAL_GSSAPI", "TRANSPORT_QUEUEFILE"];

/// A place, as the names of macros have it.
fn place_in_macros(place: OptionPlace) -> String {
    match place {
        OptionPlace::Main => "MAIN".to_owned(),
        OptionPlace::Generic(kind) => format!("{}S", kind.name()).to_uppercase(),
        OptionPlace::Driver(kind, driver) => format!("{}_{driver}", kind.name()).to_uppercase(),
    }
}

fn names(option: &OptionDef) -> impl Iterator<Item = &'static str> {
    [option.meta.name].into_iter().chain(option.meta.aliases.iter().copied())
}

#[test]
fn every_option_has_a_record() {
    let registry = eximious::registry();
    let mut known = BTreeSet::new();
    for option in registry.all_options() {
        let place = match option.place {
            OptionPlace::Main => "main",
            OptionPlace::Generic(kind) => kind.name(),
            OptionPlace::Driver(_, driver) => driver,
        };
        known.extend(names(option).map(|name| (place, name)));
    }
    let text = std::fs::read_to_string(root().join("tests/language/options.tsv")).expect("a table");
    let mut table = BTreeSet::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut columns = line.split('\t');
        table.insert((columns.next().unwrap_or_default(), columns.next().unwrap_or_default()));
    }
    let missing: Vec<_> = table.difference(&known).collect();
    assert!(missing.is_empty(), "no record: {missing:?}");
    // Some are eximious's own. The others are in no document any more, but the program
    // has them.
    let more: Vec<_> = known.difference(&table).copied().collect();
    let gone = [
        ("main", "bounce_host_details"),
        ("main", "drop_cr"),
        ("main", "ibase_servers"),
        ("main", "local_scan_path"),
        ("main", "log_json_file"),
        ("main", "metrics_listen"),
        ("main", "spool_first"),
        ("main", "spool_write_ahead"),
        ("main", "tls_ticket_secret_file"),
        ("smtp", "mta_sts_domains"),
        ("smtp", "tlsrpt_domains"),
        ("tls", "server_param"),
    ];
    assert_eq!(more, gone);
}

#[test]
fn names_are_those_of_the_macros() {
    let Some(reference) = oldest() else { return };
    let shown = ask(&reference, "", &["macros"]);
    let real: BTreeSet<String> = shown
        .lines()
        .filter_map(|line| line.strip_suffix("=y"))
        .filter(|name| name.starts_with("_OPT_"))
        .map(str::to_owned)
        .collect();
    let registry = eximious::registry();
    let ours: BTreeSet<String> = registry
        .all_options()
        .flat_map(|option| names(option).map(|name| (place_in_macros(option.place), name)))
        .filter(|(place, name)| {
            let lacking = |(p, names): &(&str, &[&str])| p == place && names.contains(name);
            !NO_DRIVERS.contains(&place.as_str()) && !LACKING.iter().any(lacking)
        })
        .map(|(place, name)| format!("_OPT_{place}_{}", name.to_uppercase()))
        .collect();
    assert_eq!(real.difference(&ours).collect::<Vec<_>>(), Vec::<&String>::new(), "not known");
    assert_eq!(ours.difference(&real).collect::<Vec<_>>(), Vec::<&String>::new(), "not there");
}

#[test]
fn main_options_are_shown_as_they_are() {
    let Some(reference) = oldest() else { return };
    let registry = eximious::registry();
    let shown = ask(&reference, "", &[]);
    compare("main", &shown, registry.options_of(OptionPlace::Main));
}

#[test]
fn drivers_are_shown_as_they_are() {
    let Some(reference) = oldest() else { return };
    let registry = eximious::registry();
    let mut count = 0;
    for kind in [DriverKind::Router, DriverKind::Transport, DriverKind::Authenticator] {
        let shown = ask(&reference, DRIVERS, &[&format!("{}s", kind.name())]);
        for block in shown.split("\n\n") {
            let (head, lines) = block.trim_start().split_once('\n').expect("a driver");
            let name = head.split(' ').next().unwrap_or_default();
            compare(name, lines, of_driver(&registry, kind, name));
            count += 1;
        }
    }
    assert_eq!(count, 19);
}

/// What an instance of a driver can have set, in the order in which it is shown.
fn of_driver<'r>(
    registry: &'r Registry,
    kind: DriverKind,
    name: &'r str,
) -> impl Iterator<Item = &'static OptionDef> {
    let own = registry.all_options().filter(
        move |o| matches!(o.place, OptionPlace::Driver(k, driver) if k == kind && driver == name),
    );
    registry.options_of(OptionPlace::Generic(kind)).chain(own)
}

/// Compares what is shown of one driver, or of the main section.
fn compare(place: &str, shown: &str, options: impl Iterator<Item = &'static OptionDef>) {
    let mut wrong = BTreeMap::new();
    // A name with an asterisk is of the program's inside, and should not show.
    let mut lines = shown.lines().filter(|line| !line.starts_with('*'));
    for option in options.filter(|option| !option.unprinted) {
        let name = option.meta.name;
        let lacking = LACKING.iter().any(|(at, names)| {
            let here = *at == place_in_macros(option.place);
            here && names.contains(&name)
        });
        if lacking {
            continue;
        }
        let line = lines.next().unwrap_or_default();
        assert!(
            line.trim_start_matches("no_").starts_with(name.trim_start_matches("no_")),
            "{place}: {name} is not shown, but {line}"
        );
        let excused = DIFFERENT.iter().any(|(at, n, _)| *at == place && *n == name);
        let same = line == as_shown(option);
        if !SET.contains(&name) && same == excused {
            wrong.insert(name, (line.to_owned(), as_shown(option)));
        }
    }
    assert_eq!(lines.next(), None, "{place}");
    assert!(wrong.is_empty(), "{place}: {wrong:#?}");
}

/// The line that shows an option's default.
fn as_shown(option: &OptionDef) -> String {
    let name = option.meta.name;
    match (option.kind, option.default) {
        (OptionKind::Bool | OptionKind::ExpandedBool, Some("true")) => name.to_owned(),
        (OptionKind::Bool | OptionKind::ExpandedBool, _) => format!("no_{name}"),
        (OptionKind::Fixed | OptionKind::UserList | OptionKind::GroupList, None) => {
            format!("{name} =")
        }
        (_, default) => {
            let value = default.unwrap_or_default().replace('\n', "\\n").replace('\t', "\\t");
            format!("{name} = {value}")
        }
    }
}

/// The packaged program, if it is the release that the tests are about.
fn oldest() -> Option<Reference> {
    Reference::find().filter(|reference| reference.version() == "4.98.2")
}

/// What the program shows with a configuration.
fn ask(reference: &Reference, configuration: &str, what: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("conf");
    std::fs::write(&file, configuration).expect("a file");
    let mut command = Command::new(reference.program());
    command.arg("-C").arg(&file).arg("-bP").args(what);
    let output = command.stderr(Stdio::inherit()).output().expect("the reference starts");
    assert!(output.status.success(), "{what:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
