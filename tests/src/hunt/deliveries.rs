//! Lists within lists, whose addresses arrive, fail or wait, over several attempts.

use fastrand::Rng;

use super::{Form, Quarry};
use crate::dice::Dice;

/// The names of the lists.
const LISTS: [&str; 6] = ["la", "lb", "lc", "ld", "le", "lf"];

/// What a list may have beside other lists. Those that wait arrive when the message is old.
const MEMBERS: [&str; 14] = [
    "box1@me.test",
    "box2@me.test",
    "Box1@ME.TEST",
    "late1@other.test",
    "late2@other.test",
    "Late1@Other.Test",
    "never1@other.test",
    "never2@other.test",
    "|/bin/false",
    "|/bin/true",
    "\"|/bin/sh -c 'exit 75'\"",
    "DIR/mail/one",
    "DIR/mail/two",
    "unrouteable@nowhere.test",
];

/// Options that a list may have.
const OPTIONS: [&str; 8] = [
    "one_time",
    "one_time",
    "hide_child_in_errmsg",
    "errors_to = errors@me.test",
    "errors_to = late1@other.test",
    "errors_to =",
    "repeat_use = no",
    "forbid_pipe",
];

/// The routers for what is no list, and the transports.
const REST: &str = "late:\n  driver = redirect\n  domains = other.test\n  local_parts = ^late\n  \
    data = ${if >{$message_age}{1000}{box3@me.test}{:defer: not now}}\n  allow_defer\nnever:\n  \
    driver = redirect\n  domains = other.test\n  data = :fail: no\n  allow_fail\nall:\n  \
    driver = accept\n  domains = me.test\n  transport = box\nbegin transports\nbox:\n  \
    driver = appendfile\n  user = Debian-exim\n  file = DIR/mail/box\n  message_prefix =\n  \
    message_suffix =\nfile:\n  driver = appendfile\n  user = Debian-exim\n  message_prefix =\n  \
    message_suffix =\npipe:\n  driver = pipe\n  user = Debian-exim\nbegin retry\n* * F,8d,1h";

pub(super) fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Submission);
    quarry.fixed("## lists");
    quarry.fixed("+++");
    quarry.fixed("received_header_text = Received: by here");
    quarry.fixed("bounce_return_size_limit = 100");
    if rng.chance(3) {
        quarry.loose("log_selector = +all_parents");
    }
    quarry.fixed("begin routers");
    let count = rng.usize(2..=LISTS.len());
    for name in &LISTS[..count] {
        let members = rng.some(1, 4, ", ", |rng| match rng.chance(3) {
            true => format!("{}@me.test", rng.pick(&LISTS[..count])),
            false => rng.pick(&MEMBERS).to_owned(),
        });
        quarry.fixed(format!(
            "{name}:\n  driver = redirect\n  domains = me.test\n  local_parts = {name}\n  \
             data = {members}\n  pipe_transport = pipe\n  file_transport = file"
        ));
        if rng.chance(2) {
            quarry.loose(format!("  {}", rng.pick(&OPTIONS)));
        }
    }
    quarry.fixed(REST);
    let recipients = rng.some(1, 4, " ", |rng| match rng.chance(3) {
        true => rng.pick(&["box1@me.test", "late1@other.test", "never1@other.test"]).to_owned(),
        false => format!("{}@me.test", rng.pick(&LISTS[..count])),
    });
    quarry.fixed(format!("? -odi -f sender@me.test {recipients}"));
    quarry.fixed("> Subject: x\\n\\nbody\\n");
    for run in ["@ -qff", "@ -bp", "@ age=3600 -qff", "@ -qff", "@ -bp"] {
        quarry.loose(run);
    }
    quarry
}
