//! What a transport's command has made of a message, where that has to be there as a whole
//! before it leaves: it is to be signed.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use eximious_core::world::{SpoolData, SpoolPlace};
use eximious_core::{BodySource, Effects, Fail, Meta, TaintRule};
use eximious_stdlib::options::{opt, server_ids};

use super::{Outgoing, TransportCall};

static META: Meta =
    Meta::new("transport filter", Effects::FILES.union(Effects::HOST), TaintRule::Result);

/// How much is read at a time.
const PIECE: usize = 16 * 1024;

/// What stands behind the header: read from where it is kept, which is gone when nobody reads
/// there any more.
#[derive(Clone)]
pub(super) struct FilteredBody {
    source: Arc<dyn BodySource>,
    length: u64,
    at: u64,
}

impl FilteredBody {
    /// How many bytes it has.
    pub(super) fn len(&self) -> u64 {
        self.length
    }
}

impl fmt::Debug for FilteredBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilteredBody").field("length", &self.length).finish_non_exhaustive()
    }
}

impl Read for FilteredBody {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.length.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let most = into.len().min(left);
        let count = self.source.read_at(self.at, &mut into[..most])?;
        self.at += count as u64;
        match count == 0 && most > 0 {
            true => Err(io::ErrorKind::UnexpectedEof.into()),
            false => Ok(count),
        }
    }
}

/// Has a message go through its command: what comes of it, which goes through none any more.
/// A small one is in memory, a large one in the spool.
///
/// # Errors
/// It does not come through, or can't be kept.
pub(super) fn filtered<'m>(
    call: &mut TransportCall<'_>,
    outgoing: &Outgoing<'m>,
) -> io::Result<Outgoing<'m>> {
    let most = usize::try_from(call.cx.engine().settings().get(opt::HEADER_MAXSIZE));
    let most = most.ok().filter(|most| *most > 0).unwrap_or(usize::MAX);
    let mut data = begin(call)?;
    let (mut reader, mut piece) = (outgoing.reader(), vec![0; PIECE]);
    let (mut head, mut length) = (Vec::new(), 0);
    let mut is_in_head = true;
    loop {
        let count = match reader.read(&mut piece) {
            Ok(0) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        let mut rest = &piece[..count];
        if is_in_head {
            let seen = head.len();
            head.extend_from_slice(rest);
            rest = &[];
            if let Some(end) = end_of_header(&head, seen) {
                is_in_head = false;
                rest = &piece[end - seen..count];
                head.truncate(end);
            }
            if head.len() > most {
                return Err(io::Error::other("the filter's header is larger than header_maxsize"));
            }
        }
        if !rest.is_empty() {
            data.write(rest).map_err(|error| error.why)?;
            length += rest.len() as u64;
        }
    }
    let body = FilteredBody { source: data.source(0), length, at: 0 };
    Ok(Outgoing::filtered(head, body))
}

/// Where a header ends, with its empty line, of which so many bytes were looked at before.
fn end_of_header(text: &[u8], seen: usize) -> Option<usize> {
    if text.first() == Some(&b'\n') {
        return Some(1);
    }
    let from = seen.saturating_sub(1);
    memchr::memmem::find(&text[from..], b"\n\n").map(|at| from + at + 2)
}

/// A file in the spool, of which nobody else knows.
fn begin(call: &mut TransportCall<'_>) -> io::Result<Box<dyn SpoolData>> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let denied = call.cx.call(&META, |call| call.files().map(|_| ()));
    let said = |fail: Fail| String::from_utf8_lossy(fail.message()).into_owned();
    denied.map_err(|fail| io::Error::other(said(fail)))?;
    let (settings, world) = (call.cx.engine().settings(), call.cx.engine().world());
    let place = SpoolPlace {
        spool: settings.get(opt::SPOOL_DIRECTORY).bytes().to_vec(),
        owner: Some(server_ids(settings, &*world.users, &*world.host)),
        ..SpoolPlace::default()
    };
    let (now, number) = (world.clock.moment(), NEXT.fetch_add(1, Ordering::Relaxed));
    let tail = format!("-K{}-{}-{number}", now.seconds, now.nanos);
    let name = [call.consignment.message.id.bytes(), tail.as_bytes()].concat();
    world.spool.begin(&place, &name).map_err(|error| error.why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_ends_where_a_line_is_empty() {
        let end = |text: &str, seen| end_of_header(text.as_bytes(), seen);
        assert_eq!(end("a: b\n\nc", 0), Some(6));
        assert_eq!(end("a: b\n\nc", 5), Some(6));
        assert_eq!(end("\nc\n\n", 0), Some(1));
        assert_eq!(end("a: b\n", 0), None);
        assert_eq!(end("", 0), None);
    }
}
