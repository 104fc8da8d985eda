/** The language client: starts the server and speaks with it. Imported when a server is wanted, not before. */

import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  type ErrorHandler,
  type Executable,
  type LanguageClientOptions,
  type Middleware,
} from "vscode-languageclient/node";
import { commands, Uri, window, type Disposable } from "vscode";
import { Crashes } from "./crashes";
import { LANGUAGES, SCHEMES } from "./languages";
import type { Log } from "./log";
import { childEnvironment } from "./process";
import type { Core } from "./python";
import { SECTION } from "./settings";
import { STATUS_NOTIFICATION, type Status } from "./status";

export { ProgressType, WorkDoneProgressCancelNotification } from "vscode-languageclient/node";

export interface Surroundings {
  log: Log;
  storage: string;
  /** What was set in the editor. */
  options: () => Record<string, unknown>;
  /** Whether nothing is to be completed in a document while one types. */
  isPaused: (uri: string) => boolean;
  onStatus: (status: Status) => void;
  /** A completion is waited for (1), or no more (-1). */
  onAsked: (change: 1 | -1) => void;
  onAccepted: () => void;
  /** The server has ended by itself. `isBack` says whether it was started again. */
  onEnded: (isBack: boolean) => void;
}

export const ACCEPTED = "acclimate.accepted";
const AUTOMATIC = 1; // vscode.InlineCompletionTriggerKind.Automatic; 0 is a person's wish, which a pause does not touch

/** A client that is starting; `client.start()` was called. */
export function createClient(core: Core, around: Surroundings): LanguageClient {
  const server: Executable = {
    command: core.python,
    args: ["-P", "-m", "acclimate_server", "serve", "-v"],
    options: { cwd: around.storage, env: childEnvironment() },
  };
  const options: LanguageClientOptions = {
    documentSelector: SCHEMES.flatMap((scheme) => LANGUAGES.map((language) => ({ scheme, language }))),
    initializationOptions: around.options,
    outputChannel: around.log,
    middleware: middleware(around),
    errorHandler: errorHandler(around),
  };
  const client = new LanguageClient(SECTION, "acclimate", server, options);
  client.onNotification(STATUS_NOTIFICATION, around.onStatus);
  return client;
}

/** Tells the server that the window got the focus: then an engine is started before the first request. */
export function watchFocus(client: LanguageClient): Disposable {
  return window.onDidChangeWindowState((state) => {
    if (client.isRunning()) {
      void client.sendNotification("acclimate/focus", { focused: state.focused });
    }
  });
}

function middleware(around: Surroundings): Middleware {
  return {
    provideInlineCompletionItems: async (document, position, context, token, next) => {
      if (context.triggerKind === AUTOMATIC && around.isPaused(document.uri.toString())) {
        return undefined;
      }
      around.onAsked(1);
      try {
        return await next(document, position, context, token);
      } finally {
        around.onAsked(-1);
      }
    },
    executeCommand: async (command, commandArguments, next) => {
      if (command === ACCEPTED) {
        around.onAccepted();
      }
      return next(command, commandArguments);
    },
    window: {
      showDocument: async (params, token, next) => {
        const uri = Uri.parse(params.uri);
        if (uri.scheme !== "file" || !uri.path.endsWith(".md")) {
          return next(params, token);
        }
        await commands.executeCommand("markdown.showPreview", uri); // a page of ours: why something was said
        return { success: true };
      },
    },
    workspace: {
      // Asked when nothing is set: the editor's defaults would win over the user's config.toml.
      configuration: (params) => params.items.map((item) => (item.section === SECTION ? around.options() : null)),
    },
  };
}

function errorHandler(around: Surroundings): ErrorHandler {
  const crashes = new Crashes();
  return {
    error: () => ({ action: ErrorAction.Continue, handled: true }),
    closed: () => {
      const isBack = crashes.mayRestart(Date.now());
      around.onEnded(isBack);
      return { action: isBack ? CloseAction.Restart : CloseAction.DoNotRestart, handled: true };
    },
  };
}
