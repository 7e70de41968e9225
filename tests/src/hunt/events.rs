//! Events: what they are told with, what their result does, over deliveries that go well and
//! wrong.

use std::fmt::Write as _;

use fastrand::Rng;

use super::{Form, Quarry};
use crate::dice::Dice;

/// What happens.
const NAMES: &[&str] = &[
    "msg:complete",
    "msg:delivery",
    "msg:defer",
    "msg:rcpt:defer",
    "msg:rcpt:host:defer",
    "msg:host:defer",
    "msg:fail:delivery",
    "msg:fail:internal",
    "tcp:connect",
    "tcp:connect",
    "tcp:close",
    "smtp:connect",
    "smtp:connect",
    "smtp:ehlo",
    "auth:fail",
    "dns:fail",
];

/// What is told of each: what means the same to both programs.
const ACLS: &str = "begin acl
ev:
  accept condition = ${if eq{$event_name}{tcp:close}}
         logwrite = $acl_arg1 $event_name <$event_data> h=<$host> $host_address \
${if eq{$host_port}{PORT}{own}{$host_port}}
  accept logwrite = $acl_arg1 $event_name <$event_data> <$event_defer_errno> lp=<$local_part> \
d=<$domain> h=<${if match{$event_name}{:(complete|fail:delivery)}{}{$host,$host_address,\
${if eq{$host_port}{PORT}{own}{$host_port}}}}> \
r=<${if match{$event_name}{^msg}{$router_name}}> t=<$transport_name> f=<$sender_address> \
rc=$recipients_count
         logwrite = + sip=<$sending_ip_address> sp=<${if def:sending_port{y}}> \
da=<$tls_out_dane> c=<$tls_out_cipher> id=<${if def:message_exim_id{y}}> vm=<$verify_mode> \
q=<$queue_name> sh=<$h_subject:> rp=<$return_path> cnt=<$acl_m_cnt> hs=<$host_data> $acl_narg \
home=<$home>
         set acl_m_cnt = x$acl_m_cnt
no:
  deny logwrite = no $event_name
later:
  defer message = later
text:
  accept message = text of $event_name
  ";

const ROUTERS: &str = "begin routers
dns:
  driver = dnslookup
  domains = *.odd : mx.test : nx.test : nomx.test
  transport = smtp
no:
  driver = redirect
  local_parts = no : later
  allow_fail
  allow_defer
  data = ${if eq{$local_part}{no}{:fail: no such}{:defer: later}}
list:
  driver = redirect
  local_parts = list
  data = a@$domain, f@$domain, no@l.test
auto:
  driver = accept
  local_parts = auto
  transport = auto
loc:
  driver = accept
  domains = l.test
  local_part_suffix = +*
  local_part_suffix_optional
  address_data = data of $local_part
  transport = ${if match{$local_part}{^p}{pipe}{${if eq{$local_part}{bad}{gone}{\
${if eq{$local_part}{q}{full}{box}}}}}}
lm:
  driver = accept
  domains = lm.test
  transport = lmtp
away:
  driver = manualroute";

/// What comes of an event, by one of its names. One that the installed program does not know
/// is none.
fn action(rng: &mut Rng, who: &str) -> String {
    let name = rng.pick(NAMES);
    let told = format!("${{acl{{ev}}{{{who}}}}}");
    let of_one = |what: &str| format!("{told}${{if eq{{$event_name}}{{{name}}}{what}}}");
    let action = match rng.u32(..14) {
        0 => of_one("{no}"),
        1 => of_one("{}fail"),
        2 => of_one("{x}fail"),
        3 => of_one("{${bad}}"),
        4 => of_one("{${acl{no}}}"),
        5 => of_one("{${acl{later}}}"),
        6 => of_one("{${acl{text}}}"),
        7 => format!("{told}${{if match{{$event_name}}{{connect}}{{$host_address}}}}"),
        8 => format!("${{if match{{$event_name}}{{^msg}}{{{told}}}}}"),
        9 => format!("{told} "),
        _ => told,
    };
    format!("${{if match{{$event_name}}{{^proc}}{{}}{{{action}}}}}")
}

