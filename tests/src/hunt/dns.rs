//! The DNS as the language sees it: look-ups, lists of hosts that are asked, names of clients,
//! senders' policies and routers.

mod answers;
mod routes;
mod sessions;

use std::path::Path;

use fastrand::Rng;

use super::{Form, Quarry};
use crate::dialogues;
use crate::dice::Dice;
use crate::servers::Server;

/// Where zones are that are asked here. Those of one name are one zone.
const ZONES: [&str; 4] =
    ["tests/routing/zones", "tests/dialogues/zones", "tests/data/dns", "tests/data/zones"];

/// What the configurations of all have in common. The domain's name is what they are known by.
const HEAD: &str = "+++ exim.conf
spool_directory = DIR/spool
log_file_path = DIR/log/%slog
primary_hostname = me.test
qualify_domain = names.test
keep_environment =";

/// What the configuration says of the DNS.
const MAIN: &[&str] = &[
    "dns_again_means_nonexist = *.odd",
    "dns_again_means_nonexist = *",
    "dns_again_means_nonexist = *.in-addr.arpa : servfail.odd",
    "dns_again_means_nonexist = !*.odd",
    "dns_check_names_pattern = (?i)^[a-z.]+\\$",
    "dns_csa_search_limit = 0",
    "dns_csa_search_limit = 1",
    "dns_csa_search_limit = 9",
    "no_dns_csa_use_reverse",
    "dns_cname_loops = 0",
    "dns_cname_loops = 2",
    "dns_cname_loops = 9",
    "dns_ipv4_lookup = *",
    "dns_ipv4_lookup = dual.test : !*.test",
    "dns_trust_aa = test : example",
    "dns_trust_aa = aa.odd : *.test",
    "dns_dnssec_ok = 1",
    "dns_dnssec_ok = 0",
    "dns_use_edns0 = 1",
    "dns_use_edns0 = 0",
    "dns_retry = 1",
    "disable_ipv6",
    "allow_utf8_domains",
    "allow_mx_to_ip",
];

/// Serves the zones, one below the other; nothing where no name server is installed.
pub(super) fn set_up() -> Option<Server> {
    let merged = tempfile::TempDir::new().expect("a directory");
    for folder in ZONES {
        merge(&crate::root().join(folder), merged.path());
    }
    dialogues::set_up_with(merged.path())
}

/// Adds the zones of a folder to those of another. A zone has one head.
fn merge(folder: &Path, into: &Path) {
    for entry in std::fs::read_dir(folder).expect("the zones").flatten() {
        let own = std::fs::read_to_string(entry.path()).expect("a zone");
        let path = into.join(entry.file_name());
        let mut zone = std::fs::read_to_string(&path).unwrap_or_default();
        let has_head = !zone.is_empty();
        for line in own.lines().filter(|line| !(has_head && line.starts_with("@ SOA "))) {
            zone.push_str(line);
            zone.push('\n');
        }
        std::fs::write(path, zone).expect("a zone");
    }
}

/// What the DNS is to be for, and questions.
pub(super) fn make(rng: &mut Rng) -> Quarry {
    match rng.u32(..8) {
        0..=3 => answers::make(rng),
        4 | 5 => sessions::make(rng),
        _ => routes::make(rng),
    }
}

/// The begin of a configuration.
fn head(rng: &mut Rng, quarry: &mut Quarry) {
    quarry.fixed(HEAD);
    // In a session, it shows how often an answer was looked at.
    let is_session = quarry.form == Form::Dialogue;
    for option in rng.options(4, MAIN) {
        if !(is_session && option.starts_with("dns_trust_aa")) {
            quarry.loose(option);
        }
    }
}

/// A name, of each kind that there are.
fn name(rng: &mut Rng) -> String {
    match rng.u32(..20) {
        0..=12 => rng.pick(NAMES).to_owned(),
        13..=15 => rng.pick(ODD).to_owned(),
        16 => rng.pick(NAMES).to_uppercase(),
        17 => format!("{}.", rng.pick(NAMES)),
        18 => format!("{}{}", rng.pick(&["x.", "a.b.", "_x.", ".", "-", " ", "x", "*."]), {
            rng.pick(NAMES)
        }),
        _ => rng.pick(WRONG).to_owned(),
    }
}

