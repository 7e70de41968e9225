//! Addresses on their way through the routers.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use eximious_core::Str;
use eximious_stdlib::address::{last_at, unquote_local_part};

use super::RouteHost;
use crate::mail::filter::{AutoReply, Notice};

/// An address that is being routed.
#[derive(Clone, Debug, Default)]
pub struct Address {
    /// The whole of it, as it was written; for a file or a command its path or
    /// its command with the bar before it.
    pub text: Str,
    /// The local part without quotes, its case kept.
    pub local_part: Str,
    /// The domain in lower case.
    pub domain: Str,
    /// What was taken off the local part's head.
    pub prefix: Affix,
    /// What was taken off its tail.
    pub suffix: Affix,
    /// What routers have attached to it.
    pub attached: Attached,
    /// The address that it was made from.
    pub parent: Option<Arc<Ancestor>>,
    /// The list that it came of when that was read once and for all in an earlier attempt
    /// (`one_time`): it is told, and is no ancestor.
    pub once_parent: Option<Str>,
    /// What tells it from others, to find the same one twice: its text, for one that was
    /// typed or came with a message before it was rewritten.
    pub unique: Str,
    /// The number of the router to begin with.
    pub first_router: usize,
    /// The name of this host under which a router found that an address comes
    /// back here (`self = pass`).
    pub self_hostname: Str,
}

/// A prefix or suffix of a local part (specification 15, `local_part_prefix`).
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Affix {
    /// All of it; empty where there is none.
    pub text: Str,
    /// What its wildcard stood for.
    pub wild: Str,
}

/// What routers attach to an address, and its children inherit.
#[derive(Clone, Debug, Default)]
pub struct Attached {
    /// `$address_data`.
    pub address_data: Option<Str>,
    /// `$domain_data`.
    pub domain_data: Option<Str>,
    /// `$local_part_data`.
    pub local_part_data: Option<Str>,
    /// `$sender_data`.
    pub sender_data: Option<Str>,
    /// `$r_…`, by the whole name.
    pub variables: BTreeMap<Vec<u8>, Str>,
    /// Who is told of errors, if not the sender; an empty one is nobody.
    pub errors_to: Option<Str>,
    /// The sender that SRS has put in that place, for the log.
    pub srs_sender: Option<Str>,
    /// Header lines to add, expanded.
    pub headers_add: Vec<Str>,
    /// Names of header lines to remove, expanded.
    pub headers_remove: Vec<Str>,
    /// Whether errors are of no interest to anybody.
    pub ignore_errors: bool,
    /// Whether reports do not name it (`hide_child_in_errmsg`).
    pub hidden: bool,
    /// Whether they do not name its children.
    pub hides_children: bool,
}

impl Attached {
    fn inherited(&self) -> Self {
        Self {
            address_data: self.address_data.clone(),
            domain_data: None,
            local_part_data: None,
            sender_data: None,
            variables: self.variables.clone(),
            errors_to: self.errors_to.clone(),
            srs_sender: self.srs_sender.clone(),
            headers_add: self.headers_add.clone(),
            headers_remove: self.headers_remove.clone(),
            ignore_errors: self.ignore_errors,
            hidden: self.hides_children,
            hides_children: false,
        }
    }
}

/// An address that another was made from.
#[derive(Clone, Debug, Default)]
pub struct Ancestor {
    /// The whole of it.
    pub text: Str,
    /// The local part without quotes, its case kept, affixes included.
    pub local_part: Str,
    /// Its domain.
    pub domain: Str,
    /// The number of the router that took it.
    pub router: Option<usize>,
    /// The one before.
    pub parent: Option<Arc<Ancestor>>,
}

impl Address {
    /// An address from its text, as [`eximious_stdlib::address::parse`] leaves
    /// it: with a domain, without anything around it.
    pub fn new(text: Str) -> Self {
        let text = text.looked_through();
        let bytes = text.bytes();
        let at = last_at(bytes);
        let local_part = match memchr::memchr2(b'"', b'\\', &bytes[..at]) {
            None => text.slice(0, at),
            Some(_) => Str::from(unquote_local_part(&bytes[..at])).stamped(text.taint()),
        };
        Self {
            local_part: local_part.looked_through().looked_through_for_case(),
            domain: text.slice(at + 1, bytes.len()).lowercased(),
            unique: text.clone(),
            text,
            ..Self::default()
        }
    }

