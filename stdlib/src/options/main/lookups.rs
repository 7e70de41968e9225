//! Main options: servers and files of lookups, and Perl.

use eximious_core::OptionDef;

use crate::options::At;

const AT: At = At::main("specification 14.23");

pub(super) static ALL: &[OptionDef] = &[
    AT.list("ibase_servers")
        .unprinted()
        .summary("Firebird servers, as `host/database/user/password`.")
        .docs("It is wise to write `hide` before it.")
        .until("4.100"),
    AT.text("ldap_ca_cert_dir")
        .summary("The directory of certificates that an LDAP server's is checked against."),
    AT.text("ldap_ca_cert_file")
        .summary("The file of certificates that an LDAP server's is checked against."),
    AT.text("ldap_cert_file").summary("The certificate that LDAP servers get to see."),
    AT.text("ldap_cert_key").summary("The key of the certificate in `ldap_cert_file`."),
    AT.text("ldap_cipher_suite").summary("The ciphers that may be used with LDAP servers."),
    AT.list("ldap_default_servers").summary("LDAP servers for queries that name none."),
    AT.text("ldap_require_cert")
        .summary("How strictly an LDAP server's certificate is checked.")
        .docs("`hard`, `demand`, `allow`, `try` or `never`; another word is as good as `never`."),
    AT.no("ldap_start_tls").summary("Encrypts connections to LDAP servers on the ordinary port."),
    AT.integer("ldap_version")
        .default("-1")
        .summary("The version of the LDAP protocol; -1 tries 3."),
    AT.integer("lookup_open_max")
        .idle("files of look-ups are not kept open")
        .default("25")
        .summary("How many files of lookups stay open at the same time."),
    AT.list("mysql_servers")
        .summary("MySQL servers, as `host/database/user/password`.")
        .docs("It is wise to write `hide` before it."),
    AT.list("oracle_servers")
        .unprinted()
        .summary("Oracle servers, as `service//user/password`.")
        .docs("It is wise to write `hide` before it."),
    AT.no("perl_at_start")
        .summary("Starts the Perl interpreter with the program, not when it is first called."),
    AT.text("perl_startup").summary("Perl code that runs when the interpreter starts."),
    AT.no("perl_taintmode").summary("Runs Perl with its own taint checks."),
    AT.list("pgsql_servers")
        .summary("PostgreSQL servers, as `host/database/user/password`.")
        .docs("It is wise to write `hide` before it."),
    AT.list("redis_servers")
        .summary("Redis servers, as `host/number/password`.")
        .docs("It is wise to write `hide` before it. For a cluster, all its servers are named."),
    AT.text("sqlite_dbfile")
        .since("4.94")
        .summary("The file that sqlite lookups ask where the lookup names none."),
    AT.integer("sqlite_lock_timeout")
        .default("5")
        .summary("How many seconds a locked sqlite file is waited for.")
        .docs(
            "The specification calls it a time, but the program takes a plain number of seconds \
             only.",
        ),
];
