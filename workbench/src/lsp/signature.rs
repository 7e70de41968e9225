//! How the construct around the cursor is written.

use eximious::complete::{Cursor, signature};
use lsp_types::{
    Documentation, ParameterInformation, ParameterLabel, SignatureHelp, SignatureHelpParams,
    SignatureInformation,
};

use super::server::{Answer, Server};

impl Server<'_> {
    pub(super) fn signature(
        &mut self,
        params: SignatureHelpParams,
    ) -> Answer<Option<SignatureHelp>> {
        let at = params.text_document_position_params;
        let Some(spot) = self.spot(&at) else { return Ok(None) };
        let Some((_, outline, _)) = self.lines(&at.text_document.uri) else { return Ok(None) };
        let cursor = Cursor::find(&outline, spot.line, spot.column);
        Ok(signature(&self.registry, &cursor.before).map(|found| {
            let parameters = parameters(found.syntax);
            let active = Some(found.argument as u32).filter(|n| (*n as usize) < parameters.len());
            SignatureHelp {
                signatures: vec![SignatureInformation {
                    label: found.syntax.to_owned(),
                    documentation: Some(Documentation::String(found.summary.to_owned())),
                    parameters: Some(parameters),
                    active_parameter: active,
                }],
                active_signature: Some(0),
                active_parameter: active,
            }
        }))
    }
}

/// The arguments in braces of a text such as `${sg{<subject>}{<regex>}{<replacement>}}`, by
/// where they stand in it.
fn parameters(syntax: &str) -> Vec<ParameterInformation> {
    let first = if syntax.starts_with("${") { 2 } else { 0 };
    let (mut depth, mut open, mut found) = (0u32, 0, Vec::new());
    let characters: Vec<u16> = syntax.encode_utf16().collect();
    for (at, unit) in characters.iter().enumerate().skip(first) {
        match char::from_u32(u32::from(*unit)) {
            Some('{') => {
                depth += 1;
                if depth == 1 {
                    open = at;
                }
            }
            Some('}') => {
                depth = depth.saturating_sub(1);
                if depth == 0 && open > 0 {
                    found.push([open as u32, at as u32 + 1]);
                    open = 0;
                }
            }
            _ => {}
        }
    }
    let information = |label: [u32; 2]| ParameterInformation {
        label: ParameterLabel::LabelOffsets(label),
        documentation: None,
    };
    found.into_iter().map(information).collect()
}
