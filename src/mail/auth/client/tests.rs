//! What a client says, as a real Exim says it: recorded from one.

use eximious_core::world::Fixture;

use super::*;
use crate::{Config, Engine, Macros};

fn start(authenticators: &str) -> (Context, Authenticators, Fixture) {
    let text = format!("primary_hostname = me.test.ex\nbegin authenticators\n{authenticators}");
    let fixture = Fixture::new().file("/c", text);
    let world = fixture.world();
    let registry = Engine::builder().registry().clone();
    let config = Config::read(b"/c", Macros::default(), &world, &registry)
        .unwrap_or_else(|error| panic!("{error}"));
    let engine = config.build(Engine::builder().world(world));
    (engine.context(), Authenticators::new(&config), fixture)
}

/// Plays an attempt: what the server answers, what the client says, and how it
/// ends.
#[track_caller]
fn plays(
    authenticators: &str,
    replies: &[&str],
    said: &[&str],
    ends: AuthOutcome,
) -> Option<String> {
    let (mut cx, all, _fixture) = start(authenticators);
    let (_, one) = all.client(&mut cx, b"PLAIN login CRAM-MD5 EXTERNAL NTLM", 0).unwrap();
    let (mut login, mut next) = Login::begin(&mut cx, one, None);
    let (mut replies, mut said) = (replies.iter(), said.iter());
    loop {
        match next {
            Move::Say(line) => {
                let line = String::from_utf8(line).unwrap();
                assert_eq!(Some(&line.as_str()), said.next());
                assert_eq!(login.shown().len(), line.len());
                let reply = replies.next().unwrap();
                let code = reply[..3].parse().unwrap();
                next = login.hear(&mut cx, code, reply[3..].trim_start().as_bytes());
            }
            Move::Done(outcome) => {
                assert_eq!(outcome, ends);
                assert_eq!((said.next(), replies.next()), (None, None));
                return login.id(&mut cx).map(|id| id.display().into_owned());
            }
        }
    }
}

fn cancelled(why: &str) -> AuthOutcome {
    AuthOutcome::Cancelled(why.as_bytes().to_vec())
}

fn failed(why: &str) -> AuthOutcome {
    AuthOutcome::Failed(why.as_bytes().to_vec())
}

const PLAIN: &str = "p:\n driver = plaintext\n public_name = PLAIN\n client_send = ";
const LOGIN: &str = "l:\n driver = plaintext\n public_name = LOGIN\n client_set_id = \
    <$auth1|$auth2>\n client_send = ";

#[test]
fn plain_and_login() {
    let plain = format!("{PLAIN}^u^p\n");
    plays(&plain, &["235 ok"], &["AUTH PLAIN AHUAcA=="], AuthOutcome::Accepted);
    plays(&plain, &["535 no"], &["AUTH PLAIN AHUAcA=="], AuthOutcome::Refused);
    plays(&plain, &["435 later"], &["AUTH PLAIN AHUAcA=="], AuthOutcome::Later);
    let login = format!("{LOGIN}: u : p\n");
    let id = plays(
        &login,
        &["334 VXNlcjo=", "334 UGFzczo=", "235 ok"],
        &["AUTH LOGIN", "dQ==", "cA=="],
        AuthOutcome::Accepted,
    );
    assert_eq!(id.as_deref(), Some("<User:|Pass:>"));
    let vars = format!("{LOGIN}: <$auth1> : <$auth2>$auth1\n");
    plays(
        &vars,
        &["334 VXNlcjo=", "334 UGFzczo=", "235 ok"],
        &["AUTH LOGIN", "PFVzZXI6Pg==", "PFBhc3M6PlVzZXI6"],
        AuthOutcome::Accepted,
    );
    let why = "Invalid base64 string in server response \"334 %%%\"";
    plays(&login, &["334 %%%", "501 c"], &["AUTH LOGIN", "*"], cancelled(why));
    let lax = format!("{login} client_ignore_invalid_base64\n");
    plays(
        &lax,
        &["334 %%%", "334 eA==", "235 ok"],
        &["AUTH LOGIN", "dQ==", "cA=="],
        AuthOutcome::Accepted,
    );
    plays(
        &login,
        &["334 eA==", "334 eA==", "334 eA=="],
        &["AUTH LOGIN", "dQ==", "cA=="],
        AuthOutcome::Later,
    );
    let why = "Invalid base64 string in server response \"354 x\"";
    plays(&login, &["354 x", "501 c"], &["AUTH LOGIN", "*"], cancelled(why));
}

