//! Where the daemon listens: `local_interfaces`, `daemon_smtp_ports` and `-oX`
//! (specification 13).

use std::net::{IpAddr, SocketAddr};

use eximious::stdlib::lists::elements;
use eximious::world::{Log, Net};
use eximious::{Opt, Settings, Str, World, opt};

use crate::refusal::Refusal;

/// An address and a port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interface {
    /// The address; one of zeros stands for all.
    pub ip: IpAddr,
    /// The port.
    pub port: u16,
    /// Whether TLS comes first there.
    pub tls: bool,
}

/// Why nothing can be listened at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ListenError {
    /// A line for the main and panic log.
    Logged(Vec<u8>),
    /// A mistake in the configuration.
    Configured(Vec<u8>),
}

impl ListenError {
    /// As logs have it.
    pub fn line(&self) -> Vec<u8> {
        match self {
            Self::Logged(line) => line.clone(),
            Self::Configured(line) => [b"Exim configuration error:\n  ", &line[..]].concat(),
        }
    }

    /// Tells of it, in the logs and on the standard error.
    pub fn refused(self, log: &dyn Log) -> Refusal {
        let line = self.line();
        match self {
            Self::Logged(_) => log.panic(&line),
            Self::Configured(_) => log.panic_alone(&line),
        }
        // It was shown with that.
        Refusal::Said(Vec::new())
    }
}

impl Interface {
    /// As sockets have it.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.ip, self.port)
    }

    /// Whether it stands for all addresses of its kind.
    pub fn is_wildcard(&self) -> bool {
        self.ip.is_unspecified()
    }

    /// The address, as complaints have it.
    pub fn shown_address(&self) -> String {
        match self.ip {
            IpAddr::V4(_) if self.is_wildcard() => "(any IPv4)".into(),
            IpAddr::V6(_) if self.is_wildcard() => "(any IPv6)".into(),
            ip => ip.to_string(),
        }
    }
}

/// Where to listen.
///
/// # Errors
/// An element is no address, or a port is not known.
pub fn find(
    settings: &Settings,
    override_: Option<&[u8]>,
    net: &dyn Net,
) -> Result<Vec<Interface>, ListenError> {
    // One that is set to nothing has nothing listened at.
    let listed = |option: Opt<Str>| listed_in(settings.get(option).bytes());
    let mut ports = listed(opt::DAEMON_SMTP_PORTS);
    let mut places = listed(opt::LOCAL_INTERFACES);
    let mut source = "local_interfaces";
    if let Some(given) = override_ {
        let is_address = |element: &Vec<u8>| element.iter().any(|byte| matches!(byte, b'.' | b':'));
        let (addresses, names): (Vec<_>, Vec<_>) =
            listed_in(given).into_iter().partition(is_address);
        if !names.is_empty() {
            ports = names;
        }
        if !addresses.is_empty() {
            places = addresses;
            source = "-oX data";
        }
    }
    let ports: Vec<u16> =
        ports.iter().map(|name| port(name, net)).collect::<Result<_, ListenError>>()?;
    let without_6 = settings.get(opt::DISABLE_IPV6);
    let mut found = Vec::new();
    for place in &places {
        let Some((ip, own)) = place_and_port(place) else {
            let head = b"Malformed IP address \"".as_slice();
            let line = [head, place, b"\" in ", source.as_bytes()].concat();
            return Err(ListenError::Logged(line));
        };
        if without_6 && ip.is_ipv6() {
            continue;
        }
        match own {
            Some(port) => found.push(Interface { ip, port, tls: false }),
            None if ports.is_empty() => {
                let shown = match ip {
                    IpAddr::V4(ip) if ip.is_unspecified() => "\"all IPv4\"".to_owned(),
                    IpAddr::V6(ip) if ip.is_unspecified() => "\"all IPv6\"".to_owned(),
                    ip => ip.to_string(),
                };
                let line = format!(
                    "no port specified for interface {shown} and daemon_smtp_port is unset; \
                     cannot start daemon"
                );
                return Err(ListenError::Logged(line.into_bytes()));
            }
            None => {
                found.extend(ports.iter().map(|port| Interface { ip, port: *port, tls: false }))
            }
        }
    }
    Ok(found)
}

fn listed_in(text: &[u8]) -> Vec<Vec<u8>> {
    elements(text).map(|element| element.into_owned()).collect()
}

/// A port by its number or name.
fn port(name: &[u8], net: &dyn Net) -> Result<u16, ListenError> {
    let text = String::from_utf8_lossy(name);
    let number = text.parse::<u16>().ok().filter(|number| *number > 0);
    number.or_else(|| net.service(&text)).ok_or_else(|| {
        let why = match text.starts_with(|first: char| first.is_ascii_digit()) {
            true => format!("invalid SMTP port: {text}"),
            false => format!("TCP port \"{text}\" not found"),
        };
        ListenError::Configured(why.into_bytes())
    })
}

