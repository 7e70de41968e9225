//! The driver tls: a client's certificate takes the place of AUTH (specification,
//! chapter 42).

use super::{AuthTurn, AuthVerdict, external};

/// What is thought of a client that has just begun to speak TLS.
pub(crate) fn verdict(turn: &mut AuthTurn<'_>) -> AuthVerdict {
    turn.forget();
    // An older name of the first.
    match turn.expand("server_param") {
        Some(Ok(value)) => turn.give_as(1, value),
        Some(Err(fail)) => return AuthVerdict::of(&fail),
        None => {}
    }
    let from = if turn.given() > 0 { 2 } else { 1 };
    match external::expand_params(turn, from) {
        Ok(()) => turn.condition(),
        Err(verdict) => verdict,
    }
}
