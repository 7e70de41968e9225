//! Patterns of host lists (specification 10.4).

use std::net::IpAddr;

use eximious_core::grammar::expansion::{LookupStyle, Vocabulary};
use eximious_core::trace::{Happening, HostEvent};
use eximious_core::{Call, ErrorKind, Fail, Str};

use super::domain::is_interface;
use super::ip::{self, Written};
use super::lookup::{Looked, look_up};
use super::organs::log_panic;
use super::text::{Bind, Text};
use super::walk::{Hit, Left, Pattern};
use crate::lookups::Search;
use crate::options::opt;
use crate::variables::var;

/// What is known of a name or an address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Known<T> {
    /// This.
    Found(T),
    /// There is nothing to know.
    Missing,
    /// It can't be said now.
    Later,
}

/// Finds names and addresses of hosts for a host list.
pub trait HostNames {
    /// Whether names of the host that is tested are known without looking for them.
    fn are_known(&mut self, call: &mut Call<'_>) -> bool {
        let _ = call;
        true
    }

    /// The names of the host that is tested.
    ///
    /// # Errors
    /// Where they may not be looked for.
    fn names(&mut self, call: &mut Call<'_>) -> Result<Known<Vec<Str>>, Fail>;

    /// The addresses of a host by name.
    ///
    /// # Errors
    /// Where they may not be looked for.
    fn addresses(&mut self, call: &mut Call<'_>, name: &[u8]) -> Result<Known<Vec<IpAddr>>, Fail>;
}

/// A host that is tested.
pub(super) struct Host<'n> {
    /// Its address; none, where a message comes from this host.
    pub(super) address: Option<(Str, IpAddr)>,
    /// Where names come from. Without it the list may hold none (`match_ip`).
    names: Option<&'n mut dyn HostNames>,
    /// Whether it is shown by its address: it is not the client.
    pub(super) by_address: bool,
}

impl<'n> Host<'n> {
    pub(super) fn new(
        address: Option<(Str, IpAddr)>,
        names: Option<&'n mut dyn HostNames>,
    ) -> Self {
        Self { address, names, by_address: false }
    }

    /// Tests a pattern; no data means that it is left as it was.
    pub(super) fn test(
        &mut self,
        call: &mut Call<'_>,
        pattern: Pattern<'_>,
    ) -> Result<(Hit, Left), Fail> {
        let bare = |matched| Ok((if matched { Hit::Yes } else { Hit::No }, None));
        if pattern.text == b"*" {
            return bare(true);
        }
        if pattern.text.is_empty() {
            return bare(self.address.is_none());
        }
        let Some((text, ip)) = self.address.clone() else { return bare(false) };
        match pattern.text {
            b"@" => {
                pattern.as_metadata()?;
                let name = call.value_of(var::PRIMARY_HOSTNAME)?;
                return Ok((self.by_name(call, name.bytes(), ip)?, None));
            }
            b"@[]" => {
                pattern.as_metadata()?;
                return bare(is_interface(call, text.bytes())?);
            }
            _ => {}
        }
        match ip::network(pattern.text) {
            Written::Network(network) => return bare(network.contains(ip)),
            Written::Malformed(end) => {
                let head = &pattern.text[..end];
                let version: &[u8] = if head.contains(&b':') { b"IPv6" } else { b"IPv4" };
                let why = [b"malformed ", version, b" address or address mask: ", head].concat();
                return Ok((Hit::Unknown(Some(why)), None));
            }
            Written::Other => {}
        }
        if let Some(semicolon) = memchr::memchr(b';', pattern.text) {
            let (word, rest) = (&pattern.text[..semicolon], &pattern.text[semicolon + 1..]);
            if let Some((mask, word)) = self.by_address(word) {
                return look_up_address(call, word, pattern.part(rest), ip, mask);
            }
        }
        if self.names.is_none() {
            return Ok((
                Hit::Unknown(Some(b"cannot match host name in match_ip list".into())),
                None,
            ));
        }
        let utf8 = call.settings().get(opt::ALLOW_UTF8_DOMAINS);
        let in_name = |c: &u8| c.is_ascii_alphanumeric() || b"-_.".contains(c) || utf8 && *c > 127;
        if pattern.text.iter().all(in_name) {
            return Ok((self.by_name(call, pattern.text, ip)?, None));
        }
        self.name_matches(call, pattern, &text)
    }

    /// Reads `net24-` before the type of a lookup: the mask, and the type.
    fn by_address<'w>(&self, word: &'w [u8]) -> Option<(Option<u32>, &'w [u8])> {
        let Some(rest) = word.strip_prefix(b"net") else {
            // Where there are no names, each lookup is one of addresses.
            return self.names.is_none().then_some((None, word));
        };
        let digits = rest.iter().take_while(|c| c.is_ascii_digit()).count();
        let (digits, rest) = rest.split_at(digits);
        let word = rest.strip_prefix(b"-")?;
        let mask = digits
            .iter()
            .fold(0u32, |n, d| n.saturating_mul(10).saturating_add(u32::from(d - b'0')));
        Some(((!digits.is_empty()).then_some(mask), word))
    }

