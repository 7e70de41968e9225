//! What is told: the names behind `-d`, and in `control = debug/opts=…`
//! (specification 5.2).

use eximious_core::trace::TraceKinds;

/// A set of what may be told. The numbers are Exim's: it finds them in the spool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DebugSelector(u32);

impl DebugSelector {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// What `-v` says, too.
    pub const VERBOSE: Self = Self(0x1);
    /// Steps of ACLs.
    pub const ACL: Self = Self(0x4);
    /// Authenticators.
    pub const AUTH: Self = Self(0x8);
    /// Deliveries.
    pub const DELIVER: Self = Self(0x10);
    /// Questions to the DNS.
    pub const DNS: Self = Self(0x20);
    /// Lists in the DNS.
    pub const DNSBL: Self = Self(0x40);
    /// Commands that are run.
    pub const EXEC: Self = Self(0x80);
    /// Expansions.
    pub const EXPAND: Self = Self(0x100);
    /// Filters.
    pub const FILTER: Self = Self(0x200);
    /// Hints.
    pub const HINTS_LOOKUP: Self = Self(0x400);
    /// Names and addresses of hosts.
    pub const HOST_LOOKUP: Self = Self(0x800);
    /// Questions who the user of a connection is.
    pub const IDENT: Self = Self(0x1000);
    /// The addresses of this host.
    pub const INTERFACE: Self = Self(0x2000);
    /// Tests of lists.
    pub const LISTS: Self = Self(0x4000);
    /// The load of the system.
    pub const LOAD: Self = Self(0x8000);
    /// Look-ups.
    pub const LOOKUP: Self = Self(0x1_0000);
    /// What expansions and transactions take of the memory.
    pub const MEMORY: Self = Self(0x2_0000);
    /// Text without characters beyond ASCII.
    pub const NO_UTF8: Self = Self(0x4_0000);
    /// The process's number before each line.
    pub const PID: Self = Self(0x8_0000);
    /// What the program is doing at the moment.
    pub const PROCESS_INFO: Self = Self(0x10_0000);
    /// Runs of the queue.
    pub const QUEUE_RUN: Self = Self(0x20_0000);
    /// What comes in and what is answered.
    pub const RECEIVE: Self = Self(0x40_0000);
    /// Questions to the DNS, one by one, and what came of each.
    pub const RESOLVER: Self = Self(0x80_0000);
    /// Rules for retrying.
    pub const RETRY: Self = Self(0x100_0000);
    /// Rewriting.
    pub const REWRITE: Self = Self(0x200_0000);
    /// Routing.
    pub const ROUTE: Self = Self(0x400_0000);
    /// The time before each line.
    pub const TIMESTAMP: Self = Self(0x800_0000);
    /// TLS, as it is agreed on.
    pub const TLS: Self = Self(0x1000_0000);
    /// What is said to other hosts.
    pub const TRANSPORT: Self = Self(0x2000_0000);
    /// Users of the system, and whose rights are used.
    pub const UID: Self = Self(0x4000_0000);
    /// Verification.
    pub const VERIFY: Self = Self(0x8000_0000);
    /// Anything that `-d` adds to what `-v` says.
    pub const ANY: Self = Self(!(0x1 | 0x4_0000 | 0x8_0000 | 0x800_0000));
    /// What is told where nobody chose.
    pub const USUAL: Self = Self(0xf771_5cfd);

