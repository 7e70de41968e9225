//! What the other side showed of itself, while it is looked at.

use foreign_types_shared::ForeignTypeRef;
use openssl::stack::StackRef;
use openssl::x509::{X509, X509StoreContextRef};
use openssl_sys::{X509_STORE_CTX, stack_st_X509};

unsafe extern "C" {
    fn X509_STORE_CTX_get0_untrusted(context: *const X509_STORE_CTX) -> *mut stack_st_X509;
}

/// The certificates that the other side showed, its own first, whether they are good or not.
/// The library's own chain ends where it goes no further.
#[must_use]
pub fn shown(context: &X509StoreContextRef) -> Option<&StackRef<X509>> {
    // SAFETY: the context lives; the library gives its own list, or nothing.
    let list = unsafe { X509_STORE_CTX_get0_untrusted(context.as_ptr()) };
    // SAFETY: where there is a list, it lives as long as the context, which is borrowed for
    // as long as it is used, and nobody changes it meanwhile.
    (!list.is_null()).then(|| unsafe { StackRef::from_ptr(list) })
}
