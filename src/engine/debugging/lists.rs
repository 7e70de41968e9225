//! Tests of lists, in Exim's words.

use eximious_core::trace::ListEvent;
use eximious_stdlib::printing::visible_spaces;

use super::{DebugSelector, DebugWriter};

const LISTS: DebugSelector = DebugSelector::LISTS;

pub(super) fn write(step: &ListEvent<'_>, depth: u32, out: &mut DebugWriter<'_>) {
    match step {
        ListEvent::Begin { subject, list } => {
            out.tested(LISTS, depth, &[subject, b" in ", list, b"?"]);
        }
        ListEvent::Element { text } => {
            let shown = visible_spaces(text);
            let lines: Vec<&[u8]> = shown.split(|byte| *byte == b'\n').collect();
            let shown = lines.join("↩\n".as_bytes());
            let shown: &[u8] = if out.is_plain { text } else { &shown };
            out.tested(LISTS, depth + 1, &[b"list element: ", shown]);
        }
        ListEvent::End { subject, list, matches, element, owed } => {
            let (Some(matches), Some(element)) = (matches, element) else {
                let tail = match matches {
                    Some(true) => b"? yes (end of list)".as_slice(),
                    Some(false) => b"? no (end of list)",
                    None => b"? list match deferred for ",
                };
                let element = element.unwrap_or_default();
                return out.tested(
                    DebugSelector::ANY,
                    depth,
                    &[subject, b" in ", list, tail, element],
                );
            };
            let word = yes_or_no(*matches);
            let why = match owed {
                Some(why) => why.to_vec(),
                None => [b"matched \"", *element, b"\""].concat(),
            };
            let parts = [subject, b" in ".as_slice(), list, b"? ", word, b" (", &why, b")"];
            out.tested(LISTS, depth + 1, &parts);
        }
        ListEvent::Unset { subject, option: Some(option) } => {
            let parts = [subject, b" in ".as_slice(), option.as_bytes(), b"? no (option unset)"];
            out.tested(LISTS, depth, &parts);
        }
        ListEvent::Unset { subject, option: None } => {
            let tail = b" not in empty list (option unset? cannot trace name)";
            out.tested(LISTS, depth, &[subject, tail]);
        }
        ListEvent::Forced { list } => {
            let tail = b"\" forced failure: assume not in this list";
            out.tested(LISTS, depth, &[b"expansion of \"", list, tail]);
        }
        ListEvent::Dnssec { list } => {
            let by = LISTS.with(DebugSelector::DNS).with(DebugSelector::HOST_LOOKUP);
            out.tested(by, depth, &[b"check dnssec ", list.as_bytes(), b" list"]);
        }
        ListEvent::SublistBegin { name } => {
            out.tested(LISTS, depth + 1, &[b" start sublist ", name]);
        }
        ListEvent::SublistEnd { name } => out.tested(LISTS, depth + 1, &[b" end sublist ", name]),
        ListEvent::Known { name, matches, data } => {
            let word = yes_or_no(*matches);
            out.tested(LISTS, depth + 1, &[b" start sublist ", name]);
            out.tested(LISTS, depth + 1, &[b"cached ", word, b" match for +", name]);
            if let Some(data) = data {
                let data = data.unwrap_or(b"NULL");
                out.tested(LISTS, depth + 1, &[b"cached lookup data = ", data]);
            }
        }
        ListEvent::Kept { name, key, data } => {
            let head = b"data from lookup saved for cache for +".as_slice();
            out.tested(LISTS, depth + 1, &[head, name, b": key '", key, b"' value '", data, b"'"]);
        }
        ListEvent::Ignored { why, by } => {
            out.tested(LISTS, depth + 1, &[why, b": item ignored by ", by.as_bytes()]);
        }
        _ => {}
    }
}

fn yes_or_no(yes: bool) -> &'static [u8] {
    if yes { b"yes" } else { b"no" }
}
