//! `mail` and `vacation`.

use eximious_core::Str;
use eximious_grammar::filter::{Mail, MailPart};
use eximious_grammar::is_space;
use eximious_stdlib::interval;
use eximious_stdlib::variables::var;

use super::{Halt, Run};
use crate::mail::filter::AutoReply;

/// What parts of `vacation` are that are not given.
const DEFAULTS: [(MailPart, &str); 5] = [
    (MailPart::Subject, "On vacation"),
    (MailPart::File, ".vacation.msg"),
    (MailPart::Log, ".vacation.log"),
    (MailPart::Once, ".vacation"),
    (MailPart::OnceRepeat, "7d"),
];

impl Run<'_> {
    /// The message that a command wants sent.
    pub(super) fn reply(&mut self, mail: &Mail) -> Result<AutoReply, Halt> {
        let command = if mail.vacation { "vacation" } else { "mail" };
        let mut parts: [Option<Str>; MailPart::ALL.len()] = Default::default();
        for part in MailPart::ALL {
            let Some(word) = mail.part(part) else { continue };
            let text = self.value(word, command)?;
            if let Some(wrong) = wrong(part, text.bytes()) {
                let shown = self.shown(&text);
                let head = [wrong.as_bytes(), b" in \"", &shown].concat();
                return Err(Halt::error(
                    [&head[..], b"\" in ", command.as_bytes(), b" command"].concat(),
                ));
            }
            parts[part as usize] = Some(text);
        }
        let mut expand_file = mail.expand;
        if mail.vacation {
            expand_file |= mail.part(MailPart::File).is_none();
            for (part, text) in DEFAULTS {
                parts[part as usize].get_or_insert_with(|| Str::fixed(text));
            }
        }
        let mut take = |part: MailPart| parts[part as usize].take();
        let once_repeat_text = take(MailPart::OnceRepeat);
        let once_repeat = match &once_repeat_text {
            Some(text) => match interval::seconds(text.bytes()) {
                Some(seconds) => Some(u64::from(seconds.unsigned_abs())),
                None if self.options.testing || self.is_bounce() => None,
                None => {
                    let head = b"Bad time value for \"once_repeat\" in mail or vacation command: ";
                    return Err(Halt::error([head.as_slice(), text.bytes()].concat()));
                }
            },
            None => None,
        };
        Ok(AutoReply {
            vacation: mail.vacation,
            to: take(MailPart::To),
            cc: take(MailPart::Cc),
            bcc: take(MailPart::Bcc),
            from: take(MailPart::From),
            reply_to: take(MailPart::ReplyTo),
            subject: take(MailPart::Subject),
            extra_headers: take(MailPart::ExtraHeaders),
            text: take(MailPart::Text),
            file: take(MailPart::File),
            expand_file,
            return_message: mail.return_message,
            log: take(MailPart::Log),
            once: take(MailPart::Once),
            once_repeat,
            once_repeat_text,
            numeric: self.numeric(),
            this_address: self.cx.value_of(var::THISADDRESS),
        })
    }
}

/// What is wrong with a text for a part.
fn wrong(part: MailPart, text: &[u8]) -> Option<&'static str> {
    match part {
        MailPart::Text => None,
        MailPart::File | MailPart::Log | MailPart::Once | MailPart::OnceRepeat => {
            let prints = |c: &u8| matches!(c, b'\t' | b' '..=b'~');
            (!text.iter().all(prints)).then_some("non-printing character")
        }
        MailPart::ExtraHeaders => {
            let fine = |rest: &[u8]| goes_on(rest) || is_header(rest);
            let wrong = "\\n not followed by space or valid header name";
            (!newlines(text).all(fine)).then_some(wrong)
        }
        _ => (!newlines(text).all(goes_on)).then_some("\\n not followed by space"),
    }
}

/// What stands after each newline.
fn newlines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    memchr::memchr_iter(b'\n', text).map(|at| &text[at + 1..])
}

fn goes_on(rest: &[u8]) -> bool {
    rest.first().is_some_and(|c| is_space(*c))
}

fn is_header(rest: &[u8]) -> bool {
    let end = rest.iter().position(|c| *c == b':' || is_space(*c));
    end.is_some_and(|end| end > 0 && rest[end] == b':')
}
