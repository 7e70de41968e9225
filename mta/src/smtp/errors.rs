//! What clients do wrong, and how much of it is too much (specification 14.11,
//! 49.2).

use eximious::acl::AclVerdict;
use eximious::{AclPhases, LogSelector, Str, opt, var};

use super::command::{Command, REMEMBERED};
use super::connection::Barred;
use super::logging::End;
use super::ratelimit::Pace;
use super::stage::Stage;
use super::{SmtpSession, reply};

/// What is counted.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Errors of syntax and of protocol.
    pub(super) errors: i64,
    /// Commands that nobody knows.
    pub(super) unknown: i64,
    /// Commands that bring no mail nearer.
    pub(super) nonmail: i64,
    /// MAIL commands.
    pub(super) messages: i64,
    /// Messages that were received.
    pub(super) received: i64,
    /// Whether a message had to wait because of the load, so that all that follow do.
    pub(super) met_load: bool,
    /// How long the next MAIL has to wait, and the next RCPT.
    pub(super) mail_pace: Pace,
    pub(super) rcpt_pace: Pace,
    /// The commands that were free since the last message: HELO, RSET, AUTH.
    pub(super) free: Vec<Command>,
    /// Whether it was told that no message came.
    pub(super) told_of_no_mail: bool,
    /// Whether the limit of commands that bring no mail is for this client, once
    /// that is known.
    pub(super) limits_nonmail: Option<bool>,
}

/// What is wrong with a command. Logs and events tell the two apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mistake {
    /// It is none, or it can't be read.
    Syntax,
    /// It is out of place.
    Protocol,
}

impl SmtpSession {
    /// Counts a command that is out of place, and says so; too many mistakes end the
    /// connection.
    pub(super) fn protocol_error(&mut self, code: &[u8], text: &[u8]) -> Stage {
        self.mistake(Mistake::Protocol, code, text, text)
    }

    /// The same for a command that can't be read.
    pub(super) fn syntax_error(&mut self, code: &[u8], text: &[u8]) -> Stage {
        self.mistake(Mistake::Syntax, code, text, text)
    }

    /// The same, with other words for the log.
    pub(super) fn syntax_error_as(&mut self, code: &[u8], text: &[u8], logged: &[u8]) -> Stage {
        self.mistake(Mistake::Syntax, code, text, logged)
    }

    fn mistake(&mut self, mistake: Mistake, code: &[u8], text: &[u8], logged: &[u8]) -> Stage {
        if !self.is_one_too_many(mistake, logged) {
            self.say_lines(reply::lines(code, text, true));
            return Stage::COMMANDS;
        }
        let mut bytes = reply::lines(code, text, false);
        bytes.extend(reply::lines(code, b"Too many syntax or protocol errors", true));
        self.say_lines(bytes);
        self.too_many_errors()
    }

    /// A command with NUL in it. That there were too many errors is not told to the
    /// client.
    pub(super) fn refuse_nul(&mut self) -> Stage {
        let text = b"NUL character(s) present (shown as '?')";
        let ends = self.is_one_too_many(Mistake::Syntax, text);
        self.say(&[b"501 NUL characters are not allowed in SMTP commands"]);
        match ends {
            true => self.too_many_errors(),
            false => Stage::COMMANDS,
        }
    }

    /// Logs and counts a mistake; whether it ends the connection.
    fn is_one_too_many(&mut self, mistake: Mistake, logged: &[u8]) -> bool {
        self.log_mistake(mistake, logged);
        self.raise_mistake(mistake, logged);
        self.connection.counts.errors += 1;
        self.has_too_many_errors()
    }

    /// Whether there were more mistakes than one may make.
    pub(super) fn has_too_many_errors(&mut self) -> bool {
        self.connection.counts.errors > self.number(opt::SMTP_MAX_SYNPROT_ERRORS)
    }

