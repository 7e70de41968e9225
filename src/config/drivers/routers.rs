//! What must hold of a router's options (specification, chapters 15 to 22).

use eximious_core::{DriverOpt, Str};
use eximious_stdlib::options::opt::router as opt;

use super::Instance;
use crate::config::ConfigError;

/// What a router can do with its own host.
const SELF: [&[u8]; 5] = [b"defer", b"fail", b"freeze", b"pass", b"send"];
/// What `manualroute` can do with a host that is not found.
const NOT_FOUND: [&[u8]; 6] = [b"decline", b"defer", b"fail", b"freeze", b"ignore", b"pass"];

/// What a router's driver wants.
pub(super) fn own(router: &Instance) -> Result<(), ConfigError> {
    match router.driver_name() {
        "iplookup" => iplookup(router),
        "manualroute" => manualroute(router),
        "queryprogram" => queryprogram(router),
        "redirect" => redirect(router),
        _ => Ok(()),
    }
}

/// What all routers want.
pub(super) fn general(router: &Instance, all: &[Instance]) -> Result<(), ConfigError> {
    let message = match (router.driver_name(), router.set(opt::TRANSPORT)) {
        ("accept" | "dnslookup" | "ipliteral", false) if !router.on(opt::VERIFY_ONLY) => {
            "a transport is required for this router"
        }
        ("iplookup" | "redirect", true) => "a transport must not be defined for this router",
        _ => {
            own_host(router)?;
            return followers(router, all);
        }
    };
    let message = [router.name.bytes(), b" router:\n  ", message.as_bytes()].concat();
    Err(ConfigError::somewhere(message))
}

fn iplookup(router: &Instance) -> Result<(), ConfigError> {
    if router.options.get(opt::iplookup::PORT).is_none_or(|port| port < 0) {
        return Err(router.wrong("a port must be specified"));
    }
    if !router.set(opt::iplookup::HOSTS) {
        return Err(router.wrong("a host list must be specified"));
    }
    if !matches!(router.text(opt::iplookup::PROTOCOL), None | Some(b"udp" | b"tcp")) {
        return Err(router.wrong("protocol not specified as udp or tcp"));
    }
    match router.options.some_text(opt::iplookup::RESPONSE_PATTERN) {
        Some(pattern) => crate::config::checks::regex(pattern.bytes()),
        None => Ok(()),
    }
}

fn manualroute(router: &Instance) -> Result<(), ConfigError> {
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

fn queryprogram(router: &Instance) -> Result<(), ConfigError> {
    if !router.set(opt::queryprogram::COMMAND) {
        return Err(router.wrong("a command specification is required"));
    }
    if !router.set(opt::queryprogram::COMMAND_USER) {
        return Err(router.wrong("command_user must be specified"));
    }
    Ok(())
}

fn redirect(router: &Instance) -> Result<(), ConfigError> {
    let message = match (router.set(opt::redirect::FILE), router.set(opt::redirect::DATA)) {
        (false, false) => "one of \"file\" or \"data\" must be specified",
        (true, true) => "only one of \"file\" or \"data\" must be specified",
        _ if router.on(opt::redirect::ONE_TIME) && adds_or_removes(router) => {
            "\"headers_add\" and \"headers_remove\" are not permitted with \"one_time\""
        }
        _ if router.on(opt::redirect::ONE_TIME)
            && router.set(opt::UNSEEN)
            && router.options.flag(opt::UNSEEN) != Some(false) =>
        {
            "\"unseen\" may not be used with \"one_time\""
        }
        _ if router.set(opt::redirect::QUALIFY_DOMAIN)
            && router.on(opt::redirect::QUALIFY_PRESERVE_DOMAIN) =>
        {
            "only one of \"qualify_domain\" or \"qualify_preserve_domain\" must be set"
        }
        _ if router.on(opt::redirect::ALLOW_FILTER)
            && !router.on(opt::CHECK_LOCAL_USER)
            && !router.set(opt::USER) =>
        {
            "\"user\" or \"check_local_user\" must be set with \"allow_filter\""
        }
        _ => return Ok(()),
    };
    Err(router.wrong(message))
}

fn adds_or_removes(router: &Instance) -> bool {
    router.set(opt::HEADERS_ADD) || router.set(opt::HEADERS_REMOVE)
}

fn own_host(router: &Instance) -> Result<(), ConfigError> {
    match router.text(opt::SELF) {
        Some(word) if !word.starts_with(b"reroute:") && !SELF.contains(&word) => {
            let message = [word, b" is not valid for the self option"].concat();
            Err(ConfigError::of([router.name.bytes(), b" router"].concat(), message))
        }
        _ => Ok(()),
    }
}

/// What `pass_router` and `redirect_router` name.
fn followers(router: &Instance, all: &[Instance]) -> Result<(), ConfigError> {
    let name = router.name.bytes();
    // Only a router that names another is looked for among all.
    let place = |name: &[u8]| all.iter().position(|other| other.name.bytes() == name);
    for (option, after) in [(opt::REDIRECT_ROUTER, false), (opt::PASS_ROUTER, true)] {
        let Some(wanted) = router.options.some_text(option).map(Str::bytes) else { continue };
        let (own, found) = (place(name), place(wanted));
        let tail: &[u8] = match found {
            None => b"\" not found for \"",
            Some(_) if after && found <= own => b"\" does not follow \"",
            Some(_) => continue,
        };
        let message = [b"new_router \"", wanted, tail, name, b"\" router"].concat();
        return Err(ConfigError::somewhere(message));
    }
    Ok(())
}
