//! AUTH: what clients may do to it.

use eximious::auth::ntlm;
use eximious::debugging::{DebugLine, DebugSelector, DebugWriter};
use eximious::stdlib::base64;
use eximious::trace::TraceEvent;

use super::*;

const PLAIN: &str = "begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{tim}}{eq{$auth3}{geheim}}}}
  server_set_id = $auth2
";

fn encoded(text: &[u8]) -> String {
    String::from_utf8(base64::encode(text)).unwrap()
}

/// Says lines, each when the one before was answered; what is replied to the last.
fn say(session: &mut SmtpSession, lines: &[&str]) -> String {
    let mut shown = super::said(session);
    for line in lines {
        session.receive(format!("{line}\r\n").as_bytes());
        shown = super::said(session);
    }
    shown
}

fn value(session: &mut SmtpSession, name: &str) -> String {
    session.context().get(name).unwrap().unwrap().display().into_owned()
}

#[test]
fn whoever_knows_the_password_is_known() {
    let (mut session, log) = session(PLAIN, client());
    let right = format!("AUTH plain {}", encoded(b"\0tim\0geheim"));
    let wrong = format!("AUTH PLAIN {}", encoded(b"\0tim\0offen"));
    assert!(say(&mut session, &["EHLO x"]).contains("250-AUTH PLAIN\n"));
    assert_eq!(say(&mut session, &[&wrong]), "535 Incorrect authentication data\n");
    assert_eq!(value(&mut session, "authentication_failed"), "1");
    assert_eq!(say(&mut session, &[&right]), "235 Authentication succeeded\n");
    let values = ["authenticated_id", "sender_host_authenticated", "received_protocol"];
    let values = values.map(|name| value(&mut session, name));
    assert_eq!(values, ["tim", "plain", "esmtpa"]);
    for name in ["auth1", "auth2", "auth3", "authenticated_fail_id"] {
        assert_eq!(value(&mut session, name), "", "{name}");
    }
    assert_eq!(say(&mut session, &[&right]), "503 already authenticated\n");
    let lines = log.0.lock().unwrap().join("\n");
    let failed = "plain authenticator failed for (x) [192.0.2.1]: 535 Incorrect authentication \
        data (set_id=tim)";
    assert_eq!(lines, failed);
}

/// A space or not behind the mechanism's name, as long as it is white.
#[test]
fn a_tab_ends_a_mechanism() {
    let (mut session, _) = session(PLAIN, client());
    let data = encoded(b"\0tim\0geheim");
    let other = format!("AUTH OTHER\t{data}");
    let said = say(&mut session, &["EHLO x", &other]);
    assert_eq!(said, "504 OTHER authentication mechanism not supported\n");
    let right = format!("AUTH PLAIN\t {data}");
    assert_eq!(say(&mut session, &[&right]), "235 Authentication succeeded\n");
}

/// A condition that fails is logged; not one that a lookup can't answer now.
#[test]
fn conditions_that_fail() {
    let option = "  server_advertise_condition = ";
    for (value, lines) in [("${lookup mysql{x}}", 0), ("${if eq{a}{b}{}fail}", 0), ("$nix", 1)] {
        let config = format!("{PLAIN}{option}{value}\n");
        let (mut session, log) = session(&config, client());
        assert!(!say(&mut session, &["EHLO x"]).contains("AUTH"), "{value}");
        assert_eq!(log.0.lock().unwrap().len(), lines, "{value}");
    }
}

#[test]
fn what_is_no_digest_needs_no_secret() {
    let config = "begin authenticators\ncram:\n  driver = cram_md5\n  public_name = CRAM-MD5\n  \
        server_secret = $nix\n";
    let (mut session, _) = session(config, client());
    say(&mut session, &["EHLO x"]);
    for (response, reply) in [
        ("", "535 Incorrect authentication data\n"),
        ("u x", "535 Incorrect authentication data\n"),
        ("u 00000000000000000000000000000000", "435 Unable to authenticate at present\n"),
    ] {
        let said = say(&mut session, &["AUTH CRAM-MD5", &encoded(response.as_bytes())]);
        assert_eq!(said, reply, "{response}");
    }
}

