#!/bin/sh
# cms: one file that carries the Deno executable and the bundled program. This header unpacks both once into a cache of
# the user, in a directory named by their hash, and becomes the program (exec: same pid, signals and exit status are its
# own). After the last line of this text come two gzip streams: the executable, the program. See scripts/compile/ in the
# sources. POSIX sh: dash, bash, busybox ash, zsh. A warm start runs no other program before the exec.

# All names begin with cms_: one that the user exports would reach the program's children with a value of ours.
cms_hash='@HASH@'
cms_text_bytes=@TEXT_BYTES@
cms_runtime_bytes=@RUNTIME_BYTES@
cms_program_bytes=@PROGRAM_BYTES@
# NAME:BYTES of the files of the program, in their order in its stream.
cms_parts='@PARTS@'

# 126: found, but cannot be run. One line; `why` may hold several from another program.
die() {
  printf 'ERROR: Cannot start "%s": %s\n' "$cms_self" "$(printf '%s' "$1" | tr -s '\n' ' ')" >&2
  exit 126
}

# What the user set for Deno or Node of their own must neither break this start nor be lost to the program's children:
# it moves to CMS_KEPT_NAME. CMS_KEPT lists the names that the program gives back (src/cli/restore_env.ts); those
# without a kept value were not set. A line of some value that looks like a name does no harm: only what is set is
# moved.
keep_environment() {
  [ -z "${ZSH_VERSION-}" ] || setopt sh_word_split
  CMS_KEPT='DENO_DIR DENO_NO_UPDATE_CHECK DENO_DISABLE_NODE_SHIM DENO_TOKIO_EVENT_INTERVAL'
  for cms_name in $CMS_KEPT; do unset "CMS_KEPT_$cms_name"; done
  cms_lines=$(export -p)
  cms_old_ifs=$IFS
  IFS='
'
  set -f
  for cms_line in $cms_lines; do
    cms_name=${cms_line%%=*}
    cms_name=${cms_name##* }
    case $cms_name in
      *[!A-Za-z0-9_]*) continue ;;
      DENO_?* | NODE_?* | OTEL_DENO*) ;;
      *) continue ;;
    esac
    eval "[ -n \"\${$cms_name+set}\" ]" || continue
    eval "CMS_KEPT_$cms_name=\$$cms_name; export CMS_KEPT_$cms_name; unset $cms_name"
    case " $CMS_KEPT " in *" $cms_name "*) ;; *) CMS_KEPT="$CMS_KEPT $cms_name" ;; esac
  done
  set +f
  IFS=$cms_old_ifs
  export CMS_KEPT
}

# True if nobody but this user (or root) put it there: a cache that somebody else planted is never executed.
trusted() {
  [ -O "$1" ] && return 0
  cms_facts=$(LC_ALL=C PATH="/usr/bin:/bin:$PATH" ls -ldn "$1" 2>/dev/null) || return 1
  case $cms_facts in d*) ;; *) return 1 ;; esac
  set -- $cms_facts
  [ "$3" = 0 ]
}

# The fallback is in a directory where everybody may write: it must be a real one, ours, and closed to others.
private() {
  cms_facts=$(LC_ALL=C PATH="/usr/bin:/bin:$PATH" ls -ldn "$1" 2>/dev/null) || return 1
  set -- $cms_facts
  case $1 in d????-??-*) ;; *) return 1 ;; esac
  [ "$3" = "$cms_uid" ]
}

ready() {
  [ -s "$1/$cms_hash/main.mjs" ] && [ -x "$1/$cms_hash/deno" ] && trusted "$1/$cms_hash"
}

runtime_gz() { tail -c "+$((cms_text_bytes + 1))" "$cms_self" | head -c "$cms_runtime_bytes"; }
program_gz() { tail -c "$cms_program_bytes" "$cms_self"; }
gunzip_to() { GZIP='' gzip -dc >"$1"; }

