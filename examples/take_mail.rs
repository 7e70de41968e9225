//! Takes mail into memory: an SMTP session without a socket, and an ACL that decides.
//!
//! `cargo run --example take_mail`

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use eximious::{Config, Engine, Message};
use eximious_mta::smtp::{Client, Event, SmtpServer, SmtpSession, SpoolOutcome};

const CONFIGURATION: &str = "\
primary_hostname = mx.example.com
acl_smtp_rcpt = check_rcpt
acl_smtp_data = accept
begin acl
check_rcpt:
  accept domains = example.com
  deny   message = no relay for $domain
";

const DIALOGUE: [&str; 6] = [
    "EHLO client.example.org\r\n",
    "MAIL FROM:<ann@example.org>\r\n",
    "RCPT TO:<bob@elsewhere.example>\r\n",
    "RCPT TO:<bob@example.com>\r\n",
    "DATA\r\n",
    "Subject: hello\r\n\r\nA line of text.\r\n.\r\nQUIT\r\n",
];

fn main() -> Result<(), Box<dyn Error>> {
    let config = Config::parse(CONFIGURATION)?;
    let engine = config.build(Engine::builder().world(eximious_world::system()));
    let server = Arc::new(SmtpServer::new(&config, &engine));
    let client = Client::at("192.0.2.7:40025".parse::<SocketAddr>()?);
    let mut session = SmtpSession::new(server, engine.context(), client);
    let mut kept: Vec<Message> = Vec::new();
    for said in std::iter::once("").chain(DIALOGUE) {
        print!("{said}");
        session.receive(said.as_bytes());
        while let Some(event) = session.next_event() {
            match event {
                Event::Reply(bytes) => print!("    {}", String::from_utf8_lossy(&bytes)),
                Event::Message(received) => {
                    kept.push(received.message);
                    session.conclude(&SpoolOutcome::Spooled); // from here on it is ours
                }
                Event::Delay { .. } | Event::Close => {}
            }
        }
    }
    for message in kept {
        let body = message.body.whole(1 << 20)?; // where there is no spool, it is in memory
        let (sender, body) = (message.sender.display(), String::from_utf8_lossy(&body));
        println!("{} for {:?} from {sender}: {body:?}", message.id.display(), message.recipients);
    }
    Ok(())
}
