//! Options of transports.

mod appendfile;
mod autoreply;
mod generic;
mod lmtp;
mod pipe;
mod queuefile;
mod smtp;

use eximious_core::OptionDef;

pub(super) static ALL: &[&[OptionDef]] = &[
    appendfile::ALL,
    autoreply::ALL,
    generic::ALL,
    lmtp::ALL,
    pipe::ALL,
    queuefile::ALL,
    smtp::ALL,
];
