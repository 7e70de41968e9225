//! One question to one server: a datagram, and a connection where the answer
//! does not fit into one.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::time::Duration;

use super::message::{Question, Reply};
use crate::deadline::Deadline;

/// Asks. What is no answer to the question is passed over, for as long as there
/// is time.
pub(super) fn ask(
    server: SocketAddr,
    question: &Question,
    within: Duration,
    connect: bool,
) -> io::Result<Reply> {
    if !connect {
        let reply = datagram(server, question, Deadline::within(within))?;
        if !reply.truncated {
            return Ok(reply);
        }
    }
    connection(server, question, Deadline::within(within))
}

/// Asks several things at once, by datagrams: all are on their way before an answer is
/// waited for. There is none to what has no answer in time.
pub(super) fn ask_all(
    server: SocketAddr,
    questions: &[Question],
    within: Duration,
) -> Vec<Option<Reply>> {
    let deadline = Deadline::within(within);
    let sent: Vec<_> = questions.iter().map(|question| send(server, question)).collect();
    let answers = sent.into_iter().zip(questions);
    answers.map(|(socket, question)| hear(&socket.ok()?, question, deadline).ok()).collect()
}

fn datagram(server: SocketAddr, question: &Question, deadline: Deadline) -> io::Result<Reply> {
    hear(&send(server, question)?, question, deadline)
}

/// The system picks a port at random for each question, and lets datagrams of
/// that server alone through.
fn send(server: SocketAddr, question: &Question) -> io::Result<UdpSocket> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(server)?;
    // A datagram that shows may turn out to be damaged, and is gone.
    socket.set_nonblocking(true)?;
    socket.send(question.bytes())?;
    Ok(socket)
}

thread_local! {
    /// Room for a datagram of any size.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; usize::from(u16::MAX)]);
}

/// Waits for the answer. What came while others were waited for counts in any case.
fn hear(socket: &UdpSocket, question: &Question, deadline: Deadline) -> io::Result<Reply> {
    BUFFER.with_borrow_mut(|buffer| {
        let mut late = deadline.readable(socket.as_fd());
        loop {
            match socket.recv(buffer) {
                Ok(length) => {
                    if let Some(reply) = question.reply(&buffer[..length]) {
                        return Ok(reply);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    late?;
                    late = deadline.readable(socket.as_fd());
                }
                Err(error) => return Err(error),
            }
        }
    })
}

fn connection(server: SocketAddr, question: &Question, deadline: Deadline) -> io::Result<Reply> {
    let left = deadline.left().ok_or(io::ErrorKind::TimedOut)?;
    let mut socket = TcpStream::connect_timeout(&server, left)?;
    let _ = socket.set_nodelay(true);
    let bytes = question.bytes();
    let mut framed = Vec::with_capacity(bytes.len() + 2);
    framed.extend_from_slice(&(bytes.len() as u16).to_be_bytes());
    framed.extend_from_slice(bytes);
    deadline.writable(socket.as_fd())?;
    socket.write_all(&framed)?;
    loop {
        let mut length = [0; 2];
        read(&mut socket, &mut length, deadline)?;
        let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
        read(&mut socket, &mut answer, deadline)?;
        if let Some(reply) = question.reply(&answer) {
            return Ok(reply);
        }
    }
}

/// Reads until a buffer is full.
fn read(socket: &mut TcpStream, into: &mut [u8], deadline: Deadline) -> io::Result<()> {
    let mut done = 0;
    while done < into.len() {
        deadline.readable(socket.as_fd())?;
        match socket.read(&mut into[done..]) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
