//! The sites: what they say in reports, and where their addresses go.

use fastrand::Rng;

use crate::dice::Dice;
use crate::hunt::{Quarry, as_text};

/// What a site may have set, with how many others of the same option.
const OPTIONS: &[&[&str]] = &[
    &["delay_warning = 1h", "delay_warning = 5m:1h:3h", "delay_warning = 0s"],
    &[
        "delay_warning_condition = yes",
        "delay_warning_condition = ${if match{$h_subject:}{x}}",
        "delay_warning_condition = ${if eq{$domain}{x.test}}",
        "delay_warning_condition = ${bad}",
    ],
    &[
        "errors_copy = *@* cp@l.test",
        "errors_copy = s@* \"cp@l.test, $local_part@x.test\" : *@x.test pm@l.test",
        "errors_copy = *@l.test no@l.test",
        "errors_copy = *@l.test ${bad}",
    ],
    &["errors_reply_to = help@l.test", "errors_reply_to = \"Help <help@l.test>\""],
    &[
        "bounce_return_size_limit = 20",
        "bounce_return_size_limit = 500",
        "bounce_return_size_limit = 0",
        "bounce_return_size_limit = 1K",
    ],
    &["bounce_return_body = false"],
    &[
        "bounce_return_linesize_limit = 20",
        "bounce_return_linesize_limit = 0",
        "bounce_return_linesize_limit = 200",
    ],
    &[
        "dsn_from = Robot <robot@l.test>",
        "dsn_from = \"$bounce_recipient robot@l.test\"",
        "dsn_from = =?utf-8?Q?R=C3=B6bot?= <robot@l.test>",
        "dsn_from =",
    ],
    &[
        "bounce_message_file = DIR/bounce\nwarn_message_file = DIR/warn",
        "bounce_message_file = DIR/short\nwarn_message_file = DIR/short",
        "bounce_message_file = DIR/none\nwarn_message_file = DIR/none",
        "bounce_message_file = bounce\nwarn_message_file = warn",
        "bounce_message_file = ${bad}\nwarn_message_file = ${bad}",
    ],
    &[
        "bounce_message_text = Sorry.",
        "bounce_message_text = \"Ask $primary_hostname,\\nor h\u{e9}lp@l.test\"",
    ],
    &["bounce_sender_authentication = a@b", "bounce_sender_authentication = robot"],
    &["ignore_bounce_errors_after = 0s", "ignore_bounce_errors_after = 1h"],
    &["freeze_tell = pm@l.test", "auto_thaw = 30m", "timeout_frozen_after = 1h"],
    &[
        "log_selector = +sender_on_delivery +return_path_on_delivery +all_parents",
        "log_selector = +received_recipients +received_sender +subject +8bitmime",
        "log_selector = +smtp_confirmation +queue_run -retry_defer -skip_delivery",
        "log_selector = +dnssec +smtp_protocol_error +smtp_syntax_error +delay_delivery",
    ],
    &["smtp_active_hostname = active.test"],
    &["message_id_header_domain = id.test", "message_id_header_text = x.y"],
    &["print_topbitchars"],
    &["qualify_domain = l.test"],
    &["smtputf8_advertise_hosts ="],
    &["return_path_remove = false"],
    &["allow_utf8_domains"],
    &["retry_interval_max = 1h"],
];

/// Who may ask for reports.
const OFFERS: [&str; 8] = ["*", "*", "*", "*", "*", ":", "192.0.2.1 : *", "192.0.2.1"];

/// The files that options name.
const FILES: &str = "+++ bounce
Subject: Sorry, $bounce_recipient
X-Own: $bounce_return_size_limit ${length_20:$h_subject:}
****
It failed: $sender_address $bounce_recipient $message_size
****
What was said:
****
Copy:
****
Huge:
****
End.
+++ warn
Subject: Wait $warn_message_delay
X-Whom: $warn_message_recipients

****
It waits: ${if >{$message_age}{60}{long}{short}} $warn_message_delay $warn_message_recipients.
****
Wait on.
+++ short
Subject: ${bad}
****
Of $h_x-a: ${if def:h_subject:{$h_subject:}{nothing}}";

/// Where one address may lead.
const ONE: &[&str] = &[
    "no@l.test",
    "later@l.test",
    "box@l.test",
    "a@x.test",
    "no@x.test",
    "pipe@l.test",
    "seen@l.test",
    "many@l.test",
    "u1@l.test",
    "|/bin/false",
    "DIR/none/file",
    ":fail: from a list",
    ":blackhole:",
    "box@l.test, :defer: for now",
    "bad@@, box@l.test",
    "no",
    "n\u{f6}@l.test",
];

