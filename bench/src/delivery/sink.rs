//! A next host that takes everything.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;

use crate::daemon;

/// Postfix's `smtp-sink` (what `SMTP_SINK` names, or the one in the path), or a thread of
/// this program for each connection.
pub struct Sink {
    port: u16,
    process: Option<Child>,
}

impl Sink {
    /// Starts one on a free port.
    pub fn start() -> Self {
        let place = daemon::free_place();
        let named = std::env::var_os("SMTP_SINK").unwrap_or_else(|| "smtp-sink".into());
        let mut command = Command::new(named);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if unsafe_as_root() {
            command.args(["-u", "nobody"]);
        }
        command.args([&place.to_string(), "512"]);
        let process = command.spawn().ok();
        if process.is_none() {
            let listener = TcpListener::bind(place).expect("the port");
            thread::spawn(move || {
                for socket in listener.incoming().flatten() {
                    thread::spawn(move || serve(socket));
                }
            });
        }
        daemon::await_listener(place);
        Self { port: place.port(), process }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it is.
    pub fn name(&self) -> &'static str {
        if self.process.is_some() { "smtp-sink" } else { "a host that takes all" }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Whether `smtp-sink` would refuse to run as who runs this.
fn unsafe_as_root() -> bool {
    std::fs::read_to_string("/proc/self/status")
        .is_ok_and(|status| status.lines().any(|line| line.starts_with("Uid:\t0\t")))
}

/// One connection, to its end.
fn serve(socket: TcpStream) -> Option<()> {
    socket.set_nodelay(true).ok()?;
    let mut reader = BufReader::new(socket);
    let say =
        |reader: &mut BufReader<TcpStream>, text: &[u8]| reader.get_mut().write_all(text).ok();
    say(&mut reader, b"220 sink.test ESMTP\r\n")?;
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        match line.to_ascii_uppercase().get(..4)? {
            b"EHLO" => say(&mut reader, b"250-sink.test\r\n250-PIPELINING\r\n250 8BITMIME\r\n")?,
            b"DATA" => {
                say(&mut reader, b"354 go on\r\n")?;
                while line != b".\r\n" {
                    line.clear();
                    if reader.read_until(b'\n', &mut line).ok()? == 0 {
                        return None;
                    }
                }
                say(&mut reader, b"250 taken\r\n")?;
            }
            b"QUIT" => return say(&mut reader, b"221 bye\r\n"),
            _ => say(&mut reader, b"250 fine\r\n")?,
        }
    }
}
