//! Several hosts that go wrong, each in its own way, over several runs of the queue.

use fastrand::Rng;

use super::{Form, Quarry};
use crate::dice::Dice;

/// How a host goes wrong.
const FAULTS: &[&str] = &[
    "banner=close",
    "banner=421 busy|close",
    "banner=554 go away",
    "banner=450 not now",
    "ehlo=550 no",
    "ehlo=421 no|close",
    "ehlo=close",
    "mail=450 m",
    "mail=550 m",
    "mail=421 m|close",
    "mail=close",
    "rcpt:@=450 r",
    "rcpt:@=550 r",
    "rcpt:@=421 r|close",
    "rcpt:@=452 many",
    "rcpt:@=close",
    "rcpt:f=550 no",
    "rcpt:d=450 later",
    "data=450 d",
    "data=550 d",
    "data=421 d|close",
    "end=450 t",
    "end=550 t",
    "end=421 t|close",
    "rset=500 x",
];

/// What a host that is well may offer.
const OFFERS: &[&str] = &[
    "ext=",
    "ext=PIPELINING",
    "ext=SIZE 1000",
    "ext=SIZE 100",
    "ext=LIMITS MAILMAX=1",
    "ext=DSN",
    "ext=8BITMIME",
    "ext=CHUNKING",
];

const OPTIONS: &[&str] = &[
    "hosts_max_try = 1",
    "hosts_max_try = 2",
    "hosts_max_try_hardlimit = 1",
    "hosts_max_try_hardlimit = 2",
    "retry_include_ip_address = false",
    "delay_after_cutoff = false",
    "no_address_retry_include_sender",
    "hosts_avoid_pipelining = *",
    "hosts_try_chunking =",
    "hosts_pipe_connect = *",
    "connection_max_messages = 1",
    "multi_domain = false",
];

/// Its hosts, each of which is in one list.
const DOMAINS: [(&str, &str); 2] =
    [("x.test", "127.0.0.2:127.0.0.3"), ("y.test", "127.0.0.4:127.0.0.5")];

pub(super) fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Submission);
    quarry.fixed("## hosts\n+++\nreceived_header_text = Received: by here");
    quarry.fixed("remote_max_parallel = 1\nqueue_run_in_order\nbegin routers");
    quarry.fixed("loc:\n  driver = accept\n  domains = l.test\n  transport = box");
    let lists = DOMAINS.map(|(domain, hosts)| format!("{domain} {hosts}")).join(" ; ");
    quarry.fixed(format!(
        "away:\n  driver = manualroute\n  route_list = {lists}\n  self = send\n  \
         hosts_randomize = false\n  transport = smtp\nbegin transports\nbox:\n  \
         driver = appendfile\n  file = DIR/mail/box\n  user = Debian-exim\nsmtp:\n  \
         driver = smtp\n  port = PORT\n  hosts_try_fastopen =\n  allow_localhost"
    ));
    for option in rng.options(3, OPTIONS) {
        quarry.loose(format!("  {option}"));
    }
    quarry.fixed("begin retry");
    for _ in 0..rng.usize(..3) {
        let subject = rng.pick(&["*", "x.test", "y.test", "127.0.0.2", "127.0.0.3", "d1@x.test"]);
        let errors =
            ["*", "refused", "lost_connection", "rcpt_4xx", "rcpt_452", "mail_4xx", "data_4xx"];
        let rule = rng.pick(&["F,1h,1m", "", "F,5d,1h", "G,1h,1m,2"]);
        quarry.loose(format!("{subject} {} {rule}", rng.pick(&errors)).trim_end());
    }
    quarry.loose(rng.pick(&["* * F,1h,1m", "* * F,5d,1h"]));
    let sender = rng.pick(&["s@l.test", "s@l.test", "<>"]);
    let recipients = rng.some(1, 3, " ", |rng| {
        rng.pick(&["a1@x.test", "f1@x.test", "d1@x.test", "a1@y.test", "d1@y.test"]).to_owned()
    });
    quarry.fixed(format!("? -odq -f {sender} {recipients}"));
    quarry.fixed("> Subject: x\\n\\n\\{60:body\\n}");
    for run in 0..3 {
        if run > 0 && rng.chance(3) {
            quarry.loose("@ age=4000 -bp");
        }
        for number in 2..=5 {
            let host = format!("127.0.0.{number}");
            match rng.u32(..6) {
                0 => quarry.loose(format!("~ {host} {}", rng.pick(OFFERS))),
                1 | 2 => continue,
                _ => quarry.loose(format!("~ {host} {}", rng.pick(FAULTS))),
            };
        }
        quarry.loose(format!("@ {}", rng.pick(&["-q", "-q", "-qf", "-qff", "-qqff"])));
    }
    quarry.loose("@ -bp");
    quarry.loose("@ hints");
    quarry
}
