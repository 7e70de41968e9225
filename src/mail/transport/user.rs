//! Whom a local delivery runs as (specification, chapter 23).

use eximious_core::world::Users as _;
use eximious_core::{Expanded, Ids, Str};
use eximious_stdlib::options::opt;
use eximious_stdlib::options::opt::transport::{self as option, pipe};
use eximious_stdlib::options::server_ids;
use eximious_stdlib::variables::var;
use eximious_stdlib::wording;

use super::{LocalUser, Transport, Undelivered};
use crate::Context;
use crate::config::PatientUsers;
use crate::mail::route::{Delivery, Routes, Text, unknown_name, unreadable_name};

/// It can't be told as whom, or with which group (Exim's numbers).
const NO_USER: i32 = -29;
const NO_GROUP: i32 = -28;

impl Routes {
    /// The user and groups of a local delivery: as the transport's options say, or else
    /// as its router does; without either, the one that the server runs as.
    ///
    /// # Errors
    /// They can't be told, or nobody may deliver as such: Exim's words.
    pub fn local_user(
        &self,
        cx: &mut Context,
        delivery: &Delivery,
    ) -> Result<LocalUser, Undelivered> {
        let world = cx.engine().world().clone();
        let server = server_ids(cx.engine().settings(), &*world.users, &*world.host);
        let transport = delivery.transport.map(|number| self.transport_at(number));
        let (mut uid, mut gid) = (None, None);
        let mut all_groups = delivery.identity.uid.is_some() && delivery.identity.all_groups;
        if let Some(transport) = transport {
            let named = group(cx, transport)?;
            if let Some((own, group)) = user(cx, transport)? {
                (uid, gid) = (Some(own), group);
                all_groups = transport.on(option::INITGROUPS);
            }
            // The group of a user who is only told now comes behind the router's.
            let by_router = delivery.identity.gid.filter(|_| is_told_late(transport));
            gid = named.or(by_router).or(gid);
            if uid.is_none() && transport.on(pipe::PIPE_AS_CREATOR) {
                let mut id = |variable| number(cx.value_of(variable).bytes());
                (uid, gid) = (id(var::ORIGINATOR_UID), gid.or(id(var::ORIGINATOR_GID)));
                all_groups = transport.on(option::INITGROUPS);
            }
            if uid.is_some() && gid.is_none() && delivery.identity.gid.is_none() {
                return Err(without_group(transport));
            }
        }
        let uid = uid.or(delivery.identity.uid).unwrap_or(server.0);
        let gid = gid.or(delivery.identity.gid).unwrap_or(server.1);
        never(cx, transport, uid)?;
        // With no rights but the server's, nobody else can be had.
        if cx.engine().settings().get(opt::DELIVER_DROP_PRIVILEGE) && (uid, gid) != server {
            let head = format!("unable to set gid={gid} or uid={uid} (euid={}): ", server.0);
            let to: [&[u8]; 4] = [
                b"local delivery to ",
                delivery.address.local_part.bytes(),
                b" transport=",
                transport.map_or(&b""[..], |one| one.name.bytes()),
            ];
            return Err(Undelivered::new(NO_USER, [head.as_bytes(), &to.concat()].concat()));
        }
        let groups = if all_groups { groups(cx, uid, gid) } else { Ok(Vec::new()) };
        let groups = groups.map_err(|why| Undelivered::new(NO_USER, why))?;
        Ok(LocalUser { uid, gid, groups })
    }

    /// Looks for the user and group that the options of a transport to other hosts name: those
    /// deliveries keep the rights of the server, but not where nobody could be had as whom they
    /// were to be made. What a router says of users is of no interest to them.
    ///
    /// # Errors
    /// They can't be told, or nobody may deliver as such: Exim's words.
    pub fn check_remote_user(&self, cx: &mut Context, number: usize) -> Result<(), Undelivered> {
        let transport = self.transport_at(number);
        let group = group(cx, transport)?;
        let named = user(cx, transport)?;
        match named {
            Some((_, None)) if group.is_none() => Err(without_group(transport)),
            Some((uid, _)) => never(cx, Some(transport), uid),
            None => Ok(()),
        }
    }
}