/// How hosts go wrong.
const FAULTS: &[&str] = &[
    "banner=close",
    "banner=421 busy|close",
    "banner=554 go away",
    "banner=220-a|220 b",
    "banner=junk",
    "ehlo=550 no",
    "ehlo=421 no|close",
    "ehlo=250-a|251 b",
    "mail=450 m",
    "mail=550 m",
    "mail=421 m|close",
    "mail=close",
    "mail=250-a|260 b",
    "rcpt:@=450 r",
    "rcpt:@=550 r",
    "rcpt:@=421 r|close",
    "rcpt:@=close",
    "rcpt:f=550 5.1.1 no",
    "rcpt:d=450 later",
    "rcpt:d=452 too many",
    "data=450 d",
    "data=550 d",
    "end=450 t",
    "end=550 t",
    "end=550-t|550 u",
    "end=421 t|close",
    "end=250 one%450 two",
    "ext=AUTH PLAIN",
    "ext=SIZE 10",
    "auth=535 no",
    "ext=PIPELINING,CHUNKING,DSN",
    "end=close",
    "rset=close",
];

const OF_SMTP: &[&str] = &[
    "hosts_max_try = 1",
    "hosts_avoid_pipelining = *",
    "hosts_try_chunking =",
    "hosts_pipe_connect = *",
    "connection_max_messages = 1",
    "multi_domain = false",
    "hosts_try_auth = *",
    "hosts_require_auth = *",
    "hosts_require_tls = *",
    "max_rcpt = 1",
    "interface = 127.0.0.1",
    "socks_proxy = 127.0.0.9 port=1",
    "helo_data = ${bad}",
    "return_path = ${bad}",
    "fallback_hosts = 127.0.0.4",
    "message_size_limit = 10",
    "delay_after_cutoff = false",
    "port = 1",
    "connect_timeout = 5s",
];

