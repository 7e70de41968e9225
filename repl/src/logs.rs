//! The log files of a configuration, for what serves and does not only test.

use std::sync::Arc;

use eximious::world::Log;
use eximious::{Settings, World};

/// The same world with the logs that a configuration asks for.
pub fn kept(settings: &Settings, world: World) -> World {
    let owner = settings.server_ids(&*world.users, &*world.host);
    let log: Arc<dyn Log> = Arc::new(eximious_world::Logs::new(settings, owner));
    World { log, ..world }
}
