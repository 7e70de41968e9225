//! What waits in a queue, as it is listed (specification 5.2, `-bp` and its kin).

use std::collections::BTreeSet;
use std::io;

use eximious::stdlib::wording;
use eximious::world::spool::is_message_id;
use eximious::world::{SpoolPlace, World};

use super::file::HeaderFile;

/// How large a header file, or a journal, is at the most.
const LARGEST: u64 = 64 << 20;

/// What a listing shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Listing {
    /// Who has got a message without being one of its recipients, too (`-bpa`).
    pub all: bool,
    /// Only those who have not got it (`-bpu`).
    pub undelivered: bool,
    /// Only the messages' names (`-bpi`).
    pub names: bool,
    /// Only how many messages there are (`-bpc`).
    pub count: bool,
}

/// A message of the spool.
#[derive(Clone, Debug)]
pub struct Stored {
    /// What its header file says.
    pub file: HeaderFile,
    /// Who has got it since that was written.
    pub journal: Vec<Vec<u8>>,
    /// Why that is not known: the journal is there and can't be read.
    pub unread_journal: Option<String>,
}

/// Why a message can't be had.
#[derive(Debug)]
pub enum Unread {
    /// A file could not be read.
    Read(io::Error),
    /// The header file, of so many bytes, is not what it should be.
    Damaged(usize),
}

impl Unread {
    /// Says so of a message's file, whose name has this end.
    pub fn told(&self, id: &[u8], end: &[u8]) -> Vec<u8> {
        let (what, why) = match self {
            Self::Read(why) => ("read", format!(": {}", wording::reason(why))),
            Self::Damaged(_) => ("format", String::new()),
        };
        let head = format!("Spool {what} error for ");
        [head.as_bytes(), id, end, why.as_bytes()].concat()
    }
}

/// Says that somebody else is at a message.
pub fn locked(id: &[u8]) -> Vec<u8> {
    [b"Spool file for ", id, b" is locked (another process is handling this message)"].concat()
}

/// Says that there is no such message in a queue: it has no data file.
pub fn not_found(place: &SpoolPlace, id: &[u8]) -> Vec<u8> {
    let queue: Vec<u8> = match place.queue.is_empty() {
        true => Vec::new(),
        false => [b"Q=", &place.queue[..], b" "].concat(),
    };
    [b"Spool ", &queue[..], b"file ", id, b"-D not found"].concat()
}

impl Stored {
    /// Reads the header file of a message, and its journal.
    ///
    /// # Errors
    /// As [`Unread`] says.
    pub fn read(world: &World, place: &SpoolPlace, id: &[u8]) -> Result<Self, Unread> {
        let bytes = world.spool.read(place, id, b"-H", LARGEST).map_err(Unread::Read)?;
        Ok(Self::with_journal(world, place, id, header_of(id, &bytes)?))
    }

    /// The same, for a listing, which has no use for the header's lines: where they are
    /// damaged, that is told beside what comes before.
    fn read_listed(
        world: &World,
        place: &SpoolPlace,
        id: &[u8],
    ) -> Result<(Self, Option<Unread>), Unread> {
        let bytes = world.spool.read(place, id, b"-H", LARGEST).map_err(Unread::Read)?;
        let (file, is_whole) = envelope_of(id, &bytes)?;
        let damage = (!is_whole).then_some(Unread::Damaged(bytes.len()));
        Ok((Self::with_journal(world, place, id, file), damage))
    }

    fn with_journal(world: &World, place: &SpoolPlace, id: &[u8], file: HeaderFile) -> Self {
        let (journal, unread_journal) = match world.spool.read(place, id, b"-J", LARGEST) {
            Ok(journal) => (journal, None),
            Err(why) if why.kind() == io::ErrorKind::NotFound => (Vec::new(), None),
            Err(why) => (Vec::new(), Some(wording::reason(&why))),
        };
        // A line that was not written to its end does not count.
        let lines = journal.split_inclusive(|byte| *byte == b'\n');
        let journal = lines.filter_map(|line| line.strip_suffix(b"\n")).map(<[u8]>::to_vec);
        Self { file, journal: journal.collect(), unread_journal }
    }

    /// A message that was never on disk, by what its header file would say.
    pub(crate) fn held(file: HeaderFile) -> Self {
        Self { file, journal: Vec::new(), unread_journal: None }
    }

    /// Who has got it, or is not to get it.
    pub fn done(&self) -> BTreeSet<&[u8]> {
        let nodes = self.file.not_for.nodes().iter().map(|node| node.address.as_slice());
        nodes.chain(self.journal.iter().map(Vec::as_slice)).collect()
    }

    /// The message as it is sent: the header lines that count, and a blank line.
    pub fn header(&self) -> Vec<u8> {
        let lines = self.file.headers.iter().filter(|line| line.kind != b'*');
        let mut text: Vec<u8> = lines.flat_map(|line| line.line.iter().copied()).collect();
        text.push(b'\n');
        text
    }
}

fn header_of(id: &[u8], bytes: &[u8]) -> Result<HeaderFile, Unread> {
    match envelope_of(id, bytes)? {
        (file, true) => Ok(file),
        (_, false) => Err(Unread::Damaged(bytes.len())),
    }
}

/// What a header file says, and whether all of its header lines can be read.
fn envelope_of(id: &[u8], bytes: &[u8]) -> Result<(HeaderFile, bool), Unread> {
    let read = HeaderFile::decode_envelope(bytes).ok().filter(|(file, _)| file.id == id);
    let (file, damage) = read.ok_or(Unread::Damaged(bytes.len()))?;
    Ok((file, damage.is_none()))
}

