//! A server that lets anybody send to anybody.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;

use eximious_core::{AclTermKind, AclVerb, ListKind};
use eximious_grammar::expansion::Part;
use eximious_stdlib::options::yes_or_no;

use crate::config::{Acl, AclLineTerm, AclStatement};
use crate::tools::check::graph::{acl_named, mentions};
use crate::tools::check::items::{Item, items, split};
use crate::tools::check::{Lint, Severity, Survey};

/// How large a file of hosts or domains may be that is looked into.
const LARGEST: u64 = 1 << 20;
/// The shortest prefix of a network that is a choice of hosts: one that is
/// shorter is a sixteenth of all there are, or more.
const SHORTEST: u8 = 5;

/// E111.
pub(super) static OPEN_RELAY: Lint = Lint {
    code: "E111",
    name: "open-relay",
    severity: Severity::Error,
    summary: "The ACL for RCPT accepts any recipient from any host.",
    docs: "A path through the ACL ends in `accept` without a test of the recipient's domain, of the \
           client's address or of its authentication, neither in that statement nor in one before \
           it that refuses the rest. Spammers find such a server within hours. A sender's address \
           proves nothing: anybody can write any; neither does the name after HELO, nor a \
           `condition` that looks at nothing else. Neither do TLS, or a local part such as \
           postmaster, which every domain has; and a list that matches everything, if only in a \
           file that it names, is no test.",
    bad: "acl_smtp_rcpt = c\nbegin acl\nc:\n  deny dnslists = rbl.example\n  accept\n",
    good: "domainlist local = example.com\nacl_smtp_rcpt = c\nbegin acl\nc:\n  deny dnslists = rbl.example\n  require domains = +local\n  accept\n",
    run: |survey, findings| {
        let Some(text) = survey
            .texts
            .iter()
            .find(|text| text.option().is_some_and(|option| option.meta.name == "acl_smtp_rcpt"))
        else {
            return;
        };
        if text.text.trim_ascii() == b"accept" {
            findings.add_with(
                text.whole(),
                "acl_smtp_rcpt accepts any recipient from any host",
                CURE,
            );
            return;
        }
        let named = |acl: &&Acl| {
            let name = acl.name.bytes();
            match acl_named(&text.text) {
                Some(own) => own == name,
                None => mentions(&text.text, name),
            }
        };
        let relay = Relay::new(survey);
        for acl in survey.config.acls.iter().filter(named) {
            if let Some(statement) = relay.open(acl) {
                let name = acl.name.display();
                let whole = relay.everything(statement);
                let (message, cure) = match whole {
                    Some(list) => {
                        let message =
                            format!("{name} is an open relay: \"{list}\" matches everything");
                        (message, "name the hosts or domains that mail is taken for")
                    }
                    None => (format!("{name} accepts any recipient from any host here"), CURE),
                };
                findings.add_with(survey.line(statement.line), message, cure);
            }
        }
    },
};

const CURE: &str = "put a test of domains, hosts or authenticated before it";

/// What is found out about ACLs and lists, once for each.
struct Relay<'s, 'c> {
    survey: &'s Survey<'c>,
    /// The statements that accept without a test that counts. An ACL that is
    /// being looked at is believed to test something.
    acls: RefCell<HashMap<usize, Option<&'c AclStatement>>>,
    /// Whether what they refuse may be relayed.
    blocking: RefCell<HashMap<usize, bool>>,
    lists: RefCell<HashMap<(ListKind, Vec<u8>), bool>>,
    files: RefCell<HashMap<Vec<u8>, Vec<Item>>>,
}

impl<'s, 'c> Relay<'s, 'c> {
    fn new(survey: &'s Survey<'c>) -> Self {
        let (acls, blocking, lists, files) = Default::default();
        Self { survey, acls, blocking, lists, files }
    }

