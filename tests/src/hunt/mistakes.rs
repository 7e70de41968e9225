//! Configurations with a mistake or two, as they are typed.

use fastrand::Rng;

use super::{Form, Quarry, as_text};
use crate::dice::Dice;

/// A configuration without any.
const CONFIGURATION: &str = r#"A_NAME = a.test
TABLE=lsearch;DIR/aliases
primary_hostname = me.test
qualify_domain = A_NAME
domainlist local_domains = @ : A_NAME : *.b.test
hostlist relay_from = <; 127.0.0.1 ; ::1
addresslist known = TABLE
hide ldap_default_servers = 127.0.0.1
acl_smtp_rcpt = acl_check_rcpt
acl_smtp_data = ${if eq{$received_port}{25}{acl_check_data}{accept}}
message_size_limit = 50M
queue_only_load = 8.5
ignore_bounce_errors_after = 2d
no_bounce_return_body
split_spool_directory = true
log_selector = +smtp_protocol_error \
  -queue_run
trusted_users = mail : root
delay_warning = 4h:8h
.ifdef A_NAME
smtp_banner = "$smtp_active_hostname ESMTP \
  ready"
.else
smtp_accept_max = 5
.endif
begin acl
acl_check_rcpt:
  accept hosts = :
    control = dkim_disable_verify
  deny message = Restricted characters in address
    domains = +local_domains
    local_parts = ^[.] : ^.*[@%!/|]
  require verify = sender/callout=30s,defer_ok
  warn set acl_m_count = ${eval:$acl_m_count + 1}
    ratelimit = 5 / 1h / strict / $sender_host_address
    dnslists = bl.test=127.0.0.2 : other.test
  defer condition = ${if >{$acl_m_count}{3}}
    delay = 5s
  accept
acl_check_data:
  deny !verify = header_syntax
  accept add_header = X-Seen: $tod_full
begin routers
aliases:
  driver = redirect
  domains = +local_domains
  data = ${lookup{$local_part}lsearch{DIR/aliases}}
  allow_fail
  allow_defer
  file_transport = address_file
  pipe_transport = address_pipe
away:
  driver = manualroute
  route_list = *.b.test 192.0.2.1:192.0.2.2 byname ; * 192.0.2.3
  self = send
  transport = smtp
  no_more
local:
  driver = accept
  check_local_user
  local_part_suffix = +*
  local_part_suffix_optional
  transport = box
begin transports
smtp:
  driver = smtp
  hosts_require_auth = <; 192.0.2.1
  connect_timeout = 10s
  interface = ${if eq{$host}{x}{127.0.0.1}}
box:
  driver = appendfile
  file = /var/mail/$local_part_data
  mode = 0660
  quota = 10M
  delivery_date_add
address_file:
  driver = appendfile
address_pipe:
  driver = pipe
  return_output
  temp_errors = 64 : 69
begin retry
*.b.test rcpt_4xx F,2h,15m
* * F,2h,15m; G,16h,1h,1.5; F,4d,6h
begin rewrite
*@old.test $1@a.test Ffrs
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${if eq{$auth2}{x}}
  server_set_id = $auth2"#;

/// What slips into a line.
const SLIPS: [&str; 46] = [
    "#",
    " # why",
    "{",
    "}",
    "\"",
    "'",
    ":",
    "=",
    "::",
    "\\",
    "$",
    "${",
    "<",
    ">",
    "!",
    "+",
    "*",
    "/",
    " ",
    "\t",
    ";",
    ",",
    "(",
    ")",
    "%",
    "@",
    ".",
    "^",
    "-",
    "0",
    "1k",
    "yes",
    "no",
    "hide ",
    "no_",
    "begin",
    "begin foo",
    ".ifdef X",
    ".endif",
    ".else",
    "X=1",
    "X==2",
    "driver",
    "}}",
    "é",
    "5m",
];

/// Words with which a line may begin that belongs elsewhere.
const WORDS: [&str; 34] = [
    "accept",
    "deny",
    "warn",
    "condition",
    "domains",
    "hosts",
    "message",
    "set acl_m_x",
    "control",
    "verify",
    "driver",
    "transport",
    "router",
    "data",
    "file",
    "user",
    "mode",
    "route_list",
    "self",
    "begin acl",
    "Begin Routers",
    "begin transports",
    "begin retry",
    "public_name",
    "no_more",
    "unseen",
    "endpass",
    "ratelimit",
    "delay",
    "control = freeze",
    "control = nosuch",
    "verify = nosuch",
    "log_selector",
    "retry_interval_max",
];

/// A configuration with a mistake or two; what is wrong with it is asked.
pub fn make(rng: &mut Rng) -> Quarry {
    let mut lines: Vec<String> = CONFIGURATION.lines().map(str::to_owned).collect();
    for _ in 0..[1, 1, 1, 2, 3][rng.usize(..5)] {
        err(rng, &mut lines);
    }
    let mut quarry = Quarry::new(Form::Routing);
    quarry.fixed("+++ aliases\nann: ann@b.test").fixed("+++ exim.conf");
    for line in lines {
        quarry.loose(as_text(&line));
    }
    quarry.fixed("? -bP configure_file");
    quarry
}

/// Makes a mistake in a line.
fn err(rng: &mut Rng, lines: &mut Vec<String>) {
    let at = rng.usize(..lines.len());
    let line = lines[at].clone();
    let place = rng.usize(..=line.chars().count());
    let (head, tail): (String, String) =
        (line.chars().take(place).collect(), line.chars().skip(place).collect());
    match rng.u32(..13) {
        0 => lines[at] = format!("{head}{}{tail}", rng.pick(&SLIPS)),
        1 => lines[at] = format!("{head}{}", tail.chars().skip(1).collect::<String>()),
        2 => lines[at] = format!("{line}{}", rng.pick(&SLIPS)),
        3 => lines.insert(at, rng.pick(&SLIPS).to_owned()),
        4 => lines.insert(at, line),
        5 => drop(lines.remove(at)),
        6 => {
            let other = rng.usize(..lines.len());
            lines.swap(at, other);
        }
        7 => {
            let ends = ["", " = ", " = x", " = yes", " x", "=", " = \"x", "  # c", " = ${x}"];
            lines.insert(at, format!("  {}{}", rng.pick(&WORDS), rng.pick(&ends)));
        }
        8 => lines[at] = head,
        9 => lines[at] = line.replacen('=', rng.pick(&["==", " ", "= =", ":"]), 1),
        10 => {
            let mut letters: Vec<char> = line.chars().collect();
            if place + 1 < letters.len() {
                letters.swap(place, place + 1);
            }
            lines[at] = letters.into_iter().collect();
        }
        11 => {
            let line = line.trim();
            let forms = [
                line.to_uppercase(),
                line.to_lowercase(),
                line.to_owned(),
                format!("hide {line}"),
                format!("no_{line}"),
            ];
            lines[at] = forms[rng.usize(..forms.len())].clone();
        }
        _ => {
            let ends = [" = x", ":", "", " = 5", " = $x", " = /a/b"];
            lines.insert(at, format!("{}{}", rng.pick(&WORDS), rng.pick(&ends)));
        }
    }
}
