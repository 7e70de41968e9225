//! What an address gets when a router takes it: who hears of errors, header
//! lines, a transport, a user (specification 15).

use eximious_core::world::Users as _;
use eximious_core::{DriverOpt, Fail, FailClass, Str};
use eximious_stdlib::lists::{elements_by, elements_with};
use eximious_stdlib::options::opt::router as opt;
use eximious_stdlib::variables::var;

use super::machine::{Machine, Verdict, unless_forced};
use super::pass::RouteError;
use super::router::{Router, Text};
use super::{Address, Delivery, HomeDirectory, Identity, Purpose};
use crate::config::PatientUsers;

impl Machine<'_> {
    /// A delivery of the address by this router: everything that all routers do
    /// for it, in order. Hosts are added by who finds them.
    pub(super) fn delivery(
        &mut self,
        number: usize,
        router: &Router,
        transport: Option<usize>,
    ) -> Result<Box<Delivery>, RouteError> {
        match self.assigned.take() {
            Some(assigned) => {
                let attached = &mut self.address.attached;
                attached.errors_to = assigned.errors_to;
                attached.ignore_errors = assigned.ignore_errors;
                attached.headers_add = assigned.headers_add;
                attached.headers_remove = assigned.headers_remove;
            }
            None => {
                self.assign_errors(router)?;
                self.assign_headers(router)?;
            }
        }
        let transport = self.transport_for(router, transport)?;
        // Deliveries to other hosts are the server's own.
        let identity = match transport.is_some_and(|number| self.routes.is_remote(number)) {
            true => Identity::default(),
            false => self.identity(router)?,
        };
        let mut address = Address::clone(&self.address);
        address.local_part = self.offer.local_part.clone();
        address.prefix = self.offer.prefix.clone();
        address.suffix = self.offer.suffix.clone();
        Ok(Box::new(Delivery {
            identity,
            home: self.transport_home(router),
            directory: directory(router, opt::TRANSPORT_CURRENT_DIRECTORY),
            ..Delivery::new(address, number, transport)
        }))
    }

    /// `errors_to`: an address that does not verify does not count.
    pub(super) fn assign_errors(&mut self, router: &Router) -> Result<(), RouteError> {
        let attached = &self.address.attached;
        self.told_before = Some((attached.errors_to.clone(), attached.ignore_errors));
        let Some(text) = router.text(opt::ERRORS_TO) else { return Ok(()) };
        let address = match unless_forced(text.expand(self.cx)) {
            Ok(None) => return Ok(()),
            Ok(Some(address)) => address,
            Err(fail) => {
                let middle = [b" router failed to expand \"", text.written.bytes(), b"\": "];
                return Err(RouteError::new(router.named(b"", &middle.concat(), fail.message())));
            }
        };
        if address.is_empty() {
            self.address.attached.ignore_errors = true;
            self.address.attached.errors_to = Some(address);
            return Ok(());
        }
        // While an address is verified or expanded, nobody will be told of errors.
        let is_told = !self.purpose.verifies() && self.purpose != Purpose::Expand;
        if is_told && !self.verifies(&address) {
            return Ok(());
        }
        let qualified = match memchr::memchr(b'@', address.bytes()) {
            Some(_) => address,
            None => {
                let domain = self.cx.value_of(var::QUALIFY_DOMAIN);
                let (text, taint) = address.read();
                Str::from([text, b"@", domain.bytes()].concat()).stamped(taint)
            }
        };
        self.address.attached.errors_to = Some(qualified);
        Ok(())
    }

    /// Whether an address could be the recipient of a report, as far as can be told.
    fn verifies(&mut self, address: &Str) -> bool {
        use super::{Request, Standing};
        let before =
            [var::SENDER_ADDRESS, var::RETURN_PATH].map(|var| (var, self.cx.value_of(var)));
        self.hide_address();
        self.cx.set_var(var::SENDER_ADDRESS, Str::EMPTY);
        let request = Request::new(address.clone(), Purpose::VerifyRecipient);
        let standing = self.routes.test(self.cx, &request, &mut |_| {});
        for (var, value) in before {
            self.cx.set_var(var, value);
        }
        // Exim knows it no more then.
        self.cx.set_var(var::VERIFY_MODE, Str::EMPTY);
        self.show_address();
        standing == Standing::Fine
    }

    /// `headers_add` and `headers_remove`.
    pub(super) fn assign_headers(&mut self, router: &Router) -> Result<(), RouteError> {
        if let Some(list) = router.some_text(opt::HEADERS_ADD) {
            let lines = self.items(router, &list.written, b'\n', "add_headers")?;
            self.address.attached.headers_add.extend(lines);
        }
        if let Some(list) = router.some_text(opt::HEADERS_REMOVE) {
            let names = self.items(router, &list.written, b':', "remove_headers")?;
            self.address.attached.headers_remove.extend(names);
        }
        Ok(())
    }

    /// The items of a list, each expanded on its own.
    fn items(
        &mut self,
        router: &Router,
        list: &Str,
        separator: u8,
        what: &str,
    ) -> Result<Vec<Str>, RouteError> {
        let mut expanded = Vec::new();
        for item in elements_by(list.bytes(), separator) {
            let engine = self.cx.engine().clone();
            match unless_forced(engine.expand_once(&item, self.cx)) {
                Ok(text) => expanded.extend(text.filter(|text| !text.is_empty())),
                Err(fail) => {
                    let middle = [b" router failed to expand ", what.as_bytes(), b" item \""];
                    let tail = [&item[..], b"\": ", fail.message()].concat();
                    return Err(RouteError::new(router.named(b"", &middle.concat(), &tail)));
                }
            }
        }
        Ok(expanded)
    }

    /// The transport that a rule says, or else the router's own.
    pub(super) fn transport_for(
        &mut self,
        router: &Router,
        said: Option<usize>,
    ) -> Result<Option<usize>, RouteError> {
        match (said, router.text(opt::TRANSPORT)) {
            (Some(said), _) => Ok(Some(said)),
            (None, Some(text)) => self.transport_of(router, text).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// The transport that a text names.
    pub(super) fn transport_of(
        &mut self,
        router: &Router,
        text: &Text,
    ) -> Result<usize, RouteError> {
        let written = text.written.bytes();
        let name = text.expand(self.cx).map_err(|fail| {
            let head = [b"failed to expand transport \"", written, b"\" in "].concat();
            let message = router.named(&head, b" router: ", fail.message());
            RouteError::new(message).numbered(RouteError::TRANSPORT)
        })?;
        if name.taint().is_tainted() {
            let head = [b"attempt to use tainted value '", name.bytes(), b"' from '"].concat();
            self.log_panic(&[&head, written, b"' for transport"].concat());
            let error = RouteError::new("internal configuration error");
            return Err(error.numbered(RouteError::TRANSPORT));
        }
        self.routes.transport(name.bytes()).ok_or_else(|| {
            let head = [b"transport \"", name.bytes(), b"\" not found in "].concat();
            let message = router.named(&head, b" router", b"");
            RouteError::new(message).numbered(RouteError::TRANSPORT)
        })
    }

    /// `user`, `group`, `initgroups`, or whom `check_local_user` found: worked out
    /// once for each router, however much it makes.
    pub(super) fn identity(&mut self, router: &Router) -> Result<Identity, RouteError> {
        if let Some(identity) = self.offer.identity {
            return Ok(identity);
        }
        let identity = self.identity_by(router)?;
        self.offer.identity = Some(identity);
        Ok(identity)
    }

    fn identity_by(&mut self, router: &Router) -> Result<Identity, RouteError> {
        // Whoever a local delivery runs as, by what is known so far.
        let user = self.offer.user.as_ref();
        let (uid, gid) = (user.map(|user| user.uid), user.map(|user| user.gid));
        let mut identity = Identity { uid, gid, all_groups: router.on(opt::INITGROUPS) };
        if let Some(uid) = router.ids(opt::USER).first() {
            identity = Identity { uid: Some(*uid), gid: None, ..identity };
        } else if let Some(text) = router.some_text(opt::USER) {
            let (uid, gid) = self.user_of(router, text)?;
            identity = Identity { uid: Some(uid), gid, ..identity };
        }
        if let Some(gid) = router.ids(opt::GROUP).first() {
            identity.gid = Some(*gid);
        } else if let Some(text) = router.some_text(opt::GROUP) {
            identity.gid = Some(self.group_of(router, text)?);
        }
        if identity.uid.is_some() && identity.gid.is_none() {
            let message = router.named(b"user set without group for ", b" router", b"");
            return Err(RouteError::new(message));
        }
        Ok(identity)
    }

    /// The user that a text comes to, and its group where it is named.
    pub(super) fn user_of(
        &mut self,
        router: &Router,
        text: &Text,
    ) -> Result<(u32, Option<u32>), RouteError> {
        let name = self.expanded(router, text, "user")?;
        let found = self.user_by_text(name.bytes());
        found.ok_or_else(|| self.nobody(router, "user", &name, text))
    }

    /// The group that a text comes to.
    pub(super) fn group_of(&mut self, router: &Router, text: &Text) -> Result<u32, RouteError> {
        let name = self.expanded(router, text, "group")?;
        let found = self.group_by_text(name.bytes());
        found.ok_or_else(|| self.nobody(router, "group", &name, text))
    }

    fn expanded(&mut self, router: &Router, text: &Text, what: &str) -> Result<Str, RouteError> {
        text.expand(self.cx).map_err(|fail| {
            let place = router.named(b"", b" router", b"");
            let message = unreadable_name(what, &text.written, &place, &fail);
            self.log_panic(&message);
            RouteError::new(message)
        })
    }

    fn nobody(&mut self, router: &Router, what: &str, name: &Str, text: &Text) -> RouteError {
        let place = router.named(b"", b" router", b"");
        let message = unknown_name(what, name, &text.written, &place);
        self.log_panic(&message);
        RouteError::new(message)
    }

    /// A user by name or number: its numbers.
    pub(super) fn user_by_text(&mut self, text: &[u8]) -> Option<(u32, Option<u32>)> {
        if let Some(uid) = number(text) {
            return Some((uid, None));
        }
        let user = self.user_named(text).ok()??;
        Some((user.uid, Some(user.gid)))
    }

    /// A group by name or number.
    pub(super) fn group_by_text(&self, text: &[u8]) -> Option<u32> {
        if let Some(gid) = number(text) {
            return Some(gid);
        }
        let engine = self.cx.engine();
        Some(PatientUsers::of(engine.world(), engine.settings()).group(text).ok()??.gid)
    }

    /// The home directory for a transport: of the router's options, of the user,
    /// and of the router itself, the first that is there.
    pub(super) fn transport_home(&self, router: &Router) -> Option<HomeDirectory> {
        if let Some(written) = directory(router, opt::TRANSPORT_HOME_DIRECTORY) {
            return Some(HomeDirectory::Written(written));
        }
        let own = self.offer.user.as_ref().map(|user| Str::from(user.home.as_slice()));
        own.or_else(|| self.offer.home.clone()).map(HomeDirectory::Known)
    }

    /// `set`: `$r_…`. A verdict is there where one can't be set.
    ///
    /// # Errors
    /// A value can't be told now. (Exim goes on without any of them.)
    pub(super) fn set_variables(
        &mut self,
        router: &Router,
        list: &Str,
    ) -> Result<Option<Verdict>, RouteError> {
        let items: Vec<Vec<u8>> =
            elements_with(list.bytes(), b';').map(|item| item.to_vec()).collect();
        for item in items {
            let equals = item.iter().position(|c| *c == b'=').unwrap_or(item.len());
            let (name, value) = item.split_at(equals);
            let name = name.trim_ascii();
            let value = value.get(1..).unwrap_or_default().trim_ascii_start();
            if !name.starts_with(b"r_") || name.len() == 2 {
                let head = [b"bad router variable name '", name, b"' in router '"].concat();
                self.log_panic(&router.named(&head, b"'\n", b""));
                return Ok(Some(Verdict::Fail(RouteError::default())));
            }
            let engine = self.cx.engine().clone();
            match unless_forced(engine.expand_once(value, self.cx)) {
                Ok(None) if matches!(self.switch(router, opt::MORE), Ok(false)) => {
                    return Ok(Some(Verdict::Fail(RouteError::default())));
                }
                Ok(None) => return Ok(Some(Verdict::Decline)),
                Ok(Some(value)) => {
                    self.cx.set(name, value.clone());
                    self.shown.insert(name.to_vec());
                    self.address.attached.variables.insert(name.to_vec(), value);
                }
                Err(fail) => {
                    let head = [b"expansion of \"", item.as_slice(), b"\" failed in "].concat();
                    let error = router.named(&head, b" router: ", fail.message());
                    let error = RouteError::new(error);
                    return match fail.class() {
                        FailClass::Defer => Err(error),
                        _ => Ok(Some(Verdict::Fail(error))),
                    };
                }
            }
        }
        Ok(None)
    }
}

/// What an option says of a directory. It waits for the transport, whose
/// variables it may use.
pub(super) fn directory(router: &Router, option: DriverOpt<Str>) -> Option<Str> {
    router.text(option).map(|text| text.written.clone())
}

fn number(text: &[u8]) -> Option<u32> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| digits)?.parse().ok()
}

/// What is said of a user's or group's name that can't be told; `place` is the router or
/// transport.
pub(crate) fn unreadable_name(what: &str, written: &Str, place: &[u8], fail: &Fail) -> Vec<u8> {
    let head = format!("Failed to expand {what} string \"");
    let parts = [head.as_bytes(), written.bytes(), b"\" for the ", place, b": ", fail.message()];
    parts.concat()
}

/// What is said of a name that no user or group has.
pub(crate) fn unknown_name(what: &str, name: &Str, written: &Str, place: &[u8]) -> Vec<u8> {
    let head = format!("Failed to find {what} \"");
    let from = b"\" from expanded string \"";
    [head.as_bytes(), name.bytes(), from, written.bytes(), b"\" for the ", place].concat()
}
