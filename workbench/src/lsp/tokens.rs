//! What each word of a file is, for its colour.

use eximious::complete::{WordRole, is_known};
use eximious::outline::TokenKind;
use lsp_types::{
    SemanticToken, SemanticTokenModifier, SemanticTokenType, SemanticTokens, SemanticTokensLegend,
    SemanticTokensParams, SemanticTokensRangeParams, Uri,
};

use super::server::{Answer, Server};
use super::text::Counter;

/// The colours, in the order of their numbers.
const TYPES: [SemanticTokenType; 12] = [
    SemanticTokenType::KEYWORD,
    SemanticTokenType::MACRO,
    SemanticTokenType::FUNCTION,
    SemanticTokenType::VARIABLE,
    SemanticTokenType::PROPERTY,
    SemanticTokenType::CLASS,
    SemanticTokenType::ENUM_MEMBER,
    SemanticTokenType::OPERATOR,
    SemanticTokenType::COMMENT,
    SemanticTokenType::NAMESPACE,
    SemanticTokenType::STRING,
    SemanticTokenType::METHOD,
];

/// What the numbers of a token stand for.
pub(super) fn legend() -> SemanticTokensLegend {
    SemanticTokensLegend {
        token_types: TYPES.to_vec(),
        token_modifiers: vec![SemanticTokenModifier::DECLARATION],
    }
}

/// The colour of a word, and whether it is given there.
fn colour(kind: TokenKind) -> (SemanticTokenType, bool) {
    match kind {
        TokenKind::Directive | TokenKind::Keyword | TokenKind::Verb => {
            (SemanticTokenType::KEYWORD, false)
        }
        TokenKind::Section => (SemanticTokenType::NAMESPACE, false),
        TokenKind::MacroDefined => (SemanticTokenType::MACRO, true),
        TokenKind::Macro => (SemanticTokenType::MACRO, false),
        TokenKind::Label(eximious::outline::OutlineSection::Acl) => {
            (SemanticTokenType::FUNCTION, true)
        }
        TokenKind::Label(_) => (SemanticTokenType::CLASS, true),
        TokenKind::ListDefined(_) => (SemanticTokenType::VARIABLE, true),
        TokenKind::SetVariable => (SemanticTokenType::VARIABLE, true),
        TokenKind::ListUsed | TokenKind::Word(WordRole::Variable) => {
            (SemanticTokenType::VARIABLE, false)
        }
        TokenKind::Option => (SemanticTokenType::PROPERTY, false),
        TokenKind::Driver(_) => (SemanticTokenType::CLASS, false),
        TokenKind::Term => (SemanticTokenType::METHOD, false),
        TokenKind::Control | TokenKind::Verify => (SemanticTokenType::ENUM_MEMBER, false),
        TokenKind::Path | TokenKind::Word(WordRole::Escape) => (SemanticTokenType::STRING, false),
        TokenKind::Sign => (SemanticTokenType::OPERATOR, false),
        TokenKind::Word(WordRole::Construct | WordRole::Condition) => {
            (SemanticTokenType::FUNCTION, false)
        }
        TokenKind::Word(WordRole::Lookup) => (SemanticTokenType::CLASS, false),
    }
}

impl Server<'_> {
    pub(super) fn all_tokens(
        &mut self,
        params: SemanticTokensParams,
    ) -> Answer<Option<SemanticTokens>> {
        Ok(self.tokens(&params.text_document.uri, 0, u32::MAX))
    }

    pub(super) fn tokens_in_range(
        &mut self,
        params: SemanticTokensRangeParams,
    ) -> Answer<Option<SemanticTokens>> {
        let range = params.range;
        Ok(self.tokens(&params.text_document.uri, range.start.line, range.end.line))
    }

    /// The words of some lines.
    fn tokens(&mut self, uri: &Uri, first: u32, last: u32) -> Option<SemanticTokens> {
        let (path, outline, project) = self.lines(uri)?;
        let document = self.documents.get(&path)?;
        // Line, first byte, byte behind it, colour, whether it is given there.
        let mut found: Vec<(u32, u32, u32, SemanticTokenType, bool)> = Vec::new();
        for line in outline.comments.iter().filter(|line| (first..=last).contains(*line)) {
            let text = document.line(*line);
            let start = text.len() - text.trim_start().len();
            found.push((*line, start as u32, text.len() as u32, SemanticTokenType::COMMENT, false));
        }
        for (number, line) in outline.lines.iter().enumerate() {
            if line.last < first || line.first > last {
                continue;
            }
            for token in outline.tokens(number, &self.registry) {
                let text = token.span.of(&line.text);
                let shown = match token.kind {
                    TokenKind::Macro => Self::is_macro(&project, token.kind, text),
                    TokenKind::Word(role) => {
                        is_known(&self.registry, role, &String::from_utf8_lossy(text))
                    }
                    TokenKind::Option => outline.option(number, &self.registry).is_some(),
                    _ => true,
                };
                let (physical, column) = line.place(token.span.start as usize);
                let length = token.span.end - token.span.start;
                // One that goes over the end of a line would be two.
                let fits = (column + length) as usize <= document.line(physical).len();
                if shown && fits && (first..=last).contains(&physical) {
                    let (colour, given) = colour(token.kind);
                    found.push((physical, column, column + length, colour, given));
                }
            }
        }
        found.sort_by_key(|(line, from, ..)| (*line, *from));
        let mut data = Vec::with_capacity(found.len());
        let (mut line, mut character) = (0, 0);
        let mut counter = Counter::new(document, self.encoding);
        for (at, from, to, colour, given) in found {
            let (start, end) = (counter.character(at, from), counter.character(at, to));
            let length = end - start;
            let delta_line = at - line;
            let delta_start = if delta_line == 0 { start - character } else { start };
            (line, character) = (at, start);
            let token_type = TYPES.iter().position(|one| *one == colour).unwrap_or(0) as u32;
            let token_modifiers_bitset = u32::from(given);
            data.push(SemanticToken {
                delta_line,
                delta_start,
                length,
                token_type,
                token_modifiers_bitset,
            });
        }
        Some(SemanticTokens { result_id: None, data })
    }
}
