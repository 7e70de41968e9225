//! The names of those who hand messages in.

use eximious::world::User;
use eximious::{Context, Engine, Fail, Settings, Str, opt};

/// What a full name has to fit to be made anew, and what is made of it (`gecos_pattern`,
/// `gecos_name`). A pattern that is empty fits everybody.
fn rule(settings: &Settings) -> Option<(Str, Str)> {
    let is_set = settings.is_set(opt::GECOS_PATTERN) && settings.is_set(opt::GECOS_NAME);
    is_set.then(|| (settings.get(opt::GECOS_PATTERN), settings.get(opt::GECOS_NAME)))
}

/// What is wrong with the pattern of full names, so that nobody has one.
pub fn wrong_pattern(engine: &Engine) -> Option<Fail> {
    let (pattern, _) = rule(engine.settings())?;
    engine.context().matches(&pattern, &Str::EMPTY).err()
}

/// The full name of a user: what the system has in its place, with the login name for each
/// ampersand; where that fits the option `gecos_pattern`, what `gecos_name` makes of it.
pub fn full_name(cx: &mut Context, user: &User) -> Vec<u8> {
    let mut login = user.name.clone();
    if let Some(first) = login.first_mut() {
        first.make_ascii_uppercase();
    }
    let name = user.gecos.split(|byte| *byte == b'&').collect::<Vec<_>>().join(&login[..]);
    if let Some((pattern, made)) = rule(cx.engine().settings())
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
            assert!(wrong_pattern(&engine).is_none(), "{options}");
        }
        let text = "primary_hostname = a.test\ngecos_pattern = ^(\n";
        for (more, expected) in [("", None), ("gecos_name = A\n", Some("at offset 2"))] {
            let engine = Config::parse(format!("{text}{more}")).unwrap().build(Engine::builder());
            let why = wrong_pattern(&engine)
                .map(|fail| String::from_utf8_lossy(fail.message()).into_owned());
            let is_told = |part| why.as_ref().is_some_and(|why| why.contains(part));
            assert!(expected.map_or(why.is_none(), is_told), "{why:?}");
        }
    }
}