#[test]
fn expansions_that_fail() {
    let forced = "${if eq{a}{b}{x}fail}";
    plays(&format!("{PLAIN}{forced}\n"), &[], &[], cancelled(""));
    let why = "expansion of \"${bad}\" failed in p authenticator: unknown variable in \"${bad}\"";
    plays(&format!("{PLAIN}${{bad}}\n"), &[], &[], failed(why));
    let cram = "c:\n driver = cram_md5\n public_name = CRAM-MD5\n client_secret = ";
    let why = format!(
        "expansion of \"{forced}\" failed in c authenticator: \"if\" failed and \"fail\" requested"
    );
    plays(&format!("{cram}{forced}\n"), &[], &[], failed(&why));
    // What counts is what was expanded last, the name.
    for secret in ["s", forced, "${bad}"] {
        let name = format!("{cram}{secret}\n client_name = {forced}\n");
        plays(&name, &[], &[], cancelled(""));
    }
    let why = "expansion of \"${bad}\" failed in c authenticator: unknown variable in \"${worse}\"";
    plays(&format!("{cram}${{bad}}\n client_name = ${{worse}}\n"), &[], &[], failed(why));
}

#[test]
fn digests_and_claims() {
    let cram = "c:\n driver = cram_md5\n public_name = CRAM-MD5\n client_secret = s\n";
    plays(
        cram,
        &["334 PHg+", "535 no"],
        &["AUTH CRAM-MD5", "bWUudGVzdC5leCBhOTQ3ZmE5N2UwYTRiMTg2ZjJiMGYwNDZiMWUwYWRmYQ=="],
        AuthOutcome::Refused,
    );
    // Who has not asked can't know.
    plays(cram, &["235 ok"], &["AUTH CRAM-MD5"], AuthOutcome::Later);
    let why = failed("bad base 64 string in challenge: ");
    plays(cram, &["334 ", "501 c"], &["AUTH CRAM-MD5", "*"], why);
    let external = "e:\n driver = external\n public_name = EXTERNAL\n client_send = a^b\n";
    plays(external, &["235 ok"], &["AUTH EXTERNAL YQBi"], AuthOutcome::Accepted);
    plays(
        external,
        &["334 ", "501 c"],
        &["AUTH EXTERNAL YQBi", "*"],
        failed("Too few items in client_send in e authenticator"),
    );
}

#[test]
fn ntlm() {
    let spa = "s:\n driver = spa\n public_name = NTLM\n client_password = secret\n \
        client_username = me@dom.ex\n";
    let challenge = "334 TlRMTVNTUAACAAAAAAAAAAAoAAABggAAvnDVSMyq/pQAAAAAAAAAAAAAAAAAAAAA";
    let first = "TlRMTVNTUAABAAAAB7IAAAIAAgAgAAAABgAGACIAAABtZWRvbS5leA==";
    // Exim's last message, but with the response in the place of the older one,
    // too.
    let last = "TlRMTVNTUAADAAAAGAAYAEAAAAAYABgAWAAAAAwADABwAAAABAAEAHwAAAAEAAQAgAAAAAAAAACEAAAA\
        AYIAAApb494OfWfvDhbGdYr4dC6dkPOCLWo/LApb494OfWfvDhbGdYr4dC6dkPOCLWo/LGQAbwBtAC4AZQB4AG0A\
        ZQBtAGUA";
    plays(
        spa,
        &["334 NTLM supported", challenge, "235 ok"],
        &["AUTH NTLM", first, last],
        AuthOutcome::Accepted,
    );
    plays(
        spa,
        &["334 NTLM supported", "334 anVuaw==", "501 no"],
        &["AUTH NTLM", first, "*"],
        cancelled("the server's challenge is none"),
    );
}

#[test]
fn which_is_tried() {
    let both = format!("{PLAIN}^u^p\n client_condition = no\n{LOGIN}: u : p\n");
    let (mut cx, all, _fixture) = start(&both);
    let (next, one) = all.client(&mut cx, b"PLAIN LOGIN", 0).unwrap();
    assert_eq!((next, one.name().bytes()), (2, b"l".as_slice()));
    assert!(all.client(&mut cx, b"PLAIN LOGIN", next).is_none());
    assert!(all.client(&mut cx, b"PLAIN", 0).is_none());
}

/// Nothing that proves who somebody is gets into what is logged.
#[test]
fn cve_2016_9963_secrets_are_not_shown() {
    let (mut cx, all, fixture) = start(&format!("{PLAIN}^user^geheim\n"));
    let (_, one) = all.client(&mut cx, b"PLAIN", 0).unwrap();
    let (login, next) = Login::begin(&mut cx, one, None);
    let Move::Say(line) = next else { panic!("{next:?}") };
    assert!(line.starts_with(b"AUTH PLAIN AHVzZXI"));
    assert_eq!(login.shown(), b"AUTH PLAIN ****************");
    assert!(!format!("{login:?}").contains("geheim"));
    drop(fixture);
}
