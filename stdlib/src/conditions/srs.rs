//! `inbound_srs`.

use eximious_core::grammar::expansion::ConditionShape;
use eximious_core::{Call, Condition, ConditionRun, Effects, Example, Fail, Meta, Str, TaintRule};

use crate::srs::Encoded;
use crate::variables::var;

/// `inbound_srs {local part}{secret}`.
pub static INBOUND_SRS: Condition = Condition {
    meta: Meta::new("inbound_srs", Effects::CLOCK.union(Effects::VARS), TaintRule::Result)
        .since("4.95")
        .syntax("inbound_srs {<local part>}{<secret>}")
        .summary("The local part holds an address that `srs_encode` put there.")
        .docs(
            "True if the signature is right and was made today or up to ten days ago; \
         `$srs_recipient` is then the address. With an empty secret it is true for any local \
         part of the right form, whoever made it. `$srs_recipient` is empty after a local part \
         of the right form that is refused.",
        )
        .examples(&[
            Example::new("${if inbound_srs{SRS0=a979=jw=b.c=a}{secret}{yes}{no}}", "yes"),
            Example::new("${if inbound_srs{SRS0=a979=jw=b.c=a}{wrong}{yes}{no}}", "no"),
            Example::new("${if inbound_srs{SRS0=any=aa=b.c=a}{}{yes}{no}}", "yes"),
        ])
        .source("specification 58.2.1"),
    shape: ConditionShape::Counted { count: 2 },
    run: ConditionRun::Strict(run),
};

fn run(call: &mut Call<'_>, args: &[Str]) -> Result<bool, Fail> {
    let (local_part, secret) = (&args[0], args[1].bytes());
    let Some(encoded) = Encoded::of(local_part.bytes()) else { return Ok(false) };
    let today = call.clock()?.now().seconds.div_euclid(86_400);
    let good = secret.is_empty() || encoded.is_valid(secret, today);
    // An address whose signature is wrong is nobody's business.
    let found = if good { Str::from(encoded.address()) } else { Str::EMPTY };
    call.set_var(var::SRS_RECIPIENT, found.stamped(local_part.taint()));
    Ok(good)
}
