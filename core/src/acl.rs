//! The words of ACLs: their verbs, and the records of what stands under them
//! (specification, chapter 44).

use bitflags::bitflags;

use crate::Meta;

/// What a statement of an ACL begins with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AclVerb {
    /// Lets pass, where all conditions hold.
    Accept,
    /// Refuses for now.
    Defer,
    /// Refuses.
    Deny,
    /// Lets pass, and throws away.
    Discard,
    /// Refuses, and closes the connection.
    Drop,
    /// Refuses, where a condition does not hold.
    Require,
    /// Goes on, whatever holds.
    Warn,
}

impl AclVerb {
    /// All of them, by name.
    pub const ALL: [Self; 7] = [
        Self::Accept,
        Self::Defer,
        Self::Deny,
        Self::Discard,
        Self::Drop,
        Self::Require,
        Self::Warn,
    ];

    /// How it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Defer => "defer",
            Self::Deny => "deny",
            Self::Discard => "discard",
            Self::Drop => "drop",
            Self::Require => "require",
            Self::Warn => "warn",
        }
    }

    /// The verb of a name.
    pub fn of(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.name().as_bytes() == name)
    }
}

bitflags! {
    /// The ACLs, each named after the option that sets it.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
    pub struct AclPhases: u32 {
        /// `acl_smtp_connect`
        const CONNECT = 1;
        /// `acl_smtp_helo`
        const HELO = 1 << 1;
        /// `acl_smtp_starttls`
        const STARTTLS = 1 << 2;
        /// `acl_smtp_auth`
        const AUTH = 1 << 3;
        /// `acl_smtp_mail`
        const MAIL = 1 << 4;
        /// `acl_smtp_mailauth`
        const MAILAUTH = 1 << 5;
        /// `acl_smtp_rcpt`
        const RCPT = 1 << 6;
        /// `acl_smtp_predata`
        const PREDATA = 1 << 7;
        /// `acl_smtp_data`
        const DATA = 1 << 8;
        /// `acl_smtp_data_prdr`
        const PRDR = 1 << 9;
        /// `acl_smtp_mime`
        const MIME = 1 << 10;
        /// `acl_smtp_dkim`
        const DKIM = 1 << 11;
        /// `acl_smtp_quit`
        const QUIT = 1 << 12;
        /// `acl_smtp_notquit`
        const NOTQUIT = 1 << 13;
        /// `acl_smtp_etrn`
        const ETRN = 1 << 14;
        /// `acl_smtp_expn`
        const EXPN = 1 << 15;
        /// `acl_smtp_vrfy`
        const VRFY = 1 << 16;
        /// `acl_smtp_wellknown`
        const WELLKNOWN = 1 << 17;
        /// `acl_smtp_atrn`
        const ATRN = 1 << 18;
        /// `acl_not_smtp`
        const NOT_SMTP = 1 << 19;
        /// `acl_not_smtp_mime`
        const NOT_SMTP_MIME = 1 << 20;
        /// `acl_not_smtp_start`
        const NOT_SMTP_START = 1 << 21;
    }
}

/// Whether a term asks something or does something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AclTermKind {
    /// It holds or not; `!` turns that round.
    Condition,
    /// It does something.
    Modifier,
}

/// What follows a term's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AclOperand {
    /// Nothing that counts (`endpass`).
    None,
    /// An equals sign, and text.
    Text,
    /// The name of a variable, an equals sign, and text (`set`).
    Variable,
}

/// A condition or modifier of ACLs (specification 44.19 to 44.27).
#[derive(Clone, Copy, Debug)]
pub struct AclTerm {
    /// What it says of itself.
    pub meta: Meta,
    /// Whether it asks or does.
    pub kind: AclTermKind,
    /// What follows its name.
    pub operand: AclOperand,
    /// Whether its text is expanded before it sees it.
    pub expanded: bool,
    /// The ACLs in which it is allowed.
    pub phases: AclPhases,
}

/// What `control` names (specification 44.22).
#[derive(Clone, Copy, Debug)]
pub struct AclControl {
    /// What it says of itself.
    pub meta: Meta,
    /// Whether options follow its name after slashes.
    pub options: bool,
    /// The ACLs in which it is allowed.
    pub phases: AclPhases,
}

/// What `verify` names (specification 44.27).
#[derive(Clone, Copy, Debug)]
pub struct AclVerify {
    /// What it says of itself.
    pub meta: Meta,
    /// Whether options follow its name after slashes.
    pub options: bool,
    /// Whether an address may follow its name (`sender=`).
    pub address: bool,
    /// The ACLs in which it is allowed.
    pub phases: AclPhases,
}
