//! Handles of the options of transports.

use std::time::Duration;

use eximious_core::{Expanded, Ids, Str};

driver_handles! { crate::options::transports::ALL, Transport, None;
    BODY_ONLY: bool = "body_only",
    CURRENT_DIRECTORY: Str = "current_directory",
    DEBUG_PRINT: Str = "debug_print",
    DELIVERY_DATE_ADD: bool = "delivery_date_add",
    DISABLE_LOGGING: bool = "disable_logging",
    DRIVER: Str = "driver",
    ENVELOPE_TO_ADD: bool = "envelope_to_add",
    EVENT_ACTION: Str = "event_action",
    TPDA_DELIVERY_ACTION: Str = "tpda_delivery_action",
    TPDA_HOST_DEFER_ACTION: Str = "tpda_host_defer_action",
    GROUP: Expanded<Ids> = "group",
    HEADERS_ADD: Str = "headers_add",
    HEADERS_ONLY: bool = "headers_only",
    HEADERS_REMOVE: Str = "headers_remove",
    HEADERS_REWRITE: Str = "headers_rewrite",
    HOME_DIRECTORY: Str = "home_directory",
    INITGROUPS: bool = "initgroups",
    MAX_PARALLEL: Str = "max_parallel",
    MESSAGE_SIZE_LIMIT: Expanded<i64> = "message_size_limit",
    RCPT_INCLUDE_AFFIXES: bool = "rcpt_include_affixes",
    RETRY_USE_LOCAL_PART: bool = "retry_use_local_part",
    RETURN_PATH: Str = "return_path",
    RETURN_PATH_ADD: bool = "return_path_add",
    SHADOW_CONDITION: Str = "shadow_condition",
    SHADOW_TRANSPORT: Str = "shadow_transport",
    TRANSPORT_FILTER: Str = "transport_filter",
    TRANSPORT_FILTER_TIMEOUT: Duration = "transport_filter_timeout",
    USER: Expanded<Ids> = "user",
}

/// Those of `appendfile`.
pub mod appendfile {
    use std::time::Duration;

    use eximious_core::{Expanded, Str};

    driver_handles! { crate::options::transports::ALL, Transport, Some("appendfile");
        ALLOW_FIFO: bool = "allow_fifo",
        ALLOW_SYMLINK: bool = "allow_symlink",
        BATCH_ID: Str = "batch_id",
        BATCH_MAX: i64 = "batch_max",
        CHECK_GROUP: bool = "check_group",
        CHECK_OWNER: bool = "check_owner",
        CHECK_STRING: Str = "check_string",
        CREATE_DIRECTORY: bool = "create_directory",
        CREATE_FILE: Str = "create_file",
        DIRECTORY: Str = "directory",
        DIRECTORY_FILE: Str = "directory_file",
        DIRECTORY_MODE: i64 = "directory_mode",
        ESCAPE_STRING: Str = "escape_string",
        FILE: Str = "file",
        FILE_FORMAT: Str = "file_format",
        FILE_MUST_EXIST: bool = "file_must_exist",
        LOCK_FCNTL_TIMEOUT: Duration = "lock_fcntl_timeout",
        LOCK_FLOCK_TIMEOUT: Duration = "lock_flock_timeout",
        LOCK_INTERVAL: Duration = "lock_interval",
        LOCK_RETRIES: i64 = "lock_retries",
        LOCKFILE_MODE: i64 = "lockfile_mode",
        LOCKFILE_TIMEOUT: Duration = "lockfile_timeout",
        MAILBOX_FILECOUNT: Str = "mailbox_filecount",
        MAILBOX_SIZE: Str = "mailbox_size",
        MAILDIR_FORMAT: bool = "maildir_format",
        MAILDIR_QUOTA_DIRECTORY_REGEX: Str = "maildir_quota_directory_regex",
        MAILDIR_RETRIES: i64 = "maildir_retries",
        MAILDIR_TAG: Str = "maildir_tag",
        MAILDIR_USE_SIZE_FILE: Expanded<bool> = "maildir_use_size_file",
        MAILDIRFOLDER_CREATE_REGEX: Str = "maildirfolder_create_regex",
        MAILSTORE_FORMAT: bool = "mailstore_format",
        MAILSTORE_PREFIX: Str = "mailstore_prefix",
        MAILSTORE_SUFFIX: Str = "mailstore_suffix",
        MBX_FORMAT: bool = "mbx_format",
        MESSAGE_PREFIX: Str = "message_prefix",
        MESSAGE_SUFFIX: Str = "message_suffix",
        MODE: i64 = "mode",
        MODE_FAIL_NARROWER: bool = "mode_fail_narrower",
        NOTIFY_COMSAT: bool = "notify_comsat",
        QUOTA: Str = "quota",
        QUOTA_DIRECTORY: Str = "quota_directory",
        QUOTA_FILECOUNT: Str = "quota_filecount",
        QUOTA_IS_INCLUSIVE: bool = "quota_is_inclusive",
        QUOTA_SIZE_REGEX: Str = "quota_size_regex",
        QUOTA_WARN_MESSAGE: Str = "quota_warn_message",
        QUOTA_WARN_THRESHOLD: Str = "quota_warn_threshold",
        USE_BSMTP: bool = "use_bsmtp",
        USE_CRLF: bool = "use_crlf",
        USE_FCNTL_LOCK: bool = "use_fcntl_lock",
        USE_FLOCK_LOCK: bool = "use_flock_lock",
        USE_LOCKFILE: bool = "use_lockfile",
        USE_MBX_LOCK: bool = "use_mbx_lock",
    }
}

