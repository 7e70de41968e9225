//! Handles of the options of routers.

use eximious_core::{Expanded, Ids, Str};

driver_handles! { crate::options::routers::ALL, Router, None;
    ADDRESS_DATA: Str = "address_data",
    ADDRESS_TEST: bool = "address_test",
    BMI_DELIVER_ALTERNATE: bool = "bmi_deliver_alternate",
    BMI_DELIVER_DEFAULT: bool = "bmi_deliver_default",
    BMI_DONT_DELIVER: bool = "bmi_dont_deliver",
    BMI_RULE: Str = "bmi_rule",
    CANNOT_ROUTE_MESSAGE: Str = "cannot_route_message",
    CASEFUL_LOCAL_PART: bool = "caseful_local_part",
    CHECK_LOCAL_USER: bool = "check_local_user",
    CONDITION: Str = "condition",
    DEBUG_PRINT: Str = "debug_print",
    DISABLE_LOGGING: bool = "disable_logging",
    DNSSEC_REQUEST_DOMAINS: Str = "dnssec_request_domains",
    DNSSEC_REQUIRE_DOMAINS: Str = "dnssec_require_domains",
    DOMAINS: Str = "domains",
    DRIVER: Str = "driver",
    DSN_LASTHOP: bool = "dsn_lasthop",
    ERRORS_TO: Str = "errors_to",
    EXPN: bool = "expn",
    FAIL_VERIFY: bool = "fail_verify",
    FAIL_VERIFY_RECIPIENT: bool = "fail_verify_recipient",
    FAIL_VERIFY_SENDER: bool = "fail_verify_sender",
    FALLBACK_HOSTS: Str = "fallback_hosts",
    GROUP: Expanded<Ids> = "group",
    HEADERS_ADD: Str = "headers_add",
    HEADERS_REMOVE: Str = "headers_remove",
    IGNORE_TARGET_HOSTS: Str = "ignore_target_hosts",
    INITGROUPS: bool = "initgroups",
    LOCAL_PART_PREFIX: Str = "local_part_prefix",
    LOCAL_PART_PREFIX_OPTIONAL: bool = "local_part_prefix_optional",
    LOCAL_PART_SUFFIX: Str = "local_part_suffix",
    LOCAL_PART_SUFFIX_OPTIONAL: bool = "local_part_suffix_optional",
    LOCAL_PARTS: Str = "local_parts",
    LOG_AS_LOCAL: bool = "log_as_local",
    MORE: Expanded<bool> = "more",
    PASS_ON_TIMEOUT: bool = "pass_on_timeout",
    PASS_ROUTER: Str = "pass_router",
    REDIRECT_ROUTER: Str = "redirect_router",
    REQUIRE_FILES: Str = "require_files",
    RETRY_USE_LOCAL_PART: bool = "retry_use_local_part",
    ROUTER_HOME_DIRECTORY: Str = "router_home_directory",
    SELF: Str = "self",
    SENDERS: Str = "senders",
    SET: Str = "set",
    TRANSLATE_IP_ADDRESS: Str = "translate_ip_address",
    TRANSPORT: Str = "transport",
    TRANSPORT_CURRENT_DIRECTORY: Str = "transport_current_directory",
    TRANSPORT_HOME_DIRECTORY: Str = "transport_home_directory",
    UNSEEN: Expanded<bool> = "unseen",
    USER: Expanded<Ids> = "user",
    VERIFY: bool = "verify",
    VERIFY_ONLY: bool = "verify_only",
    VERIFY_RECIPIENT: bool = "verify_recipient",
    VERIFY_SENDER: bool = "verify_sender",
}

/// Those of `dnslookup`.
pub mod dnslookup {
    use eximious_core::Str;

    driver_handles! { crate::options::routers::ALL, Router, Some("dnslookup");
        CHECK_SECONDARY_MX: bool = "check_secondary_mx",
        CHECK_SRV: Str = "check_srv",
        FAIL_DEFER_DOMAINS: Str = "fail_defer_domains",
        IPV4_ONLY: Str = "ipv4_only",
        IPV4_PREFER: Str = "ipv4_prefer",
        MX_DOMAINS: Str = "mx_domains",
        MX_FAIL_DOMAINS: Str = "mx_fail_domains",
        QUALIFY_SINGLE: bool = "qualify_single",
        REWRITE_HEADERS: bool = "rewrite_headers",
        SAME_DOMAIN_COPY_ROUTING: bool = "same_domain_copy_routing",
        SEARCH_PARENTS: bool = "search_parents",
        SRV_FAIL_DOMAINS: Str = "srv_fail_domains",
        WIDEN_DOMAINS: Str = "widen_domains",
    }
}

/// Those of `iplookup`.
pub mod iplookup {
    use std::time::Duration;

    use eximious_core::Str;

    driver_handles! { crate::options::routers::ALL, Router, Some("iplookup");
        HOSTS: Str = "hosts",
        OPTIONAL: bool = "optional",
        PORT: i64 = "port",
        PROTOCOL: Str = "protocol",
        QUERY: Str = "query",
        REROUTE: Str = "reroute",
        RESPONSE_PATTERN: Str = "response_pattern",
        TIMEOUT: Duration = "timeout",
    }
}

