import { type Helper, startHelper } from './helper.ts'
import type { CloneConfig } from './make-clone.ts'

/**
 * Longer than from one step of a run to the next, and shorter than anything on the way lets a line be idle: one that was cut
 * without a word would hold up who uses it next.
 */
const IDLE = 20_000

export interface Held {
  helper: Helper
  /** What it was started with. */
  env: Record<string, string>
  isNew: boolean
}

/** Keeps one helper while it is used: for the clone of the moment, with the token of the moment. */
export function holdHelper({ remote, signal }: CloneConfig) {
  let helper: Helper | undefined
  let made = ''
  let idle: NodeJS.Timeout | undefined
  const end = async () => {
    clearTimeout(idle)
    const before = helper
    helper = undefined
    before?.end()
    await before?.finish()
  }
  const letGo = () => {
    clearTimeout(idle)
    // An answer may take longer than that.
    idle = setTimeout(() => (helper?.isBusy ? letGo() : void end()), IDLE).unref()
  }
  const of = async (directory: string): Promise<Held> => {
    signal.throwIfAborted()
    const env = await remote.environment()
    const wanted = JSON.stringify({ directory, env })
    letGo()
    if (helper && !helper.ended && made === wanted) return { helper, env, isNew: false }
    helper?.end()
    made = wanted
    helper = startHelper({ directory, url: remote.url, env })
    return { helper, env, isNew: true }
  }
  return { of, end }
}
