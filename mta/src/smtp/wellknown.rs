//! WELLKNOWN: files about this site, for clients (specification 44.2.8).

use eximious::acl::AclVerdict;
use eximious::{AclPhases, opt, var};

use super::SmtpSession;
use super::stage::{Handled, Stage};
use super::verdict::Refused;

/// From which column on a line is broken.
const WIDE: usize = 75;
/// How large a file may be.
const LARGEST: u64 = 1 << 20;

impl SmtpSession {
    pub(super) fn well_known(&mut self, argument: &[u8]) -> Handled {
        // The real one counts it as a message that begins.
        self.connection.counts.messages += 1;
        let offered = self.client_may_be_in(opt::WELLKNOWN_ADVERTISE_HOSTS)?;
        self.acl_state.controls.remove("wellknown");
        let result = match offered {
            true => self.acl(opt::ACL_SMTP_WELLKNOWN, AclPhases::WELLKNOWN),
            false => None,
        };
        let Some(mut result) = result else {
            let name = self.variable(var::SENDER_HELO_NAME);
            // The real one shows that there is nothing to show.
            let name: &[u8] = if name.is_empty() { b"NULL" } else { name.bytes() };
            let line = [b"rejected \"", self.connection.command.as_slice(), b"\" from ", name];
            self.log_rejection(&line.concat());
            return Err(self.reply(&[b"554 not permitted"]));
        };
        let control = self.acl_state.controls.remove("wellknown");
        if result.verdict == AclVerdict::Accept {
            let file = control.and_then(|control| {
                let files = self.cx.engine().world().files.clone();
                files.read(control.options.bytes(), LARGEST).ok()
            });
            if let Some(file) = file {
                self.say_lines(shown(&file));
                return Ok(Stage::COMMANDS);
            }
            // There is nothing to say.
            result.verdict = AclVerdict::Error;
            result.log_message = result.log_message.or_else(|| result.user_message.clone());
        }
        Err(self.refuse(&Refused::new(&[b"WELLKNOWN ", argument]), result))
    }
}

/// A file as a reply: its size, and its bytes as xtext, in lines.
fn shown(file: &[u8]) -> Vec<u8> {
    let mut lines = vec![format!("SIZE={}", file.len()).into_bytes()];
    let mut line = Vec::new();
    for byte in file {
        if line.len() >= WIDE {
            lines.push(std::mem::take(&mut line));
        }
        match byte {
            b'+' | b'=' => line.extend_from_slice(format!("+{byte:02X}").as_bytes()),
            33..=126 => line.push(*byte),
            _ => line.extend_from_slice(format!("+{byte:02X}").as_bytes()),
        }
        if *byte == b'\n' {
            lines.push(std::mem::take(&mut line));
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    let mut out = Vec::with_capacity(file.len() * 2);
    for (number, line) in lines.iter().enumerate() {
        let sign: &[u8] = if number + 1 < lines.len() { b"250-" } else { b"250 " };
        out.extend_from_slice(&[sign, line, b"\r\n"].concat());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn files_are_xtext_in_lines() {
        assert_eq!(shown(b""), b"250 SIZE=0\r\n");
        assert_eq!(shown(b"\n"), b"250-SIZE=1\r\n250 +0A\r\n");
        assert_eq!(
            shown(b"a b=c+d\r\nx\n\n\xffy"),
            b"250-SIZE=14\r\n250-a+20b+3Dc+2Bd+0D+0A\r\n250-x+0A\r\n250-+0A\r\n250 +FFy\r\n"
        );
        let line = |count: usize| {
            String::from_utf8(shown(&[b"d".repeat(count), b"\n".to_vec()].concat())).unwrap()
        };
        let (d74, d75) = ("d".repeat(74), "d".repeat(75));
        assert_eq!(line(74), format!("250-SIZE=75\r\n250 {d74}+0A\r\n"));
        assert_eq!(line(75), format!("250-SIZE=76\r\n250-{d75}\r\n250 +0A\r\n"));
        assert_eq!(line(76), format!("250-SIZE=77\r\n250-{d75}\r\n250 d+0A\r\n"));
    }
}
