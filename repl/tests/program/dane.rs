//! What the DNS may say of a host's certificate, and what comes of it: the cases of RFC 7671 and
//! RFC 7672, each asked of both programs, with a host of the real Exim's.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use eximious_tests::{network, servers};

use super::common;
use super::common::started::started;
use super::secure_hosts::NAME_SERVER;

/// Certificates, and a zone that begins with these: a case is a host.
const SET_UP: &str = r#"set -e
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key \
    -out ca.pem -days 3650 -subj "/O=Test/CN=Test CA"
signed() { # name authority days subject extension
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$1.key" \
        -out "$1.csr" -subj "$4"
    printf '%s\n' "$5" > "$1.ext"
    openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days "$3" \
        -out "$1.pem" -extfile "$1.ext"
}
signed between ca 3000 "/O=Test/CN=Between" basicConstraints=critical,CA:TRUE
signed leaf between 3000 /CN=leaf 'subjectAltName=DNS:*.named.test'
signed old between -1 /CN=old 'subjectAltName=DNS:*.named.test'
cat leaf.pem between.pem ca.pem > 2.pem
cat leaf.pem between.pem > 3.pem
cat leaf.pem > 4.pem
cat old.pem between.pem ca.pem > 5.pem
for one in 2 3 4; do cp leaf.key $one.key; done
cp old.key 5.key
hex() { od -An -tx1 | tr -d ' \n'; }
sum() { openssl "$1" | awk '{print $2}'; }
der() { openssl x509 -in "$1.pem" -outform DER; }
spki() { openssl x509 -in "$1.pem" -pubkey -noout | openssl pkey -pubin -outform DER; }
cert=$(der leaf | sum sha256) cert512=$(der leaf | sum sha512) certwhole=$(der leaf | hex)
key=$(spki leaf | sum sha256) key512=$(spki leaf | sum sha512) keywhole=$(spki leaf | hex)
oldkey=$(spki old | sum sha256)
ca=$(der ca | sum sha256) cawhole=$(der ca | hex)
cakey=$(spki ca | sum sha256) cakeywhole=$(spki ca | hex)
between=$(der between | sum sha256) betweenkey=$(spki between | sum sha256)
bad=$(echo bad | sum sha256) bad512=$(echo bad | sum sha512)
host() { # name address records...
    printf '%s MX 1 %s\n%s A 127.0.0.%s\n' "$1" "$1" "$1" "$2"; name=$1; shift 2
    for record; do printf '_25._tcp.%s TLSA %s\n' "$name" "$record"; done
}
{
printf '$ORIGIN test.\n$TTL 60\n@ SOA ns.test. h.test. 1 60 60 60 60\n@ NS ns.test.\nns A 127.0.0.1\n'
CASES
} > test.zone
chmod -R a+rX .
"#;

const HOST: &str = "keep_environment =\nprimary_hostname = host.test\n\
    spool_directory = DIR/host\nlog_file_path = DIR/host/%slog\npid_file_path = DIR/host/pid\n\
    local_interfaces = 127.0.0.2 : 127.0.0.3 : 127.0.0.4 : 127.0.0.5 : 127.0.0.6\n\
    tls_certificate = DIR/${extract{4}{.}{$received_ip_address}}.pem\n\
    tls_privatekey = DIR/${extract{4}{.}{$received_ip_address}}.key\n\
    tls_advertise_hosts = ${if eq{$received_ip_address}{127.0.0.6}{}{*}}\n\
    acl_smtp_rcpt = accept\nqueue_only\nlog_selector = +tls_sni\n";

const CLIENT: &str = "keep_environment =\nprimary_hostname = client.test\n\
    spool_directory = DIR/client\nlog_file_path = DIR/client/%slog\ndns_trust_aa = *\n\
    tls_advertise_hosts =\nlog_selector = -smtp_confirmation +dnssec\nbegin routers\nhosts:\n  \
    driver = dnslookup\n  self = send\n  dnssec_request_domains = *\n  transport = smtp\n\
    begin transports\nsmtp:\n  driver = smtp\n  allow_localhost\n  hosts_try_fastopen =\n  \
    hosts_request_ocsp =\nbegin retry\n* * F,1h,10m\n";

/// What comes of a host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    /// It gets the message, and the DNS vouches for it.
    Vouched,
    /// It gets the message under TLS, and nobody vouches for it.
    Sealed,
    /// It gets it in clear text.
    Clear,
    /// It gets nothing for now.
    Refused,
}

use Fate::{Clear, Refused, Sealed, Vouched};

/// What a host shows, by the last part of its address.
const WHOLE: u8 = 2;
const WITHOUT_ROOT: u8 = 3;
const ALONE: u8 = 4;
const OUTDATED: u8 = 5;
const NO_TLS: u8 = 6;