/// Nothing that a client says to prove who it is gets into a log or a trace,
/// however it is refused.
#[test]
fn cve_2016_9963_secrets_are_in_no_log_and_no_trace() {
    let secret = encoded(b"\0tim\0sesam");
    let auth = format!("AUTH PLAIN {secret}");
    let other = format!("AUTH OTHER {secret}");
    let tabbed = format!("AUTH OTHER\t{secret}");
    let dialogues: [(&str, &[&str]); 10] = [
        ("", &["EHLO x", &auth]),
        ("", &["EHLO x", &tabbed, &tabbed.replace("AUTH ", "AUTH\t")]),
        ("", &["EHLO x", &other, &auth]),
        ("", &["EHLO x", "AUTH PLAIN", &secret]),
        ("acl_smtp_auth = deny\n", &["EHLO x", &auth]),
        ("smtp_max_synprot_errors = 0\n", &["EHLO x", &other]),
        ("smtp_max_synprot_errors = 0\n", &["HELO x", &auth]),
        ("smtp_accept_max_nonmail = 0\n", &["EHLO x", &auth, &auth]),
        ("smtp_max_unknown_commands = 0\nauth_advertise_hosts =\n", &["EHLO x", &auth, &secret]),
        ("log_selector = +all\n", &["EHLO x", &other, &auth, "MAIL FROM:<a@b>", &auth]),
    ];
    for (options, lines) in dialogues {
        let (mut session, log) = session(&[options, PLAIN].concat(), client());
        let told = Arc::new(Mutex::new(String::new()));
        let trace = told.clone();
        session.context().observe(Arc::new(move |event: &TraceEvent<'_>| {
            let mut put = |line: DebugLine<'_>| {
                trace.lock().unwrap().push_str(&String::from_utf8_lossy(line.text));
            };
            let mut writer = DebugWriter::new(DebugSelector::ANY, &mut put);
            eximious::debugging::write(event, &mut writer);
        }));
        say(&mut session, lines);
        let eager = Client { synchronizes: true, ..client() };
        let (mut hasty, hastily) = super::session(&[options, PLAIN].concat(), eager);
        super::said(&mut hasty);
        hasty.receive(b"EHLO x\r\n");
        super::said(&mut hasty);
        hasty.receive(format!("AUTH PLAIN\r\n{secret}\r\n").as_bytes());
        super::said(&mut hasty);
        let logged = [log.0.lock().unwrap().join("\n"), hastily.0.lock().unwrap().join("\n")];
        let all = [logged.concat(), told.lock().unwrap().clone()].concat();
        assert!(!all.contains("sesam") && !all.contains(&secret), "{all}");
        assert!(!format!("{session:?}").contains(&secret));
    }
}

/// Every length modulo 3 and 4, with padding that is right, too short and too
/// long, with the command and behind it.
#[test]
fn cve_2018_6789_auth_all_residues() {
    let config = format!("smtp_accept_max_nonmail = 9999\n{PLAIN}");
    let (mut session, _) = session(&config, client());
    say(&mut session, &["EHLO x"]);
    for length in 1..24 {
        let text = encoded(&vec![b'x'; length]);
        let bare = text.trim_end_matches('=');
        for padding in 0..5 {
            let padded = format!("{bare}{}", "=".repeat(padding));
            let expected = match padded == text {
                true => "535 Incorrect authentication data\n",
                false => "501 Invalid base64 data\n",
            };
            let auth = format!("AUTH PLAIN {padded}");
            assert_eq!(say(&mut session, &[&auth]), expected, "{padded}");
            assert_eq!(say(&mut session, &["AUTH PLAIN", &padded]), expected, "{padded}");
        }
    }
}

