//! Commands: which it is, whether it may come now, and those that need no more than a
//! few lines.

use eximious::acl::AclVerdict;
use eximious::opt;
use eximious::trace::{Happening, SmtpEvent, SmtpSide};
use eximious::{AclPhases, Str, var};

use super::connection::Barred;
use super::logging::End;
use super::stage::{Handled, LastRejected, Stage};
use super::verdict::unset;
use super::{SmtpSession, reply};

/// How many commands are remembered.
pub(super) const REMEMBERED: usize = 20;

/// A command of SMTP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "each is the word of that name")]
pub(super) enum Command {
    Atrn,
    Auth,
    Bdat,
    Data,
    Ehlo,
    Etrn,
    Expn,
    Helo,
    Help,
    Mail,
    Noop,
    Quit,
    Rcpt,
    Rset,
    StartTls,
    Vrfy,
    WellKnown,
    Xclient,
}

impl Command {
    /// All of them.
    pub(super) const ALL: [Self; 18] = [
        Self::Atrn,
        Self::Auth,
        Self::Bdat,
        Self::Data,
        Self::Ehlo,
        Self::Etrn,
        Self::Expn,
        Self::Helo,
        Self::Help,
        Self::Mail,
        Self::Noop,
        Self::Quit,
        Self::Rcpt,
        Self::Rset,
        Self::StartTls,
        Self::Vrfy,
        Self::WellKnown,
        Self::Xclient,
    ];

    /// As it is shown and remembered.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Atrn => "ATRN",
            Self::Auth => "AUTH",
            Self::Bdat => "BDAT",
            Self::Data => "DATA",
            Self::Ehlo => "EHLO",
            Self::Etrn => "ETRN",
            Self::Expn => "EXPN",
            Self::Helo => "HELO",
            Self::Help => "HELP",
            Self::Mail => "MAIL",
            Self::Noop => "NOOP",
            Self::Quit => "QUIT",
            Self::Rcpt => "RCPT",
            Self::Rset => "RSET",
            Self::StartTls => "STARTTLS",
            Self::Vrfy => "VRFY",
            Self::WellKnown => "WELLKNOWN",
            Self::Xclient => "XCLIENT",
        }
    }

    /// As it is written. Behind a colon anything may follow, behind the others a space.
    const fn written(self) -> &'static str {
        match self {
            Self::Mail => "MAIL FROM:",
            Self::Rcpt => "RCPT TO:",
            _ => self.name(),
        }
    }

    /// The command of a line, and what follows it.
    pub(super) fn parse(line: &[u8]) -> Option<(Self, &[u8])> {
        Self::ALL.iter().find_map(|command| {
            let word = command.written().as_bytes();
            let head = line.get(..word.len())?;
            let rest = &line[word.len()..];
            let ends = word.ends_with(b":") || rest.first().is_none_or(|byte| *byte == b' ');
            (head.eq_ignore_ascii_case(word) && ends).then(|| (*command, rest.trim_ascii_start()))
        })
    }

    /// Whether nothing may follow it.
    fn stands_alone(self) -> bool {
        matches!(self, Self::Data | Self::Quit | Self::Rset | Self::StartTls)
    }

    /// Whether it may stand between the chunks of a message.
    fn fits_between_chunks(self) -> bool {
        matches!(self, Self::Bdat | Self::Rset | Self::Quit | Self::Noop)
    }

    /// Whether it is none of those of which a client may not send too many without
    /// sending mail (`smtp_accept_max_nonmail`).
    fn is_mail(self) -> bool {
        matches!(self, Self::Mail | Self::Rcpt | Self::Data | Self::Bdat | Self::Quit)
    }
}

