import { DroverError } from '../errors.ts'
import type { GuestCustomization } from '../schema/guest-customization.ts'
import { modesScript, ownersScript } from './file-scripts.ts'
import { credentialsFolder, folder, scriptFile } from './guest-paths.ts'
import { listScript } from './list-script.ts'
import { packagesScript } from './packages-script.ts'
import { podScript } from './pod-script.ts'
import { runScript } from './run-script.ts'
import { sealScript } from './seal-script.ts'
import { secretFile } from './secrets-of.ts'

/**
 * A customization as the files that its pod works from: virt-customize's commands, the scripts and contents they name, and
 * the pod's own script. Commands are of those that guestfs-tools has had from 1.48 to 1.57. Paths are relative to the
 * folder the pod works in, where `files/` and `secrets/` are.
 */

/** Names and contents of a ConfigMap. */
export type Files = Record<string, string>

/** A part of the work: commands in their order, and the files they need. */
interface Part {
  commands: string[]
  files: Files
}

type Script = NonNullable<GuestCustomization['run']>[number]

/** A ConfigMap holds 1 MiB; the rest is for its keys and labels. */
const mostBytes = 1_000_000

/**
 * The files of a customization, with packages listed before and after. The same input gives the same files. A disk that many
 * machines are made from is sealed in the end.
 */
export function customizeCommands(customization: GuestCustomization, sealed: boolean): Files {
  const { files = [], run = [], firstboot = [], hostname, timezone, rootPassword, sshKeys = [] } = customization
  const parts: Part[] = [
    scriptPart('run', 'packages-before.sh', listScript('before')),
    commands(hostname === undefined ? [] : [`hostname ${hostname}`]),
    commands(timezone === undefined ? [] : [`timezone ${timezone}`]),
    ...filesParts(files),
    ...packagesParts(customization),
    ...optionalScript('file-owners.sh', ownersScript(files)),
    commands(rootPassword ? [`root-password file:${secretFile(rootPassword.secret, rootPassword.key)}`] : []),
    ...run.map(runPart),
    // A user must be there before a key can be given to it: a package or a script may have made it.
    commands(sshKeys.map(({ user, secret, key }) => `ssh-inject ${user}:file:${secretFile(secret, key)}`)),
    ...firstboot.map(({ name, content }, at) => scriptPart('firstboot', `firstboot-${at}-${name}`, content)),
    scriptPart('run', 'packages-after.sh', listScript('after')),
    ...optionalScript('seal.sh', sealed ? sealScript : undefined),
    // What scripts said is in the pod's log; it is not left lying about in the guest.
    commands(['no-logfile']),
  ]
  return bounded({
    ...Object.assign({}, ...parts.map((part) => part.files)),
    commands: `${parts.flatMap((part) => part.commands).join('\n')}\n`,
    'customize.sh': podScript,
  })
}

const commands = (lines: string[]): Part => ({ commands: lines, files: {} })

/** A script that virt-customize takes. Never as a command's own text: virt-customize writes that into its log. */
const scriptPart = (command: 'run' | 'firstboot', name: string, content: string): Part => ({
  commands: [`${command} files/${name}`],
  files: { [name]: content },
})

const optionalScript = (name: string, content: string | undefined): Part[] =>
  content === undefined ? [] : [scriptPart('run', name, content)]

function runPart({ name, content }: Script, at: number): Part {
  return {
    commands: [`mkdir ${folder}`, `upload files/script-${at}:${scriptFile}`, `run files/run-${at}-${name}`],
    files: { [`script-${at}`]: content, [`run-${at}-${name}`]: runScript },
  }
}

function filesParts(files: NonNullable<GuestCustomization['files']>): Part[] {
  if (files.length === 0) return []
  const written = files.map(({ path, content }, at): Part => {
    const parent = path.slice(0, path.lastIndexOf('/'))
    return {
      commands: [...(parent === '' ? [] : [`mkdir ${parent}`]), `upload files/file-${at}:${path}`],
      files: { [`file-${at}`]: content },
    }
  })
  return [...written, scriptPart('run', 'file-modes.sh', modesScript(files))]
}

/** Credentials lie in the guest only while its packages are worked on; the script removes them too, for it may fail. */
function packagesParts(customization: GuestCustomization): Part[] {
  const { subscription } = customization
  const packages = optionalScript('packages.sh', packagesScript(customization))
  if (!subscription) return packages
  const { secret, org, activationKey } = subscription
  return [
    commands([
      `mkdir ${credentialsFolder}`,
      `chmod 0700:${credentialsFolder}`,
      `upload ${secretFile(secret, org)}:${credentialsFolder}/org`,
      `upload ${secretFile(secret, activationKey)}:${credentialsFolder}/activationKey`,
    ]),
    ...packages,
    commands([`delete ${credentialsFolder}`]),
  ]
}

function bounded(files: Files): Files {
  const bytes = Object.values(files).reduce((sum, content) => sum + Buffer.byteLength(content), 0)
  if (bytes > mostBytes)
    throw new DroverError(
      'refused',
      `Cannot customize the guest: its files and scripts have ${bytes} bytes, wanted at most ${mostBytes}`,
    )
  return files
}
