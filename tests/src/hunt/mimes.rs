//! Messages with parts (MIME), written as nobody would, and ACLs that look at each of them.

mod entities;
mod words;

use fastrand::Rng;

use super::{Form, Quarry};
use crate::dice::Dice;
use entities::Writer;

const OPTIONS: &[&str] = &[
    "print_topbitchars",
    "headers_charset = iso-8859-1",
    "headers_charset = utf-8",
    "check_rfc2047_length = false",
    "header_maxsize = 2000",
    "header_line_maxsize = 300",
    "spool_wireformat",
    "log_selector = +all -arguments -pid -receive_time -connection_id -millisec",
    "keep_malformed = 1d",
    "split_spool_directory = false",
    "smtp_accept_max_nonmail = 3",
    "write_rejectlog = false",
];

/// All that is known of a part.
const SHOWN: &str = "  warn logwrite = $mime_part_count <${length_200:$mime_content_type}> \
    cover=$mime_is_coverletter multi=$mime_is_multipart attached=$mime_is_rfc822 \
    boundary=<${length_200:$mime_boundary}> charset=<${length_200:$mime_charset}> \
    name=<${length_300:$mime_filename}> ${strlen:$mime_filename}
       logwrite = . encoding=<${length_200:$mime_content_transfer_encoding}> \
    disposition=<${length_200:$mime_content_disposition}> id=<${length_200:$mime_content_id}> \
    description=<${length_200:$mime_content_description}> \
    anomaly=$mime_anomaly_level <$mime_anomaly_text> size=$mime_content_size \
    file=<$mime_decoded_filename>";

/// What a part was decoded to.
const CONTENT: &str = "       logwrite = decoded size=$mime_content_size \
    anomaly=$mime_anomaly_level <$mime_anomaly_text> file=<$mime_decoded_filename> \
    ${if def:mime_decoded_filename{\
    ${extract{size}{${stat:$mime_decoded_filename}}} \
    ${extract{smode}{${stat:$mime_decoded_filename}}} \
    ${sha1:${readfile{$mime_decoded_filename}}} \
    <${length_300:${readfile{$mime_decoded_filename}{|}}}>}}";

/// What matched.
const MATCHED: &str = "       logwrite = matched <$regex_match_string> \
    <${length_100:$regex1}> <${length_100:$regex2}> <$regex3> size=$mime_content_size \
    anomaly=$mime_anomaly_level <$mime_decoded_filename>";

const DECODED: &[&str] = &[
    "default",
    "default",
    "default",
    "default",
    "",
    "a.bin",
    "part.$mime_part_count",
    "DIR/mail",
    "DIR/mail/x",
    "DIR/mail/$mime_part_count.$mime_is_rfc822",
    "DIR/none/x",
    "a/b",
    "0",
    "false",
    "1",
    "true",
    "no",
    "$mime_filename",
    "DIR/mail/$mime_filename",
    "${sg{$mime_filename}{.*}{x}}",
    "default ",
    "/",
    "${if eq{$mime_is_multipart}{1}{false}{default}}",
    "${if >{$mime_part_count}{1}{default}{0}}",
    "${if def:mime_filename{default}fail}",
    "${nosuch}",
];

const REGEX: &[&str] = &[
    "hello : (wor)ld",
    "(?i)^content-(.*)",
    "\\N^--(.*)$\\N",
    "\\N\\.(exe|com)\\N : (",
    "",
    "$acl_m_none",
    "(",
    "[)] : ^(.)(.)(.)",
    "\\N^([a-zA-Z-]+:.*)\\n(.*)\\N",
    "\\N^\\s*$\\N",
    "x::y : =a(b)?c",
    "\\N(x{100})\\N",
    "[\\x80-\\xff]",
    "\\N(?s)^.{5}(.)\\N",
    "\\N([^0-9 ]*)\\z\\N",
    "^aGVs(.*)",
    "=(..)",
    "<; hel(lo) ; x x",
    "${nosuch}",
    "\\N\\x00(.*)\\N",
    "\\N\\r\\N",
    "$mime_filename",
];

