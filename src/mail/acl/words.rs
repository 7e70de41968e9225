//! How the records of ACLs' words are put together, what they run, and the lists of
//! them. Each word stands in the file of its subject, beside its code.

use eximious_core::AclTermKind::{Condition, Modifier};
use eximious_core::{
    AclControl, AclOptions, AclPhases, AclTerm, AclVerify, Closure, Effects, Fail, Meta, Rec, Runs,
    Str, TaintRule,
};

use super::call::{AclCall, VerifyAsked};
use super::machine::{Answer, Run};
use super::{
    arc, atrn, conditions, content, controls, cutthrough, dcc, dkim, dmarc, dnslists, headers,
    lists, modifiers, ratelimit, seen, spf, udpsend, verify,
};

/// Conditions and modifiers.
pub(super) static TERMS: &[&AclTerm] = &[
    &conditions::ACL,
    &conditions::AUTHENTICATED,
    &conditions::CONDITION,
    &conditions::ENCRYPTED,
    &atrn::ATRN_DOMAINS,
    &content::BMI_OPTIN,
    &content::decode::DECODE,
    &content::malware::MALWARE,
    &content::regexes::MIME_REGEX,
    &content::regexes::REGEX,
    &content::spam::SPAM,
    &controls::CONTROL,
    &dcc::DCC,
    &dkim::DKIM_SIGNERS,
    &dkim::DKIM_STATUS,
    &dnslists::DNSLISTS,
    &headers::ADD_HEADER,
    &headers::REMOVE_HEADER,
    &lists::DOMAINS,
    &lists::HOSTS,
    &lists::LOCAL_PARTS,
    &lists::RECIPIENTS,
    &lists::SENDERS,
    &lists::SENDER_DOMAINS,
    &modifiers::CONTINUE,
    &modifiers::DELAY,
    &modifiers::ENDPASS,
    &modifiers::LOGWRITE,
    &modifiers::LOG_MESSAGE,
    &modifiers::LOG_REJECT_TARGET,
    &modifiers::MESSAGE,
    &modifiers::QUEUE,
    &modifiers::SET,
    &ratelimit::RATELIMIT,
    &seen::SEEN,
    &dmarc::DMARC_STATUS,
    &spf::SPF,
    &spf::SPF_GUESS,
    &udpsend::UDPSEND,
    &verify::VERIFY,
];

/// What `control` may name.
pub(super) static CONTROLS: &[&AclControl] = &[
    &controls::connection::ALLOW_AUTH_UNADVERTISED,
    &controls::connection::CASEFUL_LOCAL_PART,
    &controls::connection::CASELOWER_LOCAL_PART,
    &controls::dscp::DSCP,
    &controls::connection::ENFORCE_SYNC,
    &controls::connection::NO_CALLOUT_FLUSH,
    &controls::connection::NO_DELAY_FLUSH,
    &controls::connection::NO_ENFORCE_SYNC,
    &controls::connection::NO_MULTILINE_RESPONSES,
    &controls::connection::NO_PIPELINING,
    &controls::debug::DEBUG,
    &controls::message::BMI_RUN,
    &controls::message::DKIM_DISABLE_VERIFY,
    &controls::message::DMARC_DISABLE_VERIFY,
    &controls::message::DMARC_ENABLE_FORENSIC,
    &controls::message::FAKEDEFER,
    &controls::message::FAKEREJECT,
    &controls::message::FREEZE,
    &controls::message::NO_MBOX_UNSPOOL,
    &controls::message::QUEUE,
    &controls::message::QUEUE_ONLY,
    &controls::message::SUBMISSION,
    &controls::message::SUPPRESS_LOCAL_FIXUPS,
    &controls::message::UTF8_DOWNCONVERT,
    &controls::message::WELLKNOWN,
    &cutthrough::CUTTHROUGH_DELIVERY,
];

