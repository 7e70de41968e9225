//! Patterns of address lists (specification 10.5).

use eximious_core::{Call, ErrorKind, Fail, Str};

use super::domain::Domain;
use super::elements;
use super::mx::Mx;
use super::organs::log_panic;
use super::text::{Bind, Text};
use super::walk::{Hit, Left, Pattern, Subject, Terms, Verdict, Walk};

/// How many lookups a chain of local part lists may take.
const LONGEST_CHAIN: usize = 50;

/// An address that is tested.
pub(super) struct Address {
    pub(super) given: Str,
    /// Without capitals.
    lower: Str,
    /// Without capitals in its domain.
    cased: Str,
    /// Where its domain begins, less one.
    at: Option<usize>,
    /// Its domain.
    domain: Box<Subject<'static>>,
    /// Its domain once more, as a key.
    key: Str,
    /// What becomes of `$0`, `$1`, ….
    bind: Bind,
}

impl Address {
    pub(super) fn new(given: &Str) -> Self {
        let at = memchr::memrchr(b'@', given.bytes());
        let lower = given.lowercased();
        let (cased, key) = match at {
            None => (given.clone(), Str::EMPTY),
            Some(at) => {
                let domain = &lower.bytes()[at..];
                let cased = if given.bytes().ends_with(domain) {
                    given.clone()
                } else {
                    let text = [&given.bytes()[..at], domain].concat();
                    Str::from(text).stamped(given.taint())
                };
                (cased, lower.slice(at + 1, usize::MAX))
            }
        };
        // The domain of an address leaves nothing in `$0` and its kin.
        let domain = Box::new(Subject::Domain(Domain::new(&key, Bind::Clear)));
        Self { given: given.clone(), lower, cased, at, domain, key, bind: Bind::Clear }
    }

    /// Leaves what was matched in `$0`, `$1`, …: the address, and then what stands
    /// for asterisks or groups in the pattern.
    pub(super) fn bind(&mut self) {
        self.bind = Bind::Set;
        *self.domain = Subject::Domain(Domain::new(&self.key, Bind::Set));
    }

    /// Sets `$0` to the address as it was given; then comes what the asterisk in
    /// front of a local part stands for, and then what is bound already.
    fn rebind(&self, call: &mut Call<'_>, first: Option<&[u8]>) {
        if self.bind != Bind::Set {
            return;
        }
        let bound: Vec<Str> = (1..=9).map(|number| call.scope().numeric(number)).collect();
        let groups = std::iter::once(self.given.bytes())
            .chain(first)
            .chain(bound.iter().map(Str::bytes))
            .take(10);
        let groups: Vec<&[u8]> = groups.collect();
        call.scope().bind_numeric(&groups, self.given.taint());
    }

    /// What regular expressions see of it; nothing where they are not asked.
    pub(super) fn seen(&self, caseful: bool) -> Option<&Str> {
        self.at?;
        Some(if caseful { &self.cased } else { &self.lower })
    }

    /// Tests a pattern; no data means that it is left as it was.
    pub(super) fn test(
        &mut self,
        call: &mut Call<'_>,
        pattern: Pattern<'_>,
        terms: &mut Terms,
    ) -> Result<(Hit, Left), Fail> {
        let (text, caseful) = (pattern.text, terms.caseful);
        let whole = if caseful { &self.cased } else { &self.lower };
        if self.given.is_empty() && text.is_empty() {
            return Ok((Hit::Yes, None));
        }
        if self.at.is_none() && !self.given.is_empty() {
            let line = [
                b"no @ found in the subject of an address list match: subject=\"",
                self.lower.bytes(),
                b"\" pattern=\"",
                text,
                b"\"",
            ];
            log_panic(call, &line.concat());
            return Ok((Hit::No, None));
        }
        if text.first() == Some(&b'^') {
            let text = Text { bind: self.bind, ..plain(whole, caseful, false) };
            let (hit, _) = text.test(call, pattern)?;
            if hit == Hit::Yes {
                self.rebind(call, None);
            }
            return Ok((hit, None));
        }
        if self.bind == Bind::Set {
            call.scope().clear_captures();
        }
        if is_of_whole(text) {
            return look_up_whole(call, pattern, whole, caseful);
        }
        let Some(at) = self.at else { return Ok((Hit::No, None)) };
        let local = whole.slice(0, at);
        if let Some(by_domain) = text.strip_prefix(b"@@") {
            return self.by_domain(call, pattern, by_domain, &local, terms);
        }
        let split = split(text);
        if split.is_some_and(|end| !local_part_matches(local.bytes(), &text[..end], caseful)) {
            return Ok((Hit::No, None));
        }
        let wanted = Pattern { text: split.map_or(text, |end| &text[end + 1..]), ..pattern };
        let mut walk = Walk::new(&mut self.domain, terms.of_domain());
        let verdict = walk.single(call, wanted);
        terms.after(walk.terms);
        let found = walk.left.flatten();
        if self.bind == Bind::Set {
            match &verdict {
                // A domain that matches since another does not binds nothing.
                Ok(Verdict::Yes) if !call.scope().captures_mut().groups.is_empty() => {
                    // The local part matched the suffix behind the asterisk.
                    let wild = split.filter(|_| text.first() == Some(&b'*')).map(|end| {
                        let head = local.bytes().len().saturating_sub(end.saturating_sub(1));
                        &local.bytes()[..head]
                    });
                    self.rebind(call, wild);
                }
                _ => call.scope().clear_captures(),
            }
        }
        let data = match split {
            // Exim takes as many bytes of the pattern as the local part has.
            Some(_) => {
                let head = &text[..local.bytes().len().min(text.len())];
                Some(join(pattern, head, &found.unwrap_or_default()))
            }
            None => found.map(|found| join(pattern, b"", &found)),
        };
        let hit = match verdict? {
            Verdict::Yes => Hit::Yes,
            Verdict::No => Hit::No,
            Verdict::Later(why) => Hit::Later(why),
        };
        Ok((hit, Some(data)))
    }

