/**
 * The script that takes out of a disk what has to be another in each machine that is made from it. Cloud images come with an
 * empty machine-id, and virt-customize fills it in for packages that want one: machines with the same one get the same
 * address from a DHCP server, and their journals cannot be told apart. The keys of SSH are made anew by cloud-init.
 * Never for a machine's own disk: it would be another machine after that.
 */
export const sealScript = `#!/bin/sh
set -eu
if [ -f /etc/machine-id ]; then : >/etc/machine-id; fi
if [ ! -L /var/lib/dbus/machine-id ]; then rm -f /var/lib/dbus/machine-id; fi
`
