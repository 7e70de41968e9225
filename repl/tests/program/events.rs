//! Events that the installed Exim does not know: Exim 4.100 was asked.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use eximious_tests::next_host::NextHost;

const PROGRAM: &str = env!("CARGO_BIN_EXE_eximious");

/// Has a site do something, and waits for it.
fn call(place: &Path, args: &[&str], message: &str) {
    let input = place.join("message");
    std::fs::write(&input, message).expect("a message");
    let status = Command::new(PROGRAM)
        .arg("-C")
        .arg(place.join("exim.conf"))
        .args(args)
        .stdin(std::fs::File::open(&input).expect("a message"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(status.is_ok_and(|status| status.success()), "{args:?}");
}

#[test]
fn a_string_of_deliveries_begins_once() {
    let host = NextHost::start(Vec::new());
    let folder = tempfile::tempdir().expect("a directory");
    let place = folder.path();
    let open = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(place, open).expect("open to all");
    let at = place.display();
    let config = format!(
        "keep_environment =\nprimary_hostname = me.test\nspool_directory = {at}/spool\n\
         log_file_path = {at}/%slog\nqueue_run_in_order\n\
         event_action = ${{if match{{$event_name}}{{^proc:}}{{${{acl{{told}}}}}}}}\n\
         begin acl\ntold:\n  accept logwrite = $event_name <$event_data> <$message_exim_id> \
         <$sender_address>\n\
         begin routers\naway:\n  driver = manualroute\n  route_list = * 127.0.0.1 byname\n  \
         self = send\n  transport = smtp\n\
         begin transports\nsmtp:\n  driver = smtp\n  port = {}\n  hosts_try_fastopen =\n\
         begin retry\n* * F,2h,1h\n",
        host.port()
    );
    std::fs::write(place.join("exim.conf"), config).expect("a configuration");
    for _ in 0..3 {
        call(place, &["-odq", "-oi", "-f", "s@me.test", "x@out.test"], "Subject: x\n\nx\n");
    }
    call(place, &["-qq"], "");
    let log = std::fs::read_to_string(place.join("mainlog")).expect("a log");
    // The date and the time are 20 bytes.
    let lines: Vec<&str> = log.lines().filter_map(|line| line.get(20..)).collect();
    let ids: Vec<&str> =
        lines.iter().filter_map(|line| line.split_once(" <= ").map(|(id, _)| id)).collect();
    assert_eq!(ids.len(), 3, "{log}");
    let told: Vec<&str> = lines.iter().copied().filter(|line| line.contains("proc:")).collect();
    // The second pass goes on along the connection of its first message.
    let wanted = [ids[0], ids[1], ids[2], ids[0]].map(|id| format!("proc:deliver <{id}> <> <>"));
    assert_eq!(told, wanted, "{log}");
    assert_eq!(lines.iter().filter(|line| line.ends_with(" Completed")).count(), 3, "{log}");
}
