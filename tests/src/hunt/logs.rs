//! What is logged, by every choice of `log_selector`, of messages that arrive in several ways
//! and go several ways.

use fastrand::Rng;

use super::{Form, Quarry};
use crate::dice::Dice;

/// What can be logged, but for what is another number each time.
const SELECTORS: &[&str] = &[
    "8bitmime",
    "acl_warn_skipped",
    "address_rewrite",
    "all_parents",
    "connection_reject",
    "delay_delivery",
    "dnslist_defer",
    "dnssec",
    "etrn",
    "host_lookup_failed",
    "incoming_interface",
    "incoming_port",
    "lost_incoming_connection",
    "msg_id",
    "msg_id_created",
    "outgoing_interface",
    "pipelining",
    "proxy",
    "queue_run",
    "queue_time_exclusive",
    "received_recipients",
    "received_sender",
    "rejected_header",
    "retry_defer",
    "return_path_on_delivery",
    "sender_on_delivery",
    "sender_verify_fail",
    "size_reject",
    "skip_delivery",
    "smtp_confirmation",
    "smtp_connection",
    "smtp_incomplete_transaction",
    "smtp_mailauth",
    "smtp_no_mail",
    "smtp_protocol_error",
    "smtp_syntax_error",
    "subject",
    "unknown_in_list",
];

const OPTIONS: &[&str] = &[
    "write_rejectlog = false",
    "message_logs = false",
    "preserve_message_logs",
    "print_topbitchars",
    "smtp_return_error_details",
    "rfc1413_query_timeout = 0s",
    "host_lookup = *",
    "smtp_max_synprot_errors = 1",
    "smtp_max_unknown_commands = 1",
    "recipients_max = 2",
    "recipients_max = 2\nrecipients_max_reject",
    "message_size_limit = 300",
    "smtp_accept_max_nonmail = 1",
    "acl_smtp_mail = warn log_message = at mail",
    "acl_smtp_connect = drop message = no\\n more\n  log_message = dropped",
    "acl_smtp_helo = deny",
    "acl_not_smtp = discard log_message = gone",
    "acl_not_smtp = deny message = no",
    "acl_not_smtp = accept control = freeze",
    "acl_not_smtp = accept control = queue_only",
    "acl_smtp_etrn = deny message = no",
    "acl_smtp_vrfy = accept",
    "acl_smtp_quit = warn log_message = bye",
    "acl_smtp_notquit = warn logwrite = :main,reject: nq $smtp_notquit_reason",
    "acl_smtp_predata = defer message = wait",
    "acl_smtp_data = discard log_message = gone",
    "acl_smtp_data = deny message = no\\tdata",
    "acl_smtp_data = defer message = \\N452 x\\n452 y\\N",
    "acl_smtp_data = accept control = fakereject/faked",
    "acl_smtp_data = accept control = fakedefer",
    "acl_smtp_data = accept control = freeze/no_tell",
    "queue_only",
    "queue_domains = x.test",
    "hold_domains = y.test",
    "no_delivery_date_remove",
    "extract_addresses_remove_arguments = false",
    "log_reject_target =",
];

/// What the main ACL says of recipients.
const RCPT: &[&str] = &[
    "  deny local_parts = no\n    message = refused\\n twice\n    log_message = logged",
    "  deny local_parts = no\n    log_message =",
    "  defer local_parts = later",
    "  discard local_parts = gone\n    log_message = away",
    "  drop local_parts = drop\n    message = 550 5.7.1 bye",
    "  warn log_message = warned $local_part",
    "  warn condition = ${if eq{$local_part}{a}{:}}\n    log_message = never",
    "  warn condition = ${nosuch}",
    "  warn hosts = nosuch.invalid : *\n    logwrite = written",
    "  warn logwrite = :reject,main: both\\n lines",
    "  warn logwrite = :panic: no\n    condition = no",
    "  require verify = recipient",
    "  require verify = sender",
    "  require message = unverified\n    !verify = sender",
    "  deny senders = s@l.test\n    log_reject_target = panic:main",
    "  deny local_parts = no\n    log_reject_target = reject",
    "  warn !verify = header_syntax",
];

