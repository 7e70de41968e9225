//! The router `manualroute` (specification, chapter 20).

use eximious_core::{DriverDef, DriverOpt, Effects, Meta, Str, TaintRule};
use eximious_stdlib::lists::{ListOutcome, Matcher, elements_by};
use eximious_stdlib::options::opt::router as opt;

use super::driver::{self, RouterRun};
use super::hosts::{self, Hosts, How, Way};
use super::machine::{Machine, Verdict, unless_forced};
use super::pass::RouteError;
use super::router::Router;
use super::send::Here;
use crate::config::{ConfigError, Instance, RouterRules};

/// What patterns of rules may touch.
static PATTERN: Meta = Meta::new(
    opt::manualroute::ROUTE_LIST.name(),
    Effects::FILES.union(Effects::LOOKUP).union(Effects::HOST).union(Effects::LOG),
    TaintRule::Result,
);

/// The driver `manualroute`.
pub(super) static DRIVER: DriverDef =
    driver::own("manualroute", "Finds hosts for a domain in a list.", "20", &RouterRun::Own(run))
        .rules(&RULES);

static RULES: RouterRules = RouterRules { check: checked, ..RouterRules::DEFAULT };

/// Finds hosts for a domain in a list.
fn run(machine: &mut Machine<'_>, number: usize, router: &Router) -> Result<Verdict, RouteError> {
    let Some(rule) = rule(machine, router)? else { return Ok(Verdict::Decline) };
    let options = Options::read(machine, router, &rule.options)?;
    let transport = machine.transport_for(router, options.transport)?;
    let options = Options { transport, ..options };
    if transport.is_some_and(|transport| !machine.routes.is_remote(transport)) {
        let hosts = hosts::as_text(&rule.hosts);
        let clean = !rule.hosts.taint().is_tainted();
        return accept(machine, number, router, (hosts, clean), &options);
    }
    let list = hosts::read(machine.cx, rule.hosts.bytes(), options.randomize);
    if list.is_empty() && rule.hosts.bytes().trim_ascii().is_empty() {
        if machine.purpose.verifies() {
            return accept(machine, number, router, (Vec::new(), false), &options);
        }
        let tail = [b" router: no host(s) specified for domain ", machine.address.domain.bytes()];
        let message = router.named(b"error in ", &tail.concat(), b"");
        machine.log(&message);
        return Err(RouteError::new(message));
    }
    let not_found = hosts::word(router, opt::manualroute::HOST_FIND_FAILED);
    match hosts::find(machine, router, &list, (options.how, not_found.bytes()))? {
        Hosts::Verdict(verdict) => Ok(verdict),
        Hosts::Some(hosts, here) => {
            let missing = transport.is_none() && !machine.purpose.verifies();
            if here != Here::No
                && let Some(verdict) = machine.is_here(number, router, &hosts, here)?
            {
                return Ok(verdict);
            }
            if missing {
                machine.log(&router.named(b"Error in ", b" router: no transport defined", b""));
                return Err(RouteError::new("error in router: transport missing"));
            }
            // What the DNS calls a host comes from outside.
            let is_listed =
                |host: &super::RouteHost| list.iter().any(|one| one.name == host.name.as_bytes());
            let clean = !rule.hosts.taint().is_tainted() && hosts.iter().all(is_listed);
            accept(machine, number, router, (hosts, clean), &options)
        }
    }
}

/// Sends it to some hosts, whose names are the configuration's where they are `clean`.
fn accept(
    machine: &mut Machine<'_>,
    number: usize,
    router: &Router,
    (hosts, clean): (Vec<super::RouteHost>, bool),
    options: &Options,
) -> Result<Verdict, RouteError> {
    let mut verdict = machine.send_by(number, router, hosts, Here::No, options.transport)?;
    if let Verdict::Accept(Some(delivery)) = &mut verdict {
        delivery.shuffled = options.randomize;
        delivery.hosts_clean = clean;
    }
    Ok(verdict)
}

/// A rule that fits: its list of hosts, expanded, and its options.
struct Rule {
    hosts: Str,
    /// Its options, as they are written.
    options: Vec<u8>,
}

