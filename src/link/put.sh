# Puts files into place, for stage.sh and send.sh. POSIX sh (dash, bash, busybox ash).
#
# put FROM TO: what is in one directory into another that is there, file by file; each is replaced in one step.
put() {
  a=$1 b=$2
  shift 2
  for e in "$a"/* "$a"/.[!.]* "$a"/..?*; do
    [ -e "$e" ] || [ -L "$e" ] || continue
    n=$b/${e##*/}
    if [ -L "$e" ] || [ ! -d "$e" ]; then
      [ -L "$n" ] || [ ! -d "$n" ] || { echo "$n is a directory there" >&2; return 1; }
      # It is there already, as another link to the same content, which `mv` refuses.
      [ -L "$e" ] || [ -L "$n" ] || [ ! "$e" -ef "$n" ] || continue
      set -- "$@" "$e"
      [ $# -lt 100 ] || { mv -f "$@" "$b/" || return 1; set --; }
    elif [ -d "$n" ]; then
      (put "$e" "$n") || return 1
    elif [ -w "$e" ]; then
      mv -f "$e" "$b/" || return 1
    else
      chmod u+w "$e" && mv -f "$e" "$b/" && chmod u-w "$n" || return 1
    fi
  done
  [ $# -eq 0 ] || mv -f "$@" "$b/"
}
