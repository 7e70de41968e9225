//! Hosts that are believed by what the DNS says of them (DANE), that prove that their
//! certificates are valid (OCSP), and whose sessions are taken up again: the real Exim is
//! the host, and both programs deliver to it, with a name server of their own.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use eximious_tests::{network, servers};

use super::common;
use super::common::started::started;

/// Authorities, certificates, proofs of a real responder, and the zone with what it says of
/// them.
const SET_UP: &str = r#"set -e
root() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$1.key" \
        -out "$1.pem" -days 3650 -subj "$2"
}
root ca "/O=Test/CN=Test CA"
root stranger "/O=Test/CN=Test CA"
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout s.key -out s.csr \
    -subj "/CN=server"
printf 'subjectAltName=DNS:ta.test,DNS:takey.test,DNS:cname.test\n' > s.ext
openssl x509 -req -in s.csr -CA ca.pem -CAkey ca.key -set_serial 100 -days 3000 -out s.pem \
    -extfile s.ext
cat s.pem ca.pem > chain.pem
digest() { openssl "$@" | awk '{print $2}'; }
key=$(openssl x509 -in s.pem -pubkey -noout | openssl pkey -pubin -outform DER | digest sha256)
long=$(openssl x509 -in s.pem -pubkey -noout | openssl pkey -pubin -outform DER | digest sha512)
leaf=$(openssl x509 -in s.pem -outform DER | digest sha256)
whole=$(openssl x509 -in s.pem -outform DER | od -An -tx1 | tr -d ' \n')
ca=$(openssl x509 -in ca.pem -outform DER | digest sha256)
cakey=$(openssl x509 -in ca.pem -pubkey -noout | openssl pkey -pubin -outform DER | digest sha256)
bad=$(echo bad | digest sha256)
{
printf '$ORIGIN test.\n$TTL 60\n@ SOA ns.test. h.test. 1 60 60 60 60\n@ NS ns.test.\nns A 127.0.0.1\n'
host() { # name address records...
    printf '%s MX 1 %s\n%s A 127.0.0.%s\n' "$1" "$1" "$1" "$2"; name=$1; shift 2
    for record; do printf '_25._tcp.%s TLSA %s\n' "$name" "$record"; done
}
host ee 2 "3 1 1 $key"
host eelong 2 "3 1 2 $long"
host eeleaf 2 "3 0 1 $leaf"
host eewhole 2 "3 0 0 $whole"
host badee 2 "3 1 1 $bad"
host ta 2 "2 0 1 $ca"
host takey 2 "2 1 1 $cakey"
host badta 2 "2 0 1 $bad"
host taname 2 "2 0 1 $ca"
host pkix 2 "1 1 1 $key"
host junk 2 "3 1 9 $key" "9 1 1 $key" "3 7 1 $key"
host mixed 2 "2 0 1 $bad" "1 0 1 $bad" "3 1 1 $key"
host twokeys 2 "3 1 1 $bad" "3 1 1 $key"
host none 2
host clear 9 "3 1 1 $key"
host pkixclear 9 "1 1 1 $key"
host later 2
host cname 2
printf '_25._tcp.cname CNAME _25._tcp.ta\nalias MX 1 al\nal CNAME ee\n'
printf 'two MX 1 gone\ntwo MX 2 none\ngone A 192.0.2.1\n_25._tcp.gone TLSA 3 1 1 %s\n' "$key"
} > test.zone
printf 'V\t350101000000Z\t\t64\tunknown\t/CN=server\n' > good.index
printf 'R\t350101000000Z\t260101000000Z\t64\tunknown\t/CN=server\n' > revoked.index
proof() { # name index authority serial
    openssl ocsp -index "$2.index" -CA "$3.pem" -rsigner "$3.pem" -rkey "$3.key" -issuer "$3.pem" \
        -serial "$4" -respout "$1.ocsp" ${5+-ndays "$5"}
}
proof good good ca 100 300
proof endless good ca 100
proof revoked revoked ca 100 300
proof other good ca 101 300
proof forged good stranger 100 300
chmod -R a+rX .
"#;

/// A name server for a zone `test`, in which it can't be said what is below `later.test`.
pub(super) const NAME_SERVER: &str = "server:\n  ip-address: 127.0.0.1\n  zonesdir: \"DIR\"\n  \
    pidfile: \"DIR/nsd.pid\"\n  xfrdfile: \"DIR/xfrd\"\n  zonelistfile: \"DIR/zones\"\n  \
    username: \"\"\n  database: \"\"\n  server-count: 1\nremote-control:\n  control-enable: no\n\
    zone:\n  name: \"_tcp.later.test\"\n  zonefile: nowhere.zone\n\
    zone:\n  name: test\n  zonefile: test.zone\n";

