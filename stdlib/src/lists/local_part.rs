//! Patterns of local part lists (specification 10.6): those of domain lists,
//! but for what refers to this host.

use eximious_core::{Call, Fail, Str};

use super::text::{Bind, Text, folded};
use super::walk::{Hit, Left, Pattern};

/// A local part that is tested.
pub(super) struct LocalPart {
    pub(super) given: Str,
    folded: Str,
    bind: Bind,
}

impl LocalPart {
    pub(super) fn new(given: &Str, bind: Bind) -> Self {
        Self { given: given.clone(), folded: folded(given), bind }
    }

    /// Tests a pattern; the data is never left as it was.
    pub(super) fn test(
        &self,
        call: &mut Call<'_>,
        pattern: Pattern<'_>,
        caseful: bool,
    ) -> Result<(Hit, Left), Fail> {
        let text = Text {
            given: &self.given,
            folded: if caseful { &self.given } else { &self.folded },
            caseful,
            bind: self.bind,
            partial: true,
        };
        let (hit, data) = text.test(call, pattern)?;
        Ok((hit, Some(data)))
    }
}
