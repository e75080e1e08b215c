import { quoted } from '../shell-word.ts'
import { packagesAfter, packagesBefore } from './guest-paths.ts'

const files = { before: packagesBefore, after: packagesAfter }

/** The script that lists the guest's packages into a file of its own, each line `<when> <name> <version>`. */
export const listScript = (when: keyof typeof files): string => `#!/bin/sh
set -eu
list=${quoted(files[when])}
mkdir -p "$(dirname "$list")"
{
  if command -v rpm >/dev/null; then rpm -qa --qf '${when} %{NAME}.%{ARCH} %{VERSION}-%{RELEASE}\\n'; fi
  if command -v dpkg-query >/dev/null; then
    # "ii": what is installed, not what has left its configuration behind.
    dpkg-query -W -f='\${db:Status-Abbrev}|${when} \${binary:Package} \${Version}\\n' | sed -n 's/^ii *|//p'
  fi
} >"$list"
`