    /// The statement that accepts without a test that counts.
    fn open(&self, acl: &'c Acl) -> Option<&'c AclStatement> {
        let number = self.survey.acl(acl.name.bytes());
        let known = number.and_then(|number| self.acls.borrow().get(&number).copied());
        if let Some(known) = known {
            return known;
        }
        self.acls.borrow_mut().extend(number.map(|number| (number, None)));
        let found = self.first_open(acl);
        self.acls.borrow_mut().extend(number.map(|number| (number, found)));
        found
    }

    fn first_open(&self, acl: &'c Acl) -> Option<&'c AclStatement> {
        for statement in &acl.statements {
            let conditions =
                || statement.terms.iter().filter(|term| term.term.kind == AclTermKind::Condition);
            match statement.verb {
                AclVerb::Accept | AclVerb::Discard => {
                    if !conditions().any(|term| self.admits_few(term)) {
                        return (statement.verb == AclVerb::Accept).then_some(statement);
                    }
                }
                AclVerb::Require => {
                    if conditions().any(|term| self.admits_few(term)) {
                        return None;
                    }
                }
                // What passes has failed one of its conditions: each must be such
                // that failing it tells something.
                AclVerb::Deny | AclVerb::Drop | AclVerb::Defer => {
                    if conditions().all(|term| self.refuses_most(term)) {
                        return None;
                    }
                }
                AclVerb::Warn => {}
            }
        }
        None
    }

    /// Whether what an ACL refuses may be relayed.
    fn blocks(&self, acl: &'c Acl) -> bool {
        let Some(number) = self.survey.acl(acl.name.bytes()) else { return true };
        if let Some(known) = self.blocking.borrow().get(&number) {
            return *known;
        }
        self.blocking.borrow_mut().insert(number, true);
        let found = self.accepts_the_rest(acl);
        self.blocking.borrow_mut().insert(number, found);
        found
    }

    fn accepts_the_rest(&self, acl: &'c Acl) -> bool {
        for statement in &acl.statements {
            let mut conditions =
                statement.terms.iter().filter(|term| term.term.kind == AclTermKind::Condition);
            match statement.verb {
                AclVerb::Accept | AclVerb::Discard => {
                    if conditions.all(|term| self.refuses_most(term)) {
                        return true;
                    }
                }
                AclVerb::Require => {
                    if !conditions.all(|term| self.refuses_most(term)) {
                        return false;
                    }
                }
                AclVerb::Deny | AclVerb::Drop | AclVerb::Defer => {
                    if !conditions.any(|term| self.admits_few(term)) {
                        return false;
                    }
                }
                AclVerb::Warn => {}
            }
        }
        // It refuses whatever comes to its end.
        false
    }

    /// Whether a condition that holds tells that the message may be relayed.
    fn admits_few(&self, term: &AclLineTerm) -> bool {
        match term.term.meta.name {
            "authenticated" => !term.negated,
            "domains" | "hosts" | "recipients" => {
                !term.negated && !self.all(term) && !self.ends_negated(term)
            }
            "acl" => self.called(term).is_none_or(|acl| match term.negated {
                true => self.blocks(acl),
                false => self.open(acl).is_none(),
            }),
            "condition" => self.tells(term),
            "verify" => !term.negated && term.text.bytes().starts_with(b"certificate"),
            _ => false,
        }
    }

    /// Whether a condition that fails tells that the message may be relayed.
    fn refuses_most(&self, term: &AclLineTerm) -> bool {
        match term.term.meta.name {
            "authenticated" => term.negated,
            "domains" | "hosts" | "recipients" => {
                // A list that matches all lets nothing pass.
                match term.negated {
                    true => !self.all(term),
                    false => self.ends_negated(term) || self.all(term),
                }
            }
            // What passes is what that ACL refuses; or accepts, if negated.
            "acl" => self.called(term).is_none_or(|acl| match term.negated {
                true => self.open(acl).is_none(),
                false => self.blocks(acl),
            }),
            "condition" => match constant(term.text.bytes()) {
                Some(holds) => holds != term.negated,
                None => self.tells(term),
            },
            _ => false,
        }
    }

    /// Whether a `condition` looks at anything that a client can't choose as it
    /// likes.
    fn tells(&self, term: &AclLineTerm) -> bool {
        if let Some(holds) = constant(term.text.bytes()) {
            return holds == term.negated;
        }
        let Some(tree) = self.survey.parse(term.text.bytes()) else { return true };
        let calls = tree.calls().iter().any(|call| {
            let name = self.survey.registry.item_at(call.def).meta.name;
            matches!(name, "acl" | "dlfunc" | "perl" | "readfile" | "readsocket" | "run")
        });
        let tests = tree.conds().iter().any(|condition| {
            let name = self.survey.registry.condition_at(condition.def).meta.name;
            matches!(name, "acl" | "ldapauth" | "pam" | "radius" | "saslauthd")
        });
        let looks = tree.all_pieces().iter().any(|piece| match piece.part {
            Part::Variable(id) => !CHOSEN.contains(&self.survey.registry.variable_at(id).meta.name),
            Part::Family(..) | Part::Free(_) | Part::Fault => true,
            Part::Text(_)
            | Part::Numeric(_)
            | Part::Header(..)
            | Part::Operator(_)
            | Part::Item(_) => false,
        });
        calls || tests || looks || !tree.lookups().is_empty()
    }

    /// The ACL that a condition calls, where it is named.
    fn called(&self, term: &AclLineTerm) -> Option<&'c Acl> {
        let name = acl_named(term.text.bytes())?;
        self.survey.config.acls.get(self.survey.acl(name)?)
    }

    /// The list of a statement that would be a test if it did not match everything.
    fn everything(&self, statement: &AclStatement) -> Option<String> {
        let mut lists = statement.terms.iter().filter(|term| {
            matches!(term.term.meta.name, "domains" | "hosts" | "recipients") && self.all(term)
        });
        lists.next().map(|term| term.text.display().into_owned())
    }

    fn all(&self, term: &AclLineTerm) -> bool {
        self.matches_all(kind(term), term.text.bytes())
    }

    /// Whether a list matches what none of its items speaks of: its last one
    /// says what is not meant.
    fn ends_negated(&self, term: &AclLineTerm) -> bool {
        let text = term.text.bytes();
        let tree = self.survey.parse(text);
        let items = items(text, tree.as_ref());
        items.last().is_some_and(|item| item.negated && !self.item_all(kind(term), item))
    }

    /// Whether a list matches whatever there is, but for what it excludes first.
    fn matches_all(&self, kind: ListKind, text: &[u8]) -> bool {
        let tree = self.survey.parse(text);
        let items = items(text, tree.as_ref());
        self.any_all(kind, &items)
    }

    fn any_all(&self, kind: ListKind, items: &[Item]) -> bool {
        for item in items {
            if self.item_all(kind, item) {
                return !item.negated;
            }
        }
        false
    }

    /// Whether an item matches whatever there is.
    fn item_all(&self, kind: ListKind, item: &Item) -> bool {
        if !item.plain() {
            // A pattern may have dollar signs and backslashes in it.
            let pattern = item.text.strip_prefix(b"\\N").unwrap_or(&item.text);
            return pattern.starts_with(b"^") && any_name(kind, pattern);
        }
        if let Some(name) = item.named() {
            return self.list_all(kind, name);
        }
        if item.text.starts_with(b"/") {
            return self.file_all(kind, &item.text);
        }
        match item.text.as_slice() {
            b"*" => true,
            b"*@*" => kind == ListKind::Address,
            text if text.starts_with(b"^") => any_name(kind, text),
            text => kind == ListKind::Host && any_address(text),
        }
    }

    fn list_all(&self, kind: ListKind, name: &[u8]) -> bool {
        let key = (kind, name.to_vec());
        if let Some(known) = self.lists.borrow().get(&key) {
            return *known;
        }
        self.lists.borrow_mut().insert(key.clone(), false);
        let list = self.survey.config.settings.lists.get(kind, name);
        let all = list.is_some_and(|list| self.matches_all(kind, list.text.bytes()));
        self.lists.borrow_mut().insert(key, all);
        all
    }

    /// A file holds an item in each line, without those that begin with a sign
    /// for comments.
    fn file_all(&self, kind: ListKind, name: &[u8]) -> bool {
        if !self.files.borrow().contains_key(name) {
            let text = self.survey.world.files.read(name, LARGEST).unwrap_or_default();
            let lines = text.split(|c| *c == b'\n').map(|line| match kind {
                ListKind::Address => line,
                _ => line.split(|c| *c == b'#').next().unwrap_or_default(),
            });
            let items = lines
                .filter(|line| !line.starts_with(b"#"))
                .flat_map(|line| split(&[b"<\n", line].concat()));
            self.files.borrow_mut().insert(name.to_vec(), items.collect());
        }
        let items = self.files.borrow().get(name).cloned().unwrap_or_default();
        // A file in a file is not looked into.
        items
            .iter()
            .find(|item| !item.text.starts_with(b"/") && self.item_all(kind, item))
            .is_some_and(|item| !item.negated)
    }
}

/// Variables that whoever sends a message writes, or that say nothing of it.
const CHOSEN: [&str; 26] = [
    "body_linecount",
    "message_body",
    "message_body_size",
    "message_headers",
    "message_headers_raw",
    "message_id",
    "message_linecount",
    "message_size",
    "primary_hostname",
    "qualify_domain",
    "received_count",
    "received_protocol",
    "recipients_count",
    "sender_address",
    "sender_address_domain",
    "sender_address_local_part",
    "sender_helo_name",
    "smtp_active_hostname",
    "smtp_command",
    "smtp_command_argument",
    "spam_score",
    "spam_score_int",
    "tls_in_cipher",
    "tod_epoch",
    "tod_full",
    "value",
];

fn kind(term: &AclLineTerm) -> ListKind {
    match term.term.meta.name {
        "domains" => ListKind::Domain,
        "hosts" => ListKind::Host,
        _ => ListKind::Address,
    }
}

/// What a `condition` says that is no question.
pub(super) fn constant(text: &[u8]) -> Option<bool> {
    let text = text.trim_ascii();
    match text.iter().all(u8::is_ascii_digit) {
        true => Some(text.iter().any(|digit| *digit != b'0')),
        false => yes_or_no(text),
    }
}

/// Whether a pattern matches names that have nothing in common.
fn any_name(kind: ListKind, pattern: &[u8]) -> bool {
    let pattern: Vec<u8> = unescaped(pattern);
    let at = if kind == ListKind::Address { "x@" } else { "" };
    let names = ["q7w.example", "mail.zzz-9.test", "0x.a.b.c"];
    names.iter().all(|name| {
        let name = format!("{at}{name}");
        eximious_stdlib::pattern::holds(&pattern, name.as_bytes()) == Some(true)
    })
}

/// A pattern as it is after the expansion.
fn unescaped(pattern: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(pattern.len());
    let mut rest = pattern;
    while let [c, after @ ..] = rest {
        rest = match after {
            [b'N', after @ ..] if *c == b'\\' => after,
            [escaped, after @ ..] if *c == b'\\' => {
                if *escaped != b'\\' {
                    out.push(b'\\');
                }
                out.push(*escaped);
                after
            }
            after => {
                out.push(*c);
                after
            }
        };
    }
    out
}

/// Whether a network is nearly all addresses that there are.
fn any_address(item: &[u8]) -> bool {
    let Some((address, bits)) = std::str::from_utf8(item).ok().and_then(|t| t.split_once('/'))
    else {
        return false;
    };
    address.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
        && bits.parse::<u8>().is_ok_and(|bits| bits < SHORTEST)
}
