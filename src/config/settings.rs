//! The options that expansions see, out of all main options.

use eximious_core::{LogSelector, OptionValue, Options, Settings, Str};

/// Fills the fields of [`Settings`] that have options of their own.
pub(super) fn fill(settings: &mut Settings, options: Options) {
    let text = |name: &str, into: &mut Str| {
        if let Some(OptionValue::Text(value)) = options.get(name) {
            *into = value.clone();
        }
    };
    let some = |name: &str, into: &mut Option<Str>| {
        if let Some(OptionValue::Text(value)) = options.get(name) {
            *into = Some(value.clone());
        }
    };
    let flag = |name: &str, into: &mut bool| *into = options.flag(name).unwrap_or(*into);
    let number = |name: &str, into: &mut u64| {
        if let Some(value) = options.number(name) {
            *into = value.try_into().unwrap_or(0);
        }
    };
    let identity = |name: &str, into: &mut Option<Str>| {
        if let Some(OptionValue::Ids(ids)) = options.get(name) {
            *into = ids.first().map(|id| Str::from(id.to_string().into_bytes()));
        }
    };
    text("add_environment", &mut settings.add_environment);
    flag("allow_domain_literals", &mut settings.allow_domain_literals);
    flag("allow_utf8_domains", &mut settings.allow_utf8_domains);
    number("bounce_return_size_limit", &mut settings.bounce_return_size_limit);
    flag("check_rfc2047_length", &mut settings.check_rfc2047_length);
    identity("exim_group", &mut settings.exim_group);
    text("exim_path", &mut settings.exim_path);
    identity("exim_user", &mut settings.exim_user);
    text("exim_version", &mut settings.exim_version);
    text("headers_charset", &mut settings.headers_charset);
    text("keep_environment", &mut settings.keep_environment);
    text("localhost_number", &mut settings.localhost_number);
    text("log_file_path", &mut settings.log_file_path);
    if let Some(selector) = options.text("log_selector") {
        // What is wrong with it is told of elsewhere.
        settings.log_selector = LogSelector::parse(selector.bytes()).unwrap_or_default();
    }
    flag("message_body_newlines", &mut settings.message_body_newlines);
    if let Some(visible) = options.number("message_body_visible") {
        settings.message_body_visible = visible.try_into().unwrap_or(0);
    }
    flag("perl_at_start", &mut settings.perl_at_start);
    some("perl_startup", &mut settings.perl_startup);
    flag("perl_taintmode", &mut settings.perl_taintmode);
    some("primary_hostname", &mut settings.primary_hostname);
    flag("print_topbitchars", &mut settings.print_topbitchars);
    some("qualify_domain", &mut settings.qualify_domain);
    some("qualify_recipient", &mut settings.qualify_recipient);
    text("smtp_active_hostname", &mut settings.smtp_active_hostname);
    text("spf_guess", &mut settings.spf_guess);
    text("spool_directory", &mut settings.spool_directory);
    some("sqlite_dbfile", &mut settings.sqlite_dbfile);
    number("sqlite_lock_timeout", &mut settings.sqlite_lock_timeout);
    flag("strict_acl_vars", &mut settings.strict_acl_vars);
    flag("strip_trailing_dot", &mut settings.strip_trailing_dot);
    some("timezone", &mut settings.timezone);
    settings.options = options;
}
