//! Sites whose aliases and hosts change from attempt to attempt.

use fastrand::Rng;

use super::{Form, Quarry};
use crate::dice::Dice;

/// The names that have aliases.
const NAMES: [&str; 5] = ["na", "nb", "nc", "nd", "ne"];

/// What a name may stand for beside other names.
const MEMBERS: [&str; 19] = [
    "box1@l.test",
    "box2@l.test",
    "Box1@L.TEST",
    "box1+tag@l.test",
    "r1@x.test",
    "r2@x.test",
    "R1@X.test",
    "r1@y.test",
    "r3@y.test",
    "|/bin/false",
    "|/bin/true",
    "\"|/bin/sh -c 'exit 75'\"",
    "DIR/mail/one",
    "DIR/mail/two",
    "DIR/nowhere/three",
    ":blackhole:",
    ":fail: no such thing",
    ":defer: not now",
    "unrouteable@nowhere.test",
];

/// Options of routers that redirect.
const REDIRECTS: [&str; 17] = [
    "one_time",
    "unseen",
    "unseen = ${if match{$local_part}{^n[ab]}{yes}{no}}",
    "check_ancestor",
    "repeat_use = no",
    "hide_child_in_errmsg",
    "errors_to = errors@l.test",
    "errors_to = r1@x.test",
    "errors_to = nobody@nowhere.test",
    "errors_to = no address",
    "errors_to = s@l.test",
    "errors_to = ${if <{$message_age}{1000}{errors@l.test}{<>}}",
    "local_part_suffix = +*\n  local_part_suffix_optional",
    "headers_add = X-By: $local_part",
    "redirect_router = box",
    "condition = ${if <{$message_age}{1000}}",
    "forbid_blackhole",
];

/// Routers between the aliases and the boxes.
const BETWEEN: [&str; 7] = [
    "copy:\n  driver = accept\n  domains = l.test\n  local_parts = ^b : ^n\n  unseen\n  \
     transport = archive",
    "copy:\n  driver = redirect\n  domains = l.test\n  local_parts = ^box\n  unseen\n  \
     data = r2@y.test",
    "filter:\n  driver = redirect\n  domains = l.test\n  local_parts = box2\n  allow_filter\n  \
     user = Debian-exim\n  data = \"#Exim filter\\nunseen deliver r1@x.test\\nif $message_age is \
     above 1000 then \
     deliver box1@l.test endif\"",
    "many:\n  driver = redirect\n  domains = l.test\n  local_parts = box1\n  allow_filter\n  \
     user = Debian-exim\n  file_transport = file\n  pipe_transport = pipe\n  \
     data = \"#Exim filter\\nunseen save DIR/mail/kept\\nunseen pipe /bin/true\\n\
     deliver box2@l.test\\ndeliver r3@y.test\\nif error_message then seen finish endif\\n\
     unseen deliver r3@y.test errors_to r1@x.test\"",
    "told:\n  driver = redirect\n  domains = l.test\n  local_parts = ^box1 : na\n  \
     errors_to = errors@l.test\n  unseen\n  data = r3@y.test, r2@x.test",
    "late:\n  driver = redirect\n  domains = l.test\n  local_parts = box1\n  allow_defer\n  \
     data = ${if <{$message_age}{1000}{:defer: later}fail}",
    "count:\n  driver = redirect\n  domains = x.test\n  local_parts = r2\n  data = na@l.test\n  \
     repeat_use = no",
];

/// What a host may say.
const SAID: [&str; 12] = [
    "ext=",
    "ext=PIPELINING",
    "ext=DSN",
    "rcpt:r1=450 later",
    "rcpt:r1=550 no",
    "rcpt:r2=450 later",
    "rcpt:r3=550 no",
    "mail=450 m",
    "data=450 d",
    "end=550 t",
    "end=421 t|close",
    "banner=421 busy|close",
];