/// `192.0.2.1`, `192.0.2.1.25`, `[192.0.2.1]:25`, and the same for version 6.
fn place_and_port(text: &[u8]) -> Option<(IpAddr, Option<u16>)> {
    let text = std::str::from_utf8(text).ok()?;
    let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
    if let Some(rest) = text.strip_prefix('[') {
        let (ip, rest) = rest.split_once(']')?;
        let port = match rest.strip_prefix(':') {
            Some(rest) => Some(port(rest)?),
            None if rest.is_empty() => None,
            None => return None,
        };
        return Some((ip.parse().ok()?, port));
    }
    if let Ok(ip) = text.parse() {
        return Some((ip, None));
    }
    let (ip, rest) = text.rsplit_once('.')?;
    let port = if matches!(rest, "" | "0") { None } else { Some(port(rest)?) };
    Some((ip.parse().ok()?, port))
}

/// Notes where TLS comes first: at the ports of `tls_on_connect_ports`, or everywhere.
///
/// # Errors
/// One of those ports is not known.
pub fn mark_tls(
    interfaces: &mut [Interface],
    settings: &Settings,
    net: &dyn Net,
    all: bool,
) -> Result<(), ListenError> {
    let names = listed_in(settings.get(opt::TLS_ON_CONNECT_PORTS).bytes());
    let ports: Vec<u16> = names.iter().map(|name| port(name, net)).collect::<Result<_, _>>()?;
    for interface in interfaces {
        interface.tls = all || ports.contains(&interface.port);
    }
    Ok(())
}

/// Without TLS, nobody can be served at ports where it comes first.
///
/// # Errors
/// One of the ports is such a port.
pub fn refuse_tls(interfaces: &[Interface]) -> Result<(), Refusal> {
    let Some(interface) = interfaces.iter().find(|interface| interface.tls) else { return Ok(()) };
    let line = format!(
        "eximious: the daemon is to listen on port {}, where TLS comes first, and TLS is not in \
         this build (cargo feature tls): take the port out of daemon_smtp_ports, \
         local_interfaces or -oX",
        interface.port
    );
    Err(Refusal::Said(line.into_bytes()))
}

/// Where it listens, as the log says it: `SMTP on port 25 (IPv4)`.
pub fn listed(interfaces: &[Interface]) -> String {
    let of = |tls: bool| -> Vec<Interface> {
        interfaces.iter().copied().filter(|interface| interface.tls == tls).collect()
    };
    match (of(false), of(true)) {
        (plain, sealed) if sealed.is_empty() => format!("SMTP on {}", spots(&plain)),
        (plain, sealed) if plain.is_empty() => format!("SMTPS on {}", spots(&sealed)),
        (plain, sealed) => {
            format!("SMTP on {} and for SMTPS on {}", spots(&plain), spots(&sealed))
        }
    }
}

fn spots(interfaces: &[Interface]) -> String {
    let mut said: Vec<String> = Vec::new();
    let mut done: Vec<IpAddr> = Vec::new();
    let wildcards = |ip: fn(&IpAddr) -> bool, port: u16| {
        interfaces.iter().any(|one| one.is_wildcard() && ip(&one.ip) && one.port == port)
    };
    let mut ports_done: Vec<u16> = Vec::new();
    for interface in interfaces {
        if interface.is_wildcard() {
            let port = interface.port;
            if ports_done.contains(&port) {
                continue;
            }
            ports_done.push(port);
            let kinds = match (wildcards(IpAddr::is_ipv6, port), wildcards(IpAddr::is_ipv4, port)) {
                (true, true) => "IPv6 and IPv4",
                (true, false) => "IPv6",
                _ => "IPv4",
            };
            said.push(format!("port {port} ({kinds})"));
            continue;
        }
        if done.contains(&interface.ip) {
            continue;
        }
        done.push(interface.ip);
        let ports: Vec<String> = interfaces
            .iter()
            .filter(|one| one.ip == interface.ip)
            .map(|one| one.port.to_string())
            .collect();
        said.push(match &ports[..] {
            [port] => format!("[{}]:{port}", interface.ip),
            ports => format!("[{}]:{{{}}}", interface.ip, ports.join(",")),
        });
    }
    said.join(" ")
}

/// Says that there is no certificate, where clients are offered TLS, or no TLS.
pub fn warn_of_certificate(settings: &Settings, world: &World) {
    let has_text = |option: Opt<Str>| !settings.get(option).bytes().trim_ascii().is_empty();
    if !has_text(opt::TLS_ADVERTISE_HOSTS) {
        return;
    }
    if !world.tls.is_there() {
        world.log.main(
            b"Warning: this build has no TLS (cargo feature tls): clients are not offered it",
        );
    } else if !settings.is_set(opt::TLS_CERTIFICATE) {
        world.log.main(
            b"Warning: No server certificate defined; will use a selfsigned one.\n \
              Suggested action: either install a certificate or change tls_advertise_hosts option",
        );
    }
}

