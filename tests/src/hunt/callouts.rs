//! Callouts, what is remembered of them, and messages that are cut through: sites that ask the
//! hosts of senders and recipients, over several sessions on one spool.

mod session;

use std::sync::LazyLock;

use fastrand::Rng;
use regex::Regex;

use super::{Form, Quarry};
use crate::dice::Dice;

/// What is known behind a callout, and what it was told.
const SHOWN: &str = "s=<$sender_verify_failure> r=<$recipient_verify_failure> \
    m=<$acl_verify_message> ad=<$address_data> sad=<$sender_address_data> vm=<$verify_mode> \
    sh=<$sender_host_address> n=$rcpt_count,$recipients_count,\
$rcpt_fail_count,$rcpt_defer_count";

/// How a host goes wrong while it is asked.
const FAULTS: &[&str] = &[
    "banner=close",
    "banner=421 busy|close",
    "banner=554 go away",
    "banner=554-go|554 away",
    "banner=450 not now",
    "banner=220-one|220 two",
    "banner=junk",
    "banner=wait",
    "ehlo=550 no",
    "ehlo=421 no|close",
    "ehlo=close",
    "ehlo=500 what",
    "helo=550 no",
    "ext=",
    "ext=PIPELINING",
    "ext=PIPELINING,SIZE 100",
    "ext=PIPELINING,CHUNKING,SIZE",
    "ext=CHUNKING",
    "ext=DSN,8BITMIME",
    "mail=450 m",
    "mail=550 m",
    "mail=550-m|550 m2",
    "mail=421 m|close",
    "mail=close",
    "mail=wait",
    "mail=junk",
    "mail=250 ok%550 second",
    "mail=550 first%250 ok",
    "mail=250 ok%450 second",
    "rcpt:@=450 r",
    "rcpt:@=550 r",
    "rcpt:@=250 yes%550 then no",
    "rcpt:@=450 later%250 yes",
    "rcpt:@=421 r|close",
    "rcpt:@=close",
    "rcpt:@=wait",
    "rcpt:@=junk",
    "rcpt:@=554 what: ever",
    "rcpt:@=550-5.1.1 one|550-5.1.1 two|550 5.1.1 three",
    "rcpt:@=450-one|450 two",
    "rcpt:@=553 \t tabs \u{a9} and more",
    "rcpt:nobody=550 nobody",
    "rcpt:nobody=250 anybody",
    "rcpt:nobody=450 who knows",
    "rcpt:nobody=close",
    "rcpt:nobody=421 no more|close",
    "rcpt:postmaster=550 no postmaster",
    "rcpt:postmaster=450 no postmaster now",
    "rcpt:postmaster@=550 with a domain",
    "rcpt:postmaster=close",
    "rcpt:f=550 5.1.1 no such",
    "rcpt:f=550 no such",
    "rcpt:d=450 later",
    "rcpt:d=452 too many",
    "rset=500 what",
    "rset=421 no|close",
    "rset=close",
    "rset=450 not now",
];

/// How a host goes wrong with a message.
const OF_MESSAGES: &[&str] = &[
    "data=450 d",
    "data=550 d",
    "data=421 d|close",
    "data=250 what",
    "end=450 t",
    "end=451 4.3.0 t",
    "end=550 t",
    "end=550 5.7.1 spam here",
    "end=421 t|close",
    "end=close",
    "end=250 ok%550 second",
    "end=354 what",
    "end=wait",
    "chunk=550 c",
    "quit=wait",
];

/// What is asked beside the address itself. A site asks one of these in all its callouts: where
/// others ask for more, the real one forgets.
const MORE: &[&str] = &[
    "",
    "",
    "",
    "random",
    "random",
    "postmaster",
    "postmaster_mailfrom=p@l.test",
    "fullpostmaster",
];

const OF_CALLOUTS: &[&str] = &[
    "defer_ok",
    "defer_ok",
    "no_cache",
    "maxwait=1s",
    "maxwait=0s",
    "maxwait=1m",
    "connect=1s",
    "connect=0s",
    "hold",
    "hold",
];

