//! The authenticator plaintext.

use eximious_core::{DriverKind, OptionDef};

use crate::options::At;

const AT: At = At::driver(DriverKind::Authenticator, "plaintext", "specification 34");

pub(super) static ALL: &[OptionDef] = &[
    AT.no("client_ignore_invalid_base64")
        .source("specification 34.4")
        .summary("Goes on where a prompt is not in base64."),
    AT.text("client_send")
        .expanded()
        .source("specification 34.4")
        .summary("What the client sends, one text for each prompt; `^` stands for a zero byte.")
        .docs("For PLAIN `^user^password`, for LOGIN `: user : password`. `^^` is a circumflex."),
    AT.list("server_prompts")
        .expanded()
        .source("specification 34.2")
        .summary("What the server asks, prompt after prompt.")
        .docs(
            "For PLAIN a single empty prompt (`:`), for LOGIN `<| Username: | Password:`. The \
             answers are in `$auth1` and further.",
        ),
];
