//! A whole Postfix, as the next host of deliveries and as the client of a daemon, with TLS and
//! DANE: what it and both programs log of each other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use eximious_tests::daemons::Daemon;
use eximious_tests::tls::certificates;
use eximious_tests::{network, servers};

use super::common;
use super::common::started::{Started, started};
use super::peers::{KEY, POSTFIX, answering, digest};
use super::secure_hosts::comparable;

/// How long a message may take.
const SOON: Duration = Duration::from_secs(30);

const MAIN: &str = "compatibility_level = 3.6\nqueue_directory = DIR/queue\n\
    command_directory = POST/usr/sbin\ndaemon_directory = POST/usr/lib/postfix/sbin\n\
    data_directory = DIR/data\nshlib_directory = POST/usr/lib/postfix\n\
    meta_directory = POST/etc/postfix\nmail_owner = mail\nsetgid_group = daemon\n\
    default_privs = nobody\ninet_protocols = ipv4\ninet_interfaces = 127.0.0.2\n\
    myhostname = postfix.test\nmydestination =\nrelay_domains = home\n\
    relay_transport = discard\nmynetworks = 127.0.0.0/8\nproxy_interfaces = 127.0.0.99\n\
    maillog_file = DIR/log/mail\nmaillog_file_prefixes = DIR\n\
    import_environment = MAIL_CONFIG LD_LIBRARY_PATH\nalias_maps =\nlocal_recipient_maps =\n\
    smtpd_tls_security_level = may\nsmtpd_tls_loglevel = 1\nsmtpd_tls_received_header = yes\n\
    smtpd_tls_chain_files = CERTS/server.key, CERTS/server.pem\nsmtpd_tls_CAfile = CERTS/ca.pem\n\
    smtpd_relay_restrictions = permit_mynetworks, reject\n\
    smtp_tls_security_level = may\nsmtp_tls_loglevel = 1\nsmtp_dns_support_level = dnssec\n\
    smtp_tls_CAfile = CERTS/ca.pem\nsmtp_tls_policy_maps = inline:{POLICIES}\n";

/// What serves at which address, and how.
const SERVICES: &str = "127.0.0.5:25 inet n - n - - smtpd\n\
    127.0.0.6:25 inet n - n - - smtpd -o smtpd_tls_mandatory_protocols=TLSv1.2 \
    -o smtpd_tls_protocols=TLSv1.2\n\
    127.0.0.7:25 inet n - n - - smtpd -o smtpd_tls_security_level=encrypt\n\
    127.0.0.8:25 inet n - n - - smtpd -o smtpd_tls_security_level=none\n\
    127.0.0.9:25 inet n - n - - smtpd -o smtpd_tls_ask_ccert=yes\n\
    127.0.0.10:25 inet n - n - - smtpd -o smtpd_tls_security_level=encrypt \
    -o smtpd_tls_req_ccert=yes\n\
    127.0.0.11:25 inet n - n - - smtpd -o smtpd_tls_wrappermode=yes\n\
    cleanup unix n - n - 0 cleanup\n\
    proxymap unix - - n - - proxymap\nqmgr unix n - n 300 1 qmgr\n\
    tlsmgr unix - - n 1000? 1 tlsmgr\nrewrite unix - - n - - trivial-rewrite\n\
    bounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\n\
    smtp unix - - n - - smtp\nerror unix - - n - - error\nretry unix - - n - - error\n\
    discard unix - - n - - discard\nanvil unix - - n - 1 anvil\nscache unix - - n - 1 scache\n\
    postlog unix-dgram n - n - 1 postlogd\n";

/// How Postfix treats domains that it delivers to.
const POLICIES: &str = "{key.test=dane-only}, {bad.test=dane}, {may.test=may}, {enc.test=encrypt}, \
    {old.test=encrypt protocols=TLSv1.2}, {named.test=secure match=server.test}, \
    {wrong.test=secure match=other.test}, {none.test=none}";

