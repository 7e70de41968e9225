//! The server's side: a daemon, and clients that do odd things.

use fastrand::Rng;

use super::super::{Form, Quarry};
use super::values;
use crate::dice::Dice;

/// Whom something is for.
const HOSTS: &[&str] = &[
    "*",
    "*",
    "*",
    "127.0.0.1",
    "!127.0.0.2 : *",
    "127.0.0.2",
    "",
    "${if eq{$sender_helo_name}{me.test}{*}}",
    "${if eq{$tls_in_sni}{sni.test}{*}{}}",
    "${if eq{1}{2}{*}fail}",
];

/// Certificates and keys.
const OWN: &[&str] = &[
    "tls_certificate = CERTS/server.pem\ntls_privatekey = CERTS/server.key",
    "tls_certificate = CERTS/server.pem\ntls_privatekey = CERTS/server.key",
    "tls_certificate = CERTS/server.pem\ntls_privatekey = CERTS/server.key",
    "tls_certificate = CERTS/both.pem",
    "tls_certificate = CERTS/both.pem\ntls_privatekey =",
    "tls_certificate = <; CERTS/rsa.pem\ntls_privatekey = <; CERTS/rsa.key ; CERTS/server.key",
    "tls_certificate = CERTS/rsa.pem : CERTS/server.pem\ntls_privatekey = CERTS/rsa.key",
    "tls_certificate = ${if eq{$tls_in_sni}{sni.test}{CERTS/sni.pem}{CERTS/server.pem}}\n\
     tls_privatekey = ${if eq{$tls_in_sni}{sni.test}{CERTS/sni.key}{CERTS/server.key}}",
    "tls_certificate = ${if eq{$tls_in_sni}{sni.test}{/nowhere}{CERTS/server.pem}}\n\
     tls_privatekey = CERTS/server.key",
    "tls_certificate = ${if eq{$tls_in_sni}{sni.test}{${nosuch:x}}{CERTS/server.pem}}\n\
     tls_privatekey = CERTS/server.key",
    "tls_certificate = CERTS/${if eq{$sender_helo_name}{me.test}{many}{below}}.pem\n\
     tls_privatekey = CERTS/${if eq{$sender_helo_name}{me.test}{many}{below}}.key",
    "tls_certificate = /nowhere/x.pem\ntls_privatekey = CERTS/server.key",
    "tls_certificate = CERTS/server.pem\ntls_privatekey = /nowhere/x.key",
    "tls_certificate = CERTS/server.pem\ntls_privatekey = CERTS/secret.key",
    "tls_certificate = CERTS/server.pem\ntls_privatekey = CERTS/client.key",
    "tls_certificate = CERTS/server.pem",
    "tls_certificate = CERTS/empty.pem\ntls_privatekey = CERTS/server.key",
    "tls_certificate = CERTS/rubbish.pem\ntls_privatekey = CERTS/server.key",
    "tls_certificate = CERTS/edward.pem\ntls_privatekey = CERTS/edward.key",
    "tls_certificate = CERTS/expired.pem\ntls_privatekey = CERTS/expired.key",
    "tls_certificate = ${nosuch:x}\ntls_privatekey = CERTS/server.key",
    "",
];

const AUTHORITIES: &[&str] = &[
    "CERTS/ca.pem",
    "CERTS/ca.pem",
    "CERTS/ca.pem",
    "CERTS/other.pem",
    "CERTS/hashed",
    "system",
    "",
    "CERTS/client.pem",
    "CERTS/middle.pem",
    "CERTS/alone.pem",
    "CERTS/empty.pem",
    "CERTS/rubbish.pem",
    "/nowhere/ca.pem",
    "${if eq{$tls_in_sni}{sni.test}{CERTS/other.pem}{CERTS/ca.pem}}",
    "${if eq{$sender_helo_name}{me.test}{CERTS/ca.pem}fail}",
    "${nosuch:x}",
];

const OPTIONS: &[&str] = &[
    "tls_crl = CERTS/crl.pem",
    "tls_crl = CERTS/crl.pem",
    "tls_crl =",
    "tls_dhparam = none",
    "tls_dhparam = historic",
    "tls_dhparam = ffdhe2048",
    "tls_eccurve = auto",
    "tls_alpn = smtp",
    "tls_alpn = <; a ; b",
    "tls_alpn =",
    "tls_alpn = ${nosuch:x}",
    "hosts_require_alpn = *",
    "hosts_require_alpn = 127.0.0.2",
    "tls_require_ciphers =",
    "tls_require_ciphers = ${if eq{$sender_helo_name}{me.test}{NONESUCH}}",
    "tls_require_ciphers = ${if eq{$sender_helo_name}{me.test}{}fail}",
    "tls_remember_esmtp",
    "tls_resumption_hosts = *",
    "tls_ocsp_file = /nowhere/x",
    "tls_on_connect_ports = PORT",
    "tls_on_connect_ports = PORT",
    "auth_advertise_hosts = ${if def:tls_in_cipher{*}}",
    "pipelining_advertise_hosts = ${if def:tls_in_ver{}{*}}",
    "acl_smtp_connect = tell",
    "acl_smtp_helo = tell",
    "acl_smtp_mail = tell",
    "acl_smtp_mail = ${if def:tls_in_cipher{tell}{deny}}",
    "acl_smtp_starttls = tell",
    "acl_smtp_starttls = ${if eq{$sender_helo_name}{me.test}{tell}{deny}}",
    "acl_smtp_starttls = defer",
    "acl_smtp_data = tell",
    "acl_smtp_auth = ${if def:tls_in_cipher{tell}{deny}}",
    "acl_smtp_quit = tell",
    "acl_smtp_notquit = warn logwrite = notquit $smtp_notquit_reason $tls_in_ver",
    "event_action = ${if match{$event_name}{^tls:}{${acl{event}{$event_name}}}}",
    "event_action = ${if eq{$event_name}{tls:cert}{refused ${event_data}}}",
    "smtp_max_synprot_errors = 1",
    "smtp_accept_max_nonmail = 2",
    "received_header_text = Received: ${if def:tls_in_cipher{($tls_in_ver)}} $received_protocol",
    "smtp_banner = hello $tls_in_ver",
    "helo_verify_hosts = 127.0.0.1",
];