/// Those of `autoreply`.
pub mod autoreply {
    use eximious_core::Str;

    driver_handles! { crate::options::transports::ALL, Transport, Some("autoreply");
        BCC: Str = "bcc",
        CC: Str = "cc",
        FILE: Str = "file",
        FILE_EXPAND: bool = "file_expand",
        FILE_OPTIONAL: bool = "file_optional",
        FROM: Str = "from",
        HEADERS: Str = "headers",
        LOG: Str = "log",
        MODE: i64 = "mode",
        NEVER_MAIL: Str = "never_mail",
        ONCE: Str = "once",
        ONCE_FILE_SIZE: i64 = "once_file_size",
        ONCE_REPEAT: Str = "once_repeat",
        REPLY_TO: Str = "reply_to",
        RETURN_MESSAGE: bool = "return_message",
        SUBJECT: Str = "subject",
        TEXT: Str = "text",
        TO: Str = "to",
    }
}

/// Those of `lmtp`.
pub mod lmtp {
    use std::time::Duration;

    use eximious_core::Str;

    driver_handles! { crate::options::transports::ALL, Transport, Some("lmtp");
        BATCH_ID: Str = "batch_id",
        BATCH_MAX: i64 = "batch_max",
        COMMAND: Str = "command",
        IGNORE_QUOTA: bool = "ignore_quota",
        SOCKET: Str = "socket",
        TIMEOUT: Duration = "timeout",
    }
}

/// Those of `pipe`.
pub mod pipe {
    use std::time::Duration;

    use eximious_core::Str;

