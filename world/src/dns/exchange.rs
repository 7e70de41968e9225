//! One question to one server: a datagram, and a connection where the answer
//! does not fit into one.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, connect, recv, socket_with,
};

use super::message::{Question, Reply};
use crate::deadline::Deadline;

/// A server that is asked one question, perhaps several times.
pub(super) struct Asked {
    server: SocketAddr,
    /// Kept from one time to the next: the answer to the first may come in the second.
    inquiry: Option<Inquiry>,
}

impl Asked {
    pub(super) fn new(server: SocketAddr) -> Self {
        Self { server, inquiry: None }
    }

    /// Asks. What is no answer to the question is passed over, for as long as there
    /// is time.
    pub(super) fn ask(
        &mut self,
        question: &Question,
        within: Duration,
        connect: bool,
    ) -> io::Result<Reply> {
        if !connect {
            let reply = self.datagram(question, Deadline::within(within))?;
            if !reply.truncated {
                return Ok(reply);
            }
        }
        connection(self.server, question, Deadline::within(within))
    }

    fn datagram(&mut self, question: &Question, deadline: Deadline) -> io::Result<Reply> {
        let inquiry = match self.inquiry.take() {
            Some(inquiry) => inquiry,
            None => open(self.server)?,
        };
        send(&inquiry, question)?;
        let mut reply = None;
        let heard = hear(&inquiry, deadline, |datagram| {
            reply = question.reply(datagram);
            reply.is_some()
        });
        if heard.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::TimedOut) {
            self.inquiry = Some(inquiry);
        }
        heard?;
        reply.ok_or_else(|| io::ErrorKind::TimedOut.into())
    }
}

/// Asks several things at once, by datagrams from one socket: all are on their way before an
/// answer is waited for. What has none in time is asked again, so many times together; in the
/// end there is none.
pub(super) fn ask_all(
    server: SocketAddr,
    questions: &[Question],
    within: Duration,
    times: usize,
) -> Vec<Option<Reply>> {
    let mut replies = vec![None; questions.len()];
    if questions.is_empty() {
        return replies;
    }
    let Ok(inquiry) = open(server) else { return replies };
    let mut left = questions.len();
    for _ in 0..times {
        let deadline = Deadline::within(within);
        // Where nobody listens, whoever uses the socket next hears of it.
        let mut open = questions.iter().zip(&replies).filter(|(_, reply)| reply.is_none());
        if open.any(|(question, _)| send(&inquiry, question).is_err()) {
            break;
        }
        let heard = hear(&inquiry, deadline, |datagram| {
            let open = questions.iter().zip(&mut replies).filter(|(_, reply)| reply.is_none());
            let found = open.map(|(question, place)| (question.reply(datagram), place));
            if let Some((reply, place)) = found.into_iter().find(|(reply, _)| reply.is_some()) {
                *place = reply;
                left -= 1;
            }
            left == 0
        });
        // What came before an error counts.
        if !heard.is_err_and(|error| error.kind() == io::ErrorKind::TimedOut) {
            break;
        }
    }
    replies
}

/// A socket for questions to a server.
struct Inquiry {
    socket: OwnedFd,
    /// Whether the server is on this host.
    is_near: bool,
}

/// How long a server on this host may take before we sleep: to fall asleep and to wake up
/// takes longer than most of its answers. Whoever else wants the processor gets it.
const NEAR: Duration = Duration::from_micros(100);

/// A socket that only this server's datagrams come to. The system picks its port at random.
fn open(server: SocketAddr) -> io::Result<Inquiry> {
    let family = match server {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    // A datagram that shows may turn out to be damaged, and is gone.
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::DGRAM, flags, None)?;
    connect(&socket, &server)?;
    Ok(Inquiry { socket, is_near: server.ip().is_loopback() })
}

fn send(inquiry: &Inquiry, question: &Question) -> io::Result<()> {
    rustix::net::send(&inquiry.socket, question.bytes(), SendFlags::NOSIGNAL)?;
    Ok(())
}

thread_local! {
    /// Room for a datagram of any size.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; usize::from(u16::MAX)]);
}

/// Listens until enough was heard. What came while others were waited for counts in any case.
///
/// # Errors
/// It was not enough in time.
fn hear(
    Inquiry { socket, is_near }: &Inquiry,
    deadline: Deadline,
    mut is_enough: impl FnMut(&[u8]) -> bool,
) -> io::Result<()> {
    let near = Deadline::within(if *is_near { NEAR } else { Duration::ZERO });
    BUFFER.with_borrow_mut(|buffer| {
        let mut late = if *is_near { Ok(()) } else { deadline.readable(socket.as_fd()) };
        loop {
            match recv(socket, &mut buffer[..], RecvFlags::empty()) {
                Ok((length, _)) if is_enough(&buffer[..length]) => return Ok(()),
                Ok(_) | Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    if near.left().is_some() {
                        std::thread::yield_now();
                        continue;
                    }
                    late?;
                    late = deadline.readable(socket.as_fd());
                }
                Err(error) => return Err(error.into()),
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
