//! The server's side.

use fastrand::Rng;

use super::super::{Form, Quarry};
use super::{condition, encoded};
use crate::dice::Dice;

const HEAD: &str = "primary_hostname = me.test
spool_directory = DIR/spool
log_file_path = DIR/log/%slog
keep_environment =
tls_advertise_hosts =
queue_only
received_header_text = Received: by here
acl_smtp_mail = acl_mail
acl_smtp_rcpt = acl_rcpt";

const OPTIONS: &[&str] = &[
    "auth_advertise_hosts =",
    "auth_advertise_hosts = 192.0.2.1",
    "auth_advertise_hosts = ${if eq{$sender_helo_name}{x}{*}{}}",
    "acl_smtp_auth = accept",
    "acl_smtp_auth = deny",
    "acl_smtp_auth = acl_auth",
    "acl_smtp_auth = ${bad}",
    "acl_smtp_mailauth = acl_mailauth",
    "acl_smtp_mailauth = accept",
    "acl_smtp_mailauth = deny message = not you",
    "acl_smtp_helo = warn logwrite = helo <$sender_host_authenticated> <$authenticated_id>",
    "acl_smtp_notquit = acl_notquit",
    "acl_smtp_quit = accept logwrite = quit <$authenticated_id> <$authenticated_fail_id>",
    "acl_smtp_connect = accept control = allow_auth_unadvertised",
    "smtp_accept_max_nonmail = 2",
    "smtp_max_synprot_errors = 1",
    "smtp_max_unknown_commands = 1",
    "log_selector = +smtp_mailauth +smtp_confirmation",
    "log_selector = -smtp_protocol_error -smtp_syntax_error -rejected_header",
    "log_selector = +smtp_no_mail +smtp_connection +incoming_interface",
    "log_selector = +all -pid -millisec -incoming_port -unknown_in_list -arguments",
    "event_action = ${if match{$event_name}{^auth}{${acl{acl_ev}}}}",
    "event_action = ${if eq{$event_name}{auth:fail}{told $event_data $authenticated_fail_id}}",
    "event_action = ${if eq{$event_name}{auth:fail}{${bad}}}",
    "event_action = ${if eq{$event_name}{auth:fail}{x}fail}",
    "local_from_check = false",
    "smtp_return_error_details",
    "pipelining_advertise_hosts =",
];

const ACLS: &str = "begin acl
acl_mail:
  warn logwrite = mail id=<$authenticated_id> by=<$sender_host_authenticated> \
failed=<$authentication_failed:$authenticated_fail_id> s=<$authenticated_sender> \
$received_protocol <$auth1,$auth2,$auth3,$auth4> <$1,$2,$3>
  accept
acl_rcpt:
  deny local_parts = plain
       !authenticated = plain : a
  deny local_parts = any
       !authenticated = *
  deny local_parts = not
       authenticated = !b : *
  deny local_parts = re
       authenticated = ^.*l
       message = no <$authenticated_id>
  defer local_parts = bad
       authenticated = ${bad}
  warn authenticated = *
       add_header = :at_start:${authresults {$primary_hostname}}
       add_header = X-Id: $authenticated_id
       control = ${if eq{$local_part}{sub}{submission}{no_multiline_responses}}
  accept
acl_auth:
  warn logwrite = auth <$smtp_command> <$smtp_command_argument> <$authenticated_id>
  deny condition = ${if match{$smtp_command_argument}{(?i)login}}
       message = ${if eq{$sender_helo_name}{x}{454 4.7.0 later}{not that way}}
  defer condition = ${if match{$smtp_command_argument}{(?i)x-}}
  drop condition = ${if match{$smtp_command_argument}{(?i)external}}
  accept
acl_mailauth:
  warn logwrite = mailauth <$authenticated_sender> <$sender_address> <$authenticated_id>
  deny condition = ${if match{$authenticated_sender}{x}}
       message = not x
  defer condition = ${if match{$authenticated_sender}{@c}}
  accept
acl_notquit:
  warn logwrite = notquit $smtp_notquit_reason <$authenticated_id> <$authentication_failed>
acl_ev:
  accept logwrite = ev $event_name <$event_data> <$authenticated_fail_id> \
<$authenticated_id> <$sender_host_authenticated> $authentication_failed";

const PROMPTS: &[&str] = &[
    ":",
    "User Name : Password",
    "Username:: : Password::",
    "<; a ; b ; c",
    "a",
    "${bad}",
    "${if eq{1}{2}{x}fail}",
    "$auth1 : $1 : x",
    "::",
    ": one",
    "a : : b",
    "",
    "\\x41\\n : \"b\"",
];

