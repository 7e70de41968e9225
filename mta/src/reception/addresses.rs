//! Addresses in the header: those without a domain get one, and rules for rewriting
//! apply (specification 48.3, 48.10, 31).

use eximious::config::RewriteFlags;
use eximious::rewrite::{AddressPlace, Rewriter, header};
use eximious::{Context, Var, var};

use super::Origin;
use super::lines::{Line, Lines};

/// Gives domains to addresses without one, and rewrites them. What is wrong is told,
/// to be logged.
pub(super) fn complete(
    cx: &mut Context,
    rewriter: &Rewriter<'_>,
    origin: &Origin,
    lines: &mut Lines,
    tell: &dyn Fn(&[u8]),
) {
    let rewrites = rewriter.flags().intersects(RewriteFlags::HEADERS);
    let rewriter = rewrites.then_some(rewriter);
    let old = std::mem::take(&mut lines.0);
    lines.0.reserve(old.len());
    for mut line in old {
        let place = header::place_of(line.name()).filter(|_| !line.struck);
        let new = place.and_then(|place| {
            let domain = domain_of(origin, place).map(|domain| cx.value_of(domain));
            header::line(cx, rewriter, place, &line.header, domain.as_ref(), tell)
        });
        line.struck |= new.is_some();
        lines.0.push(line);
        if let Some(new) = new {
            lines.0.push(Line::new(eximious::Header::new(new)));
        }
    }
}

/// The variable with the domain that addresses there get, where they get one.
fn domain_of(origin: &Origin, place: AddressPlace) -> Option<Var> {
    match place {
        AddressPlace::From | AddressPlace::Sender | AddressPlace::ReplyTo => {
            origin.qualifies_senders.then_some(var::QUALIFY_DOMAIN)
        }
        _ => origin.qualifies_recipients.then_some(var::QUALIFY_RECIPIENT),
    }
}
