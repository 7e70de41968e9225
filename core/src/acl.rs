//! The words of ACLs: their verbs, and the records of what stands under them
//! (specification, chapter 44).

use bitflags::bitflags;

use crate::{Effects, Meta, Runs};

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

impl std::fmt::Display for AclVerb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
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

/// A verb's record (specification 44.9).
#[derive(Clone, Copy, Debug)]
pub struct AclVerbDef {
    /// What it says of itself.
    pub meta: Meta,
    /// The verb.
    pub verb: AclVerb,
    /// The ACLs in which it may decide.
    pub phases: AclPhases,
}

impl AclVerbDef {
    /// What Exim says where an ACL ends with it that may not.
    pub fn refusal(&self, phase: AclPhases) -> String {
        let verb = self.meta.name;
        if AclPhases::QUIT.union(AclPhases::NOTQUIT).contains(phase) {
            return format!(
                "QUIT or not-QUIT toplevel ACL may not fail ('{verb}' verb used incorrectly)"
            );
        }
        format!("\"{verb}\" verb not allowed in {} ACL", phase.called())
    }
}

impl AclPhases {
    /// What Exim calls the ACLs where it complains.
    const CALLED: [(Self, &str); 22] = [
        (Self::CONNECT, "connection"),
        (Self::HELO, "EHLO or HELO"),
        (Self::STARTTLS, "STARTTLS"),
        (Self::AUTH, "AUTH"),
        (Self::MAIL, "MAIL"),
        (Self::MAILAUTH, "MAILAUTH"),
        (Self::RCPT, "RCPT"),
        (Self::PREDATA, "PREDATA"),
        (Self::DATA, "DATA"),
        (Self::PRDR, "PRDR"),
        (Self::MIME, "MIME"),
        (Self::DKIM, "DKIM"),
        (Self::QUIT, "QUIT"),
        (Self::NOTQUIT, "NOTQUIT"),
        (Self::ETRN, "ETRN"),
        (Self::EXPN, "EXPN"),
        (Self::VRFY, "VRFY"),
        (Self::WELLKNOWN, "WELLKNOWN"),
        (Self::ATRN, "ATRN"),
        (Self::NOT_SMTP, "non-SMTP"),
        // A real Exim never shows what is wrong in this one.
        (Self::NOT_SMTP_MIME, "non-SMTP MIME"),
        (Self::NOT_SMTP_START, "non-SMTP-start"),
    ];

    /// What Exim calls the ACL in a complaint: `EHLO or HELO`; `unknown` unless it is one
    /// alone.
    pub fn called(self) -> &'static str {
        Self::CALLED.iter().find(|(phase, _)| *phase == self).map_or("unknown", |(_, name)| name)
    }

    /// The options that name these ACLs, in order.
    pub fn options(self) -> impl Iterator<Item = String> {
        self.iter_names().map(|(name, _)| match name {
            "PRDR" => "acl_smtp_data_prdr".to_owned(),
            _ if name.starts_with("NOT_") => format!("acl_{}", name.to_ascii_lowercase()),
            _ => format!("acl_smtp_{}", name.to_ascii_lowercase()),
        })
    }
}

/// Whether a term asks something or does something.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AclTermKind {
    /// It holds or not; `!` turns that round.
    Condition,
    /// It does something.
    Modifier,
}

/// What follows a term's name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AclOperand {
    /// Nothing that counts (`endpass`).
    None,
    /// An equals sign, and text.
    Text,
    /// The name of a variable, an equals sign, and text (`set`).
    Variable,
}

/// What several records of words in ACLs let be said of them in the same way.
macro_rules! words_of_acls {
    (phases: $($of:ident)*) => {$(
        impl $of {
            /// Sets what it does besides computing; without this, what its meta says.
            pub const fn effects(mut self, effects: Effects) -> Self {
                self.meta.effects = effects;
                self
            }
            /// Sets the ACLs in which it is allowed; without this, it is in all.
            pub const fn phases(mut self, phases: AclPhases) -> Self {
                self.phases = phases;
                self
            }
        }
    )*};
    (options: $($of:ident)*) => {$(
        impl $of {
            /// Sets what may follow its name after a slash; without this, nothing may.
            pub const fn options(mut self, options: AclOptions) -> Self {
                self.options = options;
                self
            }
        }
    )*};
}
words_of_acls! { phases: AclTerm AclControl AclVerify }
words_of_acls! { options: AclControl AclVerify }