const SELECTORS: &[&str] = &[
    "+tls_cipher",
    "-tls_cipher",
    "+tls_certificate_verified",
    "-tls_certificate_verified",
    "+tls_peerdn",
    "+tls_sni",
    "+tls_resumption",
    "+smtp_connection",
    "+smtp_protocol_error",
    "+smtp_syntax_error",
    "+smtp_incomplete_transaction",
    "+smtp_no_mail",
    "+received_recipients",
    "+received_sender",
    "-lost_incoming_connection",
];

/// Conditions of ACLs.
const CONDITIONS: &[&str] = &[
    "encrypted = *",
    "!encrypted = *",
    "encrypted = TLS1.3*",
    "encrypted = <; TLS1.2:* ; ^NULL",
    "encrypted = ",
    "encrypted = ${if def:tls_in_sni{*}}",
    "verify = certificate",
    "!verify = certificate",
    "condition = ${if inlisti{tim@client.test}\
     {${certextract{subj_altname,mail,>:}{$tls_in_peercert}}}}",
    "condition = ${if def:tls_in_peercert}",
    "condition = $tls_in_certificate_verified",
    "authenticated = *",
];

const CERTIFICATES: &[&str] = &[
    "client", "client", "client", "revoked", "stranger", "many", "many", "nosan", "part", "edward",
    "first", "alone", "below", "orphan", "expired", "rsa", "wild", "other",
];

/// What a client says before or under TLS.
const SAID: &[&str] = &[
    "> EHLO me.test",
    "> EHLO me.test",
    "> EHLO other.test",
    "> HELO me.test",
    "> EHLO",
    "> MAIL FROM:<x@y.test>",
    "> MAIL FROM:<x@y.test>",
    "> RCPT TO:<a@b.test>",
    "> RCPT TO:<a@b.test>",
    "> RSET",
    "> NOOP",
    "> HELP",
    "> AUTH PLAIN AHUAcA==",
    "> AUTH EXTERNAL dQ==",
    "> AUTH PLAIN AHUAeA==",
    "> STARTTLS",
    "> STARTTLS now",
    "> DATA",
];

/// A message, from the first word to the dot.
const MESSAGE: &str = "> MAIL FROM:<x@y.test>\nWHO > RCPT TO:<a@b.test>\nWHO > DATA\n\
    WHO >> Subject: x\\r\\n\\r\\ntext\\r\\n\nWHO > .";

/// How one ends.
const ENDS: &[&str] = &[
    "> QUIT",
    "> QUIT",
    "> QUIT",
    "close",
    "tls-ends\nWHO close",
    ">> MAIL FR",
    ">> DATA\\r\\nSubject: x\\r\\n",
];

/// How TLS is wanted.
fn wishes(rng: &mut Rng) -> String {
    let mut words = Vec::new();
    if rng.chance(2) {
        words.push(format!("cert={}", rng.pick(CERTIFICATES)));
    }
    if rng.chance(3) {
        words.push(format!("sni={}", rng.pick(&["sni.test", "sni.test", "server.test"])));
    }
    if rng.chance(5) {
        words.push(format!("alpn={}", rng.pick(&["smtp", "a", "http/1.1", "smtp,a"])));
    }
    if rng.chance(2) {
        words.push(format!("version={}", rng.pick(&["1.2", "1.3"])));
    }
    words.join(" ")
}

