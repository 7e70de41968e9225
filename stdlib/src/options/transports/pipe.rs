//! The transport pipe.

use eximious_core::{DriverKind, OptionDef};

use crate::options::At;

const AT: At = At::driver(DriverKind::Transport, "pipe", "specification 29.5");

pub(super) static ALL: &[OptionDef] = &[
    AT.list("allow_commands")
        .expanded()
        .summary("Commands that may run.")
        .docs("Where `restrict_to_path` is not set, no others may run."),
    AT.text("batch_id")
        .expanded()
        .summary("What addresses must have in common to be delivered together."),
    AT.integer("batch_max").default("1").summary("How many addresses are delivered together."),
    AT.text("check_string")
        .varies()
        .summary("What a line must begin with to be escaped.")
        .docs("A dot for batched SMTP."),
    AT.text("command")
        .expanded()
        .summary("The command; each argument is expanded by itself.")
        .docs(
            "It is split into arguments before they are expanded, so what they expand to can't \
             add any. With `use_shell` all of it is expanded at once.",
        ),
    AT.list("environment")
        .expanded()
        .summary("Variables, as `name=value`, for the command's environment."),
    AT.text("escape_string")
        .varies()
        .summary("What stands in place of `check_string` in an escaped line.")
        .docs("Two dots for batched SMTP."),
    AT.no("force_command")
        .summary("Runs `command` even for an address that is a command itself.")
        .docs("The address is then in `$address_pipe`."),
    AT.no("freeze_exec_fail").summary("Freezes a message whose command can't be started."),
    AT.no("freeze_signal").summary("Freezes a message whose command dies of a signal."),
    AT.no("ignore_status").summary("Takes every end of the command for a success."),
    AT.no("log_defer_output").summary("Logs the first line of output when the command defers."),
    AT.no("log_fail_output").summary("Logs the first line of output when the command fails."),
    AT.no("log_output").summary("Logs the first line of output, however the command ends."),
    AT.size("max_output").default("20K").summary("How much the command may print."),
    AT.text("message_prefix")
        .expanded()
        .default("From ${if def:return_path{$return_path}{MAILER-DAEMON}} ${tod_bsdinbox}\n")
        .varies()
        .summary("A text before each message.")
        .docs("Unset for batched SMTP."),
    AT.text("message_suffix")
        .expanded()
        .default("\n")
        .varies()
        .summary("A text after each message.")
        .docs("Unset for batched SMTP."),
    AT.text("path")
        .expanded()
        .default("/bin:/usr/bin")
        .summary("Where commands are searched for; also their `PATH`."),
    AT.no("permit_coredump").summary("Lets the command dump core."),
    AT.no("pipe_as_creator").summary("Runs the command as whoever sent the message."),
    AT.no("restrict_to_path")
        .summary("Takes commands from `path` only, unless `allow_commands` has them."),
    AT.no("return_fail_output").summary("Puts output into the bounce when the command fails."),
    AT.no("return_output")
        .summary("Fails when the command prints anything, and puts it into the bounce."),
    AT.list("temp_errors")
        .default("75:73")
        .summary("Exit codes that defer; an asterisk for all.")
        .docs("The default is 75 and 73, EX_TEMPFAIL and EX_CANTCREAT."),
    AT.time("timeout").default("1h").summary("How long the command may take; zero for no limit."),
    AT.no("timeout_defer").summary("Defers, rather than fails, when the time is over."),
    AT.octal("umask").default("022").summary("The command's umask."),
    AT.no("use_bsmtp").summary("Writes messages as batched SMTP."),
    AT.no("use_classresources")
        .idle("only BSD systems have login classes")
        .unprinted()
        .summary("Limits the command by its user's login class."),
    AT.no("use_crlf").summary("Ends lines with CR and LF."),
    AT.no("use_shell").summary("Runs the command with a shell."),
];
