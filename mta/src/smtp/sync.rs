//! Clients that do not wait for replies (`smtp_enforce_sync`).

use eximious::stdlib::printing::printing;
use eximious::{LogSelector, opt};

use super::Session;

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

impl Session {
    /// Whether commands were sent before they were asked for, as the log shows that.
    pub(super) fn shown_pipelining(&self) -> Vec<u8> {
        if !self.logs(LogSelector::PIPELINING) || !self.offers.pipelining {
            return Vec::new();
        }
        let early = match (self.pipelined.offered_early, self.pipelined.early) {
            (false, _) => "",
            (true, false) => ".",
            (true, true) => "*",
        };
        let late = if self.pipelined.late { "" } else { "-" };
        format!("L{early}{late}").into_bytes()
    }

    /// Whether the client waits, as it should, before it is greeted.
    pub(super) fn waits_for_greeting(&mut self) -> bool {
        self.pipelined.offered_early = self.offers.early_pipelining;
        self.pipelined.early = self.offers.early_pipelining && !self.input.rest().is_empty();
        if !self.is_too_soon() || self.offers.early_pipelining {
            return true;
        }
        let client = self.logged_client();
        let middle = b"input sent without waiting for greeting): rejected connection from ";
        let input = printable(self.input.rest());
        let line = [HEAD, middle, &client, b" input=\"", &input, b"\""].concat();
        self.log_rejection(&line);
        self.say(&[b"554 SMTP synchronization error"]);
        self.failed = true;
        self.close();
        false
    }

    /// Whether the client waits for the reply to a command that must stand last in
    /// what it sends.
    pub(super) fn waits(&mut self, name: &'static str) -> bool {
        let sent_on = !self.input.rest().is_empty() && self.offers.pipelining;
        self.pipelined.late |= sent_on && matches!(name, "MAIL" | "RCPT");
        // Who may speak before the greeting is not watched until its first message.
        if self.offers.early_pipelining || !self.is_too_soon() {
            return true;
        }
        let may_go_on = matches!(name, "MAIL" | "RCPT" | "RSET" | "BDAT");
        if (self.offers.pipelining && may_go_on) || matches!(name, "BDAT" | "QUIT") {
            return true;
        }
        self.reject_haste();
        false
    }

    /// Whether the client waits for the good reply to a command of an envelope, where
    /// nobody told it that it need not.
    pub(super) fn waits_for_acceptance(&mut self) -> bool {
        if self.offers.pipelining || !self.is_too_soon() {
            return true;
        }
        self.reject_haste();
        false
    }

    fn reject_haste(&mut self) {
        let pipelined = self.offers.pipelining;
        let client = self.logged_client();
        let advertised: &[u8] = if pipelined { b"advertised" } else { b"not advertised" };
        let input = printable(self.loggable_rest());
        let count = format!("\" ({} bytes)", self.input.rest().len());
        let line = [
            HEAD,
            b"next input sent too soon: pipelining was ",
            advertised,
            b"): rejected \"",
            &self.command,
            b"\" ",
            &client,
            b" next input=\"",
            &input,
            count.as_bytes(),
        ];
        self.log_rejection(&line.concat());
        self.not_quit("synchronization-error", Some((b"554", b"SMTP synchronization error")));
        self.failed = true;
        self.close();
    }

    fn is_too_soon(&self) -> bool {
        let controls = &self.acl_state;
        let enforced = self.client.synchronizes
            && (self.flag(opt::SMTP_ENFORCE_SYNC) || controls.has("enforce_sync"))
            && !controls.has("no_enforce_sync");
        enforced && !self.input.rest().is_empty()
    }
}

const HEAD: &[u8] = b"SMTP protocol synchronization error (";

fn printable(text: &[u8]) -> Vec<u8> {
    printing(&text[..text.len().min(SHOWN)], false)
}
