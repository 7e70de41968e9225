//! What happens stands in the configuration: its file, line, column and macro.

use std::sync::{Arc, Mutex};

use eximious::route::{Purpose, Request, Routes};
use eximious::trace::{ExpansionEvent, Happening, ListEvent, TraceEvent};
use eximious::world::Fixture;
use eximious::{Config, Engine, Macros, Str};

const TEXT: &str = "primary_hostname = me.example
WHO = ${if eq{$local_part}{ann}{yes}{no}}
THIRD = data = ${uc:$local_part}@me.example
  percent_hack_domains = *.hack
domainlist ours = me.example
begin routers
first:
  driver = redirect
  domains = +ours
  condition = WHO
  data = ${lc:BOB}@me.example
third:
  driver = redirect
  THIRD
second:
  driver = redirect
    local_parts = nobody : \\
      bob
  data = :blackhole:
";

#[test]
fn steps_of_routing_have_the_places_of_their_options() {
    let world = Fixture::new().file("/c", TEXT).world();
    let builder = Engine::builder().world(world.clone());
    let config = Config::read(b"/c", Macros::new(), &world, builder.registry()).expect("it is");
    let engine = config.build(builder);
    let routes = Routes::new(&config, engine.registry(), &world);
    let mut cx = engine.context();
    let told = Arc::new(Mutex::new(Vec::new()));
    let keeps = told.clone();
    cx.observe(Arc::new(move |event: &TraceEvent<'_>| {
        let what: &[u8] = match event.what {
            Happening::Expansion(ExpansionEvent::Begin { source, span, .. }) if span.start == 0 => {
                source
            }
            Happening::List(ListEvent::Begin { list, .. }) => list,
            _ => return,
        };
        let place = event.place.map_or_else(String::new, ToString::to_string);
        let line = format!("{place} {}", String::from_utf8_lossy(what));
        keeps.lock().unwrap().push(line);
    }));
    routes.test(
        &mut cx,
        &Request::new(Str::from("ann%me.example@x.hack"), Purpose::Test),
        &mut |_| (),
    );
    let told = told.lock().unwrap();
    for line in [
        "/c:4:3 percent_hack_domains",
        "/c:9:3 domains",
        "/c:10:3 ${if eq{$local_part}{ann}{yes}{no}}",
        "/c:11:3 ${lc:BOB}@me.example",
        "/c:14:3 (macro THIRD) ${uc:$local_part}@me.example",
        "/c:17:5 local_parts",
    ] {
        assert!(told.iter().any(|one| one == line), "{line}: {told:#?}");
    }
}