const HOST: &str = "keep_environment =\nprimary_hostname = host.test\n\
    spool_directory = DIR/host\nlog_file_path = DIR/host/%slog\npid_file_path = DIR/host/pid\n\
    tls_certificate = DIR/chain.pem\ntls_privatekey = DIR/s.key\n\
    tls_advertise_hosts = ${if eq{$received_ip_address}{127.0.0.9}{}{*}}\n\
    tls_resumption_hosts = *\n\
    tls_ocsp_file = ${if inlisti{$received_ip_address}{127.0.0.3 : 127.0.0.7 : 127.0.0.8}\
    {DIR/${extract{$received_ip_address}\
    {127.0.0.3=good 127.0.0.7=forged 127.0.0.8=endless}}.ocsp}}\n\
    acl_smtp_rcpt = accept\nacl_smtp_mail = tell\nqueue_only\nbegin acl\ntell:\n  \
    warn logwrite = TAKEN UP: ${if >{$tls_in_resumption}{15}{yes}{no}}\n  accept\n";

const CLIENT: &str = "keep_environment =\nprimary_hostname = client.test\n\
    spool_directory = DIR/client\nlog_file_path = DIR/client/%slog\ndns_trust_aa = TRUST\n\
    tls_advertise_hosts =\nlog_selector = +dnssec +tls_peerdn +tls_resumption -smtp_confirmation\n\
    acl_smtp_rcpt = through\nbegin acl\nthrough:\n  \
    accept control = cutthrough_delivery\ntell:\n  \
    warn logwrite = EVENT $acl_arg1 \
    <${if match{$acl_arg1}{^(dane|dns|tls)}{$acl_arg2 $tls_out_ocsp}}> \
    $host [$host_address]:$host_port $tls_out_dane $tls_out_tlsa_usage \
    $tls_out_certificate_verified \
    ${if def:tls_out_peercert{${certextract{subject}{$tls_out_peercert}}}}\n  accept\n\
    begin routers\nproofs:\n  driver = manualroute\n  domains = good : forged : endless : unproven\n  \
    route_data = ${extract{$domain}\
    {unproven=127.0.0.2 good=127.0.0.3 forged=127.0.0.7 endless=127.0.0.8}}\n  \
    self = send\n  \
    transport = ${extract{$local_part}{ask=ask require=require again=again}{$value}fail}\n\
    hosts:\n  driver = dnslookup\n  self = send\n  dnssec_request_domains = *\n  \
    transport = ${extract{$local_part}{must=must clear=clear}{$value}{try}}\n\
    begin transports\nCOMMON = driver = smtp\n\
    try:\n  COMMON\n  MORE\n  hosts_request_ocsp =\n\
    clear:\n  COMMON\n  MORE\n  hosts_avoid_tls = *\n\
    must:\n  COMMON\n  MORE\n  hosts_require_dane = *\n  hosts_request_ocsp =\n\
    ask:\n  COMMON\n  MORE\n  tls_verify_certificates = DIR/ca.pem\n  \
    tls_verify_cert_hostnames =\n\
    require:\n  COMMON\n  MORE\n  hosts_require_ocsp = *\n  hosts_require_tls = *\n  \
    tls_verify_certificates = DIR/ca.pem\n  tls_verify_cert_hostnames =\n\
    again:\n  COMMON\n  MORE\n  tls_resumption_hosts = *\n\
    begin retry\n* * F,1h,10m\n";

/// What a transport has beside that.
const MORE: &str = "allow_localhost\n  hosts_try_fastopen =\n  \
    event_action = ${if match{$event_name}{^(dane|dns|msg|tcp|tls)}\
    {${acl{tell}{$event_name}{$event_data}}}}";

/// To whom messages go, one after the other.
const RECIPIENTS: &[&str] = &[
    "x@ee.test",
    "x@eelong.test",
    "x@eeleaf.test",
    "x@eewhole.test",
    "x@badee.test",
    "x@ta.test",
    "x@takey.test",
    "x@badta.test",
    "x@taname.test",
    "x@pkix.test",
    "x@junk.test",
    "x@mixed.test",
    "x@twokeys.test",
    "x@none.test",
    "x@clear.test",
    "x@pkixclear.test",
    "x@later.test",
    "x@cname.test",
    "x@alias.test",
    "must@ee.test",
    "must@badee.test",
    "must@none.test",
    "must@clear.test",
    "must@later.test",
    "must@two.test",
    "clear@ee.test",
    "clear@none.test",
    "through@none.test",
    "ask@good",
    "ask@forged",
    "ask@endless",
    "ask@unproven",
    "require@good",
    "require@forged",
    "require@endless",
    "require@unproven",
    "again@good",
    "again@good",
];

