//! Options of routers.

mod dnslookup;
mod generic;
mod iplookup;
mod manualroute;
mod queryprogram;
mod redirect;

use eximious_core::OptionDef;

pub(super) static ALL: &[&[OptionDef]] = &[
    dnslookup::ALL,
    generic::ALL,
    iplookup::ALL,
    manualroute::ALL,
    queryprogram::ALL,
    redirect::ALL,
];
