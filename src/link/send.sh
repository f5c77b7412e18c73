# The far end of copies of files that jobs send: sent as one line of stdin behind put.sh, see send_line.ts. POSIX sh
# (dash, bash, busybox ash).
#
# After it come lines: the experiment directory, the agent's own directory in it, the boot. Then requests, one after
# another: a token, its path in the tar stream, what is asked for (`look`, `send`, `drop` what came in part, `forget`
# all but what is named); contents (KEY, name of the path or -, path in the stream), an empty line; what to do (see
# `do_line`), an empty line; then a tar stream, if a content is asked for. Where `head` takes no more than it is told
# the answer is `ready more`: then the stream comes in pieces, each behind a line with its length, the last with 0, and
# another request may follow. Else the stream ends with stdin.
#
# In the agent's own directory `sent` holds contents, each once: `o/KEY`, where KEY is HASH.MODE; `t/KEY`, a directory
# made of them; `in/KEY`, what came and was not looked at yet; `m/NAME`, the last content of a large file's path, of
# which the next one may differ in little. Nothing in `o` is ever written to.
IFS= read -r d && IFS= read -r o && IFS= read -r b || exit 3
case $d in
/*) ;;
.) d=$HOME ;;
*) d=$HOME/$d ;;
esac
cd "$d" || exit 3
start() { shift 19; s=$1; }
read -r s </proc/$$/stat && start ${s##*) }
p=$o/s.$$.$s
s=$o/sent
more=
[ "$(printf 'ab\n' | { head -c 1 >/dev/null && cat; } 2>/dev/null)" != b ] || more=' more'
cleared() { rm -rf "$p" || { chmod -R u+rwx "$p" && rm -rf "$p"; }; }
trap cleared EXIT
trap 'exit 3' HUP INT TERM PIPE
h=
if command -v sha256sum >/dev/null; then h=sha256sum; elif command -v shasum >/dev/null; then h='shasum -a 256'; fi

# text WORD: x is the word as it was before its line breaks were marked.
text() {
  x=$1
  case $x in
  *\\*) x=$(printf '%b.' "$x") x=${x%.} ;;
  esac
}
# whole KEY FILE: the file has the content of this key.
whole() {
  x=$($h <"$2") && [ "${x%% *}" = "${1%%.*}" ]
}
# keep KEY NAME FILE
keep() {
  chmod "${1##*.}" "$3" && mv -f "$3" "$s/o/$1" || return 1
  [ "$2" = - ] || ln -f "$s/o/$1" "$s/m/$2" 2>/dev/null || :
}
# into PATH: the directory of a path in the job's stage is there.
into() {
  case $1 in
  */*) mkdir -p "$g/${1%/*}" ;;
  esac
}
# Contents are written to nowhere: who gets a copy may write into it, who gets a link may not.
copied() { into "$3" && cp -p "$s/o/$2" "$g/$3" && chmod "$1" "$g/$3"; }
linked() { into "$2" && { ln "$s/o/$1" "$g/$2" 2>/dev/null || cp -p "$s/o/$1" "$g/$2"; }; }
tree_copied() { into "$2" && cp -Rp "$s/t/$1" "$g/$2" && chmod -R u+w "$g/$2"; }
tree_linked() { into "$2" && { cp -Rl "$s/t/$1" "$g/$2" 2>/dev/null || { rm -rf "$g/$2" && cp -Rp "$s/t/$1" "$g/$2"; }; }; }
placed() { put "$g" "$1"; }
worked() { mkdir -p "$1" && put "$g" "$1"; }
# try COMMAND WORD...: why has what it said, if it failed.
try() { [ -n "$e" ] || why=$("$@" 2>&1) || e=1; }
said() {
  [ -z "$e" ] || printf '\n%s failed %s %s\n' "$t" "$n" "$(printf '%s' "$why" | tr '\n' ' ')"
}
# do_line WORD REST: a directory is made (T KEY, D PATH, F KEY PATH, E); a job gets its files (J NUMBER, C MODE KEY
# PATH, L KEY PATH; of directories c KEY PATH, l KEY PATH), which go into place (P DIRECTORY, W WORKDIR).
do_line() {
  k=${2%% *}
  text "${2#* }"
  case $1 in
  T) k_t=$2 z=; [ ! -e "$s/t/$2" ] || z=1; g=$p/t; [ -n "$z" ] || { rm -rf "$g" && mkdir "$g"; } ;;
  D) [ -n "$z" ] || mkdir -p "$g/$x" ;;
  F) [ -n "$z" ] || linked "$k" "$x" ;;
  E) [ -n "$z" ] || mv "$g" "$s/t/$k_t" ;;
  J) n=$2 e= g=$p/j$2; try mkdir "$g" ;;
  C) x=${2#* }; k_c=${x%% *}; text "${x#* }"; try copied "$k" "$k_c" "$x" ;;
  L) try linked "$k" "$x" ;;
  c) try tree_copied "$k" "$x" ;;
  l) try tree_linked "$k" "$x" ;;
  P) text "$2"; try placed "$x"; said ;;
  W)
    text "$2"
    case $x in
    /*) ;;
    '~' | '~/'*) x=$HOME${x#'~'} ;;
    *) x=$HOME/$x ;;
    esac
    try worked "$x"
    said
    ;;
  esac
}
# line: the next one in l; false behind the last of a list.
line() {
  IFS= read -r l || exit 3
  [ -n "$l" ]
}
# rest DIRECTORY: removes what is in it, but what has a name in k.
rest() {
  v=$1
  shift
  for f in "$v"/*; do
    [ -e "$p/k/${f##*/}" ] || set -- "$@" "$f"
    [ $# -lt 100 ] || { rm -rf "$@"; set --; }
  done
  [ $# -eq 0 ] || rm -rf "$@"
}
# forget: what is named stays, with the directories behind T.
forget() {
  mkdir -p "$p/k" || exit 3
  x=
  while line; do
    x=1 k=${l%% *} l=${l#* }
    : >"$p/k/$k" && : >"$p/k/${l%% *}" || exit 3
  done
  while line; do
    case $l in T' '*) : >"$p/k/${l#T }" || exit 3 ;; esac
  done
  if [ -n "$x" ]; then
    for g in o t in m; do rest "$s/$g"; done
  else
    rm -rf "$s"
  fi
}
# pieces: the stream, as it comes in pieces.
pieces() { while IFS= read -r l && [ "$l" != 0 ]; do head -c "$l" || return; done; }
unpack() { cd "$p/x" && exec tar -xof -; }
# ask: which contents are missing; they stand in need.
ask() {
  while line; do
    k=${l%% *} l=${l#* }
    i=${l%% *} f=$s/in/$k
    [ ! -e "$s/o/$k" ] || continue
    if [ "$w" = look ]; then
      # Where a link was cut in silence, rsync at this end still waits, and has what came.
      for g in "$s/in/.$k."*; do [ ! -e "$g" ] || mv -f "$g" "$f"; done
      [ "$i" = - ] || [ -e "$f" ] || [ ! -e "$s/m/$i" ] || cp "$s/m/$i" "$f"
    elif [ -n "$h" ] && [ -e "$f" ] && whole "$k" "$f"; then
      keep "$k" "$i" "$f" || exit 3
      continue
    else
      rm -f "$f"
      printf '%s %s\n' "$k" "$l" >>"$p/need" || exit 3
    fi
    printf '\n%s need %s\n' "$t" "$k"
  done
}
# take: what is missing comes.
take() {
  if [ -n "$more" ]; then pieces | (unpack); else (unpack); fi || exit 3
  # The last of the stream.
  text "$m"
  [ -e "$p/x/$x" ] || { echo 'the copy broke off' >&2; exit 4; }
  while IFS= read -r l; do
    k=${l%% *} l=${l#* }
    text "${l#* }"
    f=$p/x/$x
    [ -z "$h" ] || whole "$k" "$f" || { printf '\n%s changed %s\n' "$t" "$k"; exit 5; }
    keep "$k" "${l%% *}" "$f" || exit 3
  done <"$p/need"
}
# request: one of them.
request() {
  # The agent has made its directory. Where it is missing the name leads to another machine now.
  # Nor is a machine that was booted since the one that was asked for: what that one had may be torn.
  x= v=
  { IFS= read -r x <"$o/boot"; read -r v </proc/sys/kernel/random/boot_id; } 2>/dev/null
  case $b in
  */slurm-* | */"$v".*) ;;
  *) x=- ;;
  esac
  [ -d "$o" ] && [ "${x:-${b##*/}}" = "${b##*/}" ] || { printf '\n%s elsewhere\n' "$t"; exit 0; }
  case $w in
  drop)
    while line; do rm -f "$s/in/${l%% *}"; done
    while line; do :; done
    printf '\n%s ready\n' "$t"
    return
    ;;
  forget)
    forget
    cleared
    printf '\n%s ready\n' "$t"
    return
    ;;
  esac
  mkdir -p "$s" "$p/x" || exit 3
  { IFS= read -r x <"$s/boot"; } 2>/dev/null || x=
  if [ "$x" != "$b" ]; then
    # A power cut may have taken a part of what is here: it counts once it was looked at again.
    rm -rf "$s/in" "$s/t"
    [ ! -d "$s/o" ] || mv "$s/o" "$s/in"
    mkdir -p "$s/in" "$s/o" "$s/t" "$s/m" && printf '%s\n' "$b" >"$s/boot" || exit 3
  fi
  ask
  : >"$p/do" || exit 3
  while line; do printf '%s\n' "$l" || exit 3; done >"$p/do"
  # What the login shell wrote may end in the middle of a line.
  printf '\n%s ready%s\n' "$t" "$more"
  [ "$w" != look ] || return
  [ ! -e "$p/need" ] || take
  while IFS= read -r l; do do_line "${l%% *}" "${l#* }" || exit 3; done <"$p/do"
  cleared
  printf '\n%s done\n' "$t"
}
while IFS= read -r t && IFS= read -r m && IFS= read -r w; do
  request
  [ -n "$more" ] || exit 0
done
exit 0
