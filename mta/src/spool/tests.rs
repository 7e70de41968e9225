use std::io;

use eximious::world::{Fixture, SpoolPlace};
use eximious::{Context, Engine, Header, Message, Str};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::smtp::{DsnNotify, EnvelopeSender, Recipient, Replaced, SpoolFailure, Submitter};

const ID: &str = "1xUSRE-000000008A6-0Qit";

/// A file with a bit of everything.
const SAMPLE: &[u8] = b"1xUSRE-000000008A6-0Qit-H\n\
    some one 1001 -1\n<a@b>\n1795195816 2\n-received_time_usec .102950\n\
    --helo_name x y\n--(mysql)aclm _q 3\na\nb\n-aclc 0 0\n\n-unknown\n-frozen 1795195816\n\
    YN b@x\nNY a@x\nNN a b@x\n3\nplain@x\n\
    d@x rfc822;d y@x 12,12 e r@x 5,-1#3\none@x  0,0#1\n\n\
    005P A: b\n009* X: y\n  z\n";

fn decoded(bytes: &[u8]) -> Result<HeaderFile, &'static str> {
    HeaderFile::decode(bytes).map_err(|damage| damage.why)
}

#[test]
fn a_file_is_read_and_written() {
    let file = HeaderFile::decode(SAMPLE).unwrap();
    assert_eq!(file.encode().unwrap(), SAMPLE);
    assert_eq!((file.login.as_slice(), file.uid, file.gid), (b"some one".as_slice(), 1001, -1));
    assert_eq!((file.received, file.warnings), (1_795_195_816, 2));
    assert_eq!(file.number("frozen"), Some(1_795_195_816));
    assert!(file.has("unknown") && !file.has("local"));
    let variable = file.value("aclm").unwrap();
    assert_eq!(variable.mark, Mark::Quoted(b"mysql".to_vec()));
    assert_eq!(variable.data.as_deref(), Some(b"a\nb".as_slice()));
    assert!(file.not_for.contains(b"a b@x") && file.not_for.nodes().len() == 3);
    let [plain, reported, once] = &file.recipients[..] else { panic!("{:?}", file.recipients) };
    assert_eq!((plain.address.as_slice(), &plain.more), (b"plain@x".as_slice(), &None));
    let more = reported.more.as_ref().unwrap();
    assert_eq!((more.errors_to.as_slice(), more.parent), (b"e r@x".as_slice(), -1));
    let reports = more.reports.as_ref().unwrap();
    assert_eq!((reports.original.as_slice(), reports.flags), (b"rfc822;d y@x".as_slice(), 12));
    assert_eq!(once.more.as_ref().map(|more| more.parent), Some(0));
    assert_eq!(file.headers[1].kind, b'*');
}

#[test]
fn each_cut_of_a_file_is_an_error_or_a_shorter_file() {
    let headers = SAMPLE.windows(4).position(|four| four == b"005P").unwrap();
    for end in 0..SAMPLE.len() {
        match HeaderFile::decode(&SAMPLE[..end]) {
            Ok(file) => assert!(end == headers || end == headers + 10, "{end}: {file:?}"),
            Err(damage) => assert!(damage.at <= end),
        }
    }
}

#[test]
fn damage_is_named() {
    let with = |from: &[u8], to: &[u8]| {
        let at = SAMPLE.windows(from.len()).position(|window| window == from).unwrap();
        decoded(&[&SAMPLE[..at], to, &SAMPLE[at + from.len()..]].concat())
    };
    for (from, to, why) in [
        (b"Qit-H".as_slice(), b"Qit-D".as_slice(), "no name of a header file"),
        (b"1001 -1", b"1001 x", "no user and group"),
        (b"1001 -1", b"1001 99999999999999999999", "no user and group"),
        (b"<a@b>", b"<a@b", "no sender in angle brackets"),
        (b"1795195816 2", b"1795195816", "no time and number of warnings"),
        (b"(mysql)", b"(mysql", "a mark without an end"),
        (b"_q 3", b"_q 2", "no newline after an ACL variable"),
        (b"_q 3", b"_q 99999999999999999999", "no length of an ACL variable"),
        (b"_q 3", b"_q 9999999", "a length beyond the file's end"),
        (b"_q 3", b"_q -3", "no length of an ACL variable"),
        (b"NY a@x", b"NX a@x", "no node of the tree of non-recipients"),
        (b"\n3\n", b"\n-3\n", "no number of recipients"),
        (b"\n3\n", b"\n4294967297\n", "no recipient"),
        (b"\n3\n", b"\n2\n", "no blank line before the header"),
        (b"0,0#1", b"9,0#1", "no recipient"),
        (b"0,0#1", b"-1,0#1", "no recipient"),
        (b"0,0#1", b"0,0#2", "no recipient"),
        (b"12,12 e", b"13,12 e", "no recipient"),
        (b"005P", b"P", "no length of a header line"),
        (b"005P", b"005", "no kind of a header line"),
        (b"005P", b"99999999999999999999P", "no length of a header line"),
        (b"009*", b"010*", "a length beyond the file's end"),
        (b"plain", b"pl\0in", "a zero byte"),
    ] {
        assert_eq!(with(from, to).err(), Some(why), "{}", to.escape_ascii());
    }
}

