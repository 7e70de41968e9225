//! Which messages wait for a host (specification 54.12, the databases `wait-` with the name
//! of a transport): whoever has a connection to it takes them along.
//!
//! A record is a message and a host; its key is the host's name, a space, and the message's
//! name, so that a message more costs the same however many wait.

use eximious_core::world::{Change, Hint, HintsError};

use super::private::Coded;
use super::{FieldReader, HintStore, Record, Writer, encode};

/// How many records are looked at together.
const PAGE: usize = 16;

/// What the spaces are called, before the name of a transport.
const SPACE: &[u8] = b"wait-";

/// That a message waits for a host.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Waiting;

impl Waiting {
    /// Notes that a message waits for each of some hosts, by their names.
    ///
    /// # Errors
    /// The store does not take it.
    pub fn note<'n>(
        store: &dyn HintStore,
        transport: &[u8],
        hosts: impl IntoIterator<Item = &'n [u8]>,
        id: &[u8],
        now: i64,
    ) -> Result<(), HintsError> {
        let space = space(transport);
        for host in hosts {
            store.put(&space, &key(host, id), Hint { value: encode(&Self), stamp: now })?;
        }
        Ok(())
    }

    /// The first message that waits for a host, of those that are to be taken: nobody else
    /// takes it then. What is stale is forgotten.
    ///
    /// # Errors
    /// The store can't be asked.
    pub fn take(
        store: &dyn HintStore,
        transport: &[u8],
        host: &[u8],
        standing: impl FnMut(&[u8]) -> WaitingStanding,
    ) -> Result<Option<Vec<u8>>, HintsError> {
        find(store, (transport, host), standing, |space, key| {
            let mut was_there = false;
            store.update(space, key, &mut |old| {
                was_there = old.is_some();
                Change::Delete
            })?;
            Ok(was_there)
        })
    }

    /// Whether a message waits for a host. What is stale is forgotten.
    ///
    /// # Errors
    /// The store can't be asked.
    pub fn is_there(
        store: &dyn HintStore,
        transport: &[u8],
        host: &[u8],
        standing: impl FnMut(&[u8]) -> WaitingStanding,
    ) -> Result<bool, HintsError> {
        Ok(find(store, (transport, host), standing, |_, _| Ok(true))?.is_some())
    }

    /// Whether a space holds such records.
    pub fn is_space(space: &[u8]) -> bool {
        space.starts_with(SPACE)
    }

    /// The host and the message of a record, where its space is one of those.
    pub fn read<'k>(space: &[u8], key: &'k [u8]) -> Option<(&'k [u8], &'k [u8])> {
        if !Self::is_space(space) {
            return None;
        }
        let at = memchr::memrchr(b' ', key)?;
        Some((&key[..at], &key[at + 1..]))
    }
}

/// What is to be done about a message that is said to wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WaitingStanding {
    /// It is taken.
    Wanted,
    /// It is left alone.
    PassedBy,
    /// It is there no more.
    Stale,
}

/// The first message that is wanted, and that `claims` says yes to.
fn find(
    store: &dyn HintStore,
    (transport, host): (&[u8], &[u8]),
    mut standing: impl FnMut(&[u8]) -> WaitingStanding,
    claims: impl Fn(&[u8], &[u8]) -> Result<bool, HintsError>,
) -> Result<Option<Vec<u8>>, HintsError> {
    let space = space(transport);
    let begin = key(host, b"");
    let mut behind = begin.clone();
    loop {
        let page = store.page(&space, Some(&behind), PAGE)?;
        let Some((last, _)) = page.last() else { return Ok(None) };
        behind.clone_from(last);
        for (key, _) in page {
            let Some(id) = key.strip_prefix(&begin[..]) else { return Ok(None) };
            match standing(id) {
                WaitingStanding::Wanted if claims(&space, &key)? => return Ok(Some(id.to_vec())),
                WaitingStanding::Wanted | WaitingStanding::PassedBy => {}
                WaitingStanding::Stale => store.delete(&space, &key)?,
            }
        }
    }
}

fn space(transport: &[u8]) -> Vec<u8> {
    [SPACE, transport].concat()
}

fn key(host: &[u8], id: &[u8]) -> Vec<u8> {
    [&host.to_ascii_lowercase()[..], b" ", id].concat()
}

impl Record for Waiting {
    const SPACE: &'static str = "wait-";
}

impl Coded for Waiting {
    const MARK: [u8; 2] = *b"M\x01";

    fn write(&self, _: &mut Writer) {}

    fn read(_: &mut FieldReader<'_>) -> Option<Self> {
        Some(Self)
    }
}
