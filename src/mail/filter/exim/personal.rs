//! `personal`: whether a message was meant for somebody, and written by somebody.

use eximious_core::{Fail, Message, Str};
use eximious_grammar::filter::FilterWord;
use eximious_stdlib::address::{self, Rules};
use eximious_stdlib::pattern;
use eximious_stdlib::variables::var;

use super::{Halt, Run};
use crate::engine::patterns::RECORD;

/// Headers that only mailing lists have.
const LISTS: [&str; 7] = [
    "list-archive",
    "list-help",
    "list-id",
    "list-owner",
    "list-post",
    "list-subscribe",
    "list-unsubscribe",
];
/// What automatic senders' addresses begin with.
const ROBOTS: [&str; 5] = ["server@", "daemon@", "root@", "listserv@", "majordomo@"];
/// What they have in them.
const REQUESTS: &[u8] = b"-request@";
/// What the owners of mailing lists are called.
const OWNER: &[u8] = b"owner-";
/// What makes a Precedence header that of an automatic message.
const PRECEDENCES: [&str; 3] = ["bulk", "list", "junk"];

impl Run<'_> {
    /// Whether the message is personal; to a system filter, none is.
    pub(super) fn is_personal(&mut self, aliases: &[FilterWord]) -> Result<bool, Halt> {
        if self.options.system || self.cx.value_of(var::SENDER_ADDRESS).is_empty() {
            return Ok(false);
        }
        let own = self.own_addresses(aliases);
        // Nothing below looks at the context's message.
        let Some(message) = self.cx.values.message.take() else { return Ok(false) };
        let result = self.is_from_person_to(&message, &own);
        self.cx.values.message = Some(message);
        result
    }

    fn is_from_person_to(&mut self, message: &Message, own: &[Vec<u8>]) -> Result<bool, Halt> {
        if is_automatic(message)
            || !self.any_address(message, b"to", |run, one| run.is_own(own, one))?
        {
            return Ok(false);
        }
        let wrote = |run: &mut Self, one: &[u8]| Ok(is_robot(one) || run.is_own(own, one)?);
        Ok(!self.any_address(message, b"from", wrote)?)
    }

    /// The addresses of whose filter it is.
    fn own_addresses(&mut self, aliases: &[FilterWord]) -> Vec<Vec<u8>> {
        let [prefix, local, suffix, domain] =
            [var::LOCAL_PART_PREFIX, var::LOCAL_PART, var::LOCAL_PART_SUFFIX, var::DOMAIN]
                .map(|var| self.cx.value_of(var));
        let mut own: Vec<Vec<u8>> = aliases.iter().map(|alias| alias.text.clone()).collect();
        own.push([local.bytes(), b"@", domain.bytes()].concat());
        if !prefix.is_empty() || !suffix.is_empty() {
            let parts = [prefix.bytes(), local.bytes(), suffix.bytes(), b"@", domain.bytes()];
            own.push(parts.concat());
        }
        own
    }

    /// Whether an address is among those; one that begins with `^` is a regular
    /// expression.
    fn is_own(&mut self, own: &[Vec<u8>], address: &[u8]) -> Result<bool, Halt> {
        for one in own {
            let same = match one.first() {
                Some(b'^') => {
                    let outer = self.cx.evaluation.scope.clone();
                    let found = self.cx.call(&RECORD, |call| {
                        pattern::matches(call, one, true, &Str::tainted(address))
                    });
                    self.cx.evaluation.scope = outer;
                    found.map_err(|fail: Fail| Halt::error(fail.message()))?
                }
                _ => one.eq_ignore_ascii_case(address),
            };
            if same {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a test holds for any address in the headers of a name. What follows
    /// something that is no address in a header is not looked at.
    fn any_address(
        &mut self,
        message: &Message,
        name: &[u8],
        mut holds: impl FnMut(&mut Self, &[u8]) -> Result<bool, Halt>,
    ) -> Result<bool, Halt> {
        let rules = Rules { utf8_domains: true, literals: true, ..Rules::default() };
        for header in message.named(name) {
            let mut rest = header.value();
            while !rest.is_empty() {
                self.step()?;
                let end = address::find_end(rest, false);
                let Ok(found) = address::parse(&rest[..end], rules) else { break };
                if holds(self, &found.text)? {
                    return Ok(true);
                }
                rest = rest.get(end + 1..).unwrap_or_default();
            }
        }
        Ok(false)
    }
}

/// Whether the headers say that nobody wrote the message for anybody.
fn is_automatic(message: &Message) -> bool {
    let is_no = |value: &[u8]| value.trim_ascii().eq_ignore_ascii_case(b"no");
    let has = |value: &[u8], word: &str| {
        memchr::memmem::find(&value.to_ascii_lowercase(), word.as_bytes()).is_some()
    };
    LISTS.iter().any(|name| message.named(name.as_bytes()).next().is_some())
        || message.named(b"auto-submitted").any(|header| !is_no(header.value()))
        || message
            .named(b"precedence")
            .any(|header| PRECEDENCES.iter().any(|word| has(header.value(), word)))
}

/// Whether an address is that of an automatic sender.
fn is_robot(address: &[u8]) -> bool {
    let address = address.to_ascii_lowercase();
    let owner = address.strip_prefix(OWNER).and_then(|rest| rest.first());
    ROBOTS.iter().any(|robot| address.starts_with(robot.as_bytes()))
        || memchr::memmem::find(&address, REQUESTS).is_some()
        || owner.is_some_and(|c| *c != b'@') && address.contains(&b'@')
}
