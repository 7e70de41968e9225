//! The names of those who hand messages in.

use eximious::world::User;
use eximious::{Context, Str, opt};

/// The full name of a user: what the system has in its place, with the login name for each
/// ampersand; where that fits the option `gecos_pattern`, what `gecos_name` makes of it.
pub fn full_name(cx: &mut Context, user: &User) -> Vec<u8> {
    let mut login = user.name.clone();
    if let Some(first) = login.first_mut() {
        first.make_ascii_uppercase();
    }
    let name = user.gecos.split(|byte| *byte == b'&').collect::<Vec<_>>().join(&login[..]);
    let settings = cx.engine().settings();
    let (pattern, made) = (settings.get(opt::GECOS_PATTERN), settings.get(opt::GECOS_NAME));
    // One that is empty fits everybody.
    if settings.is_set(opt::GECOS_PATTERN)
        && settings.is_set(opt::GECOS_NAME)
        && let Ok(true) = cx.matches(&pattern, &Str::tainted(name.as_slice()))
    {
        let engine = cx.engine().clone();
        // What can't be expanded counts as if it were not there.
        if let Ok(made) = engine.expand_once(made.bytes(), cx) {
            return made.bytes().to_vec();
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use eximious::{Config, Engine};

    use super::*;

    /// What comes of a field and the options, both as Exim has it.
    #[test]
    fn names_are_made_of_fields_as_options_say() {
        let two = "gecos_pattern = ^(\\w+)\ngecos_name = X$1-$0";
        for (gecos, options, expected) in [
            ("Ann Smith,,,", "", "Ann Smith,,,"),
            ("Ann Smith,,,", "gecos_pattern = ^([^,:]*)\ngecos_name = $1", "Ann Smith"),
            ("Ann Smith,,,", "gecos_pattern = ^([^,:]*)", "Ann Smith,,,"),
            ("Ann Smith,,,", two, "XAnn-Ann"),
            ("& x,y", two, "XMe-Me"),
            ("& x,y", "gecos_name = foo", "Me x,y"),
            (",,", two, ",,"),
        ] {
            let text = format!("primary_hostname = a.test\n{options}\n");
            let engine = Config::parse(text).unwrap().build(Engine::builder());
            let user = User { name: b"me".into(), gecos: gecos.into(), ..User::default() };
            let name = full_name(&mut engine.context(), &user);
            assert_eq!(String::from_utf8_lossy(&name), expected, "{gecos} {options}");
        }
    }
}