impl SmtpSession {
    pub(super) fn command_line(&mut self, line: &[u8], last: LastRejected) -> Stage {
        let line = line.trim_ascii_end();
        let received = SmtpEvent::Received { side: SmtpSide::Server, text: line };
        self.cx.tell(Happening::Smtp(received));
        let parsed = Command::parse(line);
        self.connection.command = self.loggable(line, parsed.is_some());
        if line.contains(&0) {
            let shown = line.iter().map(|c| if *c == 0 { b'?' } else { *c });
            self.connection.command = shown.collect();
            return match self.admit_here(false) {
                Ok(()) => self.refuse_nul(),
                Err(stage) => stage,
            };
        }
        if let Some(stage) = self.bars(line) {
            return stage;
        }
        self.cx.set_var(var::SMTP_COMMAND, Str::tainted(line));
        let Some((command, argument)) = parsed else {
            self.cx.set_var(var::SMTP_COMMAND_ARGUMENT, Str::EMPTY);
            return self.unknown_command();
        };
        self.cx.set_var(var::SMTP_COMMAND_ARGUMENT, Str::tainted(argument));
        if let Err(stage) = self.admit(command, argument) {
            return stage;
        }
        match self.obey(command, argument, last) {
            Ok(stage) => stage,
            Err(stage) => stage.after(command.into()),
        }
    }

    /// The head of a line that is longer than any command: nobody knows it, whatever it is.
    pub(super) fn long_command(&mut self, head: &[u8]) -> Stage {
        self.connection.command = self.loggable(head, false);
        self.overlong_command()
    }

    /// What a client hears for whom nothing is done any more, whatever it says.
    fn bars(&mut self, line: &[u8]) -> Option<Stage> {
        let quits = line.get(..4).is_some_and(|word| word.eq_ignore_ascii_case(b"QUIT"));
        if let Some(why) = self.acl_state.broken.filter(|_| !quits) {
            return Some(match line.eq_ignore_ascii_case(b"RSET") {
                true => self.reply(&[b"250 Reset OK"]),
                false => self.reply(&[b"421 ", why.as_bytes()]),
            });
        }
        match self.connection.barred? {
            Barred::ProxyFailed if quits => None,
            Barred::ProxyFailed => {
                let text = b"503 Command refused, required Proxy negotiation failed";
                Some(self.reply(&[text]))
            }
            Barred::TlsMisused if line.eq_ignore_ascii_case(b"QUIT") => Some(self.quit()),
            Barred::TlsMisused => Some(self.reply(&[b"554 Security failure"])),
        }
    }

    /// Whether a command may come now, as it is.
    fn admit(&mut self, command: Command, argument: &[u8]) -> Result<(), Stage> {
        let is_odd = command.stands_alone() && !argument.is_empty();
        let fits = match self.transaction.only_rset {
            true => matches!(command, Command::Rset | Command::Quit),
            false => command.fits_between_chunks(),
        };
        let within_chunks = self.transaction.chunks.is_some();
        let is_here = fits && !is_odd;
        if !is_here && !command.is_mail() && (within_chunks || self.transaction.only_rset) {
            self.count_misplaced(command)?;
        }
        self.admit_here(is_here)?;
        self.check_sync(Some(command))?;
        if is_odd {
            if command == Command::Rset {
                self.count_nonmail(command, false)?;
            }
            return Err(self.syntax_error(b"501", b"unexpected argument data"));
        }
        if !command.is_mail() {
            self.count_nonmail(command, true)?;
        }
        // Further chunks belong to the first.
        if !within_chunks || command != Command::Bdat {
            self.remember(command);
        }
        Ok(())
    }

    /// Refuses what does not fit where only RSET is accepted, or between the chunks of a
    /// message.
    pub(super) fn admit_here(&mut self, fits: bool) -> Result<(), Stage> {
        if fits {
            return Ok(());
        }
        if self.transaction.only_rset {
            return Err(self.protocol_error(b"503", b"only RSET accepted now"));
        }
        match self.transaction.chunks.is_some() {
            true => Err(self.refuse_within_chunks()),
            false => Ok(()),
        }
    }

