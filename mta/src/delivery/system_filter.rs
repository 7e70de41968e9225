//! The system filter, which sees each message at the beginning of each attempt, before its
//! recipients are routed (specification, chapter 45).

use std::sync::Arc;

use eximious::filter::{self, FilterAction, FilterEnd, FilterOptions, logged_and_said};
use eximious::route::{
    Address, Ancestor, ChildAddress, Delivery, DeliveryTarget, Identity, Wrong, direct_target,
};
use eximious::stdlib::message::shown_recipients;
use eximious::stdlib::options::server_ids;
use eximious::transport::{LocalUser, Undelivered};
use eximious::{Context, Fail, FailClass, Str, World, opt, var};

use super::Attempted;
use super::attempt::{Attempt, Undone};
use super::routing::Waiting;
use super::tracking::ChildNames;
use crate::spool::{HeaderLine, added_line};

/// What everything is from that the system filter wants.
const OWNER: &[u8] = b"system-filter";
/// How large its file may be.
const LARGEST: u64 = 64 << 20;

/// What the system filter makes of a message.
pub(super) enum Filtered {
    /// It goes on: with these, and to its recipients, unless the filter has arranged for it.
    On { children: Vec<Waiting>, recipients: bool },
    /// This attempt is over.
    Over(Attempted),
}

