//! Contexts of the library, made from options.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use eximious_core::world::{TlsAuthorities, TlsClient, TlsFault, TlsServer};
use eximious_openssl::TicketKeys;
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::ssl::{
    AlpnError, SslContext, SslContextBuilder, SslFiletype, SslMethod, SslMode, SslOptions,
    SslSessionCacheMode,
};
use openssl::x509::store::{File, HashDir, X509Lookup, X509Store, X509StoreBuilder};
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{X509, X509Name, X509NameBuilder};

use super::proof::{ProofVerdict, Stapled};
use super::session::{look_at_certificates, notes_of, words};
use super::{primes, switches};

/// The largest proof that a certificate is valid, in bytes.
const LARGEST_PROOF: u64 = 1 << 20;

/// How long a certificate that was made is good, in seconds.
pub const OWN_LIFE: i64 = 2 * 60 * 60;

/// How many bits its key has.
const OWN_BITS: u32 = 2048;

type Made<T> = Result<T, TlsFault>;

/// The contents of a file, up to some size.
pub fn contents(path: &[u8], most: u64) -> Result<Vec<u8>, String> {
    use std::io::Read;
    let path = Path::new(OsStr::from_bytes(path));
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok(bytes),
        Err(why) => Err(crate::databases::words(&why)),
    }
}

/// The context of a server; tickets are sealed with these keys.
pub fn server(settings: &TlsServer, keys: Option<Arc<dyn TicketKeys>>) -> Made<SslContext> {
    let mut builder = begin(SslMethod::tls_server(), &settings.switches, settings.resumes)?;
    certificates(&mut builder, settings)?;
    if let Some(list) = &settings.ciphers {
        ciphers(&mut builder, list)?;
    }
    curves(&mut builder, settings.curves.as_deref())?;
    if let Some(prime) = primes::find(settings.prime.as_deref(), settings.most_bits)? {
        builder.set_tmp_dh(&prime).map_err(at("SSL_CTX_set_tmp_dh"))?;
    }
    builder.set_cert_store(store(&settings.authorities, settings.revoked.as_deref())?);
    if let TlsAuthorities::Path(path) = &settings.authorities
        && !is_directory(path)
    {
        // Clients are told whose certificates are believed.
        let path = Path::new(OsStr::from_bytes(path));
        match X509Name::load_client_ca_file(path) {
            Ok(names) => builder.set_client_ca_list(names),
            Err(errors) if holds_nothing(&errors) => {}
            Err(errors) => return Err(at("tls_verify_certificates")(errors)),
        }
    }
    look_at_certificates(&mut builder, settings.demand, true);
    builder.set_servername_callback(|_, _| Ok(()));
    if !settings.protocols.is_empty() {
        let known = settings.protocols.clone();
        builder.set_alpn_select_callback(move |_, offered| {
            let name = only_protocol(offered).filter(|name| known.iter().any(|one| one == name));
            name.ok_or(AlpnError::ALERT_FATAL)
        });
    }
    proofs(&mut builder, settings)?;
    if let Some(keys) = keys {
        builder.set_session_id_context(b"eximious").map_err(at("session id context"))?;
        eximious_openssl::use_ticket_keys(&mut builder, keys).map_err(at("ticket keys"))?;
    }
    Ok(builder.build())
}

/// The context of a client.
pub fn client(settings: &TlsClient) -> Made<SslContext> {
    let mut builder = begin(SslMethod::tls_client(), &settings.switches, settings.resumes)?;
    eximious_openssl::allow_dane(&mut builder).map_err(at("SSL_CTX_dane_enable"))?;
    if settings.resumes {
        note_sessions(&mut builder);
    }
    if let Some(certificate) = &settings.certificate {
        pair(&mut builder, certificate, settings.key.as_ref().unwrap_or(certificate))?;
    }
    if let Some(list) = &settings.ciphers {
        ciphers(&mut builder, list)?;
    }
    curves(&mut builder, settings.curves.as_deref())?;
    builder.set_cert_store(store(&settings.authorities, settings.revoked.as_deref())?);
    look_at_certificates(&mut builder, settings.demand, false);
    if !settings.protocols.is_empty() {
        let mut list = Vec::new();
        for name in &settings.protocols {
            let length = u8::try_from(name.len());
            list.push(length.map_err(|_| TlsFault::new("tls_alpn", "too long a name"))?);
            list.extend_from_slice(name);
        }
        builder.set_alpn_protos(&list).map_err(at("tls_alpn"))?;
    }
    Ok(builder.build())
}