/// How other hosts are found.
const AWAY: [&str; 5] = [
    "away:\n  driver = manualroute\n  route_list = x.test 127.0.0.2 ; \
     y.test 127.0.0.3:127.0.0.4\n  self = send\n  hosts_randomize = false\n  transport = smtp",
    "away:\n  driver = manualroute\n  route_list = x.test 127.0.0.2 ; \
     y.test 127.0.0.4:127.0.0.3:127.0.0.2\n  self = send\n  hosts_randomize = false\n  \
     transport = smtp",
    "away:\n  driver = manualroute\n  route_list = x.test 127.0.0.2\n  self = send\n  \
     fallback_hosts = 127.0.0.4\n  transport = smtp\nfar:\n  driver = manualroute\n  \
     route_list = y.test 127.0.0.3\n  self = send\n  fallback_hosts = 127.0.0.4\n  \
     transport = smtp",
    "away:\n  driver = manualroute\n  route_list = x.test 127.0.0.2\n  self = send\n  \
     transport = smtp\nfar:\n  driver = manualroute\n  route_list = y.test \
     127.0.0.2:127.0.0.3\n  self = send\n  hosts_randomize = false\n  transport = other",
    "away:\n  driver = manualroute\n  local_parts = r1\n  route_list = x.test : y.test \
     127.0.0.2\n  self = send\n  fallback_hosts = 127.0.0.3:127.0.0.4\n  transport = smtp\n\
     far:\n  driver = manualroute\n  route_list = x.test 127.0.0.4 ; y.test 127.0.0.3\n  \
     self = send\n  transport = other",
];

/// Options of the transports to other hosts.
const REMOTE: [&str; 9] = [
    "max_rcpt = 1",
    "max_rcpt = 2",
    "fallback_hosts = 127.0.0.4",
    "fallback_hosts = 127.0.0.2:127.0.0.3",
    "hosts_max_try = 1",
    "hosts_max_try_hardlimit = 1",
    "retry_include_ip_address = no",
    "connection_max_messages = 1",
    "multi_domain = false",
];

/// Options for what has waited.
const WARNINGS: [&str; 4] = [
    "delay_warning = 10m",
    "delay_warning = 10m:50m",
    "delay_warning = 10m:50m\ndelay_warning_condition = ${if eq{$sender_address}{s@l.test}}",
    "delay_warning = 50m\nwarn_message_file = /nowhere",
];

/// What is done between the attempts, to the oldest message.
const ORDERS: [&str; 12] = [
    "-M ID",
    "-M ID",
    "-Mf ID",
    "-Mt ID",
    "-Mmad ID",
    "-Mmd ID box1@l.test",
    "-Mmd ID nb@l.test",
    "-Mmd ID R1@X.test",
    "-Mes ID r1@x.test",
    "-Mes ID errors@l.test",
    "-Mar ID box2@l.test",
    "-Mar ID nc@l.test",
];

/// Where mail goes, and how.
const REST: &str = "box:\n  driver = accept\n  domains = l.test\n  local_parts = ^box : errors : s\n  \
    local_part_suffix = +*\n  local_part_suffix_optional\n  transport = box\n\
    last:\n  driver = accept\n  domains = l.test\n  local_parts = ^n\n  transport = box\n\
    begin transports\nbox:\n  \
    driver = appendfile\n  file = DIR/mail/box\n  user = Debian-exim\n  message_prefix =\n  \
    message_suffix =\narchive:\n  driver = appendfile\n  file = DIR/mail/archive\n  \
    user = Debian-exim\n  message_prefix =\n  message_suffix =\nfile:\n  driver = appendfile\n  \
    user = Debian-exim\n  message_prefix =\n  message_suffix =\npipe:\n  driver = pipe\n  \
    user = Debian-exim";

/// How old a message is when its aliases become others.
const AGES: &str = "${if >{$message_age}{5000}{3}{${if >{$message_age}{1000}{2}{1}}}}";

