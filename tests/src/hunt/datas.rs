//! Messages as nobody should write them, by DATA, in chunks, in batches and from programs, and
//! ACLs that look at them.

mod texts;

use fastrand::Rng;

use super::{Form, Quarry};
use crate::dice::Dice;
use crate::escapes::escaped;
use texts::{Care, Writer};

const OPTIONS: &[&str] = &[
    "message_size_limit = 200",
    "message_size_limit = 1000",
    "header_maxsize = 300",
    "header_maxsize = 200",
    "header_line_maxsize = 80",
    "header_line_maxsize = 300",
    "received_headers_max = 1",
    "received_headers_max = 2",
    "spool_wireformat",
    "message_body_visible = 20",
    "message_body_visible = 0",
    "message_body_newlines",
    "check_rfc2047_length = false",
    "headers_charset = utf-8",
    "print_topbitchars",
    "bounce_return_body = false",
    "drop_cr",
    "extract_addresses_remove_arguments = false",
    "untrusted_set_sender = *",
    "message_id_header_text = x.y@z",
    "message_id_header_domain = id.test",
    "received_header_text = Received: from $sender_helo_name;\\n\\tby here",
    "received_header_text = Received: by here with $message_size",
    "ignore_fromline_hosts = *",
    "ignore_fromline_local",
    "accept_8bitmime = false",
    "smtputf8_advertise_hosts =",
    "chunking_advertise_hosts =",
    "log_selector = +size_reject +subject +received_recipients +8bitmime +smtp_protocol_error",
    "return_path_remove = false",
    "envelope_to_remove = false\ndelivery_date_remove = false",
    "strip_excess_angle_brackets",
    "write_rejectlog = false",
    "dkim_verify_minimal",
    "keep_malformed = 1d",
    "prdr_enable",
    "bounce_message_file = DIR/none",
    "local_from_check = false",
];

/// All that is known of a message.
const SHOWN: &str = "  warn logwrite = size=$message_size lines=$body_linecount,\
    $message_linecount zeros=$body_zerocount longest=$max_received_linelength \
    received=$received_count body=$message_body_size <${length_200:$message_body}> \
    <${length_200:$message_body_end}>";

const PARTS: &str = "parts:\n  accept logwrite = part $mime_part_count size=$message_size \
    body=$message_body_size longest=$max_received_linelength <$mime_content_type>";

const HEADERS: &[&str] = &[
    "<${length_400:$message_headers}> ${strlen:$message_headers}",
    "<${length_400:$message_headers_raw}> ${strlen:$message_headers_raw}",
    "<$rheader_subject:> <$bheader_subject:> <$header_subject:> <$lheader_subject:>",
    "<$rheader_x:> <$bheader_x:> <$header_x:> <$lheader_x:>",
    "<$rheader_received:> <$bheader_received:>",
    "<$header_from:> <$header_to:> <$reply_address>",
    "<$header_message-id:> <$header_resent-to:> $message_smtputf8 $message_id",
    "$sender_address $recipients_count $recipients ${addresses:$header_to:}",
    "${sha1:$message_body} ${strlen:$message_body} ${strlen:$message_body_end}",
];

const CONDITIONS: &[&str] = &[
    "verify = header_syntax",
    "!verify = header_syntax",
    "verify = header_names_ascii",
    "!verify = header_names_ascii",
    "verify = not_blind",
    "condition = ${if def:h_subject:}",
    "condition = ${if >{$max_received_linelength}{998}}",
    "condition = ${if >{$body_zerocount}{0}}",
    "condition = ${if >{$message_size}{200}}",
    "condition = ${if match{$message_body}{x}}",
    "condition = ${if eq{$body_linecount}{0}}",
    "condition = ${if >{$received_count}{2}}",
    "regex = (?m)^From : a\\\\rb",
];

const MODIFIERS: &[&str] = &[
    "add_header = X-Size: $message_size",
    "add_header = :at_start:X-A: b",
    "add_header = X:y\\n z\\n",
    "remove_header = subject : x",
    "remove_header = received",
    "control = freeze",
    "control = suppress_local_fixups",
    "control = submission",
    "set acl_m_a = $message_size",
    "logwrite = late $message_size $acl_m_a",
    "message = said $body_linecount",
    "log_message = logged $rh_subject:",
    "message = 550-first\\n550 second",
];

/// What fails where a program hands a message in.
const FAILING: [&str; 2] = ["550", "submission"];

const REFUSED: &[&str] = &["deny", "deny", "defer", "discard", "drop", "require"];

