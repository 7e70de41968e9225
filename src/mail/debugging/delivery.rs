//! Runs of the queue and deliveries, in Exim's words. They stand in nothing.

use eximious_core::trace::{DeliveryEvent, DeliveryOutcome, QueueEvent};

use super::{DebugSelector, DebugWriter};

const QUEUE: DebugSelector = DebugSelector::QUEUE_RUN;
const DELIVER: DebugSelector = DebugSelector::DELIVER;
const ROUTE: DebugSelector = DELIVER.with(DebugSelector::ROUTE);
const TRANSPORT: DebugSelector = DELIVER.with(DebugSelector::TRANSPORT);

pub(super) fn write_run(step: &QueueEvent<'_>, out: &mut DebugWriter<'_>) {
    match step {
        QueueEvent::Begins { queue, count } => {
            let name = match queue.is_empty() {
                true => b"main".to_vec(),
                false => [b"'", *queue, b"'"].concat(),
            };
            out.told(QUEUE, 0, &[b"queue running ", &name, b" directory"]);
            out.told(QUEUE, 0, &[format!("messages in it: {count}").as_bytes()]);
        }
        QueueEvent::Skipped { id } => out.told(QUEUE, 0, &[b"not of this run: ", id]),
        QueueEvent::Ended { tried } => {
            out.told(QUEUE, 0, &[format!("messages that were tried: {tried}").as_bytes()]);
        }
        _ => {}
    }
}

pub(super) fn write(step: &DeliveryEvent<'_>, out: &mut DebugWriter<'_>) {
    match step {
        DeliveryEvent::Begins { id, run } => {
            let by = DebugSelector::ANY.with(DebugSelector::VERBOSE);
            let run = run.map_or_else(String::new, |pid| format!(" (queue run pid {pid})"));
            out.told(by, 0, &[b"delivering ", id, run.as_bytes()]);
        }
        DeliveryEvent::Recipients { addresses } => {
            out.told(DELIVER, 0, &[b"Delivery address list:", &listed(b"\n  ", addresses)]);
        }
        DeliveryEvent::Considering { address, unique } => {
            let rule = b">>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>";
            out.told(ROUTE, 0, &[rule, b"\nConsidering: ", address, b"\nunique = ", unique]);
        }
        DeliveryEvent::Routed { local, remote, failed, deferred } => {
            let rule = b">>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>";
            let mut text = [&rule[..], b"\nAfter routing:"].concat();
            for (head, addresses) in [
                ("Local deliveries", local),
                ("Remote deliveries", remote),
                ("Failed addresses", failed),
                ("Deferred addresses", deferred),
            ] {
                text.extend_from_slice(format!("\n  {head}:").as_bytes());
                text.extend_from_slice(&listed(b"\n    ", addresses));
            }
            out.told(ROUTE, 0, &[&text]);
        }
        DeliveryEvent::To { addresses, transport } => {
            for address in *addresses {
                out.told(TRANSPORT, 0, &[b"--------> ", address, b" <--------"]);
            }
            out.told(TRANSPORT, 0, &[transport, b" transport entered"]);
        }
        DeliveryEvent::Printed { text } => {
            let by = DebugSelector::ANY.with(DebugSelector::VERBOSE);
            out.told(by, 0, &[text.strip_suffix(b"\n").unwrap_or(text)]);
        }
        DeliveryEvent::Returned { address, transport, outcome } => {
            let outcome = match outcome {
                DeliveryOutcome::Delivered => "OK",
                DeliveryOutcome::Deferred => "DEFER",
                DeliveryOutcome::Failed => "FAIL",
            };
            let parts = [transport, &b" transport returned "[..], outcome.as_bytes(), b" for "];
            out.told(TRANSPORT, 0, &[&parts.concat(), address]);
        }
        DeliveryEvent::Kept { unique } => out.told(DELIVER, 0, &[b"journalling ", unique]),
        DeliveryEvent::Ended { id, completed } => {
            let how: &[u8] = if *completed { b" (completed)" } else { b"" };
            out.told(DELIVER, 0, &[b"end delivery of ", id, how]);
        }
        _ => {}
    }
}

/// Addresses, each behind the same.
fn listed(before: &[u8], addresses: &[Vec<u8>]) -> Vec<u8> {
    addresses.iter().flat_map(|one| [before, &one[..]].concat()).collect()
}