    /// Drops a client that made too many mistakes.
    pub(super) fn too_many_errors(&mut self) -> Stage {
        // Where none was heard of, the real one shows that it has nothing to show.
        let history = match self.logged_history() {
            none if none.is_empty() => b"NULL".to_vec(),
            commands => commands,
        };
        let command = self.shown_command();
        let head = [b"SMTP call from ", &self.shown_client()[..]].concat();
        let line = [
            &head,
            b" dropped: too many syntax or protocol errors (last command was \"".as_slice(),
            &command,
            b"\", ",
            &history,
            b")",
        ];
        let chunks = self.transaction.chunks.take();
        match &chunks {
            Some(data) if !self.has_begun(data) => {
                self.log_rejected_beginning(&line.concat(), data.ended_lines());
            }
            chunks => {
                if let Some(data) = chunks {
                    self.show_refused(data.whole_header(), data.drops_from == Some(true));
                }
                self.log_rejected_message(&line.concat());
            }
        }
        self.connection.failed = true;
        match chunks {
            // The rest of the message does not come any more.
            Some(data) => self.connection_lost_in_message(*data),
            None => self.close(),
        }
    }

    /// A command that nobody knows.
    pub(super) fn unknown_command(&mut self) -> Stage {
        if let Err(stage) = self.admit_here(false).and_then(|()| self.check_sync(None)) {
            return stage;
        }
        self.refuse_unknown()
    }

    /// What a client hears of a command that nobody knows.
    fn refuse_unknown(&mut self) -> Stage {
        let most = self.number(opt::SMTP_MAX_UNKNOWN_COMMANDS);
        self.connection.counts.unknown += 1;
        if self.connection.counts.unknown <= most {
            return self.syntax_error(b"500", b"unrecognized command");
        }
        self.log_mistake(Mistake::Syntax, b"unrecognized command");
        self.log_incomplete("unrecognized command");
        let command = self.shown_command();
        self.run_notquit("bad-commands", Some((b"500", b"Too many unrecognized commands")));
        let head = [b"SMTP call from ", &self.shown_client()[..]].concat();
        let tail = b" dropped: too many unrecognized commands (last was \"";
        self.log_rejection(&[&head, tail.as_slice(), &command, b"\")"].concat());
        self.close()
    }

    /// A command that is longer than any is. What comes with it is the rest of its line.
    pub(super) fn overlong_command(&mut self) -> Stage {
        match self.admit_here(false) {
            Err(stage) => stage,
            Ok(()) => self.refuse_unknown(),
        }
    }

    /// Counts a command that brings no mail nearer, whether it is one that can be `taken` or
    /// not; whether that was one too many.
    fn is_beyond_nonmail(&mut self, command: Command, taken: bool) -> Result<bool, Stage> {
        let counted = match command {
            // Nobody can have TLS twice, so it is not counted how often it is asked for.
            Command::StartTls => return Ok(false),
            Command::Ehlo => Command::Helo,
            other => other,
        };
        let free = &mut self.connection.counts.free;
        if matches!(counted, Command::Helo | Command::Rset | Command::Auth)
            && !free.contains(&counted)
        {
            if taken {
                free.push(counted);
            }
            return Ok(false);
        }
        let limited = match self.connection.counts.limits_nonmail {
            Some(limited) => limited,
            None => self.client_may_be_in(opt::SMTP_ACCEPT_MAX_NONMAIL_HOSTS)?,
        };
        self.connection.counts.limits_nonmail = Some(limited);
        self.connection.counts.nonmail += i64::from(limited);
        Ok(self.connection.counts.nonmail > self.number(opt::SMTP_ACCEPT_MAX_NONMAIL))
    }

    /// Counts a command that brings no mail nearer, and that is out of place.
    pub(super) fn count_misplaced(&mut self, command: Command) -> Result<(), Stage> {
        self.is_beyond_nonmail(command, false).map(|_| ())
    }