    /// `@@lookup`: data for the domain is a list of local parts.
    fn by_domain(
        &self,
        call: &mut Call<'_>,
        pattern: Pattern<'_>,
        wanted: &[u8],
        local: &Str,
        terms: &mut Terms,
    ) -> Result<(Hit, Left), Fail> {
        // An address that stands for a whole domain has no local part to find.
        if local.bytes() == b"*" {
            return Ok((Hit::No, None));
        }
        let mut data = None;
        let mut key = self.key.clone();
        for _ in 0..LONGEST_CHAIN {
            let wanted = Pattern { text: wanted, ..pattern };
            let list = match plain(&key, false, true).test(call, wanted)? {
                (Hit::Yes, list) => list.unwrap_or_default(),
                (hit, _) => return Ok((hit, data)),
            };
            let mut chained = None;
            let mut parts = elements(list.bytes()).peekable();
            while let Some(part) = parts.next() {
                terms.take(1)?;
                if part.first() == Some(&b'>') && parts.peek().is_none() {
                    chained = Some(Str::from(part[1..].trim_ascii_start()).stamped(list.taint()));
                    break;
                }
                let (negated, part) = match &*part {
                    [b'!', rest @ ..] => (true, rest.trim_ascii_start()),
                    part => (false, part),
                };
                let part = Pattern { text: part, taint: list.taint(), is_own: false };
                let (hit, found) = plain(local, terms.caseful, true).test(call, part)?;
                data = Some(found);
                match hit {
                    Hit::No => {}
                    Hit::Yes if negated => return Ok((Hit::No, data)),
                    hit => return Ok((hit, data)),
                }
            }
            match chained {
                Some(next) => key = next,
                None => return Ok((Hit::No, data)),
            }
        }
        let message = [
            b"Loop detected in lookup of local part of ",
            self.given.bytes(),
            b" in ",
            pattern.text,
        ];
        Err(Fail::error(ErrorKind::Limit, message.concat()))
    }
}

/// A text that leaves nothing in `$0` and its kin.
fn plain(subject: &Str, caseful: bool, partial: bool) -> Text<'_> {
    Text { given: subject, folded: subject, caseful, bind: Bind::Clear, partial }
}

fn look_up_whole(
    call: &mut Call<'_>,
    pattern: Pattern<'_>,
    whole: &Str,
    caseful: bool,
) -> Result<(Hit, Left), Fail> {
    if pattern.text.starts_with(b"partial-") {
        let line = [
            b"partial matching is not applicable to whole-address lookups: ignored \"partial-\" \
              in \"",
            pattern.text,
            b"\"",
        ];
        log_panic(call, &line.concat());
    }
    let (hit, data) = plain(whole, caseful, false).test(call, pattern)?;
    Ok((hit, Some(data)))
}

/// Whether a pattern begins with the type of a lookup for whole addresses:
/// `lsearch*@;`. One with an affix or options is a pattern for domains.
fn is_of_whole(pattern: &[u8]) -> bool {
    let word = pattern.iter().take_while(|c| c.is_ascii_alphanumeric() || **c == b'-').count();
    let rest = &pattern[word..];
    let rest = rest.strip_prefix(b"*").unwrap_or(rest);
    let rest = rest.strip_prefix(b"@").unwrap_or(rest);
    rest.first() == Some(&b';')
}

/// Where the domain of a pattern begins, less one. The at sign before `@`,
/// `@[]` and `@mx_…` counts, not the one that begins them.
fn split(pattern: &[u8]) -> Option<usize> {
    let last = memchr::memrchr(b'@', pattern)?;
    let special = matches!(&pattern[last..], b"@" | b"@[]") || Mx::read(&pattern[last..]).is_some();
    match last.checked_sub(1) {
        Some(before) if special && pattern[before] == b'@' => Some(before),
        _ => Some(last),
    }
}

fn local_part_matches(subject: &[u8], pattern: &[u8], caseful: bool) -> bool {
    let same = |a: &[u8], b: &[u8]| if caseful { a == b } else { a.eq_ignore_ascii_case(b) };
    match pattern.strip_prefix(b"*") {
        None => same(subject, pattern),
        Some(suffix) => match subject.len().checked_sub(suffix.len()) {
            Some(head) => same(&subject[head..], suffix),
            None => false,
        },
    }
}

fn join(pattern: Pattern<'_>, head: &[u8], domain: &Str) -> Str {
    let (bytes, taint) = domain.read();
    Str::from([head, b"@", bytes].concat()).stamped(pattern.taint.with(taint))
}
