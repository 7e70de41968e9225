//! The conversation with a client: who is asked what, and when.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, TryRecvError};
use eximious::outline::{Outline, OutlineSection};
use eximious::symbols::Symbol;
use eximious::{Registry, World};
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, RequestId, Response};
use lsp_types::{
    DidChangeTextDocumentParams, DidChangeWorkspaceFoldersParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, InitializeParams, InitializeResult, Location, MessageType, Position,
    PositionEncodingKind, Range, ServerInfo, ShowMessageParams, TextDocumentPositionParams, Uri,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::overlay::Overlay;
use super::project::{Project, Root};
use super::text::{Document, Encoding, address_of, path_of};
use super::{LspEnd, LspSettings, diagnostics, roots, tokens};

/// For how long nothing may be typed before a configuration is looked through.
const QUIET: Duration = Duration::from_millis(150);
/// How large a document may be that is looked at.
const LARGEST: usize = 8 << 20;
/// How many messages are looked ahead for one that takes a request back.
const AHEAD: usize = 10_000;

/// Why a request has no answer: for the person at the editor.
pub(super) struct Declined(pub(super) String);

/// What a handler gives.
pub(super) type Answer<T> = Result<T, Declined>;

/// A server, and what it knows of a client's documents.
pub(super) struct Server<'c> {
    connection: &'c Connection,
    pub(super) world: World,
    overlay: Arc<Overlay>,
    pub(super) registry: Registry,
    pub(super) settings: LspSettings,
    pub(super) encoding: Encoding,
    /// The documents that are open, by the names of their files.
    pub(super) documents: HashMap<Vec<u8>, Document>,
    /// The folders of the client's workspace.
    folders: Vec<Vec<u8>>,
    projects: HashMap<Root, Rc<Project>>,
    roots: HashMap<Vec<u8>, Root>,
    /// The files of which the client has been told something.
    pub(super) told: BTreeSet<Vec<u8>>,
    /// Whether the client is to be told anew.
    stale: bool,
    pending: VecDeque<Message>,
    /// It has said that it will go.
    leaving: bool,
}

/// A place in an open document.
pub(super) struct Spot {
    pub(super) path: Vec<u8>,
    /// From 0.
    pub(super) line: u32,
    /// In bytes.
    pub(super) column: u32,
}

impl<'c> Server<'c> {
    pub(super) fn new(connection: &'c Connection, world: &World, settings: LspSettings) -> Self {
        let overlay = Arc::new(Overlay::new(world.files.clone()));
        // What a configuration would have run or looked up while it is read is not: whoever
        // opens a file does not mean to carry it out.
        let world = World {
            files: overlay.clone(),
            users: world.users.clone(),
            host: world.host.clone(),
            tls: world.tls.clone(),
            ..World::hermetic()
        };
        Self {
            connection,
            world,
            overlay,
            registry: eximious::registry(),
            settings,
            encoding: Encoding::default(),
            documents: HashMap::new(),
            folders: Vec::new(),
            projects: HashMap::new(),
            roots: HashMap::new(),
            told: BTreeSet::new(),
            stale: false,
            pending: VecDeque::new(),
            leaving: false,
        }
    }

    pub(super) fn run(mut self) -> LspEnd {
        if !self.begin() {
            return LspEnd::Abrupt;
        }
        while let Some(message) = self.next() {
            match message {
                Message::Request(request) => self.request(request),
                Message::Notification(note) if note.method == "exit" => {
                    return if self.leaving { LspEnd::Orderly } else { LspEnd::Abrupt };
                }
                Message::Notification(note) => self.heard(note),
                // Nothing is asked of clients.
                Message::Response(_) => {}
            }
        }
        LspEnd::Abrupt
    }