const CLIENT: &str = "keep_environment =\nprimary_hostname = client.test\n\
    spool_directory = DIR/client\nlog_file_path = DIR/client/%slog\ndns_trust_aa = *\n\
    tls_advertise_hosts =\nlog_selector = +tls_peerdn -smtp_confirmation\n\
    begin routers\nhosts:\n  driver = dnslookup\n  self = send\n  dnssec_request_domains = *\n  \
    transport = ${extract{$local_part}{may=may must=must avoid=avoid cert=cert known=known \
    dane=dane strict=strict wrap=wrap}{$value}fail}\n\
    begin transports\nCOMMON = driver = smtp\nCERT = tls_certificate = CERTS/client.pem\n\
    KEY = tls_privatekey = CERTS/client.key\nREQUIRE = hosts_require_tls = *\n\
    may:\n  COMMON\n  MORE\nmust:\n  COMMON\n  MORE\n  REQUIRE\n\
    avoid:\n  COMMON\n  MORE\n  hosts_avoid_tls = *\n\
    cert:\n  COMMON\n  MORE\n  CERT\n  KEY\n  REQUIRE\n\
    known:\n  COMMON\n  MORE\n  REQUIRE\n  tls_verify_hosts = *\n  \
    tls_verify_certificates = CERTS/ca.pem\n  tls_sni = server.test\n  \
    tls_verify_cert_hostnames =\n\
    dane:\n  COMMON\n  SIGNED\n\
    strict:\n  COMMON\n  SIGNED\n  hosts_require_dane = *\n\
    wrap:\n  COMMON\n  MORE\n  protocol = smtps\n  port = 25\n\
    begin retry\n* * F,1h,10m\n";

/// What each transport has.
const MORE: &str = "allow_localhost\n  hosts_try_fastopen =\n  hosts_request_ocsp =\n  \
    hosts_try_chunking =";

/// To whom both programs send: how, and to which of Postfix's services.
const SENT: &[&str] = &[
    "may@s5.test",
    "must@s5.test",
    "avoid@s5.test",
    "known@s5.test",
    "may@s6.test",
    "known@s6.test",
    "may@s7.test",
    "avoid@s7.test",
    "may@s8.test",
    "must@s8.test",
    "cert@s9.test",
    "may@s9.test",
    "cert@s10.test",
    "may@s10.test",
    "wrap@s11.test",
    "dane@s5.test",
    "strict@s5.test",
    "dane@s6.test",
    "dane@wrong5.test",
    "strict@wrong5.test",
    "strict@s8.test",
    "dane@s8.test",
];

const SERVER: &str = "tls_certificate = CERTS/server.pem\ntls_privatekey = CERTS/server.key\n\
    tls_advertise_hosts = *\nacl_smtp_rcpt = accept\nqueue_only\n\
    log_selector = +tls_sni +tls_peerdn +tls_certificate_verified -pid\n\
    tls_try_verify_hosts = *\ntls_verify_certificates = CERTS/ca.pem\n";

#[test]
fn a_whole_postfix_understands_both_programs_alike() {
    let all = [servers::program(POSTFIX), servers::program("nsd")];
    if common::reference().is_some() && all.iter().all(Option::is_some) {
        network::run("postfix::inside", "");
    }
}

/// A Postfix that runs from where it is unpacked.
struct Postfix {
    at: PathBuf,
    program: PathBuf,
    master: Started,
}

impl Drop for Postfix {
    /// Ends what it has started, too.
    fn drop(&mut self) {
        let group = format!("-{}", self.master.0.id());
        let _ = Command::new("kill").args(["-9", "--", &group]).status();
    }
}

