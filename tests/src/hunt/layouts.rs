//! Ways to write down a configuration: options of every kind, macros, conditions, files
//! within files.

use eximious::stdlib::options;
use eximious::{DriverKind, OptionDef, OptionKind, OptionPlace};
use fastrand::Rng;

use super::{Form, Quarry, as_text};
use crate::dice::Dice;

/// Values of a kind: such as are right, and such as may be wrong.
struct Values {
    right: &'static [&'static str],
    odd: &'static [&'static str],
}

const FLAGS: Values = Values {
    right: &["yes", "no", "true", "false", "TRUE", "No", "", "YES", "falSe"],
    odd: &["y", "1", "maybe", "yes no", "\"yes\"", "$x", "${if eq{a}{a}}", "yes,", "no="],
};

const NUMBERS: Values = Values {
    right: &["0", "5", "010", "0x1f", "2K", "3k", "1M", "1G", "-1", "+5", "7  ", "0X1F", "1024K"],
    odd: &[
        "4G",
        "2T",
        "-5k",
        "5x",
        "",
        "1 K",
        "2147483647",
        "2147483648",
        "4294967296",
        "9223372036854775808",
        "0x",
        "08",
        "1.5",
        "$x",
        "\"7\"",
        "1KK",
        "20000G",
        "20000GB",
        "8589934592x",
        "-2G",
        "-3G",
        "2097152K",
        "2097151K",
        "99999999999999999999",
    ],
};

const OCTALS: Values = Values {
    right: &["0640", "640", "07777", "0", "00", "600 "],
    odd: &["8", "17777777777", "77777777777", "-1", "", "0x1", "6 4", "064x", "0648"],
};

const FIXED: Values = Values {
    right: &["1.5", "1.2345", "2.", "0", "10", "1.0005", "0.999", "7 "],
    odd: &[".5", "-1", "x", "", "1,5", "999999999.9", "1.5.5", "1.5x", "9999999.9", "2147483.7"],
};

const TIMES: Values = Values {
    right: &["5m", "1h30m", "1w2d", "90s", "0s", "1h5m3s", "60m", "168h", "1d"],
    odd: &[
        "5", "m", "1m1h", "5M", "1d ", "99999w", "", "1h 5m", "1h1h", "-5m", "$x", "5m:1h",
        "3551w", "5mm", "1w1w", "5 m", "08m", "0x5m", "1.5h",
    ],
};

const TIME_LISTS: Values = Values {
    right: &["5m", "1h:2h:3h", "1h:2h", "0s", "", "90m:1d"],
    odd: &["1h : 2h", "1h::2h", ":", "<; 1h;2h", "2h:1h", "1h:", "1h:x", "0s:5m", "1h,2h", "1h 2h"],
};

const USERS: Values = Values {
    right: &["root", "mail", "0", "8", "65534", "", "root:mail", "8:0"],
    odd: &[
        "nosuch",
        "$x",
        "mail ",
        "root : mail",
        "8:nosuch",
        "mail mail",
        "\"mail\"",
        "root::mail",
        ":",
        "99999",
        "08",
        "0x8",
        "8x",
        "MAIL",
        "<; root ; mail",
        "${lc:MAIL}",
    ],
};

const TEXTS: Values = Values {
    right: &[
        "a",
        "a b",
        "",
        "a : b",
        "  a  ",
        "\"a\"",
        "\"a b\"  ",
        "\"a\\nb\"",
        "\"\\x41\\101\\t\\\\\"",
        "\"a\\\"b\"",
        "\"\"",
        "'a'",
        "${lc:A}",
        "a#b",
        "a # b",
        "\"\\x4\"",
        "\"\\8\"",
        "\"\\xg\"",
        "\u{e9}",
        "a = b",
        "= b",
        "a\tb",
        "\"a\\\\b\"",
        "DIR/x",
        "@ : *.test",
        "<; a ; b",
        "+all",
        "lsearch;DIR/x",
        "a\\n",
        "\"\\1011\"",
        "\"\\0\"",
        "\"\\x414\"",
        "\"\\r\\b\\f\\v\"",
        "\"\u{e9}\\351\"",
        "\"a:b\"",
        "a\\",
        "\"\\400\"",
    ],
    odd: &[
        "\"a\" b",
        "\"a",
        "$x",
        "${nosuch}",
        "\\",
        "+smtp_syntax_error -queue_run",
        "\"a\\",
        "\"a\\\"",
        "\"a\"b\"",
        "\"a\"#",
        "\"a\"\\",
    ],
};

/// What stands between a name and a value; behind the fifth, what is wrong.
const EQUALS: [&str; 8] = [" = ", "=", "  =  ", " =", "\t=\t", " ", " == ", " :"];