pub(super) fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Submission);
    quarry.fixed("## sequences\n+++\nreceived_header_text = Received: by here");
    quarry.fixed("remote_max_parallel = 1\nqueue_run_in_order\nbounce_return_size_limit = 100");
    if rng.chance(3) {
        quarry.loose("log_selector = +all_parents");
    }
    if rng.chance(6) {
        quarry.loose(rng.pick(&["queue_smtp_domains = y.test", "queue_domains = x.test"]));
    }
    if rng.chance(6) {
        quarry.loose(rng.pick(&["auto_thaw = 1s", "ignore_bounce_errors_after = 1s"]));
    }
    if rng.chance(4) {
        quarry.loose(rng.pick(&WARNINGS));
    }
    quarry.fixed("begin routers");
    for number in 1..=rng.usize(1..=2) {
        quarry.fixed(format!(
            "al{number}:\n  driver = redirect\n  domains = l.test\n  data = ${{lookup\
             {{$local_part-{AGES}}}lsearch{{DIR/aliases{number}}}}}\n  allow_fail\n  \
             allow_defer\n  retry_use_local_part\n  pipe_transport = pipe\n  \
             file_transport = file"
        ));
        let options = rng.options(4, &REDIRECTS);
        let is_once = options.contains(&"one_time");
        // These may not stand beside it.
        let may_stand = |option: &&&str| !is_once || !option.starts_with(['u', 'h']);
        for option in options.iter().filter(may_stand) {
            quarry.loose(format!("  {option}"));
        }
    }
    let mut between: Vec<&str> = Vec::new();
    for _ in 0..rng.usize(..3) {
        let router = rng.pick(&BETWEEN);
        if !between.iter().any(|known| known[..4] == router[..4]) {
            between.push(router);
            quarry.loose(router);
        }
    }
    quarry.fixed(rng.pick(&AWAY)).fixed(REST);
    for transport in ["smtp", "other"] {
        quarry.fixed(format!(
            "{transport}:\n  driver = smtp\n  port = PORT\n  hosts_try_fastopen =\n  \
             allow_localhost"
        ));
        for option in rng.options(4, &REMOTE) {
            quarry.loose(format!("  {option}"));
        }
    }
    quarry.loose("begin retry");
    quarry.loose(rng.pick(&["* * F,5d,1h", "* * F,5d,1m", "* * F,1h,1m"]));
    for number in 1..=2 {
        quarry.fixed(format!("+++ aliases{number}"));
        for name in NAMES {
            if number == 2 && rng.bool() {
                continue;
            }
            let mut members = String::new();
            for age in 1..=3 {
                if age == 1 || rng.bool() {
                    members = rng.some(1, 3, ", ", |rng| match rng.chance(3) {
                        true => format!("{}@l.test", rng.pick(&NAMES)),
                        false => rng.pick(&MEMBERS).to_owned(),
                    });
                }
                quarry.loose(format!("{name}-{age}: {members}"));
            }
        }
    }
    let recipients = rng.some(1, 3, " ", |rng| match rng.chance(3) {
        true => rng.pick(&["box1@l.test", "box2@l.test", "r1@x.test", "r2@x.test"]).to_owned(),
        false => format!("{}@l.test", rng.pick(&NAMES)),
    });
    let sender = rng.pick(&["s@l.test", "s@l.test", "<>"]);
    let how = rng.pick(&["-odi", "-odi", "-odi", "-odq"]);
    quarry.fixed(format!("? {how} -f {sender} {recipients}"));
    quarry.fixed("> Subject: x\\n\\nbody\\n");
    for run in 0..rng.usize(2..=4) {
        for number in 2..=4 {
            if rng.chance(3) || run == 0 {
                quarry.loose(format!("~ 127.0.0.{number} {}", rng.pick(&SAID)));
            }
        }
        let age = rng.pick(&["", "", "age=2000 ", "age=4000 "]);
        quarry.loose(format!("@ {age}{}", rng.pick(&["-q", "-qf", "-qff", "-qff", "-qqff"])));
        if rng.chance(4) {
            quarry.loose(format!("@ {}", rng.pick(&ORDERS)));
        }
        if rng.chance(2) {
            quarry.loose("@ -bp");
        }
    }
    quarry.loose("@ -bp");
    quarry.loose("@ hints");
    quarry
}