    fn obey(&mut self, command: Command, argument: &[u8], last: LastRejected) -> Handled {
        match command {
            Command::Helo => self.hello(false, argument),
            Command::Ehlo => self.hello(true, argument),
            Command::Mail => self.mail(argument),
            Command::Rcpt => self.rcpt(argument, last),
            Command::Data => self.data(last),
            Command::Bdat => self.bdat(argument, last),
            Command::Rset => Ok(self.rset()),
            Command::Quit => Ok(self.quit()),
            Command::Noop => Ok(self.reply(&[b"250 OK"])),
            Command::Help => self.help(),
            Command::Vrfy => self.vrfy(argument),
            Command::Expn => self.expn(argument),
            Command::Atrn => self.atrn(argument),
            Command::Etrn => self.etrn(argument),
            Command::WellKnown => self.well_known(argument),
            Command::Xclient => self.xclient(argument),
            Command::Auth => self.auth(argument),
            Command::StartTls => self.start_tls(),
        }
    }

    fn remember(&mut self, command: Command) {
        let history = &mut self.connection.history;
        if history.len() == REMEMBERED {
            history.pop_front();
        }
        history.push_back(command);
        let shown = self.shown_history();
        self.cx.set_var(var::SMTP_COMMAND_HISTORY, shown);
    }

    fn rset(&mut self) -> Stage {
        self.settle_from_line_of_chunks(true);
        self.name_chunks();
        self.log_incomplete("RSET");
        self.drop_transaction();
        self.reply(&[b"250 Reset OK"])
    }

    pub(super) fn quit(&mut self) -> Stage {
        self.name_chunks();
        self.log_incomplete("QUIT");
        let result = self.acl(opt::ACL_SMTP_QUIT, AclPhases::QUIT).unwrap_or_else(|| unset(true));
        if result.verdict == AclVerdict::Error {
            let why = result.log_message.clone().unwrap_or_default();
            self.log_panic(&[b"ACL for QUIT returned ERROR: ", why.bytes()].concat());
        }
        match result.user_message.filter(|text| !text.is_empty()) {
            // A code in the text is text.
            Some(text) => self.say_lines(reply::lines(b"221", &self.split(text.bytes()), true)),
            None => {
                let host = self.connection.host.clone();
                self.say(&[b"221 ", host.bytes(), b" closing connection"]);
            }
        }
        self.log_end(End::Closed("closed by QUIT"));
        if let Some(data) = self.transaction.chunks.take() {
            return self.connection_lost_in_message(*data);
        }
        self.close()
    }

    fn help(&mut self) -> Handled {
        let tls = if self.offers_tls()? { " STARTTLS" } else { "" };
        let well_known = self.client_may_be_in(opt::WELLKNOWN_ADVERTISE_HOSTS)?;
        let atrn = self.offers_atrn();
        let mut words = format!("AUTH{tls} HELO EHLO MAIL RCPT DATA BDAT NOOP QUIT RSET HELP");
        if atrn {
            words.push_str(" ATRN");
        }
        for (option, word) in [
            (opt::ACL_SMTP_ETRN, " ETRN"),
            (opt::ACL_SMTP_EXPN, " EXPN"),
            (opt::ACL_SMTP_VRFY, " VRFY"),
        ] {
            if self.cx.engine().settings().acl(option).is_some() {
                words.push_str(word);
            }
        }
        if well_known {
            words.push_str(" WELLKNOWN");
        }
        Ok(self.reply(&[b"214-Commands supported:\r\n214 ", words.as_bytes()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_end_at_spaces_or_colons() {
        assert_eq!(Command::parse(b"mail FROM:<a>"), Some((Command::Mail, b"<a>".as_slice())));
        assert_eq!(Command::parse(b"MAIL  FROM:<a>"), None);
        assert_eq!(Command::parse(b"NOOPX"), None);
        assert_eq!(Command::parse(b" NOOP"), None);
        assert_eq!(Command::parse(b"quit"), Some((Command::Quit, b"".as_slice())));
        assert_eq!(Command::parse(b"RCPT"), None);
    }
}