/// What the names of options begin with that the packaged program has not, or that say
/// where its own log is.
const LACKED: &[&str] = &[
    "arc_sign",
    "bmi_",
    "bounce_charset",
    "bounce_host",
    "dcc",
    "disable_fsync",
    "dmarc_",
    "gnutls_compat_mode",
    "hosts_xclient",
    "ibase_",
    "log_json_file",
    "log_ports",
    "log_file_path",
    "metrics_listen",
    "mta_sts_domains",
    "openssl_options",
    "oracle_",
    "proxy_required_hosts",
    "redis_",
    "rfc1413_port",
    "server_tls",
    "sieve_inbox",
    "spool_first",
    "spool_write_ahead",
    "srs",
    "tls_early_banner_hosts",
    "tls_eccurve",
    "tls_ticket_secret_file",
    "tlsrpt_domains",
    "tpda_",
    "translate_ip_address",
    "use_classresources",
    "whoson_",
    "acl_smtp_atrn",
];

const MACROS: &[&str] = &["AAA", "AAAB", "A_AC", "X123", "Zzzz", "_QQQ", "BBBB"];

/// Instances: their kind, and the driver of each.
const INSTANCES: [(DriverKind, &str, &[&str]); 3] = [
    (
        DriverKind::Router,
        "routers",
        &["accept", "redirect", "dnslookup", "manualroute", "ipliteral", "queryprogram"],
    ),
    (DriverKind::Transport, "transports", &["smtp", "appendfile", "pipe", "autoreply", "lmtp"]),
    (DriverKind::Authenticator, "authenticators", &["plaintext", "cram_md5"]),
];

/// A configuration, and what is asked of it.
pub fn make(rng: &mut Rng) -> Quarry {
    let mut quarry = Quarry::new(Form::Routing);
    let mut asked: Vec<String> = Vec::new();
    quarry.fixed("+++ exim.conf");
    quarry.fixed("keep_environment =");
    for _ in 0..rng.usize(2..9) {
        main_lines(rng, &mut quarry, &mut asked);
    }
    for (kind, section, drivers) in INSTANCES {
        if rng.chance(3) {
            let begin = rng.pick(&["begin", "begin", "begin", "BEGIN", "begin ", " begin"]);
            quarry.loose(as_text(&format!("{begin} {section}")));
            let driver = rng.pick(drivers);
            quarry.loose("one:").loose(as_text(&format!("{}driver = {driver}", space(rng))));
            if kind == DriverKind::Transport && rng.chance(2) {
                quarry.loose(" file = /x");
            }
            // All options of some drivers are more than the packaged program has.
            if kind != DriverKind::Transport && !matches!(driver, "redirect") {
                asked.push(format!("? -bP {} one", section.trim_end_matches('s')));
            }
            for _ in 0..rng.usize(1..4) {
                let places = [OptionPlace::Generic(kind), OptionPlace::Driver(kind, driver)];
                let place = places[rng.usize(..2)];
                if let Some(option) = option(rng, place) {
                    set(rng, &mut quarry, option);
                }
            }
        }
    }
    quarry.fixed("+++ more").loose("AAAB = more").loose("queue_only").loose("X123=");
    quarry.fixed("? -bP configure_file");
    asked.truncate(6);
    for question in asked {
        quarry.loose(question);
    }
    quarry
}

fn option(rng: &mut Rng, place: OptionPlace) -> Option<&'static OptionDef> {
    let all = options::ALL.iter().flat_map(|group| group.iter()).flat_map(|family| family.iter());
    let fitting: Vec<&OptionDef> = all
        .filter(|option| option.place == place && !option.unprinted)
        .filter(|option| !matches!(option.meta.since, "4.99" | "4.100"))
        .filter(|option| !LACKED.iter().any(|name| option.meta.name.starts_with(name)))
        .filter(|option| option.meta.name != "driver" && option.kind != OptionKind::Rewrite)
        .collect();
    (!fitting.is_empty()).then(|| fitting[rng.usize(..fitting.len())])
}

/// Something that stands in the main section.
fn main_lines(rng: &mut Rng, quarry: &mut Quarry, asked: &mut Vec<String>) {
    match rng.u32(..12) {
        0..=5 => {
            if let Some(option) = option(rng, OptionPlace::Main) {
                set(rng, quarry, option);
                asked.push(format!("? -bP {}", option.meta.name));
            }
        }
        6 | 7 => {
            let text = definition(rng);
            quarry.loose(as_text(&text));
        }
        8 | 9 => {
            let name = rng.pick(MACROS);
            let word = rng.pick(&[".ifdef", ".ifndef", ".ifdef", ".ifndef", " .ifdef", ".if"]);
            quarry.loose(format!("{word} {name}{}", rng.pick(&["", " ", " x", " AAA"])));
            main_lines(rng, quarry, asked);
            if rng.chance(3) {
                quarry.loose(format!(".elif{} {}", rng.pick(&["def", "ndef"]), rng.pick(MACROS)));
                main_lines(rng, quarry, asked);
            }
            if rng.chance(2) {
                quarry.loose(rng.pick(&[".else", ".else x", "  .else"]));
                main_lines(rng, quarry, asked);
            }
            quarry.loose(rng.pick(&[".endif", ".endif", ".endif", ".endif # x", "  .endif"]));
        }
        10 => {
            let all = [
                ".include DIR/more",
                ".include_if_exists DIR/none",
                ".include_if_exists DIR/more",
                ".include more",
                ".include \"DIR/more\"",
                ".include DIR/none",
                ".include   DIR/more  ",
                ".include",
                ".includes DIR/more",
                ".include DIR",
                ".include AAA",
            ];
            quarry.loose(rng.pick(&all));
        }
        _ => {
            let all = [
                "domainlist some = a.test : b.test",
                "hide domainlist some = a.test",
                "domainlist  some=a.test",
                "domainlist some",
                "domainlist some_cache = a.test",
                "hostlist x-y = a",
                "addresslist AAA = a@b",
                "localpartlist = x",
                "domainlist some a.test",
                "DOMAINLIST some = a",
                "domainlist_cache some = a.test",
                "acl_smtp_rcpt = AAA",
                "# a remark \\",
                "  # a remark",
            ];
            let text = rng.pick(&all);
            quarry.loose(as_text(text));
            asked.push("? -bP domainlist some".to_owned());
        }
    }
}

