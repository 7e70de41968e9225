//! `set acl_m_x = text`, as an ACL has it.

use eximious::grammar::is_space;
use eximious::{Fail, FailClass, Str};

use crate::session::Session;

/// What a line asks to set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Assignment<'l> {
    /// What stands after `set `.
    text: &'l [u8],
    /// `set,t`: as if from outside.
    tainted: bool,
}

/// A name and the text of its value.
type Parts<'l> = (&'l [u8], &'l [u8]);

impl<'l> Assignment<'l> {
    /// What a line asks to set, if it does.
    pub fn in_line(line: &'l [u8]) -> Option<Self> {
        let rest = line.strip_prefix(b"set")?;
        if let Some(text) = rest.strip_prefix(b" ") {
            return Some(Self { text, tainted: false });
        }
        rest.strip_prefix(b",t ").map(|text| Self { text, tainted: true })
    }

    /// Sets it, and says so; or says what is wrong with the line. A failure is
    /// that of the value's expansion.
    pub fn carry_out(self, session: &mut Session) -> Result<Vec<u8>, Fail> {
        let (name, text) = match self.parse() {
            Ok(parts) => parts,
            Err(complaint) => return Ok(complaint),
        };
        let shown = name.strip_prefix(b"acl_").unwrap_or(name);
        let done = [b"variable ", shown, b" set"].concat();
        let value = if self.tainted { session.outside(text) } else { session.expand(text) };
        match value {
            Ok(value) => {
                let value = if self.tainted { Str::tainted(value.bytes()) } else { value };
                session.set(name, value);
                Ok(done)
            }
            // As in an ACL, the modifier does not count then.
            Err(fail) if fail.class() == FailClass::Forced => Ok(done),
            Err(fail) => Err(fail),
        }
    }

    fn parse(self) -> Result<Parts<'l>, Vec<u8>> {
        let end = self.text.iter().position(|c| *c == b'=' || is_space(*c));
        let name = &self.text[..end.unwrap_or(self.text.len())];
        self.check(name)?;
        let rest = skip_space(&self.text[name.len()..]);
        let Some(value) = rest.strip_prefix(b"=") else {
            return Err(b"\"=\" missing after ACL \"'-be'\" modifier".to_vec());
        };
        Ok((name, skip_space(value)))
    }

    fn check(self, name: &[u8]) -> Result<(), Vec<u8>> {
        if name.starts_with(b"dkim_verify_") {
            if name == b"dkim_verify_status" || name == b"dkim_verify_reason" {
                return Ok(());
            }
            return Err(
                self.invalid("only \"dkim_verify_status\" or \"dkim_verify_reason\" permitted")
            );
        }
        let Some(rest) = ["acl_c", "acl_m"].iter().find_map(|p| name.strip_prefix(p.as_bytes()))
        else {
            return Err(self.invalid("must start \"acl_c\" or \"acl_m\""));
        };
        if !rest.first().is_some_and(|c| c.is_ascii_digit() || *c == b'_') {
            return Err(self.invalid("digit or underscore must follow acl_c or acl_m"));
        }
        match rest.iter().find(|c| !c.is_ascii_alphanumeric() && **c != b'_') {
            None => Ok(()),
            Some(odd) => Err([
                b"invalid character \"".as_slice(),
                &[*odd],
                b"\" in variable name in ACL modifier \"set ",
                self.text,
                b"\"",
            ]
            .concat()),
        }
    }

    fn invalid(self, why: &str) -> Vec<u8> {
        let head = b"invalid variable name after \"set\" in ACL modifier \"set ";
        [head.as_slice(), self.text, b"\" (", why.as_bytes(), b")"].concat()
    }
}

fn skip_space(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|c| is_space(**c)).count()..]
}
