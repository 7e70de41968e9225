//! Hosts that an address is sent to.

use std::net::IpAddr;

/// A host that an address is sent to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RouteHost {
    /// Its name, or its address as text.
    pub name: String,
    /// Its address; `None` where it has none that is known now.
    pub address: Option<IpAddr>,
    /// The port, where it is not the transport's.
    pub port: Option<u16>,
    /// The preference of its MX record.
    pub mx: Option<u16>,
    /// Whether what the DNS said of it is known to be genuine; `None` where
    /// nobody asked for that.
    pub secure: Option<bool>,
}
