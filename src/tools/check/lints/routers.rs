//! Routers that no address comes to.

use std::collections::HashMap;

use eximious_core::{DriverOpt, OptionDef, OptionValue, Str};
use eximious_stdlib::options::opt::router::{self as opt, manualroute};

use crate::config::{GoesOn, Instance};
use crate::tools::check::{Lint, Severity};

/// Options that let only some addresses in, or change what others test.
const CONDITIONS: [&OptionDef; 17] = [
    opt::ADDRESS_TEST.def(),
    opt::CASEFUL_LOCAL_PART.def(),
    opt::CHECK_LOCAL_USER.def(),
    opt::CONDITION.def(),
    opt::DOMAINS.def(),
    opt::EXPN.def(),
    opt::LOCAL_PART_PREFIX.def(),
    opt::LOCAL_PART_PREFIX_OPTIONAL.def(),
    opt::LOCAL_PART_SUFFIX.def(),
    opt::LOCAL_PART_SUFFIX_OPTIONAL.def(),
    opt::LOCAL_PARTS.def(),
    opt::REQUIRE_FILES.def(),
    opt::SENDERS.def(),
    opt::VERIFY.def(),
    opt::VERIFY_ONLY.def(),
    opt::VERIFY_RECIPIENT.def(),
    opt::VERIFY_SENDER.def(),
];

/// The conditions that are no more than yes or no.
const SWITCHES: [DriverOpt<bool>; 8] = [
    opt::ADDRESS_TEST,
    opt::CASEFUL_LOCAL_PART,
    opt::CHECK_LOCAL_USER,
    opt::EXPN,
    opt::VERIFY,
    opt::VERIFY_ONLY,
    opt::VERIFY_RECIPIENT,
    opt::VERIFY_SENDER,
];

/// W206.
pub(super) static ROUTER_UNREACHABLE: Lint = Lint {
    code: "W206",
    name: "router-unreachable",
    severity: Severity::Warning,
    summary: "No address ever comes to a router.",
    docs: "A router before it takes every address that would come to it: it accepts, or has \
           `no_more`, and each of its conditions is one of the later router's too, word for word; \
           most often it has none.",
    bad: "begin routers\na:\n  driver = accept\n  transport = t\nb:\n  driver = redirect\n  data = x@y.example\nbegin transports\nt:\n  driver = smtp\n",
    good: "begin routers\nb:\n  driver = redirect\n  data = x@y.example\na:\n  driver = accept\n  transport = t\nbegin transports\nt:\n  driver = smtp\n",
    run: |survey, findings| {
        let routers = &survey.config.routers;
        let takers: Vec<usize> = (0..routers.len()).filter(|at| takes(&routers[*at])).collect();
        let targets = targets(routers);
        for (number, router) in routers.iter().enumerate() {
            let before = takers.iter().take_while(|at| **at < number).take(MOST);
            let taken = before.map(|at| (&routers[*at], *at)).find(|(earlier, at)| {
                let first = targets.partition_point(|target| target <= at);
                let jumped = targets.get(first).is_some_and(|target| *target <= number);
                !jumped && covers(earlier, router)
            });
            let Some((earlier, _)) = taken else { continue };
            let (name, other) = (router.name.display(), earlier.name.display());
            let all = CONDITIONS.iter().all(|option| earlier.options.of(option).is_none());
            let message = match all {
                true => format!("no address comes to {name}: {other} takes every one"),
                false => format!(
                    "no address comes to {name}: {other} takes every one that fulfils the conditions"
                ),
            };
            findings.add(survey.line(router.line), message);
        }
    },
};

/// How many routers before one are compared with it.
const MOST: usize = 200;

/// Whether no address passes a router whose conditions it fulfils.
fn takes(router: &Instance) -> bool {
    let options = &router.options;
    let passes =
        |option| options.text(option).is_some_and(|text| text.bytes().starts_with(b"pass"));
    let goes_on = options.flag(opt::UNSEEN) == Some(true)
        || options.some_text(opt::UNSEEN).is_some()
        || options.some_text(opt::MORE).is_some()
        || options.flag(opt::redirect::REPEAT_USE) == Some(false)
        || options.flag(opt::PASS_ON_TIMEOUT) == Some(true)
        || [opt::SELF, manualroute::HOST_FIND_FAILED, manualroute::HOST_ALL_IGNORED]
            .into_iter()
            .any(passes);
    match router.router_rules().goes_on {
        GoesOn::Never => !goes_on,
        GoesOn::Always => false,
        GoesOn::Declined => options.flag(opt::MORE) == Some(false) && !goes_on,
    }
}

/// Whether each condition of a router is one of a later router too.
fn covers(earlier: &Instance, later: &Instance) -> bool {
    if CONDITIONS.iter().all(|option| earlier.options.of(option).is_none()) {
        return true;
    }
    CONDITIONS.iter().all(|option| match (earlier.options.of(option), later.options.of(option)) {
        (None, None) => true,
        // What the later one asks besides makes it only narrower; but these
        // change what the others see.
        (None, Some(_)) => !changes(option),
        (Some(own), Some(other)) => own == other && stays(own),
        // As they are where they are not set.
        (Some(own), None) => SWITCHES
            .iter()
            .any(|switch| switch.is(option) && *own == OptionValue::Flag(switch.default())),
    })
}

/// Whether an option changes what others see of an address.
fn changes(option: &OptionDef) -> bool {
    opt::LOCAL_PART_PREFIX.is(option)
        || opt::LOCAL_PART_PREFIX_OPTIONAL.is(option)
        || opt::LOCAL_PART_SUFFIX.is(option)
        || opt::LOCAL_PART_SUFFIX_OPTIONAL.is(option)
        || opt::CASEFUL_LOCAL_PART.is(option)
}

/// Whether a condition says the same each time that it is expanded for an
/// address: what routers set on the way does not stand in it, nor what looks
/// outside.
fn stays(value: &OptionValue) -> bool {
    const MOVING: [&[u8]; 12] = [
        b"$address_data",
        b"${address_data",
        b"$r_",
        b"${r_",
        b"router_name",
        b"${acl",
        b"${dlfunc",
        b"${perl",
        b"${randint",
        b"${readsocket",
        b"${run",
        b"self_hostname",
    ];
    let text = |text: &Str| {
        let text = text.bytes();
        MOVING.iter().all(|word| memchr::memmem::find(text, word).is_none())
    };
    match value {
        OptionValue::Text(own) => text(own),
        _ => true,
    }
}

/// The routers that an address may be sent to, past those before them.
fn targets(routers: &[Instance]) -> Vec<usize> {
    let numbers = routers.iter().enumerate().rev();
    let numbers: HashMap<&[u8], usize> =
        numbers.map(|(number, router)| (router.name.bytes(), number)).collect();
    let names = routers.iter().flat_map(|router| {
        [opt::PASS_ROUTER, opt::REDIRECT_ROUTER]
            .into_iter()
            .filter_map(|option| router.options.some_text(option))
    });
    let mut targets: Vec<usize> =
        names.filter_map(|name| numbers.get(name.bytes()).copied()).collect();
    targets.sort_unstable();
    targets.dedup();
    targets
}