    /// Whether a host of that name has the address.
    fn by_name(&mut self, call: &mut Call<'_>, name: &[u8], ip: IpAddr) -> Result<Hit, Fail> {
        let Some(names) = &mut self.names else { return Ok(Hit::Unknown(None)) };
        Ok(match names.addresses(call, name)? {
            Known::Found(all) => {
                let ip = ip.to_canonical();
                if all.iter().any(|a| a.to_canonical() == ip) { Hit::Yes } else { Hit::No }
            }
            Known::Missing => {
                Hit::Unknown(Some([b"failed to find IP address for ", name].concat()))
            }
            Known::Later => Hit::Later(Some([b"DNS lookup of \"", name, b"\" deferred"].concat())),
        })
    }

    /// Whether a name of the host matches a pattern.
    fn name_matches(
        &mut self,
        call: &mut Call<'_>,
        pattern: Pattern<'_>,
        address: &Str,
    ) -> Result<(Hit, Left), Fail> {
        let Some(names) = &mut self.names else { return Ok((Hit::Unknown(None), None)) };
        if let Some(hit) = look_up_query(call, pattern)? {
            return Ok(hit);
        }
        if !names.are_known(call) {
            let wanted = HostEvent::NameWanted { pattern: pattern.text };
            call.trace().tell(Happening::Host(wanted));
        }
        let all = match names.names(call)? {
            Known::Found(all) => all,
            Known::Missing => {
                let why = [b"failed to find host name for ", address.bytes()].concat();
                return Ok((Hit::Unknown(Some(why)), None));
            }
            Known::Later => return Ok((Hit::Later(None), None)),
        };
        for name in &all {
            let folded = name.lowercased();
            let text = Text {
                given: name,
                folded: &folded,
                caseful: false,
                bind: Bind::Leave,
                partial: true,
            };
            let (hit, data) = text.test(call, pattern)?;
            if hit != Hit::No {
                return Ok((hit, Some(data)));
            }
        }
        Ok((Hit::No, Some(None)))
    }
}

/// A lookup that takes a query needs no name of the host. One whose type
/// nobody knows is no answer now.
fn look_up_query(call: &mut Call<'_>, pattern: Pattern<'_>) -> Result<Option<(Hit, Left)>, Fail> {
    if matches!(pattern.text.first(), Some(b'^' | b'*')) {
        return Ok(None);
    }
    let search = match Search::of_element(call, &pattern.str(), &Str::EMPTY) {
        Ok(None) => return Ok(None),
        Ok(Some(search)) => search,
        Err(fail) => {
            let line = [fail.message(), b" in host list item \"", pattern.text, b"\""].concat();
            log_panic(call, &line);
            return Ok(Some((Hit::Later(Some(fail.message().to_vec())), None)));
        }
    };
    match call.registry().lookup_at(search.def).style {
        LookupStyle::SingleKey => Ok(None),
        LookupStyle::Query => look_up(call, &search).map(|looked| Some(answer(looked))),
    }
}

/// Looks an address up, or the network that it is in.
fn look_up_address(
    call: &mut Call<'_>,
    word: &[u8],
    rest: Str,
    ip: IpAddr,
    mask: Option<u32>,
) -> Result<(Hit, Left), Fail> {
    let comma = memchr::memchr(b',', word);
    let name = &word[..comma.unwrap_or(word.len())];
    let Some((def, style)) = call.registry().lookup(name) else {
        let message = [b"unknown lookup type \"", name, b"\""].concat();
        return Err(Fail::error(ErrorKind::UnknownName, message));
    };
    // The keys of this type are networks, which it reads itself.
    let separator = if name == b"iplsearch" { ':' } else { '.' };
    let key = match mask {
        None => ip::key(ip, separator),
        Some(mask) => {
            let bits = u8::try_from(mask).unwrap_or(u8::MAX);
            format!("{}/{mask}", ip::key(ip::masked(ip, bits), separator))
        }
    };
    let options = comma.map_or(&b""[..], |comma| &word[comma + 1..]);
    let options = Str::from(options).stamped(rest.taint());
    let (key, file) = match style {
        LookupStyle::SingleKey => (Str::from(key), rest),
        LookupStyle::Query => (rest, Str::EMPTY),
    };
    let asked = Search {
        def,
        key,
        file,
        partial: None,
        affix: Vec::new(),
        star: false,
        star_at: false,
        options,
    };
    look_up(call, &asked).map(answer)
}

fn answer(looked: Looked) -> (Hit, Left) {
    match looked {
        Looked::Found(found) => (Hit::Yes, Some(Some(found.value))),
        Looked::Missing => (Hit::No, Some(None)),
        Looked::Later(why) => (Hit::Later(Some(why)), Some(None)),
    }
}
