//! Conditions (specification 11.7 and 11.8).

mod acl;
mod boolean;
mod combine;
mod compare;
mod crypteq;
mod defined;
mod each;
mod exists;
mod inlist;
mod isip;
mod ldapauth;
mod lists;
mod pam;
mod pwcheck;
mod radius;
mod record;
mod regex;
mod saslauthd;
mod srs;
mod state;

pub(crate) use compare::{compare_caseless, lowercase};
use eximious_core::Condition;

/// All conditions.
pub static ALL: &[&Condition] = &[
    &acl::ACL,
    &boolean::BOOL,
    &boolean::BOOL_LAX,
    &combine::AND,
    &combine::OR,
    &compare::EQ,
    &compare::EQI,
    &compare::GE,
    &compare::GEI,
    &compare::GT,
    &compare::GTI,
    &compare::LE,
    &compare::LEI,
    &compare::LT,
    &compare::LTI,
    &compare::NUMBER_EQ,
    &compare::NUMBER_GE,
    &compare::NUMBER_GT,
    &compare::NUMBER_LE,
    &compare::NUMBER_LT,
    &crypteq::CRYPTEQ,
    &defined::DEF,
    &each::FORALL,
    &each::FORALL_JSON,
    &each::FORALL_JSONS,
    &each::FORANY,
    &each::FORANY_JSON,
    &each::FORANY_JSONS,
    &exists::EXISTS,
    &inlist::INLIST,
    &inlist::INLISTI,
    &isip::ISIP,
    &isip::ISIP4,
    &isip::ISIP6,
    &ldapauth::LDAPAUTH,
    &lists::MATCH_ADDRESS,
    &lists::MATCH_DOMAIN,
    &lists::MATCH_IP,
    &lists::MATCH_LOCAL_PART,
    &pam::PAM,
    &pwcheck::PWCHECK,
    &radius::RADIUS,
    &regex::MATCH,
    &saslauthd::SASLAUTHD,
    &srs::INBOUND_SRS,
    &state::FIRST_DELIVERY,
    &state::QUEUE_RUNNING,
];
