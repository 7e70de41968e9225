//! Several messages in the queue, and who is looked at, and what is done with them.

use fastrand::Rng;

use super::{Form, Quarry};
use crate::dice::Dice;

/// What a site may have set.
const OPTIONS: &[&str] = &[
    "queue_run_max = 1",
    "queue_list_requires_admin = false",
    "prod_requires_admin = false",
    "log_selector = +queue_run +queue_time +deliver_time",
    "log_selector = -queue_run",
    "queue_domains = x.test",
    "queue_domains = * : !l.test",
    "queue_smtp_domains = x.test",
    "queue_only_override = false",
    "hold_domains = x.test",
    "hold_domains = ${if eq{$sender_address}{t@l.test}{*}}",
    "split_spool_directory",
    "timeout_frozen_after = 1h",
    "auto_thaw = 1s",
    "move_frozen_messages",
    "message_logs = false",
    "preserve_message_logs",
    "keep_malformed = 0s",
];

/// The ACL, the routers and the transports.
const REST: &str = "begin acl\nacl_in:\n  accept senders = z@l.test\n    control = freeze\n  \
    accept senders = q@l.test\n    QUEUED\n  accept\nbegin routers\ndf:\n  driver = redirect\n  \
    local_parts = df\n  allow_defer\n  data = :defer: not now\nfl:\n  driver = redirect\n  \
    local_parts = fl\n  allow_fail\n  data = :fail: never\ntwo:\n  driver = redirect\n  \
    local_parts = two\n  data = df@l.test, box@l.test\nrem:\n  driver = manualroute\n  \
    domains = x.test : y.test\n  route_list = x.test 127.0.0.9 ; y.test 127.0.0.10\n  \
    self = send\n  transport = t\nloc:\n  driver = accept\n  domains = l.test\n  local_parts = box : s : t : u : z : q\n  transport = box\n\
    begin transports\nbox:\n  driver = appendfile\n  file = DIR/mail/$local_part_data\n  \
    user = Debian-exim\nt:\n  driver = smtp\n  port = 9\n  hosts_try_fastopen =\n  \
    allow_localhost\nbegin retry";

/// Who it comes from.
const SENDERS: [&str; 8] =
    ["s@l.test", "s@l.test", "t@l.test", "<>", "u@x.test", "z@l.test", "z@l.test", "q@l.test"];

/// Whom it is for.
const RECIPIENTS: [&str; 9] = [
    "df@l.test",
    "df@l.test",
    "fl@l.test",
    "box@l.test",
    "a@x.test",
    "b@x.test",
    "b@y.test",
    "two@l.test",
    "Df+Y@l.test",
];

