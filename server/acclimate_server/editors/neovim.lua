--- acclimate in Neovim 0.11 or newer: ghost text, a list of completions on request, retraining.
---
--- In init.lua, with the path that `acclimate editor neovim --path` prints:
---
---     dofile("/path/to/neovim.lua").setup({ cmd = { "/path/to/acclimate", "serve" } })
---
--- or once `acclimate editor neovim > ~/.config/nvim/lua/acclimate.lua`, which fills in the command, and
--- `require("acclimate").setup()`. What the table leaves out is as in `defaults`; a key that is false is not mapped:
---
---     require("acclimate").setup({
---       keys = { accept = "<C-y>", dismiss = false },
---       settings = { completion = { candidates = 5 } },
---     })
---
--- Typing what is proposed keeps the rest of it, without asking anew. Review comments are ordinary diagnostics, their
--- fixes ordinary code actions (`gra`). After the server has ended, `:edit` starts it again.

local api = vim.api

local defaults = {
  cmd = { "acclimate", "serve" },
  filetypes = {
    "bash", "c", "cpp", "cs", "go", "java", "javascript", "javascriptreact", "kotlin", "ksh", "lua", "php", "python",
    "ruby", "rust", "scala", "sh", "swift", "typescript", "typescriptreact", "zsh",
  },
  root_markers = { ".git" },
  settings = {}, -- as in the README's table
  ghost_text = true, -- false: completions come through the ordinary list alone, also that of a plug-in
  keys = {
    -- in Insert mode while ghost text is shown; they mean what they always do otherwise
    accept = "<Tab>",
    accept_word = "<M-w>",
    accept_line = "<M-l>",
    next = "<M-n>", -- another proposal
    dismiss = "<C-e>",
    -- in Insert mode
    ask = "<M-a>", -- ghost text by hand: also where typing asks nothing, and up to three proposals
    list = "<M-p>", -- the same as a list; <C-y> takes an entry
    -- in Normal mode
    retrain = "<Leader>ar",
    cancel = "<Leader>ac", -- the training
    status = "<Leader>as",
  },
}

local NAME = "acclimate"
local HIGHLIGHT = "AcclimateGhost"
-- Where LSP calls a language otherwise.
local LANGUAGE_IDS = { bash = "shellscript", cs = "csharp", ksh = "shellscript", sh = "shellscript", zsh = "shellscript" }
local BY_HAND, AUTOMATIC = 1, 2 -- LSP's kinds of triggers
local REST_MS = 300 -- the server waits for a pause between keystrokes; of a cursor that moves it hears nothing

local namespace = api.nvim_create_namespace(NAME)
local M, config = {}, defaults

local ghost -- what is shown: { buffer, client, items, index, start, mark, after, below, unmap }
local asked -- what is waited for: { client, id }
local seen -- where the cursor was last

local function client_of(buffer)
  return vim.lsp.get_clients({ name = NAME, bufnr = buffer })[1]
end

local function say(text, level)
  vim.notify(NAME .. ": " .. text, level or vim.log.levels.INFO)
end

--- The cursor, and the state of the text that it stands in.
local function here()
  local row, column = unpack(api.nvim_win_get_cursor(0))
  return { buffer = api.nvim_get_current_buf(), row = row - 1, column = column, tick = vim.b.changedtick }
end

--- What follows the cursor in its line, and how many lines there are from there: both stay as the ghost text is typed.
local function behind(at)
  local line = api.nvim_buf_get_lines(at.buffer, at.row, at.row + 1, true)[1]
  return line:sub(at.column + 1), api.nvim_buf_line_count(at.buffer) - at.row
end

local function is_inserting()
  return api.nvim_get_mode().mode:sub(1, 1) == "i" and vim.fn.pumvisible() == 0
end

local function hide()
  if not ghost then
    return
  end
  ghost.unmap()
  if api.nvim_buf_is_valid(ghost.buffer) then
    api.nvim_buf_clear_namespace(ghost.buffer, namespace, 0, -1)
  end
  ghost = nil
end

--- Takes back what was asked. Not before asking anew: the server itself ends the older request, and may go on with what
--- it writes for it.
local function take_back()
  if asked then
    asked.client:cancel_request(asked.id)
    asked = nil
  end
end

