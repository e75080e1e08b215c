import { writeFileSync } from 'node:fs'
import { openDisk } from '../shared/clients/disk.ts'
import { trust } from '../shared/clients/registry/authorities.ts'
import { readCredentials } from '../shared/clients/registry/credentials.ts'
import { type Pushed, pushDisk } from '../shared/clients/registry/push.ts'
import { openRegistry } from '../shared/clients/registry/registry.ts'
import { openSession } from '../shared/clients/registry/session.ts'
import { environment } from '../shared/config.ts'
import { DroverError } from '../shared/errors.ts'
import { readPushInput } from '../shared/images/push-input.ts'

/** `node dist/push-disk.cjs`, in the Pod of a Job that has the disk: pushes it to a registry. */
async function main(): Promise<Pushed> {
  const input = readPushInput(environment())
  const { repository, authorities, credentials: folder, insecure } = input
  if (authorities !== undefined) await trust(authorities)
  const credentials = folder === undefined ? undefined : await readCredentials(folder, repository)
  const registry = openRegistry(openSession(repository, { credentials, insecure }))
  const disk = await openDisk(input.disk)
  try {
    return await pushDisk(disk, input, registry, { say: (sentence) => say({ msg: sentence }) })
  } finally {
    await disk.close()
  }
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), ...line })}\n`)
}

/** Only sentences of ours are said: others might show what they were given, such as a header. */
function sentenceOf(error: unknown): string {
  if (error instanceof DroverError) return error.message
  const { code, name } = error as { code?: unknown; name?: unknown }
  return `Cannot push the disk: ${typeof code === 'string' ? code : name}`
}

/** Where Kubernetes reads what a container ended with; its status then shows it. */
function end(text: string, exitCode: number): void {
  try {
    writeFileSync(environment()['PUSH_RESULT'] ?? '/dev/termination-log', text, { flag: 'r+' })
  } catch {
    // Not in a Pod: it is said above.
  }
  process.exitCode = exitCode
}

main().then(
  (pushed) => {
    say({ msg: 'The disk is pushed', ...pushed })
    end(JSON.stringify(pushed), 0)
  },
  (error: unknown) => {
    say({ msg: sentenceOf(error) })
    end(sentenceOf(error), 1)
  },
)
