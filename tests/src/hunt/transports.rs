//! Local transports with any of their options, and what they make of several recipients over
//! several attempts.

use fastrand::Rng;

use super::{Form, Quarry};
use crate::dice::Dice;

/// What any transport may have.
const GENERIC: &[&str] = &[
    "body_only",
    "headers_only",
    "delivery_date_add",
    "envelope_to_add",
    "return_path_add",
    "headers_add = X-A: $local_part@$domain\\nX-B: $return_path",
    "headers_add = X-A: ${if eq{$local_part}{a}{yes}fail}",
    "headers_remove = subject",
    "headers_remove = X-T : ${if eq{$local_part}{a}{from}}",
    "headers_rewrite = *@l.test $1@r.test fs",
    "return_path = ${if eq{$local_part}{a}{other@l.test}fail}",
    "return_path = new@l.test",
    "message_size_limit = 300",
    "message_size_limit = ${if eq{$local_part}{a}{10}{0}}",
    "disable_logging",
    "transport_filter = /usr/bin/tr a-z A-Z",
    "transport_filter = /bin/false",
    "transport_filter = /bin/cat",
    "shadow_transport = shadow",
    "shadow_transport = shadow\n  shadow_condition = ${if eq{$local_part}{a}}",
    "retry_use_local_part = false",
    "rcpt_include_affixes",
    "batch_id = $domain",
    "debug_print = x",
    "event_action = ${acl{ev}}",
    "max_parallel = 2",
    "home_directory = /tmp",
    "current_directory = /nonexistent/d",
];

const APPENDFILE: &[&str] = &[
    "file = DIR/mail/$local_part_data",
    "file = DIR/mail/all",
    "file = DIR/mail/sub/$local_part_data",
    "file = DIR/mail/sub/$local_part_data\n  create_directory = false",
    "directory = DIR/mail/md-$local_part_data\n  maildir_format",
    "directory = DIR/mail/ms-$local_part_data\n  mailstore_format",
    "directory = DIR/mail/d\n  directory_file = q$local_part_data",
    "file = /proc/x/y",
];

const OF_FILES: &[&str] = &[
    "quota = 1",
    "quota = 600",
    "quota = 1M\n  quota_warn_threshold = 1",
    "quota_size_regex = S=(\\d+)$",
    "message_prefix =",
    "message_suffix = end\\n",
    "message_prefix = \"From $sender_address\\n\"",
    "check_string = body\n  escape_string = BODY",
    "use_crlf",
    "use_bsmtp",
    "batch_max = 5",
    "mode = 0640",
    "check_owner = false",
    "allow_fifo",
    "maildir_tag = ,S=$message_size",
    "notify_comsat",
    "use_lockfile = false",
    "lockfile_mode = 0600",
    "file_must_exist",
    "create_file = belowhome",
];

const PIPE: &[&str] = &[
    "command = /bin/cat",
    "command = /bin/sh -c 'cat >>DIR/mail/p-$local_part_data'",
    "command = /bin/sh -c \"cat >/dev/null; exit 75\"",
    "command = /bin/sh -c \"cat >/dev/null; exit 3\"",
    "command = /bin/sh -c \"cat >/dev/null; echo hello; echo $LOCAL_PART; exit 1\"",
    "command = /bin/sh -c \"cat >/dev/null; echo hello; echo \\\\$LOCAL_PART; exit 1\"",
    "command = /bin/sh -c \"cat >/dev/null; echo hello\"",
    "command = /bin/sh -c \"cat >/dev/null; echo \\\\$*\" x $pipe_addresses",
    "command = /bin/sh -c 'cat >/dev/null; echo \"\\$@\"' x ${local_part} \"$domain x\"",
    "command = ${if eq{$local_part}{a}{/usr/bin/wc -c}{/bin/false}}",
    "command = /nonexistent/command",
    "command = /bin/sh -c \"cat >/dev/null; kill -9 \\\\$\\\\$\"",
    "command = /bin/sh -c \"kill -9 $$\"",
    "command = /bin/sh -c \"cat >/dev/null; env\"",
];