const OF_SENDERS: &[&str] = &["mailfrom=m@l.test", "mailfrom=", "mailfrom=<>"];

const OF_RECIPIENTS: &[&str] = &["use_sender", "use_sender", "use_sender", "use_postmaster"];

/// What does not go together, or is none.
const WRONG: &[&str] = &["use_sender", "mailfrom=m@l.test", "nosuch", "maxwait", "connect=x", ""];

const OF_VERIFY: &[&str] = &["defer_ok", "success_on_redirect", "no_details", "defer_ok"];

const MODIFIERS: &[&str] = &[
    "message = told $acl_verify_message",
    "message = $recipient_verify_failure$sender_verify_failure",
    "log_message = logged $acl_verify_message",
    "log_message = $sender_verify_failure",
    "set acl_m_a = $acl_verify_message",
    "logwrite = then $acl_verify_message $acl_m_a",
    "message = 550-one\\n550 two",
];

const OPTIONS: &[&str] = &[
    "callout_negative_expire = 1h",
    "log_selector = +smtp_connection +outgoing_interface -outgoing_port",
    "log_selector = -sender_verify_fail",
    "log_selector = +sender_on_delivery +received_recipients +subject",
    "log_selector = +smtp_protocol_error +smtp_syntax_error +rejected_header",
    "log_selector = -smtp_confirmation +all_parents",
    "log_selector = +host_lookup_failed -rejected_header -retry_defer",
    "smtp_return_error_details",
    "no_smtp_return_error_details",
    "print_topbitchars",
    "acl_smtp_vrfy = accept",
    "acl_smtp_expn = accept",
    "host_lookup = *",
    "recipients_max = 2",
    "smtp_accept_keepalive = false",
    "chunking_advertise_hosts =",
    "pipelining_advertise_hosts =",
    "message_size_limit = 120",
    "prdr_enable",
    "sender_unqualified_hosts = *\nrecipient_unqualified_hosts = *\nqualify_domain = x.test",
];

/// For how long it is remembered, where time goes by between the sessions.
const EXPIRING: &[&str] = &[
    "callout_positive_expire = 3s",
    "callout_negative_expire = 3s",
    "callout_domain_positive_expire = 3s",
    "callout_domain_negative_expire = 3s",
];

const NOBODY: &[&str] = &[
    "nobody",
    "nobody",
    "nobody",
    "nobody-$domain",
    "nobody${if eq{$domain}{x.test}{-x}}",
    "",
    "${bad}",
];

const OF_SMTP: &[&str] = &[
    "hosts_avoid_pipelining = *",
    "hosts_avoid_pipelining = 127.0.0.2",
    "hosts_avoid_esmtp = *",
    "hosts_try_chunking =",
    "hosts_pipe_connect = *",
    "helo_data = helo.test",
    "helo_data = ${if eq{$host_address}{127.0.0.2}{two.test}{$primary_hostname}}",
    "helo_data = ${bad}",
    "interface = 127.0.0.1",
    "interface = ${bad}",
    "connection_max_messages = 1",
    "multi_domain = false",
    "max_rcpt = 1",
    "max_rcpt = 2",
    "protocol = lmtp",
    "hosts_require_auth = *",
    "hosts_require_tls = 127.0.0.3",
    "fallback_hosts = 127.0.0.4",
    "hosts_max_try = 1",
    "headers_add = X-T: t",
    "return_path = r@l.test",
    "message_size_limit = 10",
    "size_addition = 10",
    "size_addition = -1",
    "rcpt_include_affixes",
    "dkim_domain = l.test",
    "transport_filter = /bin/cat",
    "event_action = ${if match{$event_name}{^(tcp|smtp|msg:host|msg:rcpt)}{${acl{event}\
        {$event_name <$event_data> $host $host_address $domain $local_part}}}}",
    "authenticated_sender = u@l.test",
    "connect_timeout = 1s",
    "max_parallel = 1",
];