--- What was typed of the ghost text; nil where something else was done.
local function typed()
  local at, start = here(), api.nvim_buf_get_extmark_by_id(ghost.buffer, namespace, ghost.start, {})
  if at.buffer ~= ghost.buffer or at.row < start[1] or (at.row == start[1] and at.column < start[2]) then
    return nil
  end
  local after, below = behind(at)
  if after ~= ghost.after or below ~= ghost.below then
    return nil
  end
  return table.concat(api.nvim_buf_get_text(at.buffer, start[1], start[2], at.row, at.column, {}), "\n")
end

--- Chooses the first proposal from `index` on that what was typed is the beginning of, and gives the rest of it.
local function choose(index)
  local begun = typed()
  for step = 0, begun and #ghost.items - 1 or -1 do
    local number = (index - 1 + step) % #ghost.items + 1
    local text = ghost.items[number].insertText
    if vim.startswith(text, begun) and #text > #begun then
      ghost.index = number
      return text:sub(#begun + 1)
    end
  end
end

local function draw(rest)
  local at, lines = here(), {}
  for line in vim.gsplit(rest, "\n", { plain = true }) do
    local spaced = line:gsub("\t", (" "):rep(vim.bo.tabstop))
    lines[#lines + 1] = { { spaced, HIGHLIGHT } }
  end
  ghost.mark = api.nvim_buf_set_extmark(ghost.buffer, namespace, at.row, at.column, {
    id = ghost.mark,
    virt_text = table.remove(lines, 1),
    virt_text_pos = "inline",
    virt_lines = lines,
  })
end

--- Maps keys in Insert mode; gives what brings back what they meant before.
local function map(buffer, actions)
  local before = {}
  api.nvim_buf_call(buffer, function()
    for name, action in pairs(actions) do
      local key = config.keys[name]
      if key then
        before[key] = vim.fn.maparg(key, "i", false, true)
        vim.keymap.set("i", key, action, { buffer = buffer, desc = NAME .. ": " .. name })
      end
    end
  end)
  return function()
    if not api.nvim_buf_is_valid(buffer) then
      return
    end
    api.nvim_buf_call(buffer, function()
      for key, mapping in pairs(before) do
        pcall(vim.keymap.del, "i", key, { buffer = buffer }) -- somebody else may have done so
        if mapping.buffer == 1 then
          vim.fn.mapset("i", false, mapping)
        end
      end
    end)
  end
end

local function show(client, items, index)
  hide()
  local at = here()
  local after, below = behind(at)
  for _, item in ipairs(items) do
    item.insertText = item.insertText:gsub("\r\n?", "\n") -- as the file is written, and no buffer holds it
  end
  ghost = { buffer = at.buffer, client = client, items = items, after = after, below = below }
  ghost.start = api.nvim_buf_set_extmark(at.buffer, namespace, at.row, at.column, { right_gravity = false })
  ghost.unmap = map(at.buffer, {
    accept = M.accept,
    accept_word = M.accept_word,
    accept_line = M.accept_line,
    next = M.next,
    dismiss = M.dismiss,
  })
  draw(choose(index))
end

--- Asks at the cursor. An answer that comes when something was done meanwhile is left out.
local function request(method, context, answered)
  local client, at, sent = client_of(0), here(), nil
  if not client then
    return
  end
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  params.context = context
  local _, id = client:request(method, params, function(error, result)
    if asked == sent then
      asked = nil
    end
    if not error and vim.deep_equal(at, here()) and is_inserting() then
      answered(result and result.items or {}, client)
    end
  end, at.buffer)
  sent = id and { client = client, id = id }
  asked, seen = sent, at
end

--- Asks for ghost text, and shows the proposal with this number, or the first.
local function ask(kind, index)
  request("textDocument/inlineCompletion", { triggerKind = kind }, function(items, client)
    if #items > 0 then
      show(client, items, math.min(index or 1, #items))
    elseif kind == BY_HAND then
      M.say_why_nothing()
    end
  end)
end

--- Something was typed, or the cursor has moved; both are told of most keystrokes.
local function follow()
  local at = here()
  if vim.deep_equal(at, seen) then
    return
  end
  local is_typed = seen and seen.buffer == at.buffer and seen.tick ~= at.tick
  seen = at
  local rest = ghost and is_inserting() and choose(ghost.index)
  if rest then
    return draw(rest)
  end
  hide()
  if is_typed and is_inserting() then
    return ask(AUTOMATIC)
  end
  take_back()
  vim.defer_fn(function()
    if is_inserting() and vim.deep_equal(at, here()) and not ghost and not asked then
      ask(AUTOMATIC)
    end
  end, REST_MS)
end

local function stop()
  hide()
  take_back()
  seen = nil
end

local function put(text)
  local at, lines = here(), vim.split(text, "\n")
  api.nvim_buf_set_text(at.buffer, at.row, at.column, at.row, at.column, lines)
  api.nvim_win_set_cursor(0, { at.row + #lines, (#lines == 1 and at.column or 0) + #lines[#lines] })
end

local function tell_taken(client, item)
  if item.command and not client:is_stopped() then
    client:exec_cmd(item.command, {}, function() end) -- it only confirms what the text shows: no error matters
  end
end

--- Puts in what the first fitting pattern finds at the beginning of the ghost text, or all of it; the rest stays.
local function take(...)
  local rest = ghost and choose(ghost.index)
  if not rest then
    return hide()
  end
  local part, client, item = rest, ghost.client, ghost.items[ghost.index]
  for _, pattern in ipairs({ ... }) do
    part = rest:match(pattern) or part
    if part ~= rest then
      break
    end
  end
  vim.cmd("let &undolevels = &undolevels") -- `u` takes back this, and not what was typed before
  if part == rest then
    hide()
    put(part)
    tell_taken(client, item)
  else
    put(part)
  end
end

--- Runs a command of the server's, and does something with its answer.
local function run(command, argument, answered)
  local client = client_of(0) or client_of(nil)
  if not client then
    return say("The server does not run.", vim.log.levels.WARN)
  end
  client:exec_cmd({ title = command, command = command, arguments = { argument } }, {}, function(error, result)
    if error then
      say(error.message, vim.log.levels.WARN)
    else
      answered(result, client)
    end
  end)
end

function M.accept()
  take()
end

--- A word with the blanks before it, or a run of other signs.
function M.accept_word()
  take("^%s*[%w_\128-\255]+", "^%s*[^%w_%s\128-\255]+")
end

function M.accept_line()
  take("^\n?[^\n]*")
end

--- Shows another proposal; more than one come by hand only.
function M.next()
  if not ghost or #ghost.items == 1 then
    return ask(BY_HAND, 2)
  end
  local rest = choose(ghost.index + 1)
  if rest then
    draw(rest)
  end
end

function M.dismiss()
  stop()
  seen = here()
end

function M.ask()
  ask(BY_HAND)
end

--- Shows completions in the ordinary menu. Neovim's own function for that takes an entry's first word alone (0.11), and
--- indents lines once more: so the menu gets the first line, and the others follow when the entry is taken.
function M.list()
  stop()
  request("textDocument/completion", { triggerKind = BY_HAND }, function(items, client)
    local entries, column = {}, nil
    for number, item in ipairs(items) do
      local text = item.textEdit.newText:gsub("\r\n?", "\n")
      local first, others = text:match("^([^\n]*)(.*)$")
      entries[number] = { word = first, abbr = item.label, menu = NAME, info = text, dup = 1, empty = 1 }
      entries[number].user_data = { [NAME] = { command = item.command, others = others } }
      column = vim.str_byteindex(api.nvim_get_current_line(), client.offset_encoding, item.textEdit.range.start.character)
    end
    if not column then
      return M.say_why_nothing()
    end
    local before = vim.bo.completeopt
    vim.bo.completeopt = "menuone,noinsert,popup" -- a single entry, too, is shown before it is taken
    api.nvim_create_autocmd("CompleteDone", {
      buffer = 0,
      once = true,
      callback = function()
        vim.bo.completeopt = before
        local taken = vim.v.event.reason == "accept" and vim.tbl_get(vim.v.completed_item, "user_data", NAME)
        if taken then
          put(taken.others)
          tell_taken(client, taken)
        end
      end,
    })
    vim.fn.complete(column + 1, entries)
  end)
end

--- Trains on the repository of the current file; `{ minutes = 5 }` bounds it.
function M.retrain(options)
  local client = client_of(0) or client_of(nil)
  local argument = vim.tbl_extend("keep", options or {}, { repository = client and client.root_dir })
  run("acclimate.retrain", argument, function(result)
    say("The training " .. result.run .. " has begun.")
  end)
end

function M.cancel()
  run("acclimate.cancel", nil, function(result)
    say(result.run and ("The training " .. result.run .. " is ended.") or "No training runs.")
  end)
end

function M.status()
  run("acclimate.status", nil, function(status)
    local function line(...)
      return table.concat(vim.tbl_filter(function(part) return part ~= "" end, { ... }), ". ")
    end
    local adapter, training = status.adapter, status.training
    local lines = {
      line("engine " .. status.engine.state, status.engine.reason),
      line("adapter " .. (adapter.version or adapter.state), adapter.reason),
      training and line("training " .. training.state, training.phase, training.reason) or "no training",
      line(status.completion, status.drift and status.drift.said or ""),
    }
    say(vim.trim(table.concat(vim.list_extend(lines, status.warnings), "\n")))
  end)
end

function M.say_why_nothing()
  run("acclimate.status", nil, function(status)
    say(status.completion ~= "" and status.completion or status.engine.reason)
  end)
end

local function on_init(client)
  if config.ghost_text then
    -- The list is asked for by key alone. A plug-in that asked for it at every keystroke, too, would take the ghost
    -- text away: of two requests for one document the server answers the newer.
    client.server_capabilities.completionProvider = nil
  end
end

local function on_attach(_, buffer)
  map(buffer, { list = M.list, ask = config.ghost_text and M.ask or nil })
  for _, name in ipairs({ "retrain", "cancel", "status" }) do
    if config.keys[name] then
      vim.keymap.set("n", config.keys[name], function()
        M[name]()
      end, { buffer = buffer, desc = NAME .. ": " .. name })
    end
  end
  if not config.ghost_text then
    return
  end
  local group = api.nvim_create_augroup(NAME .. buffer, {})
  local function on(events, callback)
    api.nvim_create_autocmd(events, { group = group, buffer = buffer, callback = callback })
  end
  on({ "InsertEnter", "CursorMovedI", "TextChangedI", "TextChangedP" }, follow)
  on({ "InsertLeave", "BufLeave", "LspDetach" }, stop)
end

--- Shows how a training goes. Its end stays among the messages.
local function on_progress(event)
  local client, value = vim.lsp.get_client_by_id(event.data.client_id), event.data.params.value
  if not client or client.name ~= NAME then
    return
  end
  local text = (value.title or "") .. ": " .. (value.message or "")
  if value.kind == "end" then
    say(text)
  else
    local line = text:gsub("\n", " ")
    api.nvim_echo({ { vim.fn.strcharpart(line, 0, vim.v.echospace) } }, false, {}) -- longer ones wait for a key
  end
end

--- Has the server started for files in the languages that are completed.
function M.setup(options)
  if vim.fn.has("nvim-0.11") == 0 then
    return say("Neovim 0.11 or newer is needed.", vim.log.levels.ERROR)
  end
  config = vim.tbl_deep_extend("force", defaults, options or {})
  api.nvim_set_hl(0, HIGHLIGHT, { default = true, link = "NonText" })
  vim.lsp.config(NAME, {
    cmd = config.cmd,
    filetypes = config.filetypes,
    root_markers = config.root_markers,
    init_options = config.settings,
    -- Ghost text is asked for here and not by Neovim (0.12), which knows neither words nor lines nor typing through
    -- it; and to clients that announce it the server gives no list.
    capabilities = { textDocument = { inlineCompletion = vim.NIL } },
    get_language_id = function(_, filetype)
      return LANGUAGE_IDS[filetype] or filetype
    end,
    on_init = on_init,
    on_attach = on_attach,
  })
  vim.lsp.enable(NAME)
  local group = api.nvim_create_augroup(NAME, {})
  api.nvim_create_autocmd("LspProgress", { group = group, callback = on_progress })
  api.nvim_create_autocmd("FocusGained", {
    group = group,
    callback = function()
      for _, client in ipairs(vim.lsp.get_clients({ name = NAME })) do
        client:notify("acclimate/focus", { focused = true }) -- so that the engine is warm before it is asked
      end
    end,
  })
end

return M
