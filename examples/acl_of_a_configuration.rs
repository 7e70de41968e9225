//! Runs one ACL of a configuration, and says what decided.
//!
//! `cargo run --example acl_of_a_configuration [exim.conf [acl]]`

use std::error::Error;

use eximious::trace::TracePlace;
use eximious::{Config, Engine};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/exim.conf");
    let file = arguments.next().unwrap_or_else(|| own.to_owned());
    let name = arguments.next().unwrap_or_else(|| "acl_check_rcpt".to_owned());

    let engine = Engine::builder().world(eximious_world::system()).build();
    let loaded = engine.load(Config::load(file, &engine)?);
    let acl = loaded.acl(&name).ok_or("there is no such ACL")?;
    for (client, recipient) in [
        ("203.0.113.7", "ann@example.com"),
        ("203.0.113.7", "carol@example.com"),
        ("203.0.113.7", "ann@elsewhere.example"),
        ("192.0.2.7", "ann@elsewhere.example"),
        ("203.0.113.7", "a|b@example.com"),
    ] {
        let decision = acl.rcpt(client.parse()?, "someone@example.org", recipient);
        println!("{recipient} from {client}: {:?}", decision.verdict);
        if let Some(message) = &decision.message {
            println!("    the client is told: {}", message.display());
        }
        for statement in &decision.decided_by {
            println!("    {}: {}", shown(&statement.place), statement.verb);
            if let Some(term) = &statement.term {
                let (place, not) = (shown(&term.place), if term.negated { "!" } else { "" });
                println!("        {place}: {not}{} = {}", term.name, term.text.display());
            }
        }
        for line in &decision.log {
            println!("    logged: {line}");
        }
    }
    let routing = loaded.route("ann@example.com");
    println!("ann@example.com: {:?}, {} delivery", routing.standing, routing.deliveries.len());
    Ok(())
}

fn shown(place: &Option<TracePlace>) -> String {
    place.as_ref().map_or_else(String::new, TracePlace::to_string)
}