/// Nothing is ever delivered with the superuser's rights, nor as whom the site rules out.
fn never(cx: &Context, transport: Option<&Transport>, uid: u32) -> Result<(), Undelivered> {
    let is_listed = cx.engine().settings().get(opt::NEVER_USERS).0.contains(&uid);
    if uid != 0 && !is_listed {
        return Ok(());
    }
    let line = format!("User {uid} set for ");
    let name = transport.map(|one| one.name.clone()).unwrap_or_default();
    let list = if is_listed { "never_users" } else { "fixed_never_users" };
    let tail = format!(" transport is on the {list} list");
    let words = [line.as_bytes(), name.bytes(), tail.as_bytes()].concat();
    Err(Undelivered::new(NO_USER, words))
}

fn without_group(transport: &Transport) -> Undelivered {
    let words = [b"User set without group for ", transport.name.bytes(), b" transport"].concat();
    Undelivered::new(NO_GROUP, words)
}

/// All groups of a user who has this one for now (`initgroups`).
fn groups(cx: &Context, uid: u32, gid: u32) -> Result<Vec<u32>, Vec<u8>> {
    let users = &cx.engine().world().users;
    let Ok(Some(user)) = users.user_by_id(uid) else {
        let words = format!("cannot run initgroups(): no passwd entry for uid={uid}");
        return Err(words.into_bytes());
    };
    users.groups_of(&user.name, gid).map_err(|error| {
        let why = wording::reason(&error);
        format!("initgroups failed for uid={uid}: {why}").into_bytes()
    })
}

type Found<T> = Result<Option<T>, Undelivered>;

/// Whether a transport's user is known only when the option is expanded.
fn is_told_late(transport: &Transport) -> bool {
    match transport.set(option::USER) {
        Some(Expanded::Text(text)) => memchr::memchr(b'$', text.bytes()).is_some(),
        _ => false,
    }
}

fn user(cx: &mut Context, transport: &Transport) -> Found<(u32, Option<u32>)> {
    let wrong = |words| Undelivered::new(NO_USER, words);
    let named = match transport.set(option::USER) {
        Some(Expanded::Value(ids)) => return Ok(ids.0.first().map(|uid| (*uid, None))),
        named => named,
    };
    let named = named_by(cx, transport, "user", named.as_ref()).map_err(wrong)?;
    let Some((name, written)) = named else { return Ok(None) };
    if let Some(uid) = number(name.bytes()) {
        return Ok(Some((uid, None)));
    }
    match patient(cx).user(name.bytes()) {
        Ok(Some(user)) => Ok(Some((user.uid, Some(user.gid)))),
        _ => Err(wrong(unknown_name("user", &name, &written, &place(transport)))),
    }
}

fn patient(cx: &Context) -> PatientUsers<'_> {
    PatientUsers::of(cx.engine().world(), cx.engine().settings())
}

fn group(cx: &mut Context, transport: &Transport) -> Found<u32> {
    let wrong = |words| Undelivered::new(NO_GROUP, words);
    let named = match transport.set(option::GROUP) {
        Some(Expanded::Value(ids)) => return Ok(ids.0.first().copied()),
        named => named,
    };
    let named = named_by(cx, transport, "group", named.as_ref()).map_err(wrong)?;
    let Some((name, written)) = named else { return Ok(None) };
    if let Some(gid) = number(name.bytes()) {
        return Ok(Some(gid));
    }
    match patient(cx).group(name.bytes()) {
        Ok(Some(group)) => Ok(Some(group.gid)),
        _ => Err(wrong(unknown_name("group", &name, &written, &place(transport)))),
    }
}