const OF_AWAY: &[&str] = &[
    "address_data = data of $local_part",
    "address_data = ${bad}",
    "no_verify",
    "no_verify_sender",
    "no_verify_recipient",
    "verify_only",
    "local_part_suffix = +*\n  local_part_suffix_optional",
    "local_part_prefix = pre-\n  local_part_prefix_optional",
    "caseful_local_part",
    "same_domain_copy_routing",
    "ignore_target_hosts = 127.0.0.3",
    "hosts_randomize",
    "fail_verify_recipient",
    "fail_verify_sender",
    "condition = ${if eq{$verify_mode}{S}{no}{yes}}",
    "cannot_route_message = no way to $domain",
    "headers_add = X-R: $local_part_data",
];

/// What is asked in a site: the same everywhere, where it is kept.
struct Asking {
    more: &'static str,
    random: bool,
    /// Whether what is remembered grows old.
    expires: bool,
}

impl Asking {
    /// What stands behind what is verified.
    fn callout(&self, rng: &mut Rng, what: &str) -> String {
        let mut words: Vec<&str> = Vec::new();
        if !self.more.is_empty() {
            words.push(self.more);
        }
        words.extend(rng.options(3, OF_CALLOUTS));
        match rng.u32(..16) {
            0 => words.push(rng.pick(WRONG)),
            1..=5 if what == "header_sender" => words.push(rng.pick(OF_SENDERS)),
            1..=7 if what == "recipient" => words.push(rng.pick(OF_RECIPIENTS)),
            _ => {}
        }
        let at = rng.usize(..=words.len());
        words.insert(at, "1s");
        let between = if rng.chance(4) { ", " } else { "," };
        let set = if rng.chance(8) { " = " } else { "=" };
        format!("callout{set}{}", words.join(between))
    }

    /// A condition.
    fn verify(&self, rng: &mut Rng, what: &str) -> String {
        let mut text = format!("verify = {what}");
        if !rng.chance(8) {
            text += &format!("/{}", self.callout(rng, what));
        }
        if rng.chance(3) {
            text += &format!("/{}", rng.pick(OF_VERIFY));
        }
        text
    }

    /// A statement that asks.
    fn statement(&self, rng: &mut Rng, what: &str) -> String {
        let verify = self.verify(rng, what);
        let (verb, mark) = match rng.u32(..10) {
            0..=2 => ("deny", "!"),
            3 => ("defer", "!"),
            4 => ("drop", "!"),
            5 | 6 => ("require", ""),
            7 => ("warn", "!"),
            _ => ("warn", ""),
        };
        let mut text = format!("  {verb}");
        let mut modifiers: Vec<&str> = Vec::new();
        for _ in 0..rng.usize(..3) {
            let one = rng.pick(MODIFIERS);
            if !modifiers.contains(&one) {
                modifiers.push(one);
            }
        }
        if rng.chance(2) {
            modifiers.iter().for_each(|one| text += &format!(" {one}\n      "));
            text += &format!(" {mark}{verify}");
        } else {
            text += &format!(" {mark}{verify}");
            modifiers.iter().for_each(|one| text += &format!("\n       {one}"));
        }
        if verb == "warn" {
            text += &format!("\n       logwrite = in {SHOWN}");
        }
        text
    }
}

/// Domains and the hosts of each, in their order.
const HOSTS: &str = "x.test 127.0.0.2 ; y.test 127.0.0.3 ; z.test 127.0.0.2:127.0.0.3 ; \
    v.test 127.0.0.6 ; w.test 127.0.0.6:127.0.0.3 ; u.test 127.0.0.4";

