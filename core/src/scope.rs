//! What an evaluation binds for a while.

use std::any::{Any, TypeId};
use std::sync::Arc;

use smallvec::SmallVec;

use crate::{Str, Taint};

/// `$0`, `$1`, … after a match: ranges of its subject.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Captures {
    /// What was matched against.
    pub subject: Str,
    /// The ranges; `$0` first. An unset group is an empty range.
    pub groups: SmallVec<[(u32, u32); 6]>,
    /// Bit n is set where group n is clean whatever the subject is: the part of
    /// a key that was found in a file.
    pub clean: u8,
}

impl Captures {
    /// `$number`; empty where there is none.
    pub fn get(&self, number: u32) -> Str {
        match self.groups.get(number as usize) {
            Some((start, end)) => {
                let group = self.subject.slice(*start as usize, *end as usize);
                let clean = self.clean.checked_shr(number).is_some_and(|bits| bits & 1 != 0);
                if clean { group.stamped(Taint::Clean) } else { group }
            }
            None => Str::EMPTY,
        }
    }
}

/// The values with dynamic scope: an item that binds them puts back what was
/// there before.
#[derive(Clone, Default, Debug)]
pub struct Scope {
    /// `$0`, `$1`, …
    pub captures: Option<Arc<Captures>>,
    /// `$value`.
    pub value: Str,
    /// `$item`.
    pub item: Str,
}

impl Scope {
    /// `$number`.
    pub fn numeric(&self, number: u32) -> Str {
        self.captures.as_ref().map_or(Str::EMPTY, |c| c.get(number))
    }

    /// Binds `$0`, `$1`, … to the given strings, which get one taint.
    pub fn bind_numeric(&mut self, values: &[&[u8]], taint: Taint) {
        let mut subject = Vec::new();
        let mut groups = SmallVec::new();
        for value in values {
            let start = subject.len() as u32;
            subject.extend_from_slice(value);
            groups.push((start, subject.len() as u32));
        }
        let subject = Str::from(subject).stamped(taint);
        self.captures = Some(Arc::new(Captures { subject, groups, clean: 0 }));
    }
}

/// What built-ins keep in a context from one call to the next: caches, open
/// files, a co-process. One value of each type.
#[derive(Default)]
pub struct Memory(Vec<(TypeId, Box<dyn Any + Send>)>);

impl Memory {
    /// The value of a type, made if there is none.
    pub fn get<T: Default + Send + 'static>(&mut self) -> &mut T {
        let wanted = TypeId::of::<T>();
        // There are few types: to look at each is faster than to hash one.
        let found = self.0.iter().position(|(id, _)| *id == wanted);
        let place = found.unwrap_or_else(|| {
            self.0.push((wanted, Box::new(T::default())));
            self.0.len() - 1
        });
        self.0[place].1.downcast_mut().expect("the value under a type's id has that type")
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Memory({} kinds)", self.0.len())
    }
}
