//! Addresses through Debian's configuration, with a large alias file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The lines of the alias file.
const ALIASES: usize = 100_000;
/// What Debian's packages write a configuration with.
const WRITER: &str = "/usr/sbin/update-exim4.conf";

/// Asks the programs about addresses that are spread over an alias file, which
/// is searched line by line, and the same with a `cdb` file. Both have to say
/// the same.
pub fn compare(smoke: bool, exim: &Path, ours: &Path) {
    if !has_writer() {
        println!("no {WRITER}: routing is left out");
        return;
    }
    let folder = TempDir::new().expect("a directory");
    let place = |name: &str| folder.path().join(name);
    std::fs::write(place("aliases"), aliases()).expect("the aliases are written");
    let count = if smoke { 50 } else { 10_000 };
    std::fs::write(place("addresses"), addresses(count)).expect("the addresses are written");
    configure(folder.path());
    let what = format!("{count} addresses through -bt, an alias file of {ALIASES} lines");
    ratio(&what, exim, ours, &place("lsearch.conf"), &place("addresses"));
    if let Some(bytes) = database(&place("aliases")) {
        println!("  the same as cdb has {bytes} bytes");
        let what = format!("{count} addresses through -bt, the same as cdb");
        let (config, addresses) = (place("cdb.conf"), place("addresses"));
        let args = ["-C", &config.to_string_lossy(), "-bt"];
        let runs = if smoke { 1 } else { 21 };
        super::compare(&what, runs, exim, ours, &args, Some(&addresses));
        agree(&what, &answer(ours, &config, &addresses), &answer(exim, &config, &addresses));
    } else {
        println!("no cdb program (tinycdb): that part is left out");
    }
}

/// Whether Debian's configuration can be written.
pub fn has_writer() -> bool {
    Path::new(WRITER).exists()
}

fn alias(number: usize) -> String {
    format!("user{number:06}")
}

fn aliases() -> String {
    let mut text = String::from("# a large alias file\n");
    for number in 0..ALIASES {
        let target = ["nobody", "daemon", "mail"][number % 3];
        writeln!(text, "{}: {target}", alias(number)).expect("text");
    }
    text
}

/// Spread over the file; some are not in it.
fn addresses(count: usize) -> String {
    let mut text = String::new();
    for index in 0..count {
        // A step that has no factor in common with the number of lines.
        let number = index * 7_919 % (ALIASES + ALIASES / 100);
        writeln!(text, "{}@local.test", alias(number)).expect("text");
    }
    text
}

/// Debian's configuration for an Internet site, with its places in a directory;
/// and the same with the aliases in a `cdb` file.
pub fn configure(folder: &Path) {
    let settings = "dc_eximconfig_configtype='internet'\ndc_other_hostnames='local.test'\n\
        dc_use_split_config='false'\ndc_localdelivery='mail_spool'\nCFILEMODE='644'\n";
    std::fs::write(folder.join("update-exim4.conf.conf"), settings).expect("the settings");
    std::fs::copy("/etc/exim4/exim4.conf.template", folder.join("exim4.conf.template"))
        .expect("Debian's template");
    let raw = folder.join("raw.conf");
    let written = Command::new(WRITER).arg("-d").arg(folder).arg("-o").arg(&raw).output();
    let written = written.expect("Debian's configuration is written");
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let at = folder.display();
    let text = std::fs::read_to_string(&raw).expect("Debian's configuration");
    let text = text
        .replace("\nSPOOLDIR = /var/spool/exim4\n", "\n")
        .replace("/var/log/exim4", &format!("{at}/log"))
        // A line for each router that is tried would be most of the output.
        .lines()
        .filter(|line| !line.trim_start().starts_with("debug_print"))
        .collect::<Vec<_>>()
        .join("\n");
    let head = format!("MAIN_HARDCODE_PRIMARY_HOSTNAME = me.test\nSPOOLDIR = {at}/spool\n");
    let search = "lsearch{/etc/aliases}";
    assert!(text.contains(search), "Debian's configuration looks for aliases");
    for (name, other) in [("lsearch", "aliases"), ("cdb", "aliases.cdb")] {
        let text = text.replace(search, &format!("{name}{{{at}/{other}}}"));
        std::fs::write(folder.join(format!("{name}.conf")), format!("{head}{text}\n"))
            .expect("a configuration");
    }
}

/// Makes the `cdb` file beside the alias file, and gives its size.
fn database(aliases: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(aliases).expect("the aliases");
    let lines = text.lines().filter_map(|line| line.split_once(": "));
    let records: String = lines.map(|(key, value)| format!("{key} {value}\n")).collect();
    let plain = PathBuf::from(format!("{}.txt", aliases.display()));
    let made = PathBuf::from(format!("{}.cdb", aliases.display()));
    std::fs::write(&plain, records).expect("the records");
    let status = Command::new("cdb").args(["-c", "-m"]).arg(&made).arg(&plain).status();
    status.is_ok_and(|status| status.success()).then(|| made.metadata().map_or(0, |m| m.len()))
}

/// One run each: it is a long one for the one that searches line by line.
fn ratio(what: &str, exim: &Path, ours: &Path, config: &Path, addresses: &Path) {
    let run = |program: &Path| -> (Duration, Vec<u8>) {
        let start = Instant::now();
        let said = answer(program, config, addresses);
        (start.elapsed(), said)
    };
    let (own, said) = run(ours);
    let (theirs, wanted) = run(exim);
    agree(what, &said, &wanted);
    super::tell(what, theirs, own);
}

/// What a program says of the addresses.
fn answer(program: &Path, config: &Path, addresses: &Path) -> Vec<u8> {
    let input = std::fs::File::open(addresses).expect("the addresses");
    let output = Command::new(program).arg("-C").arg(config).arg("-bt").stdin(input).output();
    output.expect("the program runs").stdout
}

fn agree(what: &str, said: &[u8], wanted: &[u8]) {
    if said != wanted {
        println!("{what}: the answers differ: {}", first_difference(wanted, said));
    }
}

fn first_difference(wanted: &[u8], said: &[u8]) -> String {
    let (wanted, said) = (String::from_utf8_lossy(wanted), String::from_utf8_lossy(said));
    let pair = wanted.lines().zip(said.lines()).find(|(one, other)| one != other);
    pair.map_or("one is longer".to_owned(), |(one, other)| format!("{one:?} and {other:?}"))
}
