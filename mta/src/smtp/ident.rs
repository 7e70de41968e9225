//! Asking the client's host who the user is (RFC 1413; `rfc1413_hosts`,
//! `rfc1413_query_timeout`).

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;

use eximious::stdlib::printing::printing;
use eximious::stdlib::wording::reason;
use eximious::trace::TraceKinds;
use eximious::world::Target;
use eximious::{LogSelector, Str, opt, var};

use super::SmtpSession;
use super::options::Unopened;
use super::stage::Stage;

/// How long an answer may be.
const LONGEST_ANSWER: usize = 2048;
/// How long a user's name may be; more of it is cut off.
const LONGEST_NAME: usize = 127;

impl SmtpSession {
    /// Asks for `$sender_ident`, where the client is one that is to be asked. A test
    /// asks nobody.
    ///
    /// # Errors
    /// Whether it is one can't be told.
    pub(super) fn ask_for_ident(&mut self) -> Result<(), Stage> {
        let within = self.cx.engine().settings().get(opt::RFC1413_QUERY_TIMEOUT);
        let (Some(address), Some(local_port)) =
            (self.connection.client.address, self.connection.client.local_port)
        else {
            return Ok(());
        };
        if self.setup.is_test
            || within.is_zero()
            || self.connection.client.port == 0
            // Nobody serves it yet.
            || !self
                .is_client_listed(opt::RFC1413_HOSTS)
                .map_err(|Unopened| self.refuse_unserved())?
        {
            return Ok(());
        }
        self.cx.note(TraceKinds::IDENT, b"doing ident callback");
        let port = u16::try_from(self.number(opt::RFC1413_PORT)).unwrap_or(0);
        let ports = (self.connection.client.port, local_port);
        let net = self.cx.engine().world().net.clone();
        let target = Target::Tcp(SocketAddr::new(address.to_canonical(), port));
        let mut stream = match net.connect(&target, within) {
            Ok(stream) => stream,
            Err(why) => {
                let text = format!("ident connection to {address} failed: {}", reason(&why));
                self.cx.note(TraceKinds::IDENT, text.as_bytes());
                if why.kind() == ErrorKind::TimedOut {
                    let line = format!("ident connection to {address} timed out");
                    self.log_if(LogSelector::IDENT_TIMEOUT, line.as_bytes());
                }
                return Ok(());
            }
        };
        stream.set_deadline(within);
        let question = format!("{} , {}\r\n", ports.0, ports.1);
        if stream.write_all(question.as_bytes()).is_err() {
            return Ok(());
        }
        let mut answer = Vec::new();
        let mut piece = [0; LONGEST_ANSWER];
        while !answer.contains(&b'\n') && answer.len() < LONGEST_ANSWER {
            match stream.read(&mut piece[answer.len()..]) {
                Ok(count) if count > 0 => answer.extend_from_slice(&piece[answer.len()..][..count]),
                _ => break,
            }
        }
        if let Some(user) = user(&answer, ports) {
            self.cx.note(TraceKinds::IDENT, &[b"sender_ident = ", user].concat());
            self.cx.set_var(var::SENDER_IDENT, Str::tainted(printing(user, false)));
            eximious::client::describe(&mut self.cx);
        }
        Ok(())
    }
}

/// The user of an answer: `6193, 23 : USERID : UNIX : stjohns`.
fn user(answer: &[u8], ports: (u16, u16)) -> Option<&[u8]> {
    let end = answer.iter().position(|byte| matches!(byte, b'\r' | b'\n' | 0))?;
    let mut parts = answer[..end].splitn(4, |byte| *byte == b':');
    let mut pair = parts.next()?.split(|byte| *byte == b',');
    let mut port = || std::str::from_utf8(pair.next()?).ok()?.trim().parse::<u16>().ok();
    let named = (port()?, port()?);
    let is_user = parts.next()?.trim_ascii() == b"USERID";
    let _system = parts.next()?;
    let user = parts.next()?.trim_ascii_start();
    let user = &user[..user.len().min(LONGEST_NAME)];
    (named == ports && is_user && !user.is_empty()).then_some(user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read() {
        let read = |answer: &str| user(answer.as_bytes(), (6193, 23)).map(<[u8]>::to_vec);
        assert_eq!(read("6193, 23 : USERID : UNIX :st:johns \r\n"), Some(b"st:johns ".to_vec()));
        assert_eq!(read("6193,23:USERID:OTHER,x:a\n"), Some(b"a".to_vec()));
        for answer in [
            "",
            "6193, 23 : USERID : UNIX : no end",
            "6193, 24 : USERID : UNIX : a\r\n",
            "6193 : USERID : UNIX : a\r\n",
            "99999, 23 : USERID : UNIX : a\r\n",
            "6193, 23 : ERROR : NO-USER\r\n",
            "6193, 23 : USERID : a\r\n",
            "6193, 23 : USERID : UNIX :  \r\n",
            ":::::\r\n",
            "\0\n",
        ] {
            assert_eq!(read(answer), None, "{answer:?}");
        }
        let long = format!("6193, 23 : USERID : UNIX : {}\r\n", "x".repeat(400));
        assert_eq!(read(&long).map(|user| user.len()), Some(LONGEST_NAME));
    }
}
