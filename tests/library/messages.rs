//! Messages that mean harm: header text is data, whatever it looks like, and a
//! reader takes any bytes.

use eximious::stdlib::message::{End, parse, parse_until};
use eximious::{Context, Engine, Message, Str, Taint, World};

fn with_message(message: Message) -> (Engine, Context) {
    let engine = Engine::builder().world(World::hermetic()).build();
    let mut cx = engine.context();
    cx.set("acl_m_secret", Str::fixed("918273"));
    cx.set_message(Some(message));
    (engine, cx)
}

/// What a line gives, an error's words included.
fn answer(engine: &Engine, cx: &mut Context, line: &str) -> String {
    match engine.expand_once(line.as_bytes(), cx) {
        Ok(value) => value.display().into_owned(),
        Err(fail) => fail.to_string(),
    }
}

/// Every operator, and every item that goes through text: a variable that the
/// sender names is not looked at.
#[test]
fn cve_2014_2957_header_text_is_never_expanded() {
    let text = b"From: $acl_m_secret ${acl_m_secret} <$acl_m_secret@example.com>\n\
        X: ${uc:$acl_m_secret} : ${lc:$acl_m_secret}, \\$acl_m_secret\n\n$acl_m_secret\n";
    let (engine, mut cx) = with_message(parse(text));
    let operators = engine.registry().all_operators().map(|o| o.meta.name);
    let mut lines: Vec<String> = operators
        .flat_map(|name| {
            ["$h_x:", "$rh_from:", "$message_body"].map(|of| format!("${{{name}:{of}}}"))
        })
        .collect();
    for line in [
        "$h_x:|$bh_x:|$rh_x:|$lh_x:",
        "$message_headers $message_headers_raw $message_body $message_body_end $reply_address",
        "${map{$h_x:}{$item}}",
        "${filter{$h_x:}{!eq{$item}{}}}",
        "${reduce{$h_x:}{}{$value$item}}",
        "${sort{$lh_x:}{<}{$item}}",
        "${sg{$h_x:}{l}{$h_x:}}",
        "${tr{$h_x:}{l}{L}}",
        "${extract{1}{:}{$h_x:}}",
        "${listextract{1}{$h_x:}}",
        "${if eq{$h_x:}{}{a}{$h_x:}}",
        "${if match{$h_x:}{\\N^(.*)$\\N}{$1}}",
        "${if forany{$h_x:}{eq{$item}{}}{a}{b}}",
        "${if inlist{918273}{$h_x:}{in}{out}}",
        "${if match_domain{918273}{$h_x:}{in}{out}}",
        "${if >{$h_x:}{1}{a}{b}}",
        "${substr{0}{99}{$h_x:}}",
        "${hash{99}{$h_x:}}",
    ] {
        lines.push(line.to_owned());
    }
    for line in lines {
        let answer = answer(&engine, &mut cx, &line);
        assert!(!answer.contains("918273"), "{line}: {answer}");
    }
}

/// All that comes from a message is tainted, and to expand it again is refused.
#[test]
fn cve_2011_1764_header_text_stays_tainted() {
    let text = b"From: %n%s%99999999s <a@b.example>\nReply-To: ${acl_m_secret}\nX: %n\n\n%s${acl_m_secret}\n";
    let (engine, mut cx) = with_message(parse(text));
    for line in [
        "$h_x:",
        "$bh_from:",
        "$rh_from:",
        "$lh_from:",
        "$message_headers",
        "$message_headers_raw",
        "$message_body",
        "$message_body_end",
        "$reply_address",
        "${address:$h_from:}",
        "${addresses:$h_from:}",
        "${rfc2047d:$rh_from:}",
        "a${quote_local_part:$h_x:}b",
    ] {
        let value = engine.expand_once(line.as_bytes(), &mut cx).unwrap();
        assert_eq!(value.taint(), Taint::Tainted, "{line}");
    }
    for line in ["${expand:$reply_address}", "${expand:$message_body}"] {
        let fail = engine.expand_once(line.as_bytes(), &mut cx).unwrap_err();
        assert!(fail.to_string().contains("tainted"), "{line}: {fail}");
    }
    // What is not there comes from nobody.
    let value = engine.expand_once(b"a$h_nosuch:$rh_nosuch:", &mut cx).unwrap();
    assert_eq!(value.taint(), Taint::Clean);
}