impl Postfix {
    fn start(at: &Path) -> Self {
        let program = servers::program(POSTFIX).expect("Postfix");
        let root = program.ancestors().nth(3).unwrap().to_path_buf();
        let folders = format!(
            "mkdir -p {0}/data {0}/log {0}/queue/pid && cd {0}/queue && \
             mkdir active bounce corrupt defer deferred flush hold incoming private saved trace \
             maildrop public && chown mail {0}/data [abcdfhimpst]* && chown root pid && \
             chgrp daemon maildrop public && chmod 730 maildrop && chmod 710 public",
            at.display()
        );
        common::run("sh", &["-c", &folders], b"");
        let filled = |text: &str| {
            text.replace("POLICIES", POLICIES)
                .replace("DIR", at.to_str().unwrap())
                .replace("POST", root.to_str().unwrap())
                .replace("CERTS", certificates().to_str().unwrap())
        };
        std::fs::write(at.join("main.cf"), filled(MAIN)).unwrap();
        std::fs::write(at.join("master.cf"), SERVICES).unwrap();
        let mut command = Command::new(root.join("usr/lib/postfix/sbin/master"));
        command.arg("-d").arg("-c").arg(at).env("MAIL_CONFIG", at);
        command.env("LD_LIBRARY_PATH", root.join("usr/lib/postfix"));
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let master = started(command.stdin(Stdio::null()));
        let own = Self { at: at.to_path_buf(), program, master };
        own.await_line(0, "daemon started");
        own
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.at.join("log/mail")).unwrap_or_default()
    }

    /// What it logged from an offset on, when that has some text.
    fn await_line(&self, from: usize, text: &str) -> String {
        let until = Instant::now() + SOON;
        loop {
            let log = self.log();
            let new = log.get(from..).unwrap_or_default();
            if new.contains(text) {
                return new.to_owned();
            }
            assert!(Instant::now() < until, "{text:?} is not logged: {log}");
            sleep(Duration::from_millis(20));
        }
    }

    /// Has it deliver a message.
    fn send(&self, recipient: &str) {
        let mut command = Command::new(self.program.with_file_name("smtp-source"));
        command
            .env("LD_LIBRARY_PATH", self.program.ancestors().nth(2).unwrap().join("lib/postfix"));
        command.args(["-m", "1", "-f", "a@home", "-t", recipient, "127.0.0.5:25"]);
        assert!(command.status().expect("smtp-source").success());
    }
}

/// What Postfix logs of TLS, and what came of a message, without what is each run's own.
fn of_postfix(log: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in log.lines() {
        let Some((_, said)) = line.split_once("]: ") else { continue };
        if let Some((what, how)) = said.split_once(" TLS connection established ") {
            let (with, how) = how.split_once("]:").unwrap_or((how, ""));
            let version = how.split("TLSv").nth(1).and_then(|rest| rest.split(' ').next());
            lines.push(format!("{what} {with} {}", version.unwrap_or_default()));
        } else if let Some((_, to)) = said.split_once(": to=<") {
            let recipient = to.split('>').next().unwrap_or_default();
            let (_, status) = to.split_once("status=").unwrap_or_default();
            let status = status.split(" id=").next().unwrap_or_default();
            lines.push(format!("{recipient} {status}"));
        } else if said.contains("not verified") || said.contains("verification failed") {
            lines.push(said.to_owned());
        }
    }
    lines
}

/// The part that runs where it may ask at port 53.
#[test]
#[ignore = "it needs a network of its own: the other starts it"]
fn inside() {
    let Some(_) = network::purpose() else { return };
    let exim = common::reference().expect("a real Exim");
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display().to_string();
    common::run("chmod", &["a+rx", &at], b"");
    let _names = answering(folder.path(), &zone());
    // Postfix takes what is for its own addresses for its own; nobody sends to this one.
    common::run("ip", &["address", "add", "127.0.0.2/8", "dev", "lo"], b"");
    let post = folder.path().join("postfix");
    std::fs::create_dir(&post).unwrap();
    let postfix = Postfix::start(&post);
    let programs = [Path::new(&exim), Path::new(env!("CARGO_BIN_EXE_eximious"))];

    std::fs::create_dir(folder.path().join("client")).unwrap();
    common::run("chown", &["Debian-exim", &format!("{at}/client")], b"");
    let text = CLIENT.replace("  MORE", &format!("  {MORE}\n  hosts_try_dane ="));
    let text = text.replace("  SIGNED", &format!("  {MORE}"));
    let text = text.replace("CERTS", certificates().to_str().unwrap());
    let config = folder.path().join("client.conf");
    std::fs::write(&config, text.replace("DIR", &at)).unwrap();
    let told = programs.map(|program| sent(program, &config, folder.path(), &postfix));
    alike(&told, &["CV=dane", "Trusted from", "Anonymous from", "must@s8.test"]);

    let told = programs.map(|program| served(program, &postfix));
    alike(&told, &["Verified to ", "Trusted to ", "Untrusted to ", "SNI=", "deferred"]);
}

/// What both told is the same, and has some texts.
fn alike(told: &[String; 2], texts: &[&str]) {
    let [exims, ours] = told;
    for text in texts {
        assert!(exims.contains(text), "{text:?} is not in {exims}");
    }
    let changes = similar::TextDiff::from_lines(exims, ours).unified_diff().to_string();
    assert!(changes.is_empty(), "{changes}\n{exims}");
}

