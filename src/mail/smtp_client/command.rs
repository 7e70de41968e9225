//! Commands, and their parameters.

use super::Extensions;

/// At what a client stands with its server.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum SmtpCommand {
    /// The connection was made; the server speaks first.
    Connect,
    /// `EHLO`, `HELO` or `LHLO`
    Hello,
    /// `STARTTLS`
    StartTls,
    /// `AUTH`, and each line that the mechanism adds.
    Auth,
    /// `ATRN`
    Atrn,
    /// `MAIL`
    Mail,
    /// `RCPT`
    Rcpt,
    /// `DATA`
    Data,
    /// `BDAT`, but for the last one.
    Bdat,
    /// The message, up to its end.
    EndOfData,
    /// `RSET`
    Rset,
    /// `QUIT`
    Quit,
}

impl std::fmt::Display for SmtpCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Connect => "connect",
            Self::Hello => "EHLO",
            Self::StartTls => "STARTTLS",
            Self::Auth => "AUTH",
            Self::Atrn => "ATRN",
            Self::Mail => "MAIL",
            Self::Rcpt => "RCPT",
            Self::Data => "DATA",
            Self::Bdat => "BDAT",
            Self::EndOfData => "end of data",
            Self::Rset => "RSET",
            Self::Quit => "QUIT",
        })
    }
}

/// A command as it is sent, and as it is shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SentCommand {
    pub(super) command: SmtpCommand,
    /// The line, without its end. There is none for what is no command.
    pub(super) line: Vec<u8>,
    /// The same, where it may be shown; secrets are starred out.
    pub(super) shown: Vec<u8>,
    /// How much of that an error is told with: of a recipient, what is asked for beside the
    /// address is left out.
    bare: usize,
    /// Whether the message is to be judged for each recipient.
    pub(super) prdr: bool,
}

/// What MAIL says beside the sender. What a server did not announce is left out.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MailParams {
    /// `SIZE`: how large the message is.
    pub size: Option<u64>,
    /// `BODY=8BITMIME`: whether it has bytes beyond ASCII.
    pub eight_bit_mime: bool,
    /// `SMTPUTF8`: whether its envelope or header has.
    pub smtputf8: bool,
    /// `PRDR`: whether it is to be judged for each recipient.
    pub prdr: bool,
    /// `RET` and `ENVID` (RFC 3461), a space before each.
    pub dsn: Vec<u8>,
    /// `AUTH`: who submitted it, perhaps nobody who is known; whoever gives it knows that
    /// the server takes it.
    pub auth: Option<Vec<u8>>,
}

/// What RCPT says beside the recipient. What a server did not announce is left out.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RcptParams {
    /// `NOTIFY` and `ORCPT` (RFC 3461), a space before each.
    pub dsn: Vec<u8>,
    /// `IGNOREQUOTA`: whether a mailbox takes it though it is full.
    pub ignore_quota: bool,
}

impl SentCommand {
    /// A line that may be shown. What would break it, and so be another command, is left
    /// out.
    pub(super) fn new(command: SmtpCommand, line: impl Into<Vec<u8>>) -> Self {
        let mut line = line.into();
        line.retain(|byte| !matches!(byte, b'\r' | b'\n' | 0));
        Self { command, bare: line.len(), shown: line.clone(), line, prdr: false }
    }

    /// A line that is a secret.
    pub(super) fn secret(command: SmtpCommand, line: Vec<u8>, shown: &[u8]) -> Self {
        Self { bare: shown.len(), shown: shown.to_vec(), ..Self::new(command, line) }
    }

    /// The server has to say something without being asked.
    pub(super) fn wait(command: SmtpCommand, shown: &[u8]) -> Self {
        Self { line: Vec::new(), ..Self::new(command, shown) }
    }

    /// `MAIL`, for a server that announced these extensions.
    pub fn mail(from: &[u8], params: &MailParams, announced: &Extensions) -> Self {
        let mut line = [b"MAIL FROM:<", from, b">"].concat();
        if let (Some(_), Some(size)) = (announced.size, params.size) {
            line.extend_from_slice(format!(" SIZE={size}").as_bytes());
        }
        if announced.eight_bit_mime && params.eight_bit_mime {
            line.extend_from_slice(b" BODY=8BITMIME");
        }
        if announced.smtputf8 && params.smtputf8 {
            line.extend_from_slice(b" SMTPUTF8");
        }
        let prdr = announced.prdr && params.prdr;
        if prdr {
            line.extend_from_slice(b" PRDR");
        }
        if announced.dsn {
            line.extend_from_slice(&params.dsn);
        }
        if let Some(who) = &params.auth {
            line.extend_from_slice(b" AUTH=");
            line.extend(xtext(who));
        }
        Self { prdr, ..Self::new(SmtpCommand::Mail, line) }
    }