    /// Waits for the first request; false where none comes.
    fn begin(&mut self) -> bool {
        while let Ok(message) = self.connection.receiver.recv() {
            match message {
                Message::Request(request) if request.method == "initialize" => {
                    let params = serde_json::from_value(request.params).unwrap_or_default();
                    self.initialize(&params);
                    let result = InitializeResult {
                        capabilities: self.capabilities(),
                        server_info: Some(ServerInfo {
                            name: "eximious".to_owned(),
                            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
                        }),
                    };
                    self.send(Response::new_ok(request.id, result).into());
                    return true;
                }
                Message::Request(request) => {
                    let why = "initialize comes first".to_owned();
                    let code = ErrorCode::ServerNotInitialized as i32;
                    self.send(Response::new_err(request.id, code, why).into());
                }
                Message::Notification(note) if note.method == "exit" => return false,
                Message::Notification(_) | Message::Response(_) => {}
            }
        }
        false
    }

    fn initialize(&mut self, params: &InitializeParams) {
        let general = params.capabilities.general.as_ref();
        let offered = general.and_then(|general| general.position_encodings.as_deref());
        self.encoding = Encoding::chosen(offered as Option<&[PositionEncodingKind]>);
        let folders = params.workspace_folders.iter().flatten();
        self.folders = folders.map(|folder| path_of(&folder.uri)).collect();
        #[allow(deprecated)] // Older clients say it so.
        if let (true, Some(root)) = (self.folders.is_empty(), &params.root_uri) {
            self.folders.push(path_of(root));
        }
        if let Some(options) = &params.initialization_options {
            self.take_settings(options);
        }
    }

    /// The settings that a client may give: `mainFile`, `macros`.
    fn take_settings(&mut self, options: &Value) {
        let options = options.get("eximious").unwrap_or(options);
        if let Some(main) = options.get("mainFile").and_then(Value::as_str) {
            self.settings.main = Some(main.as_bytes().to_vec()).filter(|main| !main.is_empty());
        }
        if let Some(macros) = options.get("macros").and_then(Value::as_object) {
            let text = |value: &Value| value.as_str().unwrap_or_default().as_bytes().to_vec();
            let macros = macros.iter().map(|(name, value)| (name.as_bytes().to_vec(), text(value)));
            self.settings.macros = macros.collect();
        }
    }

    /// The main configurations: a name that is not absolute lies in the folders of the
    /// workspace, of which each may have one.
    fn mains(&self) -> Vec<Vec<u8>> {
        let Some(main) = &self.settings.main else { return Vec::new() };
        if main.starts_with(b"/") || self.folders.is_empty() {
            return vec![main.clone()];
        }
        let in_folder = |folder: &Vec<u8>| [&folder[..], b"/", main].concat();
        let mut all: Vec<Vec<u8>> = self.folders.iter().map(in_folder).collect();
        let is_there = |path: &Vec<u8>| {
            self.documents.contains_key(path) || self.world.files.stat(path, true).is_ok()
        };
        all.retain(is_there);
        all
    }

    /// Folders of the workspace came or went.
    fn take_folders(&mut self, params: Value) {
        let Ok(params) = serde_json::from_value::<DidChangeWorkspaceFoldersParams>(params) else {
            return;
        };
        let gone: Vec<Vec<u8>> = params.event.removed.iter().map(|one| path_of(&one.uri)).collect();
        self.folders.retain(|folder| !gone.contains(folder));
        for folder in params.event.added.iter().map(|one| path_of(&one.uri)) {
            if !self.folders.contains(&folder) {
                self.folders.push(folder);
            }
        }
        self.forget();
    }

