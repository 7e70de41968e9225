;;; exim-mode.el --- Exim's configuration, by eximious lsp -*- lexical-binding: t -*-

;; Put it into a folder of `load-path', and into the configuration:
;;
;;   (require 'exim-mode)
;;   (add-hook 'exim-mode-hook #'eglot-ensure)   ; or #'lsp-deferred

;;; Code:

(defgroup exim nil
  "Exim's configuration."
  :group 'languages)

(defcustom exim-program "eximious"
  "The program eximious."
  :type 'string)

(defcustom exim-main-file ""
  "The main file of the configuration, where it is not found by itself."
  :type 'string)

(defvar exim-mode-syntax-table
  (let ((table (make-syntax-table)))
    (modify-syntax-entry ?# "<" table)
    (modify-syntax-entry ?\n ">" table)
    (modify-syntax-entry ?_ "w" table)
    table))

(defconst exim-font-lock-keywords
  '(("^\\s-*\\(\\.\\(?:ifn?def\\|elifn?def\\|else\\|endif\\|include\\(?:_if_exists\\)?\\)\\)\\>" 1
     font-lock-preprocessor-face)
    ("^\\s-*\\(begin\\)\\s-+\\(\\w+\\)" (1 font-lock-keyword-face) (2 font-lock-type-face))
    ("^\\s-*\\(accept\\|defer\\|deny\\|discard\\|drop\\|require\\|warn\\)\\>" 1
     font-lock-keyword-face)
    ("^\\s-*\\(\\w+\\)\\s-*:\\s-*$" 1 font-lock-function-name-face)
    ("^\\([A-Z]\\w*\\)\\s-*=" 1 font-lock-constant-face)
    ("^\\s-*\\(?:hide\\s-+\\)?!?\\s-*\\(\\w+\\)\\s-*=" 1 font-lock-variable-name-face)
    ("\\${?\\(\\w+\\)" 1 font-lock-builtin-face)))

;;;###autoload
(define-derived-mode exim-mode prog-mode "Exim"
  "For Exim's configuration."
  (setq-local comment-start "# ")
  (setq-local comment-start-skip "#+\\s-*")
  (setq-local font-lock-defaults '(exim-font-lock-keywords)))

;;;###autoload
(dolist (pattern '("\\.exim\\'"
                   "/exim4?\\.conf[^/]*\\'"
                   "/conf\\.d/\\(?:acl\\|auth\\|main\\|retry\\|rewrite\\|router\\|transport\\)/[^/]+\\'"))
  (add-to-list 'auto-mode-alist (cons pattern 'exim-mode)))

(defun exim-server (&rest _)
  "How the server is begun."
  (list exim-program "lsp" :initializationOptions (list :mainFile exim-main-file)))

(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs '(exim-mode . exim-server)))

(with-eval-after-load 'lsp-mode
  (add-to-list 'lsp-language-id-configuration '(exim-mode . "exim"))
  (lsp-register-client
   (make-lsp-client
    :new-connection (lsp-stdio-connection (lambda () (list exim-program "lsp")))
    :initialization-options (lambda () (list :mainFile exim-main-file))
    :activation-fn (lsp-activate-on "exim")
    :server-id 'eximious)))

(provide 'exim-mode)
;;; exim-mode.el ends here
