//! Adds a transport driver, which keeps messages in memory, a folder for each user.
//!
//! `cargo run --example transport_driver`

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, Mutex};

use eximious::route::{Purpose, Report, Request, Routes};
use eximious::transport::{self, Consignment, Delivered, Outcome};
use eximious::world::Fixture;
use eximious::{Config, DriverKind, Effects, Engine, Fail, Macros, Message, Meta};
use eximious::{OptionDef, OptionKind, OptionPlace, Str, TaintRule};

const PLACE: OptionPlace = OptionPlace::Driver(DriverKind::Transport, "memory");
static OPTIONS: &[OptionDef] =
    &[OptionDef::new(PLACE, "folder", OptionKind::Text).summary("The folder of an address.")];

const CONFIGURATION: &str = "begin routers
all:
  driver = accept
  transport = kept
begin transports
kept:
  driver = memory
  folder = $local_part/inbox
";

fn main() {
    let folders: Arc<Mutex<BTreeMap<String, Vec<String>>>> = Arc::default();
    let (kept, meta) = (folders.clone(), Meta::new("memory", Effects::NONE, TaintRule::Result));
    let driver = transport::driver(meta, move |call| {
        let folder = call.text("folder")?.unwrap_or_default().display().into_owned();
        let mut text = String::new();
        call.reader()?.read_to_string(&mut text).map_err(|why| Fail::defer(why.to_string()))?;
        kept.lock().unwrap().entry(folder).or_default().push(text);
        Ok(vec![Outcome::Delivered(Delivered::default())]) // for each of the addresses
    });
    let world = Fixture::new().file("/exim.conf", CONFIGURATION).world();
    let builder = Engine::builder().world(world.clone()).driver(driver.options(OPTIONS));
    let config = Config::read(b"/exim.conf", Macros::new(), &world, builder.registry()).unwrap();
    let engine = config.build(builder);
    let (routes, mut cx) = (Routes::new(&config, engine.registry(), &world), engine.context());
    let message = Message::new(Vec::new(), "A line.\n");
    let request = Request::new(Str::from("ann@mail.example"), Purpose::Delivery);
    let mut found = Vec::new();
    routes.test(&mut cx, &request, &mut |report| {
        if let Report::Delivered(delivery) = report {
            found.push((*delivery).clone());
        }
    });
    // With a spool, `eximious_mta::delivery` does this, and what comes of the answers.
    for delivery in &found {
        routes.introduce(&mut cx, &[delivery]);
        let consignment = Consignment::new(&message, std::slice::from_ref(&delivery));
        println!("{:?}", routes.deliver(&mut cx, delivery.transport.unwrap(), consignment));
    }
    println!("{folders:?}");
}