    fn capabilities(&self) -> lsp_types::ServerCapabilities {
        let value = json!({
            "positionEncoding": self.encoding.kind(),
            "textDocumentSync": { "openClose": true, "change": 2, "save": true },
            "hoverProvider": true,
            "completionProvider": { "triggerCharacters": ["$", "{", "+", "=", ".", "_", "/"] },
            "signatureHelpProvider": { "triggerCharacters": ["{", "}", " "] },
            "definitionProvider": true,
            "referencesProvider": true,
            "documentHighlightProvider": true,
            "renameProvider": { "prepareProvider": true },
            "documentSymbolProvider": true,
            "workspaceSymbolProvider": true,
            "foldingRangeProvider": true,
            "documentFormattingProvider": true,
            "documentRangeFormattingProvider": true,
            "codeActionProvider": { "codeActionKinds": ["quickfix"] },
            "workspace": {
                "workspaceFolders": { "supported": true, "changeNotifications": true },
            },
            "semanticTokensProvider": {
                "legend": tokens::legend(),
                "full": true,
                "range": true,
            },
        });
        serde_json::from_value(value).unwrap_or_default()
    }

    /// The next message. While none comes, the client is told what is wrong.
    fn next(&mut self) -> Option<Message> {
        loop {
            if let Some(message) = self.pending.pop_front() {
                return Some(message);
            }
            if !self.stale {
                return self.connection.receiver.recv().ok();
            }
            match self.connection.receiver.recv_timeout(QUIET) {
                Ok(message) => return Some(message),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {
                    self.stale = false;
                    let told = catch_unwind(AssertUnwindSafe(|| diagnostics::tell(self)));
                    if told.is_err() {
                        self.projects.clear();
                    }
                }
            }
        }
    }

