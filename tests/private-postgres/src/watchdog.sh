# Runs a server for as long as it is needed: what started this may be killed without a farewell.
#
# watchdog.sh pipe|SECONDS PLACE PG_ISREADY SIGNAL SERVER [ARGUMENT...]
#
# Says "ready" when connections are accepted. Then, with `pipe`, it is needed until standard input
# ends; a line "keep" before that leaves the directory where it is. Otherwise it is needed until
# nobody has locked the file that is standard input for so many seconds. The signal ends it at once.
needed=$1 place=$2 ready=$3 signal=$4
shift 4

if [ "$needed" != pipe ] && ! command -v flock >/dev/null; then
  echo "flock is missing: install util-linux"
  exit 1
fi

"$@" </dev/null >>"$place/log" 2>&1 &
server=$!
trap '' PIPE # whoever wanted to know may be gone

tries=0
until "$ready" -q -h "$place"; do
  if [ "$tries" -ge 1200 ] || ! kill -0 "$server" 2>/dev/null; then
    echo failed
    kill -s "$signal" "$server" 2>/dev/null
    wait "$server"
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

kill -s "$signal" "$server" 2>/dev/null
wait "$server"
[ "$word" = keep ] || rm -rf "$place"