const CONDITIONS: &[&str] = &[
    "condition = $mime_is_multipart",
    "condition = $mime_is_coverletter",
    "!condition = $mime_is_coverletter",
    "condition = $mime_is_rfc822",
    "condition = ${if >{$mime_part_count}{1}}",
    "condition = ${if ={$mime_part_count}{3}}",
    "condition = ${if match{$mime_filename}{\\N\\.exe$\\N}}",
    "condition = ${if def:mime_filename}",
    "condition = ${if eq{$mime_content_type}{text/plain}}",
    "condition = ${if match{$mime_content_type}{^text}}",
    "condition = ${if eqi{$mime_charset}{utf-8}}",
    "condition = ${if def:mime_boundary}",
    "condition = ${if >{$mime_anomaly_level}{0}}",
    "condition = ${if eq{$mime_content_transfer_encoding}{base64}}",
    "condition = ${if eq{$mime_content_disposition}{attachment}}",
    "condition = ${if def:mime_decoded_filename}",
    "condition = ${if >{$mime_content_size}{0}}",
    "condition = $mime_filename",
    "condition = ${if match{$mime_content_id}{<(.*)>}}",
    "hosts = :",
    "senders = s@l.test",
    "condition = ${nosuch}",
];

const MODIFIERS: &[&str] = &[
    "add_header = X-Part: $mime_part_count <${length_50:$mime_filename}>",
    "remove_header = subject",
    "set acl_m_a = $acl_m_a,$mime_part_count",
    "control = no_mbox_unspool",
    "control = freeze",
    "control = fakereject",
    "control = queue_only",
    "logwrite = a=$acl_m_a",
    "log_message = logged $mime_content_type",
    "log_message = $mime_filename",
    "message = said <$mime_filename>",
    "message = said $mime_content_description\\n twice",
    "message = 571 5.7.1 $mime_charset",
    "message = $regex_match_string",
    "malware = *",
    "spam = nobody",
    "dkim_status = none",
    "control = nosuch",
    "endpass",
    "delay = 0s",
];

/// A configuration, and messages.
pub fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Submission);
    quarry.fixed("+++\nreceived_header_text = Received: by here\nqualify_domain = l.test");
    let is_local = rng.chance(4);
    quarry.fixed("acl_smtp_rcpt = accept\nacl_smtp_mime = mime\nacl_not_smtp_mime = mime");
    quarry.loose("acl_smtp_data = data").loose("acl_not_smtp = data");
    for option in rng.options(3, OPTIONS) {
        quarry.loose(option);
    }
    quarry.fixed("begin acl\nmime:").loose(SHOWN);
    for _ in 0..rng.usize(1..5) {
        statement(rng, &mut quarry, is_local);
    }
    if rng.chance(2) {
        quarry.loose(SHOWN);
    }
    if is_local || !rng.chance(12) {
        quarry.fixed("  accept");
    }
    quarry.fixed("data:");
    quarry.loose(SHOWN);
    if rng.chance(3) {
        let pattern = picked(rng, REGEX, is_local);
        quarry.loose(format!("  warn regex = {pattern}\n{MATCHED}"));
    }
    if rng.chance(8) && !is_local {
        let all = ["decode = default", "mime_regex = a", "malware = */defer_ok", "regex = hello"];
        quarry.loose(format!("  warn {}", rng.pick(&all)));
    }
    quarry.fixed("  accept");
    match is_local {
        true => local(rng, &mut quarry),
        false => session(rng, &mut quarry),
    }
    quarry
}

