//! Adds a condition of ACLs that counts, and runs an ACL with it.
//!
//! `cargo run --example acl_condition`

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use eximious::acl::{self, AclHost, AclState, Acls, Logs};
use eximious::route::Routes;
use eximious::world::Fixture;
use eximious::{AclPhases, Config, Effects, Engine, Fail, Macros, Meta, Str, TaintRule};

const CONFIGURATION: &str = "\
primary_hostname = mail.example
begin acl
rcpt:
  deny  guesses = 2
        message = $acl_verify_message
  accept
";

/// Whoever has the conversation.
struct Host;

impl AclHost for Host {
    fn delay(&mut self, _: Duration, _: bool) {}
    fn log(&mut self, _: &[u8]) {}
    fn log_to(&mut self, _: Logs, _: &[u8]) {}
}

fn main() {
    let seen: Mutex<HashMap<Vec<u8>, u32>> = Mutex::default();
    let meta = Meta::new("guesses", Effects::NONE, TaintRule::Result)
        .summary("The client has named more recipients than that.");
    let guesses = acl::condition(meta, move |call, text| {
        let most = text.display().trim().parse::<u32>();
        let most = most.map_err(|_| Fail::argument("guesses wants a number"))?;
        let client = call.value("sender_host_address");
        let mut seen = seen.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let count = seen.entry(client.bytes().to_vec()).or_default();
        *count += 1;
        call.say(format!("{} has guessed {count} times", client.display()));
        Ok(*count > most)
    });
    let world = Fixture::new().file("/exim.conf", CONFIGURATION).world();
    let builder = Engine::builder().world(world.clone()).acl_term(guesses);
    let config = Config::read(b"/exim.conf", Macros::new(), &world, builder.registry()).unwrap();
    let engine = config.build(builder);
    let acls = Acls::new(&config, Routes::new(&config, engine.registry(), &world));
    let mut cx = engine.context();
    for client in ["192.0.2.1", "192.0.2.1", "192.0.2.9", "192.0.2.1"] {
        cx.set("sender_host_address", Str::tainted(client.as_bytes()));
        let (state, name) = (&mut AclState::default(), Str::from("rcpt"));
        let result = acls.check(&mut cx, &mut Host, state, AclPhases::RCPT, &name);
        let said = result.user_message.unwrap_or_default();
        println!("{client}: {:?} {}", result.verdict, said.display());
    }
}