/// Those of `manualroute`.
pub mod manualroute {
    use eximious_core::{Expanded, Str};

    driver_handles! { crate::options::routers::ALL, Router, Some("manualroute");
        HOST_ALL_IGNORED: Str = "host_all_ignored",
        HOST_FIND_FAILED: Str = "host_find_failed",
        HOSTS_RANDOMIZE: Expanded<bool> = "hosts_randomize",
        ROUTE_DATA: Str = "route_data",
        ROUTE_LIST: Str = "route_list",
        SAME_DOMAIN_COPY_ROUTING: bool = "same_domain_copy_routing",
    }
}

/// Those of `queryprogram`.
pub mod queryprogram {
    use std::time::Duration;

    use eximious_core::{Expanded, Ids, Str};

    driver_handles! { crate::options::routers::ALL, Router, Some("queryprogram");
        COMMAND: Str = "command",
        COMMAND_GROUP: Expanded<Ids> = "command_group",
        COMMAND_USER: Expanded<Ids> = "command_user",
        CURRENT_DIRECTORY: Str = "current_directory",
        TIMEOUT: Duration = "timeout",
    }
}

/// Those of `redirect`.
pub mod redirect {
    use eximious_core::{Expanded, Ids, Str};

    driver_handles! { crate::options::routers::ALL, Router, Some("redirect");
        ALLOW_DEFER: bool = "allow_defer",
        ALLOW_FAIL: bool = "allow_fail",
        ALLOW_FILTER: Expanded<bool> = "allow_filter",
        ALLOW_FREEZE: bool = "allow_freeze",
        CHECK_ANCESTOR: bool = "check_ancestor",
        CHECK_GROUP: bool = "check_group",
        CHECK_OWNER: bool = "check_owner",
        DATA: Str = "data",
        DIRECTORY_TRANSPORT: Str = "directory_transport",
        FILE: Str = "file",
        FILE_TRANSPORT: Str = "file_transport",
        FILTER_PREPEND_HOME: bool = "filter_prepend_home",
        FORBID_BLACKHOLE: Expanded<bool> = "forbid_blackhole",
        FORBID_EXIM_FILTER: Expanded<bool> = "forbid_exim_filter",
        FORBID_FILE: Expanded<bool> = "forbid_file",
        FORBID_FILTER_DLFUNC: Expanded<bool> = "forbid_filter_dlfunc",
        FORBID_FILTER_EXISTSTEST: Expanded<bool> = "forbid_filter_existstest",
        FORBID_FILTER_LOGWRITE: Expanded<bool> = "forbid_filter_logwrite",
        FORBID_FILTER_LOOKUP: Expanded<bool> = "forbid_filter_lookup",
        FORBID_FILTER_PERL: Expanded<bool> = "forbid_filter_perl",
        FORBID_FILTER_READFILE: Expanded<bool> = "forbid_filter_readfile",
        FORBID_FILTER_READSOCKET: Expanded<bool> = "forbid_filter_readsocket",
        FORBID_FILTER_REPLY: Expanded<bool> = "forbid_filter_reply",
        FORBID_FILTER_RUN: Expanded<bool> = "forbid_filter_run",
        FORBID_INCLUDE: Expanded<bool> = "forbid_include",
        FORBID_PIPE: Expanded<bool> = "forbid_pipe",
        FORBID_SIEVE_FILTER: Expanded<bool> = "forbid_sieve_filter",
        FORBID_SMTP_CODE: Expanded<bool> = "forbid_smtp_code",
        HIDE_CHILD_IN_ERRMSG: bool = "hide_child_in_errmsg",
        IGNORE_EACCES: bool = "ignore_eacces",
        IGNORE_ENOTDIR: bool = "ignore_enotdir",
        INCLUDE_DIRECTORY: Str = "include_directory",
        MODEMASK: i64 = "modemask",
        ONE_TIME: bool = "one_time",
        OWNERS: Ids = "owners",
        OWNGROUPS: Ids = "owngroups",
        PIPE_TRANSPORT: Str = "pipe_transport",
        QUALIFY_DOMAIN: Str = "qualify_domain",
        QUALIFY_PRESERVE_DOMAIN: bool = "qualify_preserve_domain",
        REPEAT_USE: bool = "repeat_use",
        REPLY_TRANSPORT: Str = "reply_transport",
        REWRITE: bool = "rewrite",
        SIEVE_ENOTIFY_MAILTO_OWNER: Str = "sieve_enotify_mailto_owner",
        SIEVE_INBOX: Str = "sieve_inbox",
        SIEVE_SUBADDRESS: Str = "sieve_subaddress",
        SIEVE_USERADDRESS: Str = "sieve_useraddress",
        SIEVE_VACATION_DIRECTORY: Str = "sieve_vacation_directory",
        SKIP_SYNTAX_ERRORS: bool = "skip_syntax_errors",
        SRS: Str = "srs",
        SRS_ALIAS: Str = "srs_alias",
        SRS_CONDITION: Str = "srs_condition",
        SRS_DBINSERT: Str = "srs_dbinsert",
        SRS_DBSELECT: Str = "srs_dbselect",
        SYNTAX_ERRORS_TEXT: Str = "syntax_errors_text",
        SYNTAX_ERRORS_TO: Str = "syntax_errors_to",
    }
}
