// The grammar's colours, asked of the library that editors use.
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const oniguruma = require('vscode-oniguruma');
const { INITIAL, Registry, parseRawGrammar } = require('vscode-textmate');

const file = path.join(__dirname, '..', 'syntaxes', 'exim.tmLanguage.json');
const wasm = path.join(path.dirname(require.resolve('vscode-oniguruma')), 'onig.wasm');

// Each line, and some of its words with the end of their innermost scope.
const LINES = [
  ['# a comment', [['# a comment', 'comment.line.number-sign.exim']]],
  ['HOST = mail.example', [['HOST', 'entity.name.constant.macro.exim']]],
  ['.ifdef HOST', [['.ifdef', 'keyword.control.directive.exim'], ['HOST', 'variable.other.constant.macro.exim']]],
  ['hide domainlist local = @ : +other : lsearch;/x', [
    ['hide', 'storage.modifier.exim'],
    ['domainlist', 'storage.type.list.exim'],
    ['local', 'entity.name.variable.list.exim'],
    ['+other', 'variable.other.list.exim'],
    ['lsearch', 'support.class.lookup.exim'],
  ]],
  ['primary_hostname = HOST', [
    ['primary_hostname', 'support.type.property-name.exim'],
    ['HOST', 'variable.other.constant.macro.exim'],
  ]],
  ['no_such_option = x', []],
  ['begin acl', [['begin', 'keyword.control.section.exim'], ['acl', 'entity.name.section.exim']]],
  ['check_rcpt:', [['check_rcpt', 'entity.name.function.exim']]],
  ['  deny !hosts = ${if eq{$sender_helo_name}{x}{a}{b}} : after', [
    ['deny', 'keyword.control.verb.exim'],
    ['!', 'keyword.operator.negation.exim'],
    ['hosts', 'support.function.acl.exim'],
    ['if', 'support.function.item.exim'],
    ['eq', 'support.function.condition.exim'],
    ['$sender_helo_name', 'variable.language.exim'],
    [' : after', 'source.exim'],
  ]],
  ['    message = ${uc:$h_subject: \\x41} $acl_m_a ${lookup{a}lsearch{/x}}', [
    ['message', 'support.function.acl.exim'],
    ['uc', 'support.function.operator.exim'],
    ['$h_subject:', 'variable.other.header.exim'],
    ['\\x41', 'constant.character.escape.exim'],
    ['$acl_m_a', 'variable.other.exim'],
    ['lsearch', 'support.class.lookup.exim'],
  ]],
  ['  deny condition = ${if !eq{a', [['!', 'keyword.operator.negation.exim']]],
  ['begin transports', [['begin', 'keyword.control.section.exim']]],
  ['  driver = appendfile', [['appendfile', 'support.class.driver.exim']]],
];

async function main() {
  await oniguruma.loadWASM(fs.readFileSync(wasm));
  const registry = new Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => parseRawGrammar(fs.readFileSync(file, 'utf8'), file),
  });
  const grammar = await registry.loadGrammar('source.exim');
  let state = INITIAL;
  for (const [line, words] of LINES) {
    const found = grammar.tokenizeLine(line, state);
    state = found.ruleStack;
    const tokens = found.tokens.map((token) => [
      line.slice(token.startIndex, token.endIndex),
      token.scopes.at(-1),
    ]);
    for (const wanted of words) {
      const is = tokens.some(([text, scope]) => text === wanted[0] && scope === wanted[1]);
      assert.ok(is, `${line}: no ${wanted.join(' ')} in ${JSON.stringify(tokens)}`);
    }
  }
  console.log(`${LINES.length} lines have their colours`);
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