#[cfg(test)]
mod tests {
    use eximious::World;

    use super::*;

    fn shown(ports: &str, places: &str, given: Option<&str>) -> Result<String, String> {
        let mut settings = Settings::default();
        settings.set(opt::DAEMON_SMTP_PORTS, ports);
        settings.set(opt::LOCAL_INTERFACES, places);
        let world = World::hermetic();
        match find(&settings, given.map(str::as_bytes), &*world.net) {
            Ok(found) => Ok(spots(&found)),
            Err(ListenError::Logged(why) | ListenError::Configured(why)) => {
                Err(String::from_utf8(why).unwrap())
            }
        }
    }

    #[test]
    fn interfaces_and_ports_make_places() {
        let fine = |ports, places, given| shown(ports, places, given).unwrap();
        assert_eq!(fine("25", "<; ::0 ; 0.0.0.0", None), "port 25 (IPv6 and IPv4)");
        assert_eq!(fine("25", "", None), "");
        assert_eq!(fine("25", "127.0.0.1. : 127.0.0.2.0", None), "[127.0.0.1]:25 [127.0.0.2]:25");
        assert_eq!(fine("25:26", "0.0.0.0", None), "port 25 (IPv4) port 26 (IPv4)");
        assert_eq!(fine("25", "<; ::0.27", None), "port 27 (IPv6)");
        let some = "127.0.0.1 : 127.0.0.2.27";
        assert_eq!(fine("25:26", some, None), "[127.0.0.1]:{25,26} [127.0.0.2]:27");
        assert_eq!(fine("25", some, Some("1225")), "[127.0.0.1]:1225 [127.0.0.2]:27");
        assert_eq!(fine("25", some, Some("<; [::1]:29")), "[::1]:29");
        assert_eq!(fine("25", some, Some("27 : 127.0.0.3")), "[127.0.0.3]:27");
        assert_eq!(fine("25", "<; [::1]:26 ; ::1.27", None), "[::1]:{26,27}");
        let same = "127.0.0.1.5:127.0.0.1.6:127.0.0.2.6";
        assert_eq!(fine("25", same, None), "[127.0.0.1]:{5,6} [127.0.0.2]:6");
    }

    #[test]
    fn ports_where_tls_comes_first_are_told_apart() {
        let mut settings = Settings::default();
        let world = World::hermetic();
        let interfaces = "<; [::1]:2465 ; 127.0.0.1.2465 ; 127.0.0.1.2466";
        settings.set(opt::DAEMON_SMTP_PORTS, "25");
        settings.set(opt::LOCAL_INTERFACES, interfaces);
        settings.set(opt::TLS_ON_CONNECT_PORTS, "465 : 2465");
        let mut found = find(&settings, None, &*world.net).unwrap();
        let told = |found: &mut Vec<Interface>, all| {
            mark_tls(found, &settings, &*world.net, all).unwrap();
            listed(found)
        };
        let both = "SMTP on [127.0.0.1]:2466 and for SMTPS on [::1]:2465 [127.0.0.1]:2465";
        assert_eq!(told(&mut found, false), both);
        assert_eq!(told(&mut found, true), "SMTPS on [::1]:2465 [127.0.0.1]:{2465,2466}");
        assert!(refuse_tls(&found).is_err());
        settings.set(opt::TLS_ON_CONNECT_PORTS, "465 : nosuch");
        let refused = mark_tls(&mut found, &settings, &*world.net, false).unwrap_err();
        assert!(refused.line().ends_with(b"TCP port \"nosuch\" not found"));
    }

    #[test]
    fn what_is_no_place_is_named() {
        let why = |ports, places, given| shown(ports, places, given).unwrap_err();
        assert_eq!(why("x", "", None), "TCP port \"x\" not found");
        assert_eq!(why("25x", "127.0.0.1", None), "invalid SMTP port: 25x");
        assert!(why("", "127.0.0.1", None).starts_with("no port specified for interface 127.0"));
        let malformed = "Malformed IP address \"1.2.3.x\" in ";
        assert_eq!(why("25", "1.2.3.x", None), format!("{malformed}local_interfaces"));
        assert_eq!(why("25", "", Some("1.2.3.x")), format!("{malformed}-oX data"));
        assert!(why("25", "127.0.0.1.99999", None).contains("99999"));
        // One that is empty is none; the end of a list is no place.
        let empty = "Malformed IP address \"\" in local_interfaces";
        assert_eq!(why("25", "<; 127.0.0.1 ; ; ::1 ;", None), empty);
        assert_eq!(why("25", "", Some(":26")), "TCP port \"\" not found");
        assert!(
            why("", "<; ::0", None).starts_with("no port specified for interface \"all IPv6\"")
        );
    }
}
