//! The pages of what a configuration is written in: directives, sections, macros, named lists
//! and the kinds of values. They are no words of the registry, and so have pages here.

use std::fmt::Write;

use super::wrap;

/// A page.
struct Form {
    /// Its names, the first of which it is shown under.
    names: &'static [&'static str],
    /// What it is one of.
    kind: &'static str,
    /// How it is written.
    syntax: &'static str,
    /// What it does.
    docs: &'static str,
    /// A configuration that has it.
    example: &'static str,
    /// Where Exim's specification says so.
    source: &'static str,
}

/// All pages.
const FORMS: &[Form] = &[
    Form {
        names: &[".include", ".include_if_exists"],
        kind: "directive",
        syntax: ".include <file>\n.include_if_exists <file>",
        docs: "The lines of the file stand in the place of this one, which has a line to itself; \
               it may stand between continued lines, too. `.include` fails where there is no \
               such file, and a relative name counts from the folder of the file that includes. \
               `.include_if_exists` passes over a file that is not there, and wants the whole \
               path. Macros are put in before the name is read. The daemon reads such files \
               anew when it gets SIGHUP, as the configuration itself.",
        example: "primary_hostname = mx.example.com\n.include_if_exists /etc/exim4/local.conf\n",
        source: "6.3",
    },
    Form {
        names: &[".ifdef", ".ifndef", ".elifdef", ".elifndef", ".else", ".endif"],
        kind: "directive",
        syntax: ".ifdef <macros>     .ifndef <macros>\n.elifdef <macros>   .elifndef <macros>\n\
                 .else               .endif",
        docs: "Lines that are read or left out, by which macros are defined: `.ifdef` is true \
               where any macro was put in on its line, `.ifndef` where none was. So the name of \
               a macro that is part of a longer word counts, several names mean \"or\", and \
               for \"and\" one stands within the other. What a macro's text says does not matter. \
               What follows `.else` and `.endif` is a comment.\n\n\
               Macros whose names begin with an underscore say what the program has: \
               `_HAVE_TLS`, `_DRIVER_ROUTER_DNSLOOKUP`; exim -bP macros shows them.",
        example: ".ifdef _HAVE_TLS\ntls_advertise_hosts = *\n.else\nlog_selector = +smtp_connection\n.endif\n",
        source: "6.10, 6.9",
    },
    Form {
        names: &["macro", "macros", "=="],
        kind: "form of a configuration",
        syntax: "NAME = <text>\nNAME == <text>",
        docs: "A line that begins with a capital letter defines a macro, before the first section or between routers, transports, authenticators and \
               ACLs. From there on, its text takes the place of its name wherever that stands, \
               in the middle of a word, too; no name may have one in it that was defined before. \
               Quotes stay in the text, and nothing is expanded yet. `==` gives a macro that \
               there is another text. One that -D gives from the command line keeps that text.\n\n\
               A named list is better where items are meant: `! +list` negates all of them, and \
               `!MACRO` the first alone.",
        example: "CONFDIR = /etc/exim4\nQUOTA = 100M\nQUOTA == 200M\n\
                  system_filter = CONFDIR/system.filter\nmessage_size_limit = QUOTA\n",
        source: "6.4 to 6.7",
    },
    Form {
        names: &["begin", "section", "sections"],
        kind: "form of a configuration",
        syntax: "begin <section>",
        docs: "Ends the part before it, and begins a section: acl, authenticators, routers, \
               transports, retry, rewrite or local_scan. Main options and named lists stand \
               before the first; the sections may come in any order, and none has to be there. \
               No \"end\" is needed.",
        example: "qualify_domain = example.com\nbegin routers\nlocal:\n  driver = accept\n  \
                  transport = inbox\nbegin transports\ninbox:\n  driver = appendfile\n  \
                  file = /var/mail/$local_part_data\n",
        source: "6.2",
    },
    Form {
        names: &["main", "main section", "main options"],
        kind: "section",
        syntax: "<option> = <value>",
        docs: "What stands before the first `begin`: options that hold for the whole program, \
               macros and named lists. eximious list main-options shows all options; their \
               order does not matter, and each is set once.",
        example: "primary_hostname = mx.example.com\nqualify_domain = example.com\nqueue_only\n",
        source: "6.2, 14",
    },
    Form {
        names: &["acl", "acls", "access control list"],
        kind: "section",
        syntax: "begin acl\n<name>:\n  <verb> <condition> = <value>\n         <modifier> = <value>",
        docs: "Access control lists decide what an SMTP client may do. Options such as \
               `acl_smtp_rcpt` say which is asked when. Each statement begins with a verb \
               (accept, defer, deny, discard, drop, require, warn); it holds where all its \
               conditions are true, and the first one that decides ends the list. Behind the \
               last there is an invisible `deny`.",
        example: "acl_smtp_rcpt = rcpt\ndomainlist local_domains = example.com\nbegin acl\nrcpt:\n  \
                  accept domains = +local_domains\n         verify = recipient\n  \
                  deny   message = no relaying here\n",
        source: "44",
    },
    Form {
        names: &["routers", "router"],
        kind: "section",
        syntax: "begin routers\n<name>:\n  driver = <driver>\n  <option> = <value>",
        docs: "Each address is offered to the routers, in the order in which they stand, until \
               one takes it, fails it, or says that no more are asked. Conditions such as \
               `domains` and `local_parts` say which addresses a router is for. It hands an \
               address to a transport, or makes others of it. eximious help drivers shows the \
               drivers, eximious list router-options the options.",
        example: "domainlist local_domains = example.com\nbegin routers\nout:\n  driver = dnslookup\n  \
                  domains = ! +local_domains\n  transport = remote\n  no_more\n\
                  begin transports\nremote:\n  driver = smtp\n",
        source: "3.10, 15",
    },
    Form {
        names: &["transports", "transport"],
        kind: "section",
        syntax: "begin transports\n<name>:\n  driver = <driver>\n  <option> = <value>",
        docs: "How a message leaves: to another host (smtp, lmtp), into a file (appendfile), to \
               a command (pipe), as an answer (autoreply). Routers and some main options name \
               them, so their order does not matter. eximious list transport-options shows \
               the options.",
        example: "begin routers\nlocal:\n  driver = accept\n  check_local_user\n  transport = inbox\n\
                  begin transports\ninbox:\n  driver = appendfile\n  file = /var/mail/$local_part_data\n  \
                  delivery_date_add\n",
        source: "24",
    },
    Form {
        names: &["authenticators", "authenticator"],
        kind: "section",
        syntax: "begin authenticators\n<name>:\n  driver = <driver>\n  public_name = <mechanism>\n  \
                 <option> = <value>",
        docs: "How clients log in with AUTH (options that begin with server_), and how this host \
               logs in elsewhere (client_), where a transport's `hosts_try_auth` or \
               `hosts_require_auth` says so. As a client, the first that the server offers is \
               taken.",
        example: "auth_advertise_hosts = ${if def:tls_in_cipher{*}}\nbegin authenticators\nplain:\n  \
                  driver = plaintext\n  public_name = PLAIN\n  server_prompts = :\n  \
                  server_condition = ${if crypteq{$auth3}{${lookup{$auth2}lsearch{/etc/exim4/passwd}}}}\n  \
                  server_set_id = $auth2\n",
        source: "33",
    },
    Form {
        names: &["retry", "retry rule", "retry rules"],
        kind: "section",
        syntax: "begin retry\n<address or domain or host>  <error>  <F|G|H>,<until>,<every>[,<factor>]; …",
        docs: "When a delivery that failed for now is tried again. The first rule counts whose \
               pattern and error fit; `*` stands for any. `F,2h,15m` is every fifteen minutes \
               for two hours from the first failure; `G,16h,1h,1.5` begins with an hour, and \
               each wait is half as long again; `H` is as `G`, with chance in it. After the last \
               one's time, the address fails. Where there is no rule, temporary errors are final.",
        example: "begin retry\n*.example.net  refused_A  F,1h,10m\n*  *  F,2h,15m; G,16h,1h,1.5; F,4d,6h\n",
        source: "32",
    },
    Form {
        names: &["rewriting", "rewrite", "rewriting rule", "rewriting rules"],
        kind: "section",
        syntax: "begin rewrite\n<pattern>  <replacement>  <flags>",
        docs: "Addresses of messages that come in, and of those that routers make, are changed \
               by the rules, in their order. The replacement is expanded; `$1` is what the \
               pattern's asterisk stands for. Flags say where: E all of the envelope (F its \
               sender, T its recipients), h all header lines (b, c, f, r, s, t: Bcc, Cc, From, \
               Reply-To, Sender, To), S as SMTP takes the address. Without any, all of them count. After a rule with q \
               no more are asked, one with R is asked again of its result, Q lets the result be \
               without a domain, and w replaces a name and comments besides. exim -brw ADDRESS shows what becomes of one.",
        example: "begin rewrite\n*@old.example  ${quote_local_part:$1}@new.example  Eh\n",
        source: "31",
    },
    Form {
        names: &["local_scan"],
        kind: "section",
        syntax: "begin local_scan\n<option> = <value>",
        docs: "Options of a function in C that a site compiles into Exim. eximious has none, \
               and the section is for configurations that have it; ACLs do the work.",
        example: "qualify_domain = example.com\n",
        source: "46",
    },
    Form {
        names: &[
            "named list",
            "named lists",
            "domainlist",
            "hostlist",
            "addresslist",
            "localpartlist",
            "domainlist_cache",
            "hostlist_cache",
            "addresslist_cache",
            "localpartlist_cache",
        ],
        kind: "form of a configuration",
        syntax: "domainlist <name> = <list>      hostlist <name> = <list>\n\
                 addresslist <name> = <list>     localpartlist <name> = <list>",
        docs: "Gives a list a name, before the first section; `+name` in another list of its \
               kind stands for it, and `! +name` for all that is not in it. What a message asks \
               of a list is remembered, if no dollar is in the list; with `_cache` behind the \
               word (`domainlist_cache`), it is in any case, which is right only for what stays \
               the same as long as a message does. `hide` before it keeps -bP from showing it.",
        example: "domainlist local_domains = @ : example.com : lsearch;/etc/exim4/domains\n\
                  hostlist relay_from_hosts = 127.0.0.1 : 192.0.2.0/24\n\
                  host_lookup = ! +relay_from_hosts\nqualify_domain = example.com\n\
                  acl_smtp_rcpt = rcpt\nbegin acl\nrcpt:\n  accept domains = +local_domains\n",
        source: "10.2.4, 10.2.6",
    },
    Form {
        names: &["lists", "list", "string list", "separator", "<;"],
        kind: "form of a value",
        syntax: "<item> : <item> : …\n<; <item> ; <item> ; …",
        docs: "Items with colons between them; blanks around an item are no part of it, and a \
               colon that belongs to an item is doubled. `<` and another punctuation character at \
               the beginning make that the separator, which spares IPv6 addresses their doubled \
               colons. An empty item at the end does not count. In lists of domains, hosts, \
               addresses and local parts, `!` before an item means that what it matches is not \
               in the list, and the first item that matches decides; `+name` is a named list, \
               `lsearch;/file` a lookup, and `^` begins a regular expression.",
        example: "local_interfaces = <; 127.0.0.1 ; ::1\nhost_lookup = ! 192.0.2.1 : *\n",
        source: "6.20 to 6.22, 10",
    },
    Form {
        names: &["hide"],
        kind: "keyword",
        syntax: "hide <option> = <value>\nhide domainlist <name> = <list>",
        docs: "Before an option or a named list: -bP shows its value to administrators alone, \
               and <value not displayable> to everybody else. Before a driver's option, it hides \
               that option of all instances of the driver. The file's mode has to keep people \
               from reading it besides.",
        example: "hide mysql_servers = localhost/mail/exim/secret\n",
        source: "6.11",
    },
    Form {
        names: &["driver", "drivers", "instance"],
        kind: "form of a configuration",
        syntax: "<name>:\n  driver = <driver>\n  <option> = <value>",
        docs: "A router, a transport or an authenticator is an instance: its name and a colon, \
               then its options. `driver` says which of the program's drivers does the work, and \
               stands before the options that only this driver has; it is best the first. Names \
               are letters, digits and underscores, and each is used once in its section. \
               eximious help drivers shows all drivers, eximious help smtp one of them.",
        example: "begin routers\nstay:\n  driver = accept\n  local_parts = postmaster\n  \
                  transport = inbox\nbegin transports\ninbox:\n  driver = appendfile\n  \
                  file = /var/mail/postmaster\n",
        source: "6.23",
    },
    Form {
        names: &["boolean", "no_", "not_", "yes", "no", "true", "false"],
        kind: "form of a value",
        syntax: "<option>\nno_<option>     not_<option>\n<option> = yes|no|true|false",
        docs: "An option that is on or off: its name alone is on, with no_ or not_ before it, it \
               is off.",
        example: "queue_only\nno_smtp_check_spool_space\nsmtp_accept_keepalive = no\n",
        source: "6.12",
    },
    Form {
        names: &["integer", "size", "number", "octal integer", "fixed point"],
        kind: "form of a value",
        syntax: "<digits>[K|M|G]     0x<hexadecimal>     0<octal>",
        docs: "A whole number. K, M and G multiply it by 1024 once, twice and thrice. After a \
               zero, it is octal, after 0x hexadecimal. Modes of files (\"octal integer\") are \
               octal in any case; a \"fixed-point\" number may have three digits after a point.",
        example: "message_size_limit = 50M\nsmtp_accept_max = 100\nqueue_only_load = 8.5\n",
        source: "6.13 to 6.15",
    },
    Form {
        names: &["time", "time interval", "interval"],
        kind: "form of a value",
        syntax: "<number>s|m|h|d|w …",
        docs: "A length of time: numbers, each with the letter of its unit right behind it, for \
               seconds, minutes, hours, days and weeks. 1h30m and 90m are the same.",
        example: "ignore_bounce_errors_after = 2d\ntimeout_frozen_after = 1w\nsmtp_receive_timeout = 1m30s\n",
        source: "6.16",
    },
    Form {
        names: &["string", "quotes", "quoted string", "continuation", "backslash"],
        kind: "form of a value",
        syntax: "<option> = <text>\n<option> = \"<text>\"",
        docs: "The rest of the line, without the blanks around it. A backslash at the end of a \
               line continues it on the next, whose blanks at the beginning do not count; \
               comments may stand between. In double quotes, backslashes are escapes: \\n, \\r, \
               \\t, \\101 (octal), \\x41; other characters stand for themselves. Quotes are \
               needed for such characters and for blanks at the ends alone. Texts that are \
               expanded are so afterwards: a backslash for the expansion is doubled in quotes.",
        example: "log_selector = +subject \\\n  # and whom a message is for\n  +received_recipients\n\
                  smtp_banner = \"mx.example.com ESMTP\\nready\"\n",
        source: "6.17, 6.18",
    },
    Form {
        names: &["comment", "comments", "#"],
        kind: "form of a configuration",
        syntax: "# <text>",
        docs: "A line that begins with a number sign, after blanks or not, is a comment, within \
               continued lines, too. Behind something else on its line, the sign is part of the \
               text. A comment `# eximious: allow CODE <reason>` above a line keeps check from \
               finding that there.",
        example: "# The name that others see.\nprimary_hostname = mx.example.com\n",
        source: "6.2",
    },
    Form {
        names: &["trusted_configs", "TRUSTED_CONFIG_LIST", "trusted configurations"],
        kind: "file",
        syntax: "/etc/exim4/trusted_configs",
        docs: "The names of other configurations, a line each, that the mail server's user may \
               give with -C and keep its rights: as whole paths. It counts only as a plain file \
               of root's that nobody else can write. The environment variable \
               EXIMIOUS_TRUSTED_CONFIG_LIST names another file when the program is built; it is \
               Exim's TRUSTED_CONFIG_LIST.",
        example: "",
        source: "6.1",
    },
];

