//! What clients do wrong, and how much of it is too much (specification 14.11,
//! 49.2).

use eximious::acl::AclVerdict;
use eximious::{AclPhases, LogSelector, Str, opt, var};

use super::command::REMEMBERED;
use super::ratelimit::Pace;
use super::{Session, reply};

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
    /// How long the next MAIL has to wait, and the next RCPT.
    pub(super) mail_pace: Pace,
    pub(super) rcpt_pace: Pace,
    /// The commands that were free since the last message: HELO, RSET, AUTH.
    pub(super) free: Vec<&'static str>,
    /// Whether it was told that no message came.
    pub(super) told_of_no_mail: bool,
    /// Whether the limit of commands that bring no mail is for this client, once
    /// that is known.
    pub(super) limits_nonmail: Option<bool>,
}

impl Session {
    /// Counts an error, and says so; too many end the connection.
    pub(super) fn protocol_error(&mut self, code: &[u8], text: &[u8]) {
        self.mistake(code, text, text);
    }

    /// The same, with other words for the log.
    pub(super) fn mistake(&mut self, code: &[u8], text: &[u8], logged: &[u8]) {
        if !self.is_one_too_many(code, logged) {
            self.say_lines(reply::lines(code, text, true));
            return;
        }
        let mut bytes = reply::lines(code, text, false);
        bytes.extend(reply::lines(code, b"Too many syntax or protocol errors", true));
        self.say_lines(bytes);
        self.too_many_errors();
    }

    /// A command with NUL in it. That there were too many errors is not told to the
    /// client.
    pub(super) fn hear_of_nul(&mut self) {
        let ends = self.is_one_too_many(b"501", b"NUL character(s) present (shown as '?')");
        self.say(&[b"501 NUL characters are not allowed in SMTP commands"]);
        if ends {
            self.too_many_errors();
        }
    }

    /// Logs and counts an error; whether it ends the connection.
    fn is_one_too_many(&mut self, code: &[u8], logged: &[u8]) -> bool {
        self.log_mistake(code, logged);
        self.tell_of_mistake(code, logged);
        self.counts.errors += 1;
        self.counts.errors > self.number(opt::SMTP_MAX_SYNPROT_ERRORS)
    }

    /// Drops a client that made too many mistakes.
    pub(super) fn too_many_errors(&mut self) {
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
        self.log_rejection(&line.concat());
        self.failed = true;
        match self.chunks.is_some() {
            // The rest of the message does not come any more.
            true => self.lost_in_message(),
            false => self.close(),
        }
    }

    /// A command that nobody knows.
    pub(super) fn unknown(&mut self) {
        if self.only_reset {
            return self.protocol_error(b"503", b"only RSET accepted now");
        }
        if self.chunks.is_some() {
            return self.refuse_within_chunks();
        }
        if !self.waits("") {
            return;
        }
        let most = self.number(opt::SMTP_MAX_UNKNOWN_COMMANDS);
        self.counts.unknown += 1;
        if self.counts.unknown <= most {
            self.protocol_error(b"500", b"unrecognized command");
            return;
        }
        self.log_mistake(b"500", b"unrecognized command");
        self.log_incomplete("unrecognized command");
        let command = self.shown_command();
        self.not_quit("bad-commands", Some((b"500", b"Too many unrecognized commands")));
        let head = [b"SMTP call from ", &self.shown_client()[..]].concat();
        let tail = b" dropped: too many unrecognized commands (last was \"";
        self.log_rejection(&[&head, tail.as_slice(), &command, b"\")"].concat());
        self.close();
    }

    /// Counts a command that brings no mail nearer; false where that was one too
    /// many.
    pub(super) fn may_go_on(&mut self, name: &'static str) -> bool {
        // Nobody can have TLS twice, so it is not counted how often it is asked for.
        if name == "STARTTLS" {
            return true;
        }
        if matches!(name, "HELO" | "RSET" | "AUTH") && !self.counts.free.contains(&name) {
            self.counts.free.push(name);
            return true;
        }
        let limited = match self.counts.limits_nonmail {
            Some(limited) => limited,
            None => self.client_in(opt::SMTP_ACCEPT_MAX_NONMAIL_HOSTS),
        };
        self.counts.limits_nonmail = Some(limited);
        self.counts.nonmail += i64::from(limited);
        if self.counts.nonmail <= self.number(opt::SMTP_ACCEPT_MAX_NONMAIL) {
            return true;
        }
        let head = [b"SMTP call from ", &self.shown_client()[..]].concat();
        let tail = b" dropped: too many nonmail commands (last was \"";
        let word = self.command.split(|byte| *byte == b' ').next().unwrap_or_default().to_vec();
        self.log_rejection(&[&head, tail.as_slice(), &word, b"\")"].concat());
        self.not_quit("bad-commands", Some((b"554", b"Too many nonmail commands")));
        self.failed = true;
        self.close();
        false
    }

    /// The client is gone.
    pub(super) fn lost(&mut self) {
        let host = self.host.clone();
        let text = [host.bytes(), b" lost input connection"].concat();
        self.log_incomplete("connection lost");
        self.not_quit("connection-lost", Some((b"421", &text)));
        match self.envelope.is_some() {
            true => {
                if self.logs(LogSelector::LOST_INCOMING_CONNECTION) {
                    let client = self.shown_client();
                    let lasted = self.lasted();
                    let head = b"unexpected disconnection while reading SMTP command from ";
                    self.log(&[head, &client[..], b" D=", lasted.as_bytes()].concat());
                }
            }
            false => self.log_end("lost"),
        }
        self.failed = true;
        self.close();
    }

    /// How long it took so far: `5s`, or `5.125s` where milliseconds are logged.
    pub(super) fn lasted(&self) -> String {
        crate::logs::lasted(&self.cx, self.began)
    }

    /// Runs the ACL for connections that end without QUIT, and says why it ends,
    /// where there is something to say.
    pub(super) fn not_quit(&mut self, reason: &'static str, text: Option<(&'static [u8], &[u8])>) {
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
        let dots: &[u8] = if self.history.len() < REMEMBERED { b"" } else { b"..." };
        match self.shown_history() {
            none if none.is_empty() => none,
            commands => [b" C=", dots, &commands].concat(),
        }
    }

    /// The last commands: `EHLO,MAIL`.
    pub(super) fn shown_history(&self) -> Vec<u8> {
        let names: Vec<&[u8]> = self.history.iter().map(|name| name.as_bytes()).collect();
        names.join(&b',')
    }
}
