//! What a session writes to the logs (specification 53), and what of it only some
//! want (`log_selector`).

use eximious::acl::Logs;
use eximious::stdlib::printing::printing;
use eximious::trace::TraceKinds;
use eximious::world::{LogLine, LogVoice};
use eximious::{LogSelector, Str, opt, var};

use super::SmtpSession;
use super::errors::Mistake;
use super::transaction::Arrived;
use crate::{logs, reception, tally};

/// How a connection ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// The client is gone.
    Lost,
    /// By whom or what it was closed: `closed by QUIT`.
    Closed(&'static str),
}

impl SmtpSession {
    /// Writes to the log that nothing is left to be done.
    pub(super) fn log_completion(&mut self) {
        self.tell(&LogLine::of("Completed"));
        let came = self.now();
        tally::completed(&mut self.cx, came);
    }

    /// Whether something is to be logged.
    pub(super) fn logs(&self, what: LogSelector) -> bool {
        self.cx.engine().settings().log_selector().contains(what)
    }

    /// Whether anybody hears of a line that hangs on a selector.
    pub(super) fn tells(&self, what: LogSelector) -> bool {
        let engine = self.cx.engine();
        engine.world().log.hears(engine.settings().log_selector(), what)
    }

    /// Writes a line to the main log, with the message's name where there is one.
    pub(super) fn log(&mut self, line: &[u8]) {
        logs::main(&self.cx, self.message_id())(line);
    }

    /// The same of a line that knows its parts.
    pub(super) fn tell(&mut self, line: &LogLine) {
        logs::tell(&self.cx, self.message_id(), LogVoice::Main, line);
    }

    /// The same where that is wanted.
    pub(super) fn log_if(&mut self, wanted: LogSelector, line: &[u8]) {
        if self.tells(wanted) {
            let (line, engine) = (self.log_line(line), self.cx.engine());
            engine.world().log.by_selector(engine.settings().log_selector(), wanted, &line);
        }
    }

    /// Writes a line to the main log and to that of rejections.
    pub(super) fn log_rejection(&mut self, line: &[u8]) {
        let line = self.log_line(line);
        self.cx.engine().world().log.rejection(&line);
    }

    /// The same, with the header of the message at hand if there is one.
    pub(super) fn log_rejected_message(&mut self, line: &[u8]) {
        let (line, header) = (self.log_line(line), self.rejected_header());
        self.cx.engine().world().log.rejected_message(&line, &header);
    }

    /// The same, and where the main
    /// log has it only if that is wanted. A test shows what is in the main log.
    pub(super) fn log_rejection_if(&mut self, wanted: LogSelector, line: &[u8]) {
        let (main, is_test) = (self.logs(wanted), self.setup.is_test);
        if !main && is_test && !self.cx.engine().world().log.shows_unselected() {
            return;
        }
        let (line, header) = (self.log_line(line), self.rejected_header());
        let logs = Logs { main, ..Logs::REJECTIONS };
        let log = &*self.cx.engine().world().log;
        let which = if is_test { logs.shown_once(log) } else { logs };
        which.write_selected(wanted, log, &line, &header);
    }

    pub(super) fn log_panic(&mut self, line: &[u8]) {
        let line = self.log_line(line);
        self.cx.engine().world().log.panic(&line);
    }

    /// A line with the message's name before it. What a client says does not break
    /// lines.
    pub(super) fn log_line(&self, line: &[u8]) -> Vec<u8> {
        logs::named(self.message_id(), &printing(line, true))
    }

    /// `(helo) [1.2.3.4]`.
    pub(super) fn shown_client(&mut self) -> Vec<u8> {
        eximious::client::plainly_described(&mut self.cx)
    }