# Cuts the stream of the program into its files.
split_program() {
  cms_at=1
  for cms_part in $cms_parts; do
    tail -c "+$cms_at" "$cms_temp/program" | head -c "${cms_part##*:}" >"$cms_temp/${cms_part%%:*}" || return 1
    cms_at=$((cms_at + ${cms_part##*:}))
  done
}

# main.mjs comes last.
move_program() {
  for cms_part in $cms_parts; do
    cms_file=${cms_part%%:*}
    [ "$cms_file" = main.mjs ] || mv -f "$cms_temp/$cms_file" "$cms_target/$cms_file" || return 1
  done
  mv -f "$cms_temp/main.mjs" "$cms_target/main.mjs"
}

# Unpacks below the cache directory $1; on failure leaves the reason in `why`. Each file is complete before a rename
# shows it and is the same whoever unpacks it, so first runs may race; main.mjs comes last and says that all is there.
unpack() {
  cms_target=$1/$cms_hash
  cms_why="the cache directory $1 is not writable"
  mkdir -p "$cms_target" 2>/dev/null || return 1
  trusted "$cms_target" || { cms_why="$cms_target belongs to another user"; return 1; }
  cms_temp=$(mktemp -d "$cms_target/.unpack.XXXXXX" 2>/dev/null) || return 1
  trap 'rm -rf "$cms_temp"' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  # What a killed first run left; a day is longer than any that still goes on.
  find "$1" -maxdepth 2 -name '.unpack.*' -mtime +0 -exec rm -rf {} + 2>/dev/null
  cms_ok=no
  # The trial shows a place that is mounted noexec, and a system without the libraries.
  if { runtime_gz | gunzip_to "$cms_temp/deno"; } 2>"$cms_temp/why" &&
    { program_gz | gunzip_to "$cms_temp/program"; } 2>"$cms_temp/why" &&
    { split_program "$cms_temp"; } 2>"$cms_temp/why" &&
    chmod 755 "$cms_temp/deno" && { "$cms_temp/deno" --version >/dev/null; } 2>"$cms_temp/why"; then
    if ready "$1"; then
      cms_ok=yes # another first run was faster
    else
      # Without this a power cut soon after could leave files that have their names but not their bytes.
      sync "$cms_temp/deno" "$cms_temp"/*.mjs 2>/dev/null
      mv -f "$cms_temp/deno" "$cms_target/deno" && move_program && cms_ok=yes
    fi
  else
    cms_why="cannot unpack into $cms_target: $(cat "$cms_temp/why" 2>/dev/null)"
  fi
  rm -rf "$cms_temp"
  trap - EXIT HUP INT TERM
  [ "$cms_ok" = yes ]
}

# The slow part, once per version and user: finds a place that can be written and executed, or dies.
first_run() {
  cms_old_path=${PATH-}
  PATH="/usr/bin:/bin:$PATH"
  for cms_tool in cat chmod find gzip head mktemp mv rm tail tr wc; do
    command -v "$cms_tool" >/dev/null || die "the program \"$cms_tool\" is missing, which the first run needs to unpack it"
  done
  cms_size=$(($(wc -c <"$cms_self")))
  cms_expected=$((cms_text_bytes + cms_runtime_bytes + cms_program_bytes))
  [ "$cms_size" -eq "$cms_expected" ] || die "the file is incomplete ($cms_size bytes of $cms_expected): copy it again"
  cms_old_umask=$(umask)
  umask 022
  if [ -n "$cms_home_cache" ] && unpack "$cms_home_cache"; then
    cms_cache=$cms_home_cache
  else
    # Distinguishes a bad file from a bad place before a second place is tried.
    { runtime_gz | gunzip_to /dev/null && program_gz | gunzip_to /dev/null; } 2>/dev/null ||
      die 'the file is damaged (its checksum is wrong): copy it again'
    mkdir -m 700 "$cms_fallback" 2>/dev/null
    private "$cms_fallback" || die "${cms_why:+$cms_why; }$cms_fallback is not a private directory of this user"
    unpack "$cms_fallback" || die "$cms_why"
    cms_cache=$cms_fallback
  fi
  umask "$cms_old_umask"
  PATH=$cms_old_path
}

main() {
  # A shell that found the script on PATH, or `sh cms`, gives a bare name.
  case $1 in
    /*) cms_self=$1 ;;
    */*) cms_self=$PWD/$1 ;;
    *) if [ -f "./$1" ]; then cms_self=$PWD/$1; else cms_self=$(command -v -- "$1"); fi ;;
  esac
  CMS_SELF=$cms_self
  CMS_CALLED_AS=${1##*/}
  shift
  export CMS_SELF CMS_CALLED_AS
  # A write beyond `ulimit -f` then fails and is told of, where the program would be ended without a word.
  trap '' XFSZ
  keep_environment

  cms_why=
  cms_home_cache=
  case ${XDG_CACHE_HOME-} in
    /*) cms_home_cache=$XDG_CACHE_HOME/cms ;;
    *) case ${HOME-} in /*) cms_home_cache=$HOME/.cache/cms ;; esac ;;
  esac
  if [ -n "$cms_home_cache" ] && ready "$cms_home_cache"; then
    cms_cache=$cms_home_cache
  else
    cms_uid=$(PATH="/usr/bin:/bin:${PATH-}" id -u)
    cms_fallback=/tmp/cms-$cms_uid
    if private "$cms_fallback" && ready "$cms_fallback"; then cms_cache=$cms_fallback; else first_run; fi
  fi

  # The cache of compiled code lives beside the program. Where it cannot be written Deno does without.
  DENO_DIR=$cms_cache/$cms_hash/state DENO_NO_UPDATE_CHECK=1
  # Where there is no node, Deno would put a directory with one of its own at the head of the children's PATH.
  DENO_DISABLE_NODE_SHIM=1
  # While there is work, Deno looks for what has come from outside once in so many turns of its loop, by itself in 61: a
  # busy service would take no connection for a second and more.
  DENO_TOKIO_EVENT_INTERVAL=1
  export DENO_DIR DENO_NO_UPDATE_CHECK DENO_DISABLE_NODE_SHIM DENO_TOKIO_EVENT_INTERVAL
  # Behind options this Deno takes up to two carriage returns off the end of each argument.
  case $* in
    *[[:cntrl:]]*)
      cms_cr=$(printf '\r')
      for cms_word; do
        shift
        case $cms_word in *"$cms_cr") cms_word=$cms_word$cms_cr$cms_cr ;; esac
        set -- "$@" "$cms_word"
      done
      ;;
  esac
  # No `--` before the script: Deno would take it for the script's place and refuse.
  exec "$cms_cache/$cms_hash/deno" run --quiet --cached-only --no-config --no-lock --no-remote --no-npm @FLAGS@ \
    "$cms_cache/$cms_hash/main.mjs" "$@"
}

main "$0" "$@"
exit 126
