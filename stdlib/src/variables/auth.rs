//! Variables of SMTP authentication.

use eximious_core::Variable;

use super::record::variable;

/// The records.
pub static ALL: &[Variable] = &[
    variable!(
        "auth1",
        Slot,
        Tainted,
        "The first string of an authentication; what it is depends on the mechanism.",
        docs(
            "While an authenticator runs, `$auth1` to `$auth4` hold what the client sent. For \
             LOGIN that is the user name and the password; for PLAIN they are in `$auth2` and \
             `$auth3`, after an authorization identity in `$auth1` that is mostly empty; for \
             CRAM-MD5 `$auth1` is the user name. They are tainted: quote them in a lookup, as in \
             `${lookup{$auth2}lsearch{/etc/passwords}}` or `${quote_pgsql:$auth2}`."
        ),
        source("specification 33 to 42")
    ),
    variable!(
        "auth2",
        Slot,
        Tainted,
        "The second string of an authentication.",
        docs(
            "For PLAIN it is the user name, for LOGIN the password. `server_set_id = $auth2` in \
             a PLAIN authenticator keeps it as `$authenticated_id`. Outside of an authenticator \
             it is empty."
        ),
        source("specification 33 to 42")
    ),
    variable!(
        "auth3",
        Slot,
        Tainted,
        "The third string of an authentication.",
        docs(
            "For PLAIN it is the password: `server_condition = \
             ${if crypteq{$auth3}{${lookup{$auth2}lsearch{/etc/passwords}}}}`. Outside of an \
             authenticator it is empty."
        ),
        source("specification 33 to 42")
    ),
    variable!(
        "auth4",
        Slot,
        Tainted,
        "The fourth string of an authentication.",
        source("specification 33 to 42")
    ),
    variable!(
        "authenticated_fail_id",
        Slot,
        Tainted,
        "The identity of the last authentication that failed.",
        docs(
            "What `server_set_id` would have made of the last attempt that was refused; a good \
             key for `ratelimit` or a log line in the QUIT and not-QUIT ACLs. A client that \
             fails and then succeeds leaves it set."
        )
    ),
    variable!(
        "authenticated_id",
        Slot,
        Tainted,
        "Who the client is, as `server_set_id` of its authenticator says.",
        docs(
            "Set by a successful AUTH command, and saved with the message for its delivery. It \
             is empty where nobody authenticated, so `${if def:authenticated_id}` asks just \
             that; `$sender_host_authenticated` names the authenticator instead. For a message \
             from a local program it is the login name of its user."
        )
    ),
    variable!(
        "authenticated_sender",
        Slot,
        Tainted,
        "The address that AUTH= on the MAIL command vouched for.",
        docs(
            "Taken from a client that is trusted enough for it (`server_mail_auth_condition`, \
             `acl_smtp_mailauth`). For a message from a local program it is the user's login \
             name at `$qualify_domain`."
        ),
        source("specification 11.9, 33.2")
    ),
    variable!(
        "authentication_failed",
        SlotWith("0"),
        Clean,
        "1 after an AUTH command that did not succeed, else 0.",
        docs(
            "Together with `$sender_host_authenticated` it tells a client that did not try from \
             one that tried in vain. Cancelled attempts and unknown mechanisms count as \
             failures."
        )
    ),
    variable!(
        "sender_host_authenticated",
        Slot,
        Clean,
        "The name of the authenticator that let the client in.",
        docs(
            "It is the name of the driver's section in the configuration, not the public name \
             of the mechanism. Empty for a client that did not authenticate; the ACL condition \
             `authenticated` matches against it."
        )
    ),
];
