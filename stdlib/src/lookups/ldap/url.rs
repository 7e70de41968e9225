//! LDAP URLs (RFC 4516), as OpenLDAP's library reads them.

use crate::number::leading_int;

/// What stands before `://`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Scheme {
    /// Over TCP.
    Ldap,
    /// Over TCP, behind TLS.
    Ldaps,
    /// Over a Unix domain socket.
    Ldapi,
}

impl Scheme {
    /// The scheme at the head of a text, and what follows `://`.
    pub(super) fn of(text: &[u8]) -> Option<(Self, &[u8])> {
        let starts = |word: &'static [u8]| {
            text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word))
        };
        [(Self::Ldap, &b"ldap://"[..]), (Self::Ldaps, b"ldaps://"), (Self::Ldapi, b"ldapi://")]
            .into_iter()
            .find(|(_, word)| starts(word))
            .map(|(scheme, word)| (scheme, &text[word.len()..]))
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ldap => "ldap",
            Self::Ldaps => "ldaps",
            Self::Ldapi => "ldapi",
        }
    }
}

/// The library's numbers for what is wrong with a URL.
const BAD_SCHEME: u8 = 3;
const BAD_URL: u8 = 5;
const BAD_SCOPE: u8 = 8;
const BAD_FILTER: u8 = 9;
const BAD_EXTENSIONS: u8 = 10;

/// A URL's parts, without their percent signs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Url {
    pub(super) scheme: Scheme,
    /// The host, or the path of a socket; `None` where nothing stands there.
    pub(super) host: Option<Vec<u8>>,
    /// The port, which may be any number; 0 where none stands there.
    pub(super) port: i32,
    pub(super) base: Vec<u8>,
    pub(super) attributes: Vec<Vec<u8>>,
    /// 0 the base itself, 1 one level, 2 the whole tree, 3 the tree below;
    /// `None` where none is named.
    pub(super) scope: Option<u8>,
    pub(super) filter: Vec<u8>,
}

/// The filter where a URL has none.
const ANYTHING: &[u8] = b"(objectclass=*)";

impl Url {
    /// Reads a URL; an error is the library's number for it.
    pub(super) fn parse(text: &[u8]) -> Result<Self, u8> {
        let (scheme, rest) = Scheme::of(text).ok_or(BAD_SCHEME)?;
        let slash = rest.iter().position(|c| *c == b'/');
        let question = || rest.iter().position(|c| *c == b'?');
        let end = slash.or_else(question).unwrap_or(rest.len());
        let (host, port) = authority(scheme, &rest[..end])?;
        let mut url = Self {
            scheme,
            host,
            port,
            base: Vec::new(),
            attributes: Vec::new(),
            scope: None,
            filter: ANYTHING.to_vec(),
        };
        // Without a slash, what stands behind a question mark is not read.
        let Some(slash) = slash else { return Ok(url) };
        let mut parts = rest[slash + 1..].split(|c| *c == b'?');
        url.base = unescaped(parts.next().unwrap_or_default()).unwrap_or_default();
        if let Some(names) = parts.next() {
            let names = unescaped(names).unwrap_or_default();
            let names = names.split(|c| *c == b',').filter(|name| !name.is_empty());
            url.attributes = names.map(<[u8]>::to_vec).collect();
        }
        if let Some(word) = parts.next().filter(|word| !word.is_empty()) {
            url.scope = Some(scope(&unescaped(word).unwrap_or_default()).ok_or(BAD_SCOPE)?);
        }
        if let Some(filter) = parts.next().filter(|filter| !filter.is_empty()) {
            let filter = unescaped(filter).filter(|filter| !filter.is_empty());
            url.filter = filter.ok_or(BAD_FILTER)?;
        }
        let extensions = parts.next();
        if parts.next().is_some() {
            return Err(BAD_URL);
        }
        let empty = |list: &[u8]| list.iter().all(|c| *c == b',');
        if extensions.is_some_and(empty) {
            return Err(BAD_EXTENSIONS);
        }
        Ok(url)
    }
}

/// Host and port.
fn authority(scheme: Scheme, text: &[u8]) -> Result<(Option<Vec<u8>>, i32), u8> {
    if scheme == Scheme::Ldapi {
        return Ok((host(text), 0));
    }
    let usual = if scheme == Scheme::Ldaps { 636 } else { 0 };
    let (name, rest) = match text.strip_prefix(b"[") {
        Some(inner) => {
            let end = inner.iter().position(|c| *c == b']').ok_or(BAD_URL)?;
            (&inner[..end], &inner[end + 1..])
        }
        None => text.split_at(text.iter().position(|c| *c == b':').unwrap_or(text.len())),
    };
    match rest {
        [] => Ok((host(name), usual)),
        [b':', digits @ ..] => {
            let digits = unescaped(digits).ok_or(BAD_URL)?;
            let port = leading_int(&digits).filter(|(_, length)| *length == digits.len());
            let (port, _) = port.filter(|_| !digits.is_empty()).ok_or(BAD_URL)?;
            Ok((Some(unescaped(name).unwrap_or_default()), port))
        }
        _ => Err(BAD_URL),
    }
}

fn host(text: &[u8]) -> Option<Vec<u8>> {
    (!text.is_empty()).then(|| unescaped(text).unwrap_or_default())
}

fn scope(word: &[u8]) -> Option<u8> {
    const NAMES: [(&[u8], u8); 8] = [
        (b"base", 0),
        (b"one", 1),
        (b"onelevel", 1),
        (b"sub", 2),
        (b"subtree", 2),
        (b"children", 3),
        (b"subord", 3),
        (b"subordinate", 3),
    ];
    NAMES.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|(_, scope)| *scope)
}

/// The text that percent signs stand for, as C sees it: up to a zero byte.
/// `None` where one of them is wrong.
fn unescaped(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => super::query::hex(*bytes.next()?)? << 4 | super::query::hex(*bytes.next()?)?,
            byte => *byte,
        });
    }
    if let Some(end) = memchr::memchr(0, &out) {
        out.truncate(end);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts() {
        let url = Url::parse(b"LDAP://h%6Fst:1389/o=a%20b?x,,y?SUB?(a=%2a)?!e=f").expect("a URL");
        assert_eq!(
            url,
            Url {
                scheme: Scheme::Ldap,
                host: Some(b"host".to_vec()),
                port: 1389,
                base: b"o=a b".to_vec(),
                attributes: vec![b"x".to_vec(), b"y".to_vec()],
                scope: Some(2),
                filter: b"(a=*)".to_vec(),
            }
        );
        let url = Url::parse(b"ldapi://%2ftmp%2fx:9/").expect("a URL");
        assert_eq!((url.host.as_deref(), url.port), (Some(&b"/tmp/x:9"[..]), 0));
        let url = Url::parse(b"ldaps://?a?b?c").expect("a URL");
        assert_eq!((url.host, url.port, url.scope), (None, 636, None));
    }

    #[test]
    fn what_is_wrong() {
        for (text, code) in [
            ("http://x/", 3),
            ("ldap://h:x/", 5),
            ("ldap://h:/", 5),
            ("ldap://h:1:2/", 5),
            ("ldap://[::1/", 5),
            ("ldap://[h]x/", 5),
            ("ldap:///a?b?c", 8),
            ("ldap:///a???(b=%0)", 9),
            ("ldap:///a???b?", 10),
            ("ldap:///a???b?c?d", 5),
        ] {
            assert_eq!(Url::parse(text.as_bytes()), Err(code), "{text}");
        }
    }
}