/// The name that an option's text comes to, and that text.
fn named_by(
    cx: &mut Context,
    transport: &Transport,
    what: &str,
    set: Option<&Expanded<Ids>>,
) -> Result<Option<(Str, Str)>, Vec<u8>> {
    let Some(Expanded::Text(written)) = set else { return Ok(None) };
    if written.is_empty() {
        return Ok(None);
    }
    let name = Text::new(written.clone()).expand(cx);
    let name = name.map_err(|fail| unreadable_name(what, written, &place(transport), &fail))?;
    Ok(Some((name, written.clone())))
}

fn place(transport: &Transport) -> Vec<u8> {
    [transport.name.bytes(), b" transport"].concat()
}

fn number(text: &[u8]) -> Option<u32> {
    let digits = text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use eximious_core::World;
    use eximious_core::world::{Fixture, Group, User, Users};

    use super::*;
    use crate::mail::route::{Address, Identity};
    use crate::{Config, Engine, Macros};

    /// One user, who is in two groups.
    struct One;

    impl Users for One {
        fn user(&self, name: &[u8]) -> io::Result<Option<User>> {
            let name = name.to_vec();
            Ok((name == b"one").then(|| User { name, uid: 101, gid: 102, ..User::default() }))
        }
        fn user_by_id(&self, uid: u32) -> io::Result<Option<User>> {
            if uid == 101 { self.user(b"one") } else { Ok(None) }
        }
        fn group(&self, _: &[u8]) -> io::Result<Option<Group>> {
            Ok(None)
        }
        fn group_by_id(&self, _: u32) -> io::Result<Option<Group>> {
            Ok(None)
        }
        fn groups_of(&self, user: &[u8], gid: u32) -> io::Result<Vec<u32>> {
            assert_eq!(user, b"one");
            Ok(vec![gid, 42])
        }
        fn crypt(&self, _: &[u8], _: &[u8]) -> Option<Vec<u8>> {
            None
        }
        fn authenticate(&self, _: &[u8], _: &[u8], _: &[Vec<u8>]) -> Result<bool, Vec<u8>> {
            Ok(false)
        }
    }

    /// As whom a transport with these options delivers what a router gave this identity.
    fn user_of(options: &str, identity: Identity) -> Result<LocalUser, Undelivered> {
        let text = format!("begin transports\nT:\n  driver = appendfile\n  file = /m\n{options}");
        let fixture = Fixture::new().file("/c", text);
        let world = World { users: Arc::new(One), ..fixture.world() };
        let builder = Engine::builder().world(world.clone());
        let config = Config::read(b"/c", Macros::new(), &world, builder.registry()).unwrap();
        let engine = config.build(builder);
        let routes = Routes::new(&config, engine.registry(), &world);
        let delivery = Delivery {
            identity,
            ..Delivery::new(Address::new(Str::tainted(&b"u@example"[..])), 0, Some(0))
        };
        routes.local_user(&mut engine.context(), &delivery)
    }

    #[test]
    fn all_groups_are_those_of_who_says_the_user() {
        let by_router = |uid, all_groups| Identity { uid: Some(uid), gid: Some(7), all_groups };
        let groups = |options: &str, identity| user_of(options, identity).unwrap().groups;
        assert_eq!(groups("", by_router(101, true)), [7, 42]);
        assert!(groups("", by_router(101, false)).is_empty());
        // A transport's user has the groups that the transport says.
        assert!(groups("  user = one\n", by_router(101, true)).is_empty());
        assert_eq!(groups("  user = one\n  initgroups\n", by_router(101, false)), [102, 42]);
        let late = "  user = ${if eq{a}{a}{one}}\n  initgroups\n";
        assert_eq!(groups(late, by_router(101, false)), [7, 42]);
        assert_eq!(groups(late, Identity::default()), [102, 42]);
        let other = "  user = one\n  group = 60\n  initgroups\n";
        assert_eq!(groups(other, Identity::default()), [60, 42]);
        assert!(groups("  initgroups\n", by_router(101, false)).is_empty());
        let unknown = user_of("", by_router(12_345, true)).unwrap_err();
        assert_eq!(unknown.message, b"cannot run initgroups(): no passwd entry for uid=12345");
    }
}