/// Names that the zones have.
const NAMES: &[&str] = &[
    "two.test",
    "back.test",
    "plain.test",
    "six.test",
    "dual.test",
    "several.test",
    "mapped.test",
    "dualmx.test",
    "txt.test",
    "alias.test",
    "alias2.test",
    "dangling.test",
    "tomissing.test",
    "c1.test",
    "c3.test",
    "cmx.test",
    "cout.test",
    "cwild.test",
    "mxalias.test",
    "null.test",
    "nullmore.test",
    "nullsome.test",
    "nulltwo.test",
    "toip.test",
    "totxt.test",
    "tonone2.test",
    "tocase.test",
    "tounder.test",
    "todot.test",
    "srv.test",
    "loop.test",
    "x.wild.test",
    "nowhere.test",
    "me.test",
    "long.test",
    "many.test",
    "quoted.test",
    "bytes.test",
    "spaced.test",
    "v.test",
    "mxpast.test",
    "lame.test",
    "x.lame.test",
    "under_score.test",
    "a+b.test",
    "-odd-.test",
    "example",
    "multi.example",
    "special.example",
    "emptymulti.example",
    "realspf.example",
    "www.example",
    "manya.example",
    "sub.example",
    "odd\\.dot.test",
    "test",
    "me.nosuch",
    "single",
    "single.home.test",
];

/// Names that the name server answers oddly.
const ODD: &[&str] = &[
    "servfail.odd",
    "servfail.odd",
    "refused.odd",
    "notimp.odd",
    "nodata.odd",
    "cut.odd",
    "loop.odd",
    "self.odd",
    "chain1.odd",
    "chain2.odd",
    "ad.odd",
    "adnone.odd",
    "aa.odd",
    "aasoa.odd",
    "badtxt.odd",
    "badtxts.odd",
    "zerotxt.odd",
    "badmx.odd",
    "badptr.odd",
    "badsoa.odd",
    "othername.odd",
    "case.odd",
    "bytes.odd",
    "noaaaa.odd",
    "x.y.above.odd",
];

/// Names that are none.
const WRONG: &[&str] = &[
    "",
    ".",
    "..",
    "a..test",
    ".test",
    "test..",
    "llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll.test",
    "lllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll.test",
    "two words.test",
    "two.test/x",
    "@",
    "\\n",
    "a,b.test",
    "a;b",
    "[192.0.2.1]",
    "b\u{fc}cher.test",
    "xn--bcher-kva.test",
    "xn--.test",
    "192.0.2.1",
    "1.2.3",
    "2001:db8::1",
    "::1",
    "localhost",
];

/// Addresses of clients, by what the DNS says of them.
fn client(rng: &mut Rng) -> String {
    match rng.u32(..8) {
        0 => rng.pick(&["2001:db8::2", "2001:db8::3", "2001:db8::18", "2001:db8::99"]).to_owned(),
        1 => rng.pick(&["192.0.2.99", "192.0.2.137", "192.0.2.149", "192.0.2.131"]).to_owned(),
        2 => rng.pick(&["127.0.0.1", "127.0.1.2", "198.51.100.1", "10.0.0.1", "::1"]).to_owned(),
        // Of the others there are several addresses, in any order, or what is said of them is
        // told more than once.
        _ => {
            let range = [1..5, 6..10, 11..15, 16..31][rng.usize(..4)].clone();
            format!("192.0.2.{}", rng.u32(range))
        }
    }
}

/// Sorts hosts of one rank, which are in any order, by their names, and takes off a reason that
/// Exim has lost where something else was looked up before.
pub(super) fn settled(mut lines: Vec<String>) -> Vec<String> {
    for line in &mut lines {
        if let Some(at) = line.find("condition test deferred: ") {
            line.truncate(at + "condition test deferred: ".len());
        }
    }
    let rank = |line: &String| {
        let is_host = line.starts_with("<   host ");
        let rank = line.split_whitespace().find(|word| word.starts_with("MX=")).unwrap_or_default();
        is_host.then(|| rank.to_owned())
    };
    lines.chunk_by_mut(|a, b| rank(a).is_some() && rank(a) == rank(b)).for_each(<[String]>::sort);
    lines
}
