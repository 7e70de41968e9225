//! `crypt(3)`, through the function that is safe to call from any thread.
//!
//! Which methods there are (DES, MD5, SHA-2, yescrypt, …) is the system's
//! matter: its `libcrypt` is asked. Where the system has none of that form,
//! every password is unknown.

/// Hashes a password as a setting says, which is a hash or its beginning.
/// `None` where the system does not know the method, or finds the setting
/// malformed.
pub fn crypt(password: &[u8], setting: &[u8]) -> Option<Vec<u8>> {
    if password.contains(&0) || setting.contains(&0) {
        return None;
    }
    let hash = system::crypt(password, setting)?;
    // This is how libcrypt says no without a null pointer.
    (!hash.starts_with(b"*")).then_some(hash)
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod system {
    use std::ffi::{CStr, CString, c_char, c_void};

    /// More than any libcrypt's `struct crypt_data`: 32,768 bytes in libxcrypt,
    /// 131,232 in the C library before it.
    const SCRATCH: usize = 256 * 1024;

    #[link(name = "crypt")]
    unsafe extern "C" {
        fn crypt_r(phrase: *const c_char, setting: *const c_char, data: *mut c_void)
        -> *mut c_char;
    }

    pub fn crypt(password: &[u8], setting: &[u8]) -> Option<Vec<u8>> {
        let password = CString::new(password).ok()?;
        let setting = CString::new(setting).ok()?;
        let mut scratch = vec![0u128; SCRATCH / size_of::<u128>()];
        // SAFETY: both texts end in a zero byte and live until the call is
        // over; the scratch is larger than the structure that the library
        // keeps in it, aligned for any type of C, all zero as its manual asks,
        // and nobody else has it.
        let hash =
            unsafe { crypt_r(password.as_ptr(), setting.as_ptr(), scratch.as_mut_ptr().cast()) };
        let found = (!hash.is_null()).then(|| {
            // SAFETY: a pointer that is not null is to a text in the scratch,
            // which is still there, or to one of the library's own.
            unsafe { CStr::from_ptr(hash) }.to_bytes().to_vec()
        });
        // Nothing of the password stays in memory that others get.
        scratch.fill(0);
        std::hint::black_box(&scratch);
        found
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
mod system {
    pub fn crypt(_: &[u8], _: &[u8]) -> Option<Vec<u8>> {
        None
    }
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::crypt;

    #[track_caller]
    fn check(password: &str, hash: &str) {
        let found = crypt(password.as_bytes(), hash.as_bytes()).unwrap();
        assert_eq!(String::from_utf8_lossy(&found), hash);
    }

    #[test]
    fn methods() {
        check("test", "abgOeLfPimXQo");
        check("rasmuslerdorf", "_J9..rasmBYk8r9AiWNc");
        check("test", "$1$abcdefgh$irWbblnpmw.5z7wgBnprh0");
        check("test", "$5$saltstring$uzdVN3XcAOYKRlFzn8F5/iMpo99aMD8sXQTYY9P10Z8");
        check(
            "test",
            "$6$saltstring$ZaKVNWbveiGcCq16EkwiSQlt9qdrq2SpD7228mu4mx8wJCGfB34lPhtxQVdO6NHC4yEVlMJBxcIh3g6eko7AB.",
        );
        check("test", "$y$j9T$abcdefghijkl$KEWmxrLLmGCsb/AIovbRjTlMaKrM6Qyn6gOx7czJFs5");
        check("test", "$2b$04$abcdefghijklmnopqrstuuoD8yw7MmybLKVooaTGGZAt3HXugv2.a");
    }

    #[test]
    fn malformed_settings_hash_nothing() {
        for setting in ["", "a", "*", "*0", "!", "$9$x$", "$", "{md5}x"] {
            assert_eq!(crypt(b"test", setting.as_bytes()), None, "{setting}");
        }
        assert_eq!(crypt(b"te\0st", b"ab"), None);
    }

    #[test]
    fn threads_do_not_meet() {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        check("test", "abgOeLfPimXQo");
                        check("test", "$1$abcdefgh$irWbblnpmw.5z7wgBnprh0");
                    }
                });
            }
        });
    }
}