/// Who is where, and what that is to be believed by.
fn zone() -> String {
    let key = digest(KEY);
    let bad = "0".repeat(64);
    let mut zone = String::from(
        "$ORIGIN test.\n$TTL 60\n@ SOA ns.test. h.test. 1 60 60 60 60\n@ NS ns.test.\n\
         ns A 127.0.0.1\n",
    );
    let mut add = |name: &str, last: u8, digest: Option<&str>| {
        zone += &format!("{name} MX 1 {name}\n{name} A 127.0.0.{last}\n");
        if let Some(digest) = digest {
            zone += &format!("_25._tcp.{name} TLSA 3 1 1 {digest}\n");
        }
    };
    for last in 5..=11 {
        add(&format!("s{last}"), last, Some(&key));
    }
    add("wrong5", 5, Some(&bad));
    add("key", 1, Some(&key));
    add("bad", 1, Some(&bad));
    for name in ["may", "enc", "old", "named", "wrong", "none"] {
        add(name, 1, None);
    }
    zone
}

/// What a program and Postfix log of messages from one to the other.
fn sent(program: &Path, config: &Path, directory: &Path, postfix: &Postfix) -> String {
    let mut all = String::new();
    for recipient in SENT {
        let client = directory.join("client");
        let _ = std::fs::remove_file(client.join("mainlog"));
        let _ = std::fs::remove_dir_all(client.join("db"));
        let before = postfix.log().len();
        let mut command = Command::new(program);
        command.arg("-C").arg(config).args(["-odf", "-f", "<>", recipient]);
        let output = common::fed(&mut command, b"Subject: x\n\nx\n");
        let log = std::fs::read_to_string(client.join("mainlog")).unwrap_or_default();
        assert!(log.contains(recipient), "{recipient}: {output:?} {log}");
        let heard = postfix.await_line(before, "disconnect from ");
        let heard = of_postfix(&heard);
        // OpenSSL looks at the host's certificate before the handshake is done, GnuTLS after it.
        let fails = log.contains("DANE attempt failed");
        let heard = heard.iter().filter(|line| line.contains(" from ") && !fails);
        let lines =
            log.lines().filter_map(comparable).map(|line| match line.split_once(" SIZE=") {
                // Each program has headers of its own length.
                Some((head, tail)) => {
                    format!("{head}{}", tail.trim_start_matches(char::is_numeric))
                }
                None => line,
            });
        let lines: Vec<String> = lines.chain(heard.cloned()).collect();
        all += &format!("== {recipient}\n{}\n", lines.join("\n"));
    }
    all
}

/// The same, of messages that come from Postfix.
fn served(program: &Path, postfix: &Postfix) -> String {
    let arguments = ["-bdf", "-oX", "127.0.0.1.25 : 127.0.0.1.PORT"];
    let daemon = Daemon::start(program, SERVER, &arguments);
    let mut all = BTreeMap::new();
    for name in ["key", "bad", "may", "enc", "old", "named", "wrong", "none"] {
        let [before, own] = [postfix.log().len(), daemon.log("main").len()];
        let recipient = format!("x@{name}.test");
        postfix.send(&recipient);
        let heard = postfix.await_line(before, &format!("to=<{recipient}>"));
        // A session that failed is logged a moment later.
        sleep(Duration::from_millis(100));
        let log = daemon.log("main");
        let arrived = log[own..].lines().filter_map(|line| line.split_once(" <= "));
        let arrived = arrived.map(|(_, rest)| {
            let kept = ["H=", "P=", "X=", "CV=", "DN=", "SNI="];
            let words = rest.split(' ').filter(|word| kept.iter().any(|k| word.starts_with(k)));
            let words = words.map(|word| match word.strip_prefix("X=") {
                Some(cipher) => format!("X={}", cipher.split(':').next().unwrap_or_default()),
                None => word.to_owned(),
            });
            words.collect::<Vec<_>>().join(" ")
        });
        let lines: Vec<String> = of_postfix(&heard).into_iter().chain(arrived).collect();
        all.insert(recipient, lines.join("\n"));
    }
    all.iter().map(|(recipient, lines)| format!("== {recipient}\n{lines}\n")).collect()
}
