import { lifeOf, numbered } from '../prober/lives.ts'
import { type Asked, type Life, unnamed } from '../prober/wanted.ts'

/** Lives without end, each of which leaves nothing behind: what grows is not the fleet. */
export function* endless(seed: string, goesOn: () => boolean): Generator<Life> {
  for (let number = 0; goesOn(); number += 1) {
    const life = lifeOf(seed, number, true)
    yield numbered({ ...life, waves: [...life.waves, ...clearing(life)] }, `${seed}-${number}`)
  }
}

type Plain = ReturnType<typeof lifeOf>

/** The machine of a life and all of its copies are taken away, where they are not by then. */
function clearing({ waves, about }: Plain): Plain['waves'] {
  const [made] = waves[0] ?? []
  if (about === 'image' || made?.expected !== 'completed') return []
  const all = waves.flat()
  const { namespace } = made.data as { namespace: string }
  const isGone = all.some(({ lifecycle, expected }) => lifecycle === 'deprovision' && expected === 'completed')
  const copies = all.flatMap(({ lifecycle, data, expected }) =>
    lifecycle === 'clone' && expected === 'completed' ? [(data as { as: { name: string } }).as.name] : [],
  )
  const names = [...copies, ...(isGone ? [] : [nameIn(made.data)])]
  return names.map((name) => [{ lifecycle: 'deprovision', data: { namespace, name }, expected: 'either' }])
}

const nameIn = (data: Asked['data']) => ('name' in data ? String(data.name) : unnamed)
