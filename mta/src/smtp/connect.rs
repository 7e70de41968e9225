//! How a connection begins (specification 44.2.2, 14.11).

use eximious::acl::AclVerdict;
use eximious::{AclPhases, LogSelector, Str};

use super::stage::Stage;
use super::tls::Greeting;
use super::transaction::UNKNOWN_SIZE;
use super::verdict::Refused;
use super::{SmtpSession, reply};

impl SmtpSession {
    /// Tells the values of the conversation who is connected.
    pub(super) fn set_client_variables(&mut self) {
        let client = self.connection.client.clone();
        let cx = &mut self.cx;
        let address = client.address.map(|address| address.to_canonical().to_string());
        cx.set("sender_host_address", Str::from(address.unwrap_or_default()));
        cx.set_clean("sender_host_port", client.port.to_string());
        if let Some(local) = client.local_address {
            cx.set_clean("received_ip_address", local.to_canonical().to_string());
        }
        if let Some(port) = client.local_port {
            cx.set_clean("received_port", port.to_string());
        }
        for name in ["sender_address", "sender_ident", "sender_helo_name"] {
            cx.set(name, Str::EMPTY);
        }
        for name in ["authenticated_id", "authenticated_sender"] {
            cx.set(name, Str::EMPTY);
        }
        cx.set("authentication_failed", Str::fixed("0"));
        if !client.connection.is_empty() {
            cx.set("connection_id", client.connection.clone());
        }
        eximious::client::describe(cx);
        if self.connection.client.by_inetd {
            eximious::client::came_by_inetd(cx);
        }
        self.note_protocol(false);
    }

    /// Looks at whoever is connected.
    pub(super) fn start(&mut self) -> Stage {
        // Until the client is greeted, a test is of whoever runs it.
        if self.setup.is_test {
            self.cx.unset("sender_address");
        }
        self.connection.host = self.active_hostname();
        if let Err(stage) = self.admit_host() {
            return stage;
        }
        match self.connection.client.address.is_some() && self.client_in("hosts_proxy") {
            true => self.expect_proxy(),
            false => self.welcome(),
        }
    }

    /// Asks the ACL for connections, and greets the client.
    pub(super) fn welcome(&mut self) -> Stage {
        let mut banner = None;
        if let Some(result) = self.acl("acl_smtp_connect", AclPhases::CONNECT) {
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
        let greeting = Greeting(banner);
        match self.begins_with_tls() {
            true => self.begin_with_tls(greeting),
            false => self.greet(greeting),
        }
    }

    /// Greets the client, which has to wait for that.
    pub(super) fn greet(&mut self, Greeting(banner): Greeting) -> Stage {
        self.cx.set("message_size", Str::fixed(UNKNOWN_SIZE));
        self.cx.set("sender_address", Str::EMPTY);
        let (code, text) = match banner {
            Some(text) => {
                let (code, text, _) = self.coded(b"220", text.bytes());
                (code, Str::from(text))
            }
            None => {
                let Some(text) = self.banner() else { return self.close() };
                (b"220".to_vec(), text)
            }
        };
        self.connection.advertised.early_pipelining = self.connection.client.address.is_some()
            && self.client_in("pipelining_connect_advertise_hosts");
        if let Err(stage) = self.check_sync_of_greeting() {
            return stage;
        }
        let bytes = reply::lines(&code, text.bytes(), true);
        self.say_lines(bytes);
        self.connection.banner_sent = true;
        Stage::COMMANDS
    }

    /// `smtp_banner`; without a banner that can be told, nothing is said at all.
    fn banner(&mut self) -> Option<Str> {
        let text = self.text("smtp_banner");
        let engine = self.cx.engine().clone();
        match engine.expand_once(text.bytes(), &mut self.cx) {
            Ok(banner) => Some(banner),
            Err(fail) => {
                let head =
                    [b"Expansion of \"", text.bytes(), b"\" (smtp_banner) failed: "].concat();
                self.log_panic(&[&head, fail.message()].concat());
                None
            }
        }
    }

    fn active_hostname(&mut self) -> Str {
        // A test begins only when this host has a name.
        let muted = self.cx.trace().mute();
        let expanded = self.expanded("smtp_active_hostname");
        self.cx.trace().unmute(muted);
        let name = match expanded {
            Some(name) if !name.is_empty() => name,
            _ => self.variable("primary_hostname"),
        };
        self.cx.set("smtp_active_hostname", name.clone());
        name
    }

    /// What the options say of the client; whether it was turned away.
    fn admit_host(&mut self) -> Result<(), Stage> {
        if self.connection.client.address.is_none() {
            self.connection.permissions.unqualified_senders =
                !self.connection.client.qualifies_itself;
            self.connection.permissions.unqualified_recipients =
                !self.connection.client.qualifies_itself;
            self.log_connection();
            return self.settle_size_limit();
        }
        self.connection.permissions.connection_nolog = self.client_in("hosts_connection_nolog");
        self.log_connection();
        self.settle_size_limit()?;
        if self.client_in("host_lookup") {
            let _ = eximious::client::look_up_name(&mut self.cx);
            eximious::client::describe(&mut self.cx);
        }
        self.ask_for_ident();
        if self.client_in("host_reject_connection") {
            let client = self.shown_client();
            let tail = b" (host_reject_connection)".as_slice();
            let line = [b"refused connection from ", &client[..], tail].concat();
            self.log_rejection_if(LogSelector::CONNECTION_REJECT, &line);
            self.say(&[b"554 SMTP service not available"]);
            return Err(self.close());
        }
        self.check_reserve()?;
        self.connection.permissions.unqualified_senders =
            self.client_in("sender_unqualified_hosts");
        self.connection.permissions.unqualified_recipients =
            self.client_in("recipient_unqualified_hosts");
        self.connection.permissions.verify_helo = self.client_in("helo_verify_hosts");
        if !self.connection.permissions.verify_helo {
            self.connection.permissions.try_verify_helo = self.client_in("helo_try_verify_hosts");
        }
        self.connection.permissions.accept_junk_helo = self.client_in("helo_accept_junk_hosts");
        Ok(())
    }
}
