-- Exim's configuration in Neovim, by `eximious lsp`: put it into a folder `plugin` of the
-- runtime path, such as ~/.config/nvim/plugin/.

-- The main file, where it is not found by itself: vim.g.eximious_main_file = '/etc/exim.conf'.
local function settings()
  return { mainFile = vim.g.eximious_main_file or '', macros = vim.g.eximious_macros or vim.empty_dict() }
end

local function start(buffer)
  local config = {
    name = 'eximious',
    cmd = { vim.g.eximious_path or 'eximious', 'lsp' },
    root_dir = vim.fn.fnamemodify(vim.api.nvim_buf_get_name(buffer), ':p:h'),
    init_options = settings(),
  }
  if vim.lsp.start then
    vim.lsp.start(config, { bufnr = buffer })
    return
  end
  -- Before 0.8, one server for all buffers is kept here.
  if not vim.g.eximious_client or not vim.lsp.get_client_by_id(vim.g.eximious_client) then
    vim.g.eximious_client = vim.lsp.start_client(config)
  end
  vim.lsp.buf_attach_client(buffer, vim.g.eximious_client)
end

local group = vim.api.nvim_create_augroup('eximious', {})
vim.api.nvim_create_autocmd({ 'BufRead', 'BufNewFile' }, {
  group = group,
  pattern = {
    '*.exim', 'exim.conf*', 'exim4.conf*',
    '*/conf.d/acl/*', '*/conf.d/auth/*', '*/conf.d/main/*', '*/conf.d/retry/*',
    '*/conf.d/rewrite/*', '*/conf.d/router/*', '*/conf.d/transport/*',
  },
  callback = function(event)
    vim.bo[event.buf].filetype = 'exim'
  end,
})
vim.api.nvim_create_autocmd('FileType', {
  group = group,
  pattern = 'exim',
  callback = function(event)
    vim.bo[event.buf].commentstring = '# %s'
    vim.bo[event.buf].omnifunc = 'v:lua.vim.lsp.omnifunc'
    start(event.buf)
  end,
})