    driver_handles! { crate::options::transports::ALL, Transport, Some("pipe");
        ALLOW_COMMANDS: Str = "allow_commands",
        BATCH_ID: Str = "batch_id",
        BATCH_MAX: i64 = "batch_max",
        CHECK_STRING: Str = "check_string",
        COMMAND: Str = "command",
        ENVIRONMENT: Str = "environment",
        ESCAPE_STRING: Str = "escape_string",
        FORCE_COMMAND: bool = "force_command",
        FREEZE_EXEC_FAIL: bool = "freeze_exec_fail",
        FREEZE_SIGNAL: bool = "freeze_signal",
        IGNORE_STATUS: bool = "ignore_status",
        LOG_DEFER_OUTPUT: bool = "log_defer_output",
        LOG_FAIL_OUTPUT: bool = "log_fail_output",
        LOG_OUTPUT: bool = "log_output",
        MAX_OUTPUT: i64 = "max_output",
        MESSAGE_PREFIX: Str = "message_prefix",
        MESSAGE_SUFFIX: Str = "message_suffix",
        PATH: Str = "path",
        PERMIT_COREDUMP: bool = "permit_coredump",
        PIPE_AS_CREATOR: bool = "pipe_as_creator",
        RESTRICT_TO_PATH: bool = "restrict_to_path",
        RETURN_FAIL_OUTPUT: bool = "return_fail_output",
        RETURN_OUTPUT: bool = "return_output",
        TEMP_ERRORS: Str = "temp_errors",
        TIMEOUT: Duration = "timeout",
        TIMEOUT_DEFER: bool = "timeout_defer",
        UMASK: i64 = "umask",
        USE_BSMTP: bool = "use_bsmtp",
        USE_CLASSRESOURCES: bool = "use_classresources",
        USE_CRLF: bool = "use_crlf",
        USE_SHELL: bool = "use_shell",
    }
}

/// Those of `queuefile`.
pub mod queuefile {
    use eximious_core::Str;

    driver_handles! { crate::options::transports::ALL, Transport, Some("queuefile");
        DIRECTORY: Str = "directory",
    }
}

/// Those of `smtp`.
pub mod smtp {
    use std::time::Duration;

    use eximious_core::{Expanded, Str};

