//! The conditions `malware` and `spam` against ClamAV's and SpamAssassin's own daemons.

use std::net::TcpStream;

use eximious::acl::AclVerdict;
use eximious_tests::servers::{Home, Server, free_port, program};

use super::scanners::judged_of;

/// What the signature of the test finds.
const VIRUS: &[u8] = b"Subject: x\nFrom: a@b.test\n\nwith an EXIMIOUS-TEST in it\n";
/// The same in Base64, within a part.
const WRAPPED: &[u8] = b"Subject: x\nFrom: a@b.test\nMIME-Version: 1.0\n\
    Content-Type: multipart/mixed; boundary=\"b\"\n\n--b\n\
    Content-Type: application/octet-stream; name=x.bin\nContent-Transfer-Encoding: base64\n\n\
    YW4gRVhJTUlPVVMtVEVTVCBpbiBpdAo=\n\n--b--\n";
const CLEAN: &[u8] = b"Subject: x\nFrom: a@b.test\n\nnothing\n";

fn connects(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

#[test]
fn clamav() {
    let Some(clamd) = program("clamd") else { return };
    // As the user who owns the spool: elsewhere, a group lets it read the copy.
    let (home, port) = (Home::new("root"), free_port());
    let place = home.path().display().to_string();
    // A signature is all of a database: nothing has to be fetched.
    let signature: String = b"EXIMIOUS-TEST".iter().map(|byte| format!("{byte:02x}")).collect();
    home.write("test.ndb", format!("Eximious.Test-1:0:*:{signature}\n"));
    let config = home.write(
        "clamd.conf",
        format!(
            "Foreground yes\nDatabaseDirectory {place}\nLocalSocket {place}/socket\n\
             LocalSocketMode 666\nTCPSocket {port}\nTCPAddr 127.0.0.1\nStreamMaxLength 1M\n"
        ),
    );
    let mut command = home.command(&clamd);
    command.arg("-c").arg(config);
    let server = Server::start(home, &mut command, || connects(port));
    let acl = "deny malware = *\n message = <$malware_name>";
    let socket = format!("clamd:{place}/socket");
    let (tcp, local) = (format!("clamd:127.0.0.1 {port}"), format!("clamd:127.0.0.1 {port}:local"));
    for scanner in [&socket, &tcp, &local] {
        let options = format!("av_scanner = {scanner}");
        for message in [VIRUS, WRAPPED] {
            let (verdict, said, _) = judged_of(&options, acl, message);
            let name = "<Eximious.Test-1.UNOFFICIAL>".to_owned();
            assert_eq!((verdict, said), (AclVerdict::Deny, name), "{scanner}");
        }
        assert_eq!(judged_of(&options, acl, CLEAN).0, AclVerdict::Accept, "{scanner}");
        let not_this = "deny malware = !eximious\\..*\n  accept";
        assert_eq!(judged_of(&options, not_this, VIRUS).0, AclVerdict::Accept, "{scanner}");
    }
    // What is larger than it takes over the network gets no verdict, nor does anything by
    // a server that has gone.
    let large = [VIRUS, &vec![b'x'; 3 << 20]].concat();
    let options = format!("av_scanner = {tcp}");
    assert_eq!(judged_of(&options, acl, &large).0, AclVerdict::Defer);
    drop(server);
    assert_eq!(judged_of(&options, acl, CLEAN).0, AclVerdict::Defer);
    let spared = "deny malware = */defer_ok\n  accept";
    assert_eq!(judged_of(&options, spared, VIRUS).0, AclVerdict::Accept);
}

#[test]
fn spamassassin() {
    let Some(spamd) = program("spamd") else { return };
    let (home, port) = (Home::new("debian-spamd"), free_port());
    let place = home.path().display().to_string();
    // Rules of its own, and the one plugin that rules need: nothing is asked of a network.
    home.write("v320.pre", "loadplugin Mail::SpamAssassin::Plugin::Check\n");
    home.write(
        "local.cf",
        "body TEST_WORD /eximious spam/\nscore TEST_WORD 7.5\ndescribe TEST_WORD A word\n\
         body TEST_GOOD /eximious ham/\nscore TEST_GOOD -3.2\nrequired_score 5\nuse_bayes 0\n\
         clear_report_template\nreport Of _HOSTNAME_: _SCORE_ for _TESTS_\n\
         report_hostname spam.test\n",
    );
    let mut command = home.command(&spamd);
    command.args(["-L", "-x", "--nouser-config", "-m", "1", "-s", "stderr", "-i", "127.0.0.1"]);
    command.args(["-p", &port.to_string()]).arg(format!("--siteconfigpath={place}"));
    command.arg(format!("--configpath={place}")).arg("-r").arg(home.path().join("pid"));
    let server = Server::start(home, &mut command, || connects(port));
    let options = format!("spamd_address = 127.0.0.1 {port} tmo=60s");
    let acl = "warn spam = joe:true\n  logwrite = x\n  deny spam = joe\n message = \
        $spam_score $spam_score_int $spam_bar $spam_action <$spam_report>\n  accept message = \
        $spam_score $spam_score_int $spam_bar $spam_action <$spam_report>";
    let spam = b"Subject: x\nFrom: a@b.test\nTo: c@d.test\nDate: Thu, 1 Jan 2026 00:00:00 +0000\n\
        Message-ID: <a@b.test>\n\nsome eximious spam\n";
    let (verdict, said, _) = judged_of(&options, acl, spam);
    let wanted = "7.5 75 +++++++ reject <Of spam.test: 7.5 for TEST_WORD>";
    assert_eq!((verdict, said.as_str()), (AclVerdict::Deny, wanted));
    let ham = String::from_utf8_lossy(spam).replace("spam\n", "ham\n");
    let (verdict, said, _) = judged_of(&options, acl, ham.as_bytes());
    // The score in tenths is cut off, as Exim does.
    let wanted = "-3.2 -31 --- no action <Of spam.test: -3.2 for TEST_GOOD>";
    assert_eq!((verdict, said.as_str()), (AclVerdict::Accept, wanted));
    drop(server);
    assert_eq!(judged_of(&options, acl, spam).0, AclVerdict::Defer);
    assert_eq!(judged_of(&options, "deny spam = joe/defer_ok", spam).0, AclVerdict::Accept);
}