/// A configuration, and messages.
pub fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Submission);
    let way = rng.u32(..10);
    let is_local = way > 7;
    let mut options = rng.options(4, OPTIONS);
    // Reports of it are too large as well.
    options.retain(|option| !(is_local && option.starts_with("message_size_limit")));
    quarry.fixed("+++\nqualify_domain = l.test");
    // What stands there without it has a program's version.
    let is_received = |option: &&str| option.starts_with("received_header_text");
    let received = options.iter().copied().find(is_received);
    quarry.fixed(received.unwrap_or("received_header_text = Received: by here"));
    quarry.fixed("acl_smtp_rcpt = accept");
    quarry.loose("acl_smtp_data = data").loose("acl_not_smtp = data");
    // There, the real one has the header for the end of the text.
    let looks_at_parts = rng.chance(6);
    if looks_at_parts {
        quarry.loose("acl_smtp_mime = parts").loose("acl_not_smtp_mime = parts");
    }
    for option in options.into_iter().filter(|option| !is_received(option)) {
        quarry.loose(option);
    }
    quarry.fixed("begin acl");
    if looks_at_parts {
        quarry.fixed(PARTS);
    }
    quarry.fixed("data:").loose(SHOWN);
    if rng.chance(2) {
        quarry.loose(format!("       logwrite = {}", rng.pick(HEADERS)));
    }
    for _ in 0..rng.usize(..3) {
        statement(rng, &mut quarry, is_local);
    }
    quarry.fixed("  accept");
    match way {
        0..=4 => session(rng, &mut quarry),
        5 | 6 => chunks(rng, &mut quarry),
        7 => batch(rng, &mut quarry),
        _ => local(rng, &mut quarry),
    }
    quarry
}

/// A verb with its conditions and modifiers.
fn statement(rng: &mut Rng, quarry: &mut Quarry, is_local: bool) {
    // What is refused there, the real one throws away.
    let verb = match is_local || rng.chance(2) {
        true => "warn",
        false => rng.pick(REFUSED),
    };
    let mut text = format!("  {verb}");
    if verb != "warn" || rng.chance(2) {
        text += &format!(" {}", rng.pick(CONDITIONS));
    }
    for _ in 0..rng.usize(..3) {
        let modifier = rng.pick(MODIFIERS);
        if !(is_local && FAILING.iter().any(|one| modifier.contains(one))) {
            text += &format!("\n       {modifier}");
        }
    }
    quarry.loose(text);
}

/// Lines of a message that comes by SMTP.
fn written(rng: &mut Rng) -> Vec<Vec<u8>> {
    let care = if rng.chance(3) { Care::None } else { Care::Whole };
    let end: &[u8] = if rng.chance(8) { b"\n" } else { b"\r\n" };
    let mut writer = Writer::new(care, end);
    writer.message(rng);
    writer.lines
}

const MAIL: &[&str] = &[
    "",
    "",
    "",
    "",
    " SIZE=100",
    " SIZE=100000",
    " BODY=8BITMIME",
    " BODY=7BIT",
    " BODY=BINARYMIME",
    " RET=HDRS",
];

/// The commands before a message; `of_all` is said of each in the session.
fn envelope(rng: &mut Rng, quarry: &mut Quarry, of_all: &str) {
    let sender = rng.pick(&["s@l.test", "s@l.test", "s@l.test", "", "S <s@y.test"]);
    let said = rng.pick(MAIL);
    let more = if rng.chance(4) { "RCPT TO:<b@l.test>\\r\\n" } else { "" };
    quarry
        .loose(format!("> MAIL FROM:<{sender}>{said}{of_all}\\r\\nRCPT TO:<a@l.test>\\r\\n{more}"));
}

/// Messages of a client, by DATA.
fn session(rng: &mut Rng, quarry: &mut Quarry) {
    let host = rng.pick(&["", "", "-oMa 192.0.2.1 "]);
    quarry.fixed(format!("? {host}-odq -bs"));
    quarry.fixed(rng.pick(&["> EHLO c.test\\r\\n", "> HELO c.test\\r\\n"]));
    // The real one does not forget it.
    let of_all = if rng.chance(6) { " SMTPUTF8" } else { "" };
    for _ in 0..rng.usize(1..4) {
        envelope(rng, quarry, of_all);
        quarry.loose("> DATA\\r\\n");
        for line in written(rng) {
            // A point at the beginning of a line ends the message, or goes.
            let dot = if line.first() == Some(&b'.') && !rng.chance(6) { "." } else { "" };
            quarry.loose(format!("> {dot}{}", escaped(&line)));
        }
        if !rng.chance(20) {
            // Where the last line did not end, this one does not begin.
            let lead = if rng.chance(8) { "" } else { "\\r\\n" };
            quarry.loose(format!("> {lead}.\\r\\n"));
        }
        if rng.chance(6) {
            quarry.loose(rng.pick(&["> NOOP\\r\\n", "> RSET\\r\\n", "> VRFY x\\r\\nNOOP\\r\\n"]));
        }
    }
    quarry.loose("> QUIT\\r\\n");
}