/// Has sessions noted that a server gives to be taken up again.
fn note_sessions(builder: &mut SslContextBuilder) {
    builder.set_session_cache_mode(
        SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL_STORE,
    );
    builder.set_new_session_callback(|ssl, session| {
        if let (Some(notes), Ok(der)) = (notes_of(ssl), session.to_der()) {
            let life = u32::try_from(session.timeout()).unwrap_or(0);
            notes.lock().unwrap_or_else(PoisonError::into_inner).resumable = Some((der, life));
        }
    });
}

fn at(place: &str) -> impl Fn(ErrorStack) -> TlsFault {
    move |errors| TlsFault::new(place, words(&errors))
}

fn begin(method: SslMethod, given: &[u8], resumes: bool) -> Made<SslContextBuilder> {
    let mut builder = SslContextBuilder::new(method).map_err(at("SSL_CTX_new"))?;
    // Whoever is silent keeps no buffers.
    builder.set_mode(
        SslMode::RELEASE_BUFFERS
            | SslMode::ENABLE_PARTIAL_WRITE
            | SslMode::ACCEPT_MOVING_WRITE_BUFFER,
    );
    let mut on = switches::read(given)?;
    builder.set_session_cache_mode(SslSessionCacheMode::OFF);
    if resumes {
        on &= !SslOptions::NO_TICKET;
    } else if on.contains(SslOptions::NO_TICKET) {
        builder.set_num_tickets(0).map_err(at("SSL_CTX_set_num_tickets"))?;
    }
    let off = builder.options() & !on & switches::read(b"").unwrap_or(SslOptions::empty());
    builder.clear_options(off);
    builder.set_options(on);
    Ok(builder)
}

/// Ciphers of TLS before 1.3. Exim takes underscores for hyphens.
fn ciphers(builder: &mut SslContextBuilder, list: &[u8]) -> Made<()> {
    let list = String::from_utf8_lossy(list).replace('_', "-");
    let place = format!("SSL_CTX_set_cipher_list({list})");
    builder.set_cipher_list(&list).map_err(at(&place))
}

fn curves(builder: &mut SslContextBuilder, list: Option<&[u8]>) -> Made<()> {
    match list {
        None | Some(b"auto" | b"") => Ok(()),
        Some(list) => {
            let list = String::from_utf8_lossy(list);
            builder.set_groups_list(&list).map_err(at(&format!("tls_eccurve {list}")))
        }
    }
}

fn is_directory(path: &[u8]) -> bool {
    Path::new(OsStr::from_bytes(path)).is_dir()
}

fn certificates(builder: &mut SslContextBuilder, settings: &TlsServer) -> Made<()> {
    if settings.certificates.is_empty() {
        return own_certificate(builder, &settings.own_name).map_err(at("self-signed certificate"));
    }
    for (number, certificate) in settings.certificates.iter().enumerate() {
        let key = match settings.keys.get(number) {
            Some(key) => key,
            None if settings.keys.is_empty() => certificate,
            None => return Err(TlsFault::new("", "(cert/key setup: out of keys)")),
        };
        pair(builder, certificate, key)?;
    }
    Ok(())
}

/// A certificate, and its key.
fn pair(builder: &mut SslContextBuilder, certificate: &[u8], key: &[u8]) -> Made<()> {
    let shown = |path: &[u8]| String::from_utf8_lossy(path).into_owned();
    let place = format!("cert/key setup: cert={} key={}", shown(certificate), shown(key));
    for path in [certificate, key] {
        // The system says better than the library what is wrong with a file.
        contents(path, 1).map_err(|why| TlsFault::new(place.as_str(), why))?;
    }
    let path = |path| Path::new(OsStr::from_bytes(path));
    builder
        .set_certificate_chain_file(path(certificate))
        .and_then(|()| builder.set_private_key_file(path(key), SslFiletype::PEM))
        .and_then(|()| builder.check_private_key())
        .map_err(at(&place))
}

