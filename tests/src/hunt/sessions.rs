//! Sessions of SMTP: commands in any order and form, with options that change what they
//! mean.

use fastrand::Rng;

use super::{Form, Quarry};
use crate::dice::Dice;

const HEAD: &str = "primary_hostname = me.test
spool_directory = DIR/spool
log_file_path = DIR/log/%slog
keep_environment =
tls_advertise_hosts =
qualify_domain = me.test
domainlist local_domains = me.test
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = acl_data
acl_smtp_vrfy = accept
acl_smtp_expn = accept
acl_smtp_etrn = accept";

/// Options that may be set.
const OPTIONS: &[&str] = &[
    "smtp_max_synprot_errors = 1",
    "smtp_max_unknown_commands = 1",
    "smtp_accept_max_nonmail = 2",
    "smtp_accept_max_nonmail_hosts = !*",
    "recipients_max = 2",
    "recipients_max_reject",
    "prdr_enable",
    "dsn_advertise_hosts = *",
    "chunking_advertise_hosts =",
    "hosts_require_helo = *",
    "helo_verify_hosts = *",
    "helo_try_verify_hosts = *",
    "helo_accept_junk_hosts = *",
    "helo_allow_chars = _",
    "helo_lookup_domains = *",
    "sender_unqualified_hosts = *",
    "recipient_unqualified_hosts = *",
    "smtp_enforce_sync = false",
    "smtp_return_error_details",
    "smtputf8_advertise_hosts = *",
    "message_size_limit = 100",
    "strip_excess_angle_brackets",
    "strip_trailing_dot",
    "allow_domain_literals",
    "smtp_check_spool_space = false",
    "pipelining_advertise_hosts =",
    "accept_8bitmime = false",
    "smtp_accept_max_per_connection = 1",
    "smtp_banner = hello $tod_full\\nthere",
    "received_headers_max = 2",
    "header_maxsize = 200",
    "header_line_maxsize = 50",
    "limits_advertise_hosts = *",
    "allow_utf8_domains",
    "log_selector = +all -pid -millisec -unknown_in_list",
    "ignore_fromline_hosts = *",
    "smtp_etrn_command = /bin/true",
    "acl_smtp_helo = deny condition = ${if eq{$sender_helo_name}{x}}",
    "acl_smtp_mail = deny senders = bad@me.test",
    "acl_smtp_predata = deny condition = no",
];

const TAIL: &str = "begin acl
acl_rcpt:
  deny local_parts = no
       message = not $local_part
  discard local_parts = void
  defer local_parts = later
  accept
acl_data:
  deny condition = ${if eq{$h_subject:}{bad}}
  accept
begin routers
local:
  driver = accept
  domains = +local_domains
  transport = null
begin transports
null:
  driver = appendfile
  file = /dev/null
begin rewrite
rw@me.test ann@me.test FT
*@smtp.test $1@me.test S";

/// A configuration, and a session.
pub fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Dialogue);
    quarry.fixed("+++ exim.conf").fixed(HEAD);
    let mut set = Vec::new();
    for _ in 0..rng.usize(..6) {
        let option = rng.pick(OPTIONS);
        if !set.contains(&option) {
            set.push(option);
            quarry.loose(option);
        }
    }
    quarry.fixed(TAIL);
    let client = rng.pick(&["192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1"]);
    quarry.fixed(format!("? hunt -bh {client}"));
    if !rng.chance(6) {
        quarry.loose("> EHLO client.test");
    }
    for _ in 0..rng.usize(3..16) {
        // What follows belongs to it: a message, a chunk.
        let mut lines = match rng.u32(..10) {
            0..=2 => vec![format!("> {}", mail(rng))],
            3..=5 => vec![format!("> {}", recipient(rng))],
            6 => vec!["> DATA".to_owned(), format!(">\\ {}", message(rng))],
            7 => vec![chunk(rng)],
            _ => vec![format!("> {}", odd(rng))],
        };
        if rng.chance(8) {
            lines[0] = lines[0].replacen('>', ">&", 1);
        }
        quarry.loose(lines.join("\n"));
    }
    quarry.loose("> QUIT");
    quarry
}

fn spelled(rng: &mut Rng, word: &str) -> String {
    match rng.u32(..8) {
        0 => word.to_lowercase(),
        1 => word.replace(' ', "  "),
        2 => format!("{word} "),
        3 => word.replace(':', ": "),
        _ => word.to_owned(),
    }
}

fn address(rng: &mut Rng) -> &'static str {
    rng.pick(&[
        "<ann@me.test>",
        "<bob@me.test>",
        "<no@me.test>",
        "<void@me.test>",
        "<later@me.test>",
        "<>",
        "<rw@me.test>",
        "<x@smtp.test>",
        "ann@me.test",
        "<ann>",
        "<@a.test,@b.test:ann@me.test>",
        "<\"a b\"@me.test>",
        "<ann@me.test",
        "ann@me.test>",
        "<<ann@me.test>>",
        "<ann@me.test.>",
        "<ann@[192.0.2.1]>",
        "<postmaster>",
        "<ann@@me.test>",
        "<a(c)b@me.test>",
        "Ann <ann@me.test>",
        "<ann@me..test>",
        "<\\x41nn@me.test>",
        "< ann@me.test >",
        "<bad@me.test>",
        "",
        "<ann@>",
        "<@me.test>",
        "<.ann@me.test>",
        "<a.b@me.test>",
        "<ann@-me.test>",
    ])
}

