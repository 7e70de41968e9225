//! Messages whose parts are made to hurt: each comes to a verdict, soon, and in bounded
//! memory and disk space.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use eximious::acl::AclVerdict;
use eximious::stdlib::message::parse;
use eximious::{Config, Engine, Loaded};
use tempfile::TempDir;

/// What an ACL that decodes each part, and searches it, comes to; and how many parts it saw.
fn judged(message: &str) -> (AclVerdict, usize) {
    judged_by(message, "decode = default\n  deny mime_regex = never found")
}

/// The same by other conditions.
fn judged_by(message: &str, conditions: &str) -> (AclVerdict, usize) {
    let spool = TempDir::new().expect("a directory");
    let text = format!(
        "spool_directory = {}\nprimary_hostname = me.test\nacl_smtp_rcpt = accept\n\
         acl_smtp_mime = mime\nacl_smtp_data = data\nbegin acl\nmime:\n  \
         warn logwrite = part $mime_filename\n       {conditions}\n  accept\ndata:\n  deny regex = never found\n  accept\n",
        spool.path().display()
    );
    let config = Config::parse(&text).unwrap_or_else(|error| panic!("{error}"));
    let loaded: Loaded = Engine::builder().world(eximious_world::system()).build().load(config);
    let mut conversation = loaded.conversation("192.0.2.1".parse().expect("an address"));
    conversation.mail("a@b.test");
    conversation.rcpt("c@me.test");
    let mut message = parse(message.as_bytes());
    message.id = "1xUub9-000000006pZ-1rM0".into();
    message.recipients = vec!["c@me.test".into()];
    let begun = Instant::now();
    let decision = conversation.data(message);
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    let left = std::fs::read_dir(spool.path().join("scan")).map(Iterator::count);
    assert_eq!(left.unwrap_or(0), 0, "a copy was left behind");
    let parts = decision.log.iter().filter(|line| line.starts_with("part ")).count();
    (decision.verdict, parts)
}

fn multipart(boundary: &str, rest: &str) -> String {
    format!("Content-Type: multipart/mixed; boundary=\"{boundary}\"\n\n{rest}")
}

#[test]
fn multiparts_in_multiparts() {
    let nested = |depth: usize| {
        let mut text = String::from("MIME-Version: 1.0\n");
        for level in 0..depth {
            text += &multipart(&format!("b{level}x"), &format!("--b{level}x\n"));
        }
        text + "Content-Type: text/plain\n\nx\n"
    };
    assert_eq!(judged(&nested(100)), (AclVerdict::Accept, 101));
    let (verdict, parts) = judged(&nested(20_000));
    assert_eq!(verdict, AclVerdict::Defer);
    assert!(parts <= 501, "{parts}");
}

#[test]
fn messages_in_messages() {
    let nested = |depth: usize| {
        "MIME-Version: 1.0\nContent-Type: message/rfc822\n\n".repeat(depth)
            + "Content-Type: text/plain\n\nx\n"
    };
    assert_eq!(judged(&nested(3)), (AclVerdict::Accept, 4));
    let (verdict, parts) = judged(&nested(5_000));
    assert_eq!(verdict, AclVerdict::Defer);
    assert!(parts < 1_000, "{parts}");
}

#[test]
fn thousands_of_parts() {
    let many = |count: usize| {
        let mut parts = String::new();
        for number in 0..count {
            let _ = write!(parts, "--b\nContent-Type: text/plain; name=p{number}\n\nx\n");
        }
        format!("MIME-Version: 1.0\n{}--b--\n", multipart("b", &parts))
    };
    assert_eq!(judged(&many(500)), (AclVerdict::Accept, 501));
    let (verdict, parts) = judged_by(&many(100_000), "");
    assert_eq!((verdict, parts), (AclVerdict::Defer, 20_000));
}

#[test]
fn headers_without_an_end() {
    let field = format!("Content-Type: text/plain; name=\"{}\"\n", "n".repeat(2 << 20));
    let folded = format!("Content-Type: text/plain;\n{}", " x=y;\n".repeat(200_000));
    let many = "Content-Description: d\n".repeat(200_000);
    let parameters = format!("Content-Type: text/plain{}\n", "; name*0*=a".repeat(100_000));
    for hostile in [&field, &folded, &many, &parameters] {
        let parts = multipart("b", &format!("--b\n{hostile}\nx\n--b--\n"));
        let (verdict, parts) = judged(&format!("MIME-Version: 1.0\n{parts}"));
        assert_eq!((verdict, parts), (AclVerdict::Accept, 2), "{}", &hostile[..30]);
    }
    // One that nothing follows.
    let open = multipart("b", &format!("--b\n{}", &folded));
    assert_eq!(judged(&format!("MIME-Version: 1.0\n{open}")).0, AclVerdict::Accept);
}

#[test]
fn boundaries_and_lines_of_absurd_length() {
    let long = "b".repeat(1 << 20);
    let text = multipart(&long, &format!("--{long}\nContent-Type: text/plain\n\nx\n--{long}--\n"));
    let (verdict, _) = judged(&format!("MIME-Version: 1.0\n{text}"));
    assert!(matches!(verdict, AclVerdict::Accept | AclVerdict::Defer), "{verdict:?}");
    // Nearly boundaries, and one line of many megabytes.
    let near = multipart("bbbb", &("--bbb\n".repeat(300_000) + "--bbbb\n\nx\n--bbbb--\n"));
    assert_eq!(judged(&format!("MIME-Version: 1.0\n{near}")), (AclVerdict::Accept, 2));
    for encoding in ["base64", "quoted-printable", "7bit"] {
        let line = "QUJD".repeat(2 << 20);
        let part = format!("--b\nContent-Transfer-Encoding: {encoding}\n\n{line}\n--b--\n");
        let text = format!("MIME-Version: 1.0\n{}", multipart("b", &part));
        assert_eq!(judged(&text), (AclVerdict::Accept, 2), "{encoding}");
    }
}

#[test]
fn the_same_boundary_at_each_level() {
    let text = multipart("b", "--b\n").repeat(400) + "\nx\n" + &"--b--\n".repeat(400);
    let (verdict, parts) = judged(&format!("MIME-Version: 1.0\n{text}"));
    assert_eq!(verdict, AclVerdict::Accept);
    assert!(parts <= 401, "{parts}");
}
