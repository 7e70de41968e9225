//! The client's side: what is said to next hosts that ask too much or too little.

use fastrand::Rng;

use super::super::{Form, Quarry};
use super::condition;
use crate::dice::Dice;

/// What hosts offer.
const OFFERS: &[&str] = &[
    "AUTH PLAIN LOGIN",
    "AUTH LOGIN PLAIN CRAM-MD5",
    "AUTH PLAIN",
    "AUTH LOGIN",
    "AUTH CRAM-MD5 PLAIN",
    "AUTH EXTERNAL",
    "AUTH LOGIN,PIPELINING",
    "PIPELINING,AUTH PLAIN LOGIN,SIZE",
    "AUTH=LOGIN",
    "AUTH",
    "AUTH XPLAIN LOGINX",
    "AUTH plain login",
    "AUTH  LOGIN  PLAIN ",
    "AUTH PLAIN\tLOGIN",
    "SIZE",
    "AUTH NTLM LOGIN",
    "X-AUTH PLAIN",
];

/// What hosts say to AUTH.
const ANSWERS: &[&str] = &[
    "235 ok",
    "235 ok|close",
    "535 no",
    "535 5.7.8 no",
    "435 later",
    "454 4.7.0 later",
    "500 what",
    "504 not that",
    "334 eA==%235 ok",
    "334 VXNlcm5hbWU6%334 UGFzc3dvcmQ6%235 ok",
    "334 VXNlcm5hbWU6%334 UGFzc3dvcmQ6%535 no",
    "334 VXNlcm5hbWU6%334 UGFzc3dvcmQ6%435 later",
    "334 VXNlcm5hbWU6%334 UGFzc3dvcmQ6%334 eA==%235 ok",
    "334 VXNlcm5hbWU6%334 UGFzc3dvcmQ6%334 eA==%334 eA==%334 eA==%535 no",
    "334 VXNlcm5hbWU6%535 no",
    "334 VXNlcm5hbWU6%close",
    "334 ???%235 ok",
    "334 ???%535 no",
    "334 VXN=cm5%334 UGFzc3dvcmQ6%235 ok",
    "334 VXNl cm5h%334 VXNl%235 ok",
    "334 PDEyMz4=%235 ok",
    "334 PDEyMz4=%535 no",
    "334 PDEyMz4=%334 eA==%535 no",
    "334-a|334 b%235 ok",
    "235-a|235 b",
    "250 ok",
    "354 go on",
    "421 bye|close",
    "close",
    "junk",
    "535",
    "334 YQpi%334 YQBi%235 ok",
];

const SENT: &[&str] = &[
    "^tim^geheim",
    "tim : geheim",
    ": tim : geheim",
    "^^tim^^^geheim",
    "^t^^im^gehe^",
    "^",
    "^^^",
    "^^^^",
    "",
    ":",
    "tim",
    "${bad}",
    "tim : ${bad}",
    "tim : ${if eq{1}{2}{x}fail}",
    "${if eq{1}{2}{x}fail}",
    "<; ; tim ; ^geheim",
    "$auth1 : $auth2 : $auth3",
    "$auth1-$auth2 : $auth1-$auth2",
    "x : ${if eq{$auth1}{Username:}{tim}fail} : geheim",
    "$domain : $host : $local_part : $host_address",
    "^$sender_address^$authenticated_id^$authenticated_sender",
    "tim:: : ge::heim",
    "\\x41 : \\n",
    "${lookup{x}lsearch{/nonexistent/d}} : b",
    ": ${if eq{$auth1}{Username:}{tim}{other $auth1}} : ${if eq{$auth2}{Password:}{pw}{$auth2}}",
];

const OF_TRANSPORT: &[&str] = &[
    "hosts_require_auth = *",
    "hosts_require_auth = 127.0.0.2",
    "hosts_require_auth = ${bad}",
    "authenticated_sender = me@l.test",
    "authenticated_sender = ${if eq{1}{2}{x}fail}",
    "authenticated_sender = ${bad}",
    "authenticated_sender =",
    "authenticated_sender = a b+c=d@l.test",
    "authenticated_sender = <$authenticated_id>",
    "authenticated_sender_force",
    "event_action = ${if eq{$event_name}{auth:fail}{told $event_data}}",
    "event_action = ${if eq{$event_name}{auth:fail}{${acl{ev}}}}",
    "event_action = ${if eq{$event_name}{auth:fail}{${bad}}}",
    "hosts_avoid_esmtp = *",
    "hosts_pipe_connect = *",
    "hosts_avoid_pipelining = *",
    "connection_max_messages = 1",
    "tls_tempfail_tryclear = false",
    "protocol = lmtp",
    "hosts_max_try = 1",
];

const LOGGED: &[&str] = &[
    "log_selector = +smtp_mailauth",
    "log_selector = +outgoing_interface +smtp_mailauth -outgoing_port",
    "log_selector = -smtp_confirmation",
];

