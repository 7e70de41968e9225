//! A server that lets Dovecot decide, and a Dovecot that says what it likes.

use fastrand::Rng;

use super::super::{Form, Quarry};
use super::{condition, encoded};
use crate::dice::Dice;

const OPTIONS: &[&str] = &[
    "auth_advertise_hosts =",
    "acl_smtp_mail = \"warn logwrite = id=<$authenticated_id> <$auth1,$auth2> <$1,$2> \
     by=<$sender_host_authenticated>\\n  accept\"",
    "acl_smtp_auth = accept",
    "log_selector = +smtp_no_mail +incoming_interface",
    "event_action = ${if eq{$event_name}{auth:fail}{told $event_data}}",
    "smtp_return_error_details",
];

/// Where Dovecot is to be found.
const SOCKETS: &[&str] = &[
    "DIR/scanner1",
    "DIR/scanner1",
    "DIR/scanner1",
    "127.0.0.1 SCANNER1",
    "127.0.0.1  SCANNER1 x",
    "[127.0.0.1] SCANNER1",
    "localhost SCANNER1",
    "127.0.0.1 1",
    "127.0.0.1",
    "127.0.0.1 x",
    "DIR/nosuch",
    "DIR/conf",
    "scanner1",
    "${bad}",
];

/// What Dovecot says of itself, line by line.
const GREETING: [&str; 6] = [
    "VERSION\\t1\\t1\\n",
    "MECH\\tPLAIN\\tplaintext\\nMECH\\tLOGIN\\tplaintext\\nMECH\\tX-A\\n",
    "SPID\\t123\\n",
    "CUID\\t1\\n",
    "COOKIE\\t0123456789abcdef\\n",
    "DONE\\n",
];

/// What it may say in the place of a line.
const ODD: &[&str] = &[
    "",
    "VERSION\\t1\\n",
    "VERSION\\t1\\t2\\t3\\n",
    "VERSION\\t2\\t0\\n",
    "VERSION\\tx\\ty\\n",
    "version\\t1\\t1\\n",
    "MECH\\n",
    "MECH\\tOTHER\\n",
    "mech\\tplain\\n",
    "MECH\\t\\tPLAIN\\n",
    "SPID\\n",
    "DONE\\tnow\\n",
    "done\\n",
    "\\n",
    "\\t\\t\\n",
    "junk\\n",
    "NOSUCH\\ta\\tb\\n",
    "\\{900:long }\\n",
    "\\{9000:long }\\n",
    "DONE",
    "MECH\\tPLAIN\\r\\n",
    "\\0\\n",
];

/// How it may answer.
const ANSWERS: &[&str] = &[
    "OK\\t1\\tuser=tim\\n",
    "OK\\t1\\tuser=tim\\n",
    "OK\\t1\\tuser=tim\\textra=x\\n",
    "OK\\t1\\textra=x\\tuser=tim@x.test\\n",
    "OK\\t1\\n",
    "OK\\t1\\tuser=\\n",
    "OK\\t1\\tuser\\n",
    "OK\\n",
    "OK\\t2\\tuser=tim\\n",
    "OK\\t01\\tuser=tim\\n",
    "OK\\t1x\\tuser=tim\\n",
    "OK\\tx\\tuser=tim\\n",
    "ok\\t1\\tuser=tim\\n",
    "OK\\t1\\tUSER=tim\\n",
    "OK\\t1\\tuser=a b\\\\c \u{e9}\\n",
    "OK\\t1\\tuser=tim\\r\\n",
    "OK\\t1\\tuser=tim\\tuser=tom\\n",
    "OKAY\\t1\\tuser=tim\\n",
    "FAIL\\t1\\n",
    "FAIL\\t1\\tuser=tim\\treason=no\\n",
    "FAIL\\t1\\tuser=tim\\ttemp\\n",
    "FAIL\\t1\\tauthz\\tuser_disabled\\n",
    "FAIL\\t2\\n",
    "FAIL\\n",
    "fail\\t1\\tuser=tim\\n",
    "NOTFOUND\\t1\\n",
    "junk\\n",
    "\\n",
    "",
    "close",
    "CONT\\t1\\t\\n|line|OK\\t1\\tuser=tim\\n",
    "CONT\\t1\\tVXNlcm5hbWU6\\n|line|CONT\\t1\\tUGFzc3dvcmQ6\\n|line|OK\\t1\\tuser=tim\\n",
    "CONT\\t1\\tVXNlcm5hbWU6\\n|line|FAIL\\t1\\tuser=tim\\n",
    "CONT\\t1\\t!!\\n|line|OK\\t1\\tuser=tim\\n",
    "CONT\\t1\\tdGlt\\tx\\n|line|OK\\t1\\tuser=tim\\n",
    "CONT\\t2\\tdGlt\\n",
    "CONT\\n",
    "cont\\t1\\tdGlt\\n|line|ok\\t1\\tuser=tim\\n",
    "CONT\\t1\\t=\\n|line|OK\\t1\\tuser=tim\\n",
    "OK\\t1\\tuser=tim\\nFAIL\\t1\\n",
    "\\{900:x}\\n",
];

