//! Handles of the options of authenticators.

use eximious_core::Str;

driver_handles! { crate::options::authenticators::ALL, Authenticator, None;
    CLIENT_CONDITION: Str = "client_condition",
    CLIENT_SET_ID: Str = "client_set_id",
    DRIVER: Str = "driver",
    PUBLIC_NAME: Str = "public_name",
    SERVER_ADVERTISE_CONDITION: Str = "server_advertise_condition",
    SERVER_CONDITION: Str = "server_condition",
    SERVER_DEBUG_PRINT: Str = "server_debug_print",
    SERVER_MAIL_AUTH_CONDITION: Str = "server_mail_auth_condition",
    SERVER_SET_ID: Str = "server_set_id",
}

/// Those of `cram_md5`.
pub mod cram_md5 {
    use eximious_core::Str;

    driver_handles! { crate::options::authenticators::ALL, Authenticator, Some("cram_md5");
        CLIENT_NAME: Str = "client_name",
        CLIENT_SECRET: Str = "client_secret",
        SERVER_SECRET: Str = "server_secret",
    }
}

/// Those of `cyrus_sasl`.
pub mod cyrus_sasl {
    use eximious_core::Str;

    driver_handles! { crate::options::authenticators::ALL, Authenticator, Some("cyrus_sasl");
        SERVER_HOSTNAME: Str = "server_hostname",
        SERVER_MECH: Str = "server_mech",
        SERVER_REALM: Str = "server_realm",
        SERVER_SERVICE: Str = "server_service",
    }
}

/// Those of `dovecot`.
pub mod dovecot {
    use eximious_core::Str;

    driver_handles! { crate::options::authenticators::ALL, Authenticator, Some("dovecot");
        SERVER_SOCKET: Str = "server_socket",
        SERVER_TLS: bool = "server_tls",
    }
}

/// Those of `external`.
pub mod external {
    use eximious_core::Str;

    driver_handles! { crate::options::authenticators::ALL, Authenticator, Some("external");
        CLIENT_SEND: Str = "client_send",
        SERVER_PARAM2: Str = "server_param2",
        SERVER_PARAM3: Str = "server_param3",
    }
}

/// Those of `gsasl`.
pub mod gsasl {
    use eximious_core::Str;

    driver_handles! { crate::options::authenticators::ALL, Authenticator, Some("gsasl");
        CLIENT_AUTHZ: Str = "client_authz",
        CLIENT_CHANNELBINDING: bool = "client_channelbinding",
        CLIENT_PASSWORD: Str = "client_password",
        CLIENT_SPASSWORD: Str = "client_spassword",
        CLIENT_USERNAME: Str = "client_username",
        SERVER_CHANNELBINDING: bool = "server_channelbinding",
        SERVER_HOSTNAME: Str = "server_hostname",
        SERVER_KEY: Str = "server_key",
        SERVER_MECH: Str = "server_mech",
        SERVER_PASSWORD: Str = "server_password",
        SERVER_REALM: Str = "server_realm",
        SERVER_SCRAM_ITER: Str = "server_scram_iter",
        SERVER_SCRAM_SALT: Str = "server_scram_salt",
        SERVER_SERVICE: Str = "server_service",
        SERVER_SKEY: Str = "server_skey",
    }
}

/// Those of `heimdal_gssapi`.
pub mod heimdal_gssapi {
    use eximious_core::Str;

    driver_handles! { crate::options::authenticators::ALL, Authenticator, Some("heimdal_gssapi");
        SERVER_HOSTNAME: Str = "server_hostname",
        SERVER_KEYTAB: Str = "server_keytab",
        SERVER_SERVICE: Str = "server_service",
    }
}

/// Those of `plaintext`.
pub mod plaintext {
    use eximious_core::Str;

    driver_handles! { crate::options::authenticators::ALL, Authenticator, Some("plaintext");
        CLIENT_IGNORE_INVALID_BASE64: bool = "client_ignore_invalid_base64",
        CLIENT_SEND: Str = "client_send",
        SERVER_PROMPTS: Str = "server_prompts",
    }
}

/// Those of `spa`.
pub mod spa {
    use eximious_core::Str;

    driver_handles! { crate::options::authenticators::ALL, Authenticator, Some("spa");
        CLIENT_DOMAIN: Str = "client_domain",
        CLIENT_PASSWORD: Str = "client_password",
        CLIENT_USERNAME: Str = "client_username",
        SERVER_PASSWORD: Str = "server_password",
    }
}

/// Those of `tls`.
pub mod tls {
    use eximious_core::Str;

    driver_handles! { crate::options::authenticators::ALL, Authenticator, Some("tls");
        SERVER_PARAM: Str = "server_param",
        SERVER_PARAM1: Str = "server_param1",
        SERVER_PARAM2: Str = "server_param2",
        SERVER_PARAM3: Str = "server_param3",
    }
}
