//! Instances of drivers, and what must hold of their options (specification
//! 6.21, chapters 15 to 42).

use std::collections::BTreeSet;

use eximious_core::{DriverDef, DriverKind, Options, Str};

use super::{ConfigError, SettingUse};

/// An instance of a driver.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Its name.
    pub name: Str,
    /// What it drives.
    pub kind: DriverKind,
    /// Its driver; `None` where none is named that exists, which is a fault.
    pub driver: Option<&'static DriverDef>,
    /// Whether a driver is named that does not exist.
    pub misnamed: bool,
    /// The options that are set.
    pub options: Options,
    /// The options whose values `-bP` hides from those who do not administrate.
    pub hidden: BTreeSet<&'static str>,
    /// Where each option is set.
    pub settings: Vec<SettingUse>,
    /// The number of the logical line that names it.
    pub line: usize,
}

impl Instance {
    /// The name of its driver.
    pub fn driver_name(&self) -> &'static str {
        self.driver.map_or("", |driver| driver.meta.name)
    }
}

/// Says that an instance has no driver, where it has none: Exim looks before the
/// next instance begins.
pub(super) fn driven(instance: &Instance) -> Result<(), ConfigError> {
    // A driver that does not exist was complained about already.
    let named = instance.driver.is_some() || instance.misnamed;
    if named {
        return Ok(());
    }
    let (kind, name) = (instance.kind.name().as_bytes(), instance.name.bytes());
    let message = [b"no driver defined for ", kind, b" \"", name, b"\""].concat();
    Err(ConfigError::somewhere(message))
}

/// What is wrong with an instance as a whole; Exim looks when its section ends.
pub(super) fn check(instance: &Instance, all: &[Instance]) -> Result<(), ConfigError> {
    let name = instance.name.bytes();
    let called = [name, b" ", instance.kind.name().as_bytes()].concat();
    let wrong = |message: &str| Err(ConfigError::of(called.clone(), message));
    let set = |option: &str| instance.options.text(option).is_some();
    if instance.driver.is_none() {
        return Ok(());
    }
    match (instance.kind, instance.driver_name()) {
        (DriverKind::Router, "manualroute") if set("route_list") == set("route_data") => {
            wrong("route_list or route_data (but not both) must be specified")
        }
        (DriverKind::Router, "redirect") if !set("file") && !set("data") => {
            wrong("one of \"file\" or \"data\" must be specified")
        }
        (DriverKind::Router, "redirect") if set("file") && set("data") => {
            wrong("only one of \"file\" or \"data\" must be specified")
        }
        (DriverKind::Router, "queryprogram") if !set("command") => {
            wrong("a command specification is required")
        }
        (DriverKind::Router, "iplookup") if instance.options.number("port").is_none() => {
            wrong("a port must be specified")
        }
        (DriverKind::Router, "iplookup") if !set("hosts") => wrong("a host list must be specified"),
        (DriverKind::Router, "accept" | "dnslookup" | "ipliteral") if needs_transport(instance) => {
            let message = [called.as_slice(), b":\n  a transport is required for this router"];
            Err(ConfigError::somewhere(message.concat()))
        }
        (DriverKind::Router, _) => followers(instance, all),
        (DriverKind::Transport, "appendfile") if set("file") && set("directory") => {
            wrong("only one of \"file\" or \"directory\" can be specified")
        }
        (DriverKind::Transport, "lmtp") if set("command") == set("socket") => {
            let head = b"one (and only one) of command or socket must be set for the ".as_slice();
            Err(ConfigError::somewhere([head, name, b" transport"].concat()))
        }
        (DriverKind::Transport, _)
            if instance.options.flag("body_only") == Some(true)
                && instance.options.flag("headers_only") == Some(true) =>
        {
            let message = b": body_only and headers_only are mutually exclusive".as_slice();
            Err(ConfigError::somewhere([called.as_slice(), message].concat()))
        }
        _ => Ok(()),
    }
}

/// Whether a router that delivers has no transport to deliver with.
fn needs_transport(instance: &Instance) -> bool {
    let verifies = instance.options.flag("verify_only") == Some(true);
    !verifies && instance.options.text("transport").is_none()
}

/// What `pass_router` and `redirect_router` name.
fn followers(instance: &Instance, all: &[Instance]) -> Result<(), ConfigError> {
    let name = instance.name.bytes();
    for (option, after) in [("pass_router", true), ("redirect_router", false)] {
        let Some(wanted) = instance.options.text(option).map(Str::bytes) else { continue };
        let place = |name: &[u8]| all.iter().position(|other| other.name.bytes() == name);
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