pub(super) fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Submission);
    let asking = Asking::of(rng);
    let cuts = rng.chance(2);
    quarry.fixed("## callouts\n+++\nreceived_header_text = Received: by here");
    quarry.fixed("smtp_enforce_sync = false\nqueue_run_in_order\nremote_max_parallel = 1");
    quarry.fixed(format!(
        "tls_advertise_hosts =\ncallout_random_local_part = {}",
        if asking.random { rng.pick(NOBODY) } else { "nobody" }
    ));
    for option in rng.options(4, OPTIONS) {
        quarry.loose(option);
    }
    for option in rng.options(if asking.expires { 4 } else { 1 }, EXPIRING) {
        quarry.loose(option);
    }
    acls(rng, &mut quarry, &asking, cuts);
    routers(rng, &mut quarry, cuts);
    transports(rng, &mut quarry, cuts);
    session::make(rng, &mut quarry, cuts);
    hosts(rng, &mut quarry, &asking, cuts);
    quarry
}

impl Asking {
    fn of(rng: &mut Rng) -> Self {
        let more = rng.pick(MORE);
        Self { more, random: more == "random", expires: rng.chance(10) }
    }

    /// Whether a host may do so: where it refuses the sender of a callout with `random`, the
    /// real one forgets where it was, and where it is not the first one, what it has said.
    fn may_meet(&self, host: &str, fault: &str) -> bool {
        let is_second = host == "127.0.0.3";
        let takes_time = fault.ends_with("=wait");
        !(self.expires && takes_time)
            && !((self.random || is_second) && fault.starts_with("mail=") && fault.contains("550"))
    }
}

fn acls(rng: &mut Rng, quarry: &mut Quarry, asking: &Asking, cuts: bool) {
    let at_mail = rng.chance(4);
    if at_mail {
        quarry.loose("acl_smtp_mail = mail");
    }
    quarry.fixed("acl_smtp_rcpt = rcpt");
    // A message that is cut through is begun before it is judged.
    let at_data = !cuts && rng.chance(2);
    if at_data {
        quarry.loose("acl_smtp_data = data");
    }
    quarry.fixed("begin acl\nevent:\n  accept logwrite = event $acl_arg1");
    quarry.fixed("mail:");
    if at_mail {
        quarry.loose(asking.statement(rng, "sender"));
        quarry.loose(format!("  warn logwrite = mail {SHOWN}"));
    }
    quarry.fixed("  accept\nrcpt:");
    let mut control = cuts.then(|| {
        let how = rng.pick(&["", "", "/defer=pass", "/defer=spool"]);
        format!("  warn control = cutthrough_delivery{how}")
    });
    for _ in 0..rng.usize(..4) {
        if rng.chance(2) {
            control.take().into_iter().for_each(|text| {
                quarry.loose(text);
            });
        }
        let what = match rng.u32(..12) {
            0..=5 => "recipient",
            6..=8 => "sender",
            9 => "sender=a@x.test",
            10 => "sender=$local_part@y.test",
            _ => "sender=",
        };
        quarry.loose(asking.statement(rng, what));
        if rng.chance(2) {
            quarry.loose(format!("  warn logwrite = after {SHOWN}"));
        }
    }
    control.into_iter().for_each(|text| {
        quarry.loose(text);
    });
    quarry.fixed("  accept\ndata:");
    if at_data {
        let what = rng.pick(&["header_sender", "header_sender", "sender"]);
        quarry.loose(asking.statement(rng, what));
        quarry.loose(format!("  warn logwrite = data {SHOWN}"));
    }
    quarry.fixed("  accept");
}

fn routers(rng: &mut Rng, quarry: &mut Quarry, cuts: bool) {
    quarry.fixed("begin routers");
    quarry.loose(
        "no:\n  driver = redirect\n  local_parts = gone : later\n  allow_fail\n  allow_defer\n  \
         data = ${if eq{$local_part}{gone}{:fail: gone away}{:defer: come later}}",
    );
    quarry.loose("one:\n  driver = redirect\n  local_parts = one\n  data = a@$domain");
    quarry.loose("bad:\n  driver = redirect\n  local_parts = bad\n  data = f@x.test");
    // Where some of what an address comes to goes another way, the real one loses the rest.
    if !cuts {
        quarry.loose("two:\n  driver = redirect\n  local_parts = two\n  data = a@x.test, b@y.test");
    }
    quarry.loose("loc:\n  driver = accept\n  domains = l.test\n  transport = box");
    quarry.loose("own:\n  driver = accept\n  domains = own.test\n  transport = own");
    quarry.loose(
        "lm:\n  driver = manualroute\n  domains = lm.test\n  route_list = * 127.0.0.5\n  \
         transport = lm",
    );
    quarry.loose("sock:\n  driver = accept\n  domains = sock.test\n  transport = sock");
    quarry.fixed(format!("away:\n  driver = manualroute\n  route_list = {HOSTS}\n  self = send"));
    for option in rng.options(2, OF_AWAY) {
        quarry.loose(format!("  {option}"));
    }
    quarry.fixed("  transport = smtp");
}

