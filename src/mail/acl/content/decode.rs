//! `decode`: writes a part to a file (specification 45.4).

use std::io;
use std::sync::Arc;

use eximious_core::world::ScanFile;
use eximious_core::{AclTerm, BodySource, Effects, Str, Taint};
use eximious_stdlib::variables::var;

use super::super::machine::{Answer, Run};
use super::super::words::{self, TermRun};
use super::super::{AclState, Logs};
use super::parts::Decoded;
use crate::mail::mime::{Anomaly, PartContent, Transfer};

/// How much of a part is decoded at once.
const PIECE: usize = 32 << 10;
/// How many bytes may be decoded for a message: this many times its own length, and a
/// little more. Parts stand in parts, and each may be decoded.
const MOST_TIMES: u64 = 32;
const MOST_MORE: u64 = 16 << 20;

/// `decode`.
pub(in crate::mail::acl) static DECODE: AclTerm = words::condition(
    &TermRun::Text(decode),
    words::meta(
        "decode",
        "decode = default|<file or directory>",
        "specification 45.4",
        "Writes a MIME part, decoded, to a file.",
        "`default` writes a numbered file to a directory of its own in the spool; a path that \
         begins with a slash names a file, or a directory to put one in; any other text is a file \
         name there. `$mime_decoded_filename` has the name then. What a sender chose names no \
         file, nor do relative paths that lead elsewhere: then it defers.",
    ),
)
.phases(words::PARTS)
.effects(Effects::FILES);

fn decode(run: &mut Run<'_>, text: &Str) -> Answer {
    let (wanted, mut taint) = text.read();
    let wanted = wanted.trim_ascii();
    match wanted {
        b"0" | b"false" => return Answer::No,
        // One part may be decoded twice.
        _ => run.forget_decoded(),
    }
    let Some(directory) = run.copy().map(|copy| copy.directory.path().to_vec()) else {
        return Answer::Later;
    };
    let files = run.cx.engine().world().files.clone();
    let is_directory =
        wanted.starts_with(b"/") && files.stat(wanted, true).is_ok_and(|stat| stat.is_directory());
    let path = match wanted {
        b"" | b"default" => {
            // What names no file may be anybody's.
            taint = Taint::Clean;
            run.next_file(&directory)
        }
        _ if is_directory => run.next_file(wanted),
        _ if wanted.starts_with(b"/") => wanted.to_vec(),
        name => [&directory[..], b"/", name].concat(),
    };
    run.cx.set_var(var::MIME_DECODED_FILENAME, Str::from(&path[..]).stamped(taint));
    if taint.is_tainted() {
        run.host.log_to(Logs::PANIC, &eximious_stdlib::wording::tainted("filename", &path));
        return Answer::Later;
    }
    let Some(copy) = run.copy() else { return Answer::Later };
    let name = path.strip_prefix(&directory[..]).and_then(|rest| rest.strip_prefix(b"/"));
    let stays = name.is_some();
    let file = match name {
        Some(name) => copy.directory.create(name),
        None => copy.directory.create_at(&path),
    };
    let Ok(mut file) = file else { return Answer::Later };
    match decoded(run.state, &mut *file) {
        Ok((size, anomaly)) => {
            run.cx.set_var(var::MIME_CONTENT_SIZE, size.div_ceil(1024).to_string());
            run.show_decoded(Decoded { source: file.source(), anomaly, stays });
            Answer::Yes
        }
        Err(Undecoded::Failed(_)) => Answer::Later,
        Err(Undecoded::TooMuch) => {
            run.logged = Some(Str::fixed("too much to decode in MIME parts"));
            Answer::Later
        }
    }
}

/// Why a part was not decoded.
#[derive(Debug)]
pub(super) enum Undecoded {
    /// Much was decoded of this message already.
    TooMuch,
    /// It can't be read, or written.
    Failed(io::Error),
}

impl From<io::Error> for Undecoded {
    fn from(why: io::Error) -> Self {
        Self::Failed(why)
    }
}

