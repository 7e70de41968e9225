//! What holds of the options of `redirect` in a configuration (specification 22.10).

use eximious_core::{DriverOpt, Expanded, Ids, OptionDef, OptionValue};
use eximious_stdlib::options::opt::router::{self as opt, redirect};

use crate::config::{ConfigError, GoesOn, Instance, RouterRules, TransportUse};

/// What holds of instances.
pub(super) static RULES: RouterRules = RouterRules {
    check,
    value: |router, option, _| value(router, option),
    transport: TransportUse::Forbidden,
    // An address that turns into itself is passed on.
    goes_on: GoesOn::Always,
    ..RouterRules::DEFAULT
};

/// What `one_time` keeps from being made.
const NOT_TWICE: [DriverOpt<Expanded<bool>>; 3] =
    [redirect::FORBID_FILE, redirect::FORBID_PIPE, redirect::FORBID_FILTER_REPLY];

fn check(router: &Instance) -> Result<(), ConfigError> {
    let message = match (router.set(redirect::FILE), router.set(redirect::DATA)) {
        (false, false) => "one of \"file\" or \"data\" must be specified",
        (true, true) => "only one of \"file\" or \"data\" must be specified",
        _ if router.on(redirect::ONE_TIME) && adds_or_removes(router) => {
            "\"headers_add\" and \"headers_remove\" are not permitted with \"one_time\""
        }
        _ if router.on(redirect::ONE_TIME)
            && router.set(opt::UNSEEN)
            && router.options.flag(opt::UNSEEN) != Some(false) =>
        {
            "\"unseen\" may not be used with \"one_time\""
        }
        _ if router.set(redirect::QUALIFY_DOMAIN)
            && router.on(redirect::QUALIFY_PRESERVE_DOMAIN) =>
        {
            "only one of \"qualify_domain\" or \"qualify_preserve_domain\" must be set"
        }
        _ if router.on(redirect::ALLOW_FILTER)
            && !router.on(opt::CHECK_LOCAL_USER)
            && !router.set(opt::USER) =>
        {
            "\"user\" or \"check_local_user\" must be set with \"allow_filter\""
        }
        _ => return Ok(()),
    };
    Err(router.wrong(message))
}

fn adds_or_removes(router: &Instance) -> bool {
    router.set(opt::HEADERS_ADD) || router.set(opt::HEADERS_REMOVE)
}

/// What others make of an option.
fn value(router: &Instance, option: &OptionDef) -> Option<OptionValue> {
    if NOT_TWICE.iter().any(|one| one.is(option)) && router.on(redirect::ONE_TIME) {
        return Some(OptionValue::Flag(true));
    }
    if router.options.of(option).is_some() {
        return None;
    }
    if redirect::CHECK_OWNER.is(option) {
        let known = router.on(opt::CHECK_LOCAL_USER) || named(router, redirect::OWNERS);
        return known.then_some(OptionValue::Flag(true));
    }
    if redirect::CHECK_GROUP.is(option) {
        if named(router, redirect::OWNGROUPS) {
            return Some(OptionValue::Flag(true));
        }
        // Where the group may write, it has to be a known one.
        let mask = router.options.get(redirect::MODEMASK);
        let safe = mask.is_some_and(|mask| mask & 0o20 == 0);
        return router.on(opt::CHECK_LOCAL_USER).then_some(OptionValue::Flag(safe));
    }
    None
}

/// Whether a list of users or groups names any.
fn named(router: &Instance, option: DriverOpt<Ids>) -> bool {
    !router.options.ids(option).is_empty()
}
