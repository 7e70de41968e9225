//! The client's side: messages and callouts to hosts that have TLS.

use fastrand::Rng;

use super::super::{Form, Quarry};
use super::values;
use crate::dice::Dice;

/// Whom something is for.
const HOSTS: &[&str] = &[
    "*",
    "*",
    "*",
    "127.0.1.2",
    "!127.0.1.2 : *",
    "127.0.1.4",
    "",
    "a.hosts.test",
    "*.hosts.test",
    "${if eq{$host_address}{127.0.1.2}{*}}",
    "${if eq{$domain}{x.test}{*}{}}",
];

const LISTS: &[&str] = &[
    "hosts_require_tls",
    "hosts_require_tls",
    "hosts_avoid_tls",
    "hosts_verify_avoid_tls",
    "tls_verify_hosts",
    "tls_verify_hosts",
    "tls_try_verify_hosts",
    "tls_verify_cert_hostnames",
    "tls_verify_cert_hostnames",
    "hosts_nopass_tls",
    "hosts_noproxy_tls",
    "hosts_require_alpn",
    "tls_resumption_hosts",
    "hosts_require_auth",
    "hosts_try_auth",
    "hosts_request_ocsp",
    "hosts_require_ocsp",
    "hosts_pipe_connect",
    "hosts_try_chunking",
];

const OPTIONS: &[&str] = &[
    "no_tls_tempfail_tryclear",
    "no_tls_tempfail_tryclear",
    "tls_sni = some.test",
    "tls_sni = $host",
    "tls_sni = ${domain:$sender_address}",
    "tls_sni = $local_part.test",
    "tls_sni = ${if eq{$domain}{x.test}{x.sni.test}fail}",
    "tls_sni = ${nosuch:x}",
    "tls_sni =",
    "tls_require_ciphers = NONESUCH",
    "tls_require_ciphers =",
    "tls_require_ciphers = ${nosuch:x}",
    "tls_crl = CERTS/crl.pem",
    "tls_alpn = smtp",
    "tls_alpn = <; a ; b",
    "tls_alpn = ${nosuch:x}",
    "protocol = smtps",
    "host_name_extract = {$value}{}",
    "host_name_extract =",
    "connection_max_messages = 1",
    "tls_dh_min_bits = 2048",
    "hosts_max_try = 1",
    "multi_domain = false",
    "max_rcpt = 1",
    "helo_data = ${if def:tls_out_ver{tls.test}{clear.test}}",
    "helo_data = ${if def:tls_out_cipher{tls.test}}",
    "headers_add = X-TLS: $tls_out_ver",
    "return_path = ${if def:tls_out_ver{r@l.test}fail}",
    "authenticated_sender = ${if def:tls_out_cipher{u@l.test}}",
    "interface = 127.0.0.1",
];

const AUTHORITIES: &[&str] = &[
    "CERTS/ca.pem",
    "CERTS/ca.pem",
    "CERTS/ca.pem",
    "CERTS/other.pem",
    "CERTS/hashed",
    "system",
    "",
    "CERTS/server.pem",
    "CERTS/middle.pem",
    "CERTS/alone.pem",
    "CERTS/empty.pem",
    "CERTS/rubbish.pem",
    "${if eq{$host}{}{}{/nowhere/ca.pem}}",
    "${if eq{$host}{a.hosts.test}{CERTS/other.pem}{CERTS/ca.pem}}",
    "${if eq{$domain}{x.test}{CERTS/ca.pem}fail}",
    "${nosuch:x}",
];

const OWN: &[&str] = &[
    "tls_certificate = CERTS/client.pem\n  tls_privatekey = CERTS/client.key",
    "tls_certificate = CERTS/client.pem\n  tls_privatekey = CERTS/client.key",
    "tls_certificate = CERTS/both.pem",
    "tls_certificate = CERTS/client.pem",
    "tls_certificate = CERTS/client.pem\n  tls_privatekey = CERTS/server.key",
    "tls_certificate = /nowhere/x\n  tls_privatekey = CERTS/client.key",
    "tls_certificate = ${if eq{$domain}{x.test}{CERTS/client.pem}}\n  \
     tls_privatekey = CERTS/client.key",
    "tls_certificate = ${nosuch:x}",
    "tls_certificate =",
];

