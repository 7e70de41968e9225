// Where the debugger is told to the editor. Its type is `eximious`; package.json lists it
// under `contributes.debuggers` once the program has the command.
import * as vscode from 'vscode';

/** Registers what the editor is to know of the debugger. */
export function contributeDebugger(_context: vscode.ExtensionContext): void {}
