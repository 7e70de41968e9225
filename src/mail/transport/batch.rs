//! How many addresses go in one delivery on this host, and which (specification, chapter
//! 25).

use eximious_core::{OptionPlace, OptionValue, Str};
use eximious_stdlib::options::opt::transport::lmtp;

use super::Transport;
use crate::Context;
use crate::mail::route::{Delivery, Routes};

/// What addresses must have to go with another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TransportBatch {
    /// How many go together at the most: 1 where it goes alone.
    pub most: usize,
    /// Whether all must have one local part.
    pub one_local_part: bool,
    /// Whether all must be of one domain.
    pub one_domain: bool,
    /// Whether nothing else that addresses carry keeps them apart.
    pub mixed: bool,
    /// What `batch_id` says of it, and must say of the others; nothing where it is not set.
    id: Option<Str>,
}

impl Transport {
    /// Whether a text of the driver's own options mentions a variable, or one whose name
    /// begins as its name does.
    fn mentions(&self, cx: &Context, variable: &str) -> bool {
        let registry = cx.engine().registry();
        let Some(place) = self.own_options() else { return false };
        let ways = [format!("${variable}"), format!("${{{variable}")];
        registry.options_of(place).filter_map(|record| self.named(record.meta.name)).any(|value| {
            let OptionValue::Text(text) = value else { return false };
            ways.iter().any(|way| memchr::memmem::find(text.bytes(), way.as_bytes()).is_some())
        })
    }

    fn own_options(&self) -> Option<OptionPlace> {
        let driver = self.driver.as_ref()?;
        Some(OptionPlace::Driver(driver.kind, driver.meta.name))
    }
}

impl Routes {
    /// What may go with a delivery by a transport on this host, by its number.
    pub fn batch(&self, cx: &mut Context, number: usize, delivery: &Delivery) -> TransportBatch {
        let transport = self.transport_at(number);
        // The drivers that deliver to several at once call it the same.
        let mixed = transport.takes_files();
        let most = match transport.named(lmtp::BATCH_MAX.name()) {
            Some(OptionValue::Number(most)) => usize::try_from(*most).unwrap_or(1).max(1),
            // A message can be put into a directory only once.
            _ if mixed => usize::MAX,
            _ => 1,
        };
        let alone =
            TransportBatch { most: 1, one_local_part: false, one_domain: false, mixed, id: None };
        if most == 1 {
            return alone;
        }
        let [one_local_part, one_domain] =
            ["local_part", "domain"].map(|variable| transport.mentions(cx, variable));
        match self.batch_id(cx, number, delivery) {
            Some(id) => TransportBatch { most, one_local_part, one_domain, mixed, id },
            None => alone,
        }
    }

    /// Whether another delivery by the same transport may go with one, by the words of
    /// `batch_id`.
    pub fn shares_batch(
        &self,
        cx: &mut Context,
        number: usize,
        batch: &TransportBatch,
        delivery: &Delivery,
    ) -> bool {
        batch.id.is_none() || self.batch_id(cx, number, delivery).is_some_and(|id| id == batch.id)
    }

    /// What `batch_id` says of a delivery; nothing where it can't be told, which is logged.
    fn batch_id(
        &self,
        cx: &mut Context,
        number: usize,
        delivery: &Delivery,
    ) -> Option<Option<Str>> {
        let transport = self.transport_at(number);
        if transport.some_text(lmtp::BATCH_ID).is_none() {
            return Some(None);
        }
        self.introduce(cx, &[delivery]);
        let id = transport.expand_some(cx, lmtp::BATCH_ID);
        self.dismiss(cx, &[delivery]);
        id.transpose()
            .inspect_err(|fail| {
                let head = [b"Failed to expand batch_id option in ", transport.name.bytes()];
                let about = [b" transport (", delivery.address.text.bytes(), b"): "].concat();
                cx.log().panic(&[&head.concat()[..], &about, fail.message()].concat());
            })
            .ok()
    }
}
