import type { World } from './world.ts'

/** Worlds that are used by one life after the other; to start one takes longer than a run. */
export interface Worlds {
  /** One that nobody else uses, for so many runs. */
  take(runs: number): Promise<World>
  giveBack(world: World): void
  /** A number that no place has had. */
  count(): number
  close(): Promise<void>
}

/** So many runs are enough for one world: with each there is more that its clusters look after. */
const most = 60

export function openWorlds(start: () => Promise<World>): Worlds {
  const left = new Map<World, number>()
  const idle: World[] = []
  let count = 0
  return {
    async take(runs) {
      let world = idle.pop()
      if (world && left.get(world) === 0) {
        left.delete(world)
        await world.close()
        world = undefined
      }
      world ??= await start()
      left.set(world, Math.max(0, (left.get(world) ?? most) - runs))
      return world
    },
    giveBack: (world) => void idle.push(world),
    count: () => ++count,
    close: async () => void (await Promise.all([...left.keys()].map((world) => world.close()))),
  }
}