    /// Tells what the session is about, to whoever watches.
    pub(super) fn tell_status(&mut self) {
        if !self.cx.trace().wants(TraceKinds::STATUS) {
            return;
        }
        let client = self.shown_client();
        let pid = self.cx.engine().world().host.pid();
        let under = if self.connection.tls.is_established() { "TLS " } else { "" };
        let head = format!("set_process_info: {pid} handling {under}incoming connection from ");
        self.cx.note(TraceKinds::STATUS, &[head.as_bytes(), &client].concat());
    }

    /// `H=(helo) [1.2.3.4]`.
    pub(super) fn logged_client(&mut self) -> Vec<u8> {
        eximious::client::described(&mut self.cx)
    }

    /// Who connects.
    pub(super) fn log_connection(&mut self) {
        // A daemon does not show it to who looks on, unless the log has it.
        let counted = self.connection.client.count.is_some();
        if !self.logs_connections() || counted && !self.logs(LogSelector::SMTP_CONNECTION) {
            return;
        }
        let line = match self.connection.client.count {
            Some(count) => {
                let tail = format!(" (TCP/IP connection count = {count})");
                let client = self.shown_client();
                [b"SMTP connection from ", &client[..], tail.as_bytes()].concat()
            }
            None => [&b"SMTP connection"[..], &self.connection()].concat(),
        };
        self.log_if(LogSelector::SMTP_CONNECTION, &line);
    }

    /// A connection ends.
    pub(super) fn log_end(&mut self, how: End) {
        if self.logs_connections() {
            let connection = self.connection();
            let tail = match how {
                End::Lost => format!(" lost{} D={}", self.breakage(), self.lasted()),
                End::Closed(how) => format!(" D={} {how}", self.lasted()),
            };
            let line = [b"SMTP connection", &connection[..], tail.as_bytes()].concat();
            self.log_if(LogSelector::SMTP_CONNECTION, &line);
        }
    }

    /// ` (error: Connection reset by peer)`, where the connection broke.
    pub(super) fn breakage(&self) -> String {
        self.broken_by().map(|why| format!(" (error: {why})")).unwrap_or_default()
    }

    /// Why the connection broke, if it did. Of what is encrypted, TLS has told it.
    pub(super) fn broken_by(&self) -> Option<String> {
        let broken = self.connection.broken_by.as_ref();
        broken.filter(|_| !self.connection.tls.is_established()).map(ToString::to_string)
    }

    fn logs_connections(&self) -> bool {
        self.tells(LogSelector::SMTP_CONNECTION) && !self.connection.permissions.connection_nolog
    }

    /// ` Ci=5 from (helo) [1.2.3.4]`.
    pub(super) fn connection(&mut self) -> Vec<u8> {
        let client = &self.connection.client;
        let way: &[u8] = match (client.by_inetd, client.is_provider) {
            (true, _) => eximious::client::BY_INETD,
            (false, true) => b" (ODMR customer)",
            (false, false) => b"",
        };
        // A program of this system speaks for itself, whomever it names.
        let leaves_out = client.is_provider || client.by_inetd;
        let who = match client.address.filter(|_| !client.is_program()) {
            // Neither this side's interface, nor its own user as an ident.
            Some(_) if leaves_out => self.variable(var::SENDER_FULLHOST).bytes().to_vec(),
            Some(_) => eximious::client::named(&mut self.cx),
            None => self.variable(var::SENDER_IDENT).bytes().to_vec(),
        };
        logs::connection(&mut self.cx, &[&who, way].concat())
    }

    /// A connection that brought no mail, and what it did instead.
    pub(super) fn log_no_mail(&mut self) {
        let told = std::mem::replace(&mut self.connection.counts.told_of_no_mail, true);
        let told = told || self.connection.permissions.connection_nolog;
        if told || self.connection.counts.messages > 0 || !self.logs(LogSelector::SMTP_NO_MAIL) {
            return;
        }
        let mut line = logs::no_mail(&mut self.cx, self.connection.began);
        let by = self.variable(var::SENDER_HOST_AUTHENTICATED);
        if !by.is_empty() {
            let id = self.variable(var::AUTHENTICATED_ID);
            let colon: &[u8] = if id.is_empty() { b"" } else { b":" };
            line.extend_from_slice(&[b" A=", by.bytes(), colon, id.bytes()].concat());
        }
        line.extend_from_slice(logs::security(&mut self.cx).text());
        line.extend_from_slice(&self.logged_history());
        // The real one does not say that a selector asked for it.
        self.log(&line);
    }