    /// These, and others.
    #[must_use]
    pub const fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// The kinds of events of which something is told.
    pub fn kinds(self) -> TraceKinds {
        let mut kinds = TraceKinds::empty();
        for (by, kind) in [
            (Self::ACL, TraceKinds::ACL | TraceKinds::CALLOUT | TraceKinds::SMTP),
            (Self::AUTH, TraceKinds::AUTH),
            (Self::DNS, TraceKinds::DNS),
            (Self::DNSBL, TraceKinds::DNSBL),
            (Self::EXEC, TraceKinds::PROCESS),
            (Self::EXPAND, TraceKinds::EXPANSION),
            (Self::FILTER, TraceKinds::FILTER),
            (Self::HINTS_LOOKUP, TraceKinds::HINTS),
            (Self::HOST_LOOKUP, TraceKinds::HOST),
            (Self::IDENT, TraceKinds::IDENT),
            (Self::INTERFACE, TraceKinds::INTERFACE),
            (Self::LOAD, TraceKinds::LOAD),
            (Self::LOOKUP, TraceKinds::LOOKUP),
            (Self::MEMORY, TraceKinds::MEMORY),
            (Self::PROCESS_INFO, TraceKinds::STATUS),
            (Self::QUEUE_RUN, TraceKinds::QUEUE),
            (Self::RECEIVE, TraceKinds::SMTP | TraceKinds::RECEIVE),
            (Self::RESOLVER, TraceKinds::DNS),
            (Self::RETRY, TraceKinds::RETRY),
            (Self::REWRITE, TraceKinds::REWRITE),
            (Self::ROUTE, TraceKinds::ROUTE),
            (Self::TLS, TraceKinds::TLS),
            (Self::UID, TraceKinds::USER),
            (Self::TRANSPORT, TraceKinds::SMTP | TraceKinds::CALLOUT),
            (Self::VERIFY, TraceKinds::VERIFY | TraceKinds::CALLOUT | TraceKinds::ROUTE),
            (Self::VERBOSE, TraceKinds::SMTP | TraceKinds::DELIVERY | TraceKinds::RECEIVE),
            // That a delivery begins, and what a list says, is always worth to be told.
            (Self::ANY, TraceKinds::LIST | TraceKinds::DELIVERY),
        ] {
            if self.has(by) {
                kinds |= kind;
            }
        }
        kinds
    }

    /// All names, in their order.
    pub fn names() -> &'static [DebugSelectorDef] {
        NAMES
    }

    /// Whether something of these is in it.
    pub fn has(self, some: Self) -> bool {
        self.0 & some.0 != 0
    }

    /// Its number.
    pub fn bits(self) -> u32 {
        self.0
    }

    /// What is left of a set after a text such as `-all+acl`, or a number behind an
    /// equals sign; and what is wrong with it, from where on it counts no more.
    pub fn changed(self, text: &[u8]) -> (Self, Option<Vec<u8>>) {
        if let Some(number) = text.strip_prefix(b"=") {
            return match parse_number(number) {
                Some(bits) => (Self(bits), None),
                None => {
                    let head = b"malformed numeric debug_selector setting: ";
                    (self, Some([head.as_slice(), text].concat()))
                }
            };
        }
        let (mut bits, mut rest) = (self.0, text);
        while let Some(sign) = rest.first() {
            if !matches!(sign, b'+' | b'-') {
                let head = b"malformed debug_selector setting: + or - expected but found \"";
                return (Self(bits), Some([head.as_slice(), rest, b"\""].concat()));
            }
            let end = rest[1..].iter().position(|c| matches!(c, b'+' | b'-'));
            let (item, after) = rest.split_at(end.map_or(rest.len(), |n| n + 1));
            let Some(DebugSelectorDef { bits: own, .. }) =
                NAMES.iter().find(|def| def.name.as_bytes() == &item[1..])
            else {
                let why = [b"unknown debug_selector setting: ", item].concat();
                return (Self(bits), Some(why));
            };
            match sign {
                b'+' => bits |= own,
                _ => bits &= !own,
            }
            rest = after;
        }
        (Self(bits), None)
    }
}

/// A number, as C reads it, of which the last bits count; none where more stands there.
fn parse_number(text: &[u8]) -> Option<u32> {
    if text.is_empty() {
        return Some(0);
    }
    let text = text.trim_ascii_start();
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let (digits, radix) = match text {
        [b'0', b'x' | b'X', rest @ ..] if !rest.is_empty() => (rest, 16),
        [b'0', rest @ ..] if !rest.is_empty() => (rest, 8),
        _ => (text, 10),
    };
    let mut bits = (!digits.is_empty()).then_some(0_u32);
    for byte in digits {
        let digit = char::from(*byte).to_digit(radix)?;
        bits = bits.map(|bits| bits.wrapping_mul(radix).wrapping_add(digit));
    }
    bits.map(|bits| if negative { bits.wrapping_neg() } else { bits })
}

/// A name behind `-d`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct DebugSelectorDef {
    /// The name.
    pub name: &'static str,
    /// Its number; 0 for those that came with a later Exim, which have none in the spool
    /// of this one, and for those by which nothing is told.
    pub bits: u32,
    /// What is told by it.
    pub tells: &'static str,
}

