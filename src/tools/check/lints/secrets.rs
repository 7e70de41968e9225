//! Secrets that anybody can read.

use eximious_grammar::expansion::{Arg, Tree};
use eximious_stdlib::options::opt::{self, authenticator as a, transport::smtp};

use crate::tools::check::survey::Use;
use crate::tools::check::{Lint, Severity, Spot, Survey, Text};

/// Options that hold lists of servers with passwords in them.
const SERVERS: [&str; 5] =
    ["ibase_servers", "mysql_servers", "oracle_servers", "pgsql_servers", "redis_servers"];
/// Options that hold a secret.
const SECRETS: [&str; 6] = [
    a::spa::CLIENT_PASSWORD.name(),
    a::cram_md5::CLIENT_SECRET.name(),
    a::spa::SERVER_PASSWORD.name(),
    a::cram_md5::SERVER_SECRET.name(),
    opt::SRS_CONFIG.name(),
    opt::SRS_SECRETS.name(),
];

/// W601.
pub(super) static SECRET_SHOWN: Lint = Lint {
    code: "W601",
    name: "secret-shown",
    severity: Severity::Warning,
    summary: "A secret stands in the file without `hide`.",
    docs: "`exim -bP` shows the value to every user of the system. `hide` before the option's name, \
           and since 4.94 before a named list, keeps it from those who do not administrate; the \
           file itself must not be readable either. Passwords are looked for in options that are \
           made for them, in lists of servers, in queries of `ldap`, and among the arguments of \
           items that sign.",
    bad: "mysql_servers = localhost/mail/exim/secret\n",
    good: "hide mysql_servers = localhost/mail/exim/secret\n",
    run: |survey, findings| {
        for text in &survey.texts {
            let Some((name, spot)) = shown(survey, text) else { continue };
            if of_option(text) || text.tree.as_ref().is_some_and(|tree| inside(survey, tree)) {
                let message = format!("{name} holds a secret that exim -bP shows to everybody");
                findings.add_with(spot, message, format!("write hide {name} = …"));
            }
        }
    },
};

/// What `-bP` shows a text as, and where that stands; `None` where it hides it,
/// or does not know it.
fn shown(survey: &Survey<'_>, text: &Text<'_>) -> Option<(String, Spot)> {
    let (setting, hidden) = match text.of {
        Use::Main(setting) => (setting, &survey.config.hidden),
        Use::Driver(one, setting) => (setting, &one.hidden),
        Use::List(kind, name) => {
            let hidden = survey.config.lines[text.line].text.starts_with(b"hide");
            let name = format!("{} {}", kind.word(), String::from_utf8_lossy(name));
            return (!hidden).then(|| (name, survey.line(text.line)));
        }
        _ => return None,
    };
    let name = setting.option.meta.name;
    (!hidden.contains(name)).then(|| (name.to_owned(), survey.named(setting)))
}

/// Whether the value of an option is a secret, or has one in it.
fn of_option(text: &Text<'_>) -> bool {
    let Some(option) = text.option() else { return false };
    let name = option.meta.name;
    let expanded = text.text.contains(&b'$');
    if SERVERS.contains(&name) {
        let part = if name == "redis_servers" { 2 } else { 3 };
        return text.text.split(|c| *c == b':').any(|server| password(server, part));
    }
    // `^name^password`, with nothing that is looked up.
    if a::plaintext::CLIENT_SEND.is(option) || a::external::CLIENT_SEND.is(option) {
        let mut words = text.text.split(|c| *c == b'^');
        return !expanded
            && text.text.starts_with(b"^")
            && words.nth(2).is_some_and(|word| !word.is_empty());
    }
    if smtp::DKIM_PRIVATE_KEY.is(option) {
        return text.text.starts_with(b"-----BEGIN");
    }
    if smtp::SOCKS_PROXY.is(option) {
        return assigned(&text.text, b"pass=");
    }
    // What is looked up is no secret.
    SECRETS.contains(&name) && !text.text.is_empty() && !expanded
}

/// Whether a server's description has a password as its last part:
/// `host/database/user/password`.
fn password(server: &[u8], part: usize) -> bool {
    let password = server.split(|c| *c == b'/').nth(part).unwrap_or_default().trim_ascii();
    !password.is_empty() && !password.contains(&b'$')
}

/// Whether a word such as `pass=` has a value that is not looked up.
fn assigned(text: &[u8], word: &[u8]) -> bool {
    memchr::memmem::find_iter(text, word).any(|at| {
        let starts = at == 0 || matches!(text[at - 1], b' ' | b'\t' | b'{' | b'/' | b'\n');
        let value = &text[at + word.len()..];
        let value = value.strip_prefix(b"\"").unwrap_or(value);
        starts && value.first().is_some_and(|c| !c.is_ascii_whitespace() && *c != b'$')
    })
}

/// Whether an expansion has a secret in it.
fn inside(survey: &Survey<'_>, tree: &Tree) -> bool {
    let registry = survey.registry;
    let plain = |arg: Option<&Arg>| match arg {
        Some(Arg::Text(seq)) => tree.view().literal(*seq).is_some_and(|text| !text.is_empty()),
        _ => false,
    };
    let servers = tree.lookups().iter().any(|lookup| {
        let part = if registry.lookup_at(lookup.def).meta.name == "redis" { 2 } else { 3 };
        let servers = tree.view().text(lookup.options).strip_prefix(b"servers=");
        servers.is_some_and(|servers| servers.split(|c| *c == b':').any(|one| password(one, part)))
    });
    let ldap = tree
        .lookups()
        .iter()
        .any(|lookup| registry.lookup_at(lookup.def).meta.name.starts_with("ldap"));
    let signs = tree.calls().iter().any(|call| {
        let args = tree.view().call_args(call);
        match registry.item_at(call.def).meta.name {
            "hmac" | "prvs" => plain(args.get(1)),
            "srs_encode" => plain(args.first()),
            _ => false,
        }
    });
    servers || (ldap && assigned(tree.source(), b"pass=")) || signs
}
