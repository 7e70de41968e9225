//! The interpreted MTA core: SMTP as a state machine, driven by a configuration's
//! ACLs. It has no clock and no file of its own, and no thread but those that deliver
//! copies of one message side by side: bytes go in, events come out, and what it has to
//! know of the outside it gets through the [`World`](eximious::World) of its context.
//!
//! ```
//! use std::net::SocketAddr;
//! use std::sync::Arc;
//!
//! use eximious::{Config, Engine};
//! use eximious_mta::smtp::{Client, Event, SmtpServer, SmtpSession, SpoolOutcome};
//!
//! let config = Config::parse(
//!     "primary_hostname = mx.example.com\nacl_smtp_rcpt = accept\nacl_smtp_data = accept\n",
//! )?;
//! let engine = config.build(Engine::builder());
//! let server = Arc::new(SmtpServer::new(&config, &engine));
//! let client = Client::at(SocketAddr::from(([192, 0, 2, 1], 40025)));
//! let mut session = SmtpSession::new(server, engine.context(), client);
//! let mut said = String::new();
//! for line in ["", "HELO x\r\n", "MAIL FROM:<a@example.org>\r\n", "RCPT TO:<b@example.com>\r\n",
//!     "DATA\r\n", "Subject: hello\r\n\r\ntext\r\n.\r\n"]
//! {
//!     session.receive(line.as_bytes());
//!     while let Some(event) = session.next_event() {
//!         match event {
//!             Event::Reply(bytes) => said += &String::from_utf8_lossy(&bytes),
//!             Event::Message(received) => {
//!                 assert_eq!(received.message.body.in_memory(), Some(&b"text\n"[..]));
//!                 session.conclude(&SpoolOutcome::Spooled);
//!             }
//!             Event::Delay { .. } | Event::Close => {}
//!         }
//!     }
//! }
//! assert!(said.lines().last().unwrap().starts_with("250 OK id="), "{said}");
//! # Ok::<(), eximious::ConfigError>(())
//! ```
#![forbid(unsafe_code)]

pub mod batch;
pub mod delivery;
mod dsn;
mod logs;
mod options;
pub mod reception;
pub mod smtp;
pub mod spool;
pub mod submission;
mod tally;