const IDS: &[&str] = &["$auth1", "$1", "$auth1-$auth2", "${bad}", "${if eq{1}{2}{x}fail}", ""];

pub(super) fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Submission);
    quarry.fixed("## dovecot\n+++\nreceived_header_text = Received: by here");
    quarry.fixed("smtp_enforce_sync = false\nauth_advertise_hosts = *\nacl_smtp_rcpt = accept");
    for option in rng.options(2, OPTIONS) {
        quarry.loose(option);
    }
    quarry.fixed("begin authenticators\nd:\n  driver = dovecot");
    let public = rng.pick(&["PLAIN", "PLAIN", "LOGIN", "X-A", "plain"]);
    quarry.fixed(format!("  public_name = {public}\n  server_socket = {}", rng.pick(SOCKETS)));
    if rng.chance(2) {
        quarry.loose(format!("  server_set_id = {}", rng.pick(IDS)));
    }
    if rng.chance(3) {
        quarry.loose(format!("  server_condition = {}", condition(rng)));
    }
    quarry
        .fixed(format!("? -oMa {} -oMi 192.0.2.9 -odq -bs", rng.pick(&["192.0.2.1", "127.0.0.1"])));
    quarry.loose("> EHLO c.test\\r\\n");
    for _ in 0..rng.usize(1..4) {
        quarry.loose(attempt(rng, public));
    }
    quarry.loose("> MAIL FROM:<a@b.test>\\r\\n");
    quarry.loose("> QUIT\\r\\n");
    let scripts = rng.some(1, 3, "%", script);
    quarry.fixed(format!("~ scanner1={scripts}"));
    quarry
}

/// What Dovecot says along a connection.
fn script(rng: &mut Rng) -> String {
    let mut greeting = GREETING.map(str::to_owned);
    if rng.chance(3) {
        let at = rng.usize(..greeting.len());
        greeting[at] = rng.pick(ODD).to_owned();
    }
    if rng.chance(8) {
        let at = rng.usize(1..greeting.len());
        greeting.swap(at - 1, at);
    }
    let greeting = greeting.concat();
    // What is known of the client comes in three lines.
    format!("{greeting}|line|line|line|{}", rng.pick(ANSWERS))
}

fn attempt(rng: &mut Rng, public: &str) -> String {
    let name = if rng.chance(8) { "PLAIN" } else { public };
    let mut text = match rng.chance(3) {
        true => format!("> AUTH {name}\\r\\n"),
        false => format!("> AUTH {name} {}\\r\\n", encoded(rng)),
    };
    for _ in 0..rng.usize(..3) {
        let answer = if rng.chance(8) { "*".to_owned() } else { encoded(rng) };
        text += &format!("\n> {answer}\\r\\n");
    }
    text
}
