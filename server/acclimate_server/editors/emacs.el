;;; acclimate.el --- Completions of a model that knows your repository  -*- lexical-binding: t -*-

;; For Emacs 28 or newer with eglot.  `acclimate editor emacs > ~/.emacs.d/lisp/acclimate.el' fills in the command below;
;; in your init file:
;;
;;     (add-to-list 'load-path "~/.emacs.d/lisp")
;;     (require 'acclimate)
;;     (add-hook 'python-mode-hook #'acclimate-start)
;;
;; `C-c , a' asks for a completion and shows it behind the cursor: TAB takes it, M-f a word of it, M-n shows another one,
;; any other key leaves it.  `completion-at-point' (C-M-i) offers the same in its list.  `C-c , r' trains on the
;; repository, `C-c , c' cancels that, `C-c , s' tells how things are.  `acclimate-mode-map' and `acclimate-ghost-map'
;; hold these keys.  Review comments are ordinary diagnostics (flymake), their fixes ordinary code actions.
;;
;; eglot talks to one server a buffer: where acclimate is started, no other one is.

;;; Code:

(require 'eglot)
(require 'project)

(defvar acclimate-command '("acclimate" "serve")
  "What starts the language server.")

(defvar acclimate-settings nil
  "Settings as in acclimate's README, e.g. (:completion (:candidates 5)).")

(defface acclimate-ghost '((t :inherit shadow))
  "The text that is proposed."
  :group 'eglot)

(defvar acclimate-ghost-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "TAB") #'acclimate-accept)
    (define-key map (kbd "M-f") #'acclimate-accept-word)
    (define-key map (kbd "M-n") #'acclimate-next)
    map)
  "Keys while a completion is shown.")

(defvar acclimate-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "C-c , a") #'acclimate-ask)
    (define-key map (kbd "C-c , r") #'acclimate-retrain)
    (define-key map (kbd "C-c , c") #'acclimate-cancel)
    (define-key map (kbd "C-c , s") #'acclimate-status)
    map)
  "Keys in a buffer that acclimate serves.")

(define-minor-mode acclimate-mode
  "Keys for acclimate."
  :keymap acclimate-mode-map)

(defclass acclimate-server (eglot-lsp-server) ()
  :documentation "The server, known by its class to what follows.")

(cl-defmethod eglot-initialization-options ((_server acclimate-server))
  "The settings."
  (or acclimate-settings eglot--{}))

(defun acclimate-start ()
  "Start acclimate for this buffer."
  (interactive)
  (setq-local eglot-server-programs `((,major-mode . (acclimate-server ,@acclimate-command))))
  (acclimate-mode)
  (eglot-ensure))

