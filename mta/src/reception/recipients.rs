//! `-t`: the header says who gets the message (specification 5.2).

use eximious::stdlib::address::{self, Rules};

use super::lines::Lines;

/// Who is named there.
#[derive(Debug, Default)]
pub struct HeaderRecipients {
    /// The addresses, in order; those without a domain have none yet.
    pub addresses: Vec<Vec<u8>>,
    /// What is no address: the rest of the line that begins with it, and why.
    pub wrong: Vec<InvalidAddress>,
}

/// Something that is no address.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct InvalidAddress {
    /// It.
    pub text: Vec<u8>,
    /// In Exim's words.
    pub why: Vec<u8>,
}

/// How much is quoted of lines with something wrong: after that, only what is wrong
/// itself is. Thousands of faults in one line would each quote all that follows.
const MOST_QUOTED: usize = 1 << 20;

/// Who is named in the header; the blind ones go from it.
pub(super) fn take(lines: &mut Lines, resent: bool, rules: Rules) -> HeaderRecipients {
    let names = match resent {
        true => ["resent-to", "resent-cc", "resent-bcc"],
        false => ["to", "cc", "bcc"],
    };
    let mut named = HeaderRecipients::default();
    let mut room = MOST_QUOTED;
    for line in lines.standing().filter(|line| names.iter().any(|name| line.is(name))) {
        // Newlines are no part of what they divide, not even behind a backslash.
        let value = line.header.value().iter().filter(|byte| **byte != b'\n');
        let value: Vec<u8> = value.copied().collect();
        for element in address::arriving_list(&value, rules) {
            match element.address {
                Ok(address) => named.addresses.push(address.text),
                Err(why) if why.is_empty() => {}
                Err(why) => {
                    let rest = value.get(element.span.start..).unwrap_or_default();
                    let item = value.get(element.span).unwrap_or_default();
                    let text = if rest.len() <= room { rest } else { item };
                    room = room.saturating_sub(text.len());
                    let text = text.trim_ascii().to_vec();
                    named.wrong.push(InvalidAddress { text, why: why.message });
                }
            }
        }
    }
    lines.strike(names[2]);
    named
}
