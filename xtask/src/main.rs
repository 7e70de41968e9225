//! Chores of the workspace: `cargo xtask pages [--check]` writes the pages that
//! are made from the registry, or says that they are stale; `cargo xtask api [--check]` does
//! the same with the list of what the library offers; `cargo xtask features` checks
//! that the library can be built in parts; `cargo xtask hunt KIND` looks for faults beside
//! a real Exim (`tests/src/hunt.rs`).

mod api;
mod features;
mod textmate;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use eximious::acl::SCANNERS;
use eximious::debugging::DebugSelector;
use eximious::{
    AclTermKind, DriverKind, Effects, Meta, OptionDef, OptionEffect, OptionPlace, Runs, TaintRule,
};
use eximious_workbench::testing::file::TestFile;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["pages"] => pages(false),
        ["pages", "--check"] => pages(true),
        ["api"] => api::run(&root(), false),
        ["api", "--check"] => api::run(&root(), true),
        ["features"] => features::check(&root()),
        ["hunt", ref wanted @ ..] => hunt(wanted),
        _ => {
            eprintln!("usage: cargo xtask pages [--check]");
            eprintln!("       cargo xtask api [--check]");
            eprintln!("       cargo xtask features");
            eprintln!("       cargo xtask hunt KIND --seed N [--count N]");
            ExitCode::from(2)
        }
    }
}

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Builds the program, and starts the hunt beside it: the tests have all that it needs,
/// and other chores do without them.
fn hunt(wanted: &[&str]) -> ExitCode {
    let root = root();
    let cargo = || {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&root);
        cargo
    };
    let mut build = cargo();
    build.args(["build", "-q", "-p", "eximious-repl", "-p", "eximious-tests", "--all-features"]);
    if !build.status().is_ok_and(|status| status.success()) {
        return ExitCode::from(2);
    }
    let folder = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let folder = root.join(folder.unwrap_or_else(|| "target".into())).join("debug");
    let mut hunt = Command::new(folder.join("hunt"));
    hunt.args(wanted).env("EXIMIOUS_PROGRAM", folder.join("eximious"));
    match hunt.status().ok().and_then(|status| status.code()) {
        Some(code) => ExitCode::from(u8::try_from(code).unwrap_or(2)),
        None => ExitCode::from(2),
    }
}

