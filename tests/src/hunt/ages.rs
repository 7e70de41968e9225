//! Messages that wait, are frozen or have been warned of, and what becomes of them as they
//! grow old.

use fastrand::Rng;

use super::{Form, Quarry};
use crate::dice::Dice;

/// What a site may have set, with how many others of the same option.
const OPTIONS: &[&[&str]] = &[
    &[
        "delay_warning = 1h",
        "delay_warning = 1h:3h:6h",
        "delay_warning = 0s",
        "delay_warning = 5m:10m",
        "delay_warning = 10m:1h",
    ],
    &[
        "delay_warning_condition = no",
        "delay_warning_condition = ${if match{$h_subject:}{x}}",
        "delay_warning_condition = ${if eq{$h_precedence:}{bulk}{no}{yes}}",
        "delay_warning_condition = fail",
    ],
    &[
        "timeout_frozen_after = 1h",
        "timeout_frozen_after = 3h",
        "timeout_frozen_after = 7d",
        "timeout_frozen_after = 0s",
    ],
    &["auto_thaw = 30m", "auto_thaw = 2h", "auto_thaw = 5d"],
    &[
        "ignore_bounce_errors_after = 0s",
        "ignore_bounce_errors_after = 1h",
        "ignore_bounce_errors_after = 3h",
    ],
    &["freeze_tell = pm@l.test", "freeze_tell = pm@l.test, box2@l.test"],
    &[
        "errors_copy = *@* cp@l.test",
        "errors_copy = *@x.test cp@l.test",
        "errors_copy = s@* \"cp@l.test, o@l.test\"",
        "errors_copy = s@* cp@l.test : *@l.test $local_part@l.test",
    ],
    &["errors_reply_to = help@l.test"],
    &["bounce_return_size_limit = 20", "bounce_return_body = false"],
    &["dsn_from = Robot <robot@l.test>", "dsn_from = \"$qualify_domain robot@l.test\""],
    &["move_frozen_messages"],
    &[
        "log_selector = +queue_time",
        "log_selector = -skip_delivery -queue_run",
        "log_selector = -retry_defer +sender_on_delivery",
        "log_selector = +all_parents",
    ],
    &["bounce_sender_authentication = a@b"],
    &["warn_message_file = DIR/warn", "bounce_message_file = DIR/bounce"],
    &["bounce_message_text = Sorry."],
];

/// The routers and transports.
const REST: &str = "begin routers\ndf:\n  driver = redirect\n  local_parts = df\n  allow_defer\n  \
    data = :defer: not now\nfl:\n  driver = redirect\n  local_parts = fl\n  allow_fail\n  \
    data = :fail: never\nlist:\n  driver = redirect\n  local_parts = list\n  \
    data = df@l.test, a@x.test, box@l.test\n  ERRORS\nrem:\n  driver = manualroute\n  \
    domains = x.test\n  route_list = * 127.0.0.9\n  self = send\n  transport = t\nloc:\n  \
    driver = accept\n  domains = l.test\n  local_parts = box : box2 : pm : cp : o : s : help : robot\n  \
    transport = box\nbegin transports\nbox:\n  driver = appendfile\n  \
    file = DIR/mail/$local_part_data\n  user = Debian-exim\nt:\n  driver = smtp\n  port = 9\n  \
    hosts_try_fastopen =\n  allow_localhost\nbegin retry";

/// The files that options name.
const FILES: &str = "+++ warn\nSubject: Wait\n\n****\nIt waits: $message_age.\n****\n\
    Wait on.\n+++ bounce\nSubject: Sorry\nX-Own: yes\n****\nIt failed.\n****\nThese:\n****\nCopy:\n\
    ****\nHuge:\n****\nEnd.";

/// For how long messages wait, in seconds.
const AGES: [u32; 10] = [1, 305, 1805, 3590, 3700, 7100, 7300, 12_000, 24_000, 500_000];

pub(super) fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Submission);
    quarry.fixed("## ages\n+++\nreceived_header_text = Received: by here\nqueue_run_in_order");
    for options in OPTIONS {
        if rng.chance(4) {
            quarry.loose(rng.pick(options));
        }
    }
    let frozen = rng.chance(3);
    if frozen {
        quarry.loose("acl_not_smtp = acl_in");
    }
    quarry.fixed("begin acl\nacl_in:\n  accept !senders = :\n    control = freeze\n  accept");
    let errors = rng.pick(&["", "", "errors_to = o@l.test"]);
    quarry.fixed(REST.replace("ERRORS", errors));
    for _ in 0..rng.usize(..3) {
        let subject = rng.pick(&["*", "x.test", "l.test", "df@l.test"]);
        let error = rng.pick(&["*", "refused", "refused_A", "timeout"]);
        let rule = rng.pick(&["F,1h,1m", "F,3h,15m", "F,5d,1h", "", "F,2h,5m; G,16h,1h,1.5"]);
        quarry.loose(format!("{subject} {error} {rule}").trim_end());
    }
    quarry.loose(rng.pick(&["* * F,2h,15m; G,16h,1h,1.5; F,4d,6h", "* * F,1h,1m", "* * F,5d,1h"]));
    quarry.fixed(FILES);
    let sender = rng.pick(&["s@l.test", "s@l.test", "<>", "s@x.test"]);
    let recipients = rng.some(1, 3, " ", |rng| {
        let all = ["df@l.test", "fl@l.test", "u1@l.test", "box@l.test", "a@x.test", "list@l.test"];
        rng.pick(&all).to_owned()
    });
    quarry.fixed(format!("? -odq -f {sender} {recipients}"));
    let header =
        ["", "", "Precedence: bulk\\n", "List-Id: x\\n", "Auto-Submitted: auto-replied\\n"];
    quarry.fixed(format!("> {}Subject: x\\n\\nbody, quite a lot of it\\n", rng.pick(&header)));
    for _ in 0..rng.usize(1..5) {
        let run = rng.pick(&["-q", "-q", "-qf", "-qff"]);
        quarry.loose(match rng.chance(4) {
            true => format!("@ {run}"),
            false => format!("@ age={} {run}", AGES[rng.usize(..AGES.len())]),
        });
    }
    quarry.loose("@ -bp");
    quarry.loose("@ hints");
    quarry.loose("@ -q");
    quarry
}
