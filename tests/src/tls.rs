//! Certificates, and clients that speak TLS.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use openssl::nid::Nid;
use openssl::ssl::{
    AlpnError, NameType, SslContext, SslContextBuilder, SslFiletype, SslMethod, SslStream,
    SslVerifyMode, SslVersion,
};
use openssl::x509::X509Ref;
use sha2::{Digest, Sha256};

/// Makes authorities, certificates from them, what they revoked, and a proof that the
/// server's certificate was not.
const SCRIPT: &str = r#"set -e
root() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$1.key" \
        -out "$1.pem" -days 3650 -subj "$2"
}
sign() {
    printf 'subjectAltName=%s\n' "$3" > "$1.ext"
    openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -set_serial "$4" -days 3000 \
        -out "$1.pem" -extfile "$1.ext"
}
leaf() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$1.key" \
        -out "$1.csr" -subj "$3"
    sign "$1" "$2" "$4" "$5"
}
root ca "/O=Test/CN=Test CA"
root other "/O=Other/CN=Other CA"
leaf server ca "/O=Test/CN=server.test" DNS:server.test,IP:127.0.0.1 100
leaf sni ca "/O=Test/CN=sni.test" DNS:sni.test 101
leaf client ca "/C=GB/O=Test/CN=client.test" email:tim@client.test,DNS:client.test 102
leaf revoked ca "/O=Test/CN=revoked.test" DNS:revoked.test 103
leaf stranger other "/O=Other/CN=stranger.test" DNS:stranger.test 104
openssl req -newkey rsa:2048 -nodes -keyout rsa.key -out rsa.csr -subj "/O=Test/CN=rsa.test"
sign rsa ca DNS:rsa.test 105
usual='ec -pkeyopt ec_paramgen_curve:prime256v1'
odd() { # name authority subject serial extensions [sort of key]
    openssl req -utf8 -newkey ${6:-$usual} -nodes -keyout "$1.key" -out "$1.csr" -subj "$3"
    printf "$5\n" > "$1.ext"
    openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -set_serial "$4" -days 3000 \
        -out "$1.pem" -extfile "$1.ext"
}
leaf wild ca "/O=Test/CN=wild" DNS:*.hosts.test 106
odd many ca '/C=DE/O=Größe, "Söhne"/OU=a+L=b/OU=c/CN=ünï.test/emailAddress=x@many.test' \
    0x7fedcba98765432100112233445566778899aabb "subjectAltName=DNS:a.many.test,email:tim@many.test,\
DNS:*.b.many.test,email:tom@many.test,URI:http://many.test/a?b:c,IP:127.0.0.1,RID:1.2.3.4\n\
authorityInfoAccess=OCSP;URI:http://ocsp.test/,caIssuers;URI:http://ca.test/,\
OCSP;URI:http://o2.test\n\
crlDistributionPoints=URI:http://crl.test/a.crl,URI:http://crl.test/b"
odd nobody ca / 0 "subjectAltName=critical,DNS:nobody.test"
odd nosan ca "/CN=server.test" 107 "basicConstraints=CA:FALSE"
names="/DC=test/DC=parts/OU= lead/UID=u1/SN=Sur/GN=Giv/L=a=b;c/ST=<x>/title=#t"
odd part ca "$names/CN=p\\\\art.test" 108 "extendedKeyUsage=clientAuth"
odd edward ca "/O=Test/CN=edward.test" 109 "subjectAltName=DNS:edward.test" ed25519
openssl x509 -req -in nosan.csr -CA ca.pem -CAkey ca.key -set_serial 110 -days 3000 -out first.pem
cp nosan.key first.key
root alone "/O=Test/CN=server.test"
odd middle ca "/O=Test/CN=Middle" 111 "basicConstraints=critical,CA:TRUE"
leaf below middle "/O=Test/CN=below.test" DNS:server.test,email:tim@below.test 112
cp below.pem orphan.pem
cp below.key orphan.key
cat middle.pem >> below.pem
printf '[ca]\ndefault_ca=a\n[a]\ndatabase=empty.txt\ndefault_md=sha256\npolicy=p\nserial=serial\n' \
    > old.conf