/// One of several. What fails is nothing for messages that a program hands in: the real one
/// throws them away.
fn picked(rng: &mut Rng, from: &[&'static str], is_local: bool) -> &'static str {
    const FAIL: [&str; 9] =
        ["fake", "nosuch", "$mime_filename", "none", "/a", "a/", "malware", "spam", "dkim"];
    loop {
        let text = rng.pick(from);
        let fails = text == "/" || text == "endpass" || FAIL.iter().any(|one| text.contains(one));
        if !is_local || !fails {
            return text;
        }
    }
}

/// A verb with its conditions and modifiers.
fn statement(rng: &mut Rng, quarry: &mut Quarry, is_local: bool) {
    match rng.u32(..9) {
        0..=2 => {
            let wanted = picked(rng, DECODED, is_local);
            let before = condition_or_none(rng, is_local);
            quarry.loose(format!("  warn {before}decode = {wanted}\n{CONTENT}"));
        }
        3 | 4 => {
            let word = rng.pick(&["regex", "mime_regex"]);
            let pattern = picked(rng, REGEX, is_local);
            let before = condition_or_none(rng, is_local);
            quarry.loose(format!("  warn {before}{word} = {pattern}\n{MATCHED}"));
        }
        5 => {
            let modifier = picked(rng, MODIFIERS, is_local);
            let before = condition_or_none(rng, is_local);
            quarry.loose(format!("  warn {before}{modifier}"));
        }
        _ => {
            // What is refused there, the real one throws away.
            let verbs: &[&str] = match is_local {
                true => &["accept", "discard", "warn"],
                false => &["accept", "deny", "deny", "defer", "discard", "drop", "require", "warn"],
            };
            let mut text = format!("  {}", rng.pick(verbs));
            for _ in 0..rng.usize(1..4) {
                let not = if rng.chance(6) { "!" } else { "" };
                let term = match rng.u32(..8) {
                    0 => format!("{not}regex = {}", picked(rng, REGEX, is_local)),
                    1 => format!("{not}mime_regex = {}", picked(rng, REGEX, is_local)),
                    2 => format!("{not}decode = {}", picked(rng, DECODED, is_local)),
                    3 | 4 => picked(rng, MODIFIERS, is_local).to_owned(),
                    _ => picked(rng, CONDITIONS, is_local).to_owned(),
                };
                text += &format!("\n    {term}");
            }
            quarry.loose(text);
        }
    }
}

fn condition_or_none(rng: &mut Rng, is_local: bool) -> String {
    match rng.chance(4) {
        true => format!("{}\n       ", picked(rng, CONDITIONS, is_local)),
        false => String::new(),
    }
}

/// Messages that a program hands in.
fn local(rng: &mut Rng, quarry: &mut Quarry) {
    let arguments = rng.pick(&["a@l.test", "-t", "-i a@l.test", "-oem a@l.test"]);
    quarry.fixed(format!("? -odq -f s@l.test {arguments}"));
    quarry.loose("> To: a@l.test\\n");
    let end = rng.pick(&["\\n", "\\n", "\\n", "\\r\\n"]);
    message(rng, quarry, end);
}

/// Messages of a client.
fn session(rng: &mut Rng, quarry: &mut Quarry) {
    let host = rng.pick(&["", "", "-oMa 192.0.2.1 "]);
    quarry.fixed(format!("? {host}-odq -bs"));
    quarry.fixed("> EHLO c.test\\r\\n");
    for number in 0..rng.usize(1..3) {
        quarry.loose("> MAIL FROM:<s@l.test>\\r\\nRCPT TO:<a@l.test>\\r\\n");
        if rng.chance(8) && number == 0 {
            // The length is said before.
            let mut writer = Writer::new("\\r\\n");
            writer.message(rng);
            let text = writer.lines.concat();
            let length = crate::escapes::unescaped(&text).len();
            quarry.loose(format!("> BDAT {length} LAST\\r\\n{text}"));
            break;
        }
        quarry.loose("> DATA\\r\\n");
        message(rng, quarry, "\\r\\n");
        quarry.loose("> .\\r\\n");
    }
    quarry.loose("> QUIT\\r\\n");
}

fn message(rng: &mut Rng, quarry: &mut Quarry, end: &'static str) {
    let mut writer = Writer::new(end);
    writer.message(rng);
    for line in writer.lines {
        // A point at the beginning of a line ends the message, or goes.
        let dot = if line.starts_with('.') && !rng.chance(10) { "." } else { "" };
        quarry.loose(format!("> {dot}{line}"));
    }
}