/// A case: a host's name, what it shows, its records, and what comes of it, here and with the
/// real Exim.
type Case = (&'static str, u8, &'static [&'static str], [Fate; 2]);

const CASES: &[Case] = &[
    // RFC 7671, 5.1: the certificate itself counts, and nothing that stands in it.
    ("e1", WHOLE, &["3 1 1 $key"], [Vouched; 2]),
    ("e2", WHOLE, &["3 1 2 $key512"], [Vouched; 2]),
    ("e3", WHOLE, &["3 1 0 $keywhole"], [Vouched; 2]),
    ("e4", WHOLE, &["3 0 1 $cert"], [Vouched; 2]),
    ("e5", WHOLE, &["3 0 2 $cert512"], [Vouched; 2]),
    ("e6", WHOLE, &["3 0 0 $certwhole"], [Vouched; 2]),
    ("e7", ALONE, &["3 1 1 $key"], [Vouched; 2]),
    ("e8", OUTDATED, &["3 1 1 $oldkey"], [Vouched; 2]),
    ("e9.named", OUTDATED, &["3 1 1 $key"], [Refused; 2]),
    ("e10", WHOLE, &["3 1 1 $bad"], [Refused; 2]),
    // The digest of something else of it, and of somebody else above it.
    ("e11", WHOLE, &["3 1 1 $cert"], [Refused; 2]),
    ("e12", WHOLE, &["3 0 1 $between"], [Refused; 2]),
    // 5.2: an authority in the chain, and names and dates count.
    ("a1.named", WHOLE, &["2 0 1 $ca"], [Vouched; 2]),
    ("a2.named", WHOLE, &["2 1 1 $cakey"], [Vouched; 2]),
    ("a3.named", WHOLE, &["2 0 1 $between"], [Vouched; 2]),
    ("a4.named", WITHOUT_ROOT, &["2 1 1 $betweenkey"], [Vouched; 2]),
    ("a5", WHOLE, &["2 0 1 $ca"], [Refused; 2]),
    ("a6.named", OUTDATED, &["2 0 1 $ca"], [Refused; 2]),
    ("a7.named", WHOLE, &["2 0 1 $bad"], [Refused; 2]),
    // 5.2.1 and 5.2.2: a digest is of use only where what it is of is shown.
    ("a8.named", WITHOUT_ROOT, &["2 0 1 $ca"], [Refused; 2]),
    ("a9.named", WITHOUT_ROOT, &["2 1 1 $cakey"], [Refused; 2]),
    ("a10.named", ALONE, &["2 0 1 $between"], [Refused; 2]),
    // What stands whole in the DNS need not be shown.
    ("a11.named", WITHOUT_ROOT, &["2 0 0 $cawhole"], [Vouched, Refused]),
    ("a12.named", WITHOUT_ROOT, &["2 1 0 $cakeywhole"], [Vouched, Refused]),
    ("a13.named", WHOLE, &["2 0 0 $cawhole"], [Vouched; 2]),
    // The host itself is no authority of its own.
    ("a14.named", WHOLE, &["2 0 1 $cert"], [Refused; 2]),
    // 8.1: a key that is to come, or to go; 8.2 and 8.3: usages at once.
    ("r1", WHOLE, &["3 1 1 $bad", "3 1 1 $key"], [Vouched; 2]),
    ("r2", WHOLE, &["3 1 1 $key", "3 1 1 $bad"], [Vouched; 2]),
    ("r3.named", WHOLE, &["2 0 1 $bad", "3 1 1 $key"], [Vouched; 2]),
    ("r4.named", WHOLE, &["2 0 1 $ca", "3 1 1 $bad"], [Vouched; 2]),
    ("r5", WHOLE, &["2 0 1 $ca", "3 1 1 $key"], [Vouched; 2]),
    ("r6", WHOLE, &["2 0 1 $ca", "3 1 1 $bad"], [Refused; 2]),
    // 9: of several digests of one thing the strongest counts; Exim takes any.
    ("d1", WHOLE, &["3 1 1 $bad", "3 1 2 $key512"], [Vouched; 2]),
    ("d2", WHOLE, &["3 1 1 $key", "3 1 2 $bad512"], [Refused, Vouched]),
    ("d3", WHOLE, &["3 1 1 $key", "3 0 2 $bad512"], [Vouched; 2]),
    ("d4", WHOLE, &["3 0 0 $certwhole", "3 0 1 $bad"], [Vouched; 2]),
    // What nobody knows is no digest.
    ("d5", WHOLE, &["3 1 1 $key", "3 1 200 $bad512"], [Vouched; 2]),
    // RFC 7672, 2.2 and 3.1.3: where no record is of use, there is TLS, and nobody vouches.
    ("u1", WHOLE, &["3 1 9 $key"], [Sealed; 2]),
    ("u2", WHOLE, &["3 9 1 $key"], [Sealed; 2]),
    ("u3", WHOLE, &["9 1 1 $key"], [Sealed; 2]),
    ("u4", WHOLE, &["0 0 1 $bad", "1 1 1 $bad"], [Sealed; 2]),
    ("u5", NO_TLS, &["1 1 1 $key"], [Refused; 2]),
    ("u6", WHOLE, &["3 1 9 $bad", "1 1 1 $bad", "3 1 1 $key"], [Vouched; 2]),
    ("u7", WHOLE, &["3 1 9 $key", "1 1 1 $key", "3 1 1 $bad"], [Refused; 2]),
    ("u8", NO_TLS, &["3 1 1 $key"], [Refused; 2]),
    ("u9", WHOLE, &[], [Sealed; 2]),
    ("u10", NO_TLS, &[], [Clear; 2]),
    // RFC 6698, 2.3: its examples, neither of which is for hosts of mail.
    (
        "x1",
        WHOLE,
        &[
            "0 0 1 d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971",
            "1 1 2 92003ba34942dc74152e2f2c408d29eca5a520e7f2e06bb944f4dca346baf63c\
             1b177615d466f6c4b71c216a50292bd58c9ebdd2f74e38fe51ffd48c43326cbc",
        ],
        [Sealed; 2],
    ),
];

#[test]
fn records_of_hosts_mean_what_they_should() {
    let all = [servers::program("nsd"), servers::program("openssl")];
    if common::reference().is_some() && all.iter().all(Option::is_some) {
        network::run("dane::inside", "");
    }
}

/// The part that runs where it may ask at port 53.
#[test]
#[ignore = "it needs a network of its own: the other starts it"]
fn inside() {
    let Some(_) = network::purpose() else { return };
    let exim = common::reference().expect("a real Exim");
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path();
    let host = |&(name, shows, records, _): &Case| {
        let records: String = records.iter().map(|one| format!(" \"{one}\"")).collect();
        format!("host {name} {shows}{records}\n")
    };
    let script = SET_UP.replace("CASES\n", &CASES.iter().map(host).collect::<String>());
    let made = Command::new("sh").args(["-c", &script]).current_dir(directory).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let write = |name: &str, text: &str| {
        let path = directory.join(name);
        std::fs::write(&path, text.replace("DIR", directory.to_str().unwrap())).unwrap();
        path
    };
    network::set_up(directory, &[("/etc/resolv.conf", "nameserver 127.0.0.1\n")]);
    let nsd = servers::program("nsd").unwrap();
    let zones = write("nsd.conf", NAME_SERVER);
    let _names = started(Command::new(nsd).arg("-d").arg("-c").arg(zones));
    common::run("chmod", &["a+rx", directory.to_str().unwrap()], b"");
    for name in ["host", "client"] {
        let path = directory.join(name);
        std::fs::create_dir(&path).unwrap();
        common::run("chown", &["Debian-exim", path.to_str().unwrap()], b"");
    }
    let host = write("host.conf", HOST);
    let _host = started(Command::new(&exim).arg("-C").arg(host).arg("-bdf"));
    let until = Instant::now() + Duration::from_secs(20);
    while std::net::TcpStream::connect("127.0.0.2:25").is_err() {
        assert!(Instant::now() < until, "the host does not listen");
        std::thread::sleep(Duration::from_millis(50));
    }
    let config = write("client.conf", CLIENT);
    let programs = [Path::new(env!("CARGO_BIN_EXE_eximious")), Path::new(&exim)];
    let mut wrong = String::new();
    for (name, shows, records, fates) in CASES {
        // As which host it is called has to be the same.
        let mut names = Vec::new();
        for (program, fate) in programs.into_iter().zip(fates) {
            let (found, log) = fate_of(program, &config, directory, name);
            assert!(log.contains(&format!(" H={name}.test DS [127.0.0.{shows}]")), "{log}");
            names.extend(sni_told(directory));
            if found != Some(*fate) {
                wrong += &format!(
                    "{name} ({shows}) {records:?} by {program:?}: {found:?}, not {fate:?}\n{log}"
                );
            }
        }
        assert!(names.windows(2).all(|two| two[0] == two[1]), "{name}: {names:?}");
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The names that the host was called by, where it took a message.
fn sni_told(directory: &Path) -> Vec<String> {
    let log = directory.join("host/mainlog");
    let text = std::fs::read_to_string(&log).unwrap_or_default();
    let _ = std::fs::remove_file(&log);
    let came = text.lines().filter(|line| line.contains(" <= "));
    came.map(|line| line.split(' ').filter(|word| word.starts_with("SNI=")).collect()).collect()
}

/// What comes of a message to a host, and what is logged of it.
fn fate_of(program: &Path, config: &Path, directory: &Path, name: &str) -> (Option<Fate>, String) {
    let client = directory.join("client");
    let log = client.join("mainlog");
    let _ = std::fs::remove_file(&log);
    let _ = std::fs::remove_dir_all(client.join("db"));
    let mut command = Command::new(program);
    command.arg("-C").arg(config).args(["-odf", "-f", "<>", &format!("x@{name}.test")]);
    common::fed(&mut command, b"Subject: x\n\nx\n");
    let log = std::fs::read_to_string(&log).unwrap_or_default();
    let fate = log.lines().find_map(|line| match line {
        _ if line.contains(" => ") && line.contains(" CV=dane") => Some(Vouched),
        _ if line.contains(" => ") && line.contains(" CV=no") => Some(Sealed),
        _ if line.contains(" => ") && !line.contains(" X=") => Some(Clear),
        _ if line.contains(" == ") && line.contains("TLS session") => Some(Refused),
        _ => None,
    });
    (fate, log)
}
