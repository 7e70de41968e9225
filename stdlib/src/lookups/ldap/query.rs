//! What stands before the URL in a query (specification 9.11.4).

use eximious_core::grammar::is_space;

use super::url::Scheme;
use crate::keyed;
use crate::number::leading_int;

/// A query: its settings, and the URL behind them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Query<'q> {
    pub(super) user: Option<Vec<u8>>,
    pub(super) password: Option<Vec<u8>>,
    /// The list of servers in place of the configuration's.
    pub(super) servers: Option<Vec<u8>>,
    pub(super) size: i32,
    pub(super) time: i32,
    /// Seconds for each wait for the network.
    pub(super) network: i32,
    pub(super) dereference: u8,
    /// Whether referrals are followed.
    pub(super) follow: bool,
    pub(super) url: &'q [u8],
}

impl<'q> Query<'q> {
    /// Reads a query; an error is Exim's words. The URL is not read yet.
    pub(super) fn parse(text: &'q [u8]) -> Result<Self, Vec<u8>> {
        let mut query = Self {
            user: None,
            password: None,
            servers: None,
            size: 0,
            time: 0,
            network: 0,
            dereference: 0,
            follow: true,
            url: unspaced(text),
        };
        while !query.url.get(..4).is_some_and(|word| word.eq_ignore_ascii_case(b"ldap")) {
            let malformed = || b"malformed parameter setting precedes LDAP URL".to_vec();
            let equals = query.url.iter().position(|c| *c == b'=').ok_or_else(malformed)?;
            let (name, rest) = (&query.url[..equals], &query.url[equals + 1..]);
            let (value, rest) = keyed::value(rest);
            if !rest.first().is_some_and(|c| is_space(*c)) {
                return Err(malformed());
            }
            query.set(name, &value)?;
            query.url = unspaced(rest);
        }
        Ok(query)
    }

    fn set(&mut self, name: &[u8], value: &[u8]) -> Result<(), Vec<u8>> {
        let number = || leading_int(value).map_or(0, |(number, _)| number);
        match &name.to_ascii_lowercase()[..] {
            b"user" => self.user = Some(without_percent(value)),
            b"pass" => self.password = Some(value.to_vec()),
            b"servers" => self.servers = Some(value.to_vec()),
            b"size" => self.size = number(),
            b"time" => self.time = number(),
            b"connect" | b"nettime" => self.network = number(),
            b"dereference" => {
                self.dereference = match &value.to_ascii_lowercase()[..] {
                    b"searching" => 1,
                    b"finding" => 2,
                    b"always" => 3,
                    _ => 0,
                }
            }
            b"referrals" => {
                self.follow = match &value.to_ascii_lowercase()[..] {
                    b"follow" => true,
                    b"nofollow" => false,
                    _ => {
                        let message = "LDAP option REFERRALS is not \"follow\" or \"nofollow\"";
                        return Err(message.into());
                    }
                }
            }
            _ => return Err([b"unknown parameter \"", name, b"=\" precedes LDAP URL"].concat()),
        }
        Ok(())
    }

    /// Whether the URL begins as one should; an error is Exim's words.
    pub(super) fn check_scheme(&self) -> Result<(), Vec<u8>> {
        if Scheme::of(self.url).is_some() {
            return Ok(());
        }
        let start = &self.url[..self.url.len().min(16)];
        let message = "LDAP URL does not start with \"ldap://\", \"ldaps://\", or \"ldapi://\" (it \
                       starts with \"";
        Err([message.as_bytes(), start, b"...\")"].concat())
    }
}

/// The value of a hexadecimal digit.
pub(super) fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|digit| digit as u8)
}

/// A name without a URL's escapes; what is none stays. As C sees it: up to a
/// zero byte.
fn without_percent(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        rest = after;
        let escaped = match (byte, after) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match escaped {
            Some((0, 0)) => break,
            Some((high, low)) => {
                out.push(high << 4 | low);
                rest = &after[2..];
            }
            None => out.push(*byte),
        }
    }
    out
}

fn unspaced(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|c| !is_space(*c)).unwrap_or(text.len());
    &text[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_percent_signs() {
        assert_eq!(without_percent(b"x%20y%2zz%"), b"x y%2zz%");
        assert_eq!(without_percent(b"a%00b"), b"a");
    }
}
