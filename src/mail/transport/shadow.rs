//! `shadow_transport`: another transport that gets what one has delivered on this host, too
//! (specification, chapter 24).

use eximious_core::{FailClass, Str};
use eximious_stdlib::options::is_yes;
use eximious_stdlib::options::opt::transport as opt;
use eximious_stdlib::variables::var;

use super::{Consignment, Outcome, TransportCall};
use crate::Context;
use crate::mail::route::{Delivery, Routes};

impl Routes {
    /// What the log has of the shadow of a delivery, where there is one: its name and, in
    /// parentheses, what went wrong with it.
    pub(super) fn cast_shadow(
        &self,
        cx: &mut Context,
        number: usize,
        consignment: &Consignment<'_>,
        outcomes: &[Outcome],
    ) -> Option<Vec<u8>> {
        let transport = self.transport_at(number);
        let name = transport.text(opt::SHADOW_TRANSPORT)?.clone();
        let pairs = consignment.deliveries.iter().zip(outcomes);
        let done = pairs.filter(|(_, outcome)| matches!(outcome, Outcome::Delivered(_)));
        let done: Vec<&Delivery> = done.map(|(delivery, _)| *delivery).collect();
        // Whether it is wanted is asked for nobody, too.
        if !self.is_shadow_wanted(cx, number) || done.is_empty() {
            return None;
        }
        let Some(shadow) = self.transport(name.bytes()) else {
            cx.log().panic(&[b"shadow transport \"", name.bytes(), b"\" not found "].concat());
            return None;
        };
        let done: Vec<Delivery> = done
            .into_iter()
            .map(|one| {
                // A shadow is told of the address's own recipient alone (`envelope_to_add`).
                let recipients = one.recipients.last().cloned().into_iter().collect();
                Delivery { transport: Some(shadow), recipients, ..one.clone() }
            })
            .collect();
        let done: Vec<&Delivery> = done.iter().collect();
        self.introduce(cx, &done);
        cx.set_var(var::TRANSPORT_NAME, name.clone());
        // What the other one puts in the sender's place is its own.
        cx.set_var(var::RETURN_PATH, consignment.errors_to.clone());
        let path = self.return_path(cx, shadow);
        let wrong = match path.and_then(|path| Ok((path, self.local_user(cx, done[0])?))) {
            Ok((path, user)) => {
                let return_path = path.unwrap_or_else(|| consignment.errors_to.clone());
                cx.set_var(var::RETURN_PATH, return_path.clone());
                let own = Consignment {
                    deliveries: &done,
                    user,
                    return_path,
                    keep: &|_| {},
                    cover: None,
                    ..consignment.clone()
                };
                self.deliver_as_shadow(cx, shadow, own)
            }
            Err(why) => Some(why.message),
        };
        self.introduce(cx, consignment.deliveries);
        cx.set_var(var::RETURN_PATH, consignment.return_path.clone());
        Some(match wrong {
            None => name.bytes().to_vec(),
            Some(why) => [name.bytes(), b" (", &why, b")"].concat(),
        })
    }

    /// Whether `shadow_condition` says so.
    fn is_shadow_wanted(&self, cx: &mut Context, number: usize) -> bool {
        let transport = self.transport_at(number);
        let Some(text) = transport.text(opt::SHADOW_CONDITION).cloned() else { return true };
        match transport.expand(cx, opt::SHADOW_CONDITION) {
            Some(Err(fail)) => {
                if fail.class() != FailClass::Forced {
                    let head =
                        [b"failed to expand condition \"", text.bytes(), b"\" for "].concat();
                    let tail = [transport.name.bytes(), b" transport: ", fail.message()].concat();
                    cx.log().panic(&[head, tail].concat());
                }
                false
            }
            said => is_yes(said.and_then(Result::ok).unwrap_or(Str::EMPTY).bytes()),
        }
    }

    /// What went wrong, if something did.
    fn deliver_as_shadow(
        &self,
        cx: &mut Context,
        number: usize,
        consignment: Consignment<'_>,
    ) -> Option<Vec<u8>> {
        let transport = self.transport_at(number);
        let Some(done) = TransportCall::run(cx, transport, self, consignment, true) else {
            return Some([transport.name.bytes(), b" does not deliver yet"].concat());
        };
        done.outcomes.into_iter().find_map(|outcome| match outcome {
            Outcome::Delivered(_) => None,
            Outcome::Deferred(why) | Outcome::Failed(why) => Some(why.worded()),
        })
    }
}
