//! Variables whose names are the configuration's own.

use eximious_core::{Effects, Meta, TaintRule, Variable, VariableSource};

/// The records.
pub static ALL: &[Variable] = &[
    Variable {
        meta: Meta::new("acl_", Effects::NONE, TaintRule::Result)
            .syntax("$acl_c…, $acl_m…")
            .summary("Values that `set` puts there: for a connection, or for a message.")
            .docs(
                "The name goes on with a digit or an underscore: `$acl_c5`, `$acl_m_count`. \
                 Connection variables live as long as an SMTP connection; message variables are \
                 forgotten after a message.",
            )
            .source("specification 11.9"),
        source: VariableSource::Family(acl),
    },
    Variable {
        meta: Meta::new("r_", Effects::NONE, TaintRule::Result)
            .syntax("$r_…")
            .summary("Values that a router's `set` puts there.")
            .source("specification 15"),
        source: VariableSource::Family(|name| name.starts_with(b"r_").then_some(Ok(()))),
    },
];

fn acl(name: &[u8]) -> Option<Result<(), &'static str>> {
    let rest = name.strip_prefix(b"acl_")?;
    Some(match rest {
        [b'c' | b'm'] => Ok(()),
        [b'c' | b'm', c, ..] if c.is_ascii_digit() || *c == b'_' => Ok(()),
        [b'c' | b'm', ..] => {
            Err(" (6th character of a user-defined ACL variable must be a digit or underscore)")
        }
        _ => Err(" (user-defined ACL variables must start acl_c or acl_m)"),
    })
}