    driver_handles! { crate::options::transports::ALL, Transport, Some("smtp");
        ADDRESS_RETRY_INCLUDE_SENDER: bool = "address_retry_include_sender",
        ALLOW_LOCALHOST: bool = "allow_localhost",
        ARC_SIGN: Str = "arc_sign",
        AUTHENTICATED_SENDER: Str = "authenticated_sender",
        AUTHENTICATED_SENDER_FORCE: bool = "authenticated_sender_force",
        COMMAND_TIMEOUT: Duration = "command_timeout",
        CONNECT_TIMEOUT: Duration = "connect_timeout",
        CONNECTION_MAX_MESSAGES: i64 = "connection_max_messages",
        DANE_REQUIRE_TLS_CIPHERS: Str = "dane_require_tls_ciphers",
        DATA_TIMEOUT: Duration = "data_timeout",
        DELAY_AFTER_CUTOFF: bool = "delay_after_cutoff",
        DKIM_CANON: Str = "dkim_canon",
        DKIM_DOMAIN: Str = "dkim_domain",
        DKIM_HASH: Str = "dkim_hash",
        DKIM_IDENTITY: Str = "dkim_identity",
        DKIM_PRIVATE_KEY: Str = "dkim_private_key",
        DKIM_SELECTOR: Str = "dkim_selector",
        DKIM_SIGN_HEADERS: Str = "dkim_sign_headers",
        DKIM_STRICT: Str = "dkim_strict",
        DKIM_TIMESTAMPS: Str = "dkim_timestamps",
        DNS_QUALIFY_SINGLE: bool = "dns_qualify_single",
        DNS_SEARCH_PARENTS: bool = "dns_search_parents",
        DNSSEC_REQUEST_DOMAINS: Str = "dnssec_request_domains",
        DNSSEC_REQUIRE_DOMAINS: Str = "dnssec_require_domains",
        DSCP: Str = "dscp",
        FALLBACK_HOSTS: Str = "fallback_hosts",
        FINAL_TIMEOUT: Duration = "final_timeout",
        GETHOSTBYNAME: bool = "gethostbyname",
        GNUTLS_COMPAT_MODE: bool = "gnutls_compat_mode",
        HELO_DATA: Str = "helo_data",
        HOST_NAME_EXTRACT: Str = "host_name_extract",
        HOSTS: Str = "hosts",
        HOSTS_AVOID_ESMTP: Str = "hosts_avoid_esmtp",
        HOSTS_AVOID_PIPELINING: Str = "hosts_avoid_pipelining",
        HOSTS_AVOID_TLS: Str = "hosts_avoid_tls",
        HOSTS_MAX_TRY: i64 = "hosts_max_try",
        HOSTS_MAX_TRY_HARDLIMIT: i64 = "hosts_max_try_hardlimit",
        HOSTS_NOPASS_TLS: Str = "hosts_nopass_tls",
        HOSTS_NOPROXY_TLS: Str = "hosts_noproxy_tls",
        HOSTS_OVERRIDE: bool = "hosts_override",
        HOSTS_PIPE_CONNECT: Str = "hosts_pipe_connect",
        HOSTS_RANDOMIZE: Expanded<bool> = "hosts_randomize",
        HOSTS_REQUEST_OCSP: Str = "hosts_request_ocsp",
        HOSTS_REQUIRE_ALPN: Str = "hosts_require_alpn",
        HOSTS_REQUIRE_AUTH: Str = "hosts_require_auth",
        HOSTS_REQUIRE_DANE: Str = "hosts_require_dane",
        HOSTS_REQUIRE_OCSP: Str = "hosts_require_ocsp",
        HOSTS_REQUIRE_TLS: Str = "hosts_require_tls",
        HOSTS_TRY_AUTH: Str = "hosts_try_auth",
        HOSTS_TRY_CHUNKING: Str = "hosts_try_chunking",
        HOSTS_TRY_DANE: Str = "hosts_try_dane",
        HOSTS_TRY_FASTOPEN: Str = "hosts_try_fastopen",
        HOSTS_TRY_PRDR: Str = "hosts_try_prdr",
        HOSTS_VERIFY_AVOID_TLS: Str = "hosts_verify_avoid_tls",
        INTERFACE: Str = "interface",
        KEEPALIVE: bool = "keepalive",
        LMTP_IGNORE_QUOTA: bool = "lmtp_ignore_quota",
        MAX_RCPT: Str = "max_rcpt",
        MESSAGE_LINELENGTH_LIMIT: i64 = "message_linelength_limit",
        MTA_STS_DOMAINS: Str = "mta_sts_domains",
        MULTI_DOMAIN: Expanded<bool> = "multi_domain",
        PORT: Str = "port",
        PROTOCOL: Str = "protocol",
        RETRY_INCLUDE_IP_ADDRESS: Expanded<bool> = "retry_include_ip_address",
        SERIALIZE_HOSTS: Str = "serialize_hosts",
        SIZE_ADDITION: i64 = "size_addition",
        SOCKS_PROXY: Str = "socks_proxy",
        TLS_ALPN: Str = "tls_alpn",
        TLS_CERTIFICATE: Str = "tls_certificate",
        TLS_CRL: Str = "tls_crl",
        TLS_DH_MIN_BITS: i64 = "tls_dh_min_bits",
        TLS_ECCURVE: Str = "tls_eccurve",
        TLS_PRIVATEKEY: Str = "tls_privatekey",
        TLS_REQUIRE_CIPHERS: Str = "tls_require_ciphers",
        TLS_RESUMPTION_HOSTS: Str = "tls_resumption_hosts",
        TLS_SNI: Str = "tls_sni",
        TLS_TEMPFAIL_TRYCLEAR: bool = "tls_tempfail_tryclear",
        TLS_TRY_VERIFY_HOSTS: Str = "tls_try_verify_hosts",
        TLS_VERIFY_CERT_HOSTNAMES: Str = "tls_verify_cert_hostnames",
        TLS_VERIFY_CERTIFICATES: Str = "tls_verify_certificates",
        TLS_VERIFY_HOSTS: Str = "tls_verify_hosts",
        TLSRPT_DOMAINS: Str = "tlsrpt_domains",
        UTF8_DOWNCONVERT: Str = "utf8_downconvert",
    }
}
