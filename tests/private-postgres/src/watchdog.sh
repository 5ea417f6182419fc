# Runs a server for as long as it is needed: what started this may be killed without a farewell.
#
# watchdog.sh pipe|SECONDS PLACE PG_ISREADY SIGNAL PID_FILE SERVER [ARGUMENT...]
#
# Says "ready" when connections are accepted; `true` is always ready. Then, with `pipe`, it is needed
# until standard input ends; a line "keep" before that leaves the directory where it is, and so does
# "crash", which ends everything as a machine does that loses its power. Otherwise it is needed until
# nobody has locked the file that is standard input for so many seconds. The signal ends it at once,
# and then QUIT ends the server that it has started itself, which the file in the directory names.
needed=$1 place=$2 ready=$3 signal=$4 pid_file=$5
shift 5

if [ "$needed" != pipe ] && ! command -v flock >/dev/null; then
  echo "flock is missing: install util-linux"
  exit 1
fi

# Ends the server, then the one that it has started, with this signal.
end() {
  kill -s "$signal" "$server" 2>/dev/null
  wait "$server"
  if [ "$pid_file" != - ] && read -r started <"$place/$pid_file"; then
    # It may have been made to stand still, with its children.
    kill -s "$1" "$started"
    kill -s CONT "$started" $(cat "/proc/$started/task/$started/children")
    tries=0
    while [ "$1" = QUIT ] && [ "$tries" -lt 200 ] && [ -e "$place/$pid_file" ]; do
      tries=$((tries + 1))
      sleep 0.05
    done
    rm -f "$place/$pid_file" # its number may soon be another's
  fi 2>/dev/null
  return 0
}

"$@" </dev/null >>"$place/log" 2>&1 &
server=$!
trap '' PIPE # whoever wanted to know may be gone

tries=0
until "$ready" -q -h "$place"; do
  if [ "$tries" -ge 1200 ] || ! kill -0 "$server" 2>/dev/null; then
    echo failed
    end QUIT
    exit 1
  fi
  tries=$((tries + 1))
  sleep 0.05
done
echo ready
exec >/dev/null

word=
if [ "$needed" = pipe ]; then
  read -r word
else
  idle=0
  while kill -0 "$server" 2>/dev/null; do
    if flock -n 0; then
      [ "$idle" -lt "$needed" ] || break # with the lock held: who comes now waits, and starts another
      idle=$((idle + 1))
    else
      idle=0
      flock 0
    fi
    flock -u 0
    sleep 1
  done
fi

case $word in
  crash) signal=KILL && end KILL ;;
  keep) end QUIT ;;
  *) end QUIT && rm -rf "$place" ;;
esac
