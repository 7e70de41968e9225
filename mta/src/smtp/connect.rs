//! How a connection begins (specification 44.2.2, 14.11).

use eximious::acl::AclVerdict;
use eximious::stdlib::lists::ListOutcome;
use eximious::{AclPhases, FailClass, LogSelector, Str, opt, var};

use super::options::Unopened;
use super::stage::Stage;
use super::tls::Greeting;
use super::verdict::Refused;
use super::{SmtpSession, reply};
use crate::options;

impl SmtpSession {
    /// Tells the values of the conversation who is connected.
    pub(super) fn set_client_variables(&mut self) {
        let client = self.connection.client.clone();
        let cx = &mut self.cx;
        let address = client.address.map(|address| address.to_canonical().to_string());
        cx.set_var(var::SENDER_HOST_ADDRESS, Str::from(address.unwrap_or_default()));
        cx.set_var(var::SENDER_HOST_PORT, client.port.to_string());
        if let Some(local) = client.local_address {
            cx.set_var(var::RECEIVED_IP_ADDRESS, local.to_canonical().to_string());
        }
        if let Some(port) = client.local_port {
            cx.set_var(var::RECEIVED_PORT, port.to_string());
        }
        for var in [var::SENDER_ADDRESS, var::SENDER_IDENT, var::SENDER_HELO_NAME] {
            cx.set_var(var, Str::EMPTY);
        }
        for var in [var::AUTHENTICATED_ID, var::AUTHENTICATED_SENDER] {
            cx.set_var(var, Str::EMPTY);
        }
        cx.set_var(var::AUTHENTICATION_FAILED, Str::fixed("0"));
        if !client.connection.is_empty() {
            cx.set_var(var::CONNECTION_ID, client.connection.clone());
        }
        eximious::client::describe(cx);
        if self.connection.client.by_inetd {
            eximious::client::came_by_inetd(cx);
        }
        if self.connection.client.is_program() {
            eximious::client::is_program(cx);
        }
        self.note_protocol(false);
    }

    /// Looks at whoever is connected.
    pub(super) fn start(&mut self) -> Stage {
        // Until the client is greeted, a test is of whoever runs it.
        if self.setup.is_test {
            self.cx.unset_var(var::SENDER_ADDRESS);
        }
        self.connection.host = match self.active_hostname() {
            Some(name) => name,
            None => {
                self.connection.failed = true;
                self.say(&[b"421 Local configuration error; please try again later."]);
                return self.close();
            }
        };
        if let Err(stage) = self.admit_host() {
            return stage;
        }
        if self.connection.client.address.is_none() {
            return self.welcome();
        }
        match self.ask_for_client(opt::HOSTS_PROXY) {
            Ok(ListOutcome::Matched(_)) => self.expect_proxy(),
            Ok(ListOutcome::Unmatched(_)) => self.welcome(),
            // A proxy must never be taken for the client that it speaks for.
            Ok(ListOutcome::Deferred(_)) | Err(_) => self.fail_unexpectedly(),
        }
    }

    /// Asks the ACL for connections, and greets the client.
    pub(super) fn welcome(&mut self) -> Stage {
        // What is wrong with how long it waits is told before.
        self.receive_timeout();
        let mut banner = None;
        if let Some(result) = self.acl(opt::ACL_SMTP_CONNECT, AclPhases::CONNECT) {
            if result.verdict != AclVerdict::Accept && self.begins_with_tls() {
                return self.drop_before_tls(&result);
            }
            if result.verdict != AclVerdict::Accept {
                let mut refused = Refused::new(&[b"connection in \"connect\" ACL"]);
                refused.main_log = self.logs(LogSelector::CONNECTION_REJECT);
                return match self.refuse(&refused, result) {
                    Stage::Done => Stage::Done,
                    _ => self.close(),
                };
            }
            banner = result.user_message.filter(|text| !text.is_empty());
        }
        // Which list it was is what this ACL found, and no later one.
        [var::DNSLIST_DOMAIN, var::DNSLIST_MATCHED]
            .into_iter()
            .for_each(|var| self.cx.unset_var(var));
        let greeting = Greeting(banner);
        match self.begins_with_tls() {
            true => self.begin_with_tls(greeting),
            false => self.greet(greeting),
        }
    }

    /// Nothing can be told for a greeting: unless that is meant, the client hears so.
    fn close_ungreeted(&mut self, class: FailClass) -> Stage {
        if class != FailClass::Forced && !self.setup.is_test {
            self.connection.failed = true;
            self.say(&[b"421 Unexpected failure, please try later"]);
        }
        self.close()
    }

    /// Greets the client, which has to wait for that.
    pub(super) fn greet(&mut self, Greeting(banner): Greeting) -> Stage {
        let lines = match self.greeting_lines(banner) {
            Ok(lines) => lines,
            Err(stage) => return stage,
        };
        if let Err(stage) = self.check_sync_of_greeting() {
            return stage;
        }
        self.say_lines(lines);
        self.connection.banner_sent = true;
        // What the ACL kept of a message is of none that comes.
        self.drop_transaction();
        Stage::COMMANDS
    }

