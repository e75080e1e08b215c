import { type ObjectReader, startReader } from './cat-file.ts'
import { isOfRoom } from './failure.ts'
import { type CloneConfig, type Made, makeClone } from './make-clone.ts'
import { leaveRoom } from './room.ts'

/** Keeps the one clone there is, and changes it for another: without a gap, where there is room for both. */
export function holdClone(config: CloneConfig, beforeLeaving: () => void) {
  let current: Promise<Made> | undefined
  const open = (): Promise<Made> => {
    config.signal.throwIfAborted()
    if (current) return current
    const making = makeClone(config)
    current = making
    making.catch(() => {
      if (current === making) current = undefined
    })
    return making
  }
  let replaced = 0
  const replace = async (): Promise<Made> => {
    const before = await current?.catch(() => undefined)
    const made = await makeClone(config).catch(async (error: unknown) => {
      if (!before || !isOfRoom(error)) throw error
      // There is room in the place of the old one, if not beside it: once nobody has its files open any more.
      beforeLeaving()
      await leaveRoom(before.directory)
      return makeClone(config)
    })
    current = Promise.resolve(made)
    replaced++
    // What is still being written there may come back; who takes a room next sweeps it away.
    if (before) await leaveRoom(before.directory).catch(() => undefined)
    return made
  }
  const leave = async () => {
    // A child that is still ending would put files back.
    await Promise.allSettled(config.running)
    const made = await current?.catch(() => undefined)
    if (made) await leaveRoom(made.directory)
  }
  return {
    get isOpen() {
      return current !== undefined
    },
    get replaced() {
      return replaced
    },
    ...{ open, replace, leave },
  }
}

/** Keeps one reader: for the clone of the moment, with the token of the moment. */
export function holdReader({ remote, timeouts }: CloneConfig) {
  let reader: ObjectReader | undefined
  let made = ''
  const of = async (directory: string): Promise<ObjectReader> => {
    const env = await remote.environment()
    const wanted = JSON.stringify({ directory, env })
    if (reader && !reader.ended && made === wanted) return reader
    reader?.finish()
    made = wanted
    reader = startReader({ directory, env, timeout: timeouts.local, redact: remote.redact })
    return reader
  }
  /** Lets go of what it has open, which may not be there any more: the next question is for another one. */
  const renew = () => {
    reader?.finish()
    reader = undefined
  }
  const end = () => {
    reader?.end()
    reader = undefined
  }
  return { of, renew, end }
}