/// What `verify` may name.
pub(super) static VERIFIES: &[&AclVerify] = &[
    &arc::ARC,
    &verify::client::CERTIFICATE,
    &verify::client::CSA,
    &verify::client::HELO,
    &verify::client::REVERSE_HOST_LOOKUP,
    &verify::header::HEADER_NAMES_ASCII,
    &verify::header::HEADER_SENDER,
    &verify::header::HEADER_SYNTAX,
    &verify::header::NOT_BLIND,
    &verify::RECIPIENT,
    &verify::SENDER,
];

/// What a condition or modifier does.
pub(super) enum TermRun {
    /// With its text, expanded where its record says so.
    Text(fn(&mut Run<'_>, &Str) -> Answer),
    /// With the variable that it names, too.
    Variable(fn(&mut Run<'_>, Option<&Str>, &Str) -> Answer),
    /// Its text is kept for the client, until the statement ends.
    Message,
    /// Its text is kept for the logs, until the statement ends.
    LogMessage,
    /// What fails behind it refuses.
    Endpass,
    /// An embedder's.
    Embedded(Closure<EmbeddedTerm>),
}

/// What an embedder's condition or modifier does.
pub(super) type EmbeddedTerm = dyn Fn(&mut AclCall<'_>, &Str) -> Result<bool, Fail> + Send + Sync;

/// What a control does.
pub(super) enum ControlRun {
    /// One of ours.
    Own {
        /// Whether it takes what stands after a slash, or that there is no slash.
        takes: fn(Option<&[u8]>) -> bool,
        /// Sets it.
        set: fn(&mut Run<'_>, Setting<'_>) -> Answer,
    },
    /// An embedder's, which is set unless this says no.
    Embedded(Closure<EmbeddedTerm>),
}

/// A control that is to be set.
pub(super) struct Setting<'s> {
    /// Which.
    pub(super) control: &'s Rec<AclControl>,
    /// What stands after the slash.
    pub(super) options: Str,
    /// Whether there is a slash.
    pub(super) slashed: bool,
}

/// What a verification does.
pub(super) enum VerifyRun {
    /// One of ours.
    Own(fn(&mut Run<'_>, Asked<'_>) -> Answer),
    /// An embedder's.
    Embedded(Closure<EmbeddedVerify>),
}

/// What an embedder's verification does.
pub(super) type EmbeddedVerify =
    dyn Fn(&mut AclCall<'_>, &VerifyAsked<'_>) -> Result<bool, Fail> + Send + Sync;

/// What is asked of a verification.
pub(super) struct Asked<'a> {
    /// The address that follows its name.
    pub(super) address: Option<Str>,
    /// All that stands after `verify =`.
    pub(super) text: &'a [u8],
    /// What stands after slashes.
    pub(super) options: &'a [Vec<u8>],
}

/// What a word of ACLs says of itself.
pub(super) const fn meta(
    name: &'static str,
    syntax: &'static str,
    source: &'static str,
    summary: &'static str,
    docs: &'static str,
) -> Meta {
    Meta::new(name, Effects::NONE, TaintRule::Result)
        .syntax(syntax)
        .source(source)
        .summary(summary)
        .docs(docs)
}

pub(super) const fn condition(run: &'static TermRun, meta: Meta) -> AclTerm {
    AclTerm::new(Condition, meta, Runs::of(run))
}

pub(super) const fn modifier(run: &'static TermRun, meta: Meta) -> AclTerm {
    AclTerm::new(Modifier, meta, Runs::of(run))
}

/// A condition that is known, and does nothing yet.
pub(super) const fn not_yet(meta: Meta) -> AclTerm {
    AclTerm::new(Condition, meta, Runs::NotYet)
}

pub(super) const fn control(run: &'static ControlRun, meta: Meta) -> AclControl {
    AclControl::new(meta, Runs::of(run))
}

pub(super) const fn verify(run: Runs, meta: Meta) -> AclVerify {
    AclVerify::new(meta, run)
}

/// What lists may ask for, item by item.
pub(super) const OF_LISTS: Effects = Effects::FILES
    .union(Effects::DNS)
    .union(Effects::LOOKUP)
    .union(Effects::HOST)
    .union(Effects::LOG)
    .union(Effects::EXPAND);
/// What routing an address may ask for, and whoever is asked about it.
pub(super) const OF_ROUTING: Effects =
    OF_LISTS.union(Effects::NET).union(Effects::CLOCK).union(Effects::RANDOM);

pub(super) const ALL: AclPhases = AclPhases::all();
/// Where no client is connected: there is no conversation, and not yet a
/// message.
pub(super) const NO_CLIENT: AclPhases = AclPhases::NOT_SMTP.union(AclPhases::NOT_SMTP_START);
/// Where the recipient at hand has a domain and a local part.
pub(super) const RECIPIENT: AclPhases =
    AclPhases::RCPT.union(AclPhases::PRDR).union(AclPhases::VRFY);
/// Where there is no sender of a message.
pub(super) const NO_SENDER: AclPhases = AclPhases::CONNECT
    .union(AclPhases::HELO)
    .union(AclPhases::STARTTLS)
    .union(AclPhases::AUTH)
    .union(AclPhases::MAILAUTH)
    .union(AclPhases::ETRN)
    .union(AclPhases::EXPN)
    .union(AclPhases::VRFY);
/// Where all of a message is there to be scanned.
pub(super) const CONTENT: AclPhases =
    AclPhases::DATA.union(AclPhases::PRDR).union(AclPhases::NOT_SMTP);
/// Where a part of a message is there.
pub(super) const PARTS: AclPhases = AclPhases::MIME.union(AclPhases::NOT_SMTP_MIME);
/// Where the header of a message can be changed.
pub(super) const HEADER: AclPhases =
    BEFORE_DATA.union(CONTENT).union(PARTS).union(AclPhases::NOT_SMTP_START);
/// Where there is a conversation to change.
pub(super) const CLIENT: AclPhases = ALL.difference(NO_CLIENT);
/// Before the data of a message.
pub(super) const BEFORE_DATA: AclPhases =
    AclPhases::MAIL.union(AclPhases::RCPT).union(AclPhases::PREDATA);
/// Where a message comes over SMTP, and all of it is at stake.
pub(super) const RECEIVED: AclPhases =
    BEFORE_DATA.union(AclPhases::DATA).union(AclPhases::MIME).union(AclPhases::NOT_SMTP_MIME);
/// Where a message comes, over SMTP or not.
pub(super) const MESSAGE: AclPhases = RECEIVED.union(AclPhases::NOT_SMTP);
/// Before the checks that begin when the data come.
pub(super) const BEFORE_CHECKS: AclPhases =
    CLIENT.difference(AclPhases::DATA).difference(AclPhases::PRDR);
/// Where a message's header is there. A real Exim takes what looks at it in the
/// ACLs of the end too.
pub(super) const WITH_HEADER: AclPhases = AclPhases::DATA
    .union(AclPhases::PRDR)
    .union(AclPhases::DKIM)
    .union(PARTS)
    .union(AclPhases::QUIT)
    .union(AclPhases::NOTQUIT)
    .union(AclPhases::NOT_SMTP);
/// Where there is a sender.
pub(super) const WITH_SENDER: AclPhases =
    BEFORE_DATA.union(AclPhases::DATA).union(AclPhases::NOT_SMTP);

pub(super) const CONDITIONS: &str = "specification 44.17";
pub(super) const MODIFIERS: &str = "specification 44.12";

/// What may follow an address's verification (44.21); the last two are the
/// former way to write parameters of `callout`.
pub(super) const ADDRESS_OPTIONS: AclOptions = AclOptions::Names(&[
    "callout",
    "callout=",
    "defer_ok",
    "no_details",
    "success_on_redirect",
    "callout_defer_ok",
    "check_postmaster",
]);
/// What may follow the recipient's.
pub(super) const RECIPIENT_OPTIONS: AclOptions = AclOptions::Names(&[
    "callout",
    "callout=",
    "defer_ok",
    "quota",
    "quota=",
    "no_details",
    "success_on_redirect",
    "callout_defer_ok",
    "check_postmaster",
]);