    /// The whole local part, affixes included, as the router left its parts.
    pub fn whole_local_part(&self) -> Str {
        if self.prefix.text.is_empty() && self.suffix.text.is_empty() {
            return self.local_part.clone();
        }
        let parts = [&self.prefix.text, &self.local_part, &self.suffix.text].map(Str::bytes);
        Str::from(parts.concat()).stamped(self.local_part.taint())
    }

    /// Local part and domain as they were routed, with what was taken off or without.
    pub fn as_routed(&self, has_affixes: bool) -> Str {
        let local_part = match has_affixes {
            true => self.whole_local_part(),
            false => self.local_part.clone(),
        };
        let parts = [local_part.bytes(), b"@", self.domain.bytes()];
        Str::from(parts.concat()).stamped(self.text.taint())
    }

    /// Writes the domain as others write it: only the case of letters differs.
    pub(super) fn set_domain_case(&mut self, domain: &[u8]) {
        let (text, taint) = self.text.read();
        let at = last_at(text);
        let cased = domain.iter().any(u8::is_ascii_uppercase);
        if cased && text.get(at + 1..) != Some(domain) {
            self.text = Str::from([&text[..at], b"@", domain].concat()).stamped(taint);
        }
    }

    /// A child with another text, which inherits what is attached, but not what
    /// lists made of the parts of the address.
    pub fn child(&self, text: Str, ancestor: &Arc<Ancestor>) -> Box<Self> {
        let mut child = Box::new(Self::new(text));
        child.attached = self.attached.inherited();
        child.parent = Some(ancestor.clone());
        child.self_hostname = self.self_hostname.clone();
        child.tell_apart();
        child
    }

    /// One that is the same as some of its ancestors is not the same delivery as
    /// theirs: how many there are makes a difference.
    fn tell_apart(&mut self) {
        let same = self
            .ancestors()
            .filter(|one| one.text.bytes().eq_ignore_ascii_case(self.text.bytes()))
            .count();
        if same > 0 {
            let count = format!("\\{}\\", same - 1);
            let unique = [count.as_bytes(), self.text.bytes()].concat();
            self.unique = Str::from(unique).stamped(self.text.taint());
        }
    }

    /// This address as an ancestor, after a router has taken it.
    pub fn as_ancestor(&self, router: Option<usize>) -> Arc<Ancestor> {
        Arc::new(Ancestor {
            text: self.text.clone(),
            local_part: self.local_part.clone(),
            domain: self.domain.clone(),
            router,
            parent: self.parent.clone(),
        })
    }

    /// The addresses that it comes from, its parent first.
    pub fn ancestors(&self) -> impl Iterator<Item = &Ancestor> {
        std::iter::successors(self.parent.as_deref(), |one| one.parent.as_deref())
    }

    /// The address that the message came for.
    pub fn original(&self) -> Option<&Ancestor> {
        self.ancestors().last()
    }
}

impl Drop for Ancestor {
    /// Long lines of ancestors must not be taken down by recursion.
    fn drop(&mut self) {
        let mut next = self.parent.take();
        while let Some(one) = next {
            match Arc::try_unwrap(one) {
                Ok(mut one) => next = one.parent.take(),
                Err(_) => break,
            }
        }
    }
}

