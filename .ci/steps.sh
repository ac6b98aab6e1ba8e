# shellcheck shell=bash
# Named steps with their times, and one table of them at the end; sourced by run and test, which share the table.

logs=target/ci-logs
mkdir -p "$logs"
if [ -z "${CI_TABLE:-}" ]; then
  export CI_TABLE=$logs/table CI_BEGIN=$(date +%s)
  : >"$CI_TABLE"
fi
crates=(ws-mask ws-core ws-tokio ws-json)

# step NAME COMMAND...: output goes to a log, which is shown when the step fails; descriptor 3 is for what is worth
# seeing anyway, its last line for the table too. Exit status 77 means skipped, for the reason that the last line of
# output gives.
step() {
  local name=$1 log="$logs/${1//[ ,]/-}.log" begin=$SECONDS status result=passed said
  shift
  echo "--- $name"
  set +e
  (set -e; "$@") 3>"$log.said" >"$log" 2>&1 </dev/null
  status=$?
  set -e
  said=$(tail -n 1 "$log.said")
  case $status in
    0) ;;
    77) result=SKIPPED said=$(tail -n 1 "$log") ;;
    *) result=FAILED said="exit status $status, see $log"; tail -n 200 "$log"; failures "$log" ;;
  esac
  cat "$log.said"
  printf '%-8s %4d s  %-28s %s\n' "$result" $((SECONDS - begin)) "$name" "$said" | tee -a "$CI_TABLE"
}

# What failed in a long log of Node's tests, and why.
failures() {
  grep -A 25 '^not ok' "$1" || true
}

# How many tests the step's log tells of, doc tests included.
tally() {
  awk '/^test result:/ { passed += $4; ignored += $8 }
    END { print passed + 0 " tests" (ignored ? ", " ignored " ignored" : "") }' "$log" >&3
}

# A step of which something could not be tested tells so in lines of their own, and ends well.
told_of_skips() {
  local skipped
  skipped=$(grep -o 'SKIPPED: .*' "$log" | sort -u) || return 0
  echo "${skipped//SKIPPED: /}" | paste -sd';'
  exit 77
}

# The last command of a script: its status is that of all steps together.
summary() {
  printf '\n=== summary\n'
  cat "$CI_TABLE"
  awk -v seconds=$(($(date +%s) - CI_BEGIN)) '
    $1 == "passed" { passed++ } $1 == "SKIPPED" { skipped++ } $1 == "FAILED" { failed++ }
    { for (i = 2; i <= NF; i++) if ($i ~ /^tests/) tests += $(i - 1) }
    END { printf "%d steps passed, %d skipped, %d failed; %d tests; %d s\n", passed, skipped, failed, tests, seconds }' "$CI_TABLE"
  if grep -q '^SKIPPED' "$CI_TABLE"; then echo 'NOT EVERYTHING WAS TESTED HERE: see SKIPPED above'; fi
  ! grep -q '^FAILED' "$CI_TABLE"
}