/// Options of a redirection.
const OF_LISTS: &[&str] = &[
    "one_time",
    "hide_child_in_errmsg",
    "errors_to = o@l.test",
    "errors_to = <>",
    "errors_to =",
    "errors_to = ${local_part}-o@x.test",
    "errors_to = no@l.test",
    "errors_to = u1@l.test",
    "repeat_use = no",
    "forbid_pipe",
    "forbid_file",
    "unseen",
    "headers_add = X-Added: $local_part",
    "headers_remove = x-a",
    "skip_syntax_errors\n  syntax_errors_to = pm@l.test",
    "dsn_lasthop",
    "retry_use_local_part",
    "qualify_preserve_domain",
];

/// What a router says of what fails or waits.
const REASONS: &[&str] = &[
    "no such user",
    "",
    "550 5.1.1 <$local_part@$domain>: this text is longer than forty-five bytes: and more: of it",
    "gr\u{fc}\u{df}e an $local_part",
    "100% of %s",
    "first\\nsecond",
    "{more than others} ",
    "tab\\there",
];

/// What a command does with its message.
const COMMANDS: &[&str] = &[
    "/bin/false",
    "/bin/cat\n  return_output",
    "/bin/cat\n  return_fail_output",
    "/bin/sh -c \"echo out; echo more; exit 3\"\n  return_output",
    "/bin/sh -c \"echo out; exit 75\"\n  log_defer_output",
    "/bin/sh -c \"printf 'a\\\\303\\\\244b'; exit 1\"\n  return_fail_output",
    "/bin/sh -c \"printf 'a\\\\nb\\\\n\\\\n'; exit 64\"\n  return_fail_output\n  log_fail_output",
    "/nonexistent/command",
    "/nonexistent/command\n  return_output",
    "/bin/sh -c \"kill -9 \\\\$\\\\$\"",
    "/bin/true",
    "/bin/sh -c \"exit 75\"\n  temp_errors = 1",
    "/bin/sh -c \"head -c 3000 /dev/zero | tr -c x x; exit 1\"\n  return_output",
];

const OF_SMTP: &[&str] = &[
    "hosts_avoid_pipelining = *",
    "hosts_try_chunking =",
    "max_rcpt = 1",
    "message_size_limit = 100",
    "headers_add = X-Out: $return_path",
    "authenticated_sender = auth@l.test",
    "protocol = lmtp",
    "hosts_override",
    "size_addition = 0",
    "connection_max_messages = 1",
];

pub(super) fn make(rng: &mut Rng, quarry: &mut Quarry) {
    quarry.fixed("+++\nreceived_header_text = Received: by here\nqueue_run_in_order");
    quarry.fixed("remote_max_parallel = 1\nacl_smtp_rcpt = accept");
    quarry.fixed(format!("dsn_advertise_hosts = {}", rng.pick(&OFFERS)));
    for options in OPTIONS {
        if rng.chance(7) {
            quarry.loose(rng.pick(options));
        }
    }
    routers(rng, quarry);
    transports(rng, quarry);
    quarry.fixed("begin retry");
    if rng.chance(4) {
        let of = rng.pick(&["x.test", "y.test", "l.test", "later@l.test", "lm.test"]);
        let errors = rng.pick(&["*", "refused", "rcpt_4xx", "quota", "timeout"]);
        quarry.loose(format!("{of} {errors} {}", rng.pick(&["F,1h,1m", "", "F,5d,1h"])).trim_end());
    }
    quarry.loose(rng.pick(&["* * F,2h,15m", "* * F,1h,1m", "* * F,5d,1h", "* * F,5d,1h", "*"]));
    let files = FILES.split("+++ ").filter(|file| !file.is_empty());
    for file in files {
        quarry.fixed(format!("+++ {}", as_text(file.trim_end())));
    }
}

fn reason(rng: &mut Rng) -> String {
    rng.pick(REASONS).replace("$domain", "${domain}")
}

fn options(rng: &mut Rng, quarry: &mut Quarry, all: &[&str]) {
    if rng.chance(2) {
        for option in rng.options(3, all) {
            quarry.loose(format!("  {option}"));
        }
    }
}

