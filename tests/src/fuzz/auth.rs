//! Targets of authentication: what clients answer, and what servers ask.

use std::sync::Arc;

use eximious::auth::client::{Login, Move};
use eximious::auth::{Authenticators, cram, ntlm};
use eximious::stdlib::base64;
use eximious_mta::smtp::{Client, SmtpServer, SmtpSession};

use super::mail::loaded;
use super::wire::drain;

/// Lets a client answer a server's questions with these bytes, and a server ask a
/// client for them; as they are, and in base 64. The messages of NTLM are read and
/// written on the way.
pub fn auth(data: &[u8]) {
    if let Some(answer) = ntlm::parse_authenticate(data) {
        assert!(answer.user.len() <= 3 * data.len());
    }
    if let Some((challenge, flags)) = ntlm::parse_challenge(data) {
        let said = ntlm::authenticate(data, data, data, &challenge, flags);
        assert!(ntlm::parse_authenticate(&said).is_some());
    }
    let _ = cram::parse(data);
    let text =
        b"primary_hostname = b.example\nsmtp_accept_max_nonmail = 999\nbegin authenticators\n\
        p:\n driver = plaintext\n public_name = PLAIN\n server_prompts = a : b : c\n \
        server_condition = ${if eq{$auth1}{$auth2}}\n server_set_id = $auth1\n client_send = \
        : $auth1 : $auth2\n\
        c:\n driver = cram_md5\n public_name = CRAM-MD5\n server_secret = s\n client_secret = s\n\
        e:\n driver = external\n public_name = EXTERNAL\n server_condition = $auth1\n \
        client_send = a\n\
        n:\n driver = spa\n public_name = NTLM\n server_password = s\n client_username = u\n \
        client_password = s\n";
    let Some((config, engine)) = loaded(text.to_vec(), &[]) else {
        panic!("nothing is wrong with it");
    };
    let encoded = base64::encode(data);
    let server = Arc::new(SmtpServer::new(&config, &engine));
    let client = Client::at("192.0.2.1:4711".parse().unwrap());
    for mechanism in ["PLAIN", "CRAM-MD5", "EXTERNAL", "NTLM"] {
        let command = [b"AUTH ", mechanism.as_bytes()].concat();
        let mut session = SmtpSession::new(server.clone(), engine.context(), client.clone());
        let mut said = Vec::new();
        let first = [&command, b" ".as_slice(), &encoded].concat();
        let lines: [&[u8]; 6] = [b"EHLO x", &first, &command, &encoded, data, b"*"];
        for line in lines {
            session.receive(&[line, b"\r\n"].concat());
            if !drain(&mut session, &mut said) {
                break;
            }
        }
        session.end_of_input();
        drain(&mut session, &mut said);
        for line in said.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            assert!(line.len() >= 4 && line[..3].iter().all(u8::is_ascii_digit));
        }
    }
    let mut cx = engine.context();
    for one in Authenticators::new(&config).iter() {
        for asked in [data, &encoded] {
            let (mut login, mut next) = Login::begin(&mut cx, one, None);
            for _ in 0..8 {
                let Move::Say(line) = next else { break };
                assert!(!line.contains(&b'\n') && login.shown().len() == line.len());
                next = login.hear(&mut cx, 334, asked);
            }
            assert!(matches!(next, Move::Done(_)), "a login that does not end");
        }
    }
}