impl Attempt<'_> {
    /// Runs the system filter, if there is one.
    pub(super) fn filter(&mut self) -> Filtered {
        if self.is_in_a_loop() {
            return Filtered::Over(self.break_loop());
        }
        let text = match self.system_filter() {
            Ok(Some(text)) => text,
            Ok(None) => return Filtered::On { children: Vec::new(), recipients: true },
            Err(why) => return self.filter_broken(&why),
        };
        let user = match self.filter_user() {
            Ok(user) => user,
            Err(why) => return self.filter_broken(&why),
        };
        let recipients = self.file().recipients.iter().map(|one| &one.address[..]);
        let recipients = shown_recipients(recipients);
        let options = FilterOptions {
            system: true,
            first_delivery: self.message.attempt.is_first,
            manually_thawed: self.message.attempt.is_thawed_by_hand,
            prepend_home: false,
            ..FilterOptions::default()
        };
        for (variable, value) in recipients {
            self.cx.set_var(variable, value);
        }
        let server = self.cx.engine().server_ids();
        let run = |cx: &mut Context| filter::exim(cx, &text, &options, &mut ());
        let done = match user.uid == server.0 {
            true => run(&mut self.cx),
            // Whom it runs as has fewer rights, or none of this process's.
            false => {
                let by = (user.uid, Some(user.gid));
                let mut done = filter::with_rights_of(&mut self.cx, by, run);
                done.actions.iter_mut().for_each(FilterAction::vouch);
                done
            }
        };
        for variable in [var::RECIPIENTS, var::RECIPIENTS_LIST] {
            self.cx.unset_var(variable);
        }
        let log = self.cx.log();
        let world = World { log, ..self.cx.engine().world().clone() };
        let logged = filter::write_logs(&world, &user, &done.actions);
        for (variable, count) in var::SYSTEM_COUNTERS.into_iter().zip(done.counters) {
            self.cx.set_var(variable, Str::from(count.to_string()));
        }
        let wrong = match (&done.end, &logged) {
            (FilterEnd::Error(why), _) | (_, Err(why)) => Some(why),
            _ => None,
        };
        if let Some(why) = wrong {
            let old = self.message.clone();
            super::show_message(&mut self.cx, old);
            return self.filter_broken(why);
        }
        self.keep_header();
        let (significant, mut recipients) = (done.significant, true);
        match &done.end {
            FilterEnd::Freeze(text) => {
                // What the filter wants delivered beside the message is delivered.
                self.freezes = true;
                self.frozen_by = b" by the system filter";
                self.frozen_why = self.printed(text.bytes());
                self.defer_all();
                recipients = false;
            }
            FilterEnd::Defer(_) => {
                let line = b"Delivery deferred by system filter";
                self.log(line);
                self.log_message_undated(line);
                self.defer_all();
                return Filtered::On { children: Vec::new(), recipients: false };
            }
            FilterEnd::Fail(text) => {
                let (logged, said) = logged_and_said(text.bytes());
                let mut line = b"cancelled by system filter".to_vec();
                if !text.is_empty() {
                    line.extend([b": ", &self.printed(logged)[..]].concat());
                }
                self.log(&line);
                let said = if said.is_empty() { &b"delivery cancelled"[..] } else { said };
                self.fail_all(said, said);
                recipients = false;
            }
            FilterEnd::Finished | FilterEnd::Error(_) => {}
        }
        let (children, is_any) = self.filter_children(done.actions, &user);
        if significant && recipients {
            recipients = false;
            if !is_any {
                self.log(b"=> discarded (system filter)");
                return Filtered::Over(self.complete_all());
            }
            // The next attempt, if there is one, asks the filter anew.
            self.log(b"original recipients ignored (system filter)");
        }
        Filtered::On { children, recipients }
    }

    /// The filter's text, if there is to be one.
    fn system_filter(&mut self) -> Result<Option<Vec<u8>>, Vec<u8>> {
        let engine = self.cx.engine().clone();
        let Some(written) = engine.settings().given(opt::SYSTEM_FILTER) else { return Ok(None) };
        let name = match self.expanded(&written) {
            Ok(name) => name,
            Err(fail) if fail.class() == FailClass::Forced => return Ok(None),
            Err(fail) => {
                let head = [b"failed to expand \"", written.bytes(), b"\": "].concat();
                return Err([&head[..], fail.message()].concat());
            }
        };
        if !name.bytes().starts_with(b"/") {
            return Err([b"\"", name.bytes(), b"\" is not an absolute path"].concat());
        }
        if name.taint().is_tainted() {
            let tail = b"' for file read not permitted\\n";
            return Err([b"Tainted name '", name.bytes(), tail].concat());
        }
        let files = self.cx.engine().world().files.clone();
        match files.read(name.bytes(), LARGEST) {
            Ok(text) => Ok(Some(text.to_vec())),
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => {
                Err([name.bytes(), b" does not exist"].concat())
            }
            Err(why) => {
                let why = eximious::stdlib::wording::reason(&why);
                Err([b"failed to open ", name.bytes(), b": ", why.as_bytes()].concat())
            }
        }
    }

    fn expanded(&mut self, text: &Str) -> Result<Str, Fail> {
        let engine = self.cx.engine().clone();
        engine.expand_once(text.bytes(), &mut self.cx)
    }

    /// Whom it runs as, and what it wants is delivered as.
    fn filter_user(&mut self) -> Result<LocalUser, Vec<u8>> {
        let (settings, world) = (self.cx.engine().settings(), self.cx.engine().world());
        let (uid, gid) = server_ids(settings, &*world.users, &*world.host);
        let own = settings.get(opt::SYSTEM_FILTER_USER).0.first().copied();
        let group = settings.get(opt::SYSTEM_FILTER_GROUP).0.first().copied();
        let Some(uid) = own.filter(|own| *own != uid) else {
            return Ok(LocalUser { uid, gid: group.unwrap_or(gid), groups: Vec::new() });
        };
        let gid = match group {
            Some(gid) => gid,
            None => match world.users.user_by_id(uid) {
                Ok(Some(user)) => user.gid,
                _ => return Err(b"system_filter_group is not set".to_vec()),
            },
        };
        Ok(LocalUser { uid, gid, groups: Vec::new() })
    }

    /// Nothing is delivered by a filter that is wrong.
    fn filter_broken(&mut self, why: &[u8]) -> Filtered {
        let line = [b"Error in system filter: ", why].concat();
        self.cx.log().panic(&line);
        Filtered::Over(Attempted::Left)
    }

    /// The header as the filter left it is what is delivered, and what is kept.
    fn keep_header(&mut self) {
        let Some(message) = self.cx.message().cloned() else { return };
        let old = std::mem::replace(&mut self.message, message);
        let mut new = self.message.headers.iter().peekable();
        let mut gone = Vec::new();
        for line in &old.headers {
            match new.next_if(|next| next.line == line.line) {
                Some(_) => {}
                None => gone.push(line.line.clone()),
            }
        }
        let more: Vec<HeaderLine> = new.map(added_line).collect();
        let file = self.file_mut();
        for line in gone {
            let found =
                file.headers.iter_mut().find(|one| one.kind != b'*' && one.line == line[..]);
            if let Some(one) = found {
                one.kind = b'*';
            }
        }
        file.headers.extend(more);
    }

    /// That the message goes to none of its recipients: what the main section is told of each,
    /// and what the sender is, where there is one.
    pub(super) fn fail_all(&mut self, told: &[u8], said: &[u8]) {
        self.tell_given_up(told);
        if self.file().sender.is_empty() {
            return;
        }
        for one in self.recipients() {
            let (node, address) = one.into_parts();
            self.fail(Undone::new(node, &address, false, Undelivered::new(0, said)));
        }
    }

    fn defer_all(&mut self) {
        for one in self.recipients() {
            let (node, address) = one.into_parts();
            self.defer(Undone::new(node, &address, false, Undelivered::new(0, "")));
        }
    }

    /// What the filter wants delivered and no earlier attempt has delivered, the last first;
    /// whether it wants anything.
    fn filter_children(
        &mut self,
        actions: Vec<FilterAction>,
        user: &LocalUser,
    ) -> (Vec<Waiting>, bool) {
        let mut parent = Ancestor::default();
        (parent.text, parent.local_part) = (Str::from(OWNER), Str::from(OWNER));
        parent.domain = self.cx.value_of(var::QUALIFY_RECIPIENT);
        let parent = Arc::new(parent);
        let root = self.tracking.add(OWNER, OWNER, None);
        let (mut children, mut names) = (Vec::new(), ChildNames::new(OWNER));
        let mut were_done = false;
        for action in actions {
            let manner = action.manner().unwrap_or_default();
            let child = match action {
                FilterAction::Deliver { address, errors_to, .. } => {
                    let mut address = Box::new(Address::new(address));
                    address.attached.errors_to = errors_to;
                    address.attached.ignore_errors = manner.silent;
                    address.parent = Some(parent.clone());
                    ChildAddress::Address(address)
                }
                other => {
                    let Some((text, target)) = direct_target(&mut self.cx, other) else {
                        continue;
                    };
                    let mut delivery = self.direct(text, target, user);
                    delivery.address.attached.ignore_errors = manner.silent;
                    delivery.address.parent = Some(parent.clone());
                    ChildAddress::Direct(Box::new(delivery))
                }
            };
            let (text, unique) = names.next(&child);
            if self.tracking.is_done(&unique) {
                were_done = true;
                continue;
            }
            self.tracking.expect(root, 1);
            let node = self.tracking.add(&text, &unique, Some(root));
            children.insert(0, Waiting::new(node, child));
        }
        if !children.is_empty() {
            // With the last of them, it is done with, too.
            self.tracking.finish(root);
        } else if were_done {
            self.tracking.finish_again(root);
            self.note_children_complete(OWNER);
        }
        let is_any = were_done || !children.is_empty();
        (children, is_any)
    }

    /// A delivery that needs no router.
    fn direct(&mut self, text: Str, target: DeliveryTarget, user: &LocalUser) -> Delivery {
        let option = match &target {
            DeliveryTarget::Pipe(_) => opt::SYSTEM_FILTER_PIPE_TRANSPORT,
            DeliveryTarget::Reply(_) | DeliveryTarget::Notice(_) => {
                opt::SYSTEM_FILTER_REPLY_TRANSPORT
            }
            _ if text.bytes().ends_with(b"/") => opt::SYSTEM_FILTER_DIRECTORY_TRANSPORT,
            _ => opt::SYSTEM_FILTER_FILE_TRANSPORT,
        };
        let name = self.cx.engine().settings().get(option);
        let found = match self.expanded(&name) {
            _ if name.is_empty() => Err(format!("{} is unset", option.name()).into_bytes()),
            Ok(name) => self.routes().transport(name.bytes()).ok_or_else(|| {
                let tail = b"\" transport for system filter delivery";
                [b"failed to find \"", name.bytes(), tail].concat()
            }),
            Err(_) => {
                let tail = b"\" as a system filter transport name";
                Err([b"failed to expand \"", name.bytes(), tail].concat())
            }
        };
        let (transport, wrong) = match found {
            Ok(number) => (Some(number), None),
            Err(why) => (None, Some(Wrong::Transport(why))),
        };
        let mut address = Address::new(Str::EMPTY);
        address.text = text;
        address.local_part = Str::from(OWNER);
        address.domain = self.cx.value_of(var::QUALIFY_RECIPIENT);
        Delivery {
            target,
            wrong,
            identity: Identity { uid: Some(user.uid), gid: Some(user.gid), all_groups: false },
            ..Delivery::new(address, usize::MAX, transport)
        }
    }
}
