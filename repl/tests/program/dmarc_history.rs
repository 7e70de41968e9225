//! `dmarc_history_file`: what messages leave there, as OpenDMARC's importer brings it into its
//! tables.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use eximious_tests::servers::program;
use eximious_tests::sql::Sql;
use eximious_tests::{names, root};

use crate::common;

const ZONE: &str = "$TTL 60\n@ SOA ns hostmaster 1 60 60 60 60\n NS ns\nns A 127.0.0.1\n\
    $ORIGIN a.example.\n\
    @ TXT \"v=spf1 ip4:192.0.2.1 -all\"\n\
    _dmarc TXT \"v=DMARC1; p=reject; sp=quarantine; pct=100; adkim=s; \
    rua=mailto:r@a.example,mailto:s@a.example!10m\"\n\
    $ORIGIN open.example.\n@ TXT \"v=spf1 ?all\"\n_dmarc TXT \"v=DMARC1; p=none\"\n";
const CONFIG: &str = "spool_directory = DIR/spool\nlog_file_path = DIR/log/%slog\n\
    primary_hostname = me.example\nkeep_environment =\nhost_lookup =\nqueue_only\n\
    smtp_enforce_sync = false\n\
    dmarc_tld_file = DIR/suffixes\ndmarc_history_file = DIR/history\n\
    acl_smtp_rcpt = accept\nacl_smtp_data = data\nbegin acl\n\
    data:\n  warn spf = pass\n  deny dmarc_status = reject\n       message = rejected by DMARC\n  accept\n";

/// Debian's text of the tables.
const TABLES: &str = "/usr/share/dbconfig-common/data/opendmarc/install/mysql";

/// What is in the tables of each message: whose it is, the policy's outcome and what was done
/// (15 pass, 16 reject, 17 quarantine, 18 none, 14 no record), SPF, alignment (4 yes, 5 no) and
/// signatures, and what the domain has published.
const MESSAGES: &str = "SELECT f.name, e.name, p.name, m.policy, m.disp, i.addr, r.name, m.spf, \
    m.align_dkim, m.align_spf, m.sigcount, q.repuri, q.adkim, q.aspf, q.policy, q.spolicy, q.pct \
    FROM messages m JOIN domains f ON m.from_domain = f.id JOIN domains e ON m.env_domain = e.id \
    JOIN domains p ON m.policy_domain = p.id JOIN ipaddr i ON m.ip = i.id \
    JOIN reporters r ON m.reporter = r.id LEFT JOIN requests q ON q.domain = p.id ORDER BY m.id";

/// Of each signature; 0 is a pass.
const SIGNATURES: &str = "SELECT d.name, l.name, s.pass, s.error FROM signatures s \
    JOIN domains d ON s.domain = d.id JOIN selectors l ON s.selector = l.id";

fn message(sender: &str, text: &str) -> String {
    format!("MAIL FROM:<{sender}>\r\nRCPT TO:<b@me.example>\r\nDATA\r\n{text}\r\n.\r\n")
}

/// The importer, where it is installed with the modules that it wants.
fn importer() -> Option<PathBuf> {
    let program = program("opendmarc-import")?;
    let has = Command::new(&program).arg("--help").output();
    let has = has.is_ok_and(|output| {
        [output.stdout, output.stderr].concat().windows(5).any(|text| text == b"usage")
    });
    if !has {
        assert!(!eximious_tests::in_ci(), "opendmarc-import lacks Perl's modules");
        eprintln!("LEFT OUT: opendmarc-import lacks Perl's modules (tests/setup)");
    }
    has.then_some(program)
}