    /// `RCPT`, for a server that announced these extensions.
    pub fn rcpt(to: &[u8], params: &RcptParams, announced: &Extensions) -> Self {
        let mut line = [b"RCPT TO:<", to, b">"].concat();
        let bare = Self::new(SmtpCommand::Rcpt, &line[..]).shown.len();
        if announced.ignore_quota && params.ignore_quota {
            line.extend_from_slice(b" IGNOREQUOTA");
        }
        if announced.dsn {
            line.extend_from_slice(&params.dsn);
        }
        Self { bare, ..Self::new(SmtpCommand::Rcpt, line) }
    }

    /// `DATA`, to be sent together with an envelope. A yes to it is intermediate.
    pub fn data() -> Self {
        Self::new(SmtpCommand::Data, *b"DATA")
    }

    /// As it may be shown: `MAIL FROM:<a@b> SIZE=100`.
    pub fn shown(&self) -> &[u8] {
        &self.shown
    }

    /// As errors tell of it.
    pub(super) fn blamed(&self) -> &[u8] {
        &self.shown[..self.bare]
    }

    /// The word that it begins with.
    pub(super) fn verb(&self) -> &[u8] {
        let end = memchr::memchr(b' ', &self.shown).unwrap_or(self.shown.len());
        &self.shown[..end]
    }
}

/// A text as a parameter's value (RFC 3461, section 4); one that is empty is `<>` for
/// `AUTH` (RFC 4954, section 5).
fn xtext(text: &[u8]) -> Vec<u8> {
    if text.is_empty() {
        return b"<>".to_vec();
    }
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            b'!'..=b'~' if !matches!(byte, b'+' | b'=') => out.push(*byte),
            _ => out.extend_from_slice(format!("+{byte:02X}").as_bytes()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rcpt(to: &[u8]) -> Vec<u8> {
        SentCommand::rcpt(to, &RcptParams::default(), &Extensions::default()).line
    }

    fn mail(from: &[u8], params: &MailParams, announced: &Extensions) -> String {
        String::from_utf8(SentCommand::mail(from, params, announced).line).unwrap()
    }

    #[test]
    fn cve_2020_28021_an_address_is_part_of_one_command() {
        let plain = MailParams::default();
        assert_eq!(rcpt(b"a\r\nDATA\n@b\0"), b"RCPT TO:<aDATA@b>");
        assert_eq!(mail(b"a@b>\rRSET", &plain, &Extensions::default()), "MAIL FROM:<a@b>RSET>");
        assert_eq!(mail(b"", &plain, &Extensions::default()), "MAIL FROM:<>");
        let evil = MailParams { dsn: b" RET=FULL\r\nRSET".to_vec(), ..plain };
        let announced = Extensions { dsn: true, ..Extensions::default() };
        assert_eq!(mail(b"a@b", &evil, &announced), "MAIL FROM:<a@b> RET=FULLRSET");
    }

    #[test]
    fn only_what_is_announced_is_asked_for() {
        let params = MailParams {
            size: Some(12),
            eight_bit_mime: true,
            smtputf8: true,
            prdr: true,
            dsn: b" RET=HDRS".to_vec(),
            auth: Some(b"a+b=c d".to_vec()),
        };
        let plain = MailParams { auth: None, ..params.clone() };
        assert_eq!(mail(b"a", &plain, &Extensions::default()), "MAIL FROM:<a>");
        let announced = Extensions {
            size: Some(0),
            eight_bit_mime: true,
            smtputf8: true,
            prdr: true,
            dsn: true,
            auth: vec![b"PLAIN".to_vec()],
            ..Extensions::default()
        };
        assert_eq!(
            mail(b"a", &params, &announced),
            "MAIL FROM:<a> SIZE=12 BODY=8BITMIME SMTPUTF8 PRDR RET=HDRS AUTH=a+2Bb+3Dc+20d"
        );
        let nobody = MailParams { auth: Some(Vec::new()), ..MailParams::default() };
        assert_eq!(mail(b"a", &nobody, &announced), "MAIL FROM:<a> AUTH=<>");
    }
}
