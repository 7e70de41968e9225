//! What is asked of the DNS about a message.

use std::sync::{Arc, Mutex};

use eximious::world::{Dns, DnsAnswer, DnsError, DnsOptions, DnsStanding};

use super::{client, said, session_in};

/// A DNS that has nothing, and notes what it is asked at once.
#[derive(Default)]
struct Rounds(Mutex<Vec<Vec<String>>>);

impl Dns for Rounds {
    fn query(&self, name: &str, _: u16, _: &DnsOptions) -> Result<DnsAnswer, DnsError> {
        self.0.lock().unwrap().push(vec![name.to_owned()]);
        Err(DnsError::NoName(DnsStanding::default()))
    }

    fn query_all(
        &self,
        questions: &[(String, u16)],
        _: &DnsOptions,
    ) -> Vec<Result<DnsAnswer, DnsError>> {
        let names = questions.iter().map(|(name, _)| name.clone()).collect();
        self.0.lock().unwrap().push(names);
        questions.iter().map(|_| Err(DnsError::NoName(DnsStanding::default()))).collect()
    }
}

/// What is asked about a message with five signatures and a seal, round by round.
fn rounds(data: &str, start: &str) -> Vec<Vec<String>> {
    let config = format!(
        "dmarc_tree_walk\nacl_smtp_rcpt = rcpt\nacl_smtp_data = data\nbegin acl\nrcpt:\n{start}  \
         accept\ndata:\n{data}  accept logwrite = $spf_result $dmarc_status $arc_state\nmore:\n  \
         warn dmarc_status = accept\n  accept\n"
    );
    let dns = Arc::new(Rounds::default());
    let heard = dns.clone();
    let (mut session, log) = session_in(&config, client(), |world| world.dns = dns);
    let _ = said(&mut session);
    let mut message = String::from(
        "EHLO x.test\r\nMAIL FROM:<a@spf.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n\
         ARC-Seal: i=1; a=rsa-sha256; cv=none; d=arc.test; s=seal; b=AAAA\r\n\
         ARC-Message-Signature: i=1; a=rsa-sha256; d=arc.test; s=ams; h=from; bh=AAAA; b=AAAA\r\n\
         ARC-Authentication-Results: i=1; arc.test; none\r\n",
    );
    for number in 1..=5 {
        message.push_str(&format!(
            "DKIM-Signature: v=1; a=rsa-sha256; d=dkim.test; s=s{number}; h=from; \
             bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=; b=AAAA\r\n"
        ));
    }
    message.push_str("From: a@from.test\r\n\r\n.\r\n");
    session.receive(message.as_bytes());
    let answer = said(&mut session);
    assert!(answer.contains("250 OK id="), "{answer} {:?}", log.0.lock().unwrap());
    let mut rounds = heard.0.lock().unwrap().clone();
    rounds.iter_mut().for_each(|round| round.sort());
    rounds
}

const ALL: &str = "  warn spf = pass\n  warn dmarc_status = accept\n  warn verify = arc\n";
const KEYS: [&str; 5] = [
    "s1._domainkey.dkim.test",
    "s2._domainkey.dkim.test",
    "s3._domainkey.dkim.test",
    "s4._domainkey.dkim.test",
    "s5._domainkey.dkim.test",
];

fn with_keys(more: &[&str]) -> Vec<String> {
    let mut all: Vec<String> = [&KEYS, more].concat().iter().map(|name| (*name).into()).collect();
    all.sort();
    all
}

#[test]
fn all_verdicts_of_a_message_cost_one_round_of_questions() {
    let all = with_keys(&[
        "ams._domainkey.arc.test",
        "seal._domainkey.arc.test",
        "_dmarc.from.test",
        "_dmarc.test",
        "spf.test",
    ]);
    assert_eq!(rounds(ALL, ""), [all]);
}

#[test]
fn what_the_configuration_does_not_ask_for_is_not_asked() {
    let keys = with_keys(&[]);
    assert_eq!(rounds("", ""), [&keys[..]]);
    let dmarc = with_keys(&["_dmarc.from.test", "_dmarc.test"]);
    assert_eq!(rounds("  warn dmarc_status = accept\n", ""), [&dmarc[..]]);
    // Nor what is known, or is not looked at.
    let asked = vec!["spf.test".to_owned()];
    assert_eq!(rounds("  warn spf = pass\n", "  warn spf = pass\n"), [&asked[..], &keys[..]]);
    let disabled = "  warn control = dkim_disable_verify\n";
    assert_eq!(rounds("  warn spf = pass\n", disabled), [asked]);
    let disabled = "  warn control = dmarc_disable_verify\n";
    assert_eq!(rounds("  warn dmarc_status = accept\n", disabled), [&keys[..]]);
    // An ACL that is called by its name is looked at, too.
    assert_eq!(rounds("  warn acl = more\n", ""), [dmarc]);
}