const SELECTORS: &[&str] = &[
    "+tls_cipher",
    "-tls_cipher",
    "-tls_certificate_verified",
    "+tls_peerdn",
    "+tls_sni",
    "+tls_resumption",
    "+outgoing_interface",
    "-smtp_confirmation",
    "+pipelining",
    "+dnssec",
];

/// What is wrong with a host, or odd.
const ODD: &[&str] = &[
    "starttls=454 not now",
    "starttls=554 never",
    "starttls=500 what",
    "starttls=250 fine",
    "starttls=421 gone|close",
    "starttls=close",
    "starttls=nonsense",
    "starttls=220-go|220 on",
    "handshake=close",
    "handshake=nonsense",
    "handshake=then-close",
    "tls:ehlo=550 no",
    "tls:ehlo=421 no|close",
    "tls:ehlo=close",
    "tls:ehlo=500 what",
    "tls:ehlo=250-next.test|250-STARTTLS|250 SIZE",
    "tls:ext=",
    "tls:ext=AUTH PLAIN",
    "tls:ext=PIPELINING,CHUNKING",
    "ext=PIPELINING,SIZE 100",
    "tls:ext=SIZE 20",
    "tls:mail=450 m",
    "tls:mail=550 m",
    "tls:mail=close",
    "tls:rcpt:@=450 r",
    "tls:rcpt:@=550 r",
    "tls:rcpt:b@=550 r",
    "tls:rcpt:@=421 r|close",
    "tls:data=450 d",
    "tls:data=close",
    "tls:end=450 e",
    "tls:end=550 e",
    "tls:end=close",
    "tls:rset=500 x",
    "tls:rset=close",
    "rset=421 x|close",
    "auth=535 no",
    "mail=550 in clear",
    "rcpt:@=451 in clear",
    "banner=421 busy|close",
    "banner=554 no",
    "ehlo=550 no",
];

const CERTIFICATES: &[&str] = &[
    "server", "server", "server", "wild", "wild", "sni", "expired", "stranger", "alone", "below",
    "orphan", "nosan", "first", "many", "revoked", "edward", "rsa", "part",
];

/// What is asked about an address where it comes in.
const CALLOUTS: &[&str] = &[
    "recipient/callout=5s",
    "recipient/callout=5s,defer_ok",
    "recipient/callout=5s,random",
    "recipient/callout=5s,use_sender",
    "recipient/callout=5s,hold",
    "sender/callout=5s",
];

fn host(rng: &mut Rng, quarry: &mut Quarry, number: u32, at_once: bool, run: usize) {
    let host = format!("127.0.1.{number}");
    if run == 0 {
        let mut words = vec![format!("cert={}", rng.pick(CERTIFICATES))];
        if rng.chance(4) {
            words.push("version=1.2".to_owned());
        }
        if rng.chance(3) {
            words.push("asks".to_owned());
        }
        if rng.chance(6) {
            words.push(format!("alpn={}", rng.pick(&["smtp", "a"])));
        }
        if at_once && !rng.chance(6) {
            words.push("at-once".to_owned());
        }
        match rng.chance(8) {
            true => quarry.loose(format!("~ {host} ext=PIPELINING")),
            false => quarry.loose(format!("~ {host} tls={}", words.join(" "))),
        };
    }
    if rng.chance(2) {
        quarry.loose(format!("~ {host} {}", rng.pick(ODD)));
    }
}