const OF_PIPES: &[&str] = &[
    "return_output",
    "return_fail_output",
    "log_output",
    "log_fail_output",
    "log_defer_output",
    "ignore_status",
    "temp_errors = *",
    "temp_errors = 1:3",
    "freeze_exec_fail",
    "freeze_signal",
    "use_shell",
    "environment = A=b : C=$local_part",
    "path = /bin",
    "umask = 077",
    "restrict_to_path",
    "max_output = 10",
    "message_prefix =",
    "use_bsmtp",
    "use_crlf",
    "batch_max = 5",
    "timeout_defer",
];

const LMTP: &[&str] = &["batch_max = 100", "ignore_quota", "batch_max = 2", "timeout = 5s"];

/// What the server for LMTP may say.
const SAID: &[&str] = &[
    "end=250 A%450 B%550 C",
    "end=550 A%250 B",
    "end=452 A",
    "rcpt:a=450 later",
    "rcpt:b=550 no",
    "mail=450 m",
    "mail=550 m",
    "data=450 d",
    "banner=421 busy|close",
    "ehlo=550 no",
    "ext=",
    "ext=SIZE 100",
    "ext=PIPELINING,IGNOREQUOTA",
];

/// What is done between the attempts.
const RUNS: [&str; 12] = [
    "-q",
    "-qf",
    "-qff",
    "age=8000 -qf",
    "age=8000 -q",
    "-M ID",
    "-Mf ID",
    "-Mt ID",
    "-Mmd ID a@l.test",
    "-Mar ID b@l.test",
    "-Mes ID b@l.test",
    "-Mmad ID",
];

const REST: &str = "begin acl\nev:\n  accept logwrite = ev $event_name $local_part $event_data\n  \
    accept\nbegin routers\nloc:\n  driver = accept\n  domains = l.test\n  \
    local_parts = a : b : c : s\n  local_part_suffix = +*\n  local_part_suffix_optional\n  \
    transport = ${if eq{$local_part}{s}{own}{t}}\nbegin transports\nown:\n  driver = appendfile\n  \
    file = DIR/mail/own\n  user = Debian-exim\nshadow:\n  driver = appendfile\n  \
    file = DIR/mail/shadow\n  user = Debian-exim\nt:\n  user = Debian-exim";

pub(super) fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Submission);
    quarry.fixed("## transports\n+++\nreceived_header_text = Received: by here");
    quarry.fixed("queue_run_in_order");
    if rng.chance(4) {
        quarry.loose("log_selector = +all_parents +delivery_size +return_path_on_delivery");
    }
    quarry.fixed(REST);
    let (head, own) = match rng.u32(..5) {
        0 | 1 => (format!("  driver = appendfile\n  {}", rng.pick(APPENDFILE)), OF_FILES),
        2 | 3 => (format!("  driver = pipe\n  {}", rng.pick(PIPE)), OF_PIPES),
        _ => ("  driver = lmtp\n  socket = SOCKET".to_owned(), LMTP),
    };
    // A shell gets no text from outside.
    let is_known = |option: &str| option == "use_shell" && head.contains("local_part");
    let options = rng.options(3, own).into_iter().chain(rng.options(3, GENERIC));
    let options: Vec<&str> = options.filter(|option| !is_known(option)).collect();
    quarry.fixed(&head);
    for option in options {
        quarry.loose(format!("  {option}"));
    }
    quarry.fixed("begin retry");
    quarry.loose(rng.pick(&["* * F,5d,1h", "* quota F,1h,1m\n* * F,5d,1h", "* * F,2h,5m"]));
    let sender = rng.pick(&["s@l.test", "s@l.test", "<>"]);
    let recipients = rng.some(1, 4, " ", |rng| {
        rng.pick(&["a@l.test", "b@l.test", "c@l.test", "a+x@l.test", "b+y@l.test"]).to_owned()
    });
    quarry.fixed(format!("? -odi -f {sender} {recipients}"));
    quarry.fixed("> Subject: x\\nX-T: one\\n\\nbody line\\nFrom here\\n\\{20:more\\n}");
    for _ in 0..rng.usize(..3) {
        quarry.loose(format!("~ {}", rng.pick(SAID)));
    }
    for _ in 0..rng.usize(..3) {
        quarry.loose(format!("@ {}", rng.pick(&RUNS)));
    }
    quarry.loose("@ -bp");
    quarry.loose("@ hints");
    quarry
}