/// Acts of a client, up to its end.
fn client(rng: &mut Rng, quarry: &mut Quarry, who: &str, on_connect: bool) {
    let from = rng.pick(&["", "", " 127.0.0.2"]);
    let does = |quarry: &mut Quarry, act: &str| {
        quarry.loose(format!("{who} {}", act.replace("WHO", who)));
    };
    match on_connect && !rng.chance(6) {
        true => {
            quarry.fixed(format!("{who} connect{from}\n{who} tls {}\n{who} hears", wishes(rng)));
        }
        false => {
            quarry.fixed(format!("{who} connect{from}\n{who} hears"));
        }
    }
    if !rng.chance(6) {
        does(quarry, "> EHLO me.test");
    }
    let mut is_sealed = on_connect;
    for _ in 0..rng.usize(2..8) {
        match rng.u32(..6) {
            0 | 1 if !is_sealed => {
                is_sealed = true;
                match rng.chance(8) {
                    true => {
                        let odd = rng.pick(&[
                            ">> STARTTLS\\r\\nEHLO evil.test\\r\\n\nWHO waits\nWHO waits",
                            ">> STARTTLS\\r\\n\\r\\n\nWHO waits\nWHO waits",
                            "> STARTTLS\nWHO >> EHLO me.test\\r\\n\nWHO waits",
                            "> STARTTLS\nWHO close",
                            "> STARTTLS\nWHO waits",
                            ">> MAIL FROM:<a@b>\\r\\nSTARTTLS\\r\\n\nWHO waits\nWHO waits\nWHO tls",
                        ]);
                        does(quarry, odd);
                    }
                    false => does(quarry, &format!("starttls {}", wishes(rng))),
                }
                if !rng.chance(5) {
                    does(quarry, rng.pick(&["> EHLO me.test", "> EHLO me.test", "> HELO x.test"]));
                }
            }
            2 => does(quarry, MESSAGE),
            _ => does(quarry, rng.pick(SAID)),
        }
    }
    does(quarry, rng.pick(ENDS));
    quarry.loose(format!("{who} waits"));
    quarry.fixed(format!("{who} close"));
}

pub(super) fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Daemon);
    quarry.fixed(
        "--- config\nqueue_only\nhost_lookup =\nsmtp_enforce_sync = false\nacl_smtp_rcpt = rcpt",
    );
    // Something has to be said of TLS, so that the usual is not that there is none.
    quarry.fixed("tls_dh_max_bits = 4096");
    quarry.loose(rng.pick(OWN));
    if rng.chance(3) {
        quarry.loose(format!("tls_advertise_hosts = {}", rng.pick(HOSTS)));
    }
    for list in ["tls_verify_hosts", "tls_try_verify_hosts"] {
        if rng.chance(2) {
            quarry.loose(format!("{list} = {}", rng.pick(HOSTS)));
        }
    }
    if !rng.chance(4) {
        quarry.loose(format!("tls_verify_certificates = {}", rng.pick(AUTHORITIES)));
    }
    let mut on_connect = false;
    for option in rng.options(7, OPTIONS) {
        on_connect |= option.starts_with("tls_on_connect");
        quarry.loose(option);
    }
    let selectors = rng.some(0, 6, " ", |rng| rng.pick(SELECTORS).to_owned());
    quarry.loose(format!("log_selector = {selectors}"));
    quarry.fixed("begin acl\ntell:");
    quarry.loose(format!("  warn logwrite = at $smtp_command_history {}", values(rng, "in")));
    quarry.fixed("  accept\nevent:\n  warn logwrite = event $acl_arg1");
    quarry.loose(format!("  warn logwrite = event {}", values(rng, "in")));
    quarry.fixed("  accept\nrcpt:");
    for _ in 0..rng.usize(1..5) {
        let verb = rng.pick(&["warn", "warn", "warn", "deny", "defer"]);
        let condition = rng.pick(CONDITIONS);
        quarry.loose(format!("  {verb} {condition}\n    logwrite = {}", values(rng, "in")));
    }
    quarry.fixed("  accept\nbegin authenticators");
    if rng.chance(2) {
        let condition =
            rng.pick(&["${if def:tls_in_cipher}", "yes", "$tls_in_certificate_verified"]);
        quarry.loose(format!(
            "plain:\n  driver = plaintext\n  public_name = PLAIN\n  server_prompts = :\n  \
             server_condition = ${{if eq{{$auth3}}{{p}}}}\n  server_set_id = $auth2\n  \
             server_advertise_condition = {condition}"
        ));
    }
    if rng.chance(3) {
        quarry.loose(
            "cert:\n  driver = tls\n  \
             server_param1 = ${certextract{subj_altname,mail,>:}{$tls_in_peercert}}\n  \
             server_condition = ${if and{{eq{$tls_in_certificate_verified}{1}}\
             {forany{$auth1}{match{$item}{^tim@}}}}}\n  server_set_id = $auth1",
        );
    }
    if rng.chance(4) {
        quarry.loose(
            "ext:\n  driver = external\n  public_name = EXTERNAL\n  \
             server_param2 = ${certextract{subject,CN}{$tls_in_peercert}}\n  \
             server_condition = ${if eq{$auth1}{u}}\n  server_set_id = $auth2 $auth1\n  \
             server_advertise_condition = ${if def:tls_in_peercert}",
        );
    }
    quarry.fixed("--- talk\npatience 4000");
    for who in ["a", "b", "c"].iter().take(rng.usize(1..=3)) {
        client(rng, &mut quarry, who, on_connect);
    }
    quarry.fixed("--- main\n--- reject\n--- panic\n--- spool");
    quarry
}
