//! Whom a local delivery runs as (specification, chapter 23).

use eximious_core::world::Users as _;
use eximious_core::{Expanded, Ids, Str};
use eximious_stdlib::options::opt::{self, transport as option};
use eximious_stdlib::options::server_ids;

use super::{LocalUser, Transport};
use crate::Context;
use crate::config::PatientUsers;
use crate::mail::route::{Delivery, Routes, Text};

impl Routes {
    /// The user and groups of a local delivery: as the transport's options say, or else
    /// as its router does; without either, the one that the server runs as.
    ///
    /// # Errors
    /// They can't be told, or nobody may deliver as such: Exim's words.
    pub fn local_user(&self, cx: &mut Context, delivery: &Delivery) -> Result<LocalUser, Vec<u8>> {
        let world = cx.engine().world().clone();
        let server = server_ids(cx.engine().settings(), &*world.users, &*world.host);
        let transport = delivery.transport.map(|number| self.transport_at(number));
        let (mut uid, mut gid) = (None, None);
        if let Some(transport) = transport {
            if let Some((own, group)) = user(cx, transport)? {
                (uid, gid) = (Some(own), group);
            }
            gid = group(cx, transport)?.or(gid);
            if uid.is_some() && gid.is_none() && delivery.identity.gid.is_none() {
                let head = b"User set without group for ";
                return Err([head, transport.name.bytes(), b" transport"].concat());
            }
        }
        let uid = uid.or(delivery.identity.uid).unwrap_or(server.0);
        let gid = gid.or(delivery.identity.gid).unwrap_or(server.1);
        // Nothing is ever delivered with the superuser's rights.
        if uid == 0 || cx.engine().settings().get(opt::NEVER_USERS).0.contains(&uid) {
            let line = format!("User {uid} set for ");
            let name = transport.map(|one| one.name.clone()).unwrap_or_default();
            let tail = b" transport is on the never_users list";
            return Err([line.as_bytes(), name.bytes(), tail].concat());
        }
        // With no rights but the server's, nobody else can be had.
        if cx.engine().settings().get(opt::DELIVER_DROP_PRIVILEGE) && (uid, gid) != server {
            let head = format!("unable to set gid={gid} or uid={uid} (euid={}): ", server.0);
            let to: [&[u8]; 4] = [
                b"local delivery to ",
                delivery.address.local_part.bytes(),
                b" transport=",
                transport.map_or(&b""[..], |one| one.name.bytes()),
            ];
            return Err([head.as_bytes(), &to.concat()].concat());
        }
        Ok(LocalUser { uid, gid, groups: Vec::new() })
    }
}

fn user(cx: &mut Context, transport: &Transport) -> Result<Option<(u32, Option<u32>)>, Vec<u8>> {
    let Some(name) = named(cx, transport, option::USER, "user")? else { return Ok(None) };
    let name = match name {
        Expanded::Value(ids) => return Ok(ids.0.first().map(|uid| (*uid, None))),
        Expanded::Text(name) => name,
    };
    if let Some(uid) = number(name.bytes()) {
        return Ok(Some((uid, None)));
    }
    match patient(cx).user(name.bytes()) {
        Ok(Some(user)) => Ok(Some((user.uid, Some(user.gid)))),
        _ => Err(nobody(transport, "user", &name)),
    }
}

fn patient(cx: &Context) -> PatientUsers<'_> {
    PatientUsers::of(cx.engine().world(), cx.engine().settings())
}

fn group(cx: &mut Context, transport: &Transport) -> Result<Option<u32>, Vec<u8>> {
    let Some(name) = named(cx, transport, option::GROUP, "group")? else { return Ok(None) };
    let name = match name {
        Expanded::Value(ids) => return Ok(ids.0.first().copied()),
        Expanded::Text(name) => name,
    };
    if let Some(gid) = number(name.bytes()) {
        return Ok(Some(gid));
    }
    match patient(cx).group(name.bytes()) {
        Ok(Some(group)) => Ok(Some(group.gid)),
        _ => Err(nobody(transport, "group", &name)),
    }
}

fn named(
    cx: &mut Context,
    transport: &Transport,
    option: eximious_core::DriverOpt<Expanded<Ids>>,
    what: &str,
) -> Result<Option<Expanded<Ids>>, Vec<u8>> {
    match transport.set(option) {
        Some(Expanded::Text(text)) if !text.is_empty() => {
            let name = Text::new(text.clone()).expand(cx).map_err(|fail| {
                let head = format!("Failed to expand {what} string \"");
                let head = [head.as_bytes(), text.bytes(), b"\" for the "].concat();
                [&head, transport.name.bytes(), b" transport: ", fail.message()].concat()
            })?;
            Ok(Some(Expanded::Text(name)))
        }
        ids @ Some(Expanded::Value(_)) => Ok(ids),
        _ => Ok(None),
    }
}

fn nobody(transport: &Transport, what: &str, name: &Str) -> Vec<u8> {
    let head = format!("Failed to find {what} \"");
    [head.as_bytes(), name.bytes(), b"\" for the ", transport.name.bytes(), b" transport"].concat()
}

fn number(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}
