//! Mail that waits for a client who asks for it: `atrn_domains` (specification 49.2.7,
//! RFC 2645).

use std::collections::BTreeSet;

use eximious_core::{AclPhases, AclTerm, Str};
use eximious_stdlib::lists::{Matcher, elements};
use eximious_stdlib::wording;

use super::machine::{Answer, Run};
use super::words::{self, TermRun};

/// What a client is to get over its own connection, once its ACL accepts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WaitingDomains {
    /// The items of the list that `atrn_domains` had.
    pub items: Vec<Vec<u8>>,
    /// The domains in it for which messages wait, in lower case.
    pub domains: BTreeSet<Vec<u8>>,
}

/// `atrn_domains`.
pub(super) static ATRN_DOMAINS: AclTerm = words::condition(
    &TermRun::Text(atrn_domains),
    words::meta(
        "atrn_domains",
        "atrn_domains = <domain list>",
        words::CONDITIONS,
        "Messages wait for one of the domains listed.",
        "It is for the ACL of ATRN alone, where a client asks for its mail over the same \
         connection; what it found is sent once the ACL accepts. The list must not be tainted, \
         and should name only domains that belong to whoever has authenticated. It looks into \
         the queue that `queue =` names before it.",
    )
    .since("4.99"),
)
.phases(AclPhases::ATRN)
.unexpanded()
.effects(words::OF_LISTS);

/// `atrn_domains`: what is found is kept for the delivery.
fn atrn_domains(run: &mut Run<'_>, list: &Str) -> Answer {
    run.state.waiting_domains = None;
    let text = match run.expanded(list) {
        Ok(text) => text,
        Err(fail) => {
            run.logged = Some(Str::from(fail.message()));
            return Answer::Later;
        }
    };
    if text.taint().is_tainted() {
        run.logged = Some(Str::fixed("the list of atrn_domains is tainted"));
        return Answer::Error;
    }
    let queue = run.state.queue.clone();
    let waiting = match run.host.domains_that_wait(run.cx, &queue) {
        Ok(waiting) => waiting,
        Err(why) => {
            let why = wording::reason(&why);
            run.logged = Some(Str::from(format!("the queue can't be read: {why}")));
            return Answer::Later;
        }
    };
    let mut found = WaitingDomains {
        items: elements(text.bytes()).map(|item| item.to_vec()).collect(),
        domains: BTreeSet::new(),
    };
    for domain in waiting {
        match run.matched(list, &mut Matcher::domain(&Str::tainted(&domain[..]))).0 {
            Answer::Yes => {
                found.domains.insert(domain);
            }
            Answer::No => {}
            other => return other,
        }
    }
    let some = !found.domains.is_empty();
    run.state.waiting_domains = Some(found).filter(|_| some);
    some.into()
}
