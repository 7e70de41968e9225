//! What is made to be looked at: pages, by a browser without a screen; the prompt, in tmux.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The configuration and the tests of the documentation, in a folder of their own.
fn sample() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/sample");
    for entry in std::fs::read_dir(docs).unwrap().flatten() {
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    folder
}

fn eximious(folder: &Path, args: &[&str]) {
    let done = Command::new(env!("CARGO_BIN_EXE_eximious")).args(args).current_dir(folder).output();
    let done = done.unwrap();
    assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// What a browser makes of a page, once its script is done.
fn looked_at(folder: &Path, page: &str) -> String {
    let done = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .args(["--virtual-time-budget=5000", "--dump-dom"])
        .arg(format!("file://{}", folder.join(page).display()))
        .output()
        .unwrap();
    String::from_utf8_lossy(&done.stdout).into_owned()
}

#[test]
fn pages_show_what_happened_and_what_was_run() {
    let folder = sample();
    let acl = ["-C", "mail.conf", "trace", "--acl", "acl_check_sender"];
    let about = ["--sender", "<b>@spam.example", "--html", "trace.html"];
    eximious(folder.path(), &[&acl[..], &about[..]].concat());
    let page = looked_at(folder.path(), "trace.html");
    // What comes from outside is text, and no part of the page.
    for wanted in ["data-ready=\"", "acl acl_check_sender", "&lt;b&gt;@spam.example", "mail.conf"] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    assert!(page.matches("class=\"code hit").count() >= 2, "{page}");
    assert!(!page.contains("<b>@spam"), "{page}");

    eximious(folder.path(), &["test", "mail.eximtest.toml", "--html", "coverage.html"]);
    let page = looked_at(folder.path(), "coverage.html");
    for wanted in ["data-ready=\"", "class=\"row run\"", "class=\"row part\"", "never holds"] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
}

/// A terminal that others can look at.
struct Tmux {
    folder: TempDir,
}

impl Tmux {
    fn command(&self, args: &[&str]) -> String {
        let socket = self.folder.path().join("tmux");
        let done = Command::new("tmux").arg("-S").arg(socket).args(args).output().unwrap();
        String::from_utf8_lossy(&done.stdout).into_owned()
    }

    /// Types a line, and waits until something stands on the screen.
    fn types(&self, line: &str, awaited: &str) -> String {
        self.command(&["send-keys", "-t", "own", "-l", line]);
        self.command(&["send-keys", "-t", "own", "Enter"]);
        let began = Instant::now();
        loop {
            let screen = self.command(&["capture-pane", "-p", "-t", "own"]);
            if screen.contains(awaited) {
                return screen;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "\"{awaited}\" in:\n{screen}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.command(&["kill-server"]);
    }
}

#[test]
fn a_terminal_debugs() {
    let tmux = Tmux { folder: sample() };
    let place = tmux.folder.path().display();
    let program = env!("CARGO_BIN_EXE_eximious");
    let command = format!("cd {place} && XDG_STATE_HOME={place} {program} -C mail.conf repl");
    tmux.command(&["new-session", "-d", "-s", "own", "-x", "120", "-y", "50", &command]);
    tmux.types(":break acl_check_rcpt:4", "breakpoint 1");
    tmux.types(":from 192.0.2.7 192.0.2.7", "250 HELP");
    tmux.types(":mail a@b.example", "250 OK");
    let screen = tmux.types(":rcpt ann@example.com", "-- breakpoint 1 --");
    assert!(screen.contains("(held)") && screen.contains("->   21 |"), "{screen}");
    tmux.types("got $local_part", "got ann");
    tmux.types(":continue", "no mail from hosts without a name");
    tmux.types(":why", "by deny");
}

/// The workbench's server; it ends with this.
struct Served {
    child: std::process::Child,
    address: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn served(folder: &Path) -> Served {
    use std::io::BufRead;
    let mut child = Command::new(env!("CARGO_BIN_EXE_eximious"))
        .args(["-C", "mail.conf", "serve", "--workbench"])
        .current_dir(folder)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut address = String::new();
    std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
    Served { child, address: address.trim_end().to_owned() }
}

/// Asks by HTTP, by hand: the status, and what came.
fn fetched(served: &Served, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
    use std::io::{Read, Write};
    let host = served.address.strip_prefix("http://").unwrap().split('/').next().unwrap();
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let headers = headers.replace("HOST", host);
    let length = body.len();
    write!(stream, "{method} {path} HTTP/1.1\r\n{headers}Connection: close\r\nContent-Length: {length}\r\n\r\n{body}")
        .unwrap();
    let mut came = Vec::new();
    stream.read_to_end(&mut came).unwrap();
    let came = String::from_utf8_lossy(&came).into_owned();
    let status = came.get(9..12).and_then(|digits| digits.parse().ok()).unwrap_or(0);
    (status, came)
}

#[test]
fn the_workbench_is_a_page_for_those_with_the_token() {
    let folder = sample();
    let served = served(folder.path());
    let path = served.address.splitn(4, '/').nth(3).map(|rest| format!("/{rest}")).unwrap();
    let ask = format!("{path}ask");
    let json = "Host: HOST\r\nContent-Type: application/json\r\n";
    assert_eq!(fetched(&served, "GET", &path, "Host: HOST\r\n", "").0, 200);
    let wrong = format!("/{}/", "0".repeat(32));
    for (method, path, headers, status) in [
        ("GET", "/", "Host: HOST\r\n", 404),
        ("GET", wrong.as_str(), "Host: HOST\r\n", 404),
        ("GET", path.as_str(), "Host: evil.example\r\n", 404),
        ("POST", ask.as_str(), "Host: HOST\r\nContent-Type: text/plain\r\n", 415),
        ("POST", ask.as_str(), json, 400),
    ] {
        let (came, text) = fetched(&served, method, path, headers, "{");
        assert_eq!(came, status, "{method} {path} {headers}: {text}");
    }
    // Nothing is run, and nothing written.
    let mark = folder.path().join("mark");
    let text = format!("${{run{{/usr/bin/touch {}}}}}", mark.display());
    let question = serde_json::json!({ "text": "", "what": { "expand": text } }).to_string();
    let (status, came) = fetched(&served, "POST", &ask, json, &question);
    assert!(status == 200 && came.contains("Failed: "), "{came}");
    assert!(!mark.exists());
    let question = serde_json::json!({ "text": "bananas = 1\n", "what": "check" }).to_string();
    let (_, came) = fetched(&served, "POST", &ask, json, &question);
    assert!(came.contains("E102") && came.contains("\"line\":1"), "{came}");

    let lines = "acl_smtp_rcpt = \nbegin acl\nown:\n  accept\n";
    let place = serde_json::json!({ "complete": { "line": 0, "column": 16 } });
    let question = serde_json::json!({ "text": lines, "what": place }).to_string();
    let (_, came) = fetched(&served, "POST", &ask, json, &question);
    assert!(came.contains(r#""offers":[{"text":"own""#), "{came}");
    let place =
        serde_json::json!({ "complete": { "line": 0, "column": 5, "expression": "${ext" } });
    let question = serde_json::json!({ "text": lines, "what": place }).to_string();
    let (_, came) = fetched(&served, "POST", &ask, json, &question);
    assert!(came.contains(r#""text":"extract{""#) && came.contains(r#""typed":3"#), "{came}");

    let shots = Path::new(env!("CARGO_TARGET_TMPDIR")).join("workbench");
    std::fs::create_dir_all(&shots).unwrap();
    for (place, wanted) in [
        ("#session", "by deny [line 24]"),
        ("#expand", "ANN@EXAMPLE.ORG"),
        ("#route", "is undeliverable"),
        ("#words=srs_encode", "${srs_encode"),
        ("#complete=6", "data-offers=\""),
    ] {
        let address = format!("{}{place}", served.address);
        let browser = |more: &[String]| {
            Command::new("chromium")
                .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
                .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
                .args(["--virtual-time-budget=8000", "--window-size=1400,900"])
                .args(more)
                .arg(&address)
                .output()
                .unwrap()
        };
        let page = browser(&["--dump-dom".to_owned()]);
        let page = String::from_utf8_lossy(&page.stdout).replace("  ", " ");
        assert!(page.contains("data-checked=\"0\"") && page.contains(wanted), "{place}: {page}");
        // Kept for whoever wants to see it.
        let name = place.trim_start_matches('#').split('=').next().unwrap_or_default();
        let shot = shots.join(format!("{name}.png"));
        browser(&[format!("--screenshot={}", shot.display())]);
        let light = std::fs::read(&shot).unwrap();
        assert!(light.len() > 10_000);
        let shot = shots.join(format!("{name}-dark.png"));
        let dark = "--blink-settings=preferredColorScheme=0".to_owned();
        browser(&[format!("--screenshot={}", shot.display()), dark]);
        let dark = std::fs::read(&shot).unwrap();
        assert!(dark.len() > 10_000 && dark != light);
    }
}