fn pages(check: bool) -> ExitCode {
    let root = root();
    let mut stale = false;
    for (name, text) in [
        ("COMPATIBILITY.md", compatibility(&root)),
        ("editors/vscode/syntaxes/exim.tmLanguage.json", textmate::grammar(&eximious::registry())),
        ("docs/eximtest.schema.json", format!("{:#}\n", TestFile::schema())),
    ] {
        let path = root.join(name);
        let current = std::fs::read_to_string(&path).unwrap_or_default();
        if current == text {
            continue;
        }
        if check {
            eprintln!("{name} is stale: cargo xtask pages");
            stale = true;
        } else if let Err(error) = std::fs::write(&path, text) {
            eprintln!("{name}: {error}");
            stale = true;
        }
    }
    if stale { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// What was an experiment of some release, and how it stands here.
const SYSTEMS: &str = "\n## Mail authentication and former experiments\n\n\
    | system | how it stands |\n|---|---|\n\
    | SPF | `spf`, `spf_guess`, the lookup type, every variable; RFC 7208's suite passes |\n\
    | DKIM | verifying, with `acl_smtp_dkim`; signing is compared with dkimpy and OpenDKIM, both ways |\n\
    | DMARC | by the list of suffixes, or by RFC 9989's walk (`dmarc_tree_walk`, which Exim \
    lacks); history that opendmarc-import reads; reports on single failures, to other \
    organisations only where they want them |\n\
    | ARC | validating and sealing; the published suites pass but for what RFC 6376 leaves open \
    or says otherwise; `arc_sign` seals behind DKIM, what the topmost \
    `Authentication-Results` line of its identity says |\n\
    | SRS (native) | `srs_encode`, `inbound_srs`; the experimental sample runs whole |\n\
    | SRS (libsrs_alt) | the options and variables, SRS0, SRS1, several secrets, a database; \
    addresses are those of `Mail::SRS`, and `$srs_status` has words of our own |\n\
    | DCC | dccifd's protocol, over a socket or TCP |\n\
    | Brightmail | the vendor's library can't be had: whatever plays the scanner listens at a \
    socket (`docs/brightmail.md`), or is an organ of the `World` that an embedder brings; \
    `bmi_optin` is not there |\n\
    | Content scanning | `malware` with each kind of scanner, `spam` with SpamAssassin and \
    Rspamd, the ACLs for MIME parts, `regex`, `mime_regex` |\n\
    | PRDR | `prdr_enable`, `acl_smtp_data_prdr`, `hosts_try_prdr` |\n\
    | OCSP stapling | `tls_ocsp_file`, `hosts_request_ocsp`, `hosts_require_ocsp` |\n\
    | Names in certificates | `tls_verify_cert_hostnames` |\n\
    | DANE | `hosts_try_dane`, `hosts_require_dane`, `dane_require_tls_ciphers`, \
    `$tls_out_dane`, `$tls_out_tlsa_usage`, the event `dane:fail` |\n\
    | Events, TPDA | `event_action`; what TPDA called the options and variables is understood |\n\
    | Redis | the lookup type `redis`, with `redis_servers` |\n\
    | LMDB | the lookup type `lmdb` |\n\
    | PROXY | `hosts_proxy`, both versions of the protocol |\n\
    | SOCKS | `socks_proxy` |\n\
    | Internationalised mail | SMTPUTF8, `utf8_downconvert`, the operators for names |\n\
    | queuefile | the transport |\n\
    | More in bounces (`EXPERIMENTAL_DSN_INFO`) | `bounce_host_details` |\n";

/// What is to be known of TLS by those who come from a GnuTLS build.
const TLS: &str = "\n## TLS\n\n\
    TLS is OpenSSL's here (cargo feature `tls`); Debian's Exim is built with GnuTLS, and the \
    specification describes both. Dialogues over TLS are compared with Debian's build; what \
    follows differs.\n\n\
    - `tls_require_ciphers` is a list of OpenSSL's, as in specification 43.4, not a priority \
    string: `NORMAL:-VERS-TLS1.0` is refused when TLS begins (`454`, and a line in the main \
    log). Versions are chosen by `openssl_options`: `+no_tlsv1_2`. `tls_eccurve` and \
    `tls_dh_min_bits` are heeded, `gnutls_*` are accepted and do nothing.\n\
    - Ciphers have OpenSSL's names: `$tls_in_cipher` is `TLS1.3:TLS_AES_256_GCM_SHA384:256`, \
    and `$tls_in_cipher_std` is the name in the RFC for TLS 1.3, too. Faults are named by \
    OpenSSL's functions and reasons: `(SSL_accept): error:0A00010B:SSL routines::wrong version \
    number`.\n\
    - Distinguished names have commas, as with GnuTLS: `C=GB,O=Test,CN=client.test`. The event \
    `tls:cert` is raised for each certificate that was received, as with GnuTLS.\n\
    - `tls_verify_certificates` names all that are believed, as with GnuTLS; those of the \
    system are not added. With `tls_crl`, each authority of a chain needs a list, as with \
    OpenSSL.\n\
    - A look-up in a list that can't be opened (`domains = lsearch;/no/such`, a file that is \
    missing, a pattern that is none) is written to the panic log, and defers: ACLs answer `451`, \
    routers keep the address; Exim 4.98 logs the same, and ends the process (`421`, or nothing \
    at all with `-bt`).\n\
    - SPF says what RFC 7208 says of a sender whose own record can't be had now (`temperror`) or \
    is malformed (`permerror`); Exim 4.98's library has `(invalid)` for both, which no word of \
    `spf` but `invalid` fits, and no comment.\n\
    - `tls_dhparam`: `default`, `historic` and Exim's own primes stand for `ffdhe2048`. A file \
    that is not there is an error.\n\
    - Where TLS comes first, a `message` of `acl_smtp_connect` is the greeting, as without \
    TLS; Exim 4.98 forgets it, and greets clients without a certificate with `220 certificate \
    not supplied` where one was asked for.\n\
    - A session over pipes (`-bs`) can speak TLS; Exim wants a socket. When TLS ends, the \
    connection does.\n\
    - `bounce_return_message = false` leaves the message out of reports, as the specification \
    says; Exim 4.98 returns it all the same.\n\
    - A warning (`delay_warning`) gives what `:defer:` and the hosts said as the reason, and never \
    what is wrong in the configuration or the files here; where an address waits for its time, \
    Exim 4.98 shows whatever it has noted.\n\
    - A command line for a shell (`use_shell`) that has text from outside in it is refused, as \
    such arguments are without a shell; Exim 4.98 runs it.\n\
    - `maildir_use_size_file` does nothing for a directory that is no maildir; Exim 4.98 makes the \
    file there, or puts the message off where there is no `tmp` for it.\n\
    - With `force_command`, `$address_pipe` stands for the words of a user's command as they are; \
    Exim 4.98 expands them first, so that a user has run what the transport was to keep from \
    him, and loses their order.\n\
    - The address of `errors_to` is verified by itself; in Exim 4.98 that leaves its own `r_…` \
    variables behind, and neither `$local_part_prefix_v` nor `$local_part_suffix_v`, for what the \
    router expands afterwards (`headers_add`, `headers_remove`, `unseen`).\n\
    - Whether somebody wants to hear of a delay (`NOTIFY=DELAY`) is asked for each recipient; Exim \
    4.98 asks the first one. `queue_smtp_domains` keeps a message that has such a domain, as the \
    specification says; Exim 4.98 looks at the first one.\n\
    - Where one address of `-Mmd` or `-Mar` is wrong, nothing is changed and nothing is logged; Exim \
    4.98 logs the others as if they had been changed.\n\
    - Who is no administrator is not told whether a message is there (`-Mrm`, `-Mg` and their kin).\n\
    - Where the configuration is wrong when the daemon has SIGHUP, it goes on with the one that it \
    has; Exim ends.\n\
    - A report of what a program handed in has its lines whole; Exim 4.98 cuts them at NUL bytes.\n\
    - The daemon writes to a message's own log (`-Mvl`) when an attempt to deliver it ends, and \
    after a second at the latest. A message that is delivered by then never has one.\n\
    - A message of which a host refuses every recipient after it had the first part of it \
    (`BDAT` with the envelope) is not sent to its end; Exim 4.98 sends the rest for nobody. Where \
    the host closes the connection instead of an answer to that part, Exim 4.98 takes the message \
    for delivered; here it waits. What a recipient is told of a host that says nothing to him is \
    the same as without `BDAT`; Exim 4.98 says nothing.\n\
    - A host's temporary refusal of a recipient whom another host then took is not kept: the next \
    message for him does not wait.\n\
    - `freeze_tell` for messages that an ACL freezes is silent about those that were written here, \
    so that there is an end to it.\n\
    - A host that could not be reached, or broke off, is not tried again for other recipients \
    of the same message in the same attempt, unless it is forced: Debian's build tries it for \
    each delivery anew.\n\
    - What breaks TLS off is logged once, as `(SSL_read)` or `(SSL_write)`. A host that leaves \
    without a word once it has answered `QUIT` is not logged; Debian's build logs it.\n\
    - DANE, OCSP and resumption on the client's side are compared with Debian's build, host by \
    host. The library's own words for what is wrong with a certificate differ. Of records with \
    several digests the strongest counts (RFC 7671, section 9), and an authority that stands \
    whole in the DNS need not be shown by the host; Debian's build takes any record that fits, \
    and wants the authority shown. As the specification says, a host that the DNS vouches for by \
    itself (usage 3) is not asked for a proof; Debian's build asks it. A proof that the certificate was revoked counts against it even where it was \
    only asked for. With DANE no session is taken up again: what the DNS says is looked at each \
    time.\n\
    - `tls_ocsp_file`: a proof that is outdated, of another certificate, or says that it was \
    revoked, is not sent, and the main log says so; Debian's build refuses TLS then. A proof for \
    several certificates of a chain (a combined OCSP response) is sent and believed as a whole, \
    if the server certificate's own issuer gives it. Of several in one PEM file, only the one for \
    the server's own certificate is sent, under TLS 1.3 too, where GnuTLS sends all: OpenSSL \
    knows of no more than one before 3.6.\n\
    - `tls_ticket_secret_file` is eximious's own: daemons that share it take up each other's \
    sessions, and theirs from before a restart.\n\
    - The smtp transport's `mta_sts_domains` and `tlsrpt_domains`, and `eximious tlsrpt`, are \
    eximious's own: MTA-STS (RFC 8461) and reports (RFC 8460). Nothing is sent by itself.\n";

fn compatibility(root: &Path) -> String {
    let registry = eximious::registry();
    let mut page = String::from(
        "# Compatibility with Exim\n\n\
         This page is made from the registry (`cargo xtask pages`). The language is that of \
         Exim 4.100's specification; the program it is compared with, line by line in every test \
         run, is 4.98.2. A name without a remark works, and one that needs something works where \
         that is there; *not yet* means that it is known, is parsed, and gives a clear error when \
         it is used.\n",
    );
    section(&mut page, "Expansion items", registry.all_items().map(|r| &r.meta));
    section(&mut page, "Operators", registry.all_operators().map(|r| &r.meta));
    section(&mut page, "Conditions", registry.all_conditions().map(|r| &r.meta));
    section(&mut page, "Lookup types", registry.all_lookups().map(|r| &r.meta));
    section(&mut page, "Variables", registry.all_variables().map(|r| &r.meta));
    for (title, kind) in
        [("ACL conditions", AclTermKind::Condition), ("ACL modifiers", AclTermKind::Modifier)]
    {
        let terms = registry.all_acl_terms().filter(|term| term.kind == kind);
        runs(&mut page, title, terms.map(|term| (&term.meta, &term.run)));
    }
    let controls = registry.all_acl_controls().map(|one| (&one.meta, &one.run));
    runs(&mut page, "What `control` may name", controls);
    let verifies = registry.all_acl_verifies().map(|one| (&one.meta, &one.run));
    runs(&mut page, "What `verify` may name", verifies);
    for kind in [DriverKind::Router, DriverKind::Transport, DriverKind::Authenticator] {
        let title = format!("Drivers: {}s", kind.name());
        let drivers = registry.all_drivers().filter(|driver| driver.kind == kind);
        runs(&mut page, &title, drivers.map(|driver| (&driver.meta, &driver.run)));
    }
    let scanners = SCANNERS.iter().map(|scanner| (&scanner.meta, &scanner.run));
    runs(&mut page, "Malware scanners (`av_scanner`)", scanners);
    let main: Vec<&OptionDef> =
        registry.all_options().filter(|option| option.place == OptionPlace::Main).collect();
    options(&mut page, "Main options", &main);
    for kind in [DriverKind::Router, DriverKind::Transport, DriverKind::Authenticator] {
        let own = |option: &&OptionDef| match option.place {
            OptionPlace::Generic(of) | OptionPlace::Driver(of, _) => of == kind,
            OptionPlace::Main => false,
        };
        let all: Vec<&OptionDef> = registry.all_options().filter(own).collect();
        options(&mut page, &format!("Options of {}s", kind.name()), &all);
    }
    page.push_str(SYSTEMS);
    let selectors = DebugSelector::names();
    let _ = write!(
        page,
        "\n## Selectors of `-d` ({})\n\n| name | what is told |\n|---|---|\n",
        selectors.len()
    );
    for one in selectors {
        let _ = writeln!(page, "| `{}` | {} |", one.name, cell(one.tells));
    }
    page.push_str(TLS);
    page.push_str("\n## Known differences\n\nEach is tested to differ still.\n\n");
    let list = std::fs::read_to_string(root.join("tests/known-differences.txt"));
    let mut reason = String::new();
    for line in list.unwrap_or_default().lines() {
        if let Some(text) = line.strip_prefix("# ") {
            reason.push_str(text);
            reason.push(' ');
        } else if let Some(text) = line.strip_prefix("> ") {
            let _ = writeln!(page, "- `{text}`: {}", reason.trim());
            reason.clear();
        }
    }
    page
}

fn section<'a>(page: &mut String, title: &str, metas: impl Iterator<Item = &'a Meta>) {
    let mut rows: Vec<&Meta> = metas.collect();
    rows.sort_by_key(|m| m.name);
    let _ = write!(
        page,
        "\n## {title} ({})\n\n| name | what it is | effects | taint | remark |\n|---|---|---|---|---|\n",
        rows.len()
    );
    for meta in rows {
        let mut name = format!("`{}`", meta.name);
        for alias in meta.aliases {
            let _ = write!(name, ", `{alias}`");
        }
        let remark = remark(meta, false);
        let _ = writeln!(
            page,
            "| {name} | {} | {} | {} | {remark} |",
            cell(meta.summary),
            effects(meta.effects),
            taint(meta.taint),
        );
    }
}

/// What runs, or does not yet.
fn runs<'a>(page: &mut String, title: &str, all: impl Iterator<Item = (&'a Meta, &'a Runs)>) {
    let mut rows: Vec<_> = all.collect();
    rows.sort_by_key(|(meta, _)| meta.name);
    let count = rows.len();
    let _ =
        write!(page, "\n## {title} ({count})\n\n| name | what it is | remark |\n|---|---|---|\n");
    for (meta, run) in rows {
        let remark = remark(meta, run.is_not_yet());
        let _ = writeln!(page, "| `{}` | {} | {remark} |", meta.name, cell(meta.summary));
    }
}