fn definition(rng: &mut Rng) -> String {
    let equals = rng.pick(&["=", " = ", "==", " == ", "  =", "= ", " =  "]);
    let value = match rng.u32(..6) {
        0 => TEXTS.any(rng),
        1 => NUMBERS.any(rng),
        2 => rng.pick(MACROS),
        3 => rng.pick(&["no_", "hide ", "queue_only", "1", "\\", "AAAB", "AAA AAA", "primary_"]),
        4 => TIMES.any(rng),
        _ => rng.pick(&["a\\\n  b", "a \\\n# c\nb", "", "yes", "# x", "a \\", "\"a\\\n   b\""]),
    };
    format!("{}{equals}{value}", rng.pick(MACROS))
}

/// Sets an option in some way.
fn set(rng: &mut Rng, quarry: &mut Quarry, option: &OptionDef) {
    let name = option.meta.name;
    let is_flag = matches!(option.kind, OptionKind::Bool | OptionKind::ExpandedBool);
    let value = match rng.u32(..24) {
        0 => rng.pick(MACROS).to_owned(),
        1 => format!("{}{}", value_of(rng, option.kind), rng.pick(MACROS)),
        _ => value_of(rng, option.kind),
    };
    let value = wrapped(rng, value);
    let bare = if is_flag { 2 } else { 90 };
    let name = match rng.u32(..16) {
        0 => format!("hide {name}"),
        1 if is_flag => format!("no_{name}"),
        2 if is_flag => format!("not_{name}"),
        3 => format!("hide  {name}"),
        4 if rng.chance(4) => format!("no_{name}"),
        5 if rng.chance(4) => name.to_uppercase(),
        6 if rng.chance(4) => format!("hide no_{name}"),
        7 if rng.chance(4) => format!("hide hide {name}"),
        8 if rng.chance(4) => format!("hide\t{name}"),
        _ => name.to_owned(),
    };
    let kinds = if rng.chance(8) { EQUALS.len() } else { 5 };
    let equals = rng.pick(&EQUALS[..kinds]);
    let text = match rng.chance(bare) {
        true => format!("{name}{}", rng.pick(&["", "", " ", " # x", " x"])),
        false => format!("{name}{equals}{value}"),
    };
    quarry.loose(as_text(&format!("{}{text}", space(rng))));
    if rng.chance(60) {
        quarry.loose(as_text(&text));
    }
}

fn value_of(rng: &mut Rng, kind: OptionKind) -> String {
    let usual = match kind {
        OptionKind::Bool | OptionKind::ExpandedBool => FLAGS,
        OptionKind::Integer | OptionKind::Size | OptionKind::Kilobytes => NUMBERS,
        OptionKind::Octal => OCTALS,
        OptionKind::Fixed => FIXED,
        OptionKind::Time | OptionKind::ExpandedTime => TIMES,
        OptionKind::TimeList => TIME_LISTS,
        OptionKind::User | OptionKind::Group | OptionKind::UserList | OptionKind::GroupList => {
            USERS
        }
        _ => TEXTS,
    };
    match rng.chance(30) {
        true => TEXTS.any(rng).to_owned(),
        false => usual.any(rng).to_owned(),
    }
}

impl Values {
    fn any(&self, rng: &mut Rng) -> &'static str {
        let from = if rng.chance(9) { self.odd } else { self.right };
        rng.pick(from)
    }
}

/// A value over several lines, in quotes, or with something behind it.
fn wrapped(rng: &mut Rng, value: String) -> String {
    let middle = value.char_indices().nth(value.chars().count() / 2).map_or(0, |(at, _)| at);
    let (head, tail) = value.split_at(middle);
    match rng.u32(..24) {
        0 => format!("{head}\\\n  {tail}"),
        1 => format!("{head} \\\n # a remark\n{tail}"),
        2 => format!("\\\n{value}"),
        3 => format!("{value} \\\n\n"),
        4 => format!("\"{value}\""),
        5 => format!("{value} # x"),
        6 => format!("{value}  "),
        7 => format!("\"{head}\\\n   {tail}\""),
        8 => format!("{value} \\  \n x"),
        _ => value,
    }
}

fn space(rng: &mut Rng) -> &'static str {
    [" ", "", "  ", "\t"][rng.usize(..4)]
}