/// However many strings a client says, and however many it is asked for: there
/// are as many values as there are names for.
#[test]
fn cve_2023_42115_values_have_an_end() {
    let prompts = "a : ".repeat(500);
    let config = format!(
        "begin authenticators\next:\n  driver = external\n  public_name = EXTERNAL\n  \
         server_param2 = p2\n  server_param3 = p3\n  server_condition = yes\n  server_set_id = \
         $auth1-$auth2-$auth3-$auth4-$1-$2-$3-$19-$20\nlogin:\n  driver = plaintext\n  \
         public_name = LOGIN\n  server_prompts = {prompts}\n  server_condition = yes\n  \
         server_set_id = $auth4-$20\n"
    );
    let many: Vec<String> = (1..=2000).map(|number| number.to_string()).collect();
    let (mut external, _) = session(&config, client());
    let auth = format!("AUTH EXTERNAL {}", encoded(many.join("\0").as_bytes()));
    assert_eq!(say(&mut external, &["EHLO x", &auth]), "235 Authentication succeeded\n");
    assert_eq!(value(&mut external, "authenticated_id"), "1-p2-p3-4-1-p2-p3--");
    let (mut login, _) = session(&config, client());
    say(&mut login, &["EHLO x", "AUTH LOGIN"]);
    let mut asked = 1;
    while say(&mut login, &[&encoded(asked.to_string().as_bytes())]).starts_with("334 ") {
        asked += 1;
        assert!(asked < 100);
    }
    assert_eq!(value(&mut login, "authenticated_id"), "4-20");
}

#[test]
fn ntlm_asks_anew_each_time() {
    let config = "begin authenticators\nspa:\n  driver = spa\n  public_name = NTLM\n  \
        server_password = ${if eq{$auth1}{tim}{geheim}fail}\n  server_set_id = $auth1\n";
    let (mut session, _) = session(config, client());
    say(&mut session, &["EHLO x"]);
    let mut challenges = Vec::new();
    for (password, reply) in [
        (&b"offen"[..], "535 Incorrect authentication data\n"),
        (b"geheim", "235 Authentication succeeded\n"),
    ] {
        let first = encoded(&ntlm::negotiate(b"tim", b""));
        let asked = say(&mut session, &["AUTH NTLM", &first]);
        let asked = base64::decode(asked.trim_start_matches("334 ").trim().as_bytes()).unwrap();
        let (challenge, flags) = ntlm::parse_challenge(&asked).unwrap();
        let last = ntlm::authenticate(b"tim", b"", password, &challenge, flags);
        assert_eq!(say(&mut session, &[&encoded(&last)]), reply);
        challenges.push(challenge);
    }
    assert_ne!(challenges[0], challenges[1]);
}

/// Whoever says what another server's client says is not believed, and whoever
/// says nonsense is told no more than that.
#[test]
fn cve_2023_42114_ntlm_takes_anything() {
    let config = "smtp_accept_max_nonmail = 9999\nbegin authenticators\nspa:\n  driver = spa\n  \
        public_name = NTLM\n  server_password = geheim\n";
    let (mut session, _) = session(config, client());
    say(&mut session, &["EHLO x"]);
    let whole = ntlm::authenticate(b"tim", b"test.ex", b"geheim", &[0; 8], 1);
    for end in 0..whole.len() {
        let last = encoded(&whole[..end]);
        let said = say(&mut session, &["AUTH NTLM", &encoded(b"x"), &last]);
        assert_eq!(said, "535 Incorrect authentication data\n", "{end}");
    }
    for junk in ["*", "", "=", "%%%", "TlRMTVNTUAADAAAA"] {
        let said = say(&mut session, &["AUTH NTLM", &encoded(b"x"), junk]);
        assert_eq!(said, "535 Incorrect authentication data\n", "{junk}");
    }
}

