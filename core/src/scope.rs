//! What an evaluation binds for a while.

use smallvec::SmallVec;

use crate::{Str, Taint};

/// `$0`, `$1`, … after a match: ranges of its subject.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Captures {
    /// What was matched against.
    pub subject: Str,
    /// The ranges; `$0` first. An unset group is an empty range.
    pub groups: SmallVec<[(u32, u32); 4]>,
    /// Bit n is set where group n is clean whatever the subject is: the part of
    /// a key that was found in a file.
    pub clean: u8,
}

impl Captures {
    /// Takes all away.
    pub fn clear(&mut self) {
        self.subject = Str::EMPTY;
        self.groups.clear();
        self.clean = 0;
    }

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

/// The values with dynamic scope. What binds them does so between
/// [`Scope::enter`] and [`Scope::leave`], which puts back what was there before:
/// the first change of each value after the one notes it down for the other.
#[derive(Clone, Debug)]
pub struct Scope {
    captures: Captures,
    value: Str,
    item: Str,
    /// What was noted down since the last [`Scope::enter`].
    noted: Bindings,
    earlier: Vec<Earlier>,
}

/// Which of the values with dynamic scope.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bindings(u8);

impl Bindings {
    /// None.
    pub const NONE: Self = Self(0);
    /// `$0`, `$1`, ….
    pub const CAPTURES: Self = Self(1);
    /// `$value`.
    pub const VALUE: Self = Self(2);
    /// `$item`.
    pub const ITEM: Self = Self(4);
    /// All.
    pub const ALL: Self = Self(7);

    fn contains(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// What a value was before.
#[derive(Clone, Debug)]
enum Earlier {
    NoCaptures,
    Captures(Captures),
    Value(Str),
    Item(Str),
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            captures: Captures::default(),
            value: Str::EMPTY,
            item: Str::EMPTY,
            // Outside of everything, nobody puts anything back.
            noted: Bindings::ALL,
            earlier: Vec::new(),
        }
    }
}

impl Scope {
    /// `$number`.
    pub fn numeric(&self, number: u32) -> Str {
        self.captures.get(number)
    }

    /// `$0`, `$1`, … as far as there are any.
    pub fn all_numeric(&self) -> Vec<Str> {
        (0..self.captures.groups.len() as u32).map(|number| self.captures.get(number)).collect()
    }

    /// `$value`.
    pub fn value(&self) -> &Str {
        &self.value
    }

    /// `$item`.
    pub fn item(&self) -> &Str {
        &self.item
    }

    /// Binds `$value`.
    pub fn set_value(&mut self, value: Str) {
        let earlier = std::mem::replace(&mut self.value, value);
        if !self.noted.contains(Bindings::VALUE) {
            self.noted.add(Bindings::VALUE);
            self.earlier.push(Earlier::Value(earlier));
        }
    }

    /// Binds `$item`.
    pub fn set_item(&mut self, item: Str) {
        let earlier = std::mem::replace(&mut self.item, item);
        if !self.noted.contains(Bindings::ITEM) {
            self.noted.add(Bindings::ITEM);
            self.earlier.push(Earlier::Item(earlier));
        }
    }

    /// Binds `$0`, `$1`, …: what is there is for the caller to overwrite.
    pub fn captures_mut(&mut self) -> &mut Captures {
        if !self.noted.contains(Bindings::CAPTURES) {
            self.noted.add(Bindings::CAPTURES);
            self.earlier.push(if self.captures.groups.is_empty() {
                Earlier::NoCaptures
            } else {
                Earlier::Captures(std::mem::take(&mut self.captures))
            });
        }
        &mut self.captures
    }

    /// Takes `$0`, `$1`, … away.
    pub fn clear_captures(&mut self) {
        if !self.captures.groups.is_empty() {
            self.captures_mut().clear();
        }
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
        *self.captures_mut() = Captures { subject, groups, clean: 0 };
    }