const fn def(name: &'static str, bits: u32, tells: &'static str) -> DebugSelectorDef {
    DebugSelectorDef { name, bits, tells }
}

const NAMES: &[DebugSelectorDef] = &[
    def("acl", 0x4, "The steps of ACLs: statements, conditions, modifiers, verdicts."),
    def("all", 0xfff9_ffff, "Everything but `memory` and `noutf8`; `-all` takes these away, too."),
    def("any", 0, "Nothing by itself: what is told whatever is selected needs no name."),
    def("auth", 0x8, "Authenticators: what a client gave, and what came of it."),
    def("deliver", 0x10, "Deliveries of messages."),
    def("dns", 0x20, "Questions to the DNS, and how they were answered."),
    def("dnsbl", 0x40, "Lists in the DNS: what was asked for, and what an answer says."),
    def("exec", 0x80, "Commands that are run, their arguments, and how they end."),
    def("expand", 0x100, "Each string that is expanded, and its pieces."),
    def("filter", 0x200, "The conditions and commands of filters."),
    def("hints_lookup", 0x400, "Hints that are read or kept, and their age."),
    def("host_lookup", 0x800, "Names and addresses of hosts."),
    def("ident", 0x1000, "Questions who the user of a connection is (RFC 1413)."),
    def("interface", 0x2000, "The addresses of this host."),
    def("lists", 0x4000, "What lists say of what, and by which element."),
    def("load", 0x8000, "The load of the system, whenever it is asked for."),
    def(
        "local_scan",
        0x2,
        "Nothing: there is no C function `local_scan()` that could say something.",
    ),
    def("lookup", 0x1_0000, "Look-ups in files and databases."),
    def(
        "macro",
        0,
        "Nothing: `-bP macro` shows macros, and errors say which macro a text is from.",
    ),
    def(
        "memory",
        0x2_0000,
        "How many steps an expansion took, and how many bytes; what transactions take of the memory.",
    ),
    def("noutf8", 0x4_0000, "Drawings and spaces without characters beyond ASCII."),
    def("pid", 0x8_0000, "The number of the process before each line."),
    def("process_info", 0x10_0000, "What the program is doing at the moment."),
    def("queue_run", 0x20_0000, "Runs of the queue."),
    def("receive", 0x40_0000, "Commands of clients and replies to them; how messages are kept."),
    def("regex", 0, "Nothing: patterns are told with the lists and conditions that they stand in."),
    def(
        "resolver",
        0x80_0000,
        "Questions to the DNS, one by one: the name and type, the status, the number of records, and whether it was known already.",
    ),
    def("retry", 0x100_0000, "Which rule for retrying fits a failure."),
    def("rewrite", 0x200_0000, "Addresses that are rewritten."),
    def("route", 0x400_0000, "Which routers look at an address, and what they make of it."),
    def(
        "start",
        0,
        "Nothing: what the program is and which configuration it reads stands in front whatever is selected.",
    ),
    def("timestamp", 0x800_0000, "The time before each line."),
    def("tls", 0x1000_0000, "TLS, as it is agreed on, and why it is not."),
    def("transport", 0x2000_0000, "What is said to other hosts."),
    def("uid", 0x4000_0000, "Users of the system, and whose rights are used."),
    def("verify", 0x8000_0000, "Verification of addresses, and callouts."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_added_and_taken_away() {
        let usual = DebugSelector::USUAL;
        for (text, bits) in [
            ("", 0xf771_5cfd),
            ("-all", 0),
            ("-all+acl", 4),
            ("-all+acl+expand-acl", 0x100),
            ("+expand", 0xf771_5dfd),
            ("=4", 4),
            ("=0x104", 0x104),
        ] {
            assert_eq!(usual.changed(text.as_bytes()), (DebugSelector(bits), None), "{text}");
        }
        let wrong = |text: &[u8]| String::from_utf8(usual.changed(text).1.unwrap()).unwrap();
        assert_eq!(usual.changed(b"-all+acl+foo").0, DebugSelector::ACL);
        assert_eq!(wrong(b"+foo"), "unknown debug_selector setting: +foo");
        assert_eq!(wrong(b"+"), "unknown debug_selector setting: +");
        let malformed = "malformed debug_selector setting: + or - expected but found";
        assert_eq!(wrong(b"acl"), format!("{malformed} \"acl\""));
    }
}
