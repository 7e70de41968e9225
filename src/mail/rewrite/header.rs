//! Header lines with addresses: those without a domain get one, and rules for
//! rewriting apply (specification 48.3, 48.10, chapter 31).

use std::ops::Range;

use eximious_core::{Fail, Header, Str};
use eximious_stdlib::address::{self, Rules};
use eximious_stdlib::variables::var;

use super::{AddressPlace, Rewriter, RewrittenItem};
use crate::Context;

/// Where a line is broken behind an address that grew.
const WIDTH: usize = 40;

/// What begins a line.
const FOLD: &[u8] = b"\n\t";

/// How many colons may stand in the name of a group and what is quoted in it.
const MOST_COLONS: usize = 8;

/// Lines with addresses; `Resent-` may stand before all but the last.
const PLACES: [(&[u8], AddressPlace); 6] = [
    (b"from", AddressPlace::From),
    (b"sender", AddressPlace::Sender),
    (b"to", AddressPlace::To),
    (b"cc", AddressPlace::Cc),
    (b"bcc", AddressPlace::Bcc),
    (b"reply-to", AddressPlace::ReplyTo),
];

/// Which addresses a line with a name holds.
pub fn place_of(name: &[u8]) -> Option<AddressPlace> {
    let name = name.trim_ascii_end();
    let (resent, name) = match name.split_at_checked(b"resent-".len()) {
        Some((head, rest)) if head.eq_ignore_ascii_case(b"resent-") => (true, rest),
        _ => (false, name),
    };
    let (_, place) = PLACES.iter().find(|(other, _)| name.eq_ignore_ascii_case(other))?;
    (!resent || *place != AddressPlace::ReplyTo).then_some(*place)
}

/// What a line with addresses becomes where those without a domain get this one, and
/// rules apply; nothing where it stays as it is. Each thing that is wrong with it is
/// told, to be logged.
pub fn line(
    cx: &mut Context,
    rewriter: Option<&Rewriter<'_>>,
    place: AddressPlace,
    header: &Header,
    domain: Option<&Str>,
    tell: &dyn Fn(&[u8]),
) -> Option<Vec<u8>> {
    let usual = Rules::of(cx.engine().settings());
    // In an international message, domains may be in UTF-8.
    let utf8_domains = usual.utf8_domains || cx.value_of(var::MESSAGE_SMTPUTF8).bytes() == b"yes";
    let rules = Rules { utf8_domains, ..usual };
    Work { cx, rules, rewriter, place }.line(header, domain, tell)
}

struct Work<'w> {
    cx: &'w mut Context,
    rules: Rules,
    rewriter: Option<&'w Rewriter<'w>>,
    place: AddressPlace,
}