    /// Whether the client has taken a request back, as far as can be heard by now.
    fn is_taken_back(&mut self, id: &RequestId) -> bool {
        while self.pending.len() < AHEAD {
            match self.connection.receiver.try_recv() {
                Ok(message) => self.pending.push_back(message),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        let wanted = serde_json::to_value(id).unwrap_or_default();
        self.pending.iter().any(|message| match message {
            Message::Notification(note) => {
                note.method == "$/cancelRequest" && note.params.get("id") == Some(&wanted)
            }
            _ => false,
        })
    }

    fn request(&mut self, request: Request) {
        let Request { id, method, params } = request;
        let refuse = |code: ErrorCode, why: &str| {
            Message::from(Response::new_err(id.clone(), code as i32, why.to_owned()))
        };
        if self.leaving {
            return self.send(refuse(ErrorCode::InvalidRequest, "shutdown was asked for"));
        }
        if self.is_taken_back(&id) {
            return self.send(refuse(ErrorCode::RequestCanceled, "canceled by the client"));
        }
        let answer = catch_unwind(AssertUnwindSafe(|| self.answer(&method, params)));
        let message = match answer {
            Ok(Ok(value)) => Response { id, response_result: Ok(value) }.into(),
            Ok(Err((code, why))) => refuse(code, &why),
            Err(_) => {
                self.projects.clear();
                refuse(ErrorCode::InternalError, "this went wrong")
            }
        };
        self.send(message);
    }

    fn answer(&mut self, method: &str, params: Value) -> Result<Value, (ErrorCode, String)> {
        match method {
            "initialize" => Err((ErrorCode::InvalidRequest, "that was done".to_owned())),
            "shutdown" => {
                self.leaving = true;
                Ok(Value::Null)
            }
            "textDocument/hover" => self.asked(params, Self::hover),
            "textDocument/completion" => self.asked(params, Self::completion),
            "textDocument/signatureHelp" => self.asked(params, Self::signature),
            "textDocument/definition" => self.asked(params, Self::definition),
            "textDocument/references" => self.asked(params, Self::references),
            "textDocument/documentHighlight" => self.asked(params, Self::highlights),
            "textDocument/prepareRename" => self.asked(params, Self::prepare_rename),
            "textDocument/rename" => self.asked(params, Self::rename),
            "textDocument/documentSymbol" => self.asked(params, Self::document_symbols),
            "workspace/symbol" => self.asked(params, Self::workspace_symbols),
            "textDocument/foldingRange" => self.asked(params, Self::folding),
            "textDocument/formatting" => self.asked(params, Self::format),
            "textDocument/rangeFormatting" => self.asked(params, Self::format_range),
            "textDocument/codeAction" => self.asked(params, Self::code_actions),
            "textDocument/semanticTokens/full" => self.asked(params, Self::all_tokens),
            "textDocument/semanticTokens/range" => self.asked(params, Self::tokens_in_range),
            _ => Err((ErrorCode::MethodNotFound, format!("{method} is not known"))),
        }
    }

    fn asked<P: DeserializeOwned, R: Serialize>(
        &mut self,
        params: Value,
        handler: fn(&mut Self, P) -> Answer<R>,
    ) -> Result<Value, (ErrorCode, String)> {
        let params = serde_json::from_value(params)
            .map_err(|why| (ErrorCode::InvalidParams, why.to_string()))?;
        match handler(self, params) {
            Ok(result) => serde_json::to_value(result)
                .map_err(|why| (ErrorCode::InternalError, why.to_string())),
            Err(Declined(why)) => Err((ErrorCode::RequestFailed, why)),
        }
    }

    /// A notification; what can't be read is passed over.
    fn heard(&mut self, note: Notification) {
        match note.method.as_str() {
            "textDocument/didOpen" => self.opened(note.params),
            "textDocument/didChange" => self.changed(note.params),
            "textDocument/didClose" => self.closed(note.params),
            "textDocument/didSave" | "workspace/didChangeWatchedFiles" => self.forget(),
            "workspace/didChangeWorkspaceFolders" => self.take_folders(note.params),
            "workspace/didChangeConfiguration" => {
                if let Some(settings) = note.params.get("settings") {
                    self.take_settings(settings);
                }
                self.forget();
            }
            _ => {}
        }
    }

    fn opened(&mut self, params: Value) {
        let Ok(params) = serde_json::from_value::<DidOpenTextDocumentParams>(params) else {
            return;
        };
        let item = params.text_document;
        let path = path_of(&item.uri);
        if item.text.len() > LARGEST {
            self.say(&format!("{}: too large to be looked at", String::from_utf8_lossy(&path)));
        }
        let document = Document::new(item.uri, item.version, item.text);
        self.documents.insert(path.clone(), document);
        self.put(&path);
        self.forget();
    }

    fn changed(&mut self, params: Value) {
        let Ok(params) = serde_json::from_value::<DidChangeTextDocumentParams>(params) else {
            return;
        };
        let path = path_of(&params.text_document.uri);
        let Some(document) = self.documents.get_mut(&path) else { return };
        for change in params.content_changes {
            document.change(change, self.encoding);
        }
        document.version = params.text_document.version;
        self.put(&path);
        self.projects.clear();
        self.stale = true;
    }

    fn closed(&mut self, params: Value) {
        let Ok(params) = serde_json::from_value::<DidCloseTextDocumentParams>(params) else {
            return;
        };
        let path = path_of(&params.text_document.uri);
        self.documents.remove(&path);
        self.overlay.take(&path);
        self.forget();
    }

    /// Puts a document before its file.
    fn put(&self, path: &[u8]) {
        let text = self.documents.get(path).map(|document| document.text.as_bytes());
        let text = text.filter(|text| text.len() <= LARGEST).unwrap_or_default();
        self.overlay.put(path, text);
    }

    /// Other files may have changed, too.
    fn forget(&mut self) {
        self.projects.clear();
        self.roots.clear();
        self.stale = true;
    }

    /// The configuration that a file belongs to.
    pub(super) fn project(&mut self, path: &[u8]) -> Rc<Project> {
        let root = match self.roots.get(path) {
            Some(root) => root.clone(),
            None => {
                let (mains, macros) = (self.mains(), &self.settings.macros);
                let mut near: Vec<Vec<u8>> = self.documents.keys().cloned().collect();
                near.sort();
                let (world, registry) = (&self.world, &self.registry);
                let root = roots::root_of(path, &mains, &near, macros, world, registry);
                self.roots.insert(path.to_vec(), root.clone());
                root
            }
        };
        if let Some(known) = self.projects.get(&root) {
            return known.clone();
        }
        if let Root::Parts(folder) = &root {
            let text = eximious::check::parts::together(folder, &*self.world.files);
            self.overlay.put(&root.name(), &text);
        }
        let macros = &self.settings.macros;
        let project = Project::read(root.clone(), macros, &self.world, &self.registry);
        let project = Rc::new(project);
        self.projects.insert(root, project.clone());
        project
    }

    /// The configurations of all open documents, and the main one.
    pub(super) fn all_projects(&mut self) -> Vec<Rc<Project>> {
        let mut paths: Vec<Vec<u8>> = self.documents.keys().cloned().collect();
        paths.extend(self.mains());
        paths.sort();
        let mut found: Vec<Rc<Project>> = Vec::new();
        for path in paths {
            let project = self.project(&path);
            if !found.iter().any(|one| one.root == project.root) {
                found.push(project);
            }
        }
        found
    }

    /// All names of the configuration of a file.
    pub(super) fn symbols<'p>(&self, project: &'p Project) -> &'p [Symbol] {
        project.symbols(&self.settings.macros, &self.world, &self.registry)
    }

