//! `match_domain`, `match_address`, `match_local_part`, `match_ip`.

use eximious_core::grammar::expansion::ConditionShape;
use eximious_core::{Call, Condition, ConditionRun, Effects, Example, Fail, Meta, Str, TaintRule};

use crate::lists::{ListOutcome, Matcher, ip};
use crate::lookups::reason;

const fn listed(meta: Meta, run: fn(&mut Call<'_>, &[Str]) -> Result<bool, Fail>) -> Condition {
    Condition { meta, shape: ConditionShape::TwoLiteral, run: ConditionRun::Strict(run) }
}

const fn meta(name: &'static str, syntax: &'static str, summary: &'static str) -> Meta {
    let effects = Effects::FILES
        .union(Effects::DNS)
        .union(Effects::LOOKUP)
        .union(Effects::HOST)
        .union(Effects::LOG)
        .union(Effects::EXPAND);
    Meta::new(name, effects, TaintRule::Result)
        .syntax(syntax)
        .summary(summary)
        .source("specification 10 and 11.7")
}

/// `match_domain {domain}{list}`.
pub static MATCH_DOMAIN: Condition = listed(
    meta("match_domain", "match_domain {<domain>}{<list>}", "A domain is in a list of domains.")
        .docs(
            "The list is not expanded: a dollar in it stands for itself. Its elements are \
             domains, `*` with the end of a domain, regular expressions that begin with `^`, \
             lookups (`lsearch;/some/file`), files whose lines are elements (`/some/file`), \
             named lists (`+name`), `@` for this host's name, `@[]` for its addresses in brackets, \
             and `@mx_any`, `@mx_primary`, `@mx_secondary` for domains whose mail comes to this \
             host. An element after an exclamation mark takes away what it matches. \
             Afterwards `$value` is the element that matched, or what was looked up; `$0` is \
             the domain, and `$1`, … are what an asterisk or groups matched.",
        )
        .examples(&[
            Example::new("${if match_domain{a.b.c}{x.y.z:*.b.c}{<$value> $1}{no}}", "<*.b.c> a"),
            Example::new("${if match_domain{a.b.c}{!a.b.c : *}{yes}{no}}", "no"),
            Example::new("${if match_domain{a.b.c}{<; ^(.)\\\\. ; x}{$0 $1}{no}}", "a.b.c a"),
        ]),
    |call, args| {
        let mut matcher = Matcher::domain(&args[0]);
        let outcome = matcher.test(call, &args[1]);
        decide(call, &matcher, outcome, (&args[1], true))
    },
);

/// `match_local_part {local part}{list}`.
pub static MATCH_LOCAL_PART: Condition = listed(
    meta(
        "match_local_part",
        "match_local_part {<local part>}{<list>}",
        "A local part is in a list of local parts.",
    )
    .docs(
        "As `match_domain`, but for `@` and what else refers to this host. Case does not count \
         before an element `+caseful`, and does after it.",
    )
    .examples(&[
        Example::new("${if match_local_part{Bob}{alice:bob}{$value}{no}}", "bob"),
        Example::new("${if match_local_part{Bob}{+caseful:bob}{$value}{no}}", "no"),
    ]),
    |call, args| {
        let mut matcher = Matcher::local_part(&args[0]);
        let outcome = matcher.test(call, &args[1]);
        decide(call, &matcher, outcome, (&args[1], true))
    },
);

/// `match_address {address}{list}`.
pub static MATCH_ADDRESS: Condition = listed(
    meta(
        "match_address",
        "match_address {<address>}{<list>}",
        "An address is in a list of addresses.",
    )
    .docs(
        "The list is not expanded: a dollar in it stands for itself. An element is an address, \
         whose local part may begin with `*`, and whose domain is tested as in a list of \
         domains (`*@+local`); a domain alone; a regular expression or a lookup for the whole \
         address; or `@@` and a lookup for the domain, whose data is a list of local parts. An \
         empty element matches the empty address. Case does not count in local parts before an \
         element `+caseful`.",
    )
    .examples(&[
        Example::new("${if match_address{u@a.b}{x@y : u@*.b}{yes}{no}}", "yes"),
        Example::new("${if match_address{u@a.b}{a.b}{$value}{no}}", "@a.b"),
        Example::new("${if match_address{}{: a@b}{yes}{no}}", "yes"),
    ]),
    |call, args| {
        let mut matcher = Matcher::address(&args[0]);
        let outcome = matcher.test(call, &args[1]);
        decide(call, &matcher, outcome, (&args[1], false))
    },
);

/// `match_ip {address}{list}`.
pub static MATCH_IP: Condition = listed(
    meta("match_ip", "match_ip {<IP address>}{<list>}", "An IP address is in a list of hosts.")
        .docs(
            "The list is expanded when it is tested, although a dollar in it stands for itself \
             until then. Names of hosts can't stand in it. Its elements are addresses and \
             networks (`10.0.0.0/8`), `*` for any address, `@[]` for those of this host, an \
             empty one for no address, and lookups, whose key is the address \
             (`iplsearch;/some/file`) or the network that it is in (`net24-lsearch;/some/file`). \
             `$value` is what was looked up, and otherwise stays what it was.",
        )
        .examples(&[
            Example::new("${if match_ip{1.2.3.4}{10.0.0.0/8 : 1.2.3.0/24}{yes}{no}}", "yes"),
            Example::new("${if match_ip{::1}{<; fe80::/10; ::1}{yes}{no}}", "yes"),
            Example::new("${if match_ip{x}{*}{yes}{no}}", "Failed: \"x\" is not an IP address"),
        ]),
    |call, args| {
        let address = match ip::address(args[0].bytes()) {
            Some(address) => Some((args[0].clone(), address)),
            None if args[0].is_empty() => None,
            None => {
                let message = [b"\"", args[0].bytes(), b"\" is not an IP address"].concat();
                return Err(Fail::argument(message));
            }
        };
        let mut matcher = Matcher::ip(address);
        let outcome = matcher.test_written(call, &args[1]);
        decide(call, &matcher, outcome, (&args[1], false))
    },
);

/// What a list says, and what it leaves in `$value`: that it can't be told because something
/// can't be opened is no answer for good. Lists of names never leave `$value` as it was.
fn decide(
    call: &mut Call<'_>,
    matcher: &Matcher<'_>,
    outcome: Result<ListOutcome, Fail>,
    (list, is_of_names): (&Str, bool),
) -> Result<bool, Fail> {
    let outcome = outcome.map_err(Fail::for_now)?;
    match matcher.left() {
        Some(data) => call.scope().set_value(data.clone()),
        None if is_of_names => call.scope().set_value(Str::EMPTY),
        None => {}
    }
    match outcome {
        ListOutcome::Matched(_) => Ok(true),
        ListOutcome::Unmatched(_) => Ok(false),
        ListOutcome::Deferred(why) => {
            let of_lookup = why.as_ref().is_some_and(|why| !why.starts_with(b"DNS lookup of "));
            let why = reason(call, why, b"NULL");
            let message = [b"unable to complete match against \"", list.bytes(), b"\": ", &why];
            let message = message.concat();
            Err(match of_lookup {
                true => Fail::deferred_lookup(message, why),
                false => Fail::defer(message),
            })
        }
    }
}