const IDS: &[&str] = &[
    "$auth1",
    "$auth2",
    "$1-$2-$3",
    "${bad}",
    "${if eq{1}{2}{x}fail}",
    "a b",
    "",
    "x$authenticated_id",
    "${lookup{x}lsearch{/nonexistent/d}}",
    "a\\nb",
    "x@y.test",
    "<$auth1>",
    "$sender_helo_name/$sender_host_address",
];

/// One that works.
const PLAIN: &str = "plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{tim}}{eq{$auth3}{geheim}}}}
  server_set_id = ";

const CONDITIONS: &[&str] = &[
    "${if and{{eq{$auth2}{tim}}{eq{$auth3}{geheim}}}}",
    "${if and{{eq{$auth1}{tim}}{eq{$auth2}{geheim}}}}",
    "${if eq{$1}{tim}}",
    "$auth1",
    "${if eq{$auth1}{tim}{yes}fail}",
    "${if eq{$auth1}{tim}{${bad}}}",
    "${if match{$auth1$auth2$auth3}{^(.)(.*)\\$}}",
    "${acl{acl_ev}}",
    "yes",
    "yes",
];

pub(super) fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Dialogue);
    quarry.fixed("+++ exim.conf").fixed(HEAD);
    for option in rng.options(5, OPTIONS) {
        quarry.loose(option);
    }
    quarry.fixed(ACLS).fixed("begin authenticators");
    if rng.chance(2) {
        quarry.loose(format!("{PLAIN}{}", rng.pick(IDS)));
    }
    let names = ["login", "a", "b", "plain2"];
    for name in &names[..rng.usize(1..=4)] {
        quarry.loose(authenticator(rng, name));
    }
    let client = rng.pick(&["192.0.2.1", "192.0.2.2", "2001:db8::1"]);
    match rng.chance(3) {
        true => quarry.fixed(format!("? hunt -bh {client}")),
        false => quarry.fixed("? hunt from=192.0.2.1 -bs"),
    };
    if !rng.chance(6) {
        quarry.loose(rng.pick(&["> EHLO client.test", "> EHLO x"]));
    }
    for _ in 0..rng.usize(2..10) {
        let mut lines = match rng.u32(..10) {
            0..=4 => attempt(rng),
            5 | 6 => vec![format!("> {}", mail(rng))],
            7 => vec![format!("> {}", recipient(rng))],
            8 => {
                vec!["> DATA".to_owned(), ">\\ Subject: x\\r\\n\\r\\nbody\\r\\n.\\r\\n".to_owned()]
            }
            _ => vec![format!("> {}", odd(rng))],
        };
        if rng.chance(12) {
            lines[0] = lines[0].replacen('>', ">&", 1);
        }
        quarry.loose(lines.join("\n"));
    }
    quarry.loose("> QUIT");
    quarry.fixed("& log/* spool/input/*-H");
    quarry
}

fn authenticator(rng: &mut Rng, name: &str) -> String {
    let public = match rng.chance(20) {
        true => "PLAIN",
        false => rng.pick(&["X-P", "LOGIN", "X-A", "EXTERNAL", "X_B.1"]),
    };
    // Two of one name are a mistake, which is no news.
    let public = match (name, rng.chance(20)) {
        ("a", false) => "X-A",
        ("b", false) => "EXTERNAL",
        ("login", false) => "LOGIN",
        _ => public,
    };
    let mut text = format!("{name}:\n  public_name = {public}\n");
    match rng.u32(..8) {
        0..=4 => {
            text += "  driver = plaintext\n";
            if !rng.chance(8) {
                text += &format!("  server_prompts = {}\n", rng.pick(PROMPTS));
            }
        }
        5 => {
            text += "  driver = external\n";
            if rng.chance(2) {
                text += &format!("  server_param2 = {}\n", rng.pick(IDS));
            }
            if rng.chance(2) {
                text += &format!("  server_param3 = {}\n", rng.pick(IDS));
            }
        }
        6 => {
            let secrets = ["geheim", "${bad}", "${if eq{1}{2}{x}fail}", "${if eq{$1}{tim}{a}fail}"];
            text += &format!("  driver = cram_md5\n  server_secret = {}\n", rng.pick(&secrets));
        }
        _ => text += "  driver = spa\n  server_password = geheim\n",
    }
    if !(text.contains("cram_md5") || text.contains("spa\n")) || rng.chance(3) {
        let own = match rng.chance(2) {
            true => condition(rng),
            false => rng.pick(CONDITIONS),
        };
        if !rng.chance(16) {
            text += &format!("  server_condition = {own}\n");
        }
    }
    if !rng.chance(3) {
        text += &format!("  server_set_id = {}\n", rng.pick(IDS));
    }
    if rng.chance(5) {
        text += "  server_debug_print = d <$auth1> <$1> <$auth2>\n";
    }
    if rng.chance(5) {
        text += &format!("  server_advertise_condition = {}\n", condition(rng));
    }
    if rng.chance(3) {
        let own = "${if match{$authenticated_sender}{x|\\^<>}}";
        let own = if rng.chance(2) { own } else { condition(rng) };
        text += &format!("  server_mail_auth_condition = {own}\n");
    }
    text.trim_end().to_owned()
}

