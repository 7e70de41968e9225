//! The copy of a message that scanners read: `scan/ID/ID.eml` below the spool directory
//! (specification, chapter 45). It is made when something first wants to look into the
//! message, and goes when the ACLs are done with it.

use std::io;
use std::sync::Arc;

use eximious_core::trace::{AclEvent, Happening};
use eximious_core::world::{ScanDirectory, ScanFile, SpoolPlace};
use eximious_core::{BodySource, Message};
use eximious_stdlib::options::{opt, server_ids};
use eximious_stdlib::variables::var;
use eximious_stdlib::wording;
use rustc_hash::FxHashMap;

use super::super::machine::Run;
use super::super::{AclHost, AclState};
use super::parts::AtHand;
use super::{malware, spam};
use crate::Context;

/// What is said where it can't be made.
pub(crate) const UNCOPIED: &[u8] = b"error while creating mbox spool file";

/// What is known of the content of the message at hand.
#[derive(Debug, Default)]
pub(in crate::mail::acl) struct Scan {
    copy: Option<Copy>,
    /// The part that a MIME ACL looks at.
    pub(super) part: Option<AtHand>,
    /// The number of the next file that a part is decoded to, for each directory.
    pub(super) numbers: FxHashMap<Vec<u8>, u32>,
    /// The number of the next message that is attached, and decoded to be read.
    pub(super) attached: u32,
    /// How many bytes were decoded so far.
    pub(super) decoded: u64,
    /// What the scanners have said.
    pub(super) malware: malware::Known,
    pub(super) spam: spam::Known,
}

impl Scan {
    /// The copy, where it is there.
    pub(super) fn copy_at_hand(&mut self) -> Option<&mut Copy> {
        self.copy.as_mut()
    }
}

/// The copy.
#[derive(Debug)]
pub(super) struct Copy {
    pub(super) directory: Box<dyn ScanDirectory>,
    file: Box<dyn ScanFile>,
    pub(super) length: u64,
    /// The copy's name; other files of the message begin with the message's.
    pub(super) name: Vec<u8>,
    /// Whether it stays (`control = no_mbox_unspool`).
    kept: bool,
}

impl Drop for Copy {
    fn drop(&mut self) {
        if !self.kept {
            let _ = self.directory.discard();
        }
    }
}

impl Copy {
    /// What reads the copy.
    pub(super) fn source(&self) -> Arc<dyn BodySource> {
        self.file.source()
    }
}

impl Copy {
    /// Its whole path.
    pub(super) fn path(&self) -> Vec<u8> {
        [self.directory.path(), b"/", &self.name].concat()
    }
}

impl Run<'_> {
    /// The copy of the message; nothing where it can't be made, which is logged.
    pub(super) fn copy(&mut self) -> Option<&mut Copy> {
        made(self.cx, self.host, self.state)
    }
}

/// The copy of the message; nothing where it can't be made, which is logged.
pub(super) fn made<'s>(
    cx: &mut Context,
    host: &mut dyn AclHost,
    state: &'s mut AclState,
) -> Option<&'s mut Copy> {
    if state.scan.copy.is_none() {
        let (date, sender) = (cx.value_of(var::TOD_BSDINBOX), cx.value_of(var::SENDER_ADDRESS));
        let message = cx.message()?;
        let id = message.id.bytes().to_vec();
        let settings = cx.engine().settings();
        let world = cx.engine().world();
        let place = SpoolPlace {
            spool: settings.get(opt::SPOOL_DIRECTORY).bytes().to_vec(),
            owner: Some(server_ids(settings, &*world.users, &*world.host)),
            ..SpoolPlace::default()
        };
        let mut head = [b"From MAILER-DAEMON ", date.bytes(), b"\n"].concat();
        // Nobody's is not written.
        if !sender.is_empty() {
            head.extend([b"X-Envelope-From: <", sender.bytes(), b">\n"].concat());
        }
        head.extend_from_slice(b"X-Envelope-To: ");
        let recipients: Vec<&[u8]> = message.recipients.iter().map(|one| one.bytes()).collect();
        head.extend_from_slice(&recipients.join(&b", "[..]));
        head.push(b'\n');
        let why = match world.spool.scan(&place, &id) {
            Ok(mut directory) => {
                let name = [&id[..], b".eml"].concat();
                let path = [directory.path(), b"/", &name].concat();
                let written = directory.create(&name).and_then(|mut file| {
                    let length = write(&mut *file, head, message, state.is_wire)?;
                    Ok((file, length))
                });
                match written {
                    Ok((file, length)) => {
                        let copy = Copy { directory, file, length, name, kept: false };
                        return Some(state.scan.copy.insert(copy));
                    }
                    Err(why) => {
                        let _ = directory.discard();
                        let why = wording::reason(&why);
                        [b"failed to open file ", &path[..], b": ", why.as_bytes()].concat()
                    }
                }
            }
            Err(why) => {
                let (path, why) = (place.scan_path(&id), wording::reason(&why));
                [b"failed to open scan directory ", &path[..], b": ", why.as_bytes()].concat()
            }
        };
        host.log(&why);
    }
    state.scan.copy.as_mut()
}

/// Writes a message; how many bytes it has.
fn write(
    file: &mut dyn ScanFile,
    head: Vec<u8>,
    message: &Message,
    is_wire: bool,
) -> io::Result<u64> {
    let mut text = head;
    message.headers.iter().for_each(|header| text.extend_from_slice(&header.line));
    text.push(b'\n');
    text.extend_from_slice(&message.stray);
    let mut length = text.len() as u64;
    file.write(&text)?;
    // A carriage return whose newline may come with the next piece.
    let mut returned = false;
    message.body.in_pieces(
        |why| why,
        |piece| {
            if !is_wire {
                length += piece.len() as u64;
                return file.write(piece);
            }
            text.clear();
            for byte in piece {
                if std::mem::replace(&mut returned, *byte == b'\r') && *byte != b'\n' {
                    text.push(b'\r');
                }
                if *byte != b'\r' {
                    text.push(*byte);
                }
            }
            length += text.len() as u64;
            file.write(&text)
        },
    )?;
    if returned {
        file.write(b"\r")?;
        length += 1;
    }
    Ok(length)
}

impl AclState {
    /// The ACLs are done with the message: the copies that scanners read go, unless an
    /// ACL wants them kept.
    pub fn end_scan(&mut self, cx: &mut Context) {
        let kept = self.has("no_mbox_unspool");
        let Some(mut copy) = self.scan.copy.take() else { return };
        copy.kept = kept;
        if kept {
            return;
        }
        for name in copy.directory.names() {
            let parts = [b"unspool_mbox(): unlinking '", copy.directory.path(), b"/", &name, b"'"];
            let text = &parts.concat();
            cx.trace().tell_at(0, Happening::Acl(AclEvent::Note { text }));
        }
    }
}