/// A certificate that was made for the moment: nobody can tell by it who this is.
fn own_certificate(builder: &mut SslContextBuilder, name: &[u8]) -> Result<(), ErrorStack> {
    let key = PKey::from_rsa(Rsa::generate(OWN_BITS)?)?;
    let mut subject = X509NameBuilder::new()?;
    subject.append_entry_by_text("C", "UK")?;
    subject.append_entry_by_text("O", "Exim Developers")?;
    subject.append_entry_by_text("CN", &String::from_utf8_lossy(name))?;
    let subject = subject.build();
    let mut certificate = X509::builder()?;
    let mut serial = BigNum::new()?;
    serial.rand(64, openssl::bn::MsbOption::MAYBE_ZERO, false)?;
    certificate.set_version(2)?;
    certificate.set_serial_number(&*serial.to_asn1_integer()?)?;
    certificate.set_subject_name(&subject)?;
    certificate.set_issuer_name(&subject)?;
    certificate.set_pubkey(&key)?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or(0));
    certificate.set_not_before(&*Asn1Time::from_unix(now)?)?;
    certificate.set_not_after(&*Asn1Time::from_unix(now + OWN_LIFE)?)?;
    certificate.sign(&key, MessageDigest::sha256())?;
    builder.set_certificate(&certificate.build())?;
    builder.set_private_key(&key)
}

/// Whether nothing else is wrong with a file than that it holds nothing of what it is for.
fn holds_nothing(errors: &ErrorStack) -> bool {
    errors.errors().first().is_some_and(|error| error.reason() == Some("no start line"))
}

/// Those who are believed, and what they revoked. By a file without certificates, that is nobody.
fn store(authorities: &TlsAuthorities, revoked: Option<&[u8]>) -> Made<X509Store> {
    let place = "tls_verify_certificates";
    let mut store = X509StoreBuilder::new().map_err(at(place))?;
    let text = |path: &[u8], option: &str| {
        let text = std::str::from_utf8(path).map(str::to_owned);
        text.map_err(|_| TlsFault::new(option, "no name of a file"))
    };
    match authorities {
        TlsAuthorities::None => {}
        TlsAuthorities::System => store.set_default_paths().map_err(at(place))?,
        TlsAuthorities::Path(path) if is_directory(path) => {
            let directory =
                store.add_lookup(X509Lookup::<HashDir>::hash_dir()).map_err(at(place))?;
            directory.add_dir(&text(path, place)?, SslFiletype::PEM).map_err(at(place))?;
        }
        TlsAuthorities::Path(path) => {
            contents(path, 1).map_err(|why| TlsFault::new(place, why))?;
            let file = store.add_lookup(X509Lookup::file()).map_err(at(place))?;
            let path = Path::new(OsStr::from_bytes(path));
            match file.load_cert_file(path, SslFiletype::PEM) {
                Err(errors) if !holds_nothing(&errors) => return Err(at(place)(errors)),
                _ => {}
            }
        }
    }
    // Who is named there is believed, whoever vouches for it.
    store.set_flags(X509VerifyFlags::PARTIAL_CHAIN).map_err(at(place))?;
    let Some(path) = revoked else { return Ok(store.build()) };
    let place = "tls_crl";
    if is_directory(path) {
        let directory = store.add_lookup(X509Lookup::<HashDir>::hash_dir()).map_err(at(place))?;
        directory.add_dir(&text(path, place)?, SslFiletype::PEM).map_err(at(place))?;
    } else {
        contents(path, 1).map_err(|why| TlsFault::new(place, why))?;
        let file = store.add_lookup(X509Lookup::<File>::file()).map_err(at(place))?;
        let path = Path::new(OsStr::from_bytes(path));
        file.load_crl_file(path, SslFiletype::PEM).map_err(at(place))?;
    }
    let flags = X509VerifyFlags::CRL_CHECK | X509VerifyFlags::CRL_CHECK_ALL;
    store.set_flags(flags).map_err(at(place))?;
    Ok(store.build())
}

/// The only name of a protocol that a client offers: lengths stand before names.
fn only_protocol(offered: &[u8]) -> Option<&[u8]> {
    let (length, name) = offered.split_first()?;
    (usize::from(*length) == name.len()).then_some(name)
}

