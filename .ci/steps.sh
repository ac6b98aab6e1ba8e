# shellcheck shell=bash
# Named steps with their times, and one table of them at the end; sourced by run and test, which share the table.

logs=target/ci
mkdir -p "$logs"
if [ -z "${CI_TABLE:-}" ]; then
  export CI_TABLE=$logs/table
  : >"$CI_TABLE"
fi
crates=(ws-mask ws-core ws-tokio ws-json)

# step NAME COMMAND...: output goes to a log, which is shown when the step fails; descriptor 3 is for what is worth
# seeing anyway. Exit status 77 means skipped, for the reason that the last line of output gives.
step() {
  local name=$1 log="$logs/${1//[ ,]/-}.log" begin=$SECONDS status result=passed reason=''
  shift
  echo "--- $name"
  set +e
  (set -e; "$@") 3>&1 >"$log" 2>&1 </dev/null
  status=$?
  set -e
  case $status in
    0) ;;
    77) result=SKIPPED reason=$(tail -n 1 "$log") ;;
    *) result=FAILED reason="exit status $status, see $log"; tail -n 200 "$log" ;;
  esac
  printf '%-8s %4d s  %s%s\n' "$result" $((SECONDS - begin)) "$name" "${reason:+: $reason}" | tee -a "$CI_TABLE"
}

# The last command of a script: its status is that of all steps together.
summary() {
  printf '\n=== summary\n'
  cat "$CI_TABLE"
  if grep -q '^SKIPPED' "$CI_TABLE"; then echo 'NOT EVERYTHING WAS TESTED HERE: see SKIPPED above'; fi
  ! grep -q '^FAILED' "$CI_TABLE"
}