pub(super) fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Submission);
    quarry.fixed("## TLS\n+++\nreceived_header_text = Received: by here\ntls_advertise_hosts =");
    quarry.fixed("remote_max_parallel = 1\nqueue_run_in_order\nhosts_treat_as_local = away.test");
    quarry.fixed("trusted_users = root\nacl_smtp_rcpt = rcpt\nsmtp_enforce_sync = false");
    let selectors = rng.some(0, 6, " ", |rng| rng.pick(SELECTORS).to_owned());
    quarry.loose(format!("log_selector = {selectors}"));
    quarry.fixed("begin acl\nevent:");
    quarry.loose(format!(
        "  warn logwrite = event $acl_arg1 $host [$host_address] {}",
        values(rng, "out")
    ));
    quarry.fixed("  accept\nrcpt:");
    let calls = rng.chance(3);
    if calls {
        let callout = rng.pick(CALLOUTS);
        quarry.loose(format!("  warn !verify = {callout}\n    logwrite = $acl_verify_message"));
        if rng.chance(3) {
            quarry.loose("  warn control = cutthrough_delivery");
        }
        quarry.loose(format!("  warn logwrite = {}", values(rng, "out")));
    }
    quarry.fixed("  accept\nbegin routers\nloc:\n  driver = accept\n  domains = l.test");
    quarry.fixed("  transport = box\naway:\n  driver = manualroute\n  self = send");
    let first = rng.pick(&[
        "a.hosts.test:b.hosts.test",
        "a.hosts.test:b.hosts.test",
        "127.0.1.2:127.0.1.3",
        "a.hosts.test",
    ]);
    let second = rng.pick(&["server.test", "127.0.1.4", "server.test:sni.test", "a.hosts.test"]);
    quarry.fixed(format!(
        "  route_list = x.test {first} byname ; y.test {second} byname ; z.test {first} byname\n  \
         hosts_randomize = false\n  transport = smtp\nbegin transports\nbox:\n  \
         driver = appendfile\n  file = DIR/mail/box\n  user = Debian-exim\nsmtp:\n  \
         driver = smtp\n  port = PORT\n  hosts_try_fastopen =\n  allow_localhost\n  \
         command_timeout = 4s\n  connect_timeout = 4s"
    ));
    let mut known: Vec<&str> = Vec::new();
    for _ in 0..rng.usize(..4) {
        let list = rng.pick(LISTS);
        if !known.contains(&list) {
            known.push(list);
            quarry.loose(format!("  {list} = {}", rng.pick(HOSTS)));
        }
    }
    if !rng.chance(3) {
        quarry.loose(format!("  tls_verify_certificates = {}", rng.pick(AUTHORITIES)));
    }
    if rng.chance(3) {
        quarry.loose(format!("  {}", rng.pick(OWN)));
    }
    let mut at_once = false;
    for option in rng.options(4, OPTIONS) {
        at_once |= option.contains("smtps");
        quarry.loose(format!("  {option}"));
    }
    if rng.chance(2) {
        quarry.loose(
            "  event_action = ${if match{$event_name}{^(tls:|tcp:close|msg:.*host)}\
             {${acl{event}{$event_name}}}}",
        );
    }
    quarry.fixed("begin retry");
    for _ in 0..rng.usize(..2) {
        let subject = rng.pick(&["*", "x.test", "a.hosts.test", "127.0.1.2"]);
        let errors = ["tls_required", "lost_connection", "refused", "auth_failed", "mail_4xx"];
        quarry.loose(format!("{subject} {} F,1h,1m", rng.pick(&errors)));
    }
    quarry.loose("* * F,1h,1m");
    quarry.fixed("begin authenticators");
    quarry.loose(
        "plain:\n  driver = plaintext\n  public_name = PLAIN\n  \
         client_send = ${if def:tls_out_cipher{^u^p}fail}",
    );
    let sender = rng.pick(&["s@l.test", "s@l.test", "<>"]);
    let recipients = rng.some(1, 4, " ", |rng| {
        rng.pick(&["a@x.test", "b@x.test", "c@y.test", "d@z.test"]).to_owned()
    });
    match calls {
        true => {
            let sender = sender.trim_matches(['<', '>']);
            quarry.fixed(format!("? -bs -odi\n> EHLO me\\r\n> MAIL FROM:<{sender}>\\r"));
            for one in recipients.split(' ') {
                quarry.fixed(format!("> RCPT TO:<{one}>\\r"));
            }
            quarry.fixed("> DATA\\r\n> Subject: x\\r\n> \\r\n> body\\r\n> .\\r\n> QUIT\\r");
        }
        false => {
            let how = rng.pick(&["-odi", "-odi", "-odq"]);
            quarry.fixed(format!("? {how} -f {sender} {recipients}"));
            quarry.fixed("> Subject: x\\n\\nbody");
        }
    }
    for run in 0..rng.usize(1..3) {
        if run > 0 && rng.chance(2) {
            quarry.loose("@ age=4000 -bp");
        }
        for number in 2..=5 {
            host(rng, &mut quarry, number, at_once, run);
        }
        quarry.loose(format!("@ {}", rng.pick(&["-q", "-q", "-qf", "-qff", "-qqff"])));
    }
    quarry.loose("@ -bp");
    quarry.loose("@ hints");
    quarry
}
