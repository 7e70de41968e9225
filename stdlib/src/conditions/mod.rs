//! Conditions (specification 11.7 and 11.8).

mod combine;
mod compare;
mod defined;
mod each;
mod lists;
mod regex;
mod state;

use eximious_core::Condition;

/// All conditions.
pub static ALL: &[&Condition] = &[
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
    &defined::DEF,
    &each::FORALL,
    &each::FORALL_JSON,
    &each::FORALL_JSONS,
    &each::FORANY,
    &each::FORANY_JSON,
    &each::FORANY_JSONS,
    &lists::MATCH_ADDRESS,
    &lists::MATCH_DOMAIN,
    &lists::MATCH_IP,
    &lists::MATCH_LOCAL_PART,
    &regex::MATCH,
    &state::FIRST_DELIVERY,
    &state::QUEUE_RUNNING,
];