#[test]
fn a_tree_that_never_ends_is_read_to_the_end_of_the_file() {
    let head = b"1xUSRE-000000008A6-0Qit-H\na 0 0\n<>\n0 0\n".as_slice();
    let file = [head, &b"YY x\n".repeat(100_000)].concat();
    assert_eq!(decoded(&file), Err("the file ends too early"));
    // A list of one branch after the other is as deep as it is long.
    let file = [head, &b"YN x\n".repeat(100_000), b"NN x\n0\n\n"].concat();
    assert_eq!(HeaderFile::decode(&file).unwrap().encode().unwrap(), file);
}

/// Texts that stand in a line.
fn line() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>().prop_filter("a line", |byte| !matches!(byte, b'\n' | 0)), 0..20)
}

/// Words that stand in a line.
fn word() -> impl Strategy<Value = Vec<u8>> {
    line().prop_map(|line| line.into_iter().filter(|byte| !b" -()".contains(byte)).collect())
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..40)
}

fn value() -> impl Strategy<Value = Value> {
    let mark = prop_oneof![Just(Mark::Clean), Just(Mark::Tainted), word().prop_map(Mark::Quoted),];
    let plain = word().prop_filter("no ACL variable", |name| !name.starts_with(b"acl"));
    let named = (plain, proptest::option::of(line())).prop_map(|(name, text)| (name, text, None));
    let variable = (prop_oneof![Just("acl"), Just("aclc"), Just("aclm")], line(), bytes())
        .prop_map(|(name, text, data)| (name.into(), Some(text), Some(data)));
    (mark, prop_oneof![named, variable]).prop_map(|(mark, (name, text, data))| Value {
        mark,
        name,
        text,
        data,
    })
}

fn recipient() -> impl Strategy<Value = SpoolRecipient> {
    let reports =
        (line(), any::<i64>()).prop_map(|(original, flags)| RecipientDsn { original, flags });
    let more = (proptest::option::of(reports), line(), any::<i64>())
        .prop_map(|(reports, errors_to, parent)| RecipientExtra { reports, errors_to, parent });
    let plain = line()
        .prop_filter("ends there", |line| !line.is_empty() && !super::decode::looks_longer(line));
    prop_oneof![
        plain.prop_map(|address| SpoolRecipient { address, more: None }),
        (line(), more).prop_map(|(address, more)| SpoolRecipient { address, more: Some(more) }),
    ]
}

