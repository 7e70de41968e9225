//! Where this host alone is told something by HTTP (`metrics_listen`).

use std::ffi::OsStr;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// Where pages are asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PagePlace {
    /// An address of the loopback interface.
    Loopback(SocketAddr),
    /// A socket in the file system.
    Socket(PathBuf),
}

/// Why a text is no place for pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadPagePlace {
    /// It is neither an address with a port nor an absolute path.
    Malformed,
    /// Others than this host could reach it.
    Public,
}

impl PagePlace {
    /// Reads `127.0.0.1:9100`, `[::1]:9100` or the absolute path of a socket.
    ///
    /// # Errors
    /// It is something else.
    pub fn parse(text: &[u8]) -> Result<Self, BadPagePlace> {
        if text.starts_with(b"/") && text.len() > 1 {
            return Ok(Self::Socket(PathBuf::from(OsStr::from_bytes(text))));
        }
        let text = std::str::from_utf8(text).map_err(|_| BadPagePlace::Malformed)?;
        let address: SocketAddr = text.parse().map_err(|_| BadPagePlace::Malformed)?;
        match address.ip() {
            _ if address.port() == 0 => Err(BadPagePlace::Malformed),
            IpAddr::V4(ip) if ip.is_loopback() => Ok(Self::Loopback(address)),
            IpAddr::V6(ip) if ip.is_loopback() => Ok(Self::Loopback(address)),
            _ => Err(BadPagePlace::Public),
        }
    }
}

impl fmt::Display for PagePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loopback(address) => address.fmt(f),
            Self::Socket(path) => path.display().fmt(f),
        }
    }
}

impl fmt::Display for BadPagePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => {
                "not an address of the loopback interface with a port, or an absolute path"
            }
            Self::Public => {
                "counters are told to this host alone: it has to be an address of the loopback \
                 interface"
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_host_can_be_served() {
        let parse = |text: &str| PagePlace::parse(text.as_bytes());
        for good in ["127.0.0.1:9100", "127.9.9.9:1", "[::1]:9100"] {
            assert_eq!(parse(good), Ok(PagePlace::Loopback(good.parse().unwrap())), "{good}");
        }
        assert_eq!(parse("/run/x"), Ok(PagePlace::Socket("/run/x".into())));
        for bad in ["", "/", "9100", "127.0.0.1", "127.0.0.1:0", "localhost:9100", "run/x", "::1"] {
            assert_eq!(parse(bad), Err(BadPagePlace::Malformed), "{bad}");
        }
        for bad in ["0.0.0.0:9100", "[::]:9100", "192.0.2.1:9100", "[::ffff:127.0.0.1]:9100"] {
            assert_eq!(parse(bad), Err(BadPagePlace::Public), "{bad}");
        }
    }
}