impl Work<'_> {
    /// What a line becomes; nothing where it stays as it is.
    fn line(
        &mut self,
        header: &Header,
        domain: Option<&Str>,
        tell: &dyn Fn(&[u8]),
    ) -> Option<Vec<u8>> {
        let colon = header.line.len() - header.value().len();
        let list = header.value().strip_suffix(b"\n").unwrap_or(header.value());
        let last = list.trim_ascii_end().len();
        let mut new = Vec::new();
        // How much of the list is in `new`, and where the last line that was begun
        // here begins in it.
        let (mut done, mut begun) = (0, 0);
        // Where `new` ends in a line that was begun here.
        let mut fold = None;
        for element in address::arriving_list(list, self.rules) {
            let found = match element.address {
                Ok(found) if !found.text.is_empty() => found,
                Ok(_) => continue,
                Err(why) => {
                    if !why.is_empty() {
                        tell(&[b"qualify/rewrite: ", &why.message[..]].concat());
                    }
                    continue;
                }
            };
            let next = element.span.end + 1;
            let span = bare(list, element.span.clone(), &found.span, self.rules);
            let item = list.get(span.clone()).unwrap_or_default();
            let blank = item.len() - item.trim_ascii_start().len();
            let mut start = span.start + blank;
            let item = item.trim_ascii();
            let mut end = start + item.len();
            let (mut text, mut is_whole) = (None, false);
            if let (Some(domain), None) = (domain, found.domain) {
                let written = list.get(start..found.span.end).unwrap_or_default();
                let bare = written.trim_ascii_end().len();
                // Where white space at its end belongs to it, for a backslash before it, it stays
                // behind it as well.
                let is_twice = bare < written.len() && found.span.end <= last;
                let (head, tail) = match is_twice {
                    true => (written, item.get(bare..).unwrap_or_default()),
                    false => item.split_at(written.len().min(item.len())),
                };
                text = Some([head, b"@", domain.bytes(), tail].concat());
            }
            // One without a domain is not rewritten.
            if found.domain.is_some() || text.is_some() {
                match self.rewritten(text.as_deref().unwrap_or(item)) {
                    Ok(Some(rewritten)) => {
                        is_whole = rewritten.is_whole;
                        text = Some(rewritten.text.bytes().to_vec());
                    }
                    Ok(None) => {}
                    Err(fail) => tell(fail.message()),
                }
            }
            let Some(text) = text else { continue };
            if new.is_empty() {
                new.extend_from_slice(&header.line[..colon]);
            }
            if is_whole {
                // It stands for the white space behind it, for a line that was begun before
                // it, and for a group's name and end around it.
                let whole = list.get(element.span.clone()).unwrap_or_default();
                start = element.span.start + (whole.len() - whole.trim_ascii_start().len());
                if fold == Some((new.len(), start)) {
                    new.truncate(new.len() - FOLD.len());
                }
                end = element.span.end;
            }
            new.extend_from_slice(list.get(done..start).unwrap_or_default());
            new.extend_from_slice(&text);
            done = end;
            // Behind the comma of one that grew, a line may be broken.
            if text.len() > item.len()
                && let Some(break_at) = break_at(list, next)
                && new.len() + (break_at - done) - begun > WIDTH
            {
                new.extend_from_slice(list.get(done..break_at).unwrap_or_default());
                done = break_at;
                begun = new.len();
                new.extend_from_slice(FOLD);
                fold = Some((new.len(), break_at));
            }
        }
        if new.is_empty() {
            return None;
        }
        new.extend_from_slice(list.get(done..).unwrap_or_default());
        new.push(b'\n');
        Some(new)
    }

    fn rewritten(&mut self, item: &[u8]) -> Result<Option<RewrittenItem>, Fail> {
        match self.rewriter {
            Some(rewriter) => rewriter.header_item(self.cx, &Str::tainted(item), self.place),
            None => Ok(None),
        }
    }
}

/// Where a line may be broken before the next address, which begins behind a comma:
/// not where the line ends there, or is broken already.
fn break_at(list: &[u8], next: usize) -> Option<usize> {
    let rest = list.get(next..)?;
    let blank = rest.iter().take_while(|c| matches!(c, b' ' | b'\t')).count();
    (!matches!(rest.get(blank), None | Some(b'\n'))).then_some(next + blank)
}

/// An item of a list without the name of a group before it, and without the group's
/// end behind it.
fn bare(list: &[u8], item: Range<usize>, found: &Range<usize>, rules: Rules) -> Range<usize> {
    let whole = list.get(item.clone()).unwrap_or_default();
    if address::parse(whole, rules).is_ok() {
        return item;
    }
    let head = list.get(item.start..found.start).unwrap_or_default();
    let tail = list.get(found.end..item.end).unwrap_or_default();
    let starts = memchr::memchr_iter(b':', head).map(|at| item.start + at + 1);
    let ends = memchr::memrchr(b';', tail).map_or(item.end, |at| found.end + at);
    std::iter::once(item.start)
        .chain(starts.take(MOST_COLONS))
        .map(|start| start..ends)
        .find(|span| address::parse(list.get(span.clone()).unwrap_or_default(), rules).is_ok())
        .unwrap_or(item)
}