fn routers(rng: &mut Rng, quarry: &mut Quarry) {
    quarry.fixed("begin routers");
    let all = "  file_transport = files\n  pipe_transport = piped\n  reply_transport = auto";
    let one = rng.pick(ONE);
    quarry.fixed(format!(
        "one:\n  driver = redirect\n  domains = l.test\n  local_parts = one\n  allow_fail\n  \
         allow_defer\n  data = {one}\n{all}"
    ));
    options(rng, quarry, OF_LISTS);
    let members = rng.some(1, 4, ", ", |rng| {
        let all =
            ["no@l.test", "no2@l.test", "later@l.test", "box@l.test", "a@x.test", "no@x.test"];
        match rng.chance(3) {
            true => {
                rng.pick(ONE).trim_start_matches(":fail: from ").replace(", :defer: for now", "")
            }
            false => rng.pick(&all).to_owned(),
        }
    });
    quarry.fixed(format!(
        "many:\n  driver = redirect\n  domains = l.test\n  local_parts = many\n  \
         data = {members}\n{all}"
    ));
    options(rng, quarry, OF_LISTS);
    let transport = rng.pick(&["box", "box", "pipe", "gone", "smtp", "auto"]);
    let driver = match transport {
        "smtp" => "manualroute\n  route_list = * 127.0.0.1 byname\n  self = send",
        _ => "accept",
    };
    quarry.fixed(format!(
        "seen:\n  driver = {driver}\n  domains = l.test\n  local_parts = seen\n  unseen\n  \
         transport = {transport}"
    ));
    if rng.chance(3) {
        quarry.loose(rng.pick(&["  errors_to = o@l.test", "  errors_to =", "  dsn_lasthop"]));
    }
    quarry.fixed(format!(
        "no:\n  driver = redirect\n  domains = l.test\n  local_parts = ^no : ^n[^a-z]\n  \
         allow_fail\n  data = \":fail: {}\"",
        reason(rng)
    ));
    options(rng, quarry, &OF_LISTS[1..8]);
    quarry.fixed(format!(
        "later:\n  driver = redirect\n  domains = l.test\n  local_parts = ^later\n  allow_defer\n  \
         data = \":defer: {}\"",
        reason(rng)
    ));
    options(rng, quarry, &OF_LISTS[1..8]);
    // It arrives behind its copy: where it failed, Exim would tell so in each attempt.
    quarry.fixed("kept:\n  driver = accept\n  local_parts = seen\n  transport = kept");
    quarry.fixed(
        "loc:\n  driver = accept\n  domains = l.test : mail.example\n  \
         local_parts = box : box2 : s : o : cp : pm : robot : help\n  transport = box",
    );
    for name in ["pipe", "gone", "full", "auto"] {
        quarry.fixed(format!(
            "{name}:\n  driver = accept\n  domains = l.test\n  local_parts = {name}\n  \
             transport = {name}"
        ));
        if rng.chance(6) {
            quarry.loose(rng.pick(&["  errors_to = o@l.test", "  errors_to =", "  dsn_lasthop"]));
        }
    }
    quarry.fixed("lm:\n  driver = accept\n  domains = lm.test\n  transport = lmtp");
    quarry.fixed(
        "away:\n  driver = manualroute\n  domains = ! l.test\n  \
         route_list = y.test 127.0.0.2 byname ; z.test 127.0.0.2:127.0.0.1 byname ; \
         * 127.0.0.1 byname\n  self = send\n  hosts_randomize = false\n  transport = smtp",
    );
    options(rng, quarry, &["dsn_lasthop", "dsn_lasthop", "errors_to = o@l.test", "errors_to ="]);
}

fn transports(rng: &mut Rng, quarry: &mut Quarry) {
    quarry.fixed("begin transports");
    quarry.fixed(
        "box:\n  driver = appendfile\n  user = Debian-exim\n  file = DIR/mail/$local_part_data",
    );
    quarry.fixed("gone:\n  driver = appendfile\n  user = Debian-exim\n  file = /proc/x/y");
    quarry.fixed(
        "full:\n  driver = appendfile\n  user = Debian-exim\n  file = DIR/mail/full\n  quota = 1",
    );
    quarry.fixed(
        "kept:\n  driver = appendfile\n  user = Debian-exim\n  file = DIR/mail/kept\n\
         files:\n  driver = appendfile\n  user = Debian-exim",
    );
    quarry.fixed("piped:\n  driver = pipe\n  user = Debian-exim");
    options(rng, quarry, &["return_output", "return_fail_output", "log_output", "ignore_status"]);
    quarry.fixed(format!(
        "pipe:\n  driver = pipe\n  user = Debian-exim\n  command = {}",
        rng.pick(COMMANDS)
    ));
    let answer = rng.pick(&[
        "to = s@l.test\n  text = hello",
        "to = ${bad}",
        "to = s@l.test\n  once = /proc/x",
        "to = s@l.test\n  file = DIR/none",
    ]);
    quarry.fixed(format!("auto:\n  driver = autoreply\n  user = Debian-exim\n  {answer}"));
    quarry.fixed("lmtp:\n  driver = lmtp\n  user = Debian-exim\n  socket = SOCKET");
    options(rng, quarry, &["batch_max = 9"]);
    quarry
        .fixed("smtp:\n  driver = smtp\n  port = PORT\n  hosts_try_fastopen =\n  allow_localhost");
    options(rng, quarry, OF_SMTP);
}
