//! Mechanisms of SASL, by the system's libraries.

use eximious_core::world::{
    Sasl, SaslAnswers, SaslError, SaslLibrary, SaslProperty, SaslReply, SaslSession, SaslStart,
    SaslStep, SaslValues,
};
use eximious_sasl::gnu::Property;
use eximious_sasl::{SaslFault, Step, cyrus, gnu, gss};

/// The libraries of the system.
#[derive(Debug)]
pub struct SystemSasl;

impl Sasl for SystemSasl {
    fn start(&self, start: &SaslStart) -> Result<Box<dyn SaslSession>, SaslError> {
        match start.library {
            SaslLibrary::Gnu => {
                let mut session =
                    gnu::GsaslSession::start(start.server, &start.mechanism).map_err(wrong)?;
                let values = [
                    (Property::Service, &start.service),
                    (Property::Hostname, &start.hostname),
                    (Property::Realm, &start.realm),
                ];
                for (property, value) in values {
                    if !value.is_empty() {
                        session.set(property, value);
                    }
                }
                Ok(Box::new(Gnu(session)))
            }
            SaslLibrary::Cyrus => {
                let peers = cyrus::Peers {
                    service: &start.service,
                    hostname: &start.hostname,
                    realm: &start.realm,
                    local: &start.addresses[0],
                    remote: &start.addresses[1],
                };
                let session =
                    cyrus::CyrusSession::start(&start.mechanism, &peers).map_err(wrong)?;
                Ok(Box::new(Cyrus(session)))
            }
            SaslLibrary::Gss => {
                let keytab = start.keytab.as_deref().unwrap_or_default();
                let session = gss::GssSession::start(&start.service, &start.hostname, keytab);
                Ok(Box::new(Gss(session.map_err(wrong)?)))
            }
        }
    }
}

struct Gnu(gnu::GsaslSession);

impl SaslValues for Gnu {
    fn get(&self, property: SaslProperty) -> Option<Vec<u8>> {
        self.0.get(theirs(property))
    }
    fn set(&mut self, property: SaslProperty, value: &[u8]) {
        self.0.set(theirs(property), value);
    }
}

impl SaslSession for Gnu {
    fn step(
        &mut self,
        said: Option<&[u8]>,
        ask: &mut SaslAnswers<'_>,
    ) -> Result<SaslStep, SaslError> {
        let answers = &mut |values: &mut gnu::SessionValues<'_>, property| {
            let Some(property) = ours(property) else { return gnu::CallbackReply::Nothing };
            match ask(&mut Asked(values), property) {
                SaslReply::Yes => gnu::CallbackReply::Yes,
                SaslReply::No => gnu::CallbackReply::No,
                SaslReply::Nothing => gnu::CallbackReply::Nothing,
            }
        };
        self.0.step(said, answers).map(step).map_err(wrong)
    }
}

/// The values of a session, while its library asks for one.
struct Asked<'a, 'v>(&'a mut gnu::SessionValues<'v>);

impl SaslValues for Asked<'_, '_> {
    fn get(&self, property: SaslProperty) -> Option<Vec<u8>> {
        self.0.get(theirs(property))
    }
    fn set(&mut self, property: SaslProperty, value: &[u8]) {
        self.0.set(theirs(property), value);
    }
}

struct Cyrus(cyrus::CyrusSession);

impl SaslValues for Cyrus {
    fn get(&self, property: SaslProperty) -> Option<Vec<u8>> {
        (property == SaslProperty::AuthId).then(|| self.0.user()).flatten()
    }
    fn set(&mut self, _: SaslProperty, _: &[u8]) {}
}

impl SaslSession for Cyrus {
    fn step(
        &mut self,
        said: Option<&[u8]>,
        _: &mut SaslAnswers<'_>,
    ) -> Result<SaslStep, SaslError> {
        self.0.step(said).map(step).map_err(wrong)
    }
}

struct Gss(gss::GssSession);

impl SaslValues for Gss {
    fn get(&self, property: SaslProperty) -> Option<Vec<u8>> {
        let value = match property {
            SaslProperty::GssapiDisplayName => self.0.display_name(),
            SaslProperty::AuthzId => self.0.authorization(),
            _ => None,
        };
        value.map(<[u8]>::to_vec)
    }
    fn set(&mut self, _: SaslProperty, _: &[u8]) {}
}

impl SaslSession for Gss {
    fn step(
        &mut self,
        said: Option<&[u8]>,
        _: &mut SaslAnswers<'_>,
    ) -> Result<SaslStep, SaslError> {
        self.0.step(said).map(step).map_err(wrong)
    }
}

fn step(step: Step) -> SaslStep {
    match step {
        Step::More(said) => SaslStep::More(said),
        Step::Done(said) => SaslStep::Done(said),
    }
}

fn wrong(error: SaslFault) -> SaslError {
    match error {
        SaslFault::Missing(why) => SaslError::Unavailable(why),
        SaslFault::Unknown => SaslError::UnknownMechanism,
        SaslFault::Refused(why) => SaslError::Refused(why),
        SaslFault::Malformed(why) => SaslError::Malformed(why),
        SaslFault::Failed(why) => SaslError::Failed(why),
    }
}

/// Each property, as it is called here and there.
const PROPERTIES: [(SaslProperty, Property); 17] = [
    (SaslProperty::AuthId, Property::AuthId),
    (SaslProperty::AuthzId, Property::AuthzId),
    (SaslProperty::Realm, Property::Realm),
    (SaslProperty::Password, Property::Password),
    (SaslProperty::AnonymousToken, Property::AnonymousToken),
    (SaslProperty::GssapiDisplayName, Property::GssapiDisplayName),
    (SaslProperty::ScramIterations, Property::ScramIter),
    (SaslProperty::ScramSalt, Property::ScramSalt),
    (SaslProperty::ScramSaltedPassword, Property::ScramSaltedPassword),
    (SaslProperty::ScramServerKey, Property::ScramServerKey),
    (SaslProperty::ScramStoredKey, Property::ScramStoredKey),
    (SaslProperty::TlsUnique, Property::CbTlsUnique),
    (SaslProperty::TlsExporter, Property::CbTlsExporter),
    (SaslProperty::ValidateSimple, Property::ValidateSimple),
    (SaslProperty::ValidateExternal, Property::ValidateExternal),
    (SaslProperty::ValidateAnonymous, Property::ValidateAnonymous),
    (SaslProperty::ValidateGssapi, Property::ValidateGssapi),
];

fn ours(property: Property) -> Option<SaslProperty> {
    PROPERTIES.iter().find(|(_, theirs)| *theirs == property).map(|(ours, _)| *ours)
}

fn theirs(property: SaslProperty) -> Property {
    // Each has its line.
    PROPERTIES
        .iter()
        .find(|(ours, _)| *ours == property)
        .map_or(Property::AuthId, |(_, theirs)| *theirs)
}
