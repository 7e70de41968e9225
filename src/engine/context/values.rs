//! The values of a conversation.

use eximious_core::{Message, Registry, Str, UserData};
use eximious_grammar::expansion::{VariableName, Vocabulary};
use rustc_hash::FxHashMap;

/// What a conversation has come to know: variables, the message, and what whoever made
/// the context left in it. They stay from one evaluation to the next.
#[derive(Clone, Default, Debug)]
pub(crate) struct Values {
    /// Where the value of each variable that has a number lies in `stored`, plus one.
    slots: Vec<u16>,
    stored: Vec<Option<Str>>,
    /// Variables of open families, and those that only this context knows.
    named: FxHashMap<Vec<u8>, Named>,
    /// How many of them were set for the first time.
    count: u64,
    pub(crate) message: Option<Message>,
    pub(crate) user_data: Option<UserData>,
}

/// A variable that has no number.
#[derive(Clone, Debug)]
struct Named {
    value: Str,
    /// Which of all it was when it was set for the first time.
    number: u64,
}

/// Slots come in so many at once.
const SLOTS: usize = 512;

impl Values {
    /// The value of the variable with a number, where something has set it.
    #[inline]
    pub(crate) fn stored(&self, id: u16) -> Option<&Str> {
        match self.slots.get(usize::from(id)) {
            None | Some(0) => None,
            Some(slot) => self.stored.get(usize::from(*slot) - 1)?.as_ref(),
        }
    }

    /// Sets the variable with a number.
    #[inline]
    pub(crate) fn store(&mut self, id: u16, value: Str) {
        let value = value.looked_through();
        let slot = self.slots.get(usize::from(id)).map_or(0, |slot| usize::from(*slot));
        match slot.checked_sub(1).and_then(|slot| self.stored.get_mut(slot)) {
            Some(place) => *place = Some(value),
            None => self.store_first(usize::from(id), value),
        }
    }

    fn store_first(&mut self, id: usize, value: Str) {
        if self.slots.len() <= id {
            self.slots.resize((id / SLOTS + 1) * SLOTS, 0);
        }
        self.stored.push(Some(value));
        self.slots[id] = self.stored.len() as u16;
    }

    /// Takes the value of the variable with a number away.
    pub(crate) fn clear(&mut self, id: u16) {
        let slot = self.slots.get(usize::from(id)).copied().unwrap_or(0);
        let value = usize::from(slot).checked_sub(1).and_then(|n| self.stored.get_mut(n));
        if let Some(value) = value {
            *value = None;
        }
    }

    /// The value of a variable that has no number.
    #[inline]
    pub(crate) fn named(&self, name: &[u8]) -> Option<&Str> {
        self.named.get(name).map(|one| &one.value)
    }

    fn set_named(&mut self, name: &[u8], value: Str) {
        match self.named.get_mut(name) {
            Some(one) => one.value = value,
            None => {
                self.count += 1;
                self.named.insert(name.to_vec(), Named { value, number: self.count });
            }
        }
    }

    /// Sets a variable of whatever name.
    pub(crate) fn set(&mut self, registry: &Registry, name: &[u8], value: Str) {
        if !self.set_known(registry, name, value.clone()) {
            self.set_named(name, value);
        }
    }

    /// Sets a variable that the language knows; false for any other.
    pub(crate) fn set_known(&mut self, registry: &Registry, name: &[u8], value: Str) -> bool {
        match registry.variable(name) {
            VariableName::Known(id) => {
                self.store(id, value);
                true
            }
            VariableName::Family(_) => {
                self.set_named(name, value);
                true
            }
            VariableName::Unknown(_) if registry.in_family(name) => {
                self.set_named(name, value);
                true
            }
            VariableName::Unknown(_) => false,
        }
    }

    /// Takes the value of a variable of whatever name away.
    pub(crate) fn unset(&mut self, registry: &Registry, name: &[u8]) {
        match registry.variable(name) {
            VariableName::Known(id) => self.clear(id),
            _ => {
                self.named.remove(name);
            }
        }
    }

    /// The variables that are set of open families with a prefix, those first that were set
    /// first.
    pub(crate) fn family(&self, prefix: &[u8]) -> Vec<(Vec<u8>, Str)> {
        let named = self.named.iter().filter(|(name, _)| name.starts_with(prefix));
        let mut found: Vec<(&Vec<u8>, &Named)> = named.collect();
        found.sort_by_key(|(_, one)| one.number);
        found.into_iter().map(|(name, one)| (name.clone(), one.value.clone())).collect()
    }

    /// Forgets all variables of an open family.
    pub(crate) fn forget_family(&mut self, prefix: &[u8]) {
        self.named.retain(|name, _| !name.starts_with(prefix));
    }

    /// The same variables for another conversation, which has no message.
    pub(crate) fn without_message(&self) -> Self {
        Self {
            slots: self.slots.clone(),
            stored: self.stored.clone(),
            named: self.named.clone(),
            count: self.count,
            message: None,
            user_data: self.user_data.clone(),
        }
    }
}
