#!/bin/bash
# Runs the crate's tests where this machine isn't: on 64-bit Arm (NEON for real), 32-bit x86, big-endian s390x, and an x86-64 without AVX2.
#
#   ws-mask/tests/emulated.sh [aarch64|i686|s390x|nehalem ...]      (all of them, if none is named)
#
# The foreign standard libraries are those of Debian's Rust 1.85, unpacked (not installed) under target/emulated, so the run also holds
# the crate's rust-version. What is missing of qemu and the cross linkers is installed with apt-get where we are root.
# A machine that can't do it skips with a loud message and exit status 0; EMULATED=required makes that a failure.
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly home=$PWD/target/emulated rust=1.85
readonly packages="qemu-user-static libllvm19 gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-i686-linux-gnu libc6-dev-i386-cross
  gcc-s390x-linux-gnu libc6-dev-s390x-cross"

skip() {
  printf '\n*** SKIPPED: ws-mask under emulation: %s ***\n\n' "$1" >&2
  [ "${EMULATED:-}" != required ] && exit 0
  exit 1
}

# apt-get fails now and then and goes through when repeated.
twice() { "$@" || "$@"; }

need_packages() {
  command -v apt-get >/dev/null || skip "no apt-get"
  # shellcheck disable=SC2086
  dpkg -s $packages >/dev/null 2>&1 && return
  [ "$(id -u)" = 0 ] || skip "packages are missing, and only root can install them: $packages"
  # shellcheck disable=SC2086
  { apt-get -q update && DEBIAN_FRONTEND=noninteractive twice apt-get -q install -y --no-install-recommends $packages; } \
    >"$home/apt.log" 2>&1 || skip "apt-get install failed; see $home/apt.log"
}

# Fetches and unpacks one Debian package of another architecture, without telling this system's dpkg of it.
unpack_std() { # ARCH VERSION
  local of=$home/apt-$1
  mkdir -p "$of/lists/partial" "$of/archives/partial"
  : >"$of/status"
  local apt=(apt-get -q -o "APT::Architecture=$1" -o "APT::Architectures::=$1" -o "Dir::State::lists=$of/lists"
    -o "Dir::State::status=$of/status" -o "Dir::Cache=$of")
  "${apt[@]}" update || true # its complaints about other architectures' lists do no harm
  twice "${apt[@]}" download "libstd-rust-web-dev:$1=$2"
}

need_rust() {
  [ -e "$home/rust/complete" ] && return
  local version
  version=$(apt-cache madison rustc-web | awk -v v="$rust" 'index($3, v) == 1 { print $3; exit }')
  [ -n "$version" ] || skip "Debian's rustc-web $rust is not in reach"
  rm -rf "$home/rust" && mkdir -p "$home/rust" "$home/debs"
  (
    cd "$home/debs"
    twice apt-get -q download "rustc-web=$version" "libstd-rust-web-$rust=$version" "libstd-rust-web-dev=$version"
    for arch in arm64 i386 s390x; do unpack_std "$arch" "$version"; done
    for deb in *.deb; do dpkg -x "$deb" "$home/rust"; done
  ) >"$home/rust.log" 2>&1 || skip "could not fetch Rust $rust; see $home/rust.log"
  rm -rf "$home/debs" "$home"/apt-*/
  printf '#!/bin/sh\nLD_LIBRARY_PATH=%s/usr/lib/x86_64-linux-gnu exec %s/usr/bin/rustc "$@"\n' "$home/rust" "$home/rust" >"$home/rustc"
  chmod +x "$home/rustc"
  touch "$home/rust/complete"
}

# One run; KERNELS are those that must be available and exercised, no fewer and no more ('' where the host's CPU decides).
run() { # TITLE TARGET RUNNER KERNELS [VARIABLE=VALUE ...]
  local title=$1 target=$2 runner=$3 kernels=$4 upper
  shift 4
  upper=$(tr a-z- A-Z_ <<<"$target")
  printf '== ws-mask on %s\n' "$title"
  env "CARGO_TARGET_${upper}_RUNNER=$runner" ${kernels:+"WS_MASK_KERNELS=$kernels"} "$@" \
    cargo test --locked -q -p ws-mask --target "$target" --target-dir "$home/target" --lib --tests -- --nocapture
}

on() {
  local foreign=("RUSTC=$home/rustc")
  case $1 in
    aarch64) run "aarch64 (qemu)" aarch64-unknown-linux-gnu "qemu-aarch64-static -L /usr/aarch64-linux-gnu" "neon words" \
      "${foreign[@]}" CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc ;;
    i686) run "i686 (native)" i686-unknown-linux-gnu "/usr/i686-linux-gnu/lib/ld-linux.so.2 --library-path /usr/i686-linux-gnu/lib" "" \
      "${foreign[@]}" CARGO_TARGET_I686_UNKNOWN_LINUX_GNU_LINKER=i686-linux-gnu-gcc ;;
    s390x) run "s390x, big-endian (qemu)" s390x-unknown-linux-gnu "qemu-s390x-static -L /usr/s390x-linux-gnu" "words" \
      "${foreign[@]}" CARGO_TARGET_S390X_UNKNOWN_LINUX_GNU_LINKER=s390x-linux-gnu-gcc ;;
    nehalem) run "x86-64 without AVX2 (qemu)" x86_64-unknown-linux-gnu "qemu-x86_64-static -cpu Nehalem" "sse2 words" ;;
    *) printf 'unknown machine: %s\n' "$1" >&2 && exit 2 ;;
  esac
}

[ "$(uname -sm)" = "Linux x86_64" ] || skip "not an x86-64 Linux"
mkdir -p "$home"
need_packages
need_rust
for machine in "${@:-aarch64 i686 s390x nehalem}"; do
  for one in $machine; do on "$one"; done
done
