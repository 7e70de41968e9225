//! Keys of session tickets (RFC 5077, section 4): whoever gives tickets out chooses them.

use std::ffi::{c_char, c_int, c_uchar, c_uint, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::{Arc, OnceLock};

use foreign_types_shared::ForeignTypeRef;
use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::ssl::{SslContext, SslContextBuilder, SslRef, SslVersion};
use openssl_sys::{EVP_CIPHER_CTX, SSL, SSL_CTX};

use crate::told;

/// The keys of a ticket.
#[derive(Clone)]
pub struct TicketKey {
    /// What the ticket says of which keys it has.
    pub name: [u8; 16],
    /// What encrypts it (AES-256).
    pub cipher: [u8; 32],
    /// What seals it (HMAC with SHA-256).
    pub seal: [u8; 32],
}

/// Whoever has the keys.
pub trait TicketKeys: Send + Sync {
    /// Those for a new ticket.
    fn current(&self) -> Option<TicketKey>;
    /// Those of this name, and whether the client is to get a new ticket.
    fn named(&self, name: &[u8; 16]) -> Option<(TicketKey, bool)>;
}

type Kept = Arc<dyn TicketKeys>;
type EvpMacContext = c_void;

/// A parameter, as the library has them.
#[repr(C)]
struct Parameter {
    key: *const c_char,
    data_type: c_uint,
    data: *mut c_void,
    data_size: usize,
    return_size: usize,
}

const UTF8_STRING: c_uint = 4;
const OCTET_STRING: c_uint = 5;

type Callback = unsafe extern "C" fn(
    *mut SSL,
    *mut c_uchar,
    *mut c_uchar,
    *mut EVP_CIPHER_CTX,
    *mut EvpMacContext,
    c_int,
) -> c_int;

unsafe extern "C" {
    fn SSL_CTX_set_tlsext_ticket_key_evp_cb(context: *mut SSL_CTX, callback: Callback) -> c_int;
    fn EVP_MAC_CTX_set_params(context: *mut EvpMacContext, parameters: *const Parameter) -> c_int;
    fn RAND_bytes(buffer: *mut c_uchar, length: c_int) -> c_int;
}

fn place() -> Option<Index<SslContext, Kept>> {
    static PLACE: OnceLock<Option<Index<SslContext, Kept>>> = OnceLock::new();
    *PLACE.get_or_init(|| SslContext::new_ex_index().ok())
}

/// Has tickets of a server's context sealed with these keys.
///
/// # Errors
/// The library can't do it.
pub fn use_ticket_keys(builder: &mut SslContextBuilder, keys: Kept) -> Result<(), ErrorStack> {
    let Some(place) = place() else { return Err(ErrorStack::get()) };
    builder.set_ex_data(place, keys);
    // SAFETY: the context lives, and the callback has the form that the library wants.
    told(unsafe { SSL_CTX_set_tlsext_ticket_key_evp_cb(builder.as_ptr(), choose) })
}

/// What the library asks: 1 for keys that are set, 2 for those of a ticket that is to be
/// replaced, 0 for a ticket with which nothing can be done.
unsafe extern "C" fn choose(
    ssl: *mut SSL,
    name: *mut c_uchar,
    vector: *mut c_uchar,
    cipher: *mut EVP_CIPHER_CTX,
    seal: *mut EvpMacContext,
    encrypts: c_int,
) -> c_int {
    // SAFETY: the library hands out a connection that lives for the call.
    let ssl = unsafe { SslRef::from_ptr(ssl) };
    let keys = place().and_then(|place| ssl.ssl_context().ex_data(place).cloned());
    let Some(keys) = keys else { return 0 };
    // SAFETY: the library's name of a key has 16 bytes (RFC 5077, section 4), which nobody
    // else looks at meanwhile.
    let name = unsafe { &mut *name.cast::<[u8; 16]>() };
    let found = catch_unwind(AssertUnwindSafe(|| match encrypts {
        0 => keys.named(name),
        _ => keys.current().map(|key| (key, false)),
    }));
    let Ok(Some((key, renews))) = found else { return 0 };
    let begun = match encrypts {
        0 => {
            // SAFETY: the contexts live for the call; the key has the cipher's 32 bytes, and
            // the vector, which came with the ticket, its 16.
            unsafe {
                openssl_sys::EVP_DecryptInit_ex(
                    cipher,
                    openssl_sys::EVP_aes_256_cbc(),
                    ptr::null_mut(),
                    key.cipher.as_ptr(),
                    vector,
                )
            }
        }
        _ => {
            *name = key.name;
            // SAFETY: the library's place for the vector has room for the longest, which is
            // 16 bytes and what this cipher takes; the contexts live for the call.
            unsafe {
                match RAND_bytes(vector, 16) {
                    1 => openssl_sys::EVP_EncryptInit_ex(
                        cipher,
                        openssl_sys::EVP_aes_256_cbc(),
                        ptr::null_mut(),
                        key.cipher.as_ptr(),
                        vector,
                    ),
                    _ => -1,
                }
            }
        }
    };
    if begun != 1 {
        return -1;
    }
    let mut secret = key.seal;
    let mut digest = *b"SHA256\0";
    let parameters = [
        Parameter {
            key: c"key".as_ptr(),
            data_type: OCTET_STRING,
            data: secret.as_mut_ptr().cast(),
            data_size: secret.len(),
            return_size: 0,
        },
        Parameter {
            key: c"digest".as_ptr(),
            data_type: UTF8_STRING,
            data: digest.as_mut_ptr().cast(),
            data_size: digest.len() - 1,
            return_size: 0,
        },
        Parameter {
            key: ptr::null(),
            data_type: 0,
            data: ptr::null_mut(),
            data_size: 0,
            return_size: 0,
        },
    ];
    // SAFETY: the list ends with one that has no key; what it points to lives for the call,
    // and the library copies it.
    if unsafe { EVP_MAC_CTX_set_params(seal, parameters.as_ptr()) } != 1 {
        return -1;
    }
    // A client of TLS 1.3 uses a ticket once (RFC 8446, appendix C.4).
    if renews || ssl.version2() == Some(SslVersion::TLS1_3) { 2 } else { 1 }
}