printf 'new_certs_dir=.\n[p]\ncommonName=supplied\n' >> old.conf
: > empty.txt
echo 71 > serial
openssl ca -batch -notext -config old.conf -keyfile ca.key -cert ca.pem -in server.csr \
    -out expired.pem -startdate 20200101000000Z -enddate 20210101000000Z -extfile server.ext
cp server.key expired.key
: > empty.pem
echo rubbish > rubbish.pem
printf 'V\t350101000000Z\t\t64\tunknown\t/O=Test/CN=server.test\n' > index.txt
printf 'R\t350101000000Z\t260101000000Z\t67\tunknown\t/O=Test/CN=revoked.test\n' >> index.txt
printf '[ca]\ndefault_ca=a\n[a]\ndatabase=index.txt\ndefault_md=sha256\n' > ca.conf
printf 'default_crl_days=3000\n' >> ca.conf
openssl ca -config ca.conf -gencrl -keyfile ca.key -cert ca.pem -out crl.pem
openssl ocsp -index index.txt -CA ca.pem -rsigner ca.pem -rkey ca.key -issuer ca.pem \
    -serial 100 -respout server.ocsp -ndays 3000
mkdir hashed
cp ca.pem "hashed/$(openssl x509 -hash -noout -in ca.pem).0"
cat server.pem server.key > both.pem
chmod a+rX . * hashed/*
cp server.key secret.key
chmod 600 secret.key
"#;

/// A directory with certificates, made once for all tests: `ca.pem`, `server.pem` and
/// `server.key`, ….
pub fn certificates() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let name: String =
            Sha256::digest(SCRIPT).iter().take(8).map(|b| format!("{b:02x}")).collect();
        let folder = std::env::temp_dir().join(format!("eximious-certificates-{name}"));
        if folder.join("both.pem").exists() {
            return folder;
        }
        let new =
            tempfile::TempDir::with_prefix("eximious-certificates-new-").expect("a directory");
        let output = Command::new("sh").args(["-c", SCRIPT]).current_dir(new.path()).output();
        let output = output.expect("a shell");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        // Of two tests that make them at the same time, one is the first.
        if std::fs::rename(new.path(), &folder).is_ok() {
            let _ = new.keep();
        }
        folder
    })
}

/// How a client wants TLS: `cert=client sni=sni.test alpn=smtp version=1.2 ciphers=…`.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    certificate: Option<String>,
    server_name: Option<String>,
    protocols: Vec<u8>,
    version: Option<SslVersion>,
    ciphers: Option<String>,
}

impl Wishes {
    /// Reads them.
    pub fn read(text: &str) -> Self {
        let mut wishes = Self::default();
        for word in text.split_whitespace() {
            let (name, value) = word.split_once('=').expect("name=value");
            match name {
                "cert" => wishes.certificate = Some(value.to_owned()),
                "sni" => wishes.server_name = Some(value.to_owned()),
                "alpn" => {
                    for one in value.split(',') {
                        wishes.protocols.push(u8::try_from(one.len()).expect("a short name"));
                        wishes.protocols.extend_from_slice(one.as_bytes());
                    }
                }
                "version" => {
                    wishes.version = Some(match value {
                        "1.2" => SslVersion::TLS1_2,
                        _ => SslVersion::TLS1_3,
                    });
                }
                "ciphers" => wishes.ciphers = Some(value.to_owned()),
                _ => panic!("no such wish: {word}"),
            }
        }
        wishes
    }

    fn context(&self) -> SslContext {
        let mut builder = SslContext::builder(SslMethod::tls_client()).expect("a context");
        builder.set_verify(SslVerifyMode::NONE);
        self.apply(&mut builder);
        if !self.protocols.is_empty() {
            builder.set_alpn_protos(&self.protocols).expect("protocols");
        }
        builder.build()
    }

    /// What both sides may wish.
    fn apply(&self, builder: &mut SslContextBuilder) {
        if let Some(name) = &self.certificate {
            let file = |end: &str| certificates().join(format!("{name}.{end}"));
            builder.set_certificate_chain_file(file("pem")).expect("a certificate");
            builder.set_private_key_file(file("key"), SslFiletype::PEM).expect("a key");
        }
        if self.version.is_some() {
            builder.set_min_proto_version(self.version).expect("a version");
            builder.set_max_proto_version(self.version).expect("a version");
        }
        if let Some(list) = &self.ciphers {
            builder.set_cipher_list(list).expect("ciphers");
        }
    }
}

impl Wishes {
    /// A client's side that has begun TLS on any stream.
    pub fn begin<S: Read + Write>(&self, stream: S) -> impl Read + Write + use<S> {
        let ssl = openssl::ssl::Ssl::new(&self.context()).expect("a session");
        ssl.connect(stream).ok().expect("a server that speaks TLS")
    }
}

/// The name that a certificate is of; empty where it has none.
fn common_name(certificate: &X509Ref) -> String {
    let entry = certificate.subject_name().entries_by_nid(Nid::COMMONNAME).next();
    entry
        .map_or_else(String::new, |one| String::from_utf8_lossy(one.data().as_slice()).into_owned())
}

/// A connection, with TLS or without.
#[derive(Debug)]
pub enum Wire {
    /// As it is.
    Plain(TcpStream),
    /// Under TLS.
    Sealed(Box<SslStream<TcpStream>>),
}

impl Wire {
    /// The connection below.
    pub fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Sealed(stream) => stream.get_ref(),
        }
    }

    /// Begins TLS: the version, and whose certificate was shown; or nothing, where there
    /// is no TLS.
    pub fn seal(&mut self, wishes: &Wishes) -> Option<String> {
        let mut ssl = openssl::ssl::Ssl::new(&wishes.context()).expect("a session");
        if let Some(name) = &wishes.server_name {
            ssl.set_hostname(name).expect("a name");
        }
        let socket = self.socket().try_clone().expect("a socket");
        let stream = ssl.connect(socket).ok()?;
        let certificate = stream.ssl().peer_certificate();
        let name = certificate.as_deref().map(common_name);
        let said = format!("{} {}", stream.ssl().version_str(), name.unwrap_or_default());
        *self = Self::Sealed(Box::new(stream));
        Some(said)
    }

    /// The server's side, with the server's certificate.
    pub fn serve(socket: TcpStream) -> Self {
        let wishes = Wishes::read("cert=server");
        Self::serve_as(socket, &wishes, false).expect("a client that speaks TLS").0
    }

    /// The server's side, which asks for a client's certificate or doesn't; with it what is known
    /// of the client, or nothing where there is no TLS.
    pub fn serve_as(socket: TcpStream, wishes: &Wishes, asks: bool) -> Option<(Self, String)> {
        let mut builder = SslContext::builder(SslMethod::tls_server()).expect("a context");
        wishes.apply(&mut builder);
        if asks {
            builder.set_verify_callback(SslVerifyMode::PEER, |_, _| true);
            builder.set_session_id_context(b"tests").expect("a name");
        }
        if !wishes.protocols.is_empty() {
            let own = wishes.protocols.clone();
            builder.set_alpn_select_callback(move |_, offered| {
                let chosen = openssl::ssl::select_next_proto(&own, offered);
                let at = |name: &[u8]| offered.windows(name.len()).position(|one| one == name);
                let found = chosen.and_then(|name| Some((at(name)?, name.len())));
                found.map(|(at, length)| &offered[at..at + length]).ok_or(AlpnError::NOACK)
            });
        }
        let ssl = openssl::ssl::Ssl::new(&builder.build()).expect("a session");
        let stream = ssl.accept(socket).ok()?;
        let session = stream.ssl();
        let shown = session.peer_certificate();
        let shown = shown.as_deref().map(common_name);
        let said = format!(
            "{} sni={} cert={} alpn={}",
            session.version_str(),
            session.servername(NameType::HOST_NAME).unwrap_or("-"),
            shown.as_deref().unwrap_or("-"),
            String::from_utf8_lossy(session.selected_alpn_protocol().unwrap_or(b"-")),
        );
        Some((Self::Sealed(Box::new(stream)), said))
    }

    /// Ends TLS, and goes on without it.
    pub fn unseal(&mut self) {
        if let Self::Sealed(stream) = self {
            let _ = stream.shutdown();
            let socket = stream.get_ref().try_clone().expect("a socket");
            *self = Self::Plain(socket);
        }
    }
}

impl Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(into),
            Self::Sealed(stream) => stream.read(into),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(from),
            Self::Sealed(stream) => stream.write(from),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Sealed(stream) => stream.flush(),
        }
    }
}
