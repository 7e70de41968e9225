//! A SOCKS5 proxy that leads to one port of this system, and remembers what it heard.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::next_host::{Answers, serve};

/// A proxy, which lives as long as the test. What it says instead of the usual, in
/// hexadecimal: `socks:method`, `socks:auth`, `socks:reply`; then it hears what else comes,
/// and leads nowhere. `close` closes the connection.
#[derive(Debug)]
pub struct SocksProxy {
    port: u16,
    heard: Arc<Mutex<Vec<String>>>,
}

impl SocksProxy {
    /// Begins to listen at a free port, for connections to another port.
    ///
    /// # Panics
    /// Where there is none.
    pub fn start(to: u16, answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its own address").port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let talk = Talk { to, answers, heard: heard.clone() };
        serve(
            move || listener.accept(),
            move |stream| {
                // Either side may end it at any point.
                let _ = talk.talk(stream);
            },
        );
        Self { port, heard }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it heard, in hexadecimal; PORT stands for the port that it leads to.
    pub fn heard(&self) -> Vec<String> {
        locked(&self.heard).clone()
    }
}

fn locked(heard: &Mutex<Vec<String>>) -> MutexGuard<'_, Vec<String>> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Clone)]
struct Talk {
    to: u16,
    answers: Answers,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Talk {
    fn note(&self, bytes: &[u8]) {
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = text.replace(&format!("{:04x}", self.to), "PORT");
        locked(&self.heard).push(text);
    }

    /// Says something; nothing where that is another thing than usual, and it ends then.
    fn say(&self, mut stream: &TcpStream, what: &str, usual: &str) -> Option<Vec<u8>> {
        let own = self.answers.iter().find(|(key, _)| key == what).map(|(_, answer)| &answer[..]);
        let text = own.unwrap_or(usual);
        let pairs = (0..text.len() / 2).map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16));
        let bytes: Vec<u8> = pairs.collect::<Result<_, _>>().ok()?;
        stream.write_all(&bytes).ok()?;
        Some(bytes)
    }

    fn talk(&self, stream: TcpStream) -> Option<()> {
        let mut from = &stream;
        let mut take = |count: usize| -> Option<Vec<u8>> {
            let mut bytes = vec![0; count];
            from.read_exact(&mut bytes).ok()?;
            Some(bytes)
        };
        let head = take(2)?;
        let methods = take(usize::from(head[1]))?;
        self.note(&[&head[..], &methods].concat());
        let usual = if methods.contains(&2) { "0502" } else { "0500" };
        if self.say(&stream, "socks:method", usual)? == [5, 2] {
            let mut all = take(2)?;
            all.extend(take(usize::from(all[1]))?);
            let length = take(1)?;
            all.extend(&length);
            all.extend(take(usize::from(length[0]))?);
            self.note(&all);
            if self.say(&stream, "socks:auth", "0100")? != [1, 0] {
                return None;
            }
        }
        let mut request = take(4)?;
        request.extend(take(if request[3] == 4 { 18 } else { 6 })?);
        self.note(&request);
        let reply = self.say(&stream, "socks:reply", "050000017f0000011234")?;
        if reply[..2] != [5, 0] {
            return None;
        }
        let onward = TcpStream::connect(("127.0.0.1", self.to)).ok()?;
        let (input, output) = (stream.try_clone().ok()?, onward.try_clone().ok()?);
        std::thread::spawn(move || pass(&input, &output));
        pass(&onward, &stream);
        Some(())
    }
}

fn pass(mut from: &TcpStream, mut to: &TcpStream) {
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}