fn transports(rng: &mut Rng, quarry: &mut Quarry, cuts: bool) {
    let smtp = "  driver = smtp\n  port = PORT\n  hosts_try_fastopen =\n  allow_localhost\n  \
        command_timeout = 1s\n  data_timeout = 1s\n  final_timeout = 1s";
    quarry.fixed(format!("begin transports\nsmtp:\n{smtp}"));
    for option in rng.options(3, OF_SMTP) {
        // What stands on a header line of its own there comes out otherwise.
        if !(cuts && option.starts_with("headers_add")) {
            quarry.loose(format!("  {option}"));
        }
    }
    quarry.fixed(format!("own:\n{smtp}\n  hosts = 127.0.0.4:127.0.0.3"));
    quarry.fixed(format!("lm:\n{smtp}\n  protocol = lmtp"));
    quarry.fixed("sock:\n  driver = lmtp\n  user = Debian-exim\n  socket = SOCKET");
    quarry.fixed("box:\n  driver = appendfile\n  file = DIR/mail/box\n  user = Debian-exim");
    quarry.fixed("begin retry\n* * F,1h,1m");
}

/// What the hosts say, and more sessions.
fn hosts(rng: &mut Rng, quarry: &mut Quarry, asking: &Asking, cuts: bool) {
    for run in 0..rng.usize(1..4) {
        for number in 2..=5 {
            let host = format!("127.0.0.{number}");
            if run == 0 {
                quarry.fixed(format!("~ {host} nothing=yet"));
            }
            let how_many = [0, 1, 1, 2][rng.usize(..4)];
            for _ in 0..how_many {
                let fault = match cuts && rng.chance(3) {
                    true => rng.pick(OF_MESSAGES),
                    false => rng.pick(FAULTS),
                };
                if asking.may_meet(&host, fault) {
                    quarry.loose(format!("~ {host} {fault}"));
                }
            }
        }
        match run {
            0 if !asking.expires && rng.chance(2) => quarry.loose("@ hints callout"),
            _ => quarry.loose(session::again(rng, asking.expires)),
        };
    }
    if rng.chance(2) {
        quarry.loose("@ -q");
    }
    quarry.loose("@ hints callout");
}

/// What is heard and logged without what is another each time, and the message of a postmaster who
/// is taken.
pub(super) fn settled(lines: Vec<String>) -> Vec<String> {
    static TAKEN: LazyLock<Regex> = LazyLock::new(|| {
        let before = r#"(Callout verification failed:\\n|response to "RCPT [^"]*" was: )"#;
        Regex::new(&format!(r"{before}2\d\d[^>]*")).expect("a pattern")
    });
    static PORTS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(port=|127\.0\.0\.\d[]:.]+)(?:\d{4,5})\b").expect("a pattern")
    });
    // How deep the real one is then, and in what order it wrote down who has the message.
    static OTHERWISE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"hosts_try_fastopen\?|^[NY]{2} ").expect("a pattern"));
    let settle = |line: String| {
        let line = PORTS.replace_all(&line, "${1}PORT").into_owned();
        // A word that the real one has left from the host before.
        TAKEN.replace_all(&line, "").replace("pipelined LHLO", "LHLO")
    };
    lines.into_iter().filter(|line| !OTHERWISE.is_match(line)).map(settle).collect()
}