    /// A message that was begun and will not come.
    pub(super) fn log_incomplete(&mut self, why: &str) {
        if !self.logs(LogSelector::SMTP_INCOMPLETE_TRANSACTION) {
            return;
        }
        let Some(envelope) = &self.transaction.envelope else { return };
        let recipients: Vec<&[u8]> =
            envelope.recipients.iter().map(|one| one.address.bytes()).collect();
        let mut tail = [b" from <", envelope.sender.raw.bytes(), b">"].concat();
        if !recipients.is_empty() {
            tail.extend_from_slice(&[b" for ", &recipients.join(&b' ')[..]].concat());
        }
        let middle = format!(" incomplete transaction ({why})");
        let client = self.logged_client();
        let line = [&client[..], middle.as_bytes(), &tail].concat();
        self.log_if(LogSelector::SMTP_INCOMPLETE_TRANSACTION, &line);
    }

    /// An address without a domain, from a client that may not leave it out.
    pub(super) fn log_unqualified(&mut self, what: &str, text: &[u8]) {
        let head = format!("unqualified {what} rejected: <");
        let text = text.strip_prefix(b"<").unwrap_or(text);
        let text = text.strip_suffix(b">").unwrap_or(text);
        let client = self.logged_client();
        let mut line = [head.as_bytes(), text, b"> ", &client].concat();
        if let Some(why) = eximious::client::name_refused(&mut self.cx) {
            line.extend_from_slice(&[b" (", &why[..], b")"].concat());
        }
        self.log_rejection_if(LogSelector::SMTP_SYNTAX_ERROR, &line);
    }

    /// Raises the event of a command that is none, or that is out of place. What it
    /// comes to is nothing to anybody.
    pub(super) fn raise_mistake(&mut self, mistake: Mistake, text: &[u8]) {
        let name = match mistake {
            Mistake::Protocol => "smtp:fail:protocol",
            Mistake::Syntax => "smtp:fail:syntax",
        };
        let _ = eximious::event::raise(&mut self.cx, name, Str::tainted(text));
    }

    /// The command at hand, as logs show it.
    pub(super) fn shown_command(&self) -> Vec<u8> {
        printing(&self.connection.command, self.cx.engine().settings().get(opt::PRINT_TOPBITCHARS))
    }

    /// A command that is none, or that is out of place.
    pub(super) fn log_mistake(&mut self, mistake: Mistake, text: &[u8]) {
        let (what, word): (_, &[u8]) = match mistake {
            Mistake::Protocol => (LogSelector::SMTP_PROTOCOL_ERROR, b"protocol"),
            Mistake::Syntax => (LogSelector::SMTP_SYNTAX_ERROR, b"syntax"),
        };
        if self.tells(what) {
            let client = self.logged_client();
            let command = self.shown_command();
            let line = [b"SMTP ", word, b" error in \"", &command, b"\" ", &client, b" ", text];
            self.log_if(what, &line.concat());
        }
    }

    /// What the log of rejections has of the message at hand: its envelope, and its
    /// header.
    pub(super) fn rejected_header(&self) -> Vec<u8> {
        let (Some(message), Some(envelope)) = (self.cx.message(), &self.transaction.envelope)
        else {
            return Vec::new();
        };
        let sender = envelope.sender.address.bytes();
        let recipients = envelope.recipients.iter().map(|one| one.address.bytes());
        let Arrived { replaced, .. } = &self.transaction.arrived;
        let whose = (sender, recipients);
        reception::rejected(&self.cx, message, whose, replaced, Some(&self.acl_state))
    }
}
