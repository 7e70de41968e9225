//! Variables whose names are the configuration's own.

use eximious_core::{Effects, Example, Meta, TaintRule, Variable, VariableSource};

/// The records.
pub static ALL: &[Variable] = &[
    Variable {
        meta: Meta::new("acl_", Effects::NONE, TaintRule::Result)
            .syntax("$acl_c…, $acl_m…")
            .summary("Values that `set` puts there: for a connection, or for a message.")
            .docs(
                "The name goes on with a digit or an underscore: `$acl_c5`, `$acl_m_count`. \
                 Connection variables live as long as an SMTP connection; message variables are \
                 forgotten after a message, and by MAIL, RSET, HELO, EHLO and STARTTLS. Both are \
                 saved with a message, for routers and transports. One that was never set is \
                 empty, unless `strict_acl_vars` makes that an error. They keep the taint of what \
                 was put there.",
            )
            .examples(&[
                Example::new("[$acl_m_count]", "[]"),
                Example::new("${if def:acl_c0 {set}{not set}}", "not set"),
            ])
            .source("specification 11.9"),
        source: VariableSource::Family(acl),
    },
    Variable {
        meta: Meta::new("r_", Effects::NONE, TaintRule::Result)
            .syntax("$r_…")
            .summary("Values that a router's `set` puts there.")
            .docs(
                "The name goes on with whatever the configuration likes. A value stays with the \
                 address through later routers and the transport, with the taint it was given.",
            )
            .examples(&[Example::new("[$r_route]", "[]")])
            .since("4.93")
            .source("specification 11.9, 15"),
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