(defun acclimate--run (command argument answered)
  "Run COMMAND of the server on ARGUMENT; call ANSWERED with its result."
  (jsonrpc-async-request
   (eglot--current-server-or-lose) :workspace/executeCommand
   `(:command ,command :arguments ,(if argument (vector argument) []))
   :success-fn answered
   :error-fn (lambda (failure) (message "acclimate: %s" (plist-get failure :message)))))

;;;; Completion

(defvar acclimate--ghost nil "The overlay that shows a completion.")
(defvar acclimate--items nil "What is proposed there, the shown one first; what was taken of it is cut off.")

(defun acclimate--hide ()
  (when acclimate--ghost
    (delete-overlay acclimate--ghost)
    (setq acclimate--ghost nil)))

(defun acclimate--show ()
  (acclimate--hide)
  (setq acclimate--ghost (make-overlay (point) (point)))
  (let ((text (propertize (plist-get (car acclimate--items) :insertText) 'face 'acclimate-ghost)))
    (put-text-property 0 1 'cursor t text) ; the cursor stays before it
    (overlay-put acclimate--ghost 'after-string text)))

(defun acclimate-ask ()
  "Ask for a completion at the cursor, and show it."
  (interactive)
  (eglot--signal-textDocument/didChange)
  (let ((buffer (current-buffer)) (place (point)) (tick (buffer-modified-tick)))
    (jsonrpc-async-request
     (eglot--current-server-or-lose) :textDocument/inlineCompletion
     (append (eglot--TextDocumentPositionParams) '(:context (:triggerKind 1)))
     :error-fn #'ignore
     :success-fn
     (lambda (answer)
       (when (eq buffer (window-buffer))
         (with-current-buffer buffer
           (when (and (= place (point)) (= tick (buffer-modified-tick)))
             (acclimate--propose (append (plist-get answer :items) nil)))))))))

(defun acclimate--propose (items)
  "Show the first of ITEMS, or say why there is none."
  (setq acclimate--items items)
  (if items
      (progn
        (acclimate--show)
        (set-transient-map acclimate-ghost-map (lambda () acclimate--ghost) #'acclimate--hide))
    (acclimate--run "acclimate.status" nil
                    (lambda (status) (message "acclimate: %s" (plist-get status :completion))))))

(defun acclimate--take (length)
  "Insert so many characters of what is proposed; the rest stays."
  (let* ((item (car acclimate--items))
         (text (plist-get item :insertText))
         (command (plist-get item :command)))
    (acclimate--hide)
    (insert (substring text 0 length))
    (if (< length (length text))
        (progn
          (setq acclimate--items (list (plist-put (copy-sequence item) :insertText (substring text length))))
          (acclimate--show))
      (eglot--signal-textDocument/didChange)
      (acclimate--run (plist-get command :command) (aref (plist-get command :arguments) 0) #'ignore))))

(defun acclimate-accept ()
  "Take the completion that is shown."
  (interactive)
  (acclimate--take (length (plist-get (car acclimate--items) :insertText))))

(defun acclimate-accept-word ()
  "Take a word of the completion that is shown, with what stands before it."
  (interactive)
  (let ((text (plist-get (car acclimate--items) :insertText)))
    (acclimate--take (if (string-match "\\W*\\w+" text) (match-end 0) (length text)))))

(defun acclimate-next ()
  "Show another completion."
  (interactive)
  (setq acclimate--items (append (cdr acclimate--items) (list (car acclimate--items))))
  (acclimate--show))

;;;; Training

(defun acclimate-retrain ()
  "Train on the repository of this buffer."
  (interactive)
  (acclimate--run "acclimate.retrain"
                  `(:repository ,(expand-file-name (project-root (eglot--project (eglot--current-server-or-lose)))))
                  (lambda (answer) (message "acclimate: the training %s has begun" (plist-get answer :run)))))

(defun acclimate-cancel ()
  "End the training."
  (interactive)
  (acclimate--run "acclimate.cancel" nil
                  (lambda (answer)
                    (message (if (plist-get answer :run) "acclimate: the training is ended"
                               "acclimate: no training runs")))))

(defun acclimate-status ()
  "Tell about the engine, the adapter and the last training."
  (interactive)
  (acclimate--run "acclimate.status" nil
                  (lambda (status)
                    (let ((engine (plist-get status :engine))
                          (adapter (plist-get status :adapter))
                          (training (plist-get status :training)))
                      (message "acclimate: engine %s %s\nadapter %s %s\n%s\n%s"
                               (plist-get engine :state) (plist-get engine :reason)
                               (or (plist-get adapter :version) (plist-get adapter :state)) (plist-get adapter :reason)
                               (if training (acclimate--training-words training) "no training")
                               (plist-get status :completion))))))

(defun acclimate--training-words (training)
  "How TRAINING goes."
  (string-trim (format "training %s %s %s" (plist-get training :state)
                       (if (equal (plist-get training :state) "running")
                           (format "%s %d of %d" (plist-get training :phase) (plist-get training :step)
                                   (plist-get training :of))
                         "")
                       (plist-get training :reason))))

(defvar acclimate--training nil "What was said of the training last.")

(cl-defmethod eglot-handle-notification ((_server acclimate-server) (_method (eql acclimate/status))
                                         &key training &allow-other-keys)
  "Show how a training goes, whenever that changes."
  (when training
    (let ((words (acclimate--training-words training)))
      (unless (equal words acclimate--training)
        (setq acclimate--training words)
        (message "acclimate: %s" words)))))

(provide 'acclimate)
;;; acclimate.el ends here
