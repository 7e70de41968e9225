//! The lints, each family in a file of its own.

mod acls;
mod booleans;
pub(super) mod comments;
mod conditionals;
mod deprecated;
mod dmarc;
mod events;
mod features;
mod ignored;
mod listed;
mod logins;
mod macros;
mod meant;
mod messages;
mod names;
mod needs;
mod not_yet;
mod numbers;
mod patterns;
mod phases;
mod places;
mod relay;
mod routers;
mod rules;
mod secrets;
mod socks;
mod syntax;
mod taint;
mod target;
mod unread;
mod unused;
pub(in crate::tools) mod values;
mod variables;
mod without_tls;
pub(in crate::tools) mod words;

use super::Lint;

/// All of them, by code.
pub(super) static ALL: &[&Lint] = &[
    &syntax::SYNTAX,
    &syntax::UNKNOWN_OPTION,
    &syntax::EXPANSION,
    &names::UNKNOWN_LIST,
    &names::UNKNOWN_ACL,
    &names::UNKNOWN_TRANSPORT,
    &needs::OPTION_NEEDS,
    &phases::FORBIDDEN_HERE,
    &target::NOT_IN_TARGET,
    &taint::TAINTED,
    &relay::OPEN_RELAY,
    &numbers::NOT_A_NUMBER,
    &patterns::BAD_PATTERN,
    &words::ACL_ARGUMENT,
    &logins::UNKNOWN_AUTHENTICATOR,
    &logins::ANYBODY_LOGS_IN,
    &listed::BAD_ITEM,
    &booleans::NOT_A_BOOLEAN,
    &messages::WRONG_REPLY_CODE,
    &needs::MAILBOX_MISSING,
    &places::NOT_ABSOLUTE,
    &places::NOT_THIS_HOST,
    &logins::NOBODY_LOGS_IN,
    &values::NO_SUCH_VALUE,
    &macros::MACRO_LATE,
    &macros::MACRO_UNUSED,
    &unused::LIST_UNUSED,
    &unused::ACL_UNUSED,
    &unused::TRANSPORT_UNUSED,
    &routers::ROUTER_UNREACHABLE,
    &acls::STATEMENT_UNREACHABLE,
    &acls::ENDPASS_WITHOUT_EFFECT,
    &words::NEARLY_A_WORD,
    &ignored::OPTION_IGNORED,
    &conditionals::CONDITIONAL_IGNORED,
    &variables::DOLLAR_MISSING,
    &messages::MESSAGE_TOO_LATE,
    &rules::RULE_UNREACHABLE,
    &features::FEATURE_MISSPELT,
    &unread::VARIABLE_NEVER_READ,
    &macros::MACRO_MISSPELT,
    &syntax::BRACE_LEFT_OVER,
    &comments::COMMENT_WITHOUT_EFFECT,
    &events::UNKNOWN_EVENT,
    &places::LOG_ELSEWHERE,
    &dmarc::DMARC_BLIND,
    &phases::VARIABLE_WITHOUT_VALUE,
    &variables::VARIABLE_NEVER_SET,
    &deprecated::OLDER_NAME,
    &target::DIFFERS_IN_TARGET,
    &patterns::PATTERN_EXPLODES,
    &secrets::SECRET_SHOWN,
    &not_yet::NOT_YET,
    &without_tls::WITHOUT_TLS,
];
