" Exim's configuration in Vim: put it into a folder `plugin` of the runtime path, such as
" ~/.vim/plugin/. `:make` checks the file, `gggqG` lays it out; with ALE or vim-lsp, there is
" `eximious lsp`, too.
let s:program = get(g:, 'eximious_path', 'eximious')

augroup eximious
  autocmd!
  autocmd BufRead,BufNewFile *.exim,exim.conf*,exim4.conf* setfiletype exim
  autocmd BufRead,BufNewFile */conf.d/{acl,auth,main,retry,rewrite,router,transport}/* set filetype=exim
  autocmd FileType exim call s:Begin()
augroup END

function! s:Begin() abort
  setlocal commentstring=#\ %s comments=:#
  let &l:makeprg = s:program . ' check --color=never %:p:S'
  setlocal errorformat=%Eerror[%.%n]:\ %m,%Wwarning[%.%n]:\ %m,%C\ %#-->\ %f:%l:%c,%C%.%#
  let &l:formatprg = s:program . ' fmt -'
endfunction

if exists('*ale#linter#Define') || !empty(globpath(&runtimepath, 'autoload/ale/linter.vim'))
  call ale#linter#Define('exim', {
        \ 'name': 'eximious',
        \ 'lsp': 'stdio',
        \ 'executable': s:program,
        \ 'command': '%e lsp',
        \ 'project_root': {buffer -> fnamemodify(bufname(buffer), ':p:h')},
        \ 'initialization_options': {'mainFile': get(g:, 'eximious_main_file', '')},
        \ })
endif
autocmd User lsp_setup call lsp#register_server({
      \ 'name': 'eximious',
      \ 'cmd': {_ -> [s:program, 'lsp']},
      \ 'initialization_options': {'mainFile': get(g:, 'eximious_main_file', '')},
      \ 'allowlist': ['exim'],
      \ })