/// Where an address goes.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The address.
    pub address: Address,
    /// What it is.
    pub target: DeliveryTarget,
    /// The number of the router; one that no router has where none made it.
    pub router: usize,
    /// The number of the transport; `None` where there is none, as for a router
    /// that only verifies, or for what goes to `/dev/null`.
    pub transport: Option<usize>,
    /// Why it can't be made, where that is known: Exim's words.
    pub wrong: Option<Wrong>,
    /// The hosts to try, in order.
    pub hosts: Vec<RouteHost>,
    /// Whether nobody outside has named the hosts.
    pub hosts_clean: bool,
    /// Whether its router has put them into an order by chance.
    pub shuffled: bool,
    /// The hosts to try then.
    pub fallback_hosts: Vec<RouteHost>,
    /// Whether its hosts are those that stand in for others, which were tried.
    pub stands_in: bool,
    /// The user and group that a local delivery runs as.
    pub identity: Identity,
    /// The home directory for the transport.
    pub home: Option<HomeDirectory>,
    /// The directory that the transport runs in.
    pub directory: Option<Str>,
    /// The message's recipients whom it is for, each with a number of its own; where there are
    /// none, it is for the one that the address came of.
    pub recipients: Vec<(usize, Str)>,
}

/// The home directory that a router has for a transport.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HomeDirectory {
    /// As `transport_home_directory` has it: the transport expands it.
    Written(Str),
    /// As it is: the user's, or what `router_home_directory` came to.
    Known(Str),
}

impl HomeDirectory {
    /// The text.
    pub fn text(&self) -> &Str {
        match self {
            Self::Written(text) | Self::Known(text) => text,
        }
    }
}

impl Delivery {
    /// A delivery of an address by a router and a transport, by the server's own user, to no host
    /// yet.
    pub fn new(address: Address, router: usize, transport: Option<usize>) -> Self {
        Self {
            address,
            target: DeliveryTarget::Address,
            router,
            transport,
            wrong: None,
            hosts: Vec::new(),
            hosts_clean: false,
            shuffled: false,
            fallback_hosts: Vec::new(),
            stands_in: false,
            identity: Identity::default(),
            home: None,
            directory: None,
            recipients: Vec::new(),
        }
    }

    /// The message's recipient that the address came of.
    pub fn original(&self) -> &Str {
        self.address.original().map_or(&self.address.text, |one| &one.text)
    }

    /// The name of a host that it goes to, as variables hold it: it is clean where nobody
    /// outside has named the host, and where it is but the host's address.
    pub(crate) fn host_name(&self, name: &[u8], address: IpAddr) -> Str {
        let is_own = |host: &RouteHost| host.name.as_bytes() == name;
        let is_clean = self.hosts_clean && !self.stands_in && self.hosts.iter().any(is_own);
        match is_clean || address.to_string().as_bytes() == name {
            true => Str::from(name),
            false => Str::tainted(name),
        }
    }

    /// The same delivery of another address in its domain, which no router has looked at
    /// (`same_domain_copy_routing`): it has nothing of what they attach but who is told of
    /// errors. There is none where they change the header.
    pub fn copied_to(&self, address: Address) -> Self {
        let mut copy = Self { address, recipients: Vec::new(), ..self.clone() };
        copy.address.local_part = copy.address.local_part.lowercased();
        copy.address.attached.errors_to = self.address.attached.errors_to.clone();
        copy
    }
}

/// What kind of delivery it is.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum DeliveryTarget {
    /// To a mailbox or other hosts, as the transport says.
    Address,
    /// To a file or, with a slash at its end, a directory (`$address_file`).
    File {
        /// The permissions of a new file, where a filter says them.
        mode: Option<u32>,
    },
    /// To a command (`$address_pipe`); with it, what a filter had when it wanted that.
    /// Words of a filter's commands are expanded, those of others are taken as they are.
    Pipe(Option<Box<FilterPipe>>),
    /// An answer that a filter wants sent.
    Reply(Box<AutoReply>),
    /// A notification that a Sieve filter wants sent.
    Notice(Box<Notice>),
}

/// The variables that a filter had when it gave the message to a command.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FilterPipe {
    /// `$0`, `$1`, …
    pub numeric: Vec<Str>,
    /// `$thisaddress`.
    pub this_address: Str,
}

/// Why a delivery that needs no router can't be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wrong {
    /// The router must not make deliveries of its kind.
    Forbidden(Vec<u8>),
    /// It has no transport.
    Transport(Vec<u8>),
}

/// A user and a group, each perhaps unknown.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Identity {
    /// The user.
    pub uid: Option<u32>,
    /// The group.
    pub gid: Option<u32>,
    /// Whether the user's other groups count.
    pub all_groups: bool,
}
