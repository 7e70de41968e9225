//! Where addresses go, by a configuration and an alias file that are nowhere on
//! disk.
//!
//! `cargo run --example route`

use eximious::route::{Purpose, Report, Request, Routes};
use eximious::world::Fixture;
use eximious::{Config, Engine, Macros, Str};

const CONFIGURATION: &str = "\
primary_hostname = mail.example
begin routers
aliases:
  driver = redirect
  data = ${lookup{$local_part}lsearch{/aliases}}
  allow_fail
mailbox:
  driver = accept
  local_parts = ann : bob
  transport = mailbox
begin transports
mailbox:
  driver = appendfile
  file = /var/mail/$local_part_data
";

fn main() {
    let aliases = "info: ann, bob\nold: :fail: moved away\n";
    let world = Fixture::new().file("/exim.conf", CONFIGURATION).file("/aliases", aliases).world();
    let builder = Engine::builder().world(world.clone());
    let config = Config::read(b"/exim.conf", Macros::new(), &world, builder.registry())
        .expect("nothing is wrong with it");
    let engine = config.build(builder);
    let routes = Routes::new(&config, engine.registry(), &world);
    let mut cx = engine.context();
    for address in ["info@mail.example", "old@mail.example", "nobody@mail.example"] {
        let mut request = Request::new(Str::tainted(address.as_bytes()), Purpose::Test);
        request.whole = true;
        let standing = routes.test(&mut cx, &request, &mut |report| match report {
            Report::Delivered(delivery) => {
                let transport = delivery.transport.map(|number| routes.transport_name(number));
                let transport = transport.map_or_else(|| "none".into(), Str::display);
                println!("{address} goes to {} by {transport}", delivery.address.text.display());
            }
            Report::Failed(address, error) => {
                let why = error.message.as_deref().unwrap_or_default();
                println!("{} fails: {}", address.text.display(), String::from_utf8_lossy(why));
            }
            _ => {}
        });
        println!("{address}: {standing:?}");
    }
}
