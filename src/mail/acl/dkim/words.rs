//! The conditions on signatures.

use eximious_core::{AclPhases, AclTerm, Str};
use eximious_stdlib::lists::Matcher;
use eximious_stdlib::variables::var;

use crate::mail::acl::machine::{Answer, Run};
use crate::mail::acl::words::{self, TermRun};

/// `dkim_signers`.
pub(in crate::mail::acl) static DKIM_SIGNERS: AclTerm = words::condition(
    &TermRun::Text(signers),
    words::meta(
        "dkim_signers",
        "dkim_signers = <domain list>",
        "specification 58.1.2",
        "The signature at hand is of a domain in the list.",
        "The ACL for DKIM runs once for each signer, a domain or an identity; this says whom the \
         statement is about. A signer may be one that was only looked for \
         (`dkim_verify_signers`).",
    ),
)
.phases(AclPhases::DKIM)
.unexpanded();

fn signers(run: &mut Run<'_>, list: &Str) -> Answer {
    let signer = run.cx.value_of(var::DKIM_CUR_SIGNER);
    if signer.is_empty() {
        return Answer::No;
    }
    run.matched(list, &mut Matcher::local_part(&signer)).0
}

/// `dkim_status`.
pub(in crate::mail::acl) static DKIM_STATUS: AclTerm = words::condition(
    &TermRun::Text(status),
    words::meta(
        "dkim_status",
        "dkim_status = <string list>",
        "specification 58.1.2",
        "A signature has a status listed.",
        "The statuses are `none`, `invalid`, `fail` and `pass`. In the ACL for DKIM it is that of \
         the signer at hand; in those that run later, one of those of all signers. A key that \
         can't be had, now or for good, makes a signature `invalid`.",
    ),
)
.phases(
    AclPhases::DKIM
        .union(AclPhases::DATA)
        .union(AclPhases::PRDR)
        .union(AclPhases::MIME)
        .union(AclPhases::NOT_SMTP_MIME),
)
.unexpanded();

fn status(run: &mut Run<'_>, list: &Str) -> Answer {
    let statuses = run.cx.value_of(var::DKIM_VERIFY_STATUS);
    let statuses = if statuses.is_empty() { b"none" } else { statuses.bytes() };
    for status in statuses.split(|c| *c == b':') {
        let status = Str::tainted(status.to_vec());
        let answer = run.matched(list, &mut Matcher::local_part(&status)).0;
        if answer != Answer::No {
            return answer;
        }
    }
    Answer::No
}
