//! `control = dscp`: how packets to a client are marked (specification 44.13; RFC 2474).

use eximious_core::{AclControl, AclOptions, AclPhases, Effects, Str};

use super::super::cutthrough;
use super::super::machine::{Answer, Run};
use super::super::words::{self, ControlRun, Setting};

/// The names of values, and what stands in the field of a packet (TOS in IPv4, the traffic
/// class in IPv6): classes of assured and of expedited forwarding (RFC 2597, RFC 3246), and
/// what RFC 1349 asked for. `-bI:dscp` lists them.
pub const TRAFFIC_CLASSES: &[(&str, u8)] = &[
    ("af11", 0x28),
    ("af12", 0x30),
    ("af13", 0x38),
    ("af21", 0x48),
    ("af22", 0x50),
    ("af23", 0x58),
    ("af31", 0x68),
    ("af32", 0x70),
    ("af33", 0x78),
    ("af41", 0x88),
    ("af42", 0x90),
    ("af43", 0x98),
    ("ef", 0xb8),
    ("lowcost", 0x02),
    ("lowdelay", 0x10),
    ("mincost", 0x02),
    ("reliability", 0x04),
    ("throughput", 0x08),
];

/// `control = dscp`.
pub(in crate::mail::acl) static DSCP: AclControl = words::control(
    &ControlRun::Own { takes: |options| options.is_some(), set: dscp },
    words::meta(
        "dscp",
        "control = dscp/<name or number>",
        "specification 44.13",
        "Marks the packets of the connection.",
        "What follows is one of the names that `-bI:dscp` lists, or a number from 0 to 0x3F. \
         Whether routers on the way look at it is up to them.",
    ),
)
.effects(Effects::NET)
.phases(words::CLIENT.difference(AclPhases::NOTQUIT))
.options(AclOptions::Text)
.of_connection();

/// Where packets can't be marked, that is no reason to stop; a value that nobody knows is
/// one.
fn dscp(run: &mut Run<'_>, setting: Setting<'_>) -> Answer {
    setting.keep(run);
    let value = setting.options.bytes();
    if let Err(why) = run.host.may_mark_traffic() {
        let head = "smtp input is probably not a socket [";
        run.note(format!("{head}{why}], not setting DSCP").as_bytes());
    } else if let Some(class) = traffic_class(value) {
        if let Err(why) = run.host.mark_traffic(class) {
            run.note(format!("failed to set input DSCP[{class:#04x}] {why}").as_bytes());
        }
    } else {
        let parts = [b"unrecognised DSCP value in \"control=dscp/", value, b"\""];
        run.logged = Some(Str::from(parts.concat()));
        return Answer::Error;
    }
    cutthrough::heed(run);
    Answer::Yes
}

/// What a name, or a number of six bits, puts into the field.
fn traffic_class(value: &[u8]) -> Option<u8> {
    let named = TRAFFIC_CLASSES.iter().find(|(name, _)| name.as_bytes() == value);
    if let Some((_, class)) = named {
        return Some(*class);
    }
    let text = std::str::from_utf8(value).ok()?;
    let number = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u8::from_str_radix(digits, 16).ok()?,
        None if text.len() > 1 && text.starts_with('0') => u8::from_str_radix(text, 8).ok()?,
        None => text.parse().ok()?,
    };
    (number <= 0x3f).then_some(number << 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_names_or_numbers_of_six_bits() {
        for (value, class) in [
            ("ef", Some(0xb8)),
            ("46", Some(0xb8)),
            ("0x2e", Some(0xb8)),
            ("056", Some(0xb8)),
            ("0", Some(0)),
            ("0x3F", Some(0xfc)),
            ("0x40", None),
            ("64", None),
            ("-1", None),
            ("EF", None),
            ("", None),
            ("\u{e9}", None),
        ] {
            assert_eq!(traffic_class(value.as_bytes()), class, "{value}");
        }
    }
}
