" Exim's configuration in Vim: put it into a folder `plugin` of the runtime path, such as
" ~/.vim/plugin/. `:make` checks the configuration that the file belongs to, `gggqG` lays the
" file out; with ALE or vim-lsp, there is `eximious lsp`, too. Where the main file is not found
" by itself: let g:eximious_main_file = '/etc/exim.conf'.
let s:program = get(g:, 'eximious_path', 'eximious')

augroup eximious
  autocmd!
  autocmd BufRead,BufNewFile *.exim,exim.conf*,exim4.conf* setfiletype exim
  autocmd BufRead,BufNewFile */conf.d/{acl,auth,main,retry,rewrite,router,transport}/* set filetype=exim
  autocmd FileType exim call s:Begin()
augroup END

function! s:Begin() abort
  setlocal commentstring=#\ %s comments=:#
  let &l:makeprg = s:program . ' check --color=never ' . s:Named(s:Main(expand('%:p'), 8))
  setlocal errorformat=%Eerror[%.%n]:\ %m,%Wwarning[%.%n]:\ %m,%C\ %#-->\ %f:%l:%c,%C%.%#
  let &l:formatprg = s:program . ' fmt -'
endfunction

" What a file is in a command that may have % and # in it.
function! s:Named(file) abort
  return a:file ==# expand('%:p') ? '%:p:S' : escape(shellescape(a:file), '%#|')
endfunction

" The file that includes another, and is included by none: the main one that is set, or one
" beside it or up to two folders above. Else, the file is a configuration by itself, or a part
" of Debian's conf.d.
function! s:Main(file, deepest) abort
  let mains = [expand(get(g:, 'eximious_main_file', ''))]
  let folder = fnamemodify(a:file, ':h')
  for _ in range(3)
    let names = globpath(escape(folder, ',\*?[{`$'), '*', 1, 1)
    let mains += filter(names, {_, name -> fnamemodify(name, ':t') =~# s:main_names})
    let folder = fnamemodify(folder, ':h')
  endfor
  for main in mains[:63]
    if resolve(main) !=# resolve(a:file) && s:Includes(main, resolve(a:file), 8)
      return a:deepest > 1 ? s:Main(main, a:deepest - 1) : main
    endif
  endfor
  return a:file
endfunction
let s:main_names = '^exim4\?\.conf\|^configure\|\.conf$\|\.exim$\|\.template$'

function! s:Includes(main, file, deepest) abort
  if a:deepest == 0 || !filereadable(a:main) || getfsize(a:main) > 1048576
    return 0
  endif
  for line in filter(readfile(a:main), {_, line -> line =~# '^\s*\.include'})
    let name = matchstr(line, '\.include\%(_if_exists\)\?\s\+"\?\zs[^"]*[^" \t\r]')
    let path = name[0] ==# '/' ? name : fnamemodify(a:main, ':p:h') . '/' . name
    " A macro may stand for the folder.
    let has_macro = !filereadable(path) && fnamemodify(path, ':t') ==# fnamemodify(a:file, ':t')
    if has_macro || resolve(simplify(path)) ==# a:file || s:Includes(path, a:file, a:deepest - 1)
      return 1
    endif
  endfor
  return 0
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
