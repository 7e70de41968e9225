//! Sessions of SMTP: commands in any order and form, with options that change what they
//! mean, and ACLs at each of them. A host's are asked as a test (`-bh`) or along a connection
//! (`-bs`), which may be lost anywhere.

mod lines;

use std::sync::LazyLock;

use fastrand::Rng;
use regex::Regex;

use super::{Form, Quarry};
use crate::dice::Dice;

const HEAD: &str = "primary_hostname = me.test
spool_directory = DIR/spool
log_file_path = DIR/log/%slog
keep_environment =
tls_advertise_hosts =
qualify_domain = me.test
queue_only
domainlist local_domains = me.test
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = acl_data";

/// Options that may be set.
const OPTIONS: &[&str] = &[
    "smtp_max_synprot_errors = 1",
    "smtp_max_synprot_errors = 0",
    "smtp_max_synprot_errors = 20",
    "smtp_max_unknown_commands = 1",
    "smtp_max_unknown_commands = 0",
    "smtp_accept_max_nonmail = 2",
    "smtp_accept_max_nonmail = 0",
    "recipients_max = 2",
    "recipients_max = 1",
    "recipients_max_reject",
    "prdr_enable",
    "helo_allow_chars = _",
    "helo_allow_chars = ()",
    "helo_lookup_domains = *",
    "helo_lookup_domains = client.test",
    "smtp_enforce_sync = false",
    "smtp_return_error_details",
    "message_size_limit = 100",
    "message_size_limit = ${if eq{$sender_host_address}{192.0.2.1}{50}{0}}",
    "strip_excess_angle_brackets",
    "strip_trailing_dot",
    "allow_domain_literals",
    "smtp_check_spool_space = false",
    "accept_8bitmime = false",
    "smtp_accept_max_per_connection = 1",
    "smtp_accept_max_per_connection = 2",
    "smtp_banner = hello $tod_full\\nthere",
    "smtp_banner = hello $sender_host_address",
    "smtp_active_hostname = other.test",
    "smtp_reserve_hosts = 192.0.2.2",
    "received_headers_max = 2",
    "header_maxsize = 200",
    "header_line_maxsize = 50",
    "allow_utf8_domains",
    "log_selector = +all -pid -millisec -unknown_in_list",
    "log_selector = +smtp_no_mail +smtp_incomplete_transaction +lost_incoming_connection",
    "log_selector = -lost_incoming_connection -rejected_header -smtp_confirmation +incoming_port",
    "log_selector = +smtp_syntax_error +smtp_protocol_error +smtp_mailauth +sender_on_delivery",
    "log_selector = +smtp_connection -size_reject -host_lookup_failed",
    "smtp_etrn_command = /bin/true $domain",
    "smtp_etrn_command = /bin/false",
    "smtp_etrn_command = ${if eq{$domain}{x}{/bin/true}fail}",
    "smtp_etrn_serialize = false",
    "rfc1413_query_timeout = 1s",
    "smtp_accept_keepalive = false",
    "write_rejectlog = false",
    "smtp_receive_timeout = 30s",
    "received_header_text = Received: $received_protocol $smtp_command_history",
    "queue_only_load = 0.1",
    "dsn_from = x@me.test",
    "untrusted_set_sender = *",
    "local_from_check = false",
    "smtp_load_reserve = 1000",
    "print_topbitchars",
];

/// Options that are lists of hosts.
const HOSTS: &[&str] = &[
    "smtp_accept_max_nonmail_hosts",
    "dsn_advertise_hosts",
    "chunking_advertise_hosts",
    "hosts_require_helo",
    "helo_verify_hosts",
    "helo_try_verify_hosts",
    "helo_accept_junk_hosts",
    "sender_unqualified_hosts",
    "recipient_unqualified_hosts",
    "smtputf8_advertise_hosts",
    "pipelining_advertise_hosts",
    "pipelining_connect_advertise_hosts",
    "limits_advertise_hosts",
    "ignore_fromline_hosts",
    "host_lookup",
    "host_reject_connection",
    "hosts_connection_nolog",
    "rfc1413_hosts",
    "smtp_ratelimit_hosts",
    "hosts_require_alpn",
];

const VALUES: &[&str] = &[
    "*",
    "*",
    "",
    "!*",
    "192.0.2.1",
    "192.0.2.0/30",
    "!192.0.2.2 : *",
    "client.test : twin1.test",
    "<; 2001:db8::/32 ; 192.0.2.1",
    "${if eq{$sender_host_address}{192.0.2.1}{*}}",
    "@[]",
];

/// What may be asked at phases beside those of a message.
const PHASES: &[&str] = &[
    "connect", "helo", "mail", "predata", "vrfy", "expn", "etrn", "quit", "notquit", "starttls",
    "vrfy", "expn", "etrn", "helo", "mail",
];

const TAIL: &str = "begin routers
fail:
  driver = redirect
  local_parts = nobody
  data = :fail: no such user
  allow_fail
alias:
  driver = redirect
  local_parts = list
  data = ann, bob
local:
  driver = accept
  domains = +local_domains
  transport = null
begin transports
null:
  driver = appendfile
  file = /dev/null
begin rewrite
\\N^rw@me\\.test$\\N ann@me.test FTq
\\N^(\\w+)@smtp\\.test$\\N $1@me.test S";

