//! Certificates, and clients that speak TLS.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use openssl::nid::Nid;
use openssl::ssl::{SslContext, SslFiletype, SslMethod, SslStream, SslVerifyMode, SslVersion};
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
        if let Some(name) = &self.certificate {
            let file = |end: &str| certificates().join(format!("{name}.{end}"));
            builder.set_certificate_chain_file(file("pem")).expect("a certificate");
            builder.set_private_key_file(file("key"), SslFiletype::PEM).expect("a key");
        }
        if !self.protocols.is_empty() {
            builder.set_alpn_protos(&self.protocols).expect("protocols");
        }
        if self.version.is_some() {
            builder.set_min_proto_version(self.version).expect("a version");
            builder.set_max_proto_version(self.version).expect("a version");
        }
        if let Some(list) = &self.ciphers {
            builder.set_cipher_list(list).expect("ciphers");
        }
        builder.build()
    }
}

impl Wishes {
    /// A client's side that has begun TLS on any stream.
    pub fn begin<S: Read + Write>(&self, stream: S) -> impl Read + Write + use<S> {
        let ssl = openssl::ssl::Ssl::new(&self.context()).expect("a session");
        ssl.connect(stream).ok().expect("a server that speaks TLS")
    }
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
        let name = certificate.as_ref().and_then(|one| {
            let entry = one.subject_name().entries_by_nid(Nid::COMMONNAME).next()?;
            Some(String::from_utf8_lossy(entry.data().as_slice()).into_owned())
        });
        let said = format!("{} {}", stream.ssl().version_str(), name.unwrap_or_default());
        *self = Self::Sealed(Box::new(stream));
        Some(said)
    }

    /// The server's side, with the server's certificate.
    pub fn serve(socket: TcpStream) -> Self {
        let mut builder = SslContext::builder(SslMethod::tls_server()).expect("a context");
        let file = |name: &str| certificates().join(name);
        builder.set_certificate_chain_file(file("server.pem")).expect("a certificate");
        builder.set_private_key_file(file("server.key"), SslFiletype::PEM).expect("a key");
        let ssl = openssl::ssl::Ssl::new(&builder.build()).expect("a session");
        Self::Sealed(Box::new(ssl.accept(socket).expect("a client that speaks TLS")))
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
