//! Main options: logs, and what goes into them.

use eximious_core::OptionDef;

use crate::options::At;

const AT: At = At::main("specification 14.23");

pub(super) static ALL: &[OptionDef] = &[
    AT.text("event_action")
        .expanded()
        .summary("The expansion that runs on events outside of transports.")
        .docs(
            "`$event_name`, `$event_data` and `$event_defer_errno` describe the event; a result \
             that is not empty takes effect where the event allows it. `eximious help events` \
             shows all events.",
        ),
    AT.hosts("hosts_connection_nolog")
        .summary("Hosts whose connections are not logged even if `smtp_connection` is selected."),
    AT.list("log_file_path")
        .expanded()
        .default("/var/log/exim4/%slog")
        .summary("Where the logs go: a path with `%s` for the log's name, `syslog`, or both.")
        .docs("`%D`, `%M` in the path stand for the day or the month. Expanded at the start."),
    AT.text("log_json_file")
        .unprinted()
        .summary("A file where each entry of the logs is an object of JSON, too, in its line.")
        .docs(
            "An absolute path, taken as it stands. Of a line about a message, `event` says what \
             happened (`flag` is its sign), and `id`, `address`, `original`, `sender`, `what` \
             (the command that was refused), `number` (of an error), `fields` (by their \
             letters), `marks`, `recipients` and `reason` have its facts: none of them is read \
             out of a text that somebody else may choose. `text` is the whole line, `logs` where \
             it stands, `pid` the process where lines have that. What `log_selector` leaves out \
             is not there.",
        )
        .source("eximious alone has the option"),
    AT.list("log_ports")
        .since("4.99")
        .summary("Ports that are worth logging where ports are logged; all, where it is unset.")
        .docs(
            "For example `!25 : !587`. It is about ports of this host (`I=`), and of hosts that \
             it delivers to; those of clients are logged as before.",
        ),
    AT.log_selector("log_selector")
        .summary("What is logged: names after `+` or `-`.")
        .docs("For example `+subject -retry_defer`; `+all` selects everything."),
    AT.no("log_timezone").summary("Adds the offset from UTC to times in logs."),
    AT.yes("message_logs").summary("Whether each message in the queue has a log of its own."),
    AT.text("metrics_listen")
        .unprinted()
        .summary("Where the daemon tells Prometheus its counters: an address and a port, or a path.")
        .docs(
            "`127.0.0.1:9100`, `[::1]:9100` or the absolute path of a socket: this host alone is told. \
             `GET /metrics` is answered: messages that wait, by queue and state, messages \
             received, by protocol, what came of addresses, by transport and host, sessions, \
             and the time that messages were here. See `docs/metrics.md`.",
        )
        .source("eximious alone has the option"),
    AT.no("panic_coredump")
        .idle("nothing here dumps core")
        .since("4.96")
        .summary("Dumps core when an internal error ends the program."),
    AT.no("preserve_message_logs").summary("Keeps the logs of messages that are done with."),
    AT.no("print_topbitchars").summary("Takes characters above 127 as printing characters."),
    AT.text("process_log_path")
        .varies()
        .summary("The file to which a process writes what it does, when asked by a signal.")
        .docs("By default `exim-process.info` in the spool directory."),
    AT.integer("slow_lookup_log").default("0").summary(
        "Milliseconds after which a lookup in the DNS is logged as slow; zero never logs.",
    ),
    AT.yes("syslog_duplication")
        .summary("Whether lines that go to several logs are sent to syslog each time."),
    AT.text("syslog_facility").summary(
        "The facility of syslog: `mail`, `user`, `news`, `uucp`, `daemon`, `local0` to \
             `local7`.",
    ),
    AT.yes("syslog_pid").summary("Whether lines for syslog carry the process's number."),
    AT.text("syslog_processname")
        .default("exim")
        .summary("The name under which syslog knows the program."),
    AT.yes("syslog_timestamp").summary("Whether lines for syslog carry their own time."),
    AT.yes("write_rejectlog").summary("Whether there is a log of refusals."),
];
