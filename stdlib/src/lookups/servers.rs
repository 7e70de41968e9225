//! Lists of servers, which lookup types that ask servers share (specification
//! 9.13.1, 9.13.2): where a list comes from, whom its elements name, and in
//! which order they are asked.

use eximious_core::grammar::is_space;
use eximious_core::{Call, ErrorKind, Fail, LookupFail, LookupQuery, Opt, Str};

use super::search::note_in_main;
use crate::lists::elements;

/// A kind of servers.
#[derive(Debug)]
pub(super) struct Kind {
    /// What Exim calls it in its messages.
    pub name: &'static str,
    /// The main option that lists servers of this kind.
    pub option: Opt<Str>,
    /// Whether a query may say which servers it is meant for.
    pub named_in_queries: bool,
}

/// Why a server gave no answer that counts.
#[derive(Debug)]
pub(super) enum Attempt {
    /// Another one may: the next one is asked. Why, in Exim's words.
    Next(Vec<u8>),
    /// None will: that is the end.
    Stop(Vec<u8>),
    /// The lookup fails with this.
    Fail(LookupFail),
}

impl From<Fail> for Attempt {
    fn from(fail: Fail) -> Self {
        Self::Fail(LookupFail::Open(fail))
    }
}

/// Asks the servers that a query is meant for, one after the other, until one
/// answers. `one` gets a complete element of a list and the query proper.
pub(super) fn ask(
    call: &mut Call<'_>,
    kind: &Kind,
    query: &LookupQuery,
    mut one: impl FnMut(&mut Call<'_>, &[u8], &[u8]) -> Result<Option<Str>, Attempt>,
) -> Result<Option<Str>, LookupFail> {
    if query.key.is_empty() {
        // Nobody is asked nothing.
        return Ok(None);
    }
    // A list that is set and empty has no server.
    let listed = call.settings().given(kind.option);
    let (own, statement) = match kind.named_in_queries {
        true => split(call, kind, query)?,
        false => (None, query.key.clone()),
    };
    let list = match (&own, &listed) {
        (Some(own), _) => own.clone(),
        (None, Some(listed)) => listed.clone(),
        (None, None) => {
            let message =
                format!("no {} servers defined ({} option)", kind.name, kind.option.name());
            return Err(LookupFail::Defer(message.into_bytes()));
        }
    };
    let mut why = Vec::new();
    for element in elements(list.bytes()) {
        let server = if element.contains(&b'/') || !kind.named_in_queries {
            if own.is_some() && list.taint().is_tainted() {
                return Err(LookupFail::Defer(tainted(kind, &element)));
            }
            element.into_owned()
        } else {
            named(kind, listed.as_ref(), &element)?
        };
        match one(call, &server, statement.bytes()) {
            Ok(answer) => return Ok(answer),
            Err(Attempt::Next(message)) => why = message,
            Err(Attempt::Stop(message)) => return Err(LookupFail::Defer(message)),
            Err(Attempt::Fail(fail)) => return Err(fail),
        }
    }
    Err(LookupFail::Defer(why))
}

/// The word that begins a query of the old form.
const WORD: &[u8] = b"servers";

/// Tells that a query is of the old form. Exim words that as a fault of the configuration, and
/// names its last line, whichever has the query.
fn note_old_form(call: &mut Call<'_>) {
    let settings = call.settings();
    let file = settings.config_file.bytes();
    let head = match settings.config_lines {
        0 => Vec::new(),
        line => {
            let head = format!("Exim configuration error in line {line} of ");
            [head.as_bytes(), file, b":\n  "].concat()
        }
    };
    let line = [&head[..], b"WARNING: obsolete syntax used for lookup"].concat();
    note_in_main(call, &line);
}

/// The list of servers that a query has itself, and the query proper.
fn split(
    call: &mut Call<'_>,
    kind: &Kind,
    query: &LookupQuery,
) -> Result<(Option<Str>, Str), LookupFail> {
    let key = &query.key;
    let text = key.bytes();
    if !text.starts_with(WORD) {
        return Ok((query.options.text("servers"), key.clone()));
    }
    note_old_form(call);
    let at = skip_space(text, WORD.len());
    if text.get(at) != Some(&b'=') {
        let message = format!("missing = after \"servers\" in {} lookup", kind.name);
        return Err(LookupFail::Defer(message.into_bytes()));
    }
    let start = skip_space(text, at + 1);
    let Some(length) = memchr::memchr(b';', &text[start..]) else {
        let message = format!("missing ; after \"servers=\" in {} lookup", kind.name);
        return Err(LookupFail::Defer(message.into_bytes()));
    };
    if length == 0 {
        let message = [b"\"servers=\" defines no servers in \"", text, b"\""].concat();
        return Err(LookupFail::Defer(message));
    }
    let list = key.slice(start, start + length);
    // The white space before the statement stays: where the server finds a fault is counted.
    Ok((Some(list), key.slice(start + length + 1, text.len())))
}

/// A query of the old form without its list of servers, for a log: passwords
/// may stand there.
pub(super) fn without_servers(query: &[u8]) -> &[u8] {
    if !query.starts_with(WORD) {
        return query;
    }
    memchr::memchr(b';', query).map_or(&[], |end| &query[skip_space(query, end + 1)..])
}

fn skip_space(text: &[u8], from: usize) -> usize {
    text[from..].iter().position(|c| !is_space(*c)).map_or(text.len(), |n| from + n)
}

/// Where data from outside says which server to ask. Exim shows no more of it
/// than this.
fn tainted(kind: &Kind, element: &[u8]) -> Vec<u8> {
    let shown = memchr::memchr_iter(b'/', element).nth(1).map_or(element, |end| &element[..end]);
    [kind.name.as_bytes(), b" server \"", shown, b"\" is tainted"].concat()
}

/// The element of the main list that has a name: what stands before its first
/// slash.
fn named(kind: &Kind, listed: Option<&Str>, name: &[u8]) -> Result<Vec<u8>, LookupFail> {
    let is = |element: &[u8]| element.strip_prefix(name).is_some_and(|rest| rest.starts_with(b"/"));
    let listed = listed.map(Str::bytes).unwrap_or_default();
    if let Some(element) = elements(listed).find(|element| is(element)) {
        return Ok(element.into_owned());
    }
    let parts = [kind.name.as_bytes(), b" server \"", name, b"\" not found in "];
    Err(LookupFail::Defer([&parts.concat()[..], kind.option.name().as_bytes()].concat()))
}

/// A server's host, as it is described, and the parts behind it.
pub(super) type Parts<'a, const N: usize> = (&'a [u8], [&'a [u8]; N]);

/// Takes the last parts off a server's description, at slashes: `host/a/b/c`
/// gives the host and `[a, b, c]`.
///
/// # Errors
/// What Exim shows of a description that has too few of them: all but the last
/// part, which would be the password.
pub(super) fn parts<const N: usize>(server: &[u8]) -> Result<Parts<'_, N>, &[u8]> {
    let mut parts = [&b""[..]; N];
    let mut rest = server;
    let mut shown = server;
    for index in (0..N).rev() {
        let slash = memchr::memrchr(b'/', rest).ok_or(shown)?;
        parts[index] = &rest[slash + 1..];
        rest = &rest[..slash];
        if index == N - 1 {
            shown = rest;
        }
    }
    Ok((rest, parts))
}

/// A host and its port, which may be missing. A host with two colons or more
/// is an IPv6 address, and a dot stands before its port.
pub(super) fn host_and_port(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut colons = memchr::memchr_iter(b':', text);
    let at = match (colons.next(), colons.next()) {
        (None, _) => None,
        (Some(at), None) => Some(at),
        (Some(_), Some(_)) => memchr::memrchr(b'.', text),
    };
    at.map_or((text, None), |at| (&text[..at], Some(&text[at + 1..])))
}

/// The answer of a world that has no client for a kind of servers.
pub(super) fn no_client(kind: &Kind) -> Attempt {
    let message = format!("no client for {} servers in this world", kind.name);
    Fail::error(ErrorKind::Unsupported, message).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_parts(server: &str, wanted: Result<(&str, [&str; 3]), &str>) {
        let wanted = match &wanted {
            Ok((host, parts)) => Ok((host.as_bytes(), parts.map(str::as_bytes))),
            Err(shown) => Err(shown.as_bytes()),
        };
        assert_eq!(parts::<3>(server.as_bytes()), wanted, "{server}");
    }

    #[test]
    fn a_description_is_read_from_its_end() {
        check_parts("h:1/db/u/p", Ok(("h:1", ["db", "u", "p"])));
        check_parts("(/a/b)/db/u/p", Ok(("(/a/b)", ["db", "u", "p"])));
        check_parts("///", Ok(("", ["", "", ""])));
        check_parts("h/db/u", Err("h/db"));
        check_parts("h/db", Err("h"));
        check_parts("h//", Err("h/"));
        check_parts("h", Err("h"));
        check_parts("", Err(""));
    }

    #[test]
    fn hosts_have_ports() {
        fn check(text: &str, host: &str, port: Option<&str>) {
            let wanted = (host.as_bytes(), port.map(str::as_bytes));
            assert_eq!(host_and_port(text.as_bytes()), wanted, "{text}");
        }
        check("host", "host", None);
        check("host:25", "host", Some("25"));
        check("1.2.3.4:25", "1.2.3.4", Some("25"));
        check("host.25", "host.25", None);
        check("host:", "host", Some(""));
        check("::1.25", "::1", Some("25"));
        check("::1", "::1", None);
        check("::ffff:1.2.3.4.25", "::ffff:1.2.3.4", Some("25"));
        check(":1.25", "", Some("1.25"));
        check("", "", None);
    }
}
