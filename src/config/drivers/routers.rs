//! What must hold of a router's options (specification, chapters 15 to 22).

use eximious_core::Str;

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
    let message = match (router.driver_name(), router.set("transport")) {
        ("accept" | "dnslookup" | "ipliteral", false) if !router.on("verify_only") => {
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
    if router.options.number("port").is_none_or(|port| port < 0) {
        return Err(router.wrong("a port must be specified"));
    }
    if !router.set("hosts") {
        return Err(router.wrong("a host list must be specified"));
    }
    if !matches!(router.text("protocol"), None | Some(b"udp" | b"tcp")) {
        return Err(router.wrong("protocol not specified as udp or tcp"));
    }
    match router.options.text("response_pattern") {
        Some(pattern) => crate::config::checks::regex(pattern.bytes()),
        None => Ok(()),
    }
}

fn manualroute(router: &Instance) -> Result<(), ConfigError> {
    let known = |option: &str, but: &[u8]| {
        router.text(option).is_none_or(|word| word != but && NOT_FOUND.contains(&word))
    };
    if !known("host_find_failed", b"") {
        return Err(router.wrong("unrecognized setting for host_find_failed option"));
    }
    if !known("host_all_ignored", b"ignore") {
        return Err(router.wrong("unrecognized setting for host_all_ignored option"));
    }
    if router.set("route_list") == router.set("route_data") {
        return Err(router.wrong("route_list or route_data (but not both) must be specified"));
    }
    Ok(())
}

fn queryprogram(router: &Instance) -> Result<(), ConfigError> {
    if !router.set("command") {
        return Err(router.wrong("a command specification is required"));
    }
    if !router.set("command_user") {
        return Err(router.wrong("command_user must be specified"));
    }
    Ok(())
}

fn redirect(router: &Instance) -> Result<(), ConfigError> {
    let message = match (router.set("file"), router.set("data")) {
        (false, false) => "one of \"file\" or \"data\" must be specified",
        (true, true) => "only one of \"file\" or \"data\" must be specified",
        _ if router.on("one_time") && adds_or_removes(router) => {
            "\"headers_add\" and \"headers_remove\" are not permitted with \"one_time\""
        }
        _ if router.on("one_time") && router.set("unseen") && !off(router, "unseen") => {
            "\"unseen\" may not be used with \"one_time\""
        }
        _ if router.set("qualify_domain") && router.on("qualify_preserve_domain") => {
            "only one of \"qualify_domain\" or \"qualify_preserve_domain\" must be set"
        }
        _ if router.on("allow_filter") && !router.on("check_local_user") && !router.set("user") => {
            "\"user\" or \"check_local_user\" must be set with \"allow_filter\""
        }
        _ => return Ok(()),
    };
    Err(router.wrong(message))
}

fn adds_or_removes(router: &Instance) -> bool {
    router.set("headers_add") || router.set("headers_remove")
}

fn off(router: &Instance, option: &str) -> bool {
    router.options.flag(option) == Some(false)
}

fn own_host(router: &Instance) -> Result<(), ConfigError> {
    match router.text("self") {
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
    for (option, after) in [("redirect_router", false), ("pass_router", true)] {
        let Some(wanted) = router.options.text(option).map(Str::bytes) else { continue };
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
