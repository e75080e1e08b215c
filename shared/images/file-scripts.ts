import type { GuestCustomization } from '../schema/guest-customization.ts'
import { quoted } from '../shell-word.ts'

type Files = NonNullable<GuestCustomization['files']>

/**
 * Gives written files to root, with their modes: `--upload` leaves them to whoever owns them in the pod, and `--chown`
 * is not in every virt-customize. A path that is a folder would have got the file into it, and is refused.
 */
export const modesScript = (files: Files): string =>
  script(
    files.map(({ path, mode }) => {
      const at = quoted(path)
      return `[ -f ${at} ] || fail ${quoted(`${path} is not a file`)}\nchown root:root ${at}\nchmod ${mode} ${at}`
    }),
  )

/** Gives files to the users that are named; undefined when none is. Packages may have brought the users, so it runs later. */
export function ownersScript(files: Files): string | undefined {
  const owned = files.filter(({ owner }) => owner !== undefined)
  if (owned.length === 0) return undefined
  return script(owned.map(({ path, owner = 'root' }) => `chown ${quoted(owner)} ${quoted(path)}`))
}

const script = (lines: string[]) =>
  ['#!/bin/sh', 'set -eu', 'fail() { echo "error: $1" >&2; exit 1; }', ...lines, ''].join('\n')
