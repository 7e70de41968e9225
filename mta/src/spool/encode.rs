//! Writes a header file. What would break its form is refused: no text with a
//! newline is put where a line stands.

use std::fmt;
use std::io::Write as _;

use super::decode::looks_longer;
use super::file::{HeaderFile, Mark, RecipientDsn, RecipientExtra, SpoolRecipient, Value};

/// A text that can't stand where it would have to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unwritable {
    /// What it is.
    pub what: String,
}

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a newline or a zero byte in {} can't be written to a spool file", self.what)
    }
}

impl HeaderFile {
    /// The file's bytes.
    ///
    /// # Errors
    /// Where something breaks the file's form.
    pub fn encode(&self) -> Result<Vec<u8>, Unwritable> {
        let mut out = Vec::with_capacity(2048);
        line(&mut out, &[&self.id, b"-H"], || "the name".into())?;
        let ids = format!(" {} {}", self.uid, self.gid);
        line(&mut out, &[&self.login, ids.as_bytes()], || "the login name".into())?;
        line(&mut out, &[b"<", &self.sender, b">"], || "the sender".into())?;
        // Memory takes all that is written to it.
        let _ = writeln!(out, "{} {}", self.received, self.warnings);
        for value in &self.values {
            put_value(&mut out, value)?;
        }
        if self.not_for.nodes().is_empty() {
            out.extend_from_slice(b"XX\n");
        }
        for node in self.not_for.nodes() {
            let yes = |is| if is { b"Y".as_slice() } else { b"N" };
            let parts = [yes(node.left), yes(node.right), b" ", &node.address];
            line(&mut out, &parts, || "the address of a non-recipient".into())?;
        }
        let _ = writeln!(out, "{}", self.recipients.len());
        for recipient in &self.recipients {
            put_recipient(&mut out, recipient)?;
        }
        out.push(b'\n');
        for header in &self.headers {
            let _ = write!(out, "{:03}", header.line.len());
            out.extend_from_slice(&[header.kind, b' ']);
            out.extend_from_slice(&header.line);
        }
        Ok(out)
    }
}

/// Writes a line, which must be one.
fn line(
    out: &mut Vec<u8>,
    parts: &[&[u8]],
    what: impl FnOnce() -> String,
) -> Result<(), Unwritable> {
    if parts.iter().any(|part| memchr::memchr2(b'\n', 0, part).is_some()) {
        return Err(Unwritable { what: what() });
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out.push(b'\n');
    Ok(())
}

fn put_value(out: &mut Vec<u8>, value: &Value) -> Result<(), Unwritable> {
    let quoter;
    let mark: &[u8] = match &value.mark {
        Mark::Clean => b"-",
        Mark::Tainted => b"--",
        Mark::Quoted(lookup) => {
            quoter = [b"--(", &lookup[..], b")"].concat();
            &quoter
        }
    };
    let blank: &[u8] = if value.text.is_some() { b" " } else { b"" };
    let text = value.text.as_deref().unwrap_or_default();
    let what = || format!("\"{}\"", String::from_utf8_lossy(&value.name));
    let Some(data) = &value.data else {
        return line(out, &[mark, &value.name, blank, text], what);
    };
    let length = format!(" {}", data.len());
    line(out, &[mark, &value.name, blank, text, length.as_bytes()], what)?;
    out.extend_from_slice(data);
    out.push(b'\n');
    Ok(())
}

fn put_recipient(out: &mut Vec<u8>, recipient: &SpoolRecipient) -> Result<(), Unwritable> {
    let what = || "a recipient".to_owned();
    let none =
        RecipientExtra { reports: Some(RecipientDsn::default()), ..RecipientExtra::default() };
    let more = match &recipient.more {
        Some(more) => more,
        // An address may look as if more came behind it.
        None if recipient.address.is_empty() || looks_longer(&recipient.address) => &none,
        None => return line(out, &[&recipient.address], what),
    };
    let RecipientExtra { reports, errors_to, parent } = more;
    let tail = format!(" {},{parent}#{}", errors_to.len(), if reports.is_some() { 3 } else { 1 });
    let Some(reports) = reports else {
        return line(out, &[&recipient.address, b" ", errors_to, tail.as_bytes()], what);
    };
    let middle = format!(" {},{} ", reports.original.len(), reports.flags);
    let parts = [
        &recipient.address,
        b" ".as_slice(),
        &reports.original,
        middle.as_bytes(),
        errors_to,
        tail.as_bytes(),
    ];
    line(out, &parts, what)
}
