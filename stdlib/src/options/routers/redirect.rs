//! The router redirect.

use eximious_core::{DriverKind, OptionDef};

use crate::options::At;

const AT: At = At::driver(DriverKind::Router, "redirect", "specification 22.10");

pub(super) static ALL: &[OptionDef] = &[
    AT.no("allow_defer").summary("Allows `:defer:` in the data, and `defer` in filters."),
    AT.no("allow_fail").summary("Allows `:fail:` in the data, and `fail` in filters."),
    AT.expanded_no("allow_filter")
        .summary("Takes data that begins with `# Exim filter` or `# Sieve filter` for a filter.")
        .docs("4.98.2 takes a fixed value only; 4.100 expands it."),
    AT.no("allow_freeze").summary("Allows `freeze` in filters."),
    AT.no("check_ancestor")
        .summary("Turns an address that an ancestor had back into the one at hand.")
        .docs(
            "An alias that points to a user whose own file points back to the alias makes no \
             loop then.",
        ),
    AT.no("check_group").varies().summary("Checks the group of the file.").docs(
        "On by default where `owngroups` is set, or `check_local_user` and a `modemask` that \
             lets the group write.",
    ),
    AT.no("check_owner")
        .varies()
        .summary("Checks the owner of the file.")
        .docs("On by default where `check_local_user` or `owners` is set."),
    AT.text("data")
        .expanded()
        .summary("The addresses, or the filter, that an address is redirected to.")
        .docs("Either this or `file` is set. A forced failure makes the router decline."),
    AT.text("directory_transport")
        .expanded()
        .summary("The transport for a path with a slash at its end."),
    AT.text("file")
        .expanded()
        .summary("The file that holds what an address is redirected to.")
        .docs("Either this or `data` is set. A file that does not exist makes the router decline."),
    AT.text("file_transport").expanded().summary("The transport for a path of a file."),
    AT.yes("filter_prepend_home")
        .summary("Puts `$home` before relative paths in a filter's `save`."),
    AT.expanded_no("forbid_blackhole")
        .summary("Forbids `:blackhole:` in the data.")
        .docs("4.98.2 takes a fixed value only; 4.100 expands it."),
    AT.expanded_no("forbid_exim_filter")
        .summary("Forbids Exim filters, and leaves Sieve.")
        .docs("4.98.2 takes a fixed value only; 4.100 expands it."),
    AT.expanded_no("forbid_file")
        .summary("Forbids deliveries to files and directories.")
        .docs("4.98.2 takes a fixed value only; 4.100 expands it."),
    AT.expanded_no("forbid_filter_dlfunc")
        .summary("Forbids `${dlfunc…}` in filters.")
        .docs("4.98.2 takes a fixed value only; 4.100 expands it."),
    AT.expanded_no("forbid_filter_existstest")
        .summary("Forbids `exists` and `${stat…}` in filters.")
        .docs("4.98.2 takes a fixed value only; 4.100 expands it."),
    AT.expanded_no("forbid_filter_logwrite")
        .summary("Forbids `logwrite` in filters.")
        .docs("4.98.2 takes a fixed value only; 4.100 expands it."),
    AT.expanded_no("forbid_filter_lookup")
        .summary("Forbids lookups in filters.")
        .docs("4.98.2 takes a fixed value only; 4.100 expands it."),
    AT.expanded_no("forbid_filter_perl")
        .summary("Forbids `${perl…}` in filters.")
        .docs("4.98.2 takes a fixed value only; 4.100 expands it."),
    AT.expanded_no("forbid_filter_readfile")
        .summary("Forbids `${readfile…}` in filters.")
        .docs("4.98.2 takes a fixed value only; 4.100 expands it."),
    AT.expanded_no("forbid_filter_readsocket")
        .summary("Forbids `${readsocket…}` in filters.")
        .docs("4.98.2 takes a fixed value only; 4.100 expands it."),
    AT.expanded_no("forbid_filter_reply")
        .summary("Forbids automatic replies from filters.")
        .docs("4.98.2 takes a fixed value only; 4.100 expands it."),
    AT.expanded_no("forbid_filter_run")
        .summary("Forbids `${run…}` in filters.")
        .docs("4.98.2 takes a fixed value only; 4.100 expands it."),
    AT.expanded_no("forbid_include")
        .summary("Forbids `:include:` in the data.")
        .docs("4.98.2 takes a fixed value only; 4.100 expands it."),
    AT.expanded_no("forbid_pipe")
        .summary("Forbids deliveries to commands.")
        .docs("4.98.2 takes a fixed value only; 4.100 expands it."),
    AT.expanded_no("forbid_sieve_filter")
        .summary("Forbids Sieve filters, and leaves Exim's.")
        .docs("4.98.2 takes a fixed value only; 4.100 expands it."),
    AT.expanded_no("forbid_smtp_code")
        .summary("Pays no heed to an SMTP code before the text of `:defer:` and `:fail:`.")
        .docs("4.98.2 takes a fixed value only; 4.100 expands it."),
    AT.no("hide_child_in_errmsg").summary("Keeps the addresses that it makes out of bounces."),
    AT.no("ignore_eacces").summary("Takes a file that may not be read for one that doesn't exist."),
    AT.no("ignore_enotdir")
        .summary("Takes a path through something that is no directory for one that doesn't exist."),
    AT.text("include_directory").summary("The directory that files of `:include:` must be in."),
    AT.octal("modemask").default("022").summary("Permissions that the file must not have."),
    AT.no("one_time")
        .summary("Keeps the addresses that it makes, and doesn't redirect anew at each try.")
        .docs(
            "It is for lists that change while a message waits. Deliveries to files and commands \
             and automatic replies are forbidden then, and `unseen`, `headers_add` and \
             `headers_remove` don't go with it.",
        ),
    AT.users("owners").expanded().summary("Users, besides the local one, who may own the file."),
    AT.groups("owngroups")
        .expanded()
        .summary("Groups, besides the local user's, that may own the file."),
    AT.text("pipe_transport").expanded().summary("The transport for commands."),
    AT.text("qualify_domain").expanded().summary("The domain for addresses without one."),
    AT.no("qualify_preserve_domain")
        .summary("Gives addresses without a domain that of the address at hand."),
    AT.yes("repeat_use").summary("Whether the router runs for addresses that it made itself."),
    AT.text("reply_transport").expanded().summary("The transport for automatic replies."),
    AT.yes("rewrite").summary("Whether addresses that it makes are rewritten."),
    AT.text("sieve_enotify_mailto_owner")
        .expanded()
        .summary("The owner's address, which lets Sieve send notices by mail."),
    AT.text("sieve_inbox")
        .expanded()
        .default("inbox")
        .since("4.99")
        .summary("The name of the mailbox that Sieve keeps messages in."),
    AT.text("sieve_subaddress")
        .expanded()
        .summary("The part of an address that Sieve calls `:subaddress`."),
    AT.text("sieve_useraddress")
        .expanded()
        .summary("The part of an address that Sieve calls `:user`."),
    AT.text("sieve_vacation_directory")
        .expanded()
        .summary("The directory where Sieve's `vacation` remembers whom it answered."),
    AT.no("skip_syntax_errors").summary("Passes over bad addresses in the data, and logs them."),
    AT.text("srs")
        .expanded()
        .unprinted()
        .source("experimental features")
        .summary("What the older SRS does: `forward`, `reverse`, `reverseandforward`.")
        .docs(
            "`forward`: what the router generates has a sender that SRS makes (as `errors_to` would), unless the message has none or it is at the same domain. `reverse`: the recipient is turned back, `$srs_recipient` is the address in it, for `data`; the router declines what is no SRS address, and fails one that is forged or too old. `reverseandforward`: the one or else the other.",
        ),
    AT.text("srs_alias")
        .expanded()
        .unprinted()
        .source("experimental features")
        .summary("The domain, or an address at it, that the older SRS writes senders with.")
        .docs(
            "Without it, that is the domain which the message came for.",
        ),
    AT.text("srs_condition")
        .expanded()
        .unprinted()
        .source("experimental features")
        .summary("Whether the older SRS is used; without it the router does its other work.")
        .docs(
            "As the generic `condition`, it is false where it is empty, 0, no or false.",
        ),
    AT.text("srs_dbinsert")
        .expanded()
        .unprinted()
        .source("experimental features")
        .summary("Stores a sender of the older SRS in a database.")
        .docs(
            "The new sender holds `$srs_db_key` then, and `$srs_db_address` is what belongs to it. It is expanded for deliveries alone. One that is forced to fail defers the address, so that no sender goes out which is not stored: `insert into ... returning key` with `{$value}fail` does that.",
        ),
    AT.text("srs_dbselect")
        .expanded()
        .unprinted()
        .source("experimental features")
        .summary("Finds a sender of the older SRS in a database.")
        .docs(
            "`$srs_db_key` is what the recipient holds. Nothing found is a forged recipient. A recipient that holds an address instead is turned back without the database.",
        ),
    AT.text("syntax_errors_text")
        .expanded()
        .summary("What the message about bad addresses begins with."),
    AT.text("syntax_errors_to")
        .expanded()
        .summary("Who gets a message about bad addresses.")
        .docs("One message goes there for each message and router that `skip_syntax_errors` passes something over for, and says what. Where one of these texts can't be expanded, the address is deferred."),
];
