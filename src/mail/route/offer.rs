//! What one router sees of the address that it is offered.

use std::sync::Arc;

use eximious_core::Str;
use eximious_core::world::User;

use super::router::Filter;
use super::{Address, Affix, Attached, Identity, affix};

/// An address as one router has it, and what was found out of it for this router. The
/// next router has it anew.
#[derive(Debug, Default)]
pub(super) struct Offer {
    /// The local part as the router has it.
    pub(super) local_part: Str,
    /// The same, its case kept.
    pub(super) cased_local_part: Str,
    pub(super) prefix: Affix,
    pub(super) suffix: Affix,
    /// Whether the case of the local part counts.
    caseful: bool,
    /// Whether the local part is the whole of it, its case put away.
    whole: bool,
    /// Whether the variables say what it is.
    pub(super) shown: bool,
    /// Whether the router was passed by at a look.
    pub(super) skipped: bool,
    /// The data of the address's domain, local part and sender before the router's lists
    /// left their own.
    before: Option<[Option<Str>; 3]>,
    /// Whom `check_local_user` found.
    pub(super) user: Option<Arc<User>>,
    pub(super) home: Option<Str>,
    /// Whom the router's deliveries run as, once that is asked.
    pub(super) identity: Option<Identity>,
}

impl Offer {
    /// The whole address, as most routers see it.
    pub(super) fn new(address: &Address) -> Self {
        let cased_local_part = address.local_part.clone();
        let local_part = cased_local_part.lowercased();
        Self { local_part, cased_local_part, whole: true, ..Self::default() }
    }

    /// The whole local part of the address, as the router has it.
    pub(super) fn whole_local_part(&self, address: &Address) -> Str {
        cased(&address.local_part, self.caseful)
    }

    /// Forgets what the router before it had of its own, and says which affix is missing
    /// that this one asks for.
    pub(super) fn begin(&mut self, address: &Address, filter: &Filter) -> Option<&'static str> {
        self.skipped = false;
        self.caseful = filter.caseful;
        self.before = None;
        self.user = None;
        self.home = None;
        self.identity = None;
        // Most routers see what the one before saw.
        if !self.whole || filter.caseful {
            self.prefix = Affix::default();
            self.suffix = Affix::default();
            self.cased_local_part = address.local_part.clone();
            self.local_part = cased(&self.cased_local_part, filter.caseful);
            self.whole = !filter.caseful;
            self.shown = false;
        }
        self.take_affixes(filter)
    }

    /// Takes prefix and suffix off, and says which is missing that must be there.
    fn take_affixes(&mut self, filter: &Filter) -> Option<&'static str> {
        for (list, optional, end) in [
            (&filter.prefixes, filter.prefix_optional, affix::End::Head),
            (&filter.suffixes, filter.suffix_optional, affix::End::Tail),
        ] {
            let Some(list) = list else { continue };
            let Some((affix, rest)) = affix::take(list, &self.cased_local_part, end) else {
                if optional {
                    continue;
                }
                return Some(match end {
                    affix::End::Head => "prefix mismatch",
                    affix::End::Tail => "suffix mismatch",
                });
            };
            let affix = Affix {
                text: cased(&affix.text, filter.caseful),
                wild: cased(&affix.wild, filter.caseful),
            };
            match end {
                affix::End::Head => self.prefix = affix,
                affix::End::Tail => self.suffix = affix,
            }
            self.local_part = cased(&rest, filter.caseful);
            self.cased_local_part = rest;
            self.whole = false;
            self.shown = false;
        }
        None
    }

    /// Remembers the data that lists left before, the first time that this router changes
    /// it.
    pub(super) fn keep_data(&mut self, attached: &Attached) {
        self.before.get_or_insert_with(|| {
            let Attached { domain_data, local_part_data, sender_data, .. } = attached;
            [domain_data, local_part_data, sender_data].map(Option::clone)
        });
    }

    /// Puts that data back; whether this router had changed it.
    pub(super) fn put_data_back(&mut self, attached: &mut Attached) -> bool {
        let Some(data) = self.before.take() else { return false };
        [attached.domain_data, attached.local_part_data, attached.sender_data] = data;
        true
    }
}

/// A text in lower case, unless its case counts.
pub(super) fn cased(text: &Str, caseful: bool) -> Str {
    match caseful {
        true => text.clone(),
        false => text.lowercased(),
    }
}