/// Options, and which drivers have them.
fn options(page: &mut String, title: &str, all: &[&OptionDef]) {
    let count = all.len();
    let _ = write!(
        page,
        "\n## {title} ({count})\n\n| name | of | what it is | remark |\n|---|---|---|---|\n"
    );
    for option in all {
        let of = match option.place {
            OptionPlace::Driver(_, driver) => format!("`{driver}`"),
            OptionPlace::Generic(_) => "all".to_owned(),
            OptionPlace::Main => String::new(),
        };
        let not_yet = option.effect == OptionEffect::NotYet;
        let meta = &option.meta;
        let remark = match option.effect {
            OptionEffect::Never(why) => format!("no effect: {why}"),
            _ => remark(meta, not_yet),
        };
        let _ = writeln!(page, "| `{}` | {of} | {} | {remark} |", meta.name, cell(meta.summary));
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn remark(meta: &Meta, not_yet: bool) -> String {
    let gone = (!meta.until.is_empty()).then(|| format!("gone with {}", meta.until));
    let not_yet = match meta.needs {
        "" if not_yet => Some("*not yet*".to_owned()),
        "" => None,
        needs if not_yet => Some(format!("*not yet*: {needs}")),
        needs => Some(format!("needs {needs}")),
    };
    let since = (!meta.since.is_empty()).then(|| format!("since {}", meta.since));
    gone.or(not_yet).or(since).unwrap_or_default()
}

fn effects(effects: Effects) -> String {
    effects.iter_names().map(|(name, _)| name.to_lowercase()).collect::<Vec<_>>().join(", ")
}

fn taint(rule: TaintRule) -> &'static str {
    match rule {
        TaintRule::Arguments => "of its arguments",
        TaintRule::Clean => "clean",
        TaintRule::Tainted => "tainted",
        TaintRule::Result => "of its result",
        TaintRule::Quoted => "quoted",
    }
}
