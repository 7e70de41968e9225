//! Patterns of local part lists (specification 10.6): those of domain lists,
//! but for what refers to this host.

use eximious_core::{Call, Fail, Str};

use super::text::{Bind, Part};
use super::walk::{Hit, Left, Pattern};

/// A local part that is tested.
pub(super) struct LocalPart(pub(super) Part);

impl LocalPart {
    pub(super) fn new(given: &Str, bind: Bind) -> Self {
        Self(Part::new(given, bind))
    }

    /// Tests a pattern; the data is never left as it was.
    pub(super) fn test(
        &self,
        call: &mut Call<'_>,
        pattern: Pattern<'_>,
        caseful: bool,
    ) -> Result<(Hit, Left), Fail> {
        let folded = if caseful { &self.0.given } else { &self.0.folded };
        let (hit, data) = self.0.text(folded, caseful).test(call, pattern)?;
        Ok((hit, Some(data)))
    }
}
