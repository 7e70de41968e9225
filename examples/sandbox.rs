//! An engine that may compute and nothing else: strings from customers run
//! without files, DNS, sockets or processes, and with a bound on their work.
//!
//! `cargo run --example sandbox`

use eximious::{Effects, Engine, Limits};

fn main() {
    let engine = Engine::builder()
        .world(eximious_world::system())
        .forbid(
            Effects::FILES
                | Effects::LOOKUP
                | Effects::DNS
                | Effects::NET
                | Effects::RUN
                | Effects::FOREIGN,
        )
        .limits(Limits::strict().steps(10_000).length(64 * 1024))
        .build();
    for text in [
        "${uc:harmless}",
        "${readfile{/etc/passwd}}",
        "${run{/bin/rm -rf /}}",
        "${lookup{root}lsearch{/etc/passwd}}",
        "${if exists{/etc/shadow}{yes}{no}}",
        "${reduce{1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16}{xxxxxxxxxxxxxxxx}{$value$value}}",
    ] {
        match engine.compile(text).expand(&mut engine.context()) {
            Ok(value) => println!("{text}\n    {}", value.display()),
            Err(fail) => println!("{text}\n    {:?}: {fail}", fail.kind()),
        }
    }
}
