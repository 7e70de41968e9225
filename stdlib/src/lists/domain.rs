//! Patterns of domain lists (specification 10.3).

use eximious_core::{Call, Fail, Str};

use super::mx::Mx;
use super::text::{Bind, Part};
use super::walk::{Hit, Left, Pattern};
use crate::dns::local::LocalAddresses;
use crate::variables::var;

/// A domain that is tested.
pub(super) struct Domain(pub(super) Part);

impl Domain {
    pub(super) fn new(given: &Str, bind: Bind) -> Self {
        Self(Part::new(given, bind))
    }

    /// Tests a pattern; the data is never left as it was. Case counts where the
    /// domain stands in an address, which has no capitals then, after `+caseful`.
    pub(super) fn test(
        &self,
        call: &mut Call<'_>,
        pattern: Pattern<'_>,
        caseful: bool,
    ) -> Result<(Hit, Left), Fail> {
        let text = self.0.text(&self.0.folded, caseful);
        let (hit, data) = match pattern.text {
            b"@" => {
                pattern.as_metadata()?;
                let name = call.value_of(var::PRIMARY_HOSTNAME)?;
                let (bytes, taint) = name.read();
                text.decide(call, text.is(bytes), Pattern { text: bytes, taint, is_own: true })
            }
            b"@[]" => {
                pattern.as_metadata()?;
                let matched = self.is_local_literal(call)?;
                text.decide(call, matched, pattern)
            }
            written => match Mx::read(written) {
                Some(mx) => {
                    pattern.as_metadata()?;
                    match mx.test(call, self.0.folded.bytes())? {
                        Hit::Later(why) => (Hit::Later(why), None),
                        hit => text.decide(call, hit == Hit::Yes, pattern),
                    }
                }
                None => text.test(call, pattern)?,
            },
        };
        Ok((hit, Some(data)))
    }

    /// Whether it is the address of an interface of this host, in brackets.
    fn is_local_literal(&self, call: &mut Call<'_>) -> Result<bool, Fail> {
        let inside = self.0.folded.bytes().strip_prefix(b"[").and_then(|t| t.strip_suffix(b"]"));
        match inside {
            Some(address) => is_interface(call, address),
            None => Ok(false),
        }
    }
}

/// Whether a text is the address of an interface of this host, as it is
/// commonly written.
pub(super) fn is_interface(call: &mut Call<'_>, text: &[u8]) -> Result<bool, Fail> {
    let Some(address) = super::ip::address(text) else { return Ok(false) };
    let common = address.to_string().as_bytes() == text;
    Ok(common && LocalAddresses::read(call)?.iter().any(|own| own == address))
}
