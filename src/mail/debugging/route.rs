//! Routing and rewriting, in Exim's words. They stand in nothing.

use eximious_core::trace::{RewriteEvent, RouteEvent};
use eximious_stdlib::options::opt::router;

use super::{DebugSelector, DebugWriter};

const ROUTE: DebugSelector = DebugSelector::ROUTE;
const RULE: &[u8] = b">>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>";

pub(super) fn write(step: &RouteEvent<'_>, out: &mut DebugWriter<'_>) {
    match step {
        RouteEvent::Verifying { address } => {
            out.told(DebugSelector::VERIFY, 0, &[RULE, b"\nVerifying ", address]);
        }
        RouteEvent::Considering { address } => {
            out.told(DebugSelector::VERIFY, 0, &[RULE, b"\nConsidering ", address]);
        }
        RouteEvent::Begin { address } => {
            out.tested(ROUTE, 0, &[b">>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>"]);
            out.tested(ROUTE, 0, &[b"routing ", address]);
        }
        RouteEvent::Router { router, local_part, domain } => {
            out.told(ROUTE, 0, &[b"--------> ", router, b" router <--------"]);
            out.told(ROUTE, 0, &[b"local_part=", local_part, b" domain=", domain]);
        }
        RouteEvent::Checking { option, .. } if *option == router::CHECK_LOCAL_USER.name() => {
            out.told(ROUTE, 0, &[b"checking for local user"]);
        }
        RouteEvent::Checking { option, text: None } => {
            out.told(ROUTE, 0, &[b"checking ", option.as_bytes()]);
        }
        RouteEvent::Checking { option, text: Some(text) } => {
            let head = [b"checking \"", option.as_bytes(), b"\" \""].concat();
            out.told(ROUTE, 0, &[&head, text, b"\"..."]);
        }
        RouteEvent::Skipped { router, why } => {
            // Exim has numbers for those that verify nothing.
            let why = match *why {
                b"no_verify_recipient set" => b"verify 1 0 0",
                b"no_verify_sender set" => b"verify 2 0 0",
                why => why,
            };
            out.told(ROUTE, 0, &[router, b" router skipped: ", why]);
        }
        RouteEvent::Calling { router } => out.tested(ROUTE, 0, &[b"calling ", router, b" router"]),
        RouteEvent::Rerouted { address } => out.tested(ROUTE, 0, &[b"re-routed to ", address]),
        RouteEvent::Failed { router } => {
            out.tested(ROUTE, 0, &[router, b" router forced address failure"]);
        }
        RouteEvent::Declined { router, address } => {
            out.tested(ROUTE, 0, &[router, b" router declined for ", address]);
        }
        RouteEvent::Passed { router, address } => {
            out.tested(ROUTE, 0, &[router, b" router passed for ", address]);
        }
        RouteEvent::Deferred { router, address, message } => {
            out.tested(ROUTE, 0, &[router, b" router: defer for ", address]);
            out.tested(ROUTE, 0, &[b"  message: ", message.unwrap_or(b"<none>")]);
        }
        RouteEvent::Generated { router, address } => {
            out.told(ROUTE, 0, &[router, b" router generated ", address]);
        }
        RouteEvent::Routed { router, unseen, transport } => {
            if let Some(transport) = transport {
                out.told(ROUTE, 0, &[b"set transport ", transport]);
            }
            let tail: &[u8] = if *unseen { b" router (unseen)" } else { b" router" };
            out.tested(ROUTE, 0, &[b"routed by ", router, tail]);
        }
        RouteEvent::NoMore => {
            out.tested(ROUTE, 0, &[b"\"more\" is false: skipping remaining routers"]);
            out.tested(ROUTE, 0, &[b"no more routers"]);
        }
        RouteEvent::NoRouters => out.tested(ROUTE, 0, &[b"no more routers"]),
        _ => {}
    }
}

pub(super) fn write_rewriting(step: &RewriteEvent<'_>, out: &mut DebugWriter<'_>) {
    let RewriteEvent { from, to, part, rule, logged, .. } = step;
    // Otherwise it is told as a line of the log.
    if *logged {
        return;
    }
    let rule = rule.to_string();
    let parts = [
        b"LOG: address_rewrite MAIN\n  \"".as_slice(),
        from,
        b"\" from ",
        part.as_bytes(),
        b" rewritten as \"",
        to,
        b"\" by rule ",
        rule.as_bytes(),
    ];
    out.told(DebugSelector::REWRITE, 0, &parts);
}