/// A configuration, and what is done with it.
pub fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Submission);
    quarry.fixed("+++\nreceived_header_text = Received: by here\nqualify_domain = l.test");
    quarry.fixed("acl_smtp_rcpt = rcpt");
    let mut words = Vec::new();
    if rng.chance(3) {
        words.push(
            "+all -arguments -delivery_size -pid -millisec -receive_time -deliver_time -queue_time_overall \
             -queue_time -connection_id -outgoing_port"
                .to_owned(),
        );
    }
    for _ in 0..rng.usize(..6) {
        words.push(format!("{}{}", rng.pick(&["+", "+", "-"]), rng.pick(SELECTORS)));
    }
    quarry.fixed(format!("log_selector = {}", words.join(" ")));
    for option in rng.options(3, OPTIONS) {
        quarry.loose(option);
    }
    quarry.fixed("begin acl\nrcpt:");
    for _ in 0..rng.usize(..3) {
        quarry.loose(rng.pick(RCPT));
    }
    quarry.fixed("  accept\nbegin routers");
    quarry.fixed(
        "list:\n  driver = redirect\n  domains = l.test\n  local_parts = list : one\n  \
         data = ${if eq{$local_part}{list}{a@l.test, fail@l.test, b@x.test}{a}}",
    );
    if rng.chance(3) {
        quarry.loose("copy:\n  driver = accept\n  domains = l.test\n  unseen\n  transport = other");
    }
    quarry.fixed(
        "bad:\n  driver = redirect\n  domains = l.test\n  local_parts = fail : defer : null\n  \
         allow_fail\n  allow_defer\n  data = ${if eq{$local_part}{null}{:blackhole:}\
         {:$local_part: because\\n of it}}",
    );
    quarry.fixed("loc:\n  driver = accept\n  domains = l.test\n  transport = box");
    quarry.fixed(
        "away:\n  driver = manualroute\n  route_list = *.test 127.0.0.2\n  self = send\n  \
         transport = smtp\nbegin transports\nsmtp:\n  driver = smtp\n  port = PORT\n  \
         hosts_try_fastopen =\n  allow_localhost",
    );
    for option in rng
        .options(2, &["hosts_avoid_pipelining = *", "max_rcpt = 1", "connection_max_messages = 1"])
    {
        quarry.loose(format!("  {option}"));
    }
    quarry.fixed(
        "box:\n  driver = appendfile\n  file = DIR/mail/box\n  user = Debian-exim\n\
         other:\n  driver = appendfile\n  file = DIR/mail/other\n  user = Debian-exim",
    );
    if rng.chance(4) {
        quarry.loose("  disable_logging");
    }
    quarry.fixed("begin retry").loose("* * F,1h,1m").fixed("begin rewrite");
    if rng.chance(4) {
        quarry.loose("old@l.test new@l.test SFfr");
    }
    if rng.chance(2) {
        session(rng, &mut quarry);
    } else {
        local(rng, &mut quarry);
    }
    for _ in 0..rng.usize(..3) {
        if rng.chance(2) {
            let answers = [
                "ext=PIPELINING",
                "rcpt:b=550 no\\s\\sb",
                "rcpt:b=450 later",
                "end=250 OK id=1\\xe9x",
                "end=550 spam",
                "end=450 busy",
                "banner=421 away|close",
                "mail=550 sender",
                "data=450 d",
                "ext=CHUNKING",
                "ext=8BITMIME",
            ];
            quarry.loose(format!("~ 127.0.0.2 {}", rng.pick(&answers)));
        }
        quarry
            .loose(format!("@ {}", rng.pick(&["-q", "-qf", "-qff", "-Mrm ID", "-M ID", "-Mg ID"])));
    }
    quarry
}

const RECIPIENTS: &[&str] = &[
    "a@l.test",
    "b@x.test",
    "no@l.test",
    "later@l.test",
    "gone@l.test",
    "drop@l.test",
    "list@l.test",
    "one@l.test",
    "fail@l.test",
    "defer@l.test",
    "null@l.test",
    "c@y.test",
    "old@l.test",
    "b@none.invalid",
];