    /// Counts a command that brings no mail nearer, and drops who sent one too many.
    pub(super) fn count_nonmail(&mut self, command: Command, taken: bool) -> Result<(), Stage> {
        if !self.is_beyond_nonmail(command, taken)? {
            return Ok(());
        }
        if self.transaction.chunks.is_some() {
            return Err(self.refuse_within_chunks());
        }
        self.log_incomplete("too many non-mail commands");
        let head = [b"SMTP call from ", &self.shown_client()[..]].concat();
        let tail = b" dropped: too many nonmail commands (last was \"";
        let mut words = self.connection.command.split(|byte| *byte == b' ');
        let word = words.next().unwrap_or_default().to_vec();
        self.log_rejection(&[&head, tail.as_slice(), &word, b"\")"].concat());
        self.run_notquit("bad-commands", Some((b"554", b"Too many nonmail commands")));
        self.connection.failed = true;
        Err(self.close())
    }

    /// The client is gone.
    pub(super) fn connection_lost(&mut self) -> Stage {
        self.log_broken_tls();
        // To whom nothing but that was said, nothing more is.
        if self.acl_state.broken.is_some() {
            return self.close();
        }
        if self.connection.barred == Some(Barred::TlsMisused) {
            return self.end_of_tls();
        }
        let host = self.connection.host.clone();
        let text = [host.bytes(), b" lost input connection"].concat();
        self.log_incomplete("connection lost");
        self.run_notquit("connection-lost", Some((b"421", &text)));
        match self.transaction.envelope.is_some() {
            true => {
                if self.tells(LogSelector::LOST_INCOMING_CONNECTION) {
                    let client = self.shown_client();
                    let what: &[u8] = match self.connection.client.address {
                        Some(_) => b"disconnection",
                        None => b"EOF",
                    };
                    let tail = format!("{} D={}", self.breakage(), self.lasted());
                    let head = b" while reading SMTP command from ";
                    let line = [b"unexpected ", what, head, &client[..], tail.as_bytes()].concat();
                    self.log_if(LogSelector::LOST_INCOMING_CONNECTION, &line);
                }
            }
            false => self.log_end(End::Lost),
        }
        self.connection.failed = true;
        self.close()
    }

    /// How long it took so far: `5s`, or `5.125s` where milliseconds are logged.
    pub(super) fn lasted(&self) -> String {
        crate::logs::lasted(&self.cx, self.connection.began)
    }

    /// Runs the ACL for connections that end without QUIT, and says why it ends,
    /// where there is something to say.
    pub(super) fn run_notquit(
        &mut self,
        reason: &'static str,
        text: Option<(&'static [u8], &[u8])>,
    ) {
        self.cx.set_var(var::SMTP_NOTQUIT_REASON, Str::fixed(reason));
        let result = self.acl(opt::ACL_SMTP_NOTQUIT, AclPhases::NOTQUIT);
        let mut said = None;
        if let Some(result) = result {
            if result.verdict == AclVerdict::Error {
                let why = result.log_message.unwrap_or_default();
                self.log_panic(&[b"ACL for not-QUIT returned ERROR: ", why.bytes()].concat());
            }
            said = result.user_message;
        }
        if let Some((code, text)) = text {
            // A code of its own means nothing here.
            let split = self.split(said.as_ref().map_or(text, Str::bytes));
            self.say_lines(reply::lines(code, &split, true));
        }
    }

    /// The last commands as logs have them: ` C=EHLO,MAIL`; nothing where there was none.
    pub(super) fn logged_history(&self) -> Vec<u8> {
        let dots: &[u8] = if self.connection.history.len() < REMEMBERED { b"" } else { b"..." };
        match self.shown_history() {
            none if none.is_empty() => none,
            commands => [b" C=", dots, &commands].concat(),
        }
    }

    /// The last commands: `EHLO,MAIL`.
    pub(super) fn shown_history(&self) -> Vec<u8> {
        let names: Vec<&[u8]> =
            self.connection.history.iter().map(|command| command.name().as_bytes()).collect();
        names.join(&b',')
    }
}
