//! Options that are lists of domains of which the DNS is asked.

use eximious_core::trace::{Happening, ListEvent};
use eximious_core::{Call, Fail, Opt, Str};

use super::Memory;
use crate::lists::{ListOutcome, Matcher};
use crate::options::opt;

/// Whether a name is in an option's list of domains.
pub(crate) fn listed(call: &mut Call<'_>, option: Opt<Str>, name: &str) -> Result<bool, Fail> {
    listed_as(call, option, Some(option.name()), name)
}

/// The same, of a list that is called otherwise where each step is shown; without a name
/// its text is.
pub(super) fn listed_as(
    call: &mut Call<'_>,
    option: Opt<Str>,
    called: Option<&'static str>,
    name: &str,
) -> Result<bool, Fail> {
    let Some(list) = call.settings().text(option) else { return Ok(false) };
    // A list that asks questions itself is not asked about them.
    if std::mem::replace(&mut call.memory::<Memory>().judging, true) {
        return Ok(false);
    }
    let name = Str::tainted(name.as_bytes());
    let mut matcher = Matcher::domain(&name);
    if let Some(called) = called {
        matcher = matcher.called(called);
    }
    let outcome = call.scoped(|call| matcher.test_written(call, &list));
    call.memory::<Memory>().judging = false;
    Ok(matches!(outcome?, ListOutcome::Matched(_)))
}

/// Whether a name without an answer is one that does not exist.
pub(crate) fn means_nonexist(call: &mut Call<'_>, name: &[u8]) -> Result<bool, Fail> {
    listed(call, opt::DNS_AGAIN_MEANS_NONEXIST, &String::from_utf8_lossy(name))
}

/// Shows that no list says what it means that there is no answer.
pub(crate) fn show_unset(call: &mut Call<'_>, name: &[u8]) {
    let option = opt::DNS_AGAIN_MEANS_NONEXIST;
    if call.settings().text(option).is_none() {
        let unset = ListEvent::Unset { subject: name, option: Some(option.name()) };
        call.trace().tell(Happening::List(unset));
    }
}
