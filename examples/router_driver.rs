//! Adds a router driver, which knows where addresses are moved to.
//!
//! `cargo run --example router_driver`

use std::collections::HashMap;

use eximious::route::{self, Purpose, Report, Request, RouterVerdict, Routes};
use eximious::world::Fixture;
use eximious::{Config, DriverKind, Effects, Engine, Macros, Meta};
use eximious::{OptionDef, OptionKind, OptionPlace, Str, TaintRule};

static OPTIONS: &[OptionDef] =
    &[OptionDef::new(OptionPlace::Driver(DriverKind::Router, "moved"), "refuse", OptionKind::Text)
        .summary("Local parts that are refused, with colons between them.")];

const CONFIGURATION: &str = "\
primary_hostname = mail.example
begin routers
moved:
  driver = moved
  refuse = sales:info
elsewhere:
  driver = accept
  transport = files
begin transports
files:
  driver = appendfile
  file = /var/mail/all
";

fn main() {
    let moved = HashMap::from([("ann", "ann@north.example"), ("bob", "bob@south.example")]);
    let meta = Meta::new("moved", Effects::NONE, TaintRule::Result);
    let driver = route::driver(meta, move |call| {
        let refused = call.text("refuse")?.unwrap_or_default().display().into_owned();
        let local_part = call.local_part().display().into_owned();
        Ok(match moved.get(local_part.as_str()) {
            Some(new) => RouterVerdict::Redirect(vec![Str::from(*new)]),
            None if refused.split(':').any(|one| one == local_part) => {
                RouterVerdict::Fail(Str::fixed("closed"))
            }
            None => RouterVerdict::Decline,
        })
    });
    let world = Fixture::new().file("/exim.conf", CONFIGURATION).world();
    let builder = Engine::builder().world(world.clone()).driver(driver.options(OPTIONS));
    let config = Config::read(b"/exim.conf", Macros::new(), &world, builder.registry()).unwrap();
    let engine = config.build(builder);
    let routes = Routes::new(&config, engine.registry(), &world);
    for address in ["ann@mail.example", "sales@mail.example", "eve@mail.example"] {
        let request = Request::new(Str::tainted(address.as_bytes()), Purpose::Test);
        routes.test(&mut engine.context(), &request, &mut |report| match report {
            Report::Delivered(one) => println!("{address} goes to {}", one.address.text.display()),
            Report::Failed(_, why) => println!("{address} fails: {:?}", why.message.as_deref()),
            _ => {}
        });
    }
}