fn rule(machine: &mut Machine<'_>, router: &Router) -> Result<Option<Rule>, RouteError> {
    if let Some(text) = router.text(opt::manualroute::ROUTE_DATA) {
        let data = match unless_forced(text.expand(machine.cx)) {
            Ok(None) => return Ok(None),
            Ok(Some(data)) if data.bytes().trim_ascii().is_empty() => return Ok(None),
            Ok(Some(data)) => data,
            Err(fail) => {
                let head = [b"failed to expand \"", text.written.bytes(), b"\": "].concat();
                let error = RouteError::new([&head, fail.message()].concat());
                return Err(error.waiting_for(&fail));
            }
        };
        let (hosts, rest) = word(data.bytes());
        return finish(machine, router, &hosts, rest, &data);
    }
    let Some(list) = router.some_text(opt::manualroute::ROUTE_LIST) else { return Ok(None) };
    let written = list.written.clone();
    for rule in elements_by(written.bytes(), b';') {
        let (pattern, rest) = word(&rule);
        if pattern.is_empty() {
            continue;
        }
        let domain = machine.address.domain.clone();
        let engine = machine.cx.engine().clone();
        let pattern = match memchr::memchr2(b'$', b'\\', &pattern) {
            None => Str::from(pattern),
            Some(_) => match unless_forced(engine.expand_once(&pattern, machine.cx)) {
                Ok(Some(pattern)) => pattern,
                Ok(None) => continue,
                Err(fail) => {
                    let head = [b"failed to expand \"", pattern.as_slice()].concat();
                    let middle = b"\" while checking a list: ".as_slice();
                    machine.log_panic(&[&head, middle, fail.message()].concat());
                    return Err(RouteError::new("lookup defer in route_list"));
                }
            },
        };
        let outcome =
            machine.cx.call(&PATTERN, |call| Matcher::domain(&domain).test_pattern(call, &pattern));
        let data = match outcome {
            Ok(ListOutcome::Matched(data)) => data,
            Ok(ListOutcome::Unmatched(_)) => continue,
            Ok(ListOutcome::Deferred(_)) => {
                return Err(RouteError::new("lookup defer in route_list"));
            }
            Err(fail) => return Err(RouteError::new(fail.message())),
        };
        // Where nothing is looked up, it is what fits that is found.
        let value = match pattern.bytes() {
            text if text.starts_with(b"+") || text.contains(&b';') => data.unwrap_or_default(),
            text if text.starts_with(b"!") => Str::EMPTY,
            _ => pattern,
        };
        machine.cx.evaluation.scope.set_value(value);
        let (hosts, rest) = word(rest);
        return finish(machine, router, &hosts, rest, &Str::EMPTY);
    }
    Ok(None)
}

/// Expands the list of hosts of a rule; nothing where that fails by force, and the router declines.
fn finish(
    machine: &mut Machine<'_>,
    router: &Router,
    hosts: &[u8],
    options: &[u8],
    data: &Str,
) -> Result<Option<Rule>, RouteError> {
    let engine = machine.cx.engine().clone();
    // What was looked up has been expanded before; it may hold host names alone.
    let text = Str::from(hosts).stamped(data.taint());
    let expanded = match memchr::memchr2(b'$', b'\\', hosts) {
        None => Ok(text),
        Some(_) => engine.expand_again(&text, machine.cx),
    };
    let expanded = unless_forced(expanded).map_err(|fail| {
        let middle = [b" router: failed to expand \"", hosts, b"\": "].concat();
        RouteError::new(router.named(b"", &middle, fail.message()))
    })?;
    let Some(hosts) = expanded else { return Ok(None) };
    Ok(Some(Rule { hosts, options: options.to_vec() }))
}

/// The next word, perhaps in quotes, and what follows it.
fn word(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let text = text.trim_ascii_start();
    if text.first() != Some(&b'"') {
        let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
        return (text[..end].to_vec(), &text[end..]);
    }
    let mut at = 1;
    while let Some(byte) = text.get(at) {
        at += match byte {
            b'"' => break,
            b'\\' => 2,
            _ => 1,
        };
    }
    let (word, rest) = text.split_at((at + 1).min(text.len()));
    (crate::config::quoted(word), rest)
}

/// The options of a rule.
#[derive(Default)]
struct Options {
    transport: Option<usize>,
    randomize: bool,
    how: How,
}

impl Options {
    fn read(
        machine: &mut Machine<'_>,
        router: &Router,
        written: &[u8],
    ) -> Result<Self, RouteError> {
        let randomize = machine.switch(router, opt::manualroute::HOSTS_RANDOMIZE)?;
        let mut options = Self { randomize, ..Self::default() };
        let mut rest = written.trim_ascii_start();
        while !rest.is_empty() {
            let (option, behind) = word(rest);
            match option.as_slice() {
                b"randomize" => options.randomize = true,
                b"no_randomize" => options.randomize = false,
                b"byname" => options.how = How { way: Way::Name, ..How::default() },
                b"bydns" => options.how = How { way: Way::Dns, ..How::default() },
                b"ipv4_only" => options.how.ipv4_only = true,
                b"ipv4_prefer" => options.how.ipv4_prefer = true,
                name => match machine.routes.transport(name) {
                    Some(transport) => options.transport = Some(transport),
                    None => {
                        let what =
                            [b"unknown routing option or transport name \"", rest, b"\""].concat();
                        machine.log(&router.named(b"Error in ", b" router: ", &what));
                        return Err(RouteError::new([b"error in router: ", &what[..]].concat()));
                    }
                },
            }
            rest = behind.trim_ascii_start();
        }
        Ok(options)
    }
}

/// What `manualroute` can do with a host that is not found.
const NOT_FOUND: [&[u8]; 6] = [b"decline", b"defer", b"fail", b"freeze", b"ignore", b"pass"];

/// What must hold of its options.
fn checked(router: &Instance) -> Result<(), ConfigError> {
    let known = |option: DriverOpt<Str>, but: &[u8]| {
        router.text(option).is_none_or(|word| word != but && NOT_FOUND.contains(&word))
    };
    if !known(opt::manualroute::HOST_FIND_FAILED, b"") {
        return Err(router.wrong("unrecognized setting for host_find_failed option"));
    }
    if !known(opt::manualroute::HOST_ALL_IGNORED, b"ignore") {
        return Err(router.wrong("unrecognized setting for host_all_ignored option"));
    }
    if router.set(opt::manualroute::ROUTE_LIST) == router.set(opt::manualroute::ROUTE_DATA) {
        return Err(router.wrong("route_list or route_data (but not both) must be specified"));
    }
    Ok(())
}