    /// A place in a document, if that is open.
    pub(super) fn spot(&self, at: &TextDocumentPositionParams) -> Option<Spot> {
        let path = path_of(&at.text_document.uri);
        let (line, column) = self.documents.get(&path)?.place(at.position, self.encoding);
        Some(Spot { path, line, column })
    }

    /// The lines of an open document, and its configuration.
    pub(super) fn lines(&mut self, uri: &Uri) -> Option<(Vec<u8>, Outline, Rc<Project>)> {
        let path = path_of(uri);
        self.documents.get(&path)?;
        let project = self.project(&path);
        let section: Option<OutlineSection> = project.section_of(&path);
        let document = self.documents.get(&path)?;
        let outline = Outline::read(document.text.as_bytes(), section);
        Some((path, outline, project))
    }

    /// A part of a line of a file, from 1, as the client has it.
    pub(super) fn range(
        &self,
        project: &Project,
        path: &[u8],
        line: u32,
        from: u32,
        to: u32,
    ) -> Range {
        let number = line.saturating_sub(1);
        if let Some(document) = self.documents.get(path) {
            return document.range(number, from, to, self.encoding);
        }
        let files = project.config.sources.files();
        let file = files.iter().find(|file| file.name == path);
        let text = file.and_then(|file| file.line(line)).unwrap_or_default();
        let at = |column| Position::new(number, self.encoding.character(text, column));
        Range::new(at(from), at(to))
    }

    /// The address of a file, as the client calls it.
    pub(super) fn address(&self, path: &[u8]) -> Option<Uri> {
        match self.documents.get(path) {
            Some(document) => Some(document.uri.clone()),
            None => address_of(path).parse().ok(),
        }
    }

    /// Where a name stands.
    pub(super) fn location(&self, project: &Project, symbol: &Symbol) -> Option<Location> {
        let place = &symbol.place;
        let (from, to) = (place.column, place.column + place.length);
        let range = self.range(project, &place.file, place.line, from, to);
        Some(Location { uri: self.address(&place.file)?, range })
    }

    pub(super) fn note(&self, method: &str, params: impl Serialize) {
        self.send(Notification::new(method.to_owned(), params).into());
    }

    fn say(&self, message: &str) {
        let params = ShowMessageParams { typ: MessageType::WARNING, message: message.to_owned() };
        self.note("window/showMessage", params);
    }

    /// Where nobody listens any more, the next look at what comes says so.
    fn send(&self, message: Message) {
        let _ = self.connection.sender.send(message);
    }
}
