//! How fast clients send: `ratelimit` in all ACLs, over several sessions of one spool.

use fastrand::Rng;

use super::{Form, Quarry};
use crate::dice::Dice;

/// The ACLs, each with its option.
const ACLS: &[&str] = &["connect", "helo", "mail", "rcpt", "predata", "data", "quit", "notquit"];

/// What a limit may be.
const LIMITS: &[&str] = &[
    "0",
    "1",
    "2",
    "2",
    "3",
    "1.5",
    "0.5",
    "4.7",
    "100",
    "1K",
    "2k",
    "0.1M",
    "1G",
    "  2  ",
    "-1",
    "x",
    "",
    "2x",
    "$acl_c_limit",
    "${eval:1+1}",
    "1e1",
    ".5",
    "2.",
    "+2",
];

/// What a period may be.
const PERIODS: &[&str] = &[
    "1h",
    "1h",
    "2h",
    "1d",
    "1w",
    "1h30m",
    "1h 30m",
    "3600",
    "0s",
    "-1h",
    "x",
    "",
    "h",
    "1",
    "90m",
    "$acl_c_period",
    "1.5h",
];

/// What follows a limit and a period.
const OPTIONS: &[&str] = &[
    "per_conn",
    "per_mail",
    "per_rcpt",
    "per_cmd",
    "per_byte",
    "per_addr",
    "per_mail",
    "per_rcpt",
    "per_cmd",
    "per_conn",
    "leaky",
    "strict",
    "strict",
    "noupdate",
    "readonly",
    "count=2",
    "count=0",
    "count=-1",
    "count=x",
    "count=1.5",
    "count=$message_size",
    "count=${if >{$recipients_count}{1}{3}{1}}",
    "unique=$local_part",
    "unique=$sender_address",
    "unique=",
    "count=2/unique=$local_part",
    "per_rcpt/unique=$domain",
    "PER_RCPT",
    "per_nothing",
    "strict/leaky",
    "per_mail/per_rcpt",
    "noupdate/readonly",
    " strict ",
    "",
    "$sender_address",
    "k1",
    "k1",
    "k2",
    "${lc:K1}",
    "${mask:$sender_host_address/24}",
    "$authenticated_id",
    "a//b",
    "10.0.0.1",
    "${if eq{1}{2}{x}fail}",
    "${nothing:x}",
];

/// What is said of it.
const TOLD: &[&str] = &[
    "logwrite = NAME $sender_rate of $sender_rate_limit in $sender_rate_period",
    "log_message = NAME $sender_rate/$sender_rate_limit/$sender_rate_period",
    "message = NAME too fast: $sender_rate of $sender_rate_limit",
    "set acl_m_rate = $sender_rate",
    "set acl_c_rate = $acl_c_rate:$sender_rate",
    "add_header = X-Rate: $sender_rate",
    "delay = 0s",
];

/// What a client says.
const DIALOGUES: &[&str] = &[
    "MAIL FROM:<s@me.test>\\r\\nRCPT TO:<a@me.test>\\r\\nRCPT TO:<b@me.test>\\r\\n\
     DATA\\r\\nSubject: x\\r\\n\\r\\nbody\\r\\n.\\r\\n",
    "MAIL FROM:<s@me.test>\\r\\nRCPT TO:<a@me.test>\\r\\nDATA\\r\\nSubject: y\\r\\n\\r\\n\
     a longer body, a longer body\\r\\n.\\r\\n",
    "MAIL FROM:<s@me.test>\\r\\nRCPT TO:<a@me.test>\\r\\nRSET\\r\\n",
    "MAIL FROM:<>\\r\\nRCPT TO:<a@me.test>\\r\\nRCPT TO:<a@me.test>\\r\\nDATA\\r\\n\
     Subject: z\\r\\n\\r\\nbody\\r\\n.\\r\\n",
    "MAIL FROM:<t@me.test> SIZE=2000\\r\\nRCPT TO:<b@me.test>\\r\\nRSET\\r\\n",
    "EHLO other\\r\\n",
    "NOOP\\r\\n",
    "VRFY a@me.test\\r\\n",
    "MAIL FROM:<s@me.test> SIZE=100\\r\\nRCPT TO:<c@me.test>\\r\\nRCPT TO:<d@me.test>\\r\\n\
     RCPT TO:<e@me.test>\\r\\nRSET\\r\\n",
];

/// A condition with what is said of it.
fn term(rng: &mut Rng, name: &str) -> String {
    let verb = rng.pick(&["warn", "warn", "warn", "warn", "defer", "deny", "accept", "require"]);
    let mut text = format!("  {verb} {}ratelimit = ", rng.pick(&["", "", "", "", "!"]));
    // Mostly what makes sense.
    let sound = !rng.chance(5);
    text += if sound { LIMITS[rng.usize(..9)] } else { rng.pick(LIMITS) };
    text += rng.pick(&[" / ", "/", " / "]);
    text += if sound { PERIODS[rng.usize(..8)] } else { rng.pick(PERIODS) };
    for _ in 0..rng.usize(..4) {
        text += rng.pick(&[" / ", "/", " /"]);
        text += rng.pick(OPTIONS);
    }
    for _ in 0..rng.usize(1..3) {
        text += "\n    ";
        text += &rng.pick(TOLD).replace("NAME", name);
    }
    text
}

pub(super) fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Submission);
    quarry.fixed("## rates\n+++\nreceived_header_text = Received: by here");
    quarry.fixed("qualify_domain = me.test\nhost_lookup =\nlog_selector = +smtp_connection");
    let mut acls: Vec<&str> = (0..rng.usize(1..=4)).map(|_| rng.pick(ACLS)).collect();
    acls.sort_unstable();
    acls.dedup();
    if !acls.contains(&"rcpt") {
        acls.push("rcpt");
    }
    for acl in &acls {
        quarry.fixed(format!("acl_smtp_{acl} = acl_{acl}"));
    }
    quarry.fixed("begin acl");
    for acl in &acls {
        quarry.fixed(format!("acl_{acl}:"));
        if *acl == "connect" && rng.chance(2) {
            quarry.loose("  warn set acl_c_limit = 2\n    set acl_c_period = 1h");
        }
        for number in 0..rng.usize(1..4) {
            quarry.loose(term(rng, &format!("{acl}{number}")));
        }
        quarry.fixed("  accept");
    }
    quarry.fixed(
        "begin routers\nr:\n  driver = accept\n  transport = t\nbegin transports\n\
        t:\n  driver = appendfile\n  file = DIR/mail\nbegin retry\n* * F,1h,1m",
    );
    quarry.fixed("? -bs -oMa 10.1.1.1");
    let mut said = String::from("> EHLO me\\r\\n");
    for _ in 0..rng.usize(1..5) {
        said += rng.pick(DIALOGUES);
    }
    quarry.fixed(said + rng.pick(&["QUIT\\r\\n", "QUIT\\r\\n", "QUIT\\r\\n", ""]));
    for _ in 0..rng.usize(1..4) {
        quarry.loose(format!("@ -bs -oMa {}", rng.pick(&["10.1.1.1", "10.1.1.1", "10.1.1.2"])));
    }
    quarry
}
