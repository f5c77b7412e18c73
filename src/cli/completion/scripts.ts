/**
 * The completion scripts. Each asks `cms __complete` with the words up to the cursor and takes one word a line.
 *
 * @module
 */

/**
 * bash cuts words at `=`, `:` and `@`. The script joins them again from the line itself, and gives back only what
 * follows the last cut; `@` would start bash's own completion of host names, so that it is no cut from then on.
 */
const BASH = `# bash completion for cms: source <(cms completion bash)
COMP_WORDBREAKS=\${COMP_WORDBREAKS//@/}
_cms() {
  local line=\${COMP_LINE:0:COMP_POINT} word cut
  local -a words
  read -r -a words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  words[0]=\${words[0]/#\~/$HOME}
  word=\${words[\${#words[@]}-1]}
  cut=\${word%"\${word##*[=:]}"}
  COMPREPLY=()
  local IFS=$'\\n' found
  while read -r found; do
    found=\${found#"$cut"}
    [[ $found == *= ]] || found="$found "
    COMPREPLY+=("$found")
  done < <("\${words[0]}" __complete "\${words[@]:1}" 2>/dev/null)
}
complete -o nospace -F _cms cms
# Links to it, and no other programs of these names.
for _cms_link in queue cluster; do
  [[ -n $(type -P $_cms_link) && $(readlink -f "$(type -P $_cms_link)") == "$(readlink -f "$(type -P cms)")" ]] &&
    complete -o nospace -F _cms $_cms_link
done
unset _cms_link
`;

const ZSH = `#compdef cms
# zsh completion for cms: source <(cms completion zsh)
_cms() {
  local -a found open
  local word
  for word in "\${(@f)$("\${words[1]}" __complete "\${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}"; do
    if [[ $word == *= ]]; then open+=("$word"); elif [[ -n $word ]]; then found+=("$word"); fi
  done
  (( $#found )) && compadd -a found
  (( $#open )) && compadd -S '' -a open
  return 0
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _cms cms
for _cms_link in queue cluster; do
  [[ -n \${commands[$_cms_link]} && \${commands[$_cms_link]:A} == \${commands[cms]:A} ]] && compdef _cms $_cms_link
done
unset _cms_link
`;

const FISH = `# fish completion for cms: cms completion fish > ~/.config/fish/completions/cms.fish
function __cms_complete
  set -l words (commandline -opc)
  set -l word (commandline -ct)
  $words[1] __complete $words[2..-1] "$word" 2>/dev/null
end
complete -c cms -f -a '(__cms_complete)'
for link in queue cluster
  if type -q $link; and type -q cms; and test (realpath (command -v $link)) = (realpath (command -v cms))
    complete -c $link -f -a '(__cms_complete)'
  end
end
`;

/** The script of each shell. */
export const SCRIPTS: Readonly<Record<"bash" | "zsh" | "fish", string>> = { bash: BASH, zsh: ZSH, fish: FISH };
