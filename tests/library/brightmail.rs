//! Routers that go by the verdicts of what plays Brightmail AntiSpam (`docs/brightmail.md`).

use std::io;
use std::sync::Arc;

use eximious::acl::AclVerdict;
use eximious::stdlib::message::parse;
use eximious::world::{
    Brightmail, BrightmailAction, BrightmailQuestion, BrightmailVerdict, Fixture,
};
use eximious::{Config, Engine, World};
use eximious_tests::routed::Routed;

const ROUTERS: &str = "
qualify_domain = us.test
begin routers
ruled:
  driver = redirect
  bmi_rule = 7 : 12
  data = rule@ruled.test
elsewhere:
  driver = redirect
  domains = us.test
  bmi_deliver_alternate
  data = $bmi_alt_location
dropped:
  driver = redirect
  domains = us.test
  bmi_dont_deliver
  allow_fail
  data = :fail: dropped <$bmi_deliver> <$bmi_base64_verdict> <$bmi_base64_tracker_verdict>
usual:
  driver = redirect
  domains = us.test
  bmi_deliver_default
  data = ${quote_local_part:$local_part}@kept.test
some:
  driver = redirect
  domains = either.test
  bmi_deliver_default
  bmi_deliver_alternate
  data = either@kept.test
out:
  driver = accept
  domains = ! us.test : ! either.test
  transport = t
begin transports
t:
  driver = smtp
";

#[test]
fn routers_go_by_verdicts() {
    let mut routed = Routed::new(ROUTERS, &Fixture::new().world());
    let mut check = |verdicts: &str, recipient: &str, wanted: &str| {
        routed.set("acl_m_bmi_verdicts", verdicts);
        assert_eq!(routed.deliver("", recipient), wanted, "{verdicts:?} {recipient}");
    };
    let unrouteable = "failed: Unrouteable address ()";
    // Nobody looked at it.
    check("", "a@us.test", "a@kept.test from <>");
    check("", "a@either.test", "either@kept.test from <>");
    let verdicts = "a@us.test\talternate\t-\t-\t-\tspam@far.test\nb@us.test\tdrop\tAA==\tBB==\n\
                    c@us.test\tdefault\tCC==\nd@us.test\tdefault\t-\t-\t3,12\n\
                    d@either.test\tdrop\ne@either.test\talternate\n";
    check(verdicts, "A@us.test", "spam@far.test from <>");
    let dropped = "dropped <0> <AA==> <BB==>";
    check(verdicts, "b@us.test", &format!("failed: {dropped} ({dropped})"));
    check(verdicts, "c@us.test", "c@kept.test from <>");
    check(verdicts, "d@us.test", "rule@ruled.test from <>");
    check(verdicts, "x@us.test", "x@kept.test from <>");
    check(verdicts, "d@either.test", unrouteable);
    check(verdicts, "e@either.test", "either@kept.test from <>");
    // What makes no sense is no verdict.
    check("a@us.test\tdrop\tnot base64\n", "a@us.test", "a@kept.test from <>");
}

/// A scanner of an embedder's: who is dropped it knows by the subject.
struct Scanner;

impl Brightmail for Scanner {
    fn judge(
        &self,
        place: &[u8],
        question: &BrightmailQuestion<'_>,
    ) -> io::Result<Vec<BrightmailVerdict>> {
        assert_eq!(place, b"tables of joe");
        let asked = [&question.client, &question.helo, &question.sender].map(|text| text.bytes());
        assert_eq!(asked, [&b"192.0.2.1"[..], b"client.test", b"a@b.test"]);
        let subject = &question.message.headers[0].line[..];
        let judge = |recipient: &[u8]| BrightmailVerdict {
            action: match subject.windows(recipient.len()).any(|part| part == recipient) {
                true => BrightmailAction::Drop,
                false => BrightmailAction::Default,
            },
            rules: vec![7],
            ..BrightmailVerdict::default()
        };
        let verdicts = question.message.recipients.iter().map(|one| judge(one.bytes())).collect();
        match subject {
            b"Subject: none\n" => Err(io::Error::other("the tables are gone")),
            b"Subject: few\n" => Ok(Vec::new()),
            b"Subject: torn\n" => {
                let location = b"one\ntwo".to_vec();
                Ok(vec![BrightmailVerdict { location, ..BrightmailVerdict::default() }; 2])
            }
            _ => Ok(verdicts),
        }
    }
}

#[test]
fn an_embedder_brings_a_scanner() {
    let text = "primary_hostname = me.test\nbmi_config_file = tables of ${lc:JOE}\n\
                acl_smtp_mail = mail\nacl_smtp_rcpt = accept\nacl_smtp_data = data\nbegin acl\n\
                mail:\n  accept control = bmi_run\n\
                data:\n  accept message = <$acl_m_bmi_verdicts>\n";
    let world = World { brightmail: Arc::new(Scanner), ..World::hermetic() };
    let engine = Engine::builder().world(world).build();
    let loaded = engine.load(Config::parse(text).unwrap());
    let judged = |subject: &str| {
        let mut conversation = loaded.conversation("192.0.2.1".parse().unwrap());
        conversation.helo("client.test");
        conversation.mail("a@b.test");
        let mut message = parse(format!("Subject: {subject}\n\nbody\n").as_bytes());
        message.recipients = vec!["c@me.test".into(), "d@me.test".into()];
        let decision = conversation.data(message);
        assert_eq!(decision.verdict, AclVerdict::Accept);
        (decision.message.unwrap().display().into_owned(), decision.log)
    };
    let (said, log) = judged("not for d@me.test");
    assert_eq!(said, "<c@me.test\tdefault\t-\t-\t7\nd@me.test\tdrop\t-\t-\t7\n>");
    assert_eq!(log, [""; 0]);
    for (subject, why) in [
        ("none", "the tables are gone"),
        ("few", "an answer that makes no sense"),
        ("torn", "an answer that makes no sense"),
    ] {
        let wanted = format!("bmi_run: tables of joe: {why}");
        assert_eq!(judged(subject), ("<>".to_owned(), vec![wanted]));
    }
}
