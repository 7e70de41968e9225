//! The authenticator cyrus_sasl.

use eximious_core::{DriverKind, OptionDef};

use crate::options::At;

const AT: At = At::driver(DriverKind::Authenticator, "cyrus_sasl", "specification 36.1");

pub(super) static ALL: &[OptionDef] =
    &[AT.sasl_hostname(), AT.sasl_mech(), AT.sasl_realm(), AT.sasl_service()];
