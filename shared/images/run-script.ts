import { scriptFile } from './guest-paths.ts'

/**
 * The script that runs another one, which has been uploaded, by the program that it names in its first line:
 * virt-customize gives whatever `--run` names to /bin/sh. It is removed again however it ends.
 */
export const runScript = `#!/bin/sh
set -eu
leave() {
  status=$?
  rm -f ${scriptFile}
  sync
  exit "$status"
}
trap leave EXIT
chown root:root ${scriptFile}
chmod 0700 ${scriptFile}
${scriptFile}
`
