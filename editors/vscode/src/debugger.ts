// Where the debugger is told to the editor: the program speaks the Debug Adapter Protocol
// (`eximious dap`). What can be launched, and its defaults, stands in package.json under
// `contributes.debuggers`.
import * as vscode from 'vscode';

/** Starts the program for each run. */
class Factory implements vscode.DebugAdapterDescriptorFactory {
  createDebugAdapterDescriptor(): vscode.DebugAdapterDescriptor {
    const program = vscode.workspace.getConfiguration('eximious').get<string>('path', 'eximious');
    return new vscode.DebugAdapterExecutable(program, ['dap']);
  }
}

/** Fills in what a launch leaves out: the configuration that is open. */
class Provider implements vscode.DebugConfigurationProvider {
  resolveDebugConfiguration(
    _folder: vscode.WorkspaceFolder | undefined,
    wanted: vscode.DebugConfiguration,
  ): vscode.ProviderResult<vscode.DebugConfiguration> {
    const open = vscode.window.activeTextEditor?.document;
    if (!wanted.type) {
      wanted.type = 'eximious';
      wanted.request = 'launch';
      wanted.name = 'Exim: a recipient';
      if (open?.fileName.endsWith('.eximtest.toml')) {
        wanted.testFile = open.fileName;
      }
    }
    if (!wanted.config && !wanted.testFile && open?.languageId === 'exim') {
      wanted.config = open.fileName;
    }
    const asked = ['session', 'lines', 'acl', 'route', 'expand', 'testFile'];
    if (asked.every((name) => wanted[name] === undefined)) {
      wanted.lines = [
        'EHLO client.example',
        'MAIL FROM:<sender@example.org>',
        'RCPT TO:<postmaster>',
      ];
      wanted.stopOnEntry = true;
    }
    return wanted;
  }
}

/** Registers what the editor is to know of the debugger. */
export function contributeDebugger(context: vscode.ExtensionContext): void {
  context.subscriptions.push(
    vscode.debug.registerDebugAdapterDescriptorFactory('eximious', new Factory()),
    vscode.debug.registerDebugConfigurationProvider('eximious', new Provider()),
  );
}
