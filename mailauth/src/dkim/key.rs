//! A key, as the DNS has it.

use std::collections::HashMap;

use super::DkimReason;
use crate::crypto::{Hash, KeyType, PublicKey};
use crate::tags::{self, TagList};
use crate::{DnsQuery, DnsQueryKind, DnsResponse, DnsSource};

/// The record of a key (RFC 6376, section 3.6.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyRecord {
    /// `p=`, decoded. It is empty where the key is revoked.
    pub key: Vec<u8>,
    /// `k=`: the type of the key, as it stands there.
    pub kind: Option<Vec<u8>>,
    /// `h=`: hashes that may be used with it; none where all may.
    pub hashes: Option<Vec<u8>>,
    /// `s=`: services that it is for.
    pub services: Vec<u8>,
    /// `g=` of RFC 4871: local parts that it is for.
    pub granularity: Vec<u8>,
    /// `n=`: notes, decoded.
    pub notes: Vec<u8>,
    /// `t=y`: DKIM is being tested.
    pub testing: bool,
    /// `t=s`: identities have the domain itself, not one below it.
    pub no_subdomains: bool,
}

/// A record is none of a key for mail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoKeyRecord;

impl KeyRecord {
    /// Reads a record.
    ///
    /// # Errors
    /// It is none of a key for mail.
    pub fn read(text: &[u8]) -> Result<Self, NoKeyRecord> {
        let list = TagList::read_record(text);
        if list.value("v").is_some_and(|version| version != b"DKIM1") {
            return Err(NoKeyRecord);
        }
        let key = list.value("p").and_then(tags::unbase64).ok_or(NoKeyRecord)?;
        let any = || b"*".to_vec();
        let services = list.solid("s").unwrap_or_else(any);
        let is_for_mail = |service: &[u8]| matches!(service, b"*" | b"email");
        if !services.split(|c| *c == b':').any(is_for_mail) {
            return Err(NoKeyRecord);
        }
        let flags = list.solid("t").unwrap_or_default();
        let has = |flag: &[u8]| flags.split(|c| *c == b':').any(|one| one == flag);
        Ok(Self {
            key,
            kind: list.solid("k"),
            hashes: list.solid("h"),
            services,
            granularity: list.solid("g").unwrap_or_else(any),
            notes: list.value("n").map(tags::unquoted_prose).unwrap_or_default(),
            testing: has(b"y"),
            no_subdomains: has(b"s"),
        })
    }

    /// Whether a hash may be used with the key.
    pub fn takes(&self, hash: Hash) -> bool {
        let names =
            |list: &Vec<u8>| list.split(|c| *c == b':').any(|one| one == hash.name().as_bytes());
        self.hashes.as_ref().is_none_or(names)
    }

    /// The key itself, which is to be of a type.
    pub fn public(&self, kind: KeyType) -> Option<PublicKey> {
        PublicKey::read(kind, &self.key)
    }
}

/// What the DNS answers about the keys that some signatures name.
pub(crate) struct KeyAnswers(HashMap<Vec<u8>, DnsResponse>);

impl KeyAnswers {
    /// Asks for all of them at once, for each name once.
    pub(crate) fn ask(names: impl IntoIterator<Item = Vec<u8>>, dns: &mut dyn DnsSource) -> Self {
        let mut questions: Vec<DnsQuery> = Vec::new();
        for name in names {
            if !questions.iter().any(|question| question.name == name) {
                questions.push(DnsQuery { name, kind: DnsQueryKind::Txt });
            }
        }
        let answers = if questions.is_empty() { Vec::new() } else { dns.ask(&questions) };
        Self(questions.into_iter().map(|question| question.name).zip(answers).collect())
    }

    /// The record of a key. Like Exim, it knows of none whose name ends in a dot, and of none
    /// that is empty.
    pub(crate) fn record(&self, name: &[u8]) -> Result<KeyRecord, DkimReason> {
        let answer = match name.ends_with(b".") {
            true => Some(&DnsResponse::NoName),
            false => self.0.get(name),
        };
        let later = matches!(answer, Some(DnsResponse::Later) | None);
        let text = answer.and_then(|answer| answer.texts().next()).filter(|text| !text.is_empty());
        let text = text.ok_or(DkimReason::KeyUnavailable(later))?;
        KeyRecord::read(text).map_err(|NoKeyRecord| DkimReason::KeyRecord)
    }
}
