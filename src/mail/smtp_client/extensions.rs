//! How a client greets, and which extensions the server announces then.

use super::Reply;
use super::reply::further_lines;

/// The code of lines that announce extensions.
const ANNOUNCED: &[u8] = b"250";

/// The command by which a client greets.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Hello {
    /// `EHLO`
    Ehlo,
    /// `HELO`
    Helo,
    /// `LHLO`
    Lhlo,
}

/// The extensions that a server announces.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct Extensions {
    /// `STARTTLS`
    pub starttls: bool,
    /// `PIPELINING`
    pub pipelining: bool,
    /// `CHUNKING`
    pub chunking: bool,
    /// `8BITMIME`
    pub eight_bit_mime: bool,
    /// `SIZE`: the largest message, or 0 where it does not say.
    pub size: Option<u64>,
    /// `DSN`
    pub dsn: bool,
    /// `PRDR`
    pub prdr: bool,
    /// `IGNOREQUOTA`, of LMTP servers
    pub ignore_quota: bool,
    /// `SMTPUTF8`
    pub smtputf8: bool,
    /// `AUTH`: the mechanisms, in upper case.
    pub auth: Vec<Vec<u8>>,
    /// `LIMITS` (RFC 9422)
    pub limits: AnnouncedLimits,
    /// `PIPECONNECT`: whether commands may come before the server's greeting.
    pub pipe_connect: bool,
}

/// How much a server takes (RFC 9422); nothing where it does not say.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct AnnouncedLimits {
    /// `MAILMAX`: how many messages along a connection.
    pub mails: Option<u32>,
    /// `RCPTMAX`: how many recipients of a message.
    pub recipients: Option<u32>,
    /// `RCPTDOMAINMAX`: how many domains these are of.
    pub domains: Option<u32>,
}

impl AnnouncedLimits {
    fn read<'w>(words: impl Iterator<Item = &'w [u8]>) -> Self {
        let mut limits = Self::default();
        for word in words {
            let Some(at) = memchr::memchr(b'=', word) else { continue };
            let number = std::str::from_utf8(&word[at + 1..]).ok();
            // Six digits are the most, and nothing is no limit.
            let number = number.filter(|text| text.len() <= 6);
            let number = number.and_then(|text| text.parse().ok()).filter(|most| *most > 0);
            match word[..at].to_ascii_uppercase().as_slice() {
                b"MAILMAX" => limits.mails = number,
                b"RCPTMAX" => limits.recipients = number,
                b"RCPTDOMAINMAX" => limits.domains = number,
                _ => {}
            }
        }
        limits
    }
}

impl Hello {
    /// The command's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ehlo => "EHLO",
            Self::Helo => "HELO",
            Self::Lhlo => "LHLO",
        }
    }

    /// What a server is greeted with first; one that is plain is not asked for its
    /// extensions.
    pub fn first(lmtp: bool, plain: bool) -> Self {
        match (lmtp, plain) {
            (true, _) => Self::Lhlo,
            (false, true) => Self::Helo,
            (false, false) => Self::Ehlo,
        }
    }

    /// What a server is greeted with that refused this: old ones know only the old
    /// greeting.
    pub fn fallback(self) -> Option<Self> {
        (self == Self::Ehlo).then_some(Self::Helo)
    }

    /// Whether the answer names extensions.
    pub fn is_extended(self) -> bool {
        self != Self::Helo
    }
}

impl std::fmt::Display for Hello {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Extensions {
    /// What a server's answer to EHLO or LHLO says.
    pub fn read(reply: &Reply) -> Self {
        Self::read_text(reply.text())
    }

    /// What the text of such an answer says, with line feeds between its lines.
    pub fn read_text(text: &[u8]) -> Self {
        let mut extensions = Self::default();
        for line in further_lines(text, ANNOUNCED) {
            let mut words = line.split(u8::is_ascii_whitespace);
            let Some(word) = words.next() else { continue };
            let mut words = words.filter(|word| !word.is_empty());
            match word.to_ascii_uppercase().as_slice() {
                b"STARTTLS" => extensions.starttls = true,
                b"PIPELINING" => extensions.pipelining = true,
                b"CHUNKING" => extensions.chunking = true,
                b"8BITMIME" => extensions.eight_bit_mime = true,
                b"SIZE" => {
                    let number = words.next().and_then(|text| std::str::from_utf8(text).ok());
                    extensions.size = Some(number.and_then(|text| text.parse().ok()).unwrap_or(0));
                }
                b"DSN" => extensions.dsn = true,
                b"IGNOREQUOTA" => extensions.ignore_quota = true,
                b"PRDR" => extensions.prdr = true,
                b"SMTPUTF8" => extensions.smtputf8 = true,
                b"PIPECONNECT" => extensions.pipe_connect = true,
                b"LIMITS" => extensions.limits = AnnouncedLimits::read(words),
                // The first line of several counts.
                b"AUTH" if extensions.auth.is_empty() => {
                    extensions.auth = words.map(<[u8]>::to_ascii_uppercase).collect();
                }
                _ => {}
            }
        }
        extensions
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Read, Replies};
    use super::*;

    fn read(text: &str) -> Extensions {
        let mut replies = Replies::default();
        replies.push(text.as_bytes());
        let Read::Reply(reply) = replies.next_reply() else { panic!("{text}") };
        Extensions::read(&reply)
    }

    #[test]
    fn extensions_are_read_in_any_case() {
        let found = read("250-me\r\n250-starttls\r\n250-AUTH Plain LOGIN\r\n250 SIZE 100\r\n");
        let own = Extensions {
            starttls: true,
            size: Some(100),
            auth: vec![b"PLAIN".to_vec(), b"LOGIN".to_vec()],
            ..Extensions::default()
        };
        assert_eq!(found, own);
        // The first line is the server's name, whatever it looks like.
        assert_eq!(read("250 STARTTLS\r\n"), Extensions::default());
        let twice = read("250-me\r\n250-AUTH\r\n250-AUTH LOGIN\r\n250 AUTH PLAIN\r\n");
        assert_eq!(twice.auth, [b"LOGIN"]);
        let odd = read("250-me\r\n250-\r\n250-X-OTHER 1\r\n250-SIZE\r\n250 SIZE 99x\r\n");
        assert_eq!(odd, Extensions { size: Some(0), ..Extensions::default() });
    }

    #[test]
    fn extensions_stand_right_behind_their_code() {
        for text in ["250-me\r\n251 SIZE\r\n", "251-me\r\n251-SIZE\r\n250 x\r\n"] {
            assert_eq!(read(text), Extensions::default(), "{text}");
        }
        for text in ["250-me\r\n250- SIZE 10\r\n250 x\r\n", "250-me\r\n250  CHUNKING\r\n"] {
            assert_eq!(read(text), Extensions::default(), "{text}");
        }
        let found = read("252-me\r\n250-SIZE  10\r\n550 x\r\n");
        assert_eq!(found, Extensions { size: Some(10), ..Extensions::default() });
    }

    #[test]
    fn old_servers_are_greeted_the_old_way() {
        assert_eq!(Hello::first(false, false).fallback(), Some(Hello::Helo));
        assert_eq!(Hello::first(false, true), Hello::Helo);
        assert_eq!(Hello::first(true, true).fallback(), None);
    }
}
