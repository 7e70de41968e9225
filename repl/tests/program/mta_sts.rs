//! Policies of domains for mail that comes to them (MTA-STS), and reports of what came of TLS
//! (TLS-RPT): a name server, web servers that give policies, and the real Exim as the host.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use eximious_tests::{network, servers};

use super::common;
use super::common::started::{Started, started};

/// An authority, a certificate of hosts and of web servers, and one that nobody believes.
const SET_UP: &str = r#"set -e
root() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$1.key" \
        -out "$1.pem" -days 30 -subj "/CN=$1"
}
root ca
root stranger
names=
for one in DOMAINS; do names="$names,DNS:mail.$one.test,DNS:mta-sts.$one.test"; done
names=$(echo "$names" | sed 's/DNS:mail.misnamed.test,//; s/^,//')
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout s.key -out s.csr \
    -subj "/CN=server"
printf 'subjectAltName=%s\n' "$names" > s.ext
for by in ca stranger; do
    openssl x509 -req -in s.csr -CA $by.pem -CAkey $by.key -set_serial 7 -days 20 -extfile s.ext \
        -out s-$by.pem
done
openssl x509 -in s-ca.pem -pubkey -noout | openssl pkey -pubin -outform DER | openssl sha256 |
    awk '{print $2}' > key
chmod -R a+rX .
"#;

