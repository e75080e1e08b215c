import { runId } from '../../shared/run.ts'
import { imageLife } from './image-life.ts'
import { machineLife } from './machine-life.ts'
import { type Asked, type Life, source, type Wanted } from './wanted.ts'

/** Lives that are made up from a seed. */

const imagesAmong = 9

/** The life of this number; `faulty` where there are namespaces in which things go wrong. */
export const lifeOf = (seed: string, number: number, faulty: boolean): Life<Wanted> =>
  (number % imagesAmong === imagesAmong - 1 ? imageLife : machineLife)(seed, number, faulty)

/** Lives with so many requests in all; the last one may be broken off. */
export function lives(seed: string, count: number, faulty: boolean): Life[] {
  const found: Life[] = []
  for (let asked = 0, number = 0; asked < count; number += 1) {
    const { waves, ...life } = numbered(lifeOf(seed, number, faulty), `${seed}-${number}`)
    const left: Asked[][] = []
    for (const wave of waves) {
      const fits = wave.slice(0, count - asked)
      if (fits.length > 0) left.push(fits)
      asked += fits.length
    }
    found.push({ ...life, waves: left })
  }
  return found
}

/** Gives each request an id; it is made once, whenever it is posted. */
export function numbered(life: Life<Wanted>, prefix: string): Life {
  let count = 0
  const identified = (wanted: Wanted): Asked => {
    count += 1
    const id = `${prefix}-${count}`
    return { ...wanted, id, run: runId(source, id) }
  }
  return { ...life, waves: life.waves.map((wave) => wave.map(identified)) }
}
