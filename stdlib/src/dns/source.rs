//! The DNS as mail authentication asks it.

use eximious_core::{Call, Fail};
use eximious_mailauth::dns::{DnsQuery, DnsQueryKind, DnsResponse, DnsSource, Rdata};

use super::{DnsFound, How, Patience, ask_ahead, forget_ahead, host, kind, mx, query, strings};
use crate::dns::Record;

/// Answers the questions of mail authentication, all of them in a bounded time.
pub struct AuthDns<'c, 'e> {
    call: &'c mut Call<'e>,
    patience: Patience,
    fail: Option<Fail>,
}

impl<'c, 'e> AuthDns<'c, 'e> {
    /// For one check.
    pub fn new(call: &'c mut Call<'e>) -> Self {
        let patience = Patience::new(call);
        Self { call, patience, fail: None }
    }

    /// Ends the check.
    ///
    /// # Errors
    /// Why a question could not be asked at all: the policy forbids it, or an option
    /// can't be read. What the check has found does not count then.
    pub fn finish(mut self) -> Result<(), Fail> {
        self.fail.take().map_or(Ok(()), Err)
    }

    fn answer(&mut self, question: &DnsQuery) -> DnsResponse {
        if self.fail.is_some() || self.patience.is_over(self.call) {
            return DnsResponse::Later;
        }
        match query(self.call, &question.name, number(question.kind), &How::default()) {
            Ok(reply) => match reply.found {
                DnsFound::Records { records, .. } => {
                    let data = records.iter().filter_map(|record| data(record, question.kind));
                    DnsResponse::Records(data.collect())
                }
                DnsFound::NoData => DnsResponse::NoData,
                DnsFound::NoName | DnsFound::Broken => DnsResponse::NoName,
                DnsFound::Later => DnsResponse::Later,
            },
            Err(fail) => {
                self.fail = Some(fail);
                DnsResponse::Later
            }
        }
    }
}

impl DnsSource for AuthDns<'_, '_> {
    fn ask(&mut self, questions: &[DnsQuery]) -> Vec<DnsResponse> {
        self.prepare(questions);
        questions.iter().map(|question| self.answer(question)).collect()
    }

    fn prepare(&mut self, questions: &[DnsQuery]) {
        if let [_, _, ..] = questions
            && self.fail.is_none()
            && !self.patience.is_over(self.call)
        {
            let all = questions.iter().map(|one| (&one.name[..], number(one.kind)));
            ask_ahead(self.call, &all.collect::<Vec<_>>());
        }
    }
}

impl Drop for AuthDns<'_, '_> {
    fn drop(&mut self) {
        forget_ahead(self.call);
    }
}

/// The number of a type.
pub(super) const fn number(kind: DnsQueryKind) -> u16 {
    match kind {
        DnsQueryKind::A => kind::A,
        DnsQueryKind::Aaaa => kind::AAAA,
        DnsQueryKind::Mx => kind::MX,
        DnsQueryKind::Ptr => kind::PTR,
        DnsQueryKind::Txt => kind::TXT,
    }
}

/// What a record says; `None` where it can't be read.
fn data(record: &Record, kind: DnsQueryKind) -> Option<Rdata> {
    Some(match kind {
        DnsQueryKind::A | DnsQueryKind::Aaaa => Rdata::Address(record.address()?),
        DnsQueryKind::Mx => {
            let (preference, host) = mx(record)?;
            Rdata::Exchange { preference, host: host.into_bytes() }
        }
        DnsQueryKind::Ptr => Rdata::Host(host(record)?.into_bytes()),
        DnsQueryKind::Txt => Rdata::Text(strings(record).collect::<Vec<_>>().concat()),
    })
}