/// Domains, where each one's host is, who vouches for its web server, and what that says.
const DOMAINS: &[(&str, &str, &str, &str)] = &[
    ("good", "127.0.0.2", "ca", "mode: enforce\nmx: mail.good.test\nmax_age: 86400"),
    ("star", "127.0.0.2", "ca", "mode: enforce\nmx: *.star.test\nmax_age: 86400"),
    ("others", "127.0.0.2", "ca", "mode: enforce\nmx: other.others.test\nmax_age: 86400"),
    ("misnamed", "127.0.0.2", "ca", "mode: enforce\nmx: mail.misnamed.test\nmax_age: 86400"),
    ("clear", "127.0.0.9", "ca", "mode: enforce\nmx: mail.clear.test\nmax_age: 86400"),
    ("trying", "127.0.0.2", "ca", "mode: testing\nmx: other.trying.test\nmax_age: 86400"),
    ("tryclear", "127.0.0.9", "ca", "mode: testing\nmx: mail.tryclear.test\nmax_age: 86400"),
    ("gone", "127.0.0.2", "ca", "mode: none\nmax_age: 86400"),
    ("forged", "127.0.0.2", "stranger", "mode: enforce\nmx: other.test\nmax_age: 86400"),
    ("senseless", "127.0.0.2", "ca", "mode: enforce\nmax_age: 86400"),
    ("moved", "127.0.0.2", "ca", "HTTP/1.1 301 Moved\r\nLocation: https://mta-sts.good.test/\r\n"),
    ("html", "127.0.0.2", "ca", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"),
    ("dane", "127.0.0.2", "ca", "mode: enforce\nmx: other.test\nmax_age: 86400"),
    ("down", "127.0.0.2", "ca", ""),
    ("changing", "127.0.0.2", "ca", "mode: enforce\nmx: other.test\nmax_age: 86400"),
];

const NAME_SERVER: &str = "server:\n  ip-address: 127.0.0.1\n  zonesdir: \"DIR\"\n  \
    pidfile: \"DIR/nsd.pid\"\n  xfrdfile: \"DIR/xfrd\"\n  zonelistfile: \"DIR/zones\"\n  \
    username: \"\"\n  database: \"\"\n  server-count: 1\nremote-control:\n  control-enable: no\n\
    zone:\n  name: test\n  zonefile: test.zone\n";

const HOST: &str = "keep_environment =\nprimary_hostname = host.test\n\
    spool_directory = DIR/host\nlog_file_path = DIR/host/%slog\npid_file_path = DIR/host/pid\n\
    tls_certificate = DIR/s-ca.pem\ntls_privatekey = DIR/s.key\n\
    tls_advertise_hosts = ${if eq{$received_ip_address}{127.0.0.9}{}{*}}\n\
    acl_smtp_rcpt = accept\nqueue_only\n";

const CLIENT: &str = "keep_environment =\nprimary_hostname = client.test\n\
    spool_directory = DIR/client\nlog_file_path = DIR/client/%slog\ndns_trust_aa = *\n\
    tls_advertise_hosts =\nlog_selector = -smtp_confirmation\nacl_smtp_rcpt = accept\n\
    begin routers\nhosts:\n  driver = dnslookup\n  self = send\n  transport = out\n\
    begin transports\nout:\n  driver = smtp\n  allow_localhost\n  hosts_try_fastopen =\n  \
    tls_verify_certificates = DIR/ca.pem\n  hosts_request_ocsp =\n  \
    dnssec_request_domains = dane.test\n  mta_sts_domains = !without.test : *\n  \
    tlsrpt_domains = *\n\
    begin retry\n* * F,1h,1s\n";

#[test]
fn what_domains_say_of_their_hosts_is_followed() {
    let all = [servers::program("nsd"), servers::program("openssl")];
    if common::reference().is_some() && all.iter().all(Option::is_some) {
        network::run("mta_sts::inside", "");
    }
}

fn awaited(place: &str) {
    let until = Instant::now() + Duration::from_secs(20);
    while std::net::TcpStream::connect(place).is_err() {
        assert!(Instant::now() < until, "nobody listens at {place}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The site: its folder, and the servers that run.
struct Site<'d> {
    directory: &'d Path,
    servers: Vec<(&'static str, Started)>,
}

impl Site<'_> {
    fn write(&self, name: &str, text: &str) -> std::path::PathBuf {
        let path = self.directory.join(name);
        std::fs::write(&path, text.replace("DIR", self.directory.to_str().unwrap())).unwrap();
        path
    }

    /// The zone, where policies have a name.
    fn zone(&self, id: &str) {
        let key = std::fs::read_to_string(self.directory.join("key")).unwrap();
        let mut zone = format!(
            "$ORIGIN test.\n$TTL 60\n@ SOA ns.test. h.test. {id} 1 1 60 60\n@ NS ns.test.\n\
             ns A 127.0.0.1\nwithout MX 1 mail.good\nnamed MX 1 mail.good\n\
             _smtp._tls.good TXT \"v=TLSRPTv1; rua=mailto:tls@good.test\"\n\
             _25._tcp.mail.dane TLSA 3 1 1 {key}"
        );
        for (number, (name, host, ..)) in DOMAINS.iter().enumerate() {
            zone += &format!(
                "{name} MX 1 mail.{name}\nmail.{name} A {host}\n_mta-sts.{name} TXT \
                 \"v=STSv1; id={id};\"\nmta-sts.{name} A 127.0.1.{}\n",
                number + 1
            );
        }
        self.write("test.zone", &zone);
    }

    /// Has a web server say something of a domain.
    fn web(&mut self, name: &'static str, by: &str, said: &str) {
        self.servers.retain(|(one, _)| *one != name);
        let number = DOMAINS.iter().position(|(one, ..)| *one == name).unwrap() + 1;
        let folder = self.directory.join(name);
        std::fs::create_dir_all(folder.join(".well-known")).unwrap();
        let answer = match said.starts_with("HTTP") {
            true => format!("{said}\r\nversion: STSv1\n"),
            false => format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
                 version: STSv1\n{said}\n"
            ),
        };
        std::fs::write(folder.join(".well-known/mta-sts.txt"), answer).unwrap();
        let place = format!("127.0.1.{number}:443");
        let mut command = Command::new(servers::program("openssl").unwrap());
        command.args(["s_server", "-quiet", "-HTTP", "-accept", &place]).current_dir(&folder);
        let files = [format!("s-{by}.pem"), "s.key".to_owned()];
        let [certificate, key] = files.map(|file| self.directory.join(file));
        self.servers
            .push((name, started(command.arg("-cert").arg(certificate).arg("-key").arg(key))));
        awaited(&place);
    }

    /// What is logged of a message to a domain.
    fn sent(&self, config: &Path, domain: &str) -> String {
        let log = self.directory.join("client/mainlog");
        let _ = std::fs::remove_file(&log);
        let mut command = Command::new(env!("CARGO_BIN_EXE_eximious"));
        command.arg("-C").arg(config).args(["-odf", "-f", "<>", &format!("x@{domain}.test")]);
        common::fed(&mut command, b"Subject: x\n\nx\n");
        std::fs::read_to_string(&log).unwrap_or_default()
    }

    fn asked(&self, config: &Path, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_eximious"));
        let output = command.arg("-C").arg(config).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

/// The part that runs where it may ask at port 53, and at 443.
#[test]
#[ignore = "it needs a network of its own: the other starts it"]
fn inside() {
    let Some(_) = network::purpose() else { return };
    let exim = common::reference().expect("a real Exim");
    let folder = tempfile::tempdir().unwrap();
    let mut site = Site { directory: folder.path(), servers: Vec::new() };
    let names: Vec<&str> = DOMAINS.iter().map(|(name, ..)| *name).collect();
    let set_up = SET_UP.replace("DOMAINS", &names.join(" "));
    let made = Command::new("sh").args(["-c", &set_up]).current_dir(&folder).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    network::set_up(folder.path(), &[("/etc/resolv.conf", "nameserver 127.0.0.1\n")]);
    site.zone("1");
    let zones = site.write("nsd.conf", NAME_SERVER);
    let nsd = servers::program("nsd").unwrap();
    let mut names = started(Command::new(&nsd).arg("-d").arg("-c").arg(&zones));
    common::run("chmod", &["a+rx", folder.path().to_str().unwrap()], b"");
    for name in ["host", "client"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
        let path = folder.path().join(name);
        common::run("chown", &["Debian-exim", path.to_str().unwrap()], b"");
    }
    let host = site.write("host.conf", HOST);
    let _host = started(Command::new(&exim).arg("-C").arg(host).arg("-bdf"));
    for (name, _, by, said) in DOMAINS.iter().filter(|(name, ..)| *name != "down") {
        site.web(name, by, said);
    }
    awaited("127.0.0.2:25");
    let config = site.write("client.conf", CLIENT);

    let had = "MTA-STS: the policy of";
    let policy = "MTA-STS error: the policy of";
    for (domain, words) in [
        ("good", &[" => x@good.test ", " CV=yes "][..]),
        ("star", &[" => x@star.test ", " CV=yes "]),
        ("others", &[" == x@others.test ", policy, "others.test does not name the host"]),
        ("misnamed", &[" == x@misnamed.test ", "MTA-STS attempt failed; TLS connection to mail"]),
        ("clear", &[" == x@clear.test ", "a TLS session is required"]),
        ("trying", &[" => x@trying.test ", "MTA-STS failed (testing): H=mail.trying.test "]),
        ("tryclear", &[" => x@tryclear.test ", "(testing): H=mail.tryclear.test ", "no TLS"]),
        ("gone", &[" => x@gone.test "]),
        ("forged", &[" => x@forged.test ", had, "(sts-webpki-invalid): "]),
        ("senseless", &[" => x@senseless.test ", had, "(sts-policy-invalid): "]),
        ("moved", &[" => x@moved.test ", had, "the server said 301"]),
        ("html", &[" => x@html.test ", had, "not text/plain"]),
        ("dane", &[" => x@dane.test ", " CV=dane "]),
        ("down", &[" => x@down.test ", had, "(sts-policy-fetch-error): Connection refused"]),
        ("without", &[" => x@without.test "]),
        ("named", &[" => x@named.test "]),
        ("changing", &[" == x@changing.test ", policy]),
    ] {
        let log = site.sent(&config, domain);
        for word in words {
            assert!(log.contains(word), "{domain}: no \"{word}\" in {log}");
        }
        let silent = ["good", "star", "gone", "dane", "without", "named"].contains(&domain);
        assert_eq!(silent, !log.contains("MTA-STS") && !log.contains(" == "), "{domain}: {log}");
    }

    // Who does not answer any more is believed as before.
    let others = site.asked(&config, &["hints", "get", "mta-sts", "others.test"]);
    assert!(others.starts_with("others.test id=1 enforce fetched "), "{others}");
    site.servers.retain(|(name, _)| *name != "others");
    site.web("changing", "ca", "mode: enforce\nmx: mail.changing.test\nmax_age: 86400");
    let log = site.sent(&config, "changing");
    assert!(log.contains(policy) && log.contains(" == "), "the old policy is in force: {log}");
    site.zone("2");
    drop(names);
    names = started(Command::new(&nsd).arg("-d").arg("-c").arg(&zones));
    let until = Instant::now() + Duration::from_secs(20);
    // The name server needs a moment.
    let log = loop {
        let log = site.sent(&config, "changing");
        if log.contains(" => ") || Instant::now() > until {
            break log;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    assert!(log.contains(" => x@changing.test ") && log.contains(" CV=yes "), "{log}");
    let log = site.sent(&config, "others");
    assert!(log.contains(policy) && log.contains("Connection refused"), "{log}");
    reports(&site, &config);
    drop(names);
}

/// What came of all that is reported.
fn reports(site: &Site<'_>, config: &Path) {
    let today = site.asked(config, &["hints", "dump", "-k", "tlsrpt"]);
    let day = today.split(' ').next().expect("a day").to_owned();
    let who = site.asked(config, &["tlsrpt", "--day", &day]);
    assert!(who.contains("good.test mailto:tls@good.test\n"), "{who}");
    assert!(who.contains("\nothers.test -\n"), "{who}");
    let report = |domain: &str| -> serde_json::Value {
        let text = site.asked(config, &["tlsrpt", "--day", &day, domain]);
        serde_json::from_str(&text).expect("a report")
    };
    let good = report("good.test");
    assert_eq!(good["organization-name"], "client.test");
    assert_eq!(good["date-range"]["end-datetime"], format!("{day}T23:59:59Z"));
    let policy = &good["policies"][0];
    assert_eq!(policy["policy"]["policy-type"], "sts");
    assert_eq!(policy["policy"]["mx-host"], serde_json::json!(["mail.good.test"]));
    let lines = ["version: STSv1", "mode: enforce", "mx: mail.good.test", "max_age: 86400"];
    assert_eq!(policy["policy"]["policy-string"], serde_json::json!(lines));
    assert_eq!(policy["summary"]["total-successful-session-count"], 1);
    assert_eq!(policy["summary"]["total-failure-session-count"], 0);
    for (domain, kind, result) in [
        ("others.test", "sts", "validation-failure"),
        ("misnamed.test", "sts", "certificate-host-mismatch"),
        ("clear.test", "sts", "starttls-not-supported"),
        ("tryclear.test", "sts", "starttls-not-supported"),
        ("forged.test", "sts", "sts-webpki-invalid"),
        ("moved.test", "sts", "sts-policy-fetch-error"),
    ] {
        let report = report(domain);
        let policies = report["policies"].as_array().expect("policies");
        let details = policies.iter().flat_map(|one| match one["policy"]["policy-type"] == kind {
            true => one["failure-details"].as_array().cloned().unwrap_or_default(),
            false => Vec::new(),
        });
        let all: Vec<_> = details.map(|one| one["result-type"].clone()).collect();
        assert!(all.contains(&result.into()), "{domain}: {report:#}");
    }
    let dane = report("dane.test");
    assert_eq!(dane["policies"][0]["policy"]["policy-type"], "tlsa");
    let line = dane["policies"][0]["policy"]["policy-string"][0].as_str().expect("a record");
    assert!(line.starts_with("3 1 1 "), "{line}");
    assert_eq!(report("named.test")["policies"][0]["policy"]["policy-type"], "no-policy-found");
    sent_reports(site, config, &day, &good);
}

/// Reports that are sent are messages in the queue, once.
fn sent_reports(site: &Site<'_>, config: &Path, day: &str, good: &serde_json::Value) {
    let before = site.asked(config, &["-bpc"]).trim().parse::<u32>().expect("a number");
    let said = site.asked(config, &["tlsrpt", "--day", day, "--send"]);
    assert!(said.contains("good.test tls@good.test\n"), "{said}");
    assert!(said.contains("others.test -\n"), "{said}");
    let list = site.asked(config, &["-bpr"]);
    let line = list.lines().position(|line| line.trim() == "tls@good.test").expect("a message");
    let id = list.lines().nth(line - 1).and_then(|line| line.split_whitespace().nth(2));
    let text = site.asked(config, &["-Mvc", id.expect("its name")]);
    let head = "Subject: Report Domain: good.test Submitter: client.test Report-ID: <";
    assert!(text.contains(head) && text.contains("\nTLS-Report-Domain: good.test\n"), "{text}");
    assert!(text.contains("report-type=\"tlsrpt\""), "{text}");
    assert!(text.contains("filename=\"client.test!good.test!"), "{text}");
    let (_, part) = text.split_once(".json.gz\"\n\n").expect("a report");
    let (packed, _) = part.split_once("\n\n--").expect("its end");
    let packed = STANDARD.decode(packed.replace('\n', "")).expect("base64");
    let unpacked: serde_json::Value =
        serde_json::from_reader(flate2::read::GzDecoder::new(&packed[..])).expect("JSON");
    assert_eq!(&unpacked, good);
    let after = site.asked(config, &["-bpc"]).trim().parse::<u32>().expect("a number");
    assert_eq!(after, before + 1);
    let again = site.asked(config, &["tlsrpt", "--day", day, "--send"]);
    assert!(!again.contains("good.test tls@"), "{again}");
}