fn parameters(rng: &mut Rng, all: &[&'static str]) -> String {
    rng.some(0, 2, "", |rng| match rng.chance(2) {
        true => format!(" {}", rng.pick(all)),
        false => String::new(),
    })
}

fn mail(rng: &mut Rng) -> String {
    let all = [
        "SIZE=10",
        "SIZE=1000",
        "SIZE=",
        "SIZE=x",
        "BODY=8BITMIME",
        "BODY=7BIT",
        "BODY=x",
        "RET=HDRS",
        "RET=FULL",
        "RET=x",
        "ENVID=a+2Bb",
        "ENVID=",
        "PRDR",
        "SMTPUTF8",
        "AUTH=<>",
        "AUTH=a@b",
        "NOSUCH",
        "NOSUCH=1",
        "size=20",
        "BODY=BINARYMIME",
    ];
    let head = spelled(rng, "MAIL FROM:");
    format!("{head}{}{}", address(rng), parameters(rng, &all))
}

fn recipient(rng: &mut Rng) -> String {
    let all = [
        "NOTIFY=NEVER",
        "NOTIFY=SUCCESS,FAILURE",
        "NOTIFY=x",
        "NOTIFY=",
        "ORCPT=rfc822;a@b",
        "ORCPT=",
        "NOSUCH",
        "NOTIFY=NEVER,DELAY",
        "ORCPT=x",
    ];
    let head = spelled(rng, "RCPT TO:");
    format!("{head}{}{}", address(rng), parameters(rng, &all))
}

fn message(rng: &mut Rng) -> String {
    let header = rng.some(0, 4, "", |rng| {
        let lines = [
            "From: ann@me.test\\r\\n",
            "To: bob@me.test\\r\\n",
            "Subject: x\\r\\n",
            "Subject: bad\\r\\n",
            "X: a\\r\\n b\\r\\n",
            "Received: by x\\r\\n",
            "no header\\r\\n",
            "Bcc: x@y\\r\\n",
            "X:\\r\\n",
            "From ann Mon Jan  1 00:00:00 2024\\r\\n",
            "Sender: z@z\\r\\n",
            "X: \\{60:a}\\r\\n",
            " y\\r\\n",
            "X : y\\r\\n",
            "Resent-To: bob\\r\\n",
            "From: bob\\n",
        ];
        rng.pick(&lines).to_owned()
    });
    let body = rng.some(0, 3, "", |rng| {
        let lines = [
            "text\\r\\n",
            "..\\r\\n",
            ".x\\r\\n",
            "a\\nb\\r\\n",
            ".\\n",
            "\\x80\\r\\n",
            "\\{30:xy}\\r\\n",
            "a\\rb\\r\\n",
        ];
        rng.pick(&lines).to_owned()
    });
    format!("{header}\\r\\n{body}.\\r\\n")
}

fn chunk(rng: &mut Rng) -> String {
    let last = rng.pick(&["", " LAST", " last"]);
    match rng.u32(..6) {
        0 => format!(">\\ BDAT 0{last}\\r\\n"),
        1 => format!(">\\ BDAT 4{last}\\r\\nX:y\\n"),
        2 => format!(">\\ BDAT 20{last}\\r\\nSubject: x\\r\\n\\r\\nbody\\r\\n"),
        3 => format!(">\\ BDAT 9{last}\\r\\nx.\\r\\n.\\r\\nab"),
        4 => format!("> BDAT{last}"),
        _ => format!("> BDAT x{last}"),
    }
}

fn odd(rng: &mut Rng) -> String {
    let all = [
        "RSET",
        "NOOP",
        "NOOP x",
        "HELP",
        "VRFY ann",
        "VRFY <nobody>",
        "EXPN ann",
        "ETRN #x",
        "ETRN",
        "EHLO client.test",
        "HELO client.test",
        "EHLO",
        "HELO",
        "EHLO x",
        "HELO a b",
        "EHLO [192.0.2.1]",
        "EHLO (",
        "STARTTLS",
        "AUTH PLAIN",
        "AUTH",
        "DATA",
        "DATA x",
        "MAIL",
        "RCPT",
        "MAIL x",
        "RCPT TO",
        "NOSUCH",
        "",
        " ",
        "\\x80",
        "RSET x",
        "QUIT x",
        "VRFY",
        "EXPN",
        "XCLIENT ADDR=1",
        "MAILFROM:<a@b>",
        "EHLO client.test",
        "MAIL FROM",
        "ATRN x",
        "helo client.test",
        "EHLO a_b",
        "EHLO me.test",
    ];
    let text = rng.pick(&all);
    spelled(rng, text)
}
