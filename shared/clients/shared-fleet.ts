import type { Fleet } from '../fleet.ts'
import { type FleetConfig, openFleet } from './git.ts'

interface Held {
  fleet: Fleet
  users: number
}

const open = new Map<string, Held>()

/**
 * The client of a fleet repository, one for all functions of a process: what one of them commits the next one knows, and
 * they go into one push. It is closed when the last of them closes it.
 */
export function shareFleet(config: FleetConfig): Fleet {
  const key = JSON.stringify([config.url, config.branch, config.directory])
  const held = open.get(key) ?? { fleet: openFleet(config), users: 0 }
  open.set(key, held)
  held.users++
  let isUsed = true
  return {
    ...held.fleet,
    async close() {
      if (!isUsed) return
      isUsed = false
      held.users--
      if (held.users > 0) return
      open.delete(key)
      await held.fleet.close()
    },
  }
}