pub(super) fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Submission);
    quarry.fixed("## events\n+++\nreceived_header_text = Received: by here");
    quarry.fixed("queue_run_in_order\nremote_max_parallel = 1");
    if !rng.chance(4) {
        quarry.loose(format!("event_action = {}", action(rng, "main")));
    }
    let options = [
        "ignore_bounce_errors_after = 0s",
        "delay_warning = 1h",
        "bounce_message_file = /nonexistent/d",
        "log_selector = +all_parents +outgoing_interface +smtp_connection -outgoing_port",
        "acl_not_smtp = accept verify = recipient/callout=2s",
        "freeze_tell = s@l.test",
        "retry_interval_max = 1h",
    ];
    for option in rng.options(3, &options) {
        quarry.loose(option);
    }
    quarry.fixed(ACLS).fixed(ROUTERS);
    quarry.fixed(
        "  route_list = x.test 127.0.0.2:127.0.0.3 byname ; y.test 127.0.0.4 byname ; z.test \
         127.0.0.2:nowhere.odd byname ; * 127.0.0.5\n  self = send\n  hosts_randomize = false\n  \
         transport = smtp\nbegin transports",
    );
    quarry.fixed("box:\n  driver = appendfile\n  user = Debian-exim\n  file = DIR/mail/box");
    own_event(&mut quarry, rng, "box");
    quarry.fixed("gone:\n  driver = appendfile\n  user = Debian-exim\n  file = /proc/x/y");
    own_event(&mut quarry, rng, "gone");
    quarry.fixed(
        "full:\n  driver = appendfile\n  user = Debian-exim\n  file = DIR/mail/full\n  quota = 1",
    );
    own_event(&mut quarry, rng, "full");
    let commands = [
        "/bin/false",
        "/bin/sh -c \"exit 75\"",
        "/bin/cat",
        "/nonexistent/d",
        "/bin/sh -c \"echo out; exit 3\"\n  return_output",
        "${bad}",
    ];
    quarry.fixed("pipe:\n  driver = pipe\n  user = Debian-exim");
    quarry.fixed(format!("  command = {}", rng.pick(&commands)));
    own_event(&mut quarry, rng, "pipe");
    quarry.fixed("lmtp:\n  driver = lmtp\n  user = Debian-exim\n  socket = SOCKET");
    if rng.chance(3) {
        quarry.loose("  batch_max = 9");
    }
    own_event(&mut quarry, rng, "lmtp");
    let answers =
        ["to = s@l.test\n  text = hello", "to = ${bad}", "to = s@l.test\n  once = /proc/x"];
    quarry.fixed("auto:\n  driver = autoreply\n  user = Debian-exim");
    quarry.fixed(format!("  {}", rng.pick(&answers)));
    own_event(&mut quarry, rng, "auto");
    quarry.fixed("smtp:\n  driver = smtp\n  hosts_try_fastopen =\n  allow_localhost");
    let options = rng.options(3, OF_SMTP);
    if !options.contains(&"port = 1") {
        quarry.fixed("  port = PORT");
    }
    for option in options {
        quarry.loose(format!("  {option}"));
    }
    if !rng.chance(5) {
        quarry.loose(format!("  event_action = {}", action(rng, "tp")));
    }
    quarry.fixed("begin retry");
    quarry.loose(rng.pick(&["* * F,1h,1m", "* * F,5d,1h", "x.test * F,1h,1m", "*"]));
    quarry.fixed(
        "begin authenticators\np:\n  driver = plaintext\n  public_name = PLAIN\n  \
                  client_send = ^tim^geheim",
    );
    messages(&mut quarry, rng);
    quarry
}

fn own_event(quarry: &mut Quarry, rng: &mut Rng, name: &str) {
    if !rng.chance(3) {
        quarry.loose(format!("  event_action = {}", action(rng, name)));
    }
}

/// A message, and what comes of it in several runs.
fn messages(quarry: &mut Quarry, rng: &mut Rng) {
    let sender = rng.pick(&["s@l.test", "s@l.test", "<>", "a@x.test"]);
    let known = [
        "a@x.test",
        "f1@x.test",
        "d1@x.test",
        "a@y.test",
        "a@x.test",
        "b@x.test",
        "a@z.test",
        "a@l.test",
        "a+b@l.test",
        "p@l.test",
        "bad@l.test",
        "q@l.test",
        "a@lm.test",
        "d@lm.test",
        "f@lm.test",
        "no@l.test",
        "later@l.test",
        "list@x.test",
        "auto@l.test",
        "a@nx.test",
        "a@again.odd",
        "a@refused.odd",
        "list@lm.test",
    ];
    let recipients = rng.some(1, 3, " ", |rng| rng.pick(&known).to_owned());
    let mut how = String::new();
    write!(how, "? {} -f {sender} {recipients}", rng.pick(&["-odi", "-odq"])).expect("text");
    quarry.fixed(how);
    quarry.fixed("> Subject: x\\n\\nbody");
    for host in ["127.0.0.2", "127.0.0.3"] {
        if !rng.chance(6) {
            quarry.loose(format!("~ {host} banner=220 h ESMTP"));
        }
    }
    for run in 0..rng.usize(1..4) {
        for host in ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"] {
            if rng.chance(2) {
                quarry.loose(format!("~ {host} {}", rng.pick(FAULTS)));
            }
        }
        if run > 0 && rng.chance(4) {
            quarry.loose("@ age=8000 -bp");
        }
        quarry.loose(format!("@ {}", rng.pick(&["-q", "-qf", "-qf", "-qff", "-Mg ID", "-M ID"])));
    }
    quarry.loose("@ -bp");
}