/// A sender's separators and patterns don't reach out of the header's own value.
#[test]
fn cve_2011_1407_header_text_is_no_list_or_pattern() {
    let text = b"X: *\nY: ^.*\nW: $0\nZ: <; a ; b : c\nTo: >;x@y.example, z@y.example\n\n";
    let (engine, mut cx) = with_message(parse(text));
    for (line, expected) in [
        ("${if eq{abc}{$h_x:}{y}{n}}", "n"),
        ("${if match_domain{abc.example}{abc.example : $h_nosuch:}{y}{n}}", "y"),
        ("${sg{abc}{b}{$h_y:}}", "a^.*c"),
        ("${sg{abc}{b}{$h_w:}}", "attempt to expand tainted string '$0'"),
        ("${addresses:>:$rh_to:}", "z@y.example"),
        ("${listcount:<, $h_z:}", "1"),
        ("${map{<, $h_z:}{[$item]}}", "[<; a ; b : c]"),
    ] {
        assert_eq!(answer(&engine, &mut cx, line), expected, "{line}");
    }
}

/// Headers of any number and length: every view is bounded, nothing is lost
/// before the bound.
#[test]
fn cve_2010_4344_header_lines_of_any_number_and_length() {
    for (count, length) in [(1, 3_000_000), (200_000, 1), (3000, 1000), (70, 995)] {
        let line = [&b"X: "[..], &vec![b'%'; length], b"\n"].concat();
        let text = [line.repeat(count), b"\nbody\n".to_vec()].concat();
        let (engine, mut cx) = with_message(parse(&text));
        for view in ["h", "bh", "rh"] {
            let line = format!("${{strlen:${view}_x:}}");
            let seen: usize = answer(&engine, &mut cx, &line).parse().unwrap();
            assert!(seen >= (count * length).min(65_536) && seen <= 65_538, "{line}: {seen}");
        }
        assert_eq!(answer(&engine, &mut cx, "$message_size"), (text.len()).to_string());
        assert_eq!(answer(&engine, &mut cx, "$message_body"), "body ");
    }
}

/// Every short run of the bytes that mean something to a reader of messages: it
/// comes to an end, and what it read can be expanded.
#[test]
fn any_bytes_are_a_message() {
    let pieces: [&[u8]; 10] =
        [b"\n", b"\r", b"\r\n", b".", b" ", b"x: y", b":", b"\0", b"From a Jan 1 0:0", b"\xff"];
    for number in 0..pieces.len().pow(5) {
        let mut text = Vec::new();
        let mut rest = number;
        while rest > 0 {
            text.extend_from_slice(pieces[rest % pieces.len()]);
            rest /= pieces.len();
        }
        for end in [End::Input, End::Dot] {
            let (message, _) = parse_until(&text, end);
            let header: usize = message.headers.iter().map(|h| h.line.len()).sum();
            assert!(message.size >= header as u64 + message.body.len());
            assert!(
                message.headers.iter().all(|h| h.line.ends_with(b"\n") && !h.line.contains(&0))
            );
        }
        if number % 97 == 0 {
            let (engine, mut cx) = with_message(parse(&text));
            for line in ["$message_headers$message_body$message_body_end", "$h_x:$rh_x:$lh_x:"] {
                engine.expand_once(line.as_bytes(), &mut cx).unwrap();
            }
        }
    }
}

/// One message leaves nothing behind for the next.
#[test]
fn cve_2026_40686_no_state_between_messages() {
    let (engine, mut cx) = with_message(parse(b"X: =?nosuch?q?a?=\nTo: a: b@c.example\n\nbody\n"));
    let line = "$h_x:|$h_to:|$message_body|$message_size|$max_received_linelength|$received_count|\
        ${addresses:$h_to:}|${rfc2047d:$h_x:}";
    let first = answer(&engine, &mut cx, line);
    assert_eq!(first, "a|a: b@c.example|body |43|18|1|b@c.example|a");
    cx.set_message(None);
    assert_eq!(answer(&engine, &mut cx, line), "|||0|0|0||");
    cx.set_message(Some(parse(b"To: d: e@f.example\n\n")));
    assert_eq!(answer(&engine, &mut cx, line), "|d: e@f.example||20|18|1|e@f.example|");
}
