//! Where relative names lead: as in Exim, texts of the site are expanded in the spool
//! directory, wherever the program was started; files that the command line names are
//! where it was.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::fed;

/// A spool and another directory, each with a file `one`.
fn lay_out() -> tempfile::TempDir {
    let place = tempfile::tempdir().expect("a directory");
    let path = place.path();
    for name in ["spool", "here", "log", "mail"] {
        fs::create_dir(path.join(name)).expect("a directory");
        fs::write(path.join(name).join("one"), name).expect("a file");
    }
    for name in ["", "spool", "here", "log", "mail"] {
        let all = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        fs::set_permissions(path.join(name), all).expect("rights");
    }
    let config = format!(
        "keep_environment =\nspool_directory = {0}/spool\nlog_file_path = {0}/log/%slog\n\
         acl_smtp_connect = warn logwrite = ${{readfile{{one}}}} ${{run{{/bin/pwd}}}}\n",
        path.display()
    );
    fs::write(path.join("config"), config).expect("a file");
    fs::write(path.join("here/message"), "Subject: of here\n\ntext\n").expect("a file");
    fs::write(path.join("here/filter"), "# Exim filter\nseen finish\n").expect("a file");
    place
}

/// What a program says that is started in the other directory, where it finds its
/// configuration by a relative name.
fn said(program: &str, place: &Path, arguments: &[&str], input: &str) -> String {
    let mut command = Command::new(program);
    command.args(["-C", "../config"]).args(arguments).current_dir(place.join("here"));
    let output = fed(&mut command, input.as_bytes());
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn texts_are_expanded_in_the_spool_directory() {
    let place = lay_out();
    let spool = place.path().join("spool");
    let ours = env!("CARGO_BIN_EXE_eximious");
    let exim = crate::common::onward::exim();
    for program in [Some(ours), exim.as_deref()].into_iter().flatten() {
        let text = "${readfile{one}} ${if exists{message}{y}{n}} ${run{/bin/pwd}}";
        let expected = format!("spool n {}\n\n", spool.display());
        assert_eq!(said(program, place.path(), &["-be", text], ""), expected, "{program}");
        let session = said(program, place.path(), &["-bh", "192.0.2.1"], "QUIT\r\n");
        let line = format!("LOG: spool {}\n", spool.display());
        assert!(session.contains(&line), "{program}: {session}");
        let filtered = said(program, place.path(), &["-bf", "filter"], "Subject: x\n\n");
        assert!(filtered.contains("Testing Exim filter file \"filter\""), "{program}: {filtered}");
    }
    // Exim looks for it in the spool directory, where nobody has it.
    let message = said(ours, place.path(), &["-bem", "message", "$h_subject:"], "");
    assert_eq!(message, "of here\n");
}

#[test]
fn who_delivers_finds_the_configuration() {
    let place = lay_out();
    let mailbox = place.path().join("mail/box");
    let config = place.path().join("config");
    let text = fs::read_to_string(&config).expect("a file");
    let user = match eximious_world::system().host.ids().0 {
        0 => "Debian-exim".to_owned(),
        own => own.to_string(),
    };
    let more = format!(
        "begin routers\nr:\n  driver = accept\n  transport = t\nbegin transports\nt:\n  \
         driver = appendfile\n  file = {}\n  user = {user}\n",
        mailbox.display()
    );
    fs::write(&config, text + &more).expect("a file");
    let arguments = ["-odb", "-f", "a@example.com", "b@example.com"];
    said(env!("CARGO_BIN_EXE_eximious"), place.path(), &arguments, "Subject: x\n\ntext\n");
    for _ in 0..500 {
        if fs::read(&mailbox).is_ok_and(|text| !text.is_empty()) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let log = fs::read_to_string(place.path().join("log/mainlog"));
    panic!("nothing was delivered: {log:?}");
}

/// What is made has its mode whatever the caller's umask is.
#[test]
fn no_umask_keeps_others_from_logs_and_hints() {
    let ours = env!("CARGO_BIN_EXE_eximious");
    let exim = crate::common::onward::exim();
    for program in [Some(ours), exim.as_deref()].into_iter().flatten() {
        let place = lay_out();
        let path = place.path();
        let mut command = Command::new("/bin/sh");
        let words = ["-c", "umask 0777; exec \"$@\"", "sh", program, "-C", "../config"];
        command.args(words).args(["-oi", "-odi", "-f", "a@b.test", "c@d.test"]);
        let output = fed(command.current_dir(path.join("here")), b"Subject: x\n\n");
        assert!(output.status.success(), "{program}: {output:?}");
        for (name, mode) in [("log/mainlog", 0o640), ("spool/input", 0o750), ("spool/db", 0o750)] {
            let Ok(found) = fs::metadata(path.join(name)) else { continue };
            let has = std::os::unix::fs::PermissionsExt::mode(&found.permissions());
            assert_eq!(has & 0o777, mode, "{program} {name}");
        }
        assert!(path.join("log/mainlog").exists(), "{program}");
    }
}
