//! What must hold before a router runs, in order (specification 3.12).

use std::io;
use std::sync::Arc;

use eximious_core::trace::TraceKinds;
use eximious_core::world::{BrightmailAction, Stat, User, Users as _};
use eximious_core::{Effects, Fail, FailClass, Meta, Str, TaintRule};
use eximious_stdlib::hosts::SendingHost;
use eximious_stdlib::lists::{Keep, ListOutcome, Matcher, Names, elements};
use eximious_stdlib::lookups;
use eximious_stdlib::options::{is_yes, opt};
use eximious_stdlib::variables::var;
use eximious_stdlib::wording::reason;

use super::machine::{Machine, unless_forced};
use super::pass::RouteError;
use super::router::{Router, Text};
use super::{Attached, Identity, Purpose};
use crate::Context;
use crate::config::PatientUsers;
use crate::mail::brightmail;

/// What tests against lists may touch.
static LIST: Meta = Meta::new(
    "router",
    Effects::FILES.union(Effects::LOOKUP).union(Effects::HOST).union(Effects::LOG),
    TaintRule::Result,
);

/// The name that was looked for last among the users, and who has it.
#[derive(Default)]
struct LastUser(Option<(Vec<u8>, Option<Arc<User>>)>);

impl Machine<'_> {
    /// What a router's `domains` says, where that is known before anything is done for
    /// the router. Its affixes come first.
    pub(super) fn known_domains(&mut self, router: &Router) -> Option<ListOutcome> {
        match &router.filter.domains {
            Some((_, Some(names))) if !router.filter.has_affixes() => self.recall(names),
            _ => None,
        }
    }

    /// What a list of names says of the address's domain, where that is known.
    fn recall(&mut self, names: &Names) -> Option<ListOutcome> {
        let domain = &self.address.domain;
        self.cx.call(&LIST, |call| names.recall(call, domain))
    }

    /// Whether a router sees the address; perhaps it is known what its `domains` says. A
    /// error says that this can't be told now.
    pub(super) fn admits(
        &mut self,
        router: &Router,
        known: Option<ListOutcome>,
    ) -> Result<bool, RouteError> {
        let filter = &router.filter;
        if let Some((list, names)) = &filter.domains {
            self.tell_checking(router, opt::router::DOMAINS.name(), None);
            // Without affixes, it was asked before.
            let names = names.as_ref().filter(|_| filter.has_affixes());
            let recall = || self.recall(names?);
            let data = match known.or_else(recall) {
                Some(ListOutcome::Matched(data)) => Some(data),
                Some(_) => None,
                None => {
                    let domain = self.address.domain.clone();
                    let matcher = Matcher::domain(&domain).kept(Keep::Recipient);
                    self.listed(list, matcher, opt::router::DOMAINS.name())?
                }
            };
            let Some(data) = data else {
                self.tell_skipped(router, "domains mismatch");
                return Ok(false);
            };
            self.cx.set_var(var::DOMAIN_DATA, data.clone().unwrap_or_default());
            self.attached_anew().domain_data = data;
        }
        if let Some(list) = &filter.local_parts {
            self.tell_checking(router, opt::router::LOCAL_PARTS.name(), None);
            let part = self.offer.cased_local_part.clone();
            let matcher = Matcher::local_part(&part);
            // What is kept is of the whole local part.
            let whole = part.bytes().len() == self.address.local_part.bytes().len();
            let matcher = if whole { matcher.kept(Keep::Recipient) } else { matcher };
            let matcher = if filter.caseful { matcher.caseful() } else { matcher };
            let Some(data) = self.listed(list, matcher, opt::router::LOCAL_PARTS.name())? else {
                self.tell_skipped(router, "local_parts mismatch");
                return Ok(false);
            };
            self.cx.set_var(var::LOCAL_PART_DATA, data.clone().unwrap_or_default());
            self.attached_anew().local_part_data = data;
        }
        if filter.check_local_user {
            self.tell_checking(router, opt::router::CHECK_LOCAL_USER.name(), None);
            if !self.find_user()? {
                self.tell_no_user(router);
                return Ok(false);
            }
        }
        if let Some(text) = &filter.home {
            match unless_forced(text.expand(self.cx)) {
                Ok(None) => {}
                Ok(Some(home)) => {
                    self.cx.set_var(var::HOME, home.clone());
                    self.offer.home = Some(home);
                }
                Err(fail) => {
                    let head = [b"failed to expand \"", text.written.bytes()].concat();
                    let middle = b"\" for router_home_directory: ";
                    return Err(RouteError::new([&head, &middle[..], fail.message()].concat()));
                }
            }
        }
        if let Some(list) = &filter.senders {
            self.tell_checking(router, opt::router::SENDERS.name(), None);
            let sender = self.cx.value_of(var::SENDER_ADDRESS);
            let matcher = Matcher::address(&sender).kept(Keep::Sender);
            let Some(data) = self.listed(list, matcher, opt::router::SENDERS.name())? else {
                self.tell_skipped(router, "senders mismatch");
                return Ok(false);
            };
            self.cx.set_var(var::SENDER_DATA, data.clone().unwrap_or_default());
            self.attached_anew().sender_data = data;
        }
        self.print_debug(router);
        if let Some(text) = &filter.require_files {
            self.tell_checking(router, opt::router::REQUIRE_FILES.name(), None);
            if !self.has_files(&text.written)? {
                self.tell_skipped(router, "file check");
                return Ok(false);
            }
        }
        if filter.by_verdict && !self.suits_verdict(router) {
            self.tell_skipped(router, "another verdict of Brightmail");
            return Ok(false);
        }
        let holds = self.holds(router)?;
        if !holds {
            self.tell_skipped(router, "condition failure");
        }
        Ok(holds)
    }

    /// What is attached to the address, to change the data that lists left: what it was
    /// is kept for other routers.
    fn attached_anew(&mut self) -> &mut Attached {
        self.offer.keep_data(&self.address.attached);
        &mut self.address.attached
    }

    /// The data of a list that the subject is in; `None` where it is not.
    fn listed(
        &mut self,
        list: &Str,
        matcher: Matcher<'_>,
        option: &'static str,
    ) -> Result<Option<Option<Str>>, RouteError> {
        match self.cx.is_in(list, &mut matcher.called(option)) {
            Ok(ListOutcome::Matched(data)) => Ok(Some(data)),
            Ok(ListOutcome::Unmatched(_)) => Ok(None),
            Ok(ListOutcome::Deferred(why)) => {
                let general = undecided(option);
                let why = self.cx.call(&LIST, |call| lookups::reason(call, why, &general));
                Err(RouteError { lookup: Some(why), ..RouteError::new(general) })
            }
            Err(fail) if fail.class() == FailClass::Forced => Ok(None),
            Err(_) => Err(RouteError::new(undecided(option))),
        }
    }

    /// A user by name. Several routers ask for the same one.
    pub(super) fn user_named(&mut self, name: &[u8]) -> std::io::Result<Option<Arc<User>>> {
        if let Some((last, user)) = self.cx.memory::<LastUser>().0.clone()
            && last == name
        {
            let text = [b"using cached results for user \"", name, b"\""].concat();
            self.cx.note(TraceKinds::USER, &text);
            return Ok(user);
        }
        let engine = self.cx.engine();
        let most = engine.settings().get(opt::MAX_USERNAME_LENGTH);
        let too_long = usize::try_from(most).is_ok_and(|most| most > 0 && name.len() > most);
        let user = match too_long {
            true => None,
            false => PatientUsers::of(engine.world(), engine.settings()).user(name)?.map(Arc::new),
        };
        self.tell_user(name, user.as_deref());
        self.cx.memory::<LastUser>().0 = Some((name.to_vec(), user.clone()));
        Ok(user)
    }

    /// `check_local_user`.
    fn find_user(&mut self) -> Result<bool, RouteError> {
        let name = self.offer.local_part.clone();
        let found = self.user_named(name.bytes());
        match found {
            Ok(Some(user)) => {
                let data = Str::from(user.name.as_slice());
                self.cx.set_var(var::LOCAL_PART_DATA, data.clone());
                self.attached_anew().local_part_data = Some(data);
                let home = Str::from(user.home.as_slice());
                self.cx.set_var(var::HOME, home.clone());
                self.cx.set_var(var::LOCAL_USER_UID, Str::from(user.uid.to_string()));
                self.cx.set_var(var::LOCAL_USER_GID, Str::from(user.gid.to_string()));
                self.offer.home = Some(home);
                self.offer.user = Some(user);
                Ok(true)
            }
            Ok(None) => Ok(false),
            Err(why) => Err(RouteError::new(format!("user lookup failed: {}", reason(&why)))),
        }
    }

    /// `debug_print`, which is for those who look at addresses.
    fn print_debug(&mut self, router: &Router) {
        if self.purpose == Purpose::Delivery {
            return;
        }
        let Some(text) = &router.filter.debug_print else { return };
        let mut line = match text.expand(self.cx) {
            Ok(line) => line.bytes().to_vec(),
            Err(fail) => {
                let head = [b"failed to expand debug_output \"", text.written.bytes()].concat();
                [&head, b"\": ".as_slice(), fail.message()].concat()
            }
        };
        if line.last() != Some(&b'\n') {
            line.push(b'\n');
        }
        self.cx.engine().world().log.debug(&line);
    }

    /// `bmi_deliver_default` and its kin: whether the verdict for the recipient that the
    /// message came for is one of those that the router is for.
    fn suits_verdict(&mut self, router: &Router) -> bool {
        let recipient = self.address.original().map_or(&self.address.text, |one| &one.text);
        let recipient = recipient.clone();
        let kept = brightmail::show(self.cx, &recipient).unwrap_or_default();
        let verdict = brightmail::of_recipient(kept.bytes(), recipient.bytes());
        let action = verdict.as_ref().map_or(BrightmailAction::Default, |one| one.action);
        let actions = [
            (opt::router::BMI_DELIVER_DEFAULT, BrightmailAction::Default),
            (opt::router::BMI_DELIVER_ALTERNATE, BrightmailAction::Alternate),
            (opt::router::BMI_DONT_DELIVER, BrightmailAction::Drop),
        ];
        let mut wanted = actions.iter().filter(|(option, _)| router.on(*option)).peekable();
        let suits = wanted.peek().is_none() || wanted.any(|(_, one)| *one == action);
        let rules = router.some_text(opt::router::BMI_RULE);
        let fired = |rules: &Text| {
            verdict.is_some_and(|verdict| brightmail::has_rule(&verdict, rules.written.bytes()))
        };
        suits && rules.is_none_or(fired)
    }

    /// `condition`.
    fn holds(&mut self, router: &Router) -> Result<bool, RouteError> {
        let Some(text) = &router.filter.condition else { return Ok(true) };
        self.tell_checking(router, opt::router::CONDITION.name(), Some(text));
        self.condition(router, text)
    }

    /// Whether a text is expanded to anything but a word for no. That it can't be
    /// expanded is logged, and means no, unless a look-up in it has no answer now.
    pub(super) fn condition(&mut self, router: &Router, text: &Text) -> Result<bool, RouteError> {
        match text.expand(self.cx) {
            Ok(value) => Ok(is_yes(value.bytes())),
            Err(fail) => {
                if fail.class() == FailClass::Defer {
                    let error = RouteError::new("condition check lookup defer");
                    return Err(error.waiting_for(&fail));
                }
                if fail.class() != FailClass::Forced {
                    let head = [b"failed to expand condition \"", text.written.bytes()].concat();
                    let head = [&head, b"\" for ".as_slice()].concat();
                    self.log_panic(&router.named(&head, b" router: ", fail.message()));
                }
                Ok(false)
            }
        }
    }

    /// `require_files`.
    fn has_files(&mut self, list: &Str) -> Result<bool, RouteError> {
        let mut who: Option<Identity> = None;
        let items: Vec<Vec<u8>> = elements(list.bytes()).map(|item| item.to_vec()).collect();
        for item in items {
            let engine = self.cx.engine().clone();
            let text = match unless_forced(engine.expand_once(&item, self.cx)) {
                Ok(None) => continue,
                Ok(Some(text)) => text,
                Err(fail) => {
                    let head = [b"failed to expand \"", item.as_slice(), b"\" for require_files: "];
                    return Err(RouteError::new([&head.concat(), fail.message()].concat()));
                }
            };
            let mut path = text.bytes().trim_ascii();
            if path.is_empty() {
                continue;
            }
            if !path.contains(&b'/') {
                let found = self.named_identity(path)?;
                who = Some(found);
                continue;
            }
            let mut sign = |sign: u8| match path.first() {
                Some(first) if *first == sign => {
                    path = path[1..].trim_ascii_start();
                    true
                }
                _ => false,
            };
            let (unreadable_is_missing, wanted) = (sign(b'+'), !sign(b'!'));
            if self.exists(path, who, unreadable_is_missing)? != wanted {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A user, and after a comma perhaps a group.
    fn named_identity(&mut self, text: &[u8]) -> Result<Identity, RouteError> {
        let unknown = |what: &[u8], name: &[u8], end: &[u8]| {
            let tail = [b"\" for require_files not found", end].concat();
            RouteError::new([what, b" \"", name, &tail].concat())
        };
        let comma = text.iter().position(|c| *c == b',').unwrap_or(text.len());
        let user = text[..comma].trim_ascii();
        let (uid, own) = self.user_by_text(user).ok_or_else(|| unknown(b"user", user, b""))?;
        let gid = match (text.get(comma + 1..), own) {
            (Some(group), _) => {
                let group = group.trim_ascii();
                self.group_by_text(group).ok_or_else(|| unknown(b"group", group, b"\n"))?
            }
            (None, Some(own)) => own,
            (None, None) => {
                let message = format!("group missing after numerical uid {uid} for require_files");
                return Err(RouteError::new(message));
            }
        };
        Ok(Identity { uid: Some(uid), gid: Some(gid), all_groups: false })
    }

    fn exists(
        &self,
        path: &[u8],
        who: Option<Identity>,
        unreadable_is_missing: bool,
    ) -> Result<bool, RouteError> {
        let wrong = |why: &str| {
            let head = b"require_files: error for ";
            RouteError::new([head, path, b": ", why.as_bytes()].concat())
        };
        if path.first() != Some(&b'/') {
            let message = [b"require_files: \"", path, b"\" is not absolute"].concat();
            return Err(RouteError::new(message));
        }
        let found = match (self.stat(path), who) {
            (Ok(stat), Some(who)) if !self.may_read(path, &stat, who) => {
                Err(io::Error::from(io::ErrorKind::PermissionDenied))
            }
            (found, _) => found,
        };
        match found {
            Ok(_) => Ok(true),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(why) if why.kind() == io::ErrorKind::PermissionDenied => {
                match unreadable_is_missing {
                    true => Ok(false),
                    false => Err(wrong("Permission denied")),
                }
            }
            Err(why) => Err(wrong(&reason(&why))),
        }
    }

    /// A rough check of permissions: search in the directories, read at the end.
    fn may_read(&self, path: &[u8], last: &Stat, who: Identity) -> bool {
        let slashes = path.iter().enumerate().filter(|(_, c)| **c == b'/');
        let directories = slashes.map(|(at, _)| if at == 0 { &path[..1] } else { &path[..at] });
        let searchable = directories
            .into_iter()
            .all(|directory| self.stat(directory).is_ok_and(|stat| permits(&stat, who, 0o1)));
        searchable && permits(last, who, 0o4)
    }

    /// What is known of a file.
    fn stat(&self, path: &[u8]) -> io::Result<Stat> {
        self.cx.engine().world().files.stat(path, true)
    }
}

/// What a host list asks of hosts that an address is sent to.
pub(super) fn host_is_in(
    cx: &mut Context,
    list: &Str,
    address: std::net::IpAddr,
) -> Result<ListOutcome, Fail> {
    let text = Str::from(address.to_string());
    let mut client = SendingHost;
    let mut matcher = Matcher::other_host((text, address), &mut client);
    matcher = matcher.called(opt::router::IGNORE_TARGET_HOSTS.name());
    cx.is_in(list, &mut matcher)
}

fn permits(stat: &Stat, who: Identity, bit: u32) -> bool {
    let shift = match who {
        Identity { uid: Some(uid), .. } if uid == stat.uid => 6,
        Identity { gid: Some(gid), .. } if gid == stat.gid => 3,
        _ => 0,
    };
    stat.mode & (bit << shift) != 0
}

fn undecided(option: &str) -> Vec<u8> {
    format!("{option} check lookup or other defer").into_bytes()
}