/// Has clients that ask for it shown that the certificates are valid.
fn proofs(builder: &mut SslContextBuilder, settings: &TlsServer) -> Made<()> {
    if settings.proofs.is_empty() {
        return Ok(());
    }
    let mut all: Vec<Stapled> = Vec::new();
    let mut is_pem = false;
    for (number, element) in settings.proofs.iter().enumerate() {
        let path = match (element.strip_prefix(b"PEM "), element.strip_prefix(b"DER ")) {
            (Some(rest), _) => {
                is_pem = true;
                rest
            }
            (None, Some(rest)) => {
                is_pem = false;
                rest
            }
            _ => element,
        };
        let fault = |why: String| TlsFault::new("tls_ocsp_file", why);
        let mut proofs = vec![contents(path, LARGEST_PROOF).map_err(fault)?];
        if is_pem {
            proofs = proofs_of_pem(&proofs[0]);
            if proofs.is_empty() {
                return Err(fault("no proof in PEM form".to_owned()));
            }
        }
        let Some(certificate) = settings.certificates.get(number) else { continue };
        let chain = contents(certificate, LARGEST_PROOF).map_err(fault)?;
        let file = String::from_utf8_lossy(path);
        all.push(Stapled::new(&file, proofs, &chain).map_err(at("tls_ocsp_file"))?);
    }
    let set = builder.set_status_callback(move |ssl| {
        let shown = ssl.certificate().and_then(|one| one.to_der().ok());
        let found = all.iter().find(|one| Some(&one.certificate) == shown.as_ref());
        let usable = found.map(Stapled::usable);
        let sent = match usable {
            Some(Ok(proof)) => {
                ssl.set_ocsp_status(proof)?;
                true
            }
            _ => false,
        };
        if let Some(notes) = notes_of(ssl) {
            let mut notes = notes.lock().unwrap_or_else(PoisonError::into_inner);
            notes.proof = if sent { ProofVerdict::Good } else { ProofVerdict::None }.number();
            if let Some(Err(why)) = usable {
                notes.remarks.push(why.to_owned());
            }
        }
        Ok(sent)
    });
    set.map_err(at("tls_ocsp_file"))
}

/// The proofs of a text; whatever else stands in it is passed by.
fn proofs_of_pem(text: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(text);
    let bodies = text.split("-----BEGIN OCSP RESPONSE-----").skip(1);
    let bodies = bodies.filter_map(|one| one.split_once("-----END OCSP RESPONSE-----"));
    let decoded = |body: &str| {
        let body: String = body.split_ascii_whitespace().collect();
        openssl::base64::decode_block(&body).ok()
    };
    bodies.filter_map(|(body, _)| decoded(body)).collect()
}

#[cfg(test)]
mod tests {
    use eximious_core::world::TlsDemand;

    use super::*;

    #[test]
    fn one_protocol_is_one() {
        assert_eq!(only_protocol(b"\x04smtp"), Some(b"smtp".as_slice()));
        assert_eq!(only_protocol(b"\x04smtp\x05esmtp"), None);
        assert_eq!(only_protocol(b"\x09smtp"), None);
        assert_eq!(only_protocol(b""), None);
    }

    #[test]
    fn a_file_without_certificates_believes_nobody() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().as_os_str().as_bytes().to_vec();
        for (text, is_fine) in [
            ("", true),
            ("rubbish\n", true),
            ("-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n", false),
        ] {
            std::fs::write(file.path(), text).unwrap();
            let authorities = TlsAuthorities::Path(path.clone());
            let demand = TlsDemand::Required;
            let client =
                TlsClient { authorities: authorities.clone(), demand, ..Default::default() };
            assert_eq!(super::client(&client).is_ok(), is_fine, "{text}");
            let own_name = b"me.test".to_vec();
            let server = TlsServer { authorities, demand, own_name, ..Default::default() };
            assert_eq!(super::server(&server, None).is_ok(), is_fine, "{text}");
        }
        let authorities = TlsAuthorities::Path(b"/nowhere".to_vec());
        assert!(super::client(&TlsClient { authorities, ..Default::default() }).is_err());
    }
}
