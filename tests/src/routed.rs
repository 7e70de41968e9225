//! What a configuration's routers make of a message's addresses.

use eximious::route::{Purpose, Report, Request, Routes};
use eximious::world::{Fixture, World};
use eximious::{Config, Context, Engine, Macros, Str};

/// A configuration, ready to route.
#[derive(Debug)]
pub struct Routed {
    routes: Routes,
    cx: Context,
}

impl Routed {
    /// Of a text, in a world; files come from the text alone.
    pub fn new(text: &str, world: &World) -> Self {
        let file = Fixture::new().file("/c", text).world();
        let builder = Engine::builder().world(world.clone());
        let config = Config::read(b"/c", Macros::new(), &file, builder.registry());
        let config = config.unwrap_or_else(|error| panic!("{error}"));
        let engine = config.build(builder);
        let routes = Routes::new(&config, engine.registry(), world);
        Self { routes, cx: engine.context() }
    }

    /// What comes of a delivery: `recipient from sender` for each, or what is told of what
    /// can't be delivered.
    pub fn deliver(&mut self, sender: &str, recipient: &str) -> String {
        self.cx.set("sender_address", Str::tainted(sender.as_bytes()));
        let recipient = Str::tainted(recipient.as_bytes());
        let mut request = Request::new(recipient, Purpose::Delivery);
        request.whole = true;
        let mut told = Vec::new();
        let text = |text: Option<&Vec<u8>>| {
            String::from_utf8_lossy(text.map_or(b"", |text| text)).into_owned()
        };
        self.routes.test(&mut self.cx, &request, &mut |report| match report {
            Report::Delivered(delivery) => {
                let address = &delivery.address;
                let from = address.attached.errors_to.as_ref().map(|from| from.display());
                let from = from.map_or_else(|| format!("<{sender}>"), |from| from.to_string());
                told.push(format!("{} from {from}", address.text.display()));
            }
            Report::Failed(_, error) => {
                let (message, said) = (text(error.message.as_ref()), text(error.said.as_ref()));
                told.push(format!("failed: {message} ({said})"));
            }
            Report::Deferred(_, error) => {
                told.push(format!("deferred: {}", text(error.message.as_ref())));
            }
            Report::Discarded(_) | Report::Divided(_) | Report::Direct(_) => {}
        });
        told.join(", ")
    }

    /// Sets a variable to what came from outside.
    pub fn set(&mut self, name: &str, value: &str) {
        self.cx.set(name, Str::tainted(value.as_bytes()));
    }

    /// The value of a variable.
    pub fn value(&mut self, name: &str) -> String {
        self.cx.value(name).display().into_owned()
    }

    /// What an expansion says.
    pub fn expand(&mut self, text: &str) -> String {
        let engine = self.cx.engine().clone();
        match engine.compile(text).expand(&mut self.cx) {
            Ok(value) => value.display().into_owned(),
            Err(fail) => format!("Failed: {fail}"),
        }
    }
}