/// Lists the messages of a queue, or those that are named.
///
/// # Errors
/// The queue can't be read.
pub fn list(
    world: &World,
    place: &SpoolPlace,
    listing: Listing,
    named: &[Vec<u8>],
) -> io::Result<Vec<u8>> {
    let found = || -> io::Result<Vec<Vec<u8>>> {
        let entries = world.spool.entries(place)?.into_iter().map(|entry| entry.id);
        Ok(entries.filter(|id| is_message_id(id)).collect())
    };
    if listing.count {
        return Ok(format!("{}\n", world.spool.count(place)?).into_bytes());
    }
    let ids = if named.is_empty() { found()? } else { named.to_vec() };
    let now = world.clock.now().seconds;
    let mut out = Vec::new();
    for id in ids {
        if listing.names {
            out.extend_from_slice(&[&shown(&id)[..], b"\n"].concat());
        } else {
            show(&mut out, world, place, listing, &id, now);
        }
    }
    Ok(out)
}

/// A message's name, as it is listed. What can't be one is a file's.
fn shown(id: &[u8]) -> Vec<u8> {
    let end: &[u8] = if is_message_id(id) { b"" } else { b"-H" };
    [id, end].concat()
}

fn show(
    out: &mut Vec<u8>,
    world: &World,
    place: &SpoolPlace,
    listing: Listing,
    id: &[u8],
    now: i64,
) {
    let marked = |why: &Unread| match why {
        Unread::Read(why) => format!("    *** spool read error: {} ***\n", wording::reason(why)),
        Unread::Damaged(size) => format!("    *** spool format error: size={size} ***\n"),
    };
    let (stored, damage) = match Stored::read_listed(world, place, id) {
        Ok(read) => read,
        Err(why) => {
            let head = [b"      ", &shown(id)[..], b"\n"].concat();
            out.extend_from_slice(&[&head[..], marked(&why).as_bytes(), b"\n"].concat());
            return;
        }
    };
    let file = &stored.file;
    let head = super::data_head(id).len() as u64;
    let body = world.spool.size(place, id, b"-D").map(|size| size.saturating_sub(head));
    // Without a body there is nothing to tell of.
    let size = body.map_or(0, |body| body + stored.header().len() as u64);
    out.extend_from_slice(age(now.saturating_sub(file.received)).as_bytes());
    out.extend_from_slice(format!(" {} ", sized(size)).as_bytes());
    out.extend_from_slice(&[id, b" <", &file.sender, b">"].concat());
    if file.has("sender_set_untrusted") {
        out.extend_from_slice(&[b" (", &file.login[..], b")"].concat());
    }
    if file.has("frozen") {
        out.extend_from_slice(b" *** frozen ***");
    }
    out.push(b'\n');
    out.extend(damage.iter().flat_map(|why| marked(why).into_bytes()));
    let mut done = stored.done();
    for recipient in &file.recipients {
        let address = recipient.address.as_slice();
        let is_done = done.contains(address);
        if !(is_done && listing.undelivered) {
            let mark = if is_done { b'D' } else { b' ' };
            out.extend_from_slice(
                &[b"        ".as_slice(), &[mark], b" ", address, b"\n"].concat(),
            );
        }
    }
    if listing.all {
        file.recipients.iter().for_each(|recipient| {
            done.remove(recipient.address.as_slice());
        });
        for address in done {
            out.extend_from_slice(&[b"       +D ", address, b"\n"].concat());
        }
    }
    out.push(b'\n');
}

/// How long it waits: `25m`, ` 3h`, ` 4d`.
fn age(seconds: i64) -> String {
    let minutes = seconds / 60;
    if minutes <= 90 {
        return format!("{minutes:2}m");
    }
    let hours = (minutes + 30) / 60;
    match hours > 72 {
        true => format!("{:2}d", (hours + 12) / 24),
        false => format!("{hours:2}h"),
    }
}

/// How large it is, in five places: `  659`, ` 2.9K`, `  12M`.
fn sized(size: u64) -> String {
    const KILO: u64 = 1024;
    const MEGA: u64 = KILO * KILO;
    let parts = |unit: u64| size as f64 / unit as f64;
    match size {
        0 => "     ".to_owned(),
        1..KILO => format!("{size:5}"),
        KILO..10_240 => format!("{:4.1}K", parts(KILO)),
        10_240..MEGA => format!("{:4}K", (size + KILO / 2) / KILO),
        _ if size < 10 * MEGA => format!("{:4.1}M", parts(MEGA)),
        _ => format!("{:4}M", (size + MEGA / 2) / MEGA),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_sizes_are_short() {
        for (seconds, text) in [
            (0, " 0m"),
            (59, " 0m"),
            (5459, "90m"),
            (5460, " 2h"),
            (12_600, " 4h"),
            (259_200, "72h"),
            (262_800, " 3d"),
            (302_400, " 4d"),
            (86_400 * 400, "400d"),
            (-450, "-7m"),
        ] {
            assert_eq!(age(seconds), text, "{seconds}");
        }
        for (size, text) in [
            (0, "     "),
            (1023, " 1023"),
            (1024, " 1.0K"),
            (10_239, "10.0K"),
            (10_240, "  10K"),
            (1_048_575, "1024K"),
            (1_048_576, " 1.0M"),
            (20_000_001, "  19M"),
        ] {
            assert_eq!(sized(size), text, "{size}");
        }
    }
}
