# The agent, a part of its hello: the launcher. agent.sh says the rules.
#
# A job needs a session of its own and the signals of a login. setsid(1) and env(1) can give both, and are two programs
# that a start has to load before the job's shell: more work than all else of a job that does nothing. The launcher does
# both in one step, and needs no library: `launch PROGRAM ARG...`. It is these 218 bytes of machine code, which each
# resident agent writes anew into its own directory. Where it cannot be run, or does not do what it must (another kind
# of processor, no room, a disk from which nothing is run), jobs are started by setsid and env.

# c_launcher: the launcher in c_go; empty where there is none.
c_launcher() {
  c_go='' c_x=$c_own/launch
  [ -z "$c_bare" ] || { rm -f "$c_x"; return 0; }
  # To run what is for another processor would be to run it as a script.
  [ "$(uname -m)" = x86_64 ] || return 0
  {
    # ELF, 64 bits; an executable for x86-64, entry 0x400078; one segment
    printf '\177\105\114\106\002\001\001\000\000\000\000\000\000\000\000\000'
    printf '\002\000\076\000\001\000\000\000\170\000\100\000\000\000\000\000\100\000\000\000\000\000\000\000'
    printf '\000\000\000\000\000\000\000\000\000\000\000\000\100\000\070\000\001\000\000\000\000\000\000\000'
    # the segment: all of the file, at 0x400000, to be read and executed
    printf '\001\000\000\000\005\000\000\000\000\000\000\000\000\000\000\000\000\000\100\000\000\000\000\000'
    printf '\000\000\100\000\000\000\000\000\332\000\000\000\000\000\000\000\332\000\000\000\000\000\000\000'
    printf '\000\020\000\000\000\000\000\000'
    # system call 112: a session of its own
    printf '\152\160\130\017\005'
    # rbx: argc, argv and what follows
    printf '\110\211\343'
    # what to do with a signal, in zeros: as by default
    printf '\061\322\122\122\122\122\110\211\346'
    # system call 13, 8 bytes of mask: this for SIGINT
    printf '\152\010\101\132\152\002\137\152\015\130\017\005'
    # the same for SIGQUIT
    printf '\377\307\152\015\130\017\005'
    # rdx: the environment
    printf '\110\213\003\110\215\124\303\020'
    # system call 59: becomes argv[1] with these arguments, and this environment
    printf '\110\213\173\020\110\215\163\020\152\073\130\017\005'
    # any other error than ENOEXEC: on to the end
    printf '\203\370\370\165\024'
    # a script without a first line of its own: becomes /bin/sh with it as the first argument
    printf '\110\215\075\025\000\000\000\110\211\173\010\110\215\163\010\152\073\130\017\005'
    # exit(127)
    printf '\152\177\137\152\074\130\017\005'
    # "/bin/sh"
    printf '\057\142\151\156\057\163\150\000'
  } >"$c_x.new" && chmod 700 "$c_x.new" && mv -f "$c_x.new" "$c_x" || return 0
  c_i=$(command -v grep)
  c_v=$({ exec "$c_x" "$c_i" -E '^(NSpid|NSsid|SigIgn):' /proc/self/status; } & wait)
  # Is its session its own, and are SIGINT and SIGQUIT (bits 1 and 2) not ignored?
  case $c_v in NSpid:*"$c_nl"NSsid:*"$c_nl"SigIgn:*[0189]) ;; *) return 0 ;; esac
  c_d=${c_v#*NSsid:} c_v=${c_v#NSpid:}
  [ "${c_v%%"$c_nl"*}" != "${c_d%%"$c_nl"*}" ] || c_go=$c_x
}
