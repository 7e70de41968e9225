//! Batches in pieces, and with what is wrong in them.

use eximious::Engine;

use super::*;

/// The messages of a batch, and what ended it.
fn read(text: &str) -> (Vec<(BatchEnvelope, BatchMessage)>, BatchStep) {
    let mut cx = Engine::builder().build().context();
    let mut batch = BatchedSmtp::new(false);
    let (mut messages, mut envelope) = (Vec::new(), None);
    let mut rest = text.as_bytes().chunks(7);
    loop {
        match batch.step(&mut cx) {
            BatchStep::Message(message) => {
                messages.push((envelope.take().unwrap(), message));
                batch.taken();
            }
            BatchStep::Begins(begun) => envelope = Some(begun),
            BatchStep::More => match rest.next() {
                Some(piece) => batch.receive(piece),
                None => batch.end_of_input(),
            },
            end => return (messages, end),
        }
    }
}

#[test]
fn each_message_has_its_envelope() {
    let (messages, end) = read(
        "HELO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nrcpt to: e@f\r\nDATA\r\n\
         Subject: x\r\n\r\n..\r\n.\r\n\
         VRFY x\nMAIL FROM:<>\nRCPT TO:<c@d>\nDATA\n.x\n.\nQUIT\nFOO\n",
    );
    assert!(matches!(end, BatchStep::End));
    let [first, second] = &messages[..] else { panic!("{messages:?}") };
    let to: Vec<&[u8]> = first.0.recipients.iter().map(Str::bytes).collect();
    assert_eq!(
        (first.0.sender.bytes(), &to[..]),
        (b"a@b".as_slice(), &[b"c@d".as_slice(), b"e@f"][..])
    );
    assert_eq!(first.1.text.head(), b"Subject: x\r\n\r\n.\r\n");
    assert_eq!(
        (second.0.sender.bytes(), second.1.text.head()),
        (b"".as_slice(), b"x\n".as_slice())
    );
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    for (text, said, status) in [
        (
            "FOO\n",
            "500 Command unrecognized\nTransaction started in line 0\nError detected in line 1\nFOO\n",
            2,
        ),
        (
            "MAIL FROM:<a@b>\nRCPT TO:<c@d>\nDATA\nx: y\n.\nDATA\n",
            "503 MAIL FROM:<sender> command must precede DATA\nTransaction started in line 4\nError detected in line 5\nDATA\n",
            1,
        ),
        (
            "MAIL FROM:<a@b>\nRCPT TO:<c@d>\nDATA\nx: y\n",
            "421 Lost incoming connection\nTransaction started in line 0\nError detected in line 4\n",
            2,
        ),
        (
            "RSET\nMAIL FROM:<a\0b>\n",
            "501 Unexpected NULL in SMTP command\nTransaction started in line 1\nError detected in line 2\nMAIL FROM:<a?b>\n",
            2,
        ),
    ] {
        let (_, BatchStep::Failed(wrong) | BatchStep::Lost(wrong, _)) = read(text) else {
            panic!("{text}")
        };
        assert_eq!(String::from_utf8(wrong.printed()).unwrap(), said);
        assert_eq!(wrong.status(), status, "{text}");
    }
}

#[test]
fn what_does_not_come_in_time_is_told() {
    let (command, data) =
        ("421 SMTP command timeout", "421 SMTP incoming data timeout - message abandoned");
    for (text, said, line) in [
        ("", command, 0),
        ("MAIL FROM:<a@b>\nRCPT T", command, 1),
        ("MAIL FROM:<a@b>\nRCPT TO:<c@d>\nDATA\nx: y\n", data, 4),
        ("MAIL FROM:<a@b>\nRCPT TO:<c@d>\nDATA\nx: y\n\nb\nb", data, 5),
        ("MAIL FROM:<a@b>\nRCPT TO:<c@d>\nDATA\nx\ny\n", data, 4),
    ] {
        let mut cx = Engine::builder().build().context();
        let mut batch = BatchedSmtp::new(false);
        batch.receive(text.as_bytes());
        while !matches!(batch.step(&mut cx), BatchStep::More) {}
        let wrong = batch.time_out(&mut cx);
        assert_eq!((&wrong.text[..], wrong.line), (said.as_bytes(), line), "{text}");
        assert_eq!((wrong.command.as_ref(), wrong.status()), (None, 2));
    }
}

#[test]
fn cve_2020_28020_a_command_has_an_end() {
    let (_, BatchStep::Failed(wrong)) = read(&"x".repeat(100_000)) else { panic!() };
    assert_eq!(wrong.text, b"500 Command unrecognized");
}
