//! Clients that do not wait for replies (`smtp_enforce_sync`).

use eximious::stdlib::printing::printing;
use eximious::{LogSelector, opt};

use super::SmtpSession;
use super::command::Command;
use super::stage::Stage;

/// How much of what came too soon is shown.
const SHOWN: usize = 150;

/// Which commands came before they were asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pipelined {
    /// Whether the first command may come before the greeting, and did.
    offered_early: bool,
    early: bool,
    /// Whether commands of an envelope came together.
    late: bool,
}

impl SmtpSession {
    /// Whether commands were sent before they were asked for, as the log shows that.
    pub(super) fn shown_pipelining(&self) -> Vec<u8> {
        if !self.logs(LogSelector::PIPELINING) || !self.connection.advertised.pipelining {
            return Vec::new();
        }
        let early = match (self.connection.pipelined.offered_early, self.connection.pipelined.early)
        {
            (false, _) => "",
            (true, false) => ".",
            (true, true) => "*",
        };
        let late = if self.connection.pipelined.late { "" } else { "-" };
        format!("L{early}{late}").into_bytes()
    }

    /// Whether the client waits, as it should, before it is greeted.
    pub(super) fn check_sync_of_greeting(&mut self) -> Result<(), Stage> {
        self.connection.pipelined.offered_early = self.connection.advertised.early_pipelining;
        self.connection.pipelined.early =
            self.connection.advertised.early_pipelining && !self.input.rest().is_empty();
        if !self.is_too_soon() || self.connection.advertised.early_pipelining {
            return Ok(());
        }
        let client = self.logged_client();
        let middle = b"input sent without waiting for greeting): rejected connection from ";
        let input = printable(self.input.rest());
        let line = [HEAD, middle, &client, b" input=\"", &input, b"\""].concat();
        self.log_rejection(&line);
        self.say(&[b"554 SMTP synchronization error"]);
        self.connection.failed = true;
        Err(self.close())
    }

    /// Whether the client waits for the reply to a command that must stand last in
    /// what it sends.
    pub(super) fn check_sync(&mut self, command: Option<Command>) -> Result<(), Stage> {
        // A file has all of it at once, which says nothing.
        let sent_on = self.is_too_soon() && self.connection.advertised.pipelining;
        self.connection.pipelined.late |=
            sent_on && matches!(command, Some(Command::Mail | Command::Rcpt));
        // Who may speak before the greeting is not watched until its first message, and
        // nobody's commands are that come encrypted.
        if self.connection.advertised.early_pipelining
            || self.connection.tls.is_established()
            || !self.is_too_soon()
        {
            return Ok(());
        }
        let may_go_on = match command {
            Some(Command::Bdat | Command::Quit | Command::Auth | Command::Help) => true,
            Some(Command::Mail | Command::Rcpt | Command::Rset) => {
                self.connection.advertised.pipelining
            }
            _ => false,
        };
        if may_go_on { Ok(()) } else { Err(self.reject_unsynchronized()) }
    }

    /// Whether the client waits for the good reply to a command of an envelope, where
    /// nobody told it that it need not.
    pub(super) fn check_sync_of_acceptance(&mut self) -> Result<(), Stage> {
        if self.connection.advertised.pipelining || !self.is_too_soon() {
            return Ok(());
        }
        Err(self.reject_unsynchronized())
    }

    /// Whether the client waits for the word to send its message where an ACL has it, be it one
    /// that need not wait before: what comes too soon could be read in two ways.
    pub(super) fn check_sync_of_message(&mut self) -> Result<(), Stage> {
        if self.connection.tls.is_established() || !self.is_too_soon() {
            return Ok(());
        }
        Err(self.reject_unsynchronized())
    }

    fn reject_unsynchronized(&mut self) -> Stage {
        self.log_incomplete("sync failure");
        let pipelined = self.connection.advertised.pipelining;
        let client = self.logged_client();
        let advertised: &[u8] = if pipelined { b"advertised" } else { b"not advertised" };
        let input = printable(self.loggable_rest());
        let count = format!("\" ({} bytes)", self.input.rest().len().min(SHOWN));
        let line = [
            HEAD,
            b"next input sent too soon: pipelining was ",
            advertised,
            b"): rejected \"",
            &self.connection.command,
            b"\" ",
            &client,
            b" next input=\"",
            &input,
            count.as_bytes(),
        ];
        self.log_rejection(&line.concat());
        self.run_notquit("synchronization-error", Some((b"554", b"SMTP synchronization error")));
        self.connection.failed = true;
        self.close()
    }

    fn is_too_soon(&self) -> bool {
        let controls = &self.acl_state;
        let enforced = self.connection.client.synchronizes
            && (self.flag(opt::SMTP_ENFORCE_SYNC) || controls.has("enforce_sync"))
            && !controls.has("no_enforce_sync");
        enforced && !self.input.rest().is_empty()
    }
}

const HEAD: &[u8] = b"SMTP protocol synchronization error (";

fn printable(text: &[u8]) -> Vec<u8> {
    printing(&text[..text.len().min(SHOWN)], false)
}