impl Run<'_> {
    /// A numbered file that is not there.
    fn next_file(&mut self, directory: &[u8]) -> Vec<u8> {
        let id = self.cx.value_of(var::MESSAGE_EXIM_ID);
        let files = self.cx.engine().world().files.clone();
        let next = self.state.scan.numbers.entry(directory.to_vec()).or_default();
        loop {
            let number = *next;
            *next = number.saturating_add(1);
            let path = [directory, b"/", id.bytes(), format!("-{number:05}").as_bytes()].concat();
            if number == u32::MAX || files.stat(&path, false).is_err() {
                return path;
            }
        }
    }

    fn forget_decoded(&mut self) {
        if let Some(part) = &mut self.state.scan.part {
            part.decoded = None;
        }
    }

    fn show_decoded(&mut self, decoded: Decoded) {
        if let Some(anomaly) = decoded.anomaly {
            self.cx.set_var(var::MIME_ANOMALY_LEVEL, (anomaly as u8).to_string());
            self.cx.set_var(var::MIME_ANOMALY_TEXT, Str::fixed(anomaly.text()));
        }
        if let Some(part) = &mut self.state.scan.part {
            part.decoded = Some(decoded);
        }
    }

    /// What the part at hand is, decoded: it is, where it was not yet.
    pub(super) fn decoded_part(&mut self) -> Option<Arc<dyn BodySource>> {
        let known =
            |run: &Self| Some(run.state.scan.part.as_ref()?.decoded.as_ref()?.source.clone());
        let path = self.cx.value_of(var::MIME_DECODED_FILENAME);
        if known(self).is_none() && !path.bytes().is_empty() {
            // It could not be written.
            let head = b"mime_regex acl condition warning - can't open '";
            self.host.log(&[head, path.bytes(), b"' for reading"].concat());
            return None;
        }
        if known(self).is_none() && decode(self, &Str::fixed("default")) != Answer::Yes {
            return None;
        }
        known(self)
    }
}

/// A message that is attached, decoded to a file of its own: its name, and what reads it.
pub(super) fn attached(state: &mut AclState) -> Result<(Vec<u8>, Arc<dyn BodySource>), Undecoded> {
    let mut tried = state.scan.attached;
    let Some(copy) = state.scan.copy_at_hand() else { return Err(Undecoded::TooMuch) };
    let stem = copy.name.strip_suffix(b".eml").unwrap_or(&copy.name);
    let name = loop {
        let name = [stem, format!("-rfc822-{tried:05}").as_bytes()].concat();
        match copy.directory.names().contains(&name) {
            true => tried = tried.saturating_add(1),
            false => break name,
        }
    };
    let mut file = copy.directory.create(&name)?;
    state.scan.attached = tried.saturating_add(1);
    decoded(state, &mut *file)?;
    Ok((name, file.source()))
}

/// Decodes the part at hand into a file: its size, and what is wrong with it.
fn decoded(
    state: &mut AclState,
    file: &mut dyn ScanFile,
) -> Result<(u64, Option<Anomaly>), Undecoded> {
    let length = state.scan.copy_at_hand().map_or(0, |copy| copy.length);
    let most = length.saturating_mul(MOST_TIMES).saturating_add(MOST_MORE);
    let scan = &mut state.scan;
    let Some(part) = &scan.part else { return Err(Undecoded::TooMuch) };
    let content: PartContent = part.content.clone();
    let mut transfer = Transfer::of(&part.encoding);
    let (mut size, mut out) = (0, Vec::new());
    content.read(PIECE, |piece| {
        // What is left out is work, too.
        scan.decoded = scan.decoded.saturating_add(piece.len() as u64);
        if scan.decoded > most {
            return Err(Undecoded::TooMuch);
        }
        transfer.push(piece, &mut out);
        if out.len() >= PIECE {
            size += out.len() as u64;
            file.write(&out)?;
            out.clear();
        }
        Ok(true)
    })?;
    let anomaly = transfer.finish(&mut out);
    size += out.len() as u64;
    file.write(&out)?;
    Ok((size, anomaly))
}