    /// What the client is greeted with, if that can be told.
    pub(super) fn greeting_lines(&mut self, banner: Option<Str>) -> Result<Vec<u8>, Stage> {
        self.cx.set_var(var::SENDER_ADDRESS, Str::EMPTY);
        let (code, text) = match banner {
            Some(text) => {
                let (code, text, _) = self.coded(b"220", text.bytes());
                (code, Str::from(text))
            }
            None => {
                let banner = self.banner().map_err(|class| self.close_ungreeted(class))?;
                (b"220".to_vec(), banner)
            }
        };
        self.connection.advertised.early_pipelining = self.connection.client.address.is_some()
            && self.client_in(opt::PIPELINING_CONNECT_ADVERTISE_HOSTS)?;
        // Each line is said, be it an empty one.
        let mut lines = text.bytes().trim_ascii_end().split(|byte| *byte == b'\n').peekable();
        let mut greeting = Vec::new();
        while let Some(line) = lines.next() {
            greeting.extend(reply::lines(&code, line, lines.peek().is_none()));
        }
        Ok(greeting)
    }

    /// `smtp_banner`.
    fn banner(&mut self) -> Result<Str, FailClass> {
        let text = self.text(opt::SMTP_BANNER);
        let engine = self.cx.engine().clone();
        match engine.expand_once(text.bytes(), &mut self.cx) {
            Ok(banner) => Ok(banner),
            Err(fail) => {
                let head =
                    [b"Expansion of \"", text.bytes(), b"\" (smtp_banner) failed: "].concat();
                let line = [&head, fail.message()].concat();
                match fail.class() {
                    FailClass::Forced => self.log(&line),
                    _ => self.log_panic(&line),
                }
                Err(fail.class())
            }
        }
    }

    /// The name of this host for the connection; nothing where it can't be told, which is
    /// logged.
    fn active_hostname(&mut self) -> Option<Str> {
        // A test begins only when this host has a name.
        let muted = self.cx.trace().mute();
        let name = options::active_hostname(&mut self.cx);
        self.cx.trace().unmute(muted);
        name.ok()
    }

    /// Whether the logs are not to have the connection, where they would.
    fn settle_connection_nolog(&mut self) -> Result<(), Stage> {
        let logs = [LogSelector::SMTP_CONNECTION, LogSelector::SMTP_NO_MAIL];
        if !self.setup.is_test && !logs.into_iter().any(|selector| self.logs(selector)) {
            return Ok(());
        }
        self.connection.permissions.connection_nolog = self
            .is_client_listed(opt::HOSTS_CONNECTION_NOLOG)
            .map_err(|Unopened| self.refuse_unserved())?;
        Ok(())
    }

    /// What the options say of the client; whether it was turned away.
    fn admit_host(&mut self) -> Result<(), Stage> {
        if self.connection.client.address.is_none() {
            self.connection.permissions.unqualified_senders =
                !self.connection.client.qualifies_itself;
            self.connection.permissions.unqualified_recipients =
                !self.connection.client.qualifies_itself;
            self.log_connection();
            self.settle_size_limit()?;
            self.settle_most_recipients();
            return Ok(());
        }
        self.settle_connection_nolog()?;
        self.log_connection();
        self.settle_size_limit()?;
        if self.client_in(opt::HOST_LOOKUP)? {
            let _ = eximious::client::look_up_name(&mut self.cx);
            eximious::client::describe(&mut self.cx);
        }
        self.ask_for_ident()?;
        self.tell_status();
        if self.client_in(opt::HOST_REJECT_CONNECTION)? {
            let client = self.shown_client();
            let tail = b" (host_reject_connection)".as_slice();
            let line = [b"refused connection from ", &client[..], tail].concat();
            self.log_rejection_if(LogSelector::CONNECTION_REJECT, &line);
            self.say(&[b"554 SMTP service not available"]);
            return Err(self.close());
        }
        self.check_reserve()?;
        self.connection.permissions.unqualified_senders =
            self.client_in(opt::SENDER_UNQUALIFIED_HOSTS)?;
        self.connection.permissions.unqualified_recipients =
            self.client_in(opt::RECIPIENT_UNQUALIFIED_HOSTS)?;
        self.connection.permissions.verify_helo = self.client_in(opt::HELO_VERIFY_HOSTS)?;
        if !self.connection.permissions.verify_helo {
            self.connection.permissions.try_verify_helo =
                self.client_in(opt::HELO_TRY_VERIFY_HOSTS)?;
        }
        self.connection.permissions.accept_junk_helo =
            self.client_in(opt::HELO_ACCEPT_JUNK_HOSTS)?;
        self.settle_most_recipients();
        Ok(())
    }
}