/// A configuration, and a session.
pub fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Dialogue);
    quarry.fixed("+++ exim.conf").fixed(HEAD);
    for option in rng.options(6, OPTIONS) {
        quarry.loose(option);
    }
    for name in rng.options(4, HOSTS) {
        quarry.loose(format!("{name} = {}", rng.pick(VALUES)));
    }
    let mut phases: Vec<&str> = Vec::new();
    for _ in 0..rng.usize(..6) {
        let phase = rng.pick(PHASES);
        if !phases.contains(&phase) {
            phases.push(phase);
            let acl = if rng.chance(3) { "accept".to_owned() } else { format!("acl_{phase}") };
            quarry.loose(format!("acl_smtp_{phase} = {acl}"));
        }
    }
    quarry.fixed("begin acl");
    for phase in phases {
        quarry.fixed(format!("acl_{phase}:"));
        for _ in 0..rng.usize(1..4) {
            quarry.loose(statement(rng));
        }
        if !rng.chance(4) {
            quarry.loose("  accept");
        }
    }
    quarry.fixed(
        "acl_rcpt:
  deny local_parts = no
       message = not $local_part
  discard local_parts = void
  defer local_parts = later
  drop local_parts = gone",
    );
    if rng.chance(4) {
        quarry.loose(statement(rng));
    }
    quarry.fixed(
        "  accept
acl_data:
  deny condition = ${if eq{$h_subject:}{bad}}",
    );
    if rng.chance(4) {
        quarry.loose(statement(rng));
    }
    quarry.fixed("  accept").fixed(TAIL);
    let client = rng.pick(&["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.9", "2001:db8::1"]);
    let way = match rng.u32(..8) {
        0 | 1 if !client.contains(':') => format!("from={client} -bs"),
        2 => "-bs".to_owned(),
        _ => format!("-bh {client}"),
    };
    quarry.fixed(format!("? hunt {way}"));
    lines::add(rng, &mut quarry);
    if way.ends_with("-bs") {
        quarry.fixed("& log/*");
    }
    quarry
}

/// A statement of an ACL.
fn statement(rng: &mut Rng) -> String {
    let verb = rng.pick(&[
        "accept", "accept", "deny", "deny", "defer", "drop", "require", "warn", "warn", "discard",
    ]);
    let parts = rng.some(1, 4, "\n       ", |rng| {
        let parts = [
            "condition = ${if eq{$sender_helo_name}{x}}",
            "condition = ${if eq{$sender_helo_name}{x}{no}{yes}}",
            "condition = ${if match{$smtp_command}{(?i)x}}",
            "hosts = 192.0.2.1",
            "hosts = 192.0.2.2 : 2001:db8::1",
            "hosts = client.test",
            "verify = helo",
            "!verify = helo",
            "verify = reverse_host_lookup",
            "senders = bad@me.test",
            "senders = :",
            "encrypted = *",
            "authenticated = *",
            "message = no $smtp_command_argument",
            "message = 450 4.3.0 later",
            "message = 550 5.7.1 never $sender_helo_name",
            "message = 999 x",
            "message = 421 4.7.1 bye",
            "message = 550",
            "message = 550  5.7.1 x",
            "message = 5501 x",
            "log_message = 550 5.7.1 code",
            "message = one\\ntwo $acl_c0",
            "message =",
            "log_message = why $smtp_command",
            "log_message =",
            "logwrite = at $smtp_command_argument after $smtp_command_history",
            "logwrite = :reject: to reject $smtp_notquit_reason",
            "logwrite = :main,panic: to both",
            "logwrite = : to $smtp_command",
            "logwrite = :panic,: to panic\\nand on",
            "logwrite = :: to none",
            "delay = 0s",
            "delay = 1",
            "control = no_pipelining",
            "control = no_multiline_responses",
            "control = no_enforce_sync",
            "control = no_delay_flush",
            "control = no_callout_flush",
            "control = fakereject/no",
            "control = fakedefer",
            "control = submission",
            "control = suppress_local_fixups",
            "control = allow_auth_unadvertised",
            "control = utf8_downconvert",
            "control = dscp/0x20",
            "control = caseful_local_part",
            "control = queue_only",
            "control = freeze",
            "control = freeze/no_tell",
            "control = enforce_sync",
            "control = submission/sender_retain",
            "control = caselower_local_part",
            "set acl_c0 = $acl_c0.$smtp_command",
            "set acl_m0 = $sender_address",
            "add_header = X-A: $acl_c0",
            "ratelimit = 0 / 1h / per_cmd / $sender_host_address",
            "verify = sender",
            "verify = recipient",
            "local_parts = ann",
            "domains = me.test",
            "recipients = a.b@me.test",
            "log_reject_target =",
            "log_reject_target = main",
            "log_reject_target = main:reject:panic",
            "verify = not_blind",
            "verify = header_sender",
            "acl = none",
            "!acl = none",
            "regex = hello",
            "seen = -1s / key=$sender_helo_name",
            "recipients = *@me.test",
            "continue = x",
        ];
        rng.pick(&parts).to_owned()
    });
    format!("  {verb} {parts}")
}

/// Answers and logs without the ports of clients, which the system chooses, without the name of
/// the program, and without what is
/// told of a rule for addresses of the envelope: the real one comes to it when a header ends, and
/// not when the message does.
pub(super) fn settled(lines: Vec<String>) -> Vec<String> {
    static PORTS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(\[192\.0\.2\.\d+\]:)\d+").expect("a pattern"));
    // What comes behind a zero byte, the real one does not show.
    static UNSHOWN: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"\\000.*" \("#).expect("a pattern"));
    let is_told = |line: &String| {
        let is_of_rule = line.starts_with("! >>>") && line.contains(r"^rw@me\.test$");
        !is_of_rule && !line.starts_with("| cwd=")
    };
    let settle = |line: String| {
        let line = PORTS.replace_all(&line, "${1}PORT");
        UNSHOWN.replace(&line, "\" (").into_owned()
    };
    lines.into_iter().filter(is_told).map(settle).collect()
}