pub(super) fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Submission);
    quarry.fixed("## auth\n+++\nreceived_header_text = Received: by here");
    quarry.fixed("queue_run_in_order\nremote_max_parallel = 1");
    if rng.chance(3) {
        quarry.loose(rng.pick(LOGGED));
    }
    quarry.fixed(
        "begin acl\nev:\n  accept logwrite = ev $event_name <$event_data> h=<$host> \
         <$host_address> d=<$domain> lp=<$local_part> <$auth1>\n         message = said\n\
         begin routers\nloc:\n  driver = accept\n  domains = l.test\n  transport = box\naway:\n  \
         driver = manualroute\n  route_list = * 127.0.0.1:127.0.0.2 byname\n  self = send\n  \
         hosts_randomize = false\n  transport = smtp\nbegin transports\nbox:\n  driver = \
         appendfile\n  file = DIR/mail/box\n  user = Debian-exim\nsmtp:\n  driver = smtp\n  \
         port = PORT\n  hosts_try_fastopen =\n  allow_localhost",
    );
    let tries = ["*", "*", "*", "127.0.0.1", "! 127.0.0.1 : *", "${bad}"];
    if !rng.chance(8) {
        quarry.loose(format!("  hosts_try_auth = {}", rng.pick(&tries)));
    }
    for option in rng.options(4, OF_TRANSPORT) {
        quarry.loose(format!("  {option}"));
    }
    quarry.fixed("begin retry");
    quarry.loose(rng.pick(&["* * F,1h,1m", "* auth_failed F,5d,1h\n* * F,1h,1m", "* auth_failed"]));
    quarry.fixed("begin authenticators");
    let names = ["p", "l", "c", "e"];
    for name in &names[..rng.usize(1..=3)] {
        quarry.loose(authenticator(rng, name));
    }
    let recipients = rng.pick(&["a@x.test", "a@x.test", "a@x.test b@x.test", "a@x.test b@y.test"]);
    let by = rng.pick(&["", "", "-oMai tim -oMas a@l.test", "-oMai tim", "-oMaa plain -oMai x"]);
    quarry.fixed(format!("? -odq -f s@l.test {by} {recipients}").replace("  ", " "));
    quarry.fixed("> Subject: x\\n\\nbody");
    quarry.fixed("~ 127.0.0.2 banner=220 two ESMTP");
    for run in 0..rng.usize(1..4) {
        for host in ["127.0.0.1", "127.0.0.2"] {
            if run == 0 || rng.chance(2) {
                quarry.loose(format!("~ {host} ext={}", rng.pick(OFFERS)));
                quarry.loose(format!("~ {host} auth={}", rng.pick(ANSWERS)));
            }
        }
        if rng.chance(8) {
            quarry.loose(format!("~ {}", rng.pick(&["mail=450 m", "mail=550 m", "rcpt:a=550 r"])));
        }
        quarry.loose(format!("@ {}", rng.pick(&["-qf", "-qff", "-q", "-qqff"])));
    }
    quarry.loose("@ -bp");
    quarry.loose("@ hints");
    quarry
}

fn authenticator(rng: &mut Rng, name: &str) -> String {
    let public = match name {
        "p" => "PLAIN",
        "l" => "LOGIN",
        "c" => "CRAM-MD5",
        _ => "EXTERNAL",
    };
    let driver = match rng.u32(..8) {
        0 => "cram_md5",
        1 => "external",
        2 => "spa",
        _ if name == "c" => "cram_md5",
        _ => "plaintext",
    };
    let mut text = format!("{name}:\n  driver = {driver}\n  public_name = {public}");
    let names = ["tim", "${bad}", "${if eq{1}{2}{x}fail}", "", "$host", "${if eq{$auth1}{}{n}{m}}"];
    match driver {
        "cram_md5" => {
            if rng.chance(2) {
                text += &format!("\n  client_name = {}", rng.pick(&names));
            }
            let secrets = ["geheim", "geheim", "geheim", rng.pick(&names)];
            text += &format!("\n  client_secret = {}", rng.pick(&secrets));
        }
        "spa" => {
            let domain = rng.pick(&["", "\n  client_domain = d", "\n  client_domain = ${bad}"]);
            text += &format!(
                "\n  client_username = {}\n  client_password = {}{domain}",
                rng.pick(&names),
                rng.pick(&names)
            );
        }
        _ => {
            text += &format!("\n  client_send = {}", rng.pick(SENT));
            if rng.chance(3) && driver == "plaintext" {
                text += "\n  client_ignore_invalid_base64";
            }
        }
    }
    if rng.chance(3) {
        text += &format!("\n  client_condition = {}", condition(rng));
    }
    if rng.chance(3) {
        let ids = ["tim", "${bad}", "${if eq{1}{2}{x}fail}", "", "$auth1", "a b", "$host_address"];
        text += &format!("\n  client_set_id = {}", rng.pick(&ids));
    }
    text
}
