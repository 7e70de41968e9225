//! What looks into a message (specification, chapter 45), or at the queue: some of it is
//! known, and not there yet.

pub(super) mod copy;
pub(super) mod decode;
mod parts;
pub(super) mod regexes;

pub use parts::PartsVerdict;

use eximious_core::{AclPhases, AclTerm, Effects};

use super::words;

/// `atrn_domains`.
pub(super) static ATRN_DOMAINS: AclTerm = words::not_yet(
    words::meta(
        "atrn_domains",
        "atrn_domains = <domain list>",
        words::CONDITIONS,
        "Messages wait for one of the domains listed.",
        "It is for the ACL of ATRN alone, where a client asks for its mail over the same \
         connection. The list must not be tainted, and should name only domains that belong to \
         whoever has authenticated.",
    )
    .since("4.99"),
)
.phases(AclPhases::ATRN)
.unexpanded()
.effects(words::OF_LISTS);

/// `bmi_optin`.
pub(super) static BMI_OPTIN: AclTerm = words::not_yet(
    words::meta(
        "bmi_optin",
        "bmi_optin = <address list>",
        "experimental-spec",
        "The recipient has opted in to Brightmail's scanning.",
        "Those recipients alone get the verdict of the scanner. It is part of an experiment of \
         former releases for a product that is no longer sold.",
    )
    .needs("Brightmail's library")
    .until("4.100"),
)
.phases(AclPhases::RCPT)
.unexpanded();

/// `malware`.
pub(super) static MALWARE: AclTerm = words::not_yet(words::meta(
    "malware",
    "malware = <pattern or */true>[/defer_ok][/tmo=<seconds>]",
    "specification 45.1",
    "A scanner finds malware in the message.",
    "`*` and `true` ask for any; other text is a regular expression for the name that the \
         scanner gives, which `$malware_name` has afterwards. A scanner that can't be reached \
         defers, unless `/defer_ok` follows. The scanner is named by `av_scanner`.",
))
.phases(words::CONTENT)
.effects(Effects::NET.union(Effects::FILES));

/// `spam`.
pub(super) static SPAM: AclTerm = words::not_yet(words::meta(
    "spam",
    "spam = <user>[:true][/defer_ok]",
    "specification 45.3",
    "A scanner takes the message for spam.",
    "The message goes to SpamAssassin or Rspamd at `spamd_address`, for the settings of that \
         user; it is asked once per message and user. `:true` holds whatever the verdict, so that \
         `$spam_score` and `$spam_report` are filled. No answer defers, unless `/defer_ok` \
         follows.",
))
.phases(words::CONTENT)
.effects(Effects::NET);
