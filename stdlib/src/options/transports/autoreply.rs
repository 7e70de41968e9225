//! The transport autoreply.

use eximious_core::{DriverKind, OptionDef};

use crate::options::At;

const AT: At = At::driver(DriverKind::Transport, "autoreply", "specification 27.1");

pub(super) static ALL: &[OptionDef] = &[
    AT.text("bcc").expanded().summary("Recipients of the reply who don't show in it."),
    AT.text("cc").expanded().summary("Recipients of the reply's Cc:."),
    AT.text("file")
        .expanded()
        .summary("A file whose text is sent.")
        .docs("It comes after `text` where both are set."),
    AT.no("file_expand").summary("Expands the file line by line."),
    AT.no("file_optional").summary("Goes on without the file where it can't be read."),
    AT.text("from").expanded().summary("The reply's From:."),
    AT.text("headers").expanded().summary("More headers for the reply."),
    AT.text("log").expanded().summary("A file that logs replies."),
    AT.octal("mode").default("0600").summary("The mode of new files."),
    AT.addresses("never_mail").summary("Addresses that are never replied to."),
    AT.text("once")
        .expanded()
        .summary("A file that remembers who has had a reply, so that nobody gets two.")
        .docs(
            "With `once_file_size` it never grows beyond that size, and the oldest are forgotten.",
        ),
    AT.integer("once_file_size")
        .default("0")
        .summary("The size of `once` as a file of fixed size; zero for a database."),
    AT.text("once_repeat")
        .expanded()
        .summary("The time after which somebody gets a second reply; zero for never.")
        .docs("Never where it is unset."),
    AT.text("reply_to").expanded().summary("The reply's Reply-To:."),
    AT.no("return_message").summary("Sends the message back with the reply."),
    AT.text("subject").expanded().summary("The reply's Subject:."),
    AT.text("text").expanded().summary("The reply's text."),
    AT.text("to").expanded().summary("Recipients of the reply's To:."),
];