fn lines(sent: &[&str]) -> Vec<String> {
    sent.iter().map(|line| format!("> {line}")).collect()
}

/// A command AUTH with its answers.
fn attempt(rng: &mut Rng) -> Vec<String> {
    match rng.u32(..8) {
        0 => return vec!["> AUTH PLAIN AHRpbQBnZWhlaW0=".to_owned()],
        1 => return lines(&["AUTH PLAIN", "AHRpbQBnZWhlaW0="]),
        2 => return lines(&["AUTH LOGIN", "dGlt", "Z2VoZWlt"]),
        3 => return lines(&["AUTH LOGIN dGlt", "Z2VoZWlt"]),
        _ => {}
    }
    let word = rng.pick(&["AUTH", "AUTH", "AUTH", "auth", "AUTH "]);
    let names =
        ["PLAIN", "PLAIN", "LOGIN", "X-A", "EXTERNAL", "plain", "X_B.1", "NO", "", "PLAIN="];
    let name = rng.pick(&names);
    let mut lines = vec![match rng.u32(..5) {
        0..=2 => format!("> {word} {name} {}", encoded(rng)),
        _ => format!("> {word} {name}"),
    }];
    for _ in 0..rng.usize(..4) {
        lines.push(match rng.u32(..12) {
            0 => "> *".to_owned(),
            1 => "> * ".to_owned(),
            2 => "> ".to_owned(),
            3 => ">\\ \\{3000:QUFB}\\r\\n".to_owned(),
            4 => ">\\ dGlt\\n".to_owned(),
            _ => format!("> {}", encoded(rng)),
        });
    }
    lines
}

fn mail(rng: &mut Rng) -> String {
    let claims = [
        "<>",
        "a@b",
        "a+40b",
        "a+2Bb@c",
        "a+4",
        "a+zz@b",
        "a+00@b",
        "x",
        "<a@b>",
        "a+20b@c",
        "",
        "\"ab\"@c",
        "+3C+3E",
        "a+0Ab@b",
        "x=y@b",
        "+E4@b",
        "a+2b@b",
        "a@b.test@c",
        "+",
        "x@me.test",
        "a,b@d",
    ];
    let sender = rng.pick(&["<a@b.test>", "<a@b.test>", "<>", "<x>"]);
    let word = rng.pick(&["AUTH", "AUTH", "auth"]);
    match rng.u32(..8) {
        0 => format!("MAIL FROM:{sender}"),
        1 => format!("MAIL FROM:{sender} SIZE=10 {word}={}", rng.pick(&claims)),
        2 => format!("MAIL FROM:{sender} {word}={} BODY=8BITMIME", rng.pick(&claims)),
        3 => format!("MAIL FROM:{sender} {word}={0} {word}={0}", rng.pick(&claims)),
        4 => format!("MAIL FROM:{sender} {word}"),
        _ => format!("MAIL FROM:{sender} {word}={}", rng.pick(&claims)),
    }
}

fn recipient(rng: &mut Rng) -> String {
    let parts = ["ok", "plain", "any", "not", "re", "bad", "sub"];
    format!("RCPT TO:<{}@me.test>", rng.pick(&parts))
}

fn odd(rng: &mut Rng) -> &'static str {
    rng.pick(&[
        "EHLO client.test",
        "EHLO x",
        "HELO x",
        "RSET",
        "NOOP",
        "NOSUCH",
        "HELP",
        "STARTTLS",
        "*",
        "AUTH",
        "VRFY x",
        "DATA",
    ])
}