/// Receives messages of several kinds from a host that SPF permits.
fn receive(folder: &Path) -> String {
    let place = folder.display().to_string();
    let zones = folder.join("zones");
    for part in ["log", "spool", "zones"] {
        std::fs::create_dir(folder.join(part)).expect("a directory");
    }
    std::fs::write(zones.join("example"), ZONE).expect("a zone");
    let signers = std::fs::read_to_string(root().join("tests/dialogues/zones/dkim.test"));
    std::fs::write(zones.join("dkim.test"), signers.expect("a zone")).expect("a zone");
    std::fs::write(folder.join("suffixes"), "example\ntest\n").expect("a list");
    std::fs::write(folder.join("exim.conf"), CONFIG.replace("DIR", &place)).expect("a file");
    let open = Command::new("chmod").args(["-R", "a+rwX", &place]).status();
    assert!(open.is_ok_and(|status| status.success()));
    // What everybody can write is no configuration for the superuser.
    let config = folder.join("exim.conf");
    std::fs::set_permissions(config, PermissionsExt::from_mode(0o644)).expect("a mode");
    let (_server, port) = names::real(&zones).expect("a name server");
    let signed = std::fs::read_to_string(root().join("bench/signed.eml")).expect("a message");
    let said = [
        "EHLO client.example\r\n".to_owned(),
        message("u@a.example", "From: x@a.example\r\n\r\none"),
        message("u@elsewhere.example", "From: x@sub.a.example\r\n\r\ntwo"),
        message("u@elsewhere.example", "From: x@a.example\r\n\r\nthree"),
        message("", "From: x@open.example\r\n\r\nfour"),
        message("u@d.example", "From: x@silent.example\r\n\r\nfive"),
        message("u@dkim.test", signed.strip_suffix("\r\n").expect("a line")),
        "QUIT\r\n".to_owned(),
    ];
    let config = format!("{place}/exim.conf");
    let mut command = Command::new(env!("CARGO_BIN_EXE_eximious"));
    command.args(["-C", &config, "-oMa", "192.0.2.1.4000", "-bs"]);
    command.env("EXIMIOUS_DNS", format!("127.0.0.1:{port}"));
    let output = common::fed(&mut command, said.concat().as_bytes());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let taken = text.lines().filter(|line| line.starts_with("250 OK id=")).count();
    assert_eq!(taken, 5, "{text}");
    assert_eq!(text.lines().filter(|line| *line == "550 rejected by DMARC").count(), 1, "{text}");
    std::fs::read_to_string(folder.join("history")).expect("the history")
}

#[test]
fn opendmarc_imports_the_history() {
    let Some(importer) = importer() else { return };
    if program("nsd").is_none() {
        return;
    }
    let Some(server) = Sql::mariadb() else { return };
    let folder = tempfile::TempDir::with_prefix("eximious-").expect("a directory");
    let history = receive(folder.path());
    let tables = std::fs::read_to_string(TABLES).expect("OpenDMARC's tables");
    server.admin(&tables);
    server.admin("CREATE USER importer@'%' IDENTIFIED BY 'secret'; GRANT ALL ON opendmarc.* TO importer@'%';");
    for round in ["first", "again"] {
        let mut command = Command::new(&importer);
        command.args(["--dbhost=127.0.0.1", "--dbuser=importer", "--dbpasswd=secret"]);
        command.arg(format!("--dbport={}", server.port()));
        let output = common::fed(&mut command, history.as_bytes());
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(output.status.success(), "{round}: {said}\n{history}");
    }
    let rows = server.rows("opendmarc", MESSAGES);
    let rows: Vec<String> = rows.lines().map(|row| row.replace('\t', " ")).collect();
    let both = "mailto:r@a.example,mailto:s@a.example!10m 115 114 114 113 100";
    let wanted = [
        format!("a.example a.example a.example 15 2 192.0.2.1 me.example 0 5 4 0 {both}"),
        format!("sub.a.example elsewhere.example a.example 17 4 192.0.2.1 me.example 6 5 5 0 {both}"),
        format!("a.example elsewhere.example a.example 16 0 192.0.2.1 me.example 6 5 5 0 {both}"),
        "open.example client.example open.example 18 2 192.0.2.1 me.example 6 5 5 0  114 114 110 0 100"
            .to_owned(),
        "silent.example d.example silent.example 14 2 192.0.2.1 me.example 6 5 5 0  114 114 0 0 100"
            .to_owned(),
        "dkim.test dkim.test dkim.test 15 2 192.0.2.1 me.example 6 4 5 1  114 114 114 0 100".to_owned(),
    ];
    assert_eq!(rows, wanted, "{history}");
    assert_eq!(server.rows("opendmarc", SIGNATURES), "dkim.test\tsel\t0\t0\n");
}