/// A condition or modifier of ACLs (specification 44.12 and 44.17).
#[derive(Clone, Debug)]
pub struct AclTerm {
    /// What it says of itself.
    pub meta: Meta,
    /// Whether it asks or does. What asks may have `!` before it.
    pub kind: AclTermKind,
    /// What follows its name.
    pub operand: AclOperand,
    /// Whether its text is expanded as a whole before it sees it; a list that
    /// is not is expanded where it is matched, and words one by one.
    pub expanded: bool,
    /// The verbs under which it may stand.
    pub verbs: &'static [AclVerb],
    /// The ACLs in which it is allowed.
    pub phases: AclPhases,
    /// What it does.
    pub run: Runs,
}

impl AclTerm {
    /// A record of a condition or modifier; its text is expanded before it sees it, and
    /// it may stand under all verbs, in all ACLs.
    pub const fn new(kind: AclTermKind, meta: Meta, run: Runs) -> Self {
        Self {
            meta,
            kind,
            operand: AclOperand::Text,
            expanded: true,
            verbs: &AclVerb::ALL,
            phases: AclPhases::all(),
            run,
        }
    }

    /// Says that its text is not expanded as a whole: it is a list, which is expanded
    /// where it is matched, or words that are expanded one by one.
    pub const fn unexpanded(mut self) -> Self {
        self.expanded = false;
        self
    }
    /// Sets what follows its name.
    pub const fn operand(mut self, operand: AclOperand) -> Self {
        self.operand = operand;
        self
    }
    /// Sets the verbs under which it may stand.
    pub const fn verbs(mut self, verbs: &'static [AclVerb]) -> Self {
        self.verbs = verbs;
        self
    }

    /// What Exim says where an ACL comes to it in which it is not allowed.
    pub fn refusal(&self, phase: AclPhases) -> String {
        let (word, acl) = (self.meta.name, phase.called());
        let does = match self.kind {
            AclTermKind::Condition => "test",
            AclTermKind::Modifier => "use",
        };
        format!("cannot {does} {word} condition in {acl} ACL")
    }
}

/// What may follow the name of a control or of a verification after a slash.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AclOptions {
    /// Nothing.
    None,
    /// Options, each after a slash of its own; where a name ends in `=`, a
    /// value follows it.
    Names(&'static [&'static str]),
    /// One text, in which further slashes have no meaning.
    Text,
}

/// What `control` names (specification 44.13).
#[derive(Clone, Debug)]
pub struct AclControl {
    /// What it says of itself.
    pub meta: Meta,
    /// What may follow its name after a slash.
    pub options: AclOptions,
    /// Whether it is about the message at hand, and not about the connection.
    pub of_message: bool,
    /// The ACLs in which it is allowed.
    pub phases: AclPhases,
    /// What it does when an ACL comes to it.
    pub run: Runs,
}

impl AclControl {
    /// A record of a control of the message at hand, without options, in all ACLs.
    pub const fn new(meta: Meta, run: Runs) -> Self {
        let options = AclOptions::None;
        Self { meta, options, of_message: true, phases: AclPhases::all(), run }
    }

    /// Says that it is about the connection, and not about the message at hand.
    pub const fn of_connection(mut self) -> Self {
        self.of_message = false;
        self
    }

    /// What Exim says where an ACL comes to it in which it is not allowed.
    pub fn refusal(&self, phase: AclPhases) -> String {
        // It is called by its newer name.
        let name = if self.meta.name == "queue_only" { "queue" } else { self.meta.name };
        format!("cannot use \"control={name}\" in {} ACL", phase.called())
    }
}

/// What `verify` names (specification 44.17).
#[derive(Clone, Debug)]
pub struct AclVerify {
    /// What it says of itself.
    pub meta: Meta,
    /// What may follow its name after a slash.
    pub options: AclOptions,
    /// Whether an address may follow its name (`sender=`).
    pub address: bool,
    /// The ACLs in which it is allowed.
    pub phases: AclPhases,
    /// What it does.
    pub run: Runs,
}

impl AclVerify {
    /// A record of a verification without options, in all ACLs.
    pub const fn new(meta: Meta, run: Runs) -> Self {
        let options = AclOptions::None;
        Self { meta, options, address: false, phases: AclPhases::all(), run }
    }

    /// Says that an address may follow its name (`sender=`).
    pub const fn address(mut self) -> Self {
        self.address = true;
        self
    }

    /// What Exim says where an ACL comes to it in which it is not allowed.
    pub fn refusal(&self, phase: AclPhases) -> String {
        format!("cannot verify {} in ACL for {}", self.meta.name, phase.called())
    }
}
