import type { GuestCustomization } from '../schema/guest-customization.ts'
import { quoted } from '../shell-word.ts'
import { credentialsFolder } from './guest-paths.ts'

/**
 * The script that removes, updates and installs packages inside the guest; undefined when there is nothing to do. A
 * subscription lasts as long as this script: it is given back in a trap, so that no end of it leaves the guest registered.
 * virt-customize had options for that (`--sm-register` and others) until guestfs-tools 1.56.
 */
export function packagesScript({ subscription, update, packages }: GuestCustomization): string | undefined {
  const { install = [], remove = [] } = packages ?? {}
  if (!subscription && !update && install.length === 0 && remove.length === 0) return undefined
  return [
    start,
    ...(subscription ? [subscribed] : []),
    managers,
    ...(remove.length > 0 ? [`remove_packages ${remove.map(quoted).join(' ')}`] : []),
    ...(update || install.length > 0 ? ['refresh'] : []),
    ...(update ? ['update_packages'] : []),
    ...(install.length > 0 ? [`install_packages ${install.map(quoted).join(' ')}`] : []),
    '',
  ].join('\n')
}

const start = `#!/bin/sh
set -eu

fail() {
  echo "error: $1" >&2
  exit 1
}

# An image-mode guest has its packages in its image; what is changed here it would lose or refuse.
[ ! -d /ostree ] || fail 'this guest is made of an image (/ostree), its packages cannot be changed on the disk'
`

// Files of the appliance that have not reached the disk are lost when virt-customize ends with an error: hence the sync.
const subscribed = `credentials=${credentialsFolder}
registered=no

leave() {
  status=$?
  trap '' HUP INT TERM
  if ! subscription-manager unregister && [ "$registered" = yes ]; then
    echo 'error: the subscription could not be given back' >&2
    [ "$status" -ne 0 ] || status=1
  fi
  subscription-manager clean || true
  rm -rf "$credentials"
  sync
  exit "$status"
}

# A machine's own registration is used as it is, and is not ours to end.
if [ -s /etc/pki/consumer/cert.pem ]; then
  trap 'rm -rf "$credentials"; sync' EXIT
  trap 'exit 1' HUP INT TERM
else
  trap leave EXIT
  trap 'exit 1' HUP INT TERM
  subscription-manager register --org="$(cat "$credentials/org")" --activationkey="$(cat "$credentials/activationKey")"
  registered=yes
fi
`

const managers = `if command -v dnf >/dev/null; then
  refresh() { :; }
  remove_packages() { dnf -y remove "$@"; }
  update_packages() { dnf -y upgrade; }
  install_packages() { dnf -y install "$@"; }
elif command -v yum >/dev/null; then
  refresh() { :; }
  remove_packages() { yum -y remove "$@"; }
  update_packages() { yum -y update; }
  install_packages() { yum -y install "$@"; }
elif command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  # Nobody is there to ask: a configuration file that was changed by hand stays.
  apt() { apt-get -q -y -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"; }
  refresh() { apt update; }
  remove_packages() { apt remove "$@"; }
  update_packages() { apt upgrade; }
  install_packages() { apt install "$@"; }
elif command -v zypper >/dev/null; then
  refresh() { zypper -n refresh; }
  remove_packages() { zypper -n remove "$@"; }
  update_packages() { zypper -n update; }
  install_packages() { zypper -n install "$@"; }
else
  fail 'this guest has none of dnf, yum, apt-get and zypper'
fi
`
