//! A configuration made ready: what an embedder asks it.
//!
//! ```
//! use eximious::{Config, Engine, acl::AclVerdict};
//!
//! let config = Config::parse(
//!     "acl_smtp_rcpt = check_rcpt\n\
//!      begin acl\n\
//!      check_rcpt:\n\
//!        deny message = not from $sender_host_address\n\
//!             hosts = 192.0.2.0/24\n\
//!        accept domains = example.com\n",
//! )?;
//! let loaded = Engine::builder().build().load(config);
//! let mut talk = loaded.conversation("192.0.2.1".parse().unwrap());
//! talk.mail("someone@example.org");
//! let decision = talk.rcpt("info@example.com");
//! assert_eq!(decision.verdict, AclVerdict::Deny);
//! assert_eq!(decision.message.unwrap().display(), "not from 192.0.2.1");
//! let statement = &decision.decided_by[0];
//! assert_eq!((&statement.verb[..], statement.place.as_ref().unwrap().line), ("deny", 4));
//! let term = statement.term.as_ref().unwrap();
//! assert_eq!((&term.name[..], term.place.as_ref().unwrap().line), ("hosts", 5));
//! # Ok::<(), eximious::ConfigError>(())
//! ```

use std::net::IpAddr;
use std::sync::Arc;

use eximious_core::Str;

use super::acl::Acls;
use super::conversation::{Conversation, Decision};
use super::route::{Delivery, Purpose, Report, Request, RouteError, Routes, Standing};
use crate::{Config, Context, Engine};

/// A configuration made ready, with an engine that has its options. It is shared by
/// threads; a clone is cheap.
#[derive(Clone, Debug)]
pub struct Loaded(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    engine: Engine,
    config: Config,
    routes: Routes,
    acls: Acls,
}

/// What becomes of an address.
#[derive(Debug)]
#[non_exhaustive]
pub struct Routing {
    /// What came of it, all in all.
    pub standing: Standing,
    /// Where it goes, and where those go that it was redirected to.
    pub deliveries: Vec<Delivery>,
    /// The addresses that can't be delivered to, now or ever, and why.
    pub failures: Vec<(Str, RouteError)>,
}

/// An ACL of a configuration.
#[derive(Clone, Copy, Debug)]
pub struct LoadedAcl<'a> {
    loaded: &'a Loaded,
    name: &'a Str,
}

impl Engine {
    /// Makes a configuration ready: its options are the engine's from here on.
    pub fn load(&self, config: Config) -> Loaded {
        let engine = self.with_settings(config.placed_settings());
        let routes = Routes::new(&config, engine.registry(), engine.world());
        let acls = Acls::new(&config, routes.clone());
        Loaded(Arc::new(Inner { engine, config, routes, acls }))
    }
}

impl Loaded {
    /// The engine, with the configuration's options.
    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }
    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.0.config
    }
    /// The routers.
    pub fn routes(&self) -> &Routes {
        &self.0.routes
    }
    /// All ACLs.
    pub fn acls(&self) -> &Acls {
        &self.0.acls
    }

    /// A context whose expansions may call the ACLs.
    pub fn context(&self) -> Context {
        let mut cx = self.0.engine.context();
        self.0.acls.attach(&mut cx);
        cx
    }

    /// A conversation with a client, whose ACLs are those that the options
    /// `acl_smtp_…` name.
    pub fn conversation(&self, client: IpAddr) -> Conversation {
        Conversation::new(self.clone(), client)
    }

    /// An ACL, by its name.
    pub fn acl(&self, name: &str) -> Option<LoadedAcl<'_>> {
        let acl = self.0.config.acls.iter().find(|acl| acl.name.bytes() == name.as_bytes())?;
        Some(LoadedAcl { loaded: self, name: &acl.name })
    }

    /// Where an address goes, as `-bt` says it.
    pub fn route(&self, address: impl AsRef<[u8]>) -> Routing {
        let mut cx = self.context();
        let (address, typed) = match self.0.routes.read(&mut cx, address.as_ref(), Purpose::Test) {
            Ok((address, typed, _)) => (address, typed),
            Err(why) => {
                let why = RouteError::new([b"syntax error: ", &why[..]].concat());
                let failures = vec![(Str::tainted(address.as_ref()), why)];
                return Routing { standing: Standing::Failed, deliveries: Vec::new(), failures };
            }
        };
        let mut request = Request::new(address, Purpose::Test);
        (request.typed, request.whole) = (typed, true);
        let (mut deliveries, mut failures) = (Vec::new(), Vec::new());
        let standing = self.0.routes.test(&mut cx, &request, &mut |report| match report {
            Report::Delivered(delivery) | Report::Direct(delivery) => {
                deliveries.push(Delivery::clone(delivery))
            }
            Report::Failed(address, complaint) | Report::Deferred(address, complaint) => {
                failures.push((address.text.clone(), RouteError::clone(complaint)));
            }
            _ => {}
        });
        Routing { standing, deliveries, failures }
    }
}

impl LoadedAcl<'_> {
    /// Its name.
    pub fn name(&self) -> &Str {
        self.name
    }

    /// What it says of a recipient, whatever ACL the options name for that.
    pub fn rcpt(&self, client: IpAddr, sender: &str, recipient: &str) -> Decision {
        let mut talk = self.loaded.conversation(client);
        talk.envelope_from(sender);
        talk.rcpt_by(self.name, recipient)
    }
}
