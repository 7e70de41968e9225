//! How a session begins: the banner, and EHLO, HELO or LHLO.

use super::Reply;

/// Begins a session.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    lmtp: bool,
    plain: bool,
    said: Option<Hello>,
}

/// The command by which a client greets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hello {
    /// `EHLO`
    Ehlo,
    /// `HELO`
    Helo,
    /// `LHLO`
    Lhlo,
}

/// What a reply is followed by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Next {
    /// The client greets.
    Say(Hello),
    /// Commands may be given.
    Open(Offers),
    /// The server does not want to talk.
    Refused,
}

/// What a server offers beyond the usual.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Offers {
    /// `STARTTLS`
    pub tls: bool,
    /// `PIPELINING`
    pub pipelining: bool,
    /// `CHUNKING`
    pub chunking: bool,
    /// `8BITMIME`
    pub eight_bit: bool,
    /// `SIZE`: the largest message, or 0 where it does not say.
    pub size: Option<u64>,
    /// `DSN`
    pub reports: bool,
    /// `PRDR`
    pub per_recipient: bool,
    /// `SMTPUTF8`
    pub utf8: bool,
    /// `AUTH`: the mechanisms, in upper case.
    pub auth: Vec<Vec<u8>>,
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
}

impl Opening {
    /// A session of SMTP, or of LMTP; the server of a plain one is not asked for its
    /// offers.
    pub fn new(lmtp: bool, plain: bool) -> Self {
        Self { lmtp, plain, said: None }
    }

    /// Begins anew, under TLS: what is to be said.
    pub fn again(&mut self) -> Hello {
        let hello = if self.lmtp { Hello::Lhlo } else { Hello::Ehlo };
        self.said = Some(hello);
        hello
    }

    /// What the next reply is followed by: the first one is the banner.
    pub fn next(&mut self, reply: &Reply) -> Next {
        let next = match (self.said, reply.accepts()) {
            (None, true) if self.lmtp => Next::Say(Hello::Lhlo),
            (None, true) if self.plain => Next::Say(Hello::Helo),
            (None, true) => Next::Say(Hello::Ehlo),
            // Old servers know only the old greeting.
            (Some(Hello::Ehlo), false) => Next::Say(Hello::Helo),
            (Some(Hello::Helo), true) => Next::Open(Offers::default()),
            (Some(_), true) => Next::Open(Offers::read(reply)),
            (_, false) => Next::Refused,
        };
        if let Next::Say(hello) = next {
            self.said = Some(hello);
        }
        next
    }
}

impl Offers {
    /// What a server's answer to EHLO says.
    fn read(reply: &Reply) -> Self {
        let mut offers = Self::default();
        for line in reply.further_lines() {
            let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            let Some(word) = words.next() else { continue };
            match word.to_ascii_uppercase().as_slice() {
                b"STARTTLS" => offers.tls = true,
                b"PIPELINING" => offers.pipelining = true,
                b"CHUNKING" => offers.chunking = true,
                b"8BITMIME" => offers.eight_bit = true,
                b"SIZE" => {
                    let number = words.next().and_then(|text| std::str::from_utf8(text).ok());
                    offers.size = Some(number.and_then(|text| text.parse().ok()).unwrap_or(0));
                }
                b"DSN" => offers.reports = true,
                b"PRDR" => offers.per_recipient = true,
                b"SMTPUTF8" => offers.utf8 = true,
                b"AUTH" => offers.auth.extend(words.map(<[u8]>::to_ascii_uppercase)),
                _ => {}
            }
        }
        offers
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Read, Replies};
    use super::*;

    fn play(mut opening: Opening, replies: &str) -> Vec<Next> {
        let mut read = Replies::default();
        read.push(replies.as_bytes());
        let mut found = Vec::new();
        while let Read::Reply(reply) = read.next_reply() {
            found.push(opening.next(&reply));
        }
        found
    }

    #[test]
    fn servers_of_all_ages() {
        let new = "220 hi\r\n250-me\r\n250-starttls\r\n250-AUTH Plain LOGIN\r\n250 SIZE 100\r\n";
        let offers = Offers {
            tls: true,
            size: Some(100),
            auth: vec![b"PLAIN".to_vec(), b"LOGIN".to_vec()],
            ..Offers::default()
        };
        let found = play(Opening::new(false, false), new);
        assert_eq!(found, [Next::Say(Hello::Ehlo), Next::Open(offers)]);
        let old = play(Opening::new(false, false), "220 hi\r\n500 what\r\n250 me\r\n");
        let helo = [Next::Say(Hello::Ehlo), Next::Say(Hello::Helo), Next::Open(Offers::default())];
        assert_eq!(old, helo);
        let no = play(Opening::new(false, true), "220 hi\r\n550 no\r\n");
        assert_eq!(no, [Next::Say(Hello::Helo), Next::Refused]);
        assert_eq!(play(Opening::new(true, true), "554 no\r\n"), [Next::Refused]);
        let lmtp = play(Opening::new(true, false), "220 hi\r\n500 what\r\n");
        assert_eq!(lmtp, [Next::Say(Hello::Lhlo), Next::Refused]);
    }
}
