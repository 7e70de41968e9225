//! One question to one server: a datagram, and a connection where the answer
//! does not fit into one.

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

/// The system picks a port at random for each question, and lets datagrams of
/// that server alone through.
fn datagram(server: SocketAddr, question: &Question, deadline: Deadline) -> io::Result<Reply> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(server)?;
    // A datagram that shows may turn out to be damaged, and is gone.
    socket.set_nonblocking(true)?;
    socket.send(question.bytes())?;
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        deadline.readable(socket.as_fd())?;
        let length = match socket.recv(&mut buffer) {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        };
        if let Some(reply) = question.reply(&buffer[..length]) {
            return Ok(reply);
        }
    }
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
