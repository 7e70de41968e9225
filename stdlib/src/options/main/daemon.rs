//! Main options: the daemon, and where it listens.

use eximious_core::OptionDef;

use crate::options::At;

const AT: At = At::main("specification 14.23");

pub(super) static ALL: &[OptionDef] = &[
    AT.list("daemon_modules_load")
        .idle("there are no modules to be loaded")
        .since("4.100")
        .summary("Modules that the daemon loads when it starts."),
    AT.text("daemon_smtp_ports")
        .default("smtp")
        .aliases(&["daemon_smtp_port"])
        .summary("Ports that the daemon listens on where `local_interfaces` names none.")
        .docs("Names and numbers, in a list."),
    AT.integer("daemon_startup_retries")
        .default("9")
        .summary("How often the daemon tries again to bind a port that is taken."),
    AT.time("daemon_startup_sleep")
        .default("30s")
        .summary("How long the daemon waits between such tries."),
    AT.list("local_interfaces")
        .default("<; ::0 ; 0.0.0.0")
        .summary("Addresses that the daemon listens on, each with a port if need be.")
        .docs(
            "Written as `address`, `address.port` or `[address]:port`; as IPv6 addresses have \
             colons, the list begins with `<;`. `::0` and `0.0.0.0` stand for all. They also \
             tell which addresses are this host's when mail is routed.",
        ),
    AT.text("notifier_socket")
        .default("$spool_directory/exim_daemon_notify")
        .since("4.94")
        .summary("The socket where the daemon is asked for news; empty for none."),
    AT.text("pid_file_path")
        .expanded()
        .default("/run/exim4/exim.pid")
        .summary("Where the daemon writes its process number."),
    AT.integer("smtp_backlog_monitor").default("0").since("4.95").summary(
        "The number of waiting connections above which the daemon logs them; zero never logs.",
    ),
    AT.integer("smtp_connect_backlog")
        .default("20")
        .summary("How many connections may wait to be taken up."),
    AT.yes("tcp_nodelay").summary("Sets TCP_NODELAY on the daemon's sockets."),
];
