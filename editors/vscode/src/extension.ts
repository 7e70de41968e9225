// Starts `eximious lsp`, and gives it what the settings say.
import * as vscode from 'vscode';
import { LanguageClient, LanguageClientOptions, ServerOptions } from 'vscode-languageclient/node';

import { contributeDebugger } from './debugger';

let client: LanguageClient | undefined;

/** What the server is told as it begins. */
function initializationOptions(): Record<string, unknown> {
  const settings = vscode.workspace.getConfiguration('eximious');
  return { mainFile: settings.get('mainFile', ''), macros: settings.get('macros', {}) };
}

async function start(): Promise<void> {
  const command = vscode.workspace.getConfiguration('eximious').get('path', 'eximious');
  const server: ServerOptions = { command, args: ['lsp'] };
  const options: LanguageClientOptions = {
    documentSelector: [
      { scheme: 'file', language: 'exim' },
      { scheme: 'untitled', language: 'exim' },
    ],
    initializationOptions,
    synchronize: {
      fileEvents: vscode.workspace.createFileSystemWatcher(
        '**/{*.exim,*.conf,*.template,exim.conf*,exim4.conf*,conf.d/**}',
      ),
    },
  };
  client = new LanguageClient('eximious', 'eximious', server, options);
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    const choice = await vscode.window.showErrorMessage(
      `eximious can't be started (${command} lsp): ${error}`,
      'Open settings',
    );
    if (choice) {
      await vscode.commands.executeCommand('workbench.action.openSettings', 'eximious.path');
    }
  }
}

async function stop(): Promise<void> {
  const running = client;
  client = undefined;
  await running?.stop();
}

async function restart(): Promise<void> {
  await stop();
  await start();
}

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  context.subscriptions.push(
    vscode.commands.registerCommand('eximious.restart', restart),
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      const ours = ['path', 'mainFile', 'macros'].map((name) => `eximious.${name}`);
      if (ours.some((name) => event.affectsConfiguration(name))) {
        await restart();
      }
    }),
  );
  contributeDebugger(context);
  await start();
}

export function deactivate(): Promise<void> {
  return stop();
}
