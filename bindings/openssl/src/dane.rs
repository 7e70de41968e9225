//! DANE: the library verifies by records of the type TLSA.

use std::ffi::{CStr, c_char, c_int, c_uchar, c_ulong};
use std::ptr;

use foreign_types_shared::ForeignTypeRef;
use openssl::error::ErrorStack;
use openssl::ssl::{SslContextBuilder, SslRef};
use openssl_sys::{SSL, SSL_CTX};

use crate::told;

/// A record of the type TLSA.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Tlsa<'r> {
    /// What it says of whom: 2 of an authority, 3 of the server itself.
    pub usage: u8,
    /// What it looks at: 0 the certificate, 1 its key.
    pub selector: u8,
    /// How: 0 as it is, 1 by SHA-256, 2 by SHA-512.
    pub matching: u8,
    /// What has to be there.
    pub data: &'r [u8],
}

/// A certificate of the server itself is believed whatever name stands in it.
const NO_EE_NAME_CHECKS: c_ulong = 1;

unsafe extern "C" {
    fn SSL_CTX_dane_enable(context: *mut SSL_CTX) -> c_int;
    fn SSL_dane_enable(ssl: *mut SSL, base: *const c_char) -> c_int;
    fn SSL_dane_set_flags(ssl: *mut SSL, flags: c_ulong) -> c_ulong;
    fn SSL_dane_tlsa_add(
        ssl: *mut SSL,
        usage: u8,
        selector: u8,
        matching: u8,
        data: *const c_uchar,
        length: usize,
    ) -> c_int;
    fn SSL_add1_host(ssl: *mut SSL, name: *const c_char) -> c_int;
    fn SSL_get0_dane_authority(
        ssl: *mut SSL,
        certificate: *mut *mut openssl_sys::X509,
        key: *mut *mut openssl_sys::EVP_PKEY,
    ) -> c_int;
    fn SSL_get0_dane_tlsa(
        ssl: *mut SSL,
        usage: *mut u8,
        selector: *mut u8,
        matching: *mut u8,
        data: *mut *const c_uchar,
        length: *mut usize,
    ) -> c_int;
}

/// Has connections of a context use DANE, where they begin it.
///
/// # Errors
/// The library can't do it.
pub fn allow_dane(builder: &mut SslContextBuilder) -> Result<(), ErrorStack> {
    // SAFETY: the context lives, and nobody else has it while it is built.
    told(unsafe { SSL_CTX_dane_enable(builder.as_ptr()) })
}

/// Has a client believe what the DNS vouches for. The server is told the name (SNI).
///
/// # Errors
/// The library can't do it: the context does not allow it.
pub fn begin_dane(ssl: &mut SslRef, base: &CStr) -> Result<(), ErrorStack> {
    // SAFETY: the connection lives, and the library copies the name, which ends with a zero.
    told(unsafe { SSL_dane_enable(ssl.as_ptr(), base.as_ptr()) })?;
    // SAFETY: the connection lives; the call sets bits of a number.
    unsafe { SSL_dane_set_flags(ssl.as_ptr(), NO_EE_NAME_CHECKS) };
    Ok(())
}

/// Adds a record; whether the library can use it.
///
/// # Errors
/// The library has no memory, or DANE was not begun.
pub fn add_tlsa(ssl: &mut SslRef, record: &Tlsa<'_>) -> Result<bool, ErrorStack> {
    // SAFETY: the connection lives; the bytes are as many as is said, and are copied.
    let done = unsafe {
        SSL_dane_tlsa_add(
            ssl.as_ptr(),
            record.usage,
            record.selector,
            record.matching,
            record.data.as_ptr(),
            record.data.len(),
        )
    };
    if done < 0 {
        return Err(ErrorStack::get());
    }
    if done == 0 {
        // Why it is of no use is of none either.
        drop(ErrorStack::get());
    }
    Ok(done > 0)
}

/// Adds a name that a certificate may be for, where names count.
///
/// # Errors
/// It is none.
pub fn add_name(ssl: &mut SslRef, name: &CStr) -> Result<(), ErrorStack> {
    // SAFETY: the connection lives, and the library copies the name, which ends with a zero.
    told(unsafe { SSL_add1_host(ssl.as_ptr(), name.as_ptr()) })
}

/// The usage of the record by which the other side was believed, where it was one.
#[must_use]
pub fn matched_usage(ssl: &SslRef) -> Option<u8> {
    // SAFETY: the connection lives; where to write certificate and key may be nowhere.
    let depth = unsafe { SSL_get0_dane_authority(ssl.as_ptr(), ptr::null_mut(), ptr::null_mut()) };
    if depth < 0 {
        return None;
    }
    let mut usage = 0;
    let nowhere = ptr::null_mut();
    // SAFETY: the connection lives; the one place to write to is a byte of ours, and for
    // the others nowhere is allowed.
    let found = unsafe {
        SSL_get0_dane_tlsa(
            ssl.as_ptr(),
            &mut usage,
            nowhere,
            nowhere,
            ptr::null_mut(),
            ptr::null_mut(),
        )
    };
    (found >= 0).then_some(usage)
}
