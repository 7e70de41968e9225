//! Pages that need nothing else: what makes them look and act stands in them, and no network
//! is asked.

use serde_json::Value;

/// Colours and forms that all pages share.
const STYLE: &str = include_str!("page/common.css");
/// What shows a tree of what happened.
pub(crate) const TREE: &str = include_str!("page/tree.js");

/// What a page is made of.
pub(crate) struct Page<'p> {
    pub(crate) title: &'p str,
    pub(crate) style: &'p str,
    /// HTML.
    pub(crate) body: &'p str,
    /// Scripts, one after the other.
    pub(crate) scripts: &'p [&'p str],
    /// What the scripts find in the element `data`.
    pub(crate) data: &'p Value,
    /// What they may ask: the rule `connect-src` of its policy.
    pub(crate) asks: &'p str,
}

impl Page<'_> {
    /// The page.
    pub(crate) fn html(&self) -> String {
        let Self { style, body, asks, .. } = self;
        let (title, data) = (escaped(self.title), within_script(self.data));
        let script = self.scripts.concat();
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
             style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src {asks}; \
             base-uri 'none'; form-action 'none'\">\n\
             <title>{title}</title>\n<style>\n{STYLE}\n{style}\n</style>\n</head>\n<body>\n{body}\n\
             <script type=\"application/json\" id=\"data\">{data}</script>\n\
             <script>\n\"use strict\";\n{script}\n</script>\n</body>\n</html>\n"
        )
    }
}

/// JSON as the text of a script: no end tag, and no comment, is in it.
fn within_script(data: &Value) -> String {
    data.to_string().replace('<', "\\u003c").replace('\u{2028}', "\\u2028")
}

/// Text as a part of HTML.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
