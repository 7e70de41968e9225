//! `-bV`, `--help` and `-bI:help`.

use std::fmt::Write;

use eximious::acl::{SCANNERS, TRAFFIC_CLASSES};
use eximious::stdlib::variables::{LANGUAGE_VERSION, RELEASE_DATE, VERSION};
use eximious::{DriverKind, Registry, Runs, World};

use crate::usual;

/// What the program says of itself when it is not told what to do.
pub const USAGE: &str = "\
eximious reads Exim's configuration and takes mail as Exim does. Options and/or
arguments control what it does when called: for example
eximious -be '${uc:hello}'. For a list of them, see eximious help switches.
";

/// The names of code points for packets (`control = dscp`), as `-bI:dscp` lists them.
pub fn dscp() -> String {
    TRAFFIC_CLASSES.iter().map(|(name, _)| format!("{name}\n")).collect()
}

/// What `-bI:` knows.
pub const INFORMATION: &str = "\
The -bI: flag takes a string indicating which information to provide.
If the string is not recognised, you'll get this help (on stderr).

  exim -bI:help    this information
  exim -bI:dscp    list of known dscp value keywords
  exim -bI:sieve   list of supported sieve extensions
";

/// What Exim calls the features that this build has: those that a cargo feature, the
/// world or a record decide, and those that are always there.
fn features(registry: &Registry, world: &World) -> Vec<&'static str> {
    let tls = world.tls.is_there();
    let has_item = |name: &str| registry.all_items().any(|item| item.meta.name == name);
    let has_condition = |name: &str| registry.all_conditions().any(|one| one.meta.name == name);
    let has_lookup = |name: &str| registry.all_lookups().any(|one| one.meta.name == name);
    let has_term = |name: &str| {
        registry.all_acl_terms().any(|one| one.meta.name == name && !one.run.is_not_yet())
    };
    let all = [
        ("Content_Scanning", has_term("malware")),
        ("crypteq", has_condition("crypteq")),
        ("Expand_dlfunc", cfg!(feature = "dlfunc")),
        ("iconv()", true),
        ("IPv6", true),
        ("PAM", has_condition("pam")),
        ("Perl", has_item("perl")),
        ("OpenSSL", tls),
        ("move_frozen_messages", true),
        ("TLS_resume", tls),
        ("DANE", tls),
        ("DKIM", has_term("dkim_status")),
        ("DMARC", has_term("dmarc_status")),
        ("DNSSEC", true),
        ("ESMTP_Limits", true),
        ("ESMTP_Wellknown", true),
        ("Event", true),
        ("I18N", true),
        ("OCSP", tls),
        ("PIPECONNECT", true),
        ("PRDR", true),
        ("PROXY", true),
        ("SOCKS", true),
        ("SPF", has_lookup("spf")),
        ("SRS", has_item("srs_encode")),
        ("XCLIENT", true),
        ("Experimental_ARC", registry.all_acl_verifies().any(|one| one.meta.name == "arc")),
        ("Experimental_Brightmail", true),
        ("Experimental_DCC", has_term("dcc")),
        ("Experimental_DSN_info", true),
        ("Experimental_QUEUEFILE", registry.all_drivers().any(|one| one.meta.name == "queuefile")),
    ];
    all.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect()
}

/// Which version it is, and what it knows, as Exim's `-bV` says it: of drivers, those that
/// do their work.
pub fn version(registry: &Registry, world: &World) -> String {
    let mut text = format!(
        "Exim version {VERSION} #1 built {RELEASE_DATE}\n\
         The language of Exim {LANGUAGE_VERSION}, with the answers of Exim 4.98.2\n"
    );
    let lookups = registry.all_lookups().map(|lookup| lookup.meta.name).collect();
    let drivers = |kind: DriverKind| {
        let own = registry.all_drivers().filter(|driver| driver.kind == kind);
        let ready = own.filter(|driver| !matches!(driver.run, Runs::NotYet));
        // What it writes to is told with it.
        let shown = ready.map(|driver| match driver.meta.name {
            "appendfile" => "appendfile/maildir/mailstore/mbx",
            name => name,
        });
        shown.collect()
    };
    let scanners = SCANNERS.iter().filter(|scanner| !scanner.run.is_not_yet());
    let lines: [(&str, Vec<&str>); 6] = [
        ("Support for", features(registry, world)),
        ("Lookups (built-in)", lookups),
        ("Authenticators", drivers(DriverKind::Authenticator)),
        ("Routers", drivers(DriverKind::Router)),
        ("Transports", drivers(DriverKind::Transport)),
        ("Malware", scanners.map(|scanner| scanner.meta.name).collect()),
    ];
    for (head, names) in lines.iter().filter(|(_, names)| !names.is_empty()) {
        let _ = writeln!(text, "{head}: {}", names.join(" "));
    }
    text.push_str("Fixed never_users: 0\nConfigure owner: 0:0\nSize of off_t: 8\n");
    text
}

/// Where a configuration is looked for, if none was named, and which was read: the last lines
/// of `-bV`.
pub fn configuration(named: bool, file: Option<&[u8]>) -> Vec<u8> {
    let found = match file {
        Some(file) => [b"Configuration file is ", file, b"\n"].concat(),
        None => b"No configuration file is read: there is none where Exim has it, -C FILE names \
                  one\n"
            .to_vec(),
    };
    match named {
        true => found,
        false => [b"Configuration file search path is ", usual::FILES, b"\n", &found].concat(),
    }
}
