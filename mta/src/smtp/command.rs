//! Commands: which it is, and those that need no more than a few lines.

use eximious::acl::AclVerdict;
use eximious::debugging::DebugSelector;
use eximious::{AclPhases, Str, opt, var};

use super::Session;
use super::verdict::unset;

/// How many commands are remembered.
pub(super) const REMEMBERED: usize = 20;

/// The commands, as they are written, and as they are remembered. Behind a colon
/// anything may follow, behind the others a space.
const COMMANDS: [(&[u8], &str); 18] = [
    (b"ATRN", "ATRN"),
    (b"AUTH", "AUTH"),
    (b"BDAT", "BDAT"),
    (b"DATA", "DATA"),
    (b"EHLO", "EHLO"),
    (b"ETRN", "ETRN"),
    (b"EXPN", "EXPN"),
    (b"HELO", "HELO"),
    (b"HELP", "HELP"),
    (b"MAIL FROM:", "MAIL"),
    (b"NOOP", "NOOP"),
    (b"QUIT", "QUIT"),
    (b"RCPT TO:", "RCPT"),
    (b"RSET", "RSET"),
    (b"STARTTLS", "STARTTLS"),
    (b"VRFY", "VRFY"),
    (b"WELLKNOWN", "WELLKNOWN"),
    (b"XCLIENT", "XCLIENT"),
];

/// The command of a line, and what follows it.
fn find(line: &[u8]) -> Option<(&'static str, &[u8])> {
    COMMANDS.iter().find_map(|(word, name)| {
        let head = line.get(..word.len())?;
        let rest = &line[word.len()..];
        let ends = word.ends_with(b":") || rest.first().is_none_or(|byte| *byte == b' ');
        (head.eq_ignore_ascii_case(word) && ends).then(|| (*name, rest.trim_ascii_start()))
    })
}

impl Session {
    pub(super) fn command_line(&mut self, line: &[u8]) {
        let line = line.trim_ascii_end();
        self.cx.debug(DebugSelector::RECEIVE, &[b"SMTP<< ", line].concat());
        self.command = self.loggable(line, find(line).is_some());
        let before = std::mem::take(&mut self.before);
        if line.contains(&0) {
            self.command = line.iter().map(|c| if *c == 0 { b'?' } else { *c }).collect();
            return self.hear_of_nul();
        }
        let quits = line.get(..4).is_some_and(|word| word.eq_ignore_ascii_case(b"QUIT"));
        if let Some(why) = self.acl_state.broken.filter(|_| !quits) {
            self.failed = true;
            if line.eq_ignore_ascii_case(b"RSET") {
                return self.say(&[b"250 Reset OK"]);
            }
            return self.say(&[b"421 ", why.as_bytes()]);
        }
        if self.proxy_failed && !quits {
            return self.say(&[b"503 Command refused, required Proxy negotiation failed"]);
        }
        if self.tls.misused {
            return self.refuse_misuse(line);
        }
        self.cx.set_var(var::SMTP_COMMAND, Str::tainted(line));
        let Some((name, argument)) = find(line) else {
            self.cx.set_var(var::SMTP_COMMAND_ARGUMENT, Str::EMPTY);
            return self.unknown();
        };
        self.cx.set_var(var::SMTP_COMMAND_ARGUMENT, Str::tainted(argument));
        let stands_alone = matches!(name, "DATA" | "QUIT" | "RSET" | "STARTTLS");
        if stands_alone && !argument.is_empty() {
            if matches!(name, "RSET" | "STARTTLS") && !self.may_go_on(name) {
                return;
            }
            return self.protocol_error(b"501", b"unexpected argument data");
        }
        if self.only_reset && !matches!(name, "RSET" | "QUIT") {
            return self.protocol_error(b"503", b"only RSET accepted now");
        }
        let unfinished =
            self.chunks.is_some() && !matches!(name, "BDAT" | "RSET" | "QUIT" | "NOOP");
        if unfinished {
            return self.refuse_within_chunks();
        }
        if !self.waits(name) {
            return;
        }
        let mail = matches!(name, "MAIL" | "RCPT" | "DATA" | "BDAT" | "QUIT");
        let counted = if name == "EHLO" { "HELO" } else { name };
        if !mail && !self.may_go_on(counted) {
            return;
        }
        // Further chunks belong to the first.
        if self.chunks.is_none() || name != "BDAT" {
            self.remember(name);
        }
        match name {
            "HELO" => self.hello(false, argument),
            "EHLO" => self.hello(true, argument),
            "MAIL" => self.mail(argument),
            "RCPT" => self.rcpt(argument, before),
            "DATA" => self.data(before),
            "BDAT" => self.chunk(argument, before),
            "RSET" => {
                self.ask_of_from_line(self.chunks.is_some());
                self.log_incomplete("RSET");
                self.reset_message();
                self.say(&[b"250 Reset OK"]);
            }
            "QUIT" => self.quit(),
            "NOOP" => self.say(&[b"250 OK"]),
            "HELP" => self.help(),
            "VRFY" => self.vrfy(argument),
            "EXPN" => self.expn(argument),
            "ATRN" => self.atrn(argument),
            "ETRN" => self.etrn(argument),
            "WELLKNOWN" => self.well_known(argument),
            "XCLIENT" => self.xclient(argument),
            "AUTH" => self.auth(argument),
            _ => self.start_tls(),
        }
    }

    fn remember(&mut self, name: &'static str) {
        if self.history.len() == REMEMBERED {
            self.history.pop_front();
        }
        self.history.push_back(name);
        let shown = self.shown_history();
        self.cx.set_var(var::SMTP_COMMAND_HISTORY, shown);
    }

    pub(super) fn quit(&mut self) {
        if self.chunks.is_none() {
            self.log_incomplete("QUIT");
        }
        let result = self.acl(opt::ACL_SMTP_QUIT, AclPhases::QUIT).unwrap_or_else(|| unset(true));
        if result.verdict == AclVerdict::Error {
            let why = result.log_message.clone().unwrap_or_default();
            self.log_panic(&[b"ACL for QUIT returned ERROR: ", why.bytes()].concat());
        }
        match result.user_message.filter(|text| !text.is_empty()) {
            Some(text) => self.answer(b"221", text.bytes()),
            None => {
                let host = self.host.clone();
                self.say(&[b"221 ", host.bytes(), b" closing connection"]);
            }
        }
        if self.chunks.is_some() {
            return self.lost_in_message();
        }
        self.log_end("closed by QUIT");
        self.close();
    }

    fn help(&mut self) {
        let tls = if self.offers_tls() { " STARTTLS" } else { "" };
        let well_known = self.client_in(opt::WELLKNOWN_ADVERTISE_HOSTS);
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
            if self.cx.engine().settings().text(option).is_some() {
                words.push_str(word);
            }
        }
        if well_known {
            words.push_str(" WELLKNOWN");
        }
        self.say(&[b"214-Commands supported:\r\n214 ", words.as_bytes()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_end_at_spaces_or_colons() {
        assert_eq!(find(b"mail FROM:<a>"), Some(("MAIL", b"<a>".as_slice())));
        assert_eq!(find(b"MAIL  FROM:<a>"), None);
        assert_eq!(find(b"NOOPX"), None);
        assert_eq!(find(b" NOOP"), None);
        assert_eq!(find(b"quit"), Some(("QUIT", b"".as_slice())));
        assert_eq!(find(b"RCPT"), None);
    }
}
