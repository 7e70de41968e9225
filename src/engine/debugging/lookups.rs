//! Look-ups, questions to the DNS and commands, in Exim's words.

use eximious_core::trace::{DnsEvent, DnsOutcome, LookupEvent, LookupKey, ProcessEvent};

use super::{DebugSelector, DebugWriter};

const NULL: &[u8] = b"NULL";

pub(super) fn write(step: &LookupEvent<'_>, depth: u32, out: &mut DebugWriter<'_>) {
    let mut tell = |parts: &[&[u8]]| out.told(DebugSelector::LOOKUP, depth, parts);
    match step {
        LookupEvent::Begin { kind, file, key, partial, affix, star, options } => {
            let file = or_null(file);
            tell(&[b"search_open: ", kind.as_bytes(), b" \"", file, b"\""]);
            let (least, affix) = match partial {
                Some(least) => (least.to_string(), *affix),
                None => ("-1".to_owned(), NULL),
            };
            let star: &[u8] = match star {
                (_, true) => b"2",
                (true, _) => b"1",
                _ => b"0",
            };
            tell(&[
                b"search_find: file=\"",
                file,
                b"\"\n  key=\"",
                key,
                b"\" partial=",
                least.as_bytes(),
                b" affix=",
                affix,
                b" starflags=",
                star,
                b" opts=",
                &quoted(options),
            ]);
        }
        LookupEvent::Key { kind, file, key, options, part, cached } => {
            match part {
                LookupKey::Partial => tell(&[b"trying partial match ", key]),
                LookupKey::Star => tell(&[b"trying to match ", key]),
                _ => {}
            }
            // What is to be made of the answer is no matter of the search.
            let options: Vec<&[u8]> =
                options.split(|c| *c == b',').filter(|one| !one.starts_with(b"ret=")).collect();
            let options = quoted(&options.join(&b','));
            let parts = [
                b"internal_search_find: file=\"".as_slice(),
                or_null(file),
                b"\"\n  type=",
                kind.as_bytes(),
                b" key=\"",
                key,
                b"\" opts=",
                &options,
            ];
            tell(&parts);
            let head: &[u8] = match (cached, file.is_empty()) {
                (true, _) => b"cached data used for lookup of ",
                (false, false) => b"file lookup required for ",
                (false, true) => b"database lookup required for ",
            };
            let place: &[u8] = if file.is_empty() { b"" } else { b"\n  in " };
            tell(&[head, key, place, file]);
        }
        LookupEvent::Answer { found, cached, .. } => {
            if !cached && found.is_ok() {
                tell(&[b"creating new cache entry"]);
            }
            match found {
                Ok(Some(value)) => tell(&[b"lookup yielded: ", value.bytes()]),
                Ok(None) => tell(&[b"lookup failed"]),
                Err(why) => tell(&[b"lookup deferred: ", why]),
            }
        }
        _ => {}
    }
}

fn or_null(file: &[u8]) -> &[u8] {
    if file.is_empty() { NULL } else { file }
}

fn quoted(options: &[u8]) -> Vec<u8> {
    match options {
        [] => NULL.to_vec(),
        _ => [b"\"", options, b"\""].concat(),
    }
}

pub(super) fn write_dns(step: &DnsEvent<'_>, depth: u32, out: &mut DebugWriter<'_>) {
    let DnsEvent::End { name, kind, answer, records, cached } = step else { return };
    let status = match answer {
        DnsOutcome::Found => format!("NOERROR, {} records", records.len()),
        DnsOutcome::NoName => "NXDOMAIN".to_owned(),
        DnsOutcome::NoData => "NOERROR, no records".to_owned(),
        DnsOutcome::Later => "no answer now".to_owned(),
        _ => "no answer at all".to_owned(),
    };
    let known = if *cached { " (known already)" } else { "" };
    let text = format!(";; {name} IN {kind}: {status}{known}");
    out.told(DebugSelector::RESOLVER, depth, &[text.as_bytes()]);
    let (words, returned) = match answer {
        DnsOutcome::Found => ("succeeded", "DNS_SUCCEED"),
        DnsOutcome::NoName => ("gave HOST_NOT_FOUND", "DNS_NOMATCH"),
        DnsOutcome::NoData => ("gave NO_DATA", "DNS_NODATA"),
        DnsOutcome::Later => ("gave TRY_AGAIN", "DNS_AGAIN"),
        _ => ("gave NO_RECOVERY", "DNS_FAIL"),
    };
    let head = format!("DNS lookup of {name} ({kind})");
    let text = match (cached, answer) {
        (true, _) => format!("{head}: using cached value {returned}"),
        (false, DnsOutcome::Found) => format!("{head} {words}"),
        (false, _) => format!("{head} {words}\nreturning {returned}"),
    };
    out.told(DebugSelector::DNS, depth, &[text.as_bytes()]);
}

pub(super) fn write_process(step: &ProcessEvent<'_>, depth: u32, out: &mut DebugWriter<'_>) {
    let mut tell = |parts: &[&[u8]]| out.told(DebugSelector::EXEC, depth, parts);
    match step {
        ProcessEvent::Begin { command } => {
            tell(&[b"direct command:"]);
            for (number, word) in command.iter().enumerate() {
                tell(&[format!("  argv[{number}] = '").as_bytes(), word, b"'"]);
            }
        }
        ProcessEvent::End { status, size } => {
            tell(&[format!("command ended: status={status}, {size} bytes of output").as_bytes()]);
        }
        ProcessEvent::Failed { why } => tell(&[b"command failed: ", why]),
        _ => {}
    }
}