#[test]
fn a_client_may_be_gone_anywhere() {
    let config = format!(
        "{PLAIN}cram:\n  driver = cram_md5\n  public_name = CRAM-MD5\n  \
        server_secret = x\n"
    );
    let lines = "EHLO x\r\nAUTH CRAM-MD5\r\nYWJj\r\nAUTH PLAIN\r\nAHRpbQBnZWhlaW0=\r\nQUIT\r\n";
    for end in 0..lines.len() {
        let (mut session, _) = session(&config, client());
        session.receive(&lines.as_bytes()[..end]);
        session.end_of_input();
        assert!(said(&mut session).ends_with("(closed)\n"), "{end}");
    }
}

#[test]
fn a_certificate_takes_the_place_of_auth() {
    let config = format!(
        "{PLAIN}tls:\n  driver = tls\n  server_param1 = $tls_in_peerdn\n  server_condition = \
         ${{if eq{{$auth1}}{{CN=tim}}}}\n  server_set_id = ${{sg{{$auth1}}{{CN=}}{{}}}}\n"
    );
    // One that is not good is none, whatever it says.
    for (name, good, by) in [("CN=tim", "1", "tls"), ("CN=tom", "1", ""), ("CN=tim", "0", "")] {
        let (mut session, log) = session(&config, client());
        super::said(&mut session);
        session.context().set_clean("tls_in_certificate_verified", good);
        session.context().set_clean("tls_in_peerdn", name);
        session.context().set_clean("tls_in_cipher", "TLS1.3:x");
        session.authenticate_by_tls(None);
        assert_eq!(value(&mut session, "sender_host_authenticated"), by);
        let offered = say(&mut session, &["EHLO x"]).contains("250-AUTH PLAIN\n");
        assert_eq!(offered, by.is_empty());
        let protocol = if by.is_empty() { "esmtps" } else { "esmtpsa" };
        assert_eq!(value(&mut session, "received_protocol"), protocol);
        assert!(log.0.lock().unwrap().is_empty());
    }
}

#[test]
fn the_acl_for_auth_is_asked_of_a_certificate() {
    let config = |verb: &str| {
        format!(
            "acl_smtp_auth = au\nbegin acl\nau:\n  {verb} message = no $smtp_command_argument.\n\
             begin authenticators\ntls:\n  driver = tls\n  server_set_id = tim/$1\n"
        )
    };
    for (verb, by, said_of_it) in [
        ("accept", "tls", ""),
        ("deny", "", "rejected AUTH : no ."),
        ("defer", "", "temporarily rejected AUTH : no ."),
        ("drop", "", "rejected AUTH : no ."),
    ] {
        let (mut session, log) = session(&config(verb), client());
        super::said(&mut session);
        session.context().set_clean("tls_in_certificate_verified", "1");
        session.context().set_clean("tls_in_cipher", "TLS1.3:x");
        session.authenticate_by_tls(None);
        assert_eq!(session.is_over(), verb == "drop");
        // Nobody asked: nothing is said.
        assert!(matches!(super::said(&mut session).as_str(), "" | "(closed)\n"), "{verb}");
        assert_eq!(value(&mut session, "sender_host_authenticated"), by);
        assert_eq!(
            value(&mut session, "authenticated_id"),
            if by.is_empty() { "" } else { "tim/" }
        );
        let log = log.0.lock().unwrap().join("\n");
        assert!(log.contains(said_of_it) && log.is_empty() == said_of_it.is_empty(), "{log}");
    }
}

#[test]
fn drivers_whose_library_is_not_there_say_so() {
    let config = "begin authenticators\nk:\n  driver = heimdal_gssapi\n  public_name = GSSAPI\n\
        g:\n  driver = gsasl\n  public_name = SCRAM-SHA-256\n  server_password = x\n";
    let (mut session, log) = session(config, client());
    let said = say(&mut session, &["EHLO x", "AUTH GSSAPI YWJj"]);
    assert_eq!(said, "435 Unable to authenticate at present\n");
    let said = say(&mut session, &["AUTH SCRAM-SHA-256"]);
    assert_eq!(said, "435 Unable to authenticate at present\n");
    let lines = log.0.lock().unwrap().join("\n");
    let said = "the library can't be used here: denied";
    assert_eq!(lines.matches(said).count(), 2, "{lines}");
}