/// What is asked for.
const RUNS: &[&str] = &[
    "-bp",
    "-bp",
    "-bpc",
    "-bpa",
    "-bpu",
    "-bpi",
    "-bp ID",
    "-bp ID2 ID",
    "-bpu ID2",
    "-bp nonsense",
    "-bpc ID",
    "-q",
    "-qf",
    "-qff",
    "-qi",
    "-ql",
    "-qq",
    "-qqf",
    "-qqff",
    "-qqiffl",
    "-qfi",
    "-qfl",
    "-q ID2",
    "-q ID ID2",
    "-qff ID2 ID3",
    "-qf ID3 ID",
    "-qff ID ID",
    "-q 0 1",
    "-qGheld",
    "-qffGheld",
    "-qGnone",
    "-qqfGheld",
    "-qfGheld ID",
    "-qG held",
    "-R x.test",
    "-R X.TEST",
    "-Rf x.test",
    "-Rff x.test",
    "-R df",
    "-Rff df@",
    "-Rr ^a@",
    "-Rrff ^[ab]@",
    "-Rffr (",
    "-R nobody",
    "-Rff box",
    "-S t@",
    "-Sf l.test",
    "-Sff s@l.test",
    "-Sr ^[st]@",
    "-Srff ^z",
    "-S <>",
    "-Sff z@ -R df",
    "-R df -S s@",
    "-R a@x -qff",
    "-M ID",
    "-M ID ID2",
    "-M ID2 ID3",
    "-Mf ID",
    "-Mf ID ID2 ID3",
    "-Mt ID",
    "-Mt ID2 ID3",
    "-Mg ID",
    "-Mg ID2 ID",
    "-Mrm ID",
    "-Mrm ID2 ID3",
    "-Mad ID",
    "-Mmad ID",
    "-Mmad ID ID2",
    "-Mmd ID df@l.test",
    "-Mmd ID2 box@l.test a@x.test",
    "-Mmd ID nobody@l.test",
    "-Mar ID c@x.test",
    "-Mar ID2 box@l.test df@l.test",
    "-Mar ID bad@",
    "-Mes ID t@l.test",
    "-Mes ID2 <>",
    "-Mes ID bad@@x",
    "-Mes ID",
    "-Mes ID a@l.test b@l.test",
    "-Meb ID",
    "-MG held ID",
    "-MG held ID2 ID3",
    "-MG other ID",
    "-Mvh ID",
    "-Mvb ID",
    "-Mvl ID",
    "-Mvc ID2",
    "-Mvh ID ID2",
    "-Mvl ID2",
    "-M nonsense",
    "-Mf 1xY8HN-00000000193-0HfV",
    "-Mrm ID nonsense",
    "-Mg 1xY8HN-00000000193-0HfV",
    "-Mc ID",
    "-Mc ID2",
    "-M ID ID",
    "-Mt ID ID",
    "-Mrm ID ID",
    "-Mset ID -be $sender_address",
    "-Mset ID2 -be $recipients",
    "-MS ID",
    "-Mx ID",
    "-qGheld -bp",
    "-bp -qGheld",
    "-bpc -qGheld",
    "-bpu -qGheld",
    "-qGheld -M ID",
    "-M -qGheld ID",
    "-MG -qGheld ID",
    "-odq -qf",
    "-v -q ID ID",
    "-f x@l.test -M ID",
    "-oMr smtp -q",
];

pub(super) fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Submission);
    quarry.fixed(
        "## queues\n+++\nreceived_header_text = Received: by here\nqueue_run_in_order\n\
        remote_max_parallel = 1",
    );
    quarry.fixed("acl_not_smtp = acl_in");
    for option in OPTIONS {
        if rng.chance(9) {
            quarry.loose(*option);
        }
    }
    let queued =
        rng.pick(&["queue = held", "queue = held", "control = queue", "control = queue_only"]);
    quarry.fixed(REST.replace("QUEUED", queued));
    quarry.loose(rng.pick(&["* * F,2h,15m; G,16h,1h,1.5; F,4d,6h", "* * F,1h,1m", "x.test *"]));
    let submission = |rng: &mut Rng| {
        let recipients = rng.some(1, 3, " ", |rng| rng.pick(&RECIPIENTS).to_owned());
        let how = rng.pick(&["-odq", "-odq", "-odq", "-odf"]);
        format!("{how} -f {} {recipients}", rng.pick(&SENDERS))
    };
    let first = submission(rng);
    quarry.fixed(format!("? {}", first.replace("-odf", "-odq")));
    quarry.fixed("> Subject: x\\n\\nbody\\n");
    for _ in 0..rng.usize(1..4) {
        let more = submission(rng);
        quarry.loose(format!("@ {more}"));
    }
    let mut pause = "";
    for _ in 0..rng.usize(2..7) {
        let run = rng.pick(RUNS);
        quarry.loose(match rng.chance(6) {
            true => {
                let age = rng.pick(&["100", "3700", "100000", "900000"]);
                format!("@ {pause}age={age} {run}")
            }
            false => format!("@ {pause}{run}"),
        });
        // Of several messages, the real one leaves the last ones to a process of their own.
        pause = if run.contains("ID ") || run.starts_with("-Mg") { "wait=1 " } else { "" };
    }
    quarry.loose(format!("@ {pause}-bp"));
    quarry
}