fn session(rng: &mut Rng, quarry: &mut Quarry) {
    let host = rng.pick(&[
        "",
        "",
        "-oMa 192.0.2.1 ",
        "-oMa 192.0.2.1.25 -oMi 192.0.2.9.25 ",
        "-oMt id -oMa 192.0.2.1 ",
    ]);
    quarry.fixed(format!("? {host}-odi -bs"));
    for _ in 0..rng.usize(..2) {
        let all = [
            "NOOP",
            "HELP",
            "FOO",
            "VRFY a",
            "EXPN list",
            "ETRN #x",
            "MAIL FROM:<a@b",
            "RCPT TO:<a@l.test>",
            "DATA",
            "EHLO",
            "RSET",
            "HELO b\u{e9}",
            "",
            "STARTTLS",
            "AUTH PLAIN",
        ];
        quarry.loose(format!("> {}\\r\\n", rng.pick(&all)));
    }
    quarry.loose(rng.pick(&["> EHLO c.test\\r\\n", "> HELO c.test\\r\\n"]));
    for _ in 0..rng.usize(1..3) {
        let senders = [
            "<s@l.test>",
            "<s@l.test>",
            "<>",
            "<old@l.test>",
            "<fail@l.test>",
            "<x> SIZE=100",
            "<s@l.test> SIZE=9999",
            "<s@l.test> BODY=8BITMIME",
            "<s@x.test> AUTH=<>",
        ];
        quarry.loose(format!("> MAIL FROM:{}\\r\\n", rng.pick(&senders)));
        for _ in 0..rng.usize(..4) {
            quarry.loose(format!("> RCPT TO:<{}>\\r\\n", rng.pick(RECIPIENTS)));
        }
        if rng.chance(6) {
            quarry.loose(rng.pick(&[
                "> RSET\\r\\n",
                "> QUIT\\r\\n",
                "> FOO\\r\\n",
                "> MAIL FROM:<b@c>\\r\\n",
            ]));
        }
        quarry.loose("> DATA\\r\\n");
        let subjects = ["x", "a\\xe9 \\\"q\\\"", "=?utf-8?q?=c3=a9?=", "\\{120:s}"];
        quarry.loose(format!("> Subject: {}\\r\\n", rng.pick(&subjects)));
        quarry.loose(format!(
            "> {}\\r\\n",
            rng.pick(&["From: a@@", "From: old@l.test", "X: y", "Message-Id: <i@d>"])
        ));
        quarry.loose(format!("> \\r\\n\\{{{}:text\\r\\n}}", rng.pick(&["1", "1", "90"])));
        quarry.loose("> .\\r\\n");
    }
    if !rng.chance(4) {
        quarry.loose("> QUIT\\r\\n");
    }
}

fn local(rng: &mut Rng, quarry: &mut Quarry) {
    let options = rng.some(0, 2, " ", |rng| {
        rng.pick(&[
            "-f s@l.test",
            "-f <>",
            "-f old@l.test",
            "-odq",
            "-oem",
            "-oMr p",
            "-oMt id",
            "-oMa 192.0.2.1",
            "-oMs h.test",
            "-oMaa auth",
            "-oMai who",
            "-oMas b@c",
            "-t",
        ])
        .to_owned()
    });
    let recipients = rng.some(1, 3, " ", |rng| rng.pick(RECIPIENTS).to_owned());
    let words = format!("-odi {options} {recipients}").replace("  ", " ");
    quarry.fixed(format!("? {words}"));
    let all = [
        "Subject: x",
        "Subject: a\\xe9 \\\"q\\\"",
        "From: a@@",
        "To: a@l.test",
        "Message-Id: <i@d>",
        "To: bad@@",
        "Bcc: b@x.test",
    ];
    for _ in 0..rng.usize(..4) {
        quarry.loose(format!("> {}\\n", rng.pick(&all)));
    }
    quarry.loose(format!("> \\n\\{{{}:text\\n}}", rng.pick(&["1", "1", "90"])));
}
