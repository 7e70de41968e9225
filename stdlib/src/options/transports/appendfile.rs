//! The transport appendfile.

use eximious_core::{DriverKind, OptionDef};

use crate::options::At;

const AT: At = At::driver(DriverKind::Transport, "appendfile", "specification 26.2");

pub(super) static ALL: &[OptionDef] = &[
    AT.no("allow_fifo").summary("Delivers into named pipes too."),
    AT.no("allow_symlink").summary("Delivers through a symbolic link."),
    AT.text("batch_id")
        .expanded()
        .summary("What addresses must have in common to be delivered together."),
    AT.integer("batch_max").default("1").summary("How many addresses are delivered together."),
    AT.no("check_group").summary("Checks that the mailbox belongs to the group at work."),
    AT.yes("check_owner").summary("Checks that the mailbox belongs to the user at work."),
    AT.text("check_string")
        .default("From ")
        .varies()
        .summary("What a line must begin with to be escaped.")
        .docs("`From ` for `file`, nothing for `directory`; a dot for batched SMTP."),
    AT.yes("create_directory").summary("Makes directories that are missing."),
    AT.text("create_file")
        .default("anywhere")
        .summary("Where files may be made: `anywhere`, `belowhome`, `inhome`.")
        .docs(
            "`belowhome` and `inhome` are about `$home`; another value is an absolute path in \
             which the file must be.",
        ),
    AT.text("directory")
        .expanded()
        .summary("The directory that gets a new file for each message.")
        .docs("Either this or `file` is set, unless an address is a file by itself."),
    AT.text("directory_file")
        .expanded()
        .default("q${base62:$tod_epoch}-$inode")
        .summary("The name of such a file."),
    AT.octal("directory_mode").default("0700").summary("The mode of new directories."),
    AT.text("escape_string")
        .default(">From ")
        .varies()
        .summary("What stands in place of `check_string` in an escaped line.")
        .docs("`>From ` for `file`, nothing for `directory`; two dots for batched SMTP."),
    AT.text("file")
        .expanded()
        .summary("The file that messages are appended to.")
        .docs("Either this or `directory` is set, unless an address is a file by itself."),
    AT.text("file_format")
        .summary("Pairs of a text and a transport: who takes over if the file begins so."),
    AT.no("file_must_exist").summary("Defers where the file doesn't exist."),
    AT.time("lock_fcntl_timeout")
        .default("0s")
        .summary("How long to wait for a lock of fcntl(); zero doesn't wait but tries again."),
    AT.time("lock_flock_timeout")
        .default("0s")
        .summary("How long to wait for a lock of flock(); zero doesn't wait but tries again."),
    AT.time("lock_interval").default("3s").summary("The time between two tries to lock."),
    AT.integer("lock_retries").default("10").summary("How often a lock is tried."),
    AT.octal("lockfile_mode").default("0600").summary("The mode of the lock file."),
    AT.time("lockfile_timeout")
        .default("30m")
        .summary("The age at which a lock file is taken for a forgotten one."),
    AT.text("mailbox_filecount")
        .expanded()
        .summary("How many files the mailbox has, where that need not be counted."),
    AT.text("mailbox_size")
        .expanded()
        .summary("How large the mailbox is, where that need not be measured."),
    AT.no("maildir_format").summary("Delivers into a maildir."),
    AT.text("maildir_quota_directory_regex")
        .default(r"^(?:cur|new|\..*)$")
        .summary("A regular expression for the directories that count for the quota."),
    AT.integer("maildir_retries")
        .default("10")
        .summary("How often a file of a maildir is tried under another name."),
    AT.text("maildir_tag").expanded().summary("A text at the end of file names in a maildir."),
    AT.expanded_no("maildir_use_size_file")
        .summary("Keeps sizes in a maildirsize file; may be a string that is expanded.")
        .docs("Its counts are then those that quotas go by."),
    AT.text("maildirfolder_create_regex")
        .summary("A regular expression for the maildirs that get a file maildirfolder."),
    AT.no("mailstore_format").summary("Delivers into two files, one for the envelope."),
    AT.text("mailstore_prefix")
        .expanded()
        .summary("A text at the beginning of a mailstore's envelope."),
    AT.text("mailstore_suffix").expanded().summary("A text at the end of a mailstore's envelope."),
    AT.no("mbx_format").summary("Delivers into a mailbox in MBX format."),
    AT.text("message_prefix")
        .expanded()
        .default("From ${if def:return_path{$return_path}{MAILER-DAEMON}} ${tod_bsdinbox}\n")
        .varies()
        .summary("A text before each message.")
        .docs("A line `From …` for `file`; nothing for `directory` and for batched SMTP."),
    AT.text("message_suffix")
        .expanded()
        .default("\n")
        .varies()
        .summary("A text after each message.")
        .docs("An empty line for `file`; nothing for `directory` and for batched SMTP."),
    AT.octal("mode")
        .default("0600")
        .summary("The mode of new mailboxes, and the widest that old ones may have."),
    AT.yes("mode_fail_narrower")
        .summary("Defers where an old mailbox's mode is narrower than `mode`."),
    AT.no("notify_comsat").summary("Tells comsat of new mail."),
    AT.text("quota")
        .expanded()
        .summary("How large the mailbox may get; zero for no limit.")
        .docs("Expanded; `no_check` after it, with a slash between, keeps reception from asking."),
    AT.text("quota_directory").expanded().summary("The directory that the quota counts."),
    AT.text("quota_filecount")
        .expanded()
        .summary("How many files the mailbox may have; zero for no limit."),
    AT.yes("quota_is_inclusive").summary("Whether the message at hand counts for the quota."),
    AT.text("quota_size_regex")
        .summary("A regular expression that takes a file's size from its name."),
    AT.text("quota_warn_message")
        .expanded()
        .varies()
        .summary("The warning to users whose mailbox is filling up.")
        .docs(
            "Headers, an empty line, a text. Where it is unset and `quota_warn_threshold` is \
             set, the program has one of its own.",
        ),
    AT.text("quota_warn_threshold")
        .expanded()
        .summary("The size, or percentage of the quota, at which users are warned."),
    AT.no("use_bsmtp").summary("Writes messages as batched SMTP."),
    AT.no("use_crlf").summary("Ends lines with CR and LF."),
    AT.yes("use_fcntl_lock")
        .varies()
        .summary("Locks with fcntl().")
        .docs("Off by default where `use_flock_lock` is set."),
    AT.no("use_flock_lock").summary("Locks with flock()."),
    AT.yes("use_lockfile")
        .varies()
        .summary("Locks with a lock file.")
        .docs("Off by default where `mbx_format` is set."),
    AT.no("use_mbx_lock")
        .varies()
        .summary("Locks as programs of the MBX format do.")
        .docs("On by default where `mbx_format` is set."),
];
