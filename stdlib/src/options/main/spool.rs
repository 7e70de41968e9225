//! Main options: the queue, and when its messages are tried.

use eximious_core::OptionDef;

use crate::options::At;

const AT: At = At::main("specification 14.23");

pub(super) static ALL: &[OptionDef] = &[
    AT.time("auto_thaw").default("0s").summary(
        "How long a frozen message waits until a queue runner tries it again; zero for ever.",
    ),
    AT.text("bi_command").summary("The command that `-bi` runs."),
    AT.integer("check_log_inodes")
        .default("100")
        .summary("Inodes that must be free where the logs are, to accept a message."),
    AT.kilobytes("check_log_space")
        .default("10M")
        .summary("Space that must be free where the logs are, to accept a message."),
    AT.integer("check_spool_inodes")
        .default("100")
        .summary("Inodes that must be free where the spool is, to accept a message."),
    AT.kilobytes("check_spool_space")
        .default("10M")
        .summary("Space that must be free where the spool is, to accept a message."),
    AT.no("deliver_drop_privilege")
        .summary("Gives up root at the start of a delivery.")
        .docs("Local deliveries as another user are then impossible."),
    AT.fixed("deliver_queue_load_max").summary("The load average above which a queue run stops."),
    AT.no("disable_fsync")
        .idle("what is promised is on disk, always")
        .unprinted()
        .summary("Does without forcing files to the disk, at the risk of lost mail."),
    AT.text("freeze_tell")
        .summary("Addresses, with commas between them, that are told of a message that freezes."),
    AT.domains("hold_domains").summary("Domains whose mail stays in the queue.").docs(
        "Forced deliveries pay no heed to it. To wait for the next queue run there is \
             `queue_domains`.",
    ),
    AT.time("ignore_bounce_errors_after")
        .default("10w")
        .summary("How long a bounce that can't be delivered stays, frozen, before it is dropped."),
    AT.time("keep_malformed").default("4d").summary("How long a broken spool file is kept."),
    AT.no("move_frozen_messages").summary("Moves frozen messages out of the input directory."),
    AT.no("mua_wrapper")
        .summary("Delivers each message at once to a smart host, and keeps no queue.")
        .docs("The one remote delivery must succeed while the caller waits, or all of it fails."),
    AT.domains("queue_domains").summary("Domains that wait for the next queue run."),
    AT.yes("queue_fast_ramp")
        .idle("the first phase of a run only routes, which it does quickly")
        .since("4.95")
        .summary("Lets the first phase of a two-phase queue run start deliveries at once."),
    AT.no("queue_only").summary("Leaves all messages to the next queue run."),
    AT.list("queue_only_file")
        .summary("Files whose existence leaves messages to the next queue run.")
        .docs("A path after `smtp` holds back what would go out by SMTP, and nothing else."),
    AT.fixed("queue_only_load")
        .summary("The load average above which messages are left to the next queue run."),
    AT.yes("queue_only_load_latch")
        .summary("Whether a connection that met a high load goes on queueing until it ends."),
    AT.yes("queue_only_override")
        .summary("Whether `-odx` on the command line has its way in spite of `queue_only`."),
    AT.no("queue_run_in_order")
        .summary("Runs through the queue from the oldest message to the newest.")
        .docs("An older way to write `queue_run_order = oldest`."),
    AT.text("queue_run_max")
        .expanded()
        .default("5")
        .summary("How many queue runners may run at the same time; zero for no limit.")
        .docs("The name of the queue is in `$queue_name` while it is expanded."),
    AT.text("queue_run_order")
        .default("random")
        .since("4.100")
        .summary("The order of a queue run: `random`, `oldest` or `newest`.")
        .docs("4.100 shows an empty value where it is unset, and means `random`."),
    AT.domains("queue_smtp_domains")
        .summary("Domains whose deliveries by SMTP wait for the next queue run.")
        .docs("Routing and local deliveries take place at once."),
    AT.integer("remote_max_parallel")
        .default("6")
        .summary("How many deliveries of one message to remote hosts run side by side.")
        .docs("One delivers them one after the other. 4.98.2 has 4 for a default, 4.100 has 6."),
    AT.domains("remote_sort_domains")
        .summary("The order in which a message's remote deliveries take place, by domain."),
    AT.time("retry_data_expire")
        .default("1w")
        .summary("The age at which what is remembered of failures is forgotten."),
    AT.time("retry_interval_max").default("1d").summary(
        "The longest time between two tries, whatever the retry rules say; a day at the \
                  most.",
    ),
    AT.no("split_spool_directory")
        .summary("Spreads the queue over 62 directories, by a character of the message id."),
    AT.text("spool_directory")
        .expanded()
        .default("/var/spool/exim4")
        .summary("Where the queue is; expanded at the start."),
    AT.no("spool_first")
        .unprinted()
        .summary("Whether each message is in the spool before anything is done to deliver it.")
        .docs(
            "The daemon delivers a short message to one recipient, into a mailbox or along a \
             connection that is there, before it tells the client that it is taken; it comes \
             into the spool where it stays, or where that takes more than a moment. With this \
             option it is there first, for programs that look into the spool while a message \
             is on its way.",
        )
        .source("eximious alone has the option"),
    AT.no("spool_wireformat")
        .summary("Keeps message bodies as they came over the wire where that is possible.")
        .docs("Only messages that come by CHUNKING are kept that way."),
    AT.yes("spool_write_ahead")
        .unprinted()
        .summary(
            "Whether messages that wait are written into a log first, where many come at once.",
        )
        .docs(
            "Messages that come while others do, and are to wait in the queue, are written into \
             the file `write-ahead` of the spool directory, which is one sync for all of them. \
             Their own files are there, too, and locked until they are on disk, within a quarter \
             of a second. So are messages that come while others do, and go into a maildir on \
             the spool's file system at once: no sync of their own is waited for. After a power \
             failure, the daemon puts what is missing back into the spool when it starts; Exim \
             would not. Where Exim may take over after a power \
             failure, unset the option.",
        )
        .source("eximious alone has the option"),
    AT.time("timeout_frozen_after")
        .default("0s")
        .summary("The age at which a frozen message is given up; zero for never."),
];
