//! DKIM and SPF in sessions of `-bs`: both programs get the same messages, and ask the same
//! name server, which is alone with them in a network of its own.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{compare, run_timed};

/// What says that the program runs in that network, and where its files are.
const INSIDE: &str = "EXIMIOUS_BENCH_INSIDE";
/// How many domains senders have: each is looked up anew.
const DOMAINS: usize = 200;

/// A message with a signature of `dkim.test` by an RSA key of 2048 bits.
const SIGNED: &str = include_str!("../signed.eml");

/// Whether this is that program.
pub fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Verifications and evaluations of both programs, in turn.
pub fn compare_both(smoke: bool, exim: &Path, ours: &Path) {
    if let Some(directory) = std::env::var_os(INSIDE) {
        return inside(Path::new(&directory), smoke, exim, ours);
    }
    let directory = tempfile::tempdir().expect("a directory");
    prepare(directory.path(), smoke);
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount", "--"]).arg(std::env::current_exe().expect("this program"));
    let smoke_too = smoke.then_some("--smoke");
    command.arg("--authentication").args(smoke_too).env(INSIDE, directory.path());
    let permitted = Command::new("unshare").args(["--net", "--mount", "true"]).output();
    if !permitted.is_ok_and(|output| output.status.success())
        || !Path::new("/usr/sbin/nsd").exists()
    {
        println!("no network of its own, or no nsd: DKIM and SPF are left out");
        return;
    }
    let status = command.status().expect("the program runs");
    assert!(status.success(), "DKIM and SPF are compared");
}

/// Writes the configuration, the zones and what is said.
fn prepare(directory: &Path, smoke: bool) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let write = |name: &str, text: &str| {
        std::fs::write(directory.join(name), text).expect("a file");
    };
    let at = directory.display();
    std::fs::create_dir_all(directory.join("spool")).expect("a directory");
    std::fs::create_dir_all(directory.join("log")).expect("a directory");
    write(
        "exim.conf",
        &format!(
            "primary_hostname = me.test\nspool_directory = {at}/spool\nlog_file_path = \
             {at}/log/%slog\nkeep_environment =\nhost_lookup =\ntls_advertise_hosts =\n\
             smtp_enforce_sync = false\nsmtp_accept_max_nonmail = 100000\n\
             smtp_accept_max_per_connection = 100000\nexim_user = root\nexim_group = root\n\
             log_selector = -all\nwrite_rejectlog = false\n\
             acl_smtp_mail = mail\nacl_smtp_rcpt = accept\n\
             acl_smtp_dkim = dkim\nbegin acl\nmail:\n  accept condition = \
             ${{if eq{{$sender_address_domain}}{{dkim.test}}}}\n  accept spf = pass\n  deny\n\
             dkim:\n  deny dkim_status = pass\n       message = it holds\n  accept\n"
        ),
    );
    write("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n");
    let head = "$TTL 300\n@ SOA ns.test. hostmaster.test. 1 3600 900 604800 60\n@ NS ns.test.\n";
    let mut zone = format!("$ORIGIN spf.bench.\n{head}");
    for number in 0..DOMAINS {
        let _ = writeln!(
            zone,
            "d{number} TXT \"v=spf1 a mx include:i{number}.spf.bench -all\"\nd{number} A \
             198.51.100.1\nd{number} MX 10 mx{number}\nmx{number} A 198.51.100.2\ni{number} TXT \
             \"v=spf1 ip4:203.0.113.0/24 ip4:192.0.2.0/24 -all\""
        );
    }
    write("spf.zone", &zone);
    let zones = root.join("tests/dialogues/zones");
    write(
        "nsd.conf",
        &format!(
            "server:\n  ip-address: 127.0.0.1\n  username: \"\"\n  chroot: \"\"\n  \
             zonesdir: \"{at}\"\n  pidfile: \"{at}/nsd.pid\"\n  xfrdfile: \"\"\n  xfrdir: \"{at}\"\n  \
             database: \"\"\n  zonelistfile: \"{at}/zones.list\"\n  rrl-ratelimit: 0\n  verbosity: 0\n  \
             server-count: 1\nremote-control:\n  \
             control-enable: no\nzone:\n  name: spf.bench\n  zonefile: spf.zone\nzone:\n  name: \
             dkim.test\n  zonefile: \"{}\"\n",
            zones.join("dkim.test").display()
        ),
    );
    let rounds = if smoke { 1 } else { 500 };
    let mut said = String::from("EHLO client.test\r\n");
    for _ in 0..rounds {
        said += "MAIL FROM:<a@dkim.test>\r\nRCPT TO:<b@me.test>\r\nDATA\r\n";
        said += SIGNED;
        said += ".\r\n";
    }
    write("dkim.in", &(said + "QUIT\r\n"));
    let mut said = String::from("EHLO client.test\r\n");
    for number in 0..if smoke { 2 } else { DOMAINS } {
        let _ = write!(said, "MAIL FROM:<a@d{number}.spf.bench>\r\nRSET\r\n");
    }
    write("spf.in", &(said + "QUIT\r\n"));
}

/// In that network: a name server, and the work.
fn inside(directory: &Path, smoke: bool, exim: &Path, ours: &Path) {
    let well = |command: &mut Command| {
        assert!(command.status().is_ok_and(|status| status.success()), "{command:?}");
    };
    well(Command::new("ip").args(["link", "set", "lo", "up"]));
    let own = directory.join("resolv.conf");
    well(Command::new("mount").arg("--bind").arg(own).arg("/etc/resolv.conf"));
    let _server = Server::start(directory);
    let runs = if smoke { 1 } else { 5 };
    let config = directory.join("exim.conf").display().to_string();
    let args = ["-C", &config, "-oMa", "192.0.2.1.4000", "-bs"];
    for (what, file, good) in [
        ("500 messages with a DKIM signature", "dkim.in", "550 it holds"),
        ("200 senders with SPF records of two levels", "spf.in", "250 OK"),
    ] {
        let input = directory.join(file);
        for program in [exim, ours] {
            let mut command = crate::command(program, &args, Some(&input));
            let output = command.stdout(Stdio::piped()).output().expect("the program runs");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let said = text.lines().filter(|line| line.starts_with(good)).count();
            let wanted = match (smoke, file) {
                (true, "dkim.in") => 1,
                (true, _) => 2,
                (false, "dkim.in") => 500,
                (false, _) => DOMAINS,
            };
            assert!(said >= wanted, "{program:?}: {said} of {wanted}\n{text:.2000}");
        }
        compare(what, runs, exim, ours, &args, Some(&input));
    }
}

/// The name server.
struct Server(Child);

impl Server {
    fn start(directory: &Path) -> Self {
        let mut command = Command::new("/usr/sbin/nsd");
        command.arg("-d").arg("-c").arg(directory.join("nsd.conf"));
        let child = command.stderr(Stdio::null()).spawn().expect("nsd runs");
        let start = Instant::now();
        let asks = || {
            let mut command = Command::new("getent");
            command.args(["ahostsv4", "mx0.spf.bench"]).stdout(Stdio::null());
            run_timed(&mut command);
            command.status().is_ok_and(|status| status.success())
        };
        while !asks() && start.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(50));
        }
        Self(child)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