#[test]
fn hosts_are_believed_as_exim_believes_them() {
    let all = [servers::program("nsd"), servers::program("openssl")];
    if common::reference().is_some() && all.iter().all(Option::is_some) {
        network::run("secure_hosts::inside", "");
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
    let made = Command::new("sh").args(["-c", SET_UP]).current_dir(directory).output().unwrap();
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
    let host = write("host.conf", HOST);
    for name in ["host", "client"] {
        std::fs::create_dir(directory.join(name)).unwrap();
        let path = directory.join(name);
        common::run("chown", &["Debian-exim", path.to_str().unwrap()], b"");
    }
    let _host = started(Command::new(&exim).arg("-C").arg(host).arg("-bdf"));
    let until = Instant::now() + Duration::from_secs(20);
    while std::net::TcpStream::connect("127.0.0.2:25").is_err() {
        assert!(Instant::now() < until, "the host does not listen");
        std::thread::sleep(Duration::from_millis(50));
    }
    let ours = Path::new(env!("CARGO_BIN_EXE_eximious"));
    for (trust, recipients) in [("*", RECIPIENTS), ("", &["x@ee.test", "must@ee.test"])] {
        let text = CLIENT.replace("TRUST", trust).replace("  MORE", &format!("  {MORE}"));
        let config = write("client.conf", &text);
        for program in [Path::new(&exim), ours] {
            let log = told(program, &config, directory, recipients);
            write(if program == ours { "ours" } else { "exims" }, &log);
        }
        let read = |name: &str| std::fs::read_to_string(directory.join(name)).unwrap();
        let (exims, ours) = (read("exims"), read("ours"));
        assert!(exims.contains("CV=dane") || trust.is_empty(), "{exims}");
        let changes = similar::TextDiff::from_lines(&exims, &ours).unified_diff().to_string();
        assert!(changes.is_empty(), "{changes}");
    }
}

/// What a program logs of messages to some recipients.
fn told(program: &Path, config: &Path, directory: &Path, recipients: &[&str]) -> String {
    let client = directory.join("client");
    let mut all = String::new();
    for recipient in recipients {
        let log = client.join("mainlog");
        let _ = std::fs::remove_file(&log);
        if !recipient.starts_with("again") {
            let _ = std::fs::remove_dir_all(client.join("db"));
        }
        let host_log = directory.join("host/mainlog");
        let before = std::fs::read_to_string(&host_log).unwrap_or_default().len();
        let mut command = Command::new(program);
        command.arg("-C").arg(config);
        let message = match recipient.starts_with("through") {
            true => {
                command.args(["-bs", "-oMa", "127.0.0.1"]);
                format!("HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n")
            }
            false => {
                command.args(["-odf", "-f", "<>", recipient]);
                String::new()
            }
        };
        common::fed(&mut command, format!("{message}Subject: x\r\n\r\nx\r\n.\r\n").as_bytes());
        all += &format!("== {recipient}\n");
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        all.extend(text.lines().filter_map(comparable).map(|line| line + "\n"));
        let heard = std::fs::read_to_string(&host_log).unwrap_or_default();
        let heard = heard.get(before..).unwrap_or_default().lines();
        let taken = heard.filter_map(|line| line.split_once("TAKEN UP: "));
        all.extend(taken.map(|(_, word)| format!("taken up: {word}\n")));
    }
    all
}

/// A line of a log, without what is each program's own: times, names of messages and of
/// ciphers, sizes, and the library's words.
pub(super) fn comparable(line: &str) -> Option<String> {
    let (_, rest) = line.split_once(' ')?.1.split_once(' ')?;
    let rest = match rest.split_once(' ') {
        Some((id, rest)) if id.len() == 23 && id.matches('-').count() == 2 => rest,
        _ => rest,
    };
    if ["<= ", "lost privilege", "Completed", "Frozen"].iter().any(|one| rest.contains(one)) {
        return None;
    }
    let mut out = rest.to_owned();
    // What the library says of a certificate.
    if let Some(start) = out.find("TLS session: (").or_else(|| out.find("]: (")) {
        let colon = out[start + 2..].find("): ").map(|at| start + 2 + at);
        if let Some(colon) = colon {
            let end = out[colon..].find('>').map_or(out.len(), |at| colon + at);
            out.replace_range(colon + 1..end, "");
        }
    }
    if let Some(start) = out.find(" X=TLS") {
        let end = out[start + 1..].find(' ').map_or(out.len(), |at| start + 1 + at);
        let mark = if out[start..end].ends_with('*') { " X=…*" } else { " X=…" };
        out.replace_range(start..end, mark);
    }
    Some(out.replace("(SSL_connect)", "(certificate verification failed)"))
}
