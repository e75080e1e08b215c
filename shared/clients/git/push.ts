import { isDeepStrictEqual } from 'node:util'
import { isOfCredentials } from './failure.ts'
import { hasHelper } from './helper.ts'
import { type Held, holdHelper } from './hold-helper.ts'
import { type CloneConfig, runIn } from './make-clone.ts'
import type { GitResult } from './process.ts'

/** Pushes what stands on a commit, if the branch is still at that commit. */
export interface Pusher {
  /** Begins a push anew: the server is asked where the branch is. */
  begin(directory: string): void
  /** Where it said that the branch was, since the push began; undefined when that is not known. */
  seen(directory: string): Promise<string | undefined>
  /** Goes on with what was begun, or begins. */
  push(directory: string, commit: string, base: string | undefined): Promise<GitResult>
  end(): Promise<void>
}

/** The pusher for the address: over one connection that is kept where there can be one. */
export const openPusher = (config: CloneConfig): Pusher =>
  hasHelper(config.remote.url) ? keptPusher(config) : plainPusher(config)

function plainPusher(config: CloneConfig): Pusher {
  const { branch, remote, timeouts } = config
  const push: Pusher['push'] = (directory, commit, base) => {
    // The lease is the compare in compare-and-swap: the branch must be where we saw it. It forces nothing, since what
    // we push is a child of exactly that commit. The address, not the remote's name: no tracking branch is touched.
    const lease = `--force-with-lease=refs/heads/${branch}:${base ?? ''}`
    const options = ['--porcelain', '--no-verify', '--no-follow-tags', lease]
    const args = ['push', ...options, remote.url, `${commit}:refs/heads/${branch}`]
    return runIn(config, directory, args, timeouts.push)
  }
  return { begin: () => undefined, seen: async () => undefined, push, end: async () => undefined }
}

interface Look extends Pick<Held, 'helper' | 'env'> {
  result: GitResult
  tip: string | undefined
}

function keptPusher(config: CloneConfig): Pusher {
  const { branch, remote, timeouts } = config
  const ref = `refs/heads/${branch}`
  const held = holdHelper(config)
  /** Lets go of the helper: one that has looked and not pushed goes on saying what it saw then. */
  const forget = held.end
  let looking: Promise<Look> | undefined

  const look = async (directory: string): Promise<Look> => {
    const { helper, env } = await held.of(directory)
    const result = await helper.ask('list for-push\n', isAnswered, timeouts.fetch)
    const tips = result.stdout.matchAll(/^([0-9a-f]+) (\S+)$/gm)
    return { helper, env, result, tip: [...tips].find(([, , name]) => name === ref)?.[1] }
  }
  const begin = (directory: string): Promise<Look> => {
    if (looking) void forget()
    looking = look(directory)
    looking.catch(() => undefined)
    return looking
  }
  const goOn = async ({ helper, result, tip }: Look, commit: string, base: string | undefined): Promise<GitResult> => {
    if (result.code !== 0) return result
    // The compare in compare-and-swap; the swap is the server's, which takes what we push for this very tip only.
    if (tip !== base) {
      void forget()
      return { ...result, code: 1, stdout: rejected(ref, 'stale info') }
    }
    const answer = await helper.ask(`push ${commit}:${ref}\n\n`, isAnswered, timeouts.push)
    if (answer.code !== 0 || answer.stdout === `ok ${ref}\n\n`) return answer
    const [, why = 'no reason given'] = /^error \S+ (.*)$/m.exec(answer.stdout) ?? []
    return { ...answer, code: 1, stdout: rejected(ref, why), stderr: await helper.finish() }
  }
  const push: Pusher['push'] = async (directory, commit, base) => {
    let seen = await (looking ?? begin(directory))
    // To decide a large batch on a busy machine may take longer than a helper is kept that nobody uses.
    if (seen.helper.ended && seen.result.code === 0) seen = await begin(directory)
    looking = undefined
    const result = await goOn(seen, commit, base)
    if (!isOfCredentials(result) || isDeepStrictEqual(await remote.environment(), seen.env)) return result
    return goOn(await look(directory), commit, base)
  }
  const seen = async (directory: string) => {
    const { result, tip } = await (looking ?? begin(directory))
    // The push shall ask once more.
    if (result.code !== 0) looking = undefined
    return tip
  }
  return { begin: (directory) => void begin(directory), seen, push, end: held.end }
}

const isAnswered = (answer: string) => answer === '\n' || answer.endsWith('\n\n')

/** As `git push --porcelain` says it. */
const rejected = (ref: string, why: string) => `!\t${ref}\t[remote rejected] (${why})\n`