/// Messages of a client, by BDAT.
fn chunks(rng: &mut Rng, quarry: &mut Quarry) {
    let host = rng.pick(&["", "", "-oMa 192.0.2.1 "]);
    quarry.fixed(format!("? {host}-odq -bs"));
    quarry.fixed("> EHLO c.test\\r\\n");
    // The real one does not forget it.
    let of_all = if rng.chance(6) { " SMTPUTF8" } else { "" };
    for _ in 0..rng.usize(1..4) {
        envelope(rng, quarry, of_all);
        let text = written(rng).concat();
        let mut cuts: Vec<usize> = (0..rng.usize(..3)).map(|_| rng.usize(..=text.len())).collect();
        cuts.sort_unstable();
        cuts.dedup();
        let mut from = 0;
        for cut in cuts {
            let chunk = &text[from..cut];
            from = cut;
            quarry.loose(format!("> BDAT {}\\r\\n{}", chunk.len(), escaped(chunk)));
            if rng.chance(12) {
                let all = ["RSET", "NOOP", "DATA", "BDAT", "BDAT x", "BDAT 0", "QUIT", "HELP"];
                quarry.loose(format!("> {}\\r\\n", rng.pick(&all)));
            }
        }
        let rest = &text[from..];
        match rng.u32(..8) {
            0 => {
                quarry.loose(format!("> BDAT {}\\r\\n{}", rest.len(), escaped(rest)));
                quarry.loose("> BDAT 0 LAST\\r\\n");
            }
            // Behind one that is kept as it came, the real one takes each message for such.
            1 if !quarry.text().contains("spool_wireformat") => {
                quarry.loose(format!("> BDAT {} last\\r\\n{}", rest.len(), escaped(rest)));
                // An empty message behind it.
                envelope(rng, quarry, of_all);
                quarry.loose("> DATA\\r\\n.\\r\\n");
            }
            _ => {
                quarry.loose(format!("> BDAT {} LAST\\r\\n{}", rest.len(), escaped(rest)));
            }
        }
        if rng.chance(6) {
            quarry.loose("> NOOP\\r\\n");
        }
    }
    quarry.loose("> QUIT\\r\\n");
}

/// Messages of a program, as a batch.
fn batch(rng: &mut Rng, quarry: &mut Quarry) {
    let more = rng.pick(&["", "", "-oMa 192.0.2.1 ", "-i "]);
    quarry.fixed(format!("? {more}-odq -bS"));
    let end = rng.pick(&["\\n", "\\r\\n"]);
    quarry.loose(format!("> HELO c.test{end}"));
    for _ in 0..rng.usize(1..3) {
        quarry.loose(format!("> MAIL FROM:<s@l.test>{end}RCPT TO:<a@l.test>{end}"));
        quarry.loose(format!("> DATA{end}"));
        let care = if rng.chance(4) { Care::None } else { Care::Whole };
        let mut writer = Writer::new(care, if end == "\\n" { b"\n" } else { b"\r\n" });
        writer.message(rng);
        for line in writer.lines {
            let dot = if line.first() == Some(&b'.') && !rng.chance(6) { "." } else { "" };
            quarry.loose(format!("> {dot}{}", escaped(&line)));
        }
        if !rng.chance(12) {
            quarry.loose(format!("> {end}.{end}"));
        }
    }
}

/// What it is called with. What is wrong is told at once: of reports, the real one cuts the lines.
const ARGUMENTS: &[&str] = &[
    "a@l.test",
    "a@l.test",
    "a@l.test",
    "-i a@l.test",
    "-oi a@l.test",
    "-oep -t",
    "-oep -t",
    "-oep -ti",
    "-oep -t a@l.test",
    "-oep a@l.test",
    "-G a@l.test",
    "-bnq a@l.test",
    "-oMr x a@l.test",
    "-oMa 192.0.2.1 a@l.test",
];

/// Messages that a program hands in.
fn local(rng: &mut Rng, quarry: &mut Quarry) {
    let user = if rng.chance(8) { "as=nobody " } else { "" };
    let sender = rng.pick(&["", "-f s@l.test ", "-f s@l.test ", "-f <> "]);
    quarry.fixed(format!("? {user}-odq {sender}{}", rng.pick(ARGUMENTS)));
    quarry.loose("> To: a@l.test\\n");
    let care = if rng.chance(3) { Care::None } else { Care::Whole };
    let mut writer = Writer::new(care, rng.pick(&[b"\n".as_slice(), b"\n", b"\n", b"\r\n"]));
    writer.message(rng);
    for line in writer.lines {
        quarry.loose(format!("> {}", escaped(&line)));
    }
    if rng.chance(6) {
        quarry.loose("> .\\nbehind\\n");
    }
}