/// A name without what may be written in several ways.
fn plain(name: &str) -> String {
    name.to_ascii_lowercase().replace(['-', '_', ' '], " ").trim_start_matches('.').to_owned()
}

/// The names that have pages.
pub fn names() -> impl Iterator<Item = &'static str> {
    FORMS.iter().flat_map(|form| form.names).copied()
}

/// The pages of a name.
pub fn pages(name: &str) -> impl Iterator<Item = String> {
    let name = plain(name);
    let has = move |form: &&Form| form.names.iter().any(|one| plain(one) == name);
    FORMS.iter().filter(has).map(page)
}

fn page(form: &Form) -> String {
    let mut text = format!("{} ({})\n", form.names[0], form.kind);
    for line in form.syntax.lines() {
        let _ = writeln!(text, "  {line}");
    }
    text.push('\n');
    wrap(form.docs, &mut text);
    if !form.example.is_empty() {
        text += "\n  For example:\n\n";
    }
    for line in form.example.lines() {
        let _ = writeln!(text, "    {line}");
    }
    let _ = writeln!(text, "\n  Source:  specification {}", form.source);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use eximious::check::check;
    use eximious::world::Fixture;
    use eximious::{Config, Macros, registry};

    #[test]
    fn examples_are_configurations_with_nothing_wrong() {
        let world = Fixture::new().file("/etc/exim4/local.conf", "queue_only\n").world();
        let registry = registry();
        let mut wrong = Vec::new();
        for form in FORMS {
            let text = form.example.as_bytes();
            let config = Config::read_text(b"/c", text, Macros::new(), &world, &registry);
            for one in check(&config, &registry, &world, None) {
                wrong.push(format!("{}: {} {}", form.names[0], one.lint.code, one.message));
            }
        }
        assert_eq!(wrong, Vec::<String>::new());
    }

    #[test]
    fn forms_are_found_by_their_names() {
        for name in [".ifdef", "endif", ".ELSE", "include_if_exists", "named list", "named-list"] {
            assert_eq!(pages(name).count(), 1, "{name}");
        }
        for name in ["", ".", "extract", "subject"] {
            assert_eq!(pages(name).count(), 0, "{name}");
        }
    }
}
