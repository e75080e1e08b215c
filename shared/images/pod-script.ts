import { packagesAfter, packagesBefore } from './guest-paths.ts'

/**
 * The script that a pod customizes a disk with. It never changes: what is to be done comes by the environment and by the
 * files beside it. It ends with one line of JSON as the container's termination message, which is all that the cluster
 * shows of it: what changed, or a reason. `report.ts` reads that line.
 *
 * Besides virt-customize and virt-cat it needs bash, grep and coreutils, which every image of libguestfs has.
 */
export const podScript = `#!/bin/bash
set -euo pipefail
export LC_ALL=C

# Text that comes from a guest stands in events and in people's terminals: printable, short, and a JSON string.
fail() {
  trap - EXIT
  local text=\${1//[^ -~]/ }
  text=\${text:0:1000}
  echo "error: $text" >&2
  text=\${text//\\\\/\\\\\\\\}
  printf '{"reason":"%s"}' "\${text//\\"/\\\\\\"}" >"$TERMINATION_LOG"
  exit 1
}
trap 'status=$?; [ "$status" -eq 0 ] || fail "Cannot customize the disk: the script ended with $status"' EXIT

# Every line of every mounted secret, the longest first: one may be a part of another.
secret_lines() {
  local file line
  for file in secrets/*/*; do
    [ -f "$file" ] || continue
    while IFS= read -r line || [ -n "$line" ]; do
      line=\${line%$'\\r'}
      [ -z "$line" ] || printf '%09d %s\\n' "\${#line}" "$line"
    done <"$file"
  done | sort -r | cut -c 11-
}

# A guest's scripts and tools say what they like, and virt-customize shows it when they fail.
redact() {
  local line secret
  while IFS= read -r line || [ -n "$line" ]; do
    for secret in "\${secrets[@]}"; do line=\${line//"$secret"/[redacted]}; done
    printf '%s\\n' "$line"
  done
}

last_error() {
  { grep -a '^virt-customize: error: ' "$log" || echo 'virt-customize failed and did not say why'; } | tail -n 1
}

packages() { # before or after
  { grep -a "^$1 " "$work/listed" || true; } | cut -d ' ' -f 2,3 | tr -cd 'A-Za-z0-9._+:~^()\\n -' | sort -u
}

# At most 4096 bytes of a message are kept, and a list that is cut in the middle would not be JSON.
report() {
  virt-cat --format=raw -a "$DISK" ${packagesBefore} ${packagesAfter} >"$work/listed" ||
    fail 'Cannot tell what changed: the list of packages could not be read'
  packages before >"$work/before"
  packages after >"$work/after"
  comm -23 "$work/before" "$work/after" >"$work/gone"
  comm -13 "$work/before" "$work/after" >"$work/come"
  join -a 1 -a 2 -e none -o 0,1.2,2.2 "$work/gone" "$work/come" >"$work/changes"
  local name from to change changed='' truncated=false
  while read -r name from to; do
    change="\\"$name $from -> $to\\""
    if [ $((\${#changed} + \${#change})) -gt 3900 ]; then
      truncated=true
      break
    fi
    changed+=\${changed:+,}$change
  done <"$work/changes"
  printf '{"before":%d,"changes":%d,"changed":[%s],"truncated":%s}' \\
    "$(wc -l <"$work/before")" "$(wc -l <"$work/changes")" "$changed" "$truncated" >"$TERMINATION_LOG"
}

cd "$CUSTOMIZE_DIR"
work=$(mktemp -d "$LIBGUESTFS_TMPDIR/customize.XXXXXX")
log=$work/log
mapfile -t secrets < <(secret_lines)

[ -f "$DISK" ] || [ -b "$DISK" ] || fail "Cannot open the disk $DISK: it is not there"
(: <>"$DISK") 2>/dev/null || fail "Cannot open the disk $DISK: user $(id -u) may not write to it"

# Relabelling had to be asked for once, and has to be declined since; each tool knows only its own option.
relabel=()
case $(virt-customize --long-options) in
  *--no-selinux-relabel*) [ "$SELINUX_RELABEL" = true ] || relabel=(--no-selinux-relabel) ;;
  *) [ "$SELINUX_RELABEL" = false ] || relabel=(--selinux-relabel) ;;
esac

# --format says nothing about a disk that was named before it; without it the guest could choose what its disk is read as.
virt-customize --format=raw -a "$DISK" "\${relabel[@]}" --commands-from-file files/commands 2>&1 | redact | tee "$log" ||
  fail "$(last_error)"

if [ "$REPORT" = true ]; then report; else printf '{}' >"$TERMINATION_LOG"; fi
`