fn file() -> impl Strategy<Value = HeaderFile> {
    let header = (any::<u8>().prop_filter("a kind", |kind| !kind.is_ascii_digit()), bytes())
        .prop_map(|(kind, line)| HeaderLine { kind, line });
    let head = (line(), line(), any::<[i64; 2]>(), line(), any::<[i64; 2]>());
    let rest = (vec(value(), 0..8), vec(line(), 0..8), vec(recipient(), 0..5), vec(header, 0..5));
    (head, rest).prop_map(|((id, login, [uid, gid], sender, [received, warnings]), rest)| {
        let (values, not_for, recipients, headers) = rest;
        let not_for = NonrecipientTree::new(not_for.iter().map(Vec::as_slice));
        HeaderFile {
            id,
            login,
            uid,
            gid,
            sender,
            received,
            warnings,
            values,
            not_for,
            recipients,
            headers,
        }
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(file in file()) {
        let bytes = file.encode().unwrap();
        prop_assert_eq!(HeaderFile::decode(&bytes), Ok(file));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in bytes()) {
        let _ = HeaderFile::decode(&bytes);
        let file = [SAMPLE, &bytes].concat();
        if let Ok(file) = HeaderFile::decode(&file) {
            file.encode().unwrap();
        }
    }
}

fn context(config: &str) -> (Context, Fixture) {
    let fixture = Fixture::new();
    let config = format!("spool_directory = /spool\nprimary_hostname = h.example\n{config}");
    let fixture = fixture.file("/conf", config);
    let builder = Engine::builder().world(fixture.world());
    let macros = eximious::Macros::new();
    let read = eximious::Config::read(b"/conf", macros, &fixture.world(), builder.registry());
    (read.unwrap().build(builder).context(), fixture)
}

fn message() -> Received {
    let headers = vec![Header::new("Received: x\n"), Header::new("From: a@b\n")];
    Received {
        id: Str::from(ID),
        message: Message::new(headers, "text\n"),
        recipients: vec![Recipient { address: Str::from("c@d"), ..Recipient::default() }],
        sender: EnvelopeSender { address: Str::from("a@b"), ..EnvelopeSender::default() },
        submitter: Some(Submitter { login: b"me".to_vec(), ..Submitter::default() }),
        ..Received::default()
    }
}

fn kept(cx: &mut Context, fixture: &Fixture, received: &mut Received) -> HeaderFile {
    assert_eq!(keep(cx, received), SpoolOutcome::Spooled);
    let place = place(cx, received.queue.bytes()).unwrap();
    let bytes = fixture.world().spool.read(&place, ID.as_bytes(), b"-H", 1 << 20).unwrap();
    HeaderFile::decode(&bytes).unwrap()
}

#[test]
fn a_message_is_kept_in_two_files() {
    let (mut cx, fixture) = context("split_spool_directory");
    let mut received = message();
    received.queue = Str::from("slow");
    received.replaced.push(Replaced { before: 1, header: Header::new("Bcc: x\n") });
    received.recipients[0].notify = DsnNotify { delay: true, ..DsnNotify::default() };
    cx.set("acl_m_x", Str::tainted("two\nlines"));
    let file = kept(&mut cx, &fixture, &mut received);
    let names: Vec<String> = fixture
        .spool()
        .files()
        .keys()
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect();
    let name = |end| format!("/spool/slow/input/E/{ID}{end}");
    assert_eq!(names, [name("-D"), name("-H")]);
    let data = &fixture.spool().files()[name("-D").as_bytes()];
    assert_eq!(data, format!("{ID}-D\ntext\n").as_bytes());
    let kinds: Vec<u8> = file.headers.iter().map(|line| line.kind).collect();
    assert_eq!(kinds, *b"P*F");
    assert_eq!(file.value("aclm").unwrap().mark, Mark::Tainted);
    let more = file.recipients[0].more.clone().unwrap();
    assert_eq!(more.reports.unwrap().flags, RecipientDsn::DELAY);
    // Nobody takes its place.
    let again = keep(&mut cx, &mut received);
    assert!(matches!(again, SpoolOutcome::Failed(SpoolFailure { why, broken: true, .. })
            if why.starts_with(b"Failed to create spool file /")));
}

#[test]
fn what_is_denied_comes_later() {
    let mut cx = Engine::builder().build().context();
    let SpoolOutcome::Failed(SpoolFailure { why, .. }) = keep(&mut cx, &mut message()) else {
        panic!()
    };
    let place = SpoolPlace { spool: b"/var/spool/exim4".to_vec(), ..SpoolPlace::default() };
    let file = place.path(ID.as_bytes(), b"-D");
    let text = [b"Failed to create spool file ", &file[..], b": Permission denied"].concat();
    assert_eq!(why, text);
}

#[test]
fn cve_2020_28015_a_newline_in_an_address_is_not_written() {
    for bytes in [b"a\n-H@b".as_slice(), b"a@b\n", b"\n", b"a\0@b"] {
        let (mut cx, fixture) = context("");
        let mut received = message();
        received.recipients[0].address = Str::from(bytes);
        assert!(matches!(keep(&mut cx, &mut received), SpoolOutcome::Failed(_)));
        let mut received = message();
        received.sender.address = Str::from(bytes);
        assert!(matches!(keep(&mut cx, &mut received), SpoolOutcome::Failed(_)));
        let mut received = message();
        received.not_for.push(Str::from(bytes));
        assert!(matches!(keep(&mut cx, &mut received), SpoolOutcome::Failed(_)));
        let mut received = message();
        received.submitter = Some(Submitter { login: bytes.to_vec(), ..Submitter::default() });
        assert!(matches!(keep(&mut cx, &mut received), SpoolOutcome::Failed(_)));
        assert!(fixture.spool().files().is_empty());
    }
}

#[test]
fn cve_2020_28021_a_newline_in_a_name_begins_no_line() {
    let (mut cx, fixture) = context("");
    for name in ["authenticated_sender", "authenticated_id", "sender_ident", "sender_helo_name"] {
        cx.set(name, Str::tainted("a\n-local\nXX\n0\n\n"));
    }
    let file = kept(&mut cx, &fixture, &mut message());
    assert!(!file.has("local") && file.recipients.len() == 1);
    assert_eq!(file.text("auth_sender"), Some(b"a -local XX 0  ".as_slice()));
}

#[test]
fn cve_2020_28026_no_length_of_a_line_cuts_it() {
    let (mut cx, fixture) = context("");
    let long = "x".repeat(100_000);
    let mut received = message();
    received.recipients[0].address = Str::from(format!("{long}@d"));
    received.recipients[0].original = Some(format!("rfc822;{long} 0,-1#3").into_bytes());
    received.recipients[0].notify.never = true;
    cx.set("sender_ident", Str::from(long.clone()));
    let file = kept(&mut cx, &fixture, &mut received);
    assert_eq!(file.recipients[0].address.len(), long.len() + 2);
    assert_eq!(file.text("ident"), Some(long.as_bytes()));
    let reports = file.recipients[0].more.as_ref().unwrap().reports.as_ref().unwrap();
    assert_eq!(reports.original.len(), long.len() + 14);
    // What is not a length, but looks like one.
    let mut received = message();
    received.message.id = Str::from(ID);
    received.recipients[0].address = Str::from("\"x 0,-1#3\"@d#1");
    let (mut cx, fixture) = context("");
    let file = kept(&mut cx, &fixture, &mut received);
    assert_eq!(file.recipients[0].address, b"\"x 0,-1#3\"@d#1");
}

#[test]
fn cve_2019_15846_a_backslash_at_the_end_is_a_backslash() {
    let (mut cx, fixture) = context("");
    for name in ["tls_in_sni", "tls_in_peerdn"] {
        cx.set(name, Str::tainted("x\\"));
    }
    let file = kept(&mut cx, &fixture, &mut message());
    assert_eq!(file.text("tls_sni"), Some(b"x\\".as_slice()));
    assert_eq!(file.text("tls_peerdn"), Some(b"x\\".as_slice()));
}

#[test]
fn cve_2020_28020_numbers_that_are_too_large_are_refused() {
    let huge = b"1xUSRE-000000008A6-0Qit-H\na 0 0\n<>\n0 0\nXX\n18446744073709551615\n";
    assert_eq!(decoded(huge), Err("the file ends too early"));
    let huge = [SAMPLE, b"18446744073709551615P x"].concat();
    assert_eq!(decoded(&huge), Err("a length beyond the file's end"));
}

#[test]
fn a_body_in_pieces_is_the_whole_one() {
    /// Gives a few bytes each time.
    struct Drops<'d>(&'d [u8], usize);
    impl io::Read for Drops<'_> {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let most = self.1.min(room.len());
            io::Read::read(&mut self.0, &mut room[..most])
        }
    }
    let mut file = decoded(SAMPLE).expect("a file");
    let text = b"a\r\n\r\r\nb\nc\rd\r\n\r\n\r";
    let data = [&data_head(&file.id)[..], text].concat();
    for is_wire in [false, true] {
        if is_wire {
            file.values.push(Value { name: b"spool_file_wireformat".to_vec(), ..Value::default() });
        }
        let whole = body(&file, text);
        assert_eq!(whole == text, !is_wire);
        for count in 1..data.len() {
            let mut pieces = Vec::new();
            let mut each = |piece: &[u8]| {
                pieces.extend_from_slice(piece);
                Ok(())
            };
            body_in_pieces(&file, &mut Drops(&data, count), &mut each).expect("it is read");
            assert_eq!(pieces, whole, "{count}");
        }
    }
}
