//! Identification servers (RFC 1413) of clients: what one says is told by the last
//! number of its address. They are played in the network of the dialogues.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use crate::next_host::serve;

/// The port at which they listen.
const PORT: u16 = 113;

/// Addresses of clients that have one, by their last number.
const CLIENTS: [u8; 8] = [1, 2, 3, 4, 6, 7, 8, 9];

/// Plays them for as long as the program runs.
pub fn play() {
    for client in CLIENTS {
        let address = Ipv4Addr::new(192, 0, 2, client);
        let listener = TcpListener::bind((address, PORT)).expect("a port of this network's own");
        serve(move || listener.accept(), move |stream| answer(&stream, client));
    }
}

/// Answers a question, or does not.
fn answer(stream: &TcpStream, client: u8) {
    let mut question = String::new();
    if client == 4 || BufReader::new(stream).read_line(&mut question).is_err() {
        return;
    }
    let Some(ports) = question.strip_suffix("\r\n") else { return };
    let answer = match client {
        1 => format!("{ports} : USERID : UNIX : ann\r\n"),
        2 => format!("{ports} : ERROR : NO-USER\r\n"),
        3 => format!("{ports}:USERID:OTHER,us-ascii: with  blanks <and> \"signs\" \r\n"),
        6 => format!("{ports} : USERID : UNIX : {}\r\n", "x".repeat(600)),
        7 => "1 , 2 : USERID : UNIX : liar\r\n".to_owned(),
        8 => format!("{ports} : USERID : UNIX : unended"),
        // It never says a word.
        _ => {
            std::thread::sleep(Duration::from_secs(5));
            return;
        }
    };
    let mut stream = stream;
    // Whoever asked may not wait for it.
    let _ = stream.write_all(answer.as_bytes());
}
