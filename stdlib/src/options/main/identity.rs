//! Main options: who the program is, and whom it trusts.

use eximious_core::OptionDef;

use crate::options::At;

const AT: At = At::main("specification 14.23");

pub(super) static ALL: &[OptionDef] = &[
    AT.list("add_environment")
        .summary("Variables, as `name=value`, that are added to the environment.")
        .docs("They are added after all others but those of `keep_environment` have been removed."),
    AT.groups("admin_groups")
        .expanded()
        .summary("Groups whose members may administer the queue.")
        .docs("Expanded once, at the start."),
    AT.no("commandline_checks_require_admin")
        .summary("Leaves `-be` and most other checks from the command line to administrators."),
    AT.no("debug_store")
        .idle("memory is looked after by the language that this is written in")
        .summary("Checks the program's own memory more strictly.")
        .docs("Accepted; this implementation has no such checks to turn on."),
    AT.no("disable_ipv6").summary("Turns off all that has to do with IPv6.").docs(
        "AAAA records are not looked up, and IPv6 addresses in lists of hosts and interfaces \
             are passed over.",
    ),
    AT.group("exim_group")
        .default("Debian-exim")
        .summary("The group that the program runs as when it needs no privilege."),
    AT.text("exim_path")
        .default("/usr/sbin/exim4")
        .summary("The program's own file, which it starts again for new processes."),
    AT.user("exim_user")
        .default("Debian-exim")
        .summary("The user that the program runs as when it needs no privilege."),
    AT.text("exim_version")
        .varies()
        .since("4.93")
        .summary("What `$exim_version` and `$version_number` say in place of the real number.")
        .docs("By default the release that the program answers like."),
    AT.integer("finduser_retries")
        .default("0")
        .summary("How often an unknown user is looked up again, a second apart."),
    AT.text("gecos_name")
        .expanded()
        .summary("Makes a user's real name from what `gecos_pattern` matched."),
    AT.text("gecos_pattern")
        .summary("A regular expression that takes a user's real name from the password file."),
    AT.list("keep_environment")
        .summary("Names of environment variables that are kept; a name may end in an asterisk.")
        .docs(
            "All others are removed when the program starts. Where it is unset and the \
             environment is not empty, Exim complains; `keep_environment =` keeps none, in \
             silence.",
        ),
    AT.yes("local_from_check")
        .summary("Whether a local message whose From: is not its user's gets a Sender: header."),
    AT.text("local_from_prefix")
        .summary("Prefixes that From: may have before the user's name without getting a Sender:."),
    AT.text("local_from_suffix")
        .summary("Suffixes that From: may have after the user's name without getting a Sender:."),
    AT.no("local_sender_retain")
        .summary("Keeps the Sender: header of a message from an untrusted local user.")
        .docs("Needs `local_from_check` to be off."),
    AT.text("localhost_number")
        .expanded()
        .summary("A number that makes message ids unique among hosts that share a spool.")
        .docs("Expanded once, at the start; at most 16, or 10 where file names don't heed case."),
    AT.integer("max_username_length")
        .default("0")
        .summary("The longest name that is looked for among users; longer ones don't exist."),
    AT.users("never_users")
        .expanded()
        .summary("Users as whom nothing is ever delivered.")
        .docs("Expanded once, at the start. A list built into the program can't be taken away."),
    AT.text("primary_hostname").varies().summary("This host's name.").docs(
        "Greetings, message ids and default domains come from it; without it the system is \
             asked for its name, and the DNS for the full one.",
    ),
    AT.yes("prod_requires_admin").summary("Leaves `-M`, `-R` and `-q` to administrators."),
    AT.yes("queue_list_requires_admin").summary("Leaves listing the queue to administrators."),
    AT.text("timezone").summary("The time zone that times are written in; it becomes `TZ`."),
    AT.groups("trusted_groups")
        .expanded()
        .summary("Groups whose members may give any sender address.")
        .docs("Expanded once, at the start."),
    AT.users("trusted_users")
        .expanded()
        .summary("Users who may give any sender address.")
        .docs("Expanded once, at the start."),
    AT.text("unknown_login")
        .expanded()
        .summary("The login name to assume for a user who has none; expanded once."),
    AT.text("unknown_username").summary("The real name that goes with `unknown_login`."),
    AT.addresses("untrusted_set_sender")
        .summary("Sender addresses that an untrusted local user may give."),
    AT.text("uucp_from_pattern")
        .default(concat!(
            r"^From\s+(\S+)\s+(?:[a-zA-Z]{3},?\s+)?(?:[a-zA-Z]{3}\s+\d?\d|\d?\d\s+[a",
            r"-zA-Z]{3}\s+\d\d(?:\d\d)?)\s+\d\d?:\d\d?",
        ))
        .summary("A regular expression for the line `From …` of UUCP before a message."),
    AT.text("uucp_from_sender").expanded().default("$1").summary(
        "The expansion that makes a sender address from what `uucp_from_pattern` matched.",
    ),
];