    /// From here on, changes can be taken back. What this returns belongs to
    /// [`Scope::leave`].
    pub fn enter(&mut self) -> Outer {
        let noted = std::mem::replace(&mut self.noted, Bindings::NONE);
        Outer { noted, length: self.earlier.len() }
    }

    /// Puts some values back as they were at [`Scope::enter`]. The rest stay
    /// as they are.
    pub fn leave(&mut self, outer: Outer, back: Bindings) {
        let changed = std::mem::replace(&mut self.noted, outer.noted);
        if back.0 & changed.0 != changed.0 {
            return self.leave_some(outer.length, back);
        }
        while self.earlier.len() > outer.length
            && let Some(earlier) = self.earlier.pop()
        {
            self.put_back(earlier);
        }
    }

    fn put_back(&mut self, earlier: Earlier) {
        match earlier {
            Earlier::NoCaptures => self.captures.clear(),
            Earlier::Captures(captures) => self.captures = captures,
            Earlier::Value(value) => self.value = value,
            Earlier::Item(item) => self.item = item,
        }
    }

    /// What is not put back is handed over to what is around, unless that has
    /// noted down an earlier one itself.
    fn leave_some(&mut self, length: usize, back: Bindings) {
        let mut kept = length;
        for at in length..self.earlier.len() {
            let earlier = std::mem::replace(&mut self.earlier[at], Earlier::NoCaptures);
            let which = earlier.which();
            if back.contains(which) {
                self.put_back(earlier);
            } else if !self.noted.contains(which) {
                self.noted.add(which);
                self.earlier[kept] = earlier;
                kept += 1;
            }
        }
        self.earlier.truncate(kept);
    }
}

/// What [`Scope::leave`] has to know of [`Scope::enter`].
#[derive(Clone, Copy, Debug)]
pub struct Outer {
    noted: Bindings,
    length: usize,
}

impl Earlier {
    fn which(&self) -> Bindings {
        match self {
            Self::NoCaptures | Self::Captures(_) => Bindings::CAPTURES,
            Self::Value(_) => Bindings::VALUE,
            Self::Item(_) => Bindings::ITEM,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(scope: &Scope) -> String {
        let captures = scope.numeric(0);
        [&captures, scope.value(), scope.item()].map(|s| s.display().into_owned()).join(" ")
    }

    fn bind(scope: &mut Scope, text: &str) {
        scope.bind_numeric(&[text.as_bytes()], Taint::Clean);
        scope.set_value(text.into());
        scope.set_item(text.into());
    }

    #[test]
    fn what_was_bound_is_put_back() {
        let mut scope = Scope::default();
        bind(&mut scope, "a");
        let outer = scope.enter();
        bind(&mut scope, "b");
        let inner = scope.enter();
        bind(&mut scope, "c");
        bind(&mut scope, "d");
        assert_eq!(shown(&scope), "d d d");
        scope.leave(inner, Bindings::ALL);
        assert_eq!(shown(&scope), "b b b");
        scope.clear_captures();
        scope.leave(outer, Bindings::ALL);
        assert_eq!(shown(&scope), "a a a");
        assert!(scope.earlier.is_empty());
    }

    #[test]
    fn what_stays_is_put_back_further_out() {
        let mut scope = Scope::default();
        bind(&mut scope, "a");
        let outer = scope.enter();
        scope.set_value("b".into());
        let inner = scope.enter();
        bind(&mut scope, "c");
        scope.leave(inner, Bindings::ITEM);
        assert_eq!(shown(&scope), "c c a");
        bind(&mut scope, "d");
        scope.leave(outer, Bindings::ALL);
        assert_eq!(shown(&scope), "a a a");
        let outer = scope.enter();
        bind(&mut scope, "b");
        scope.leave(outer, Bindings::NONE);
        assert_eq!(shown(&scope), "b b b");
        assert!(scope.earlier.is_empty());
    }
}
