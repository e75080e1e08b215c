import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Seen } from '../../local/feed.ts'
import type { LifecycleName } from '../../shared/lifecycles.ts'
import { lockFile, runFile } from '../../shared/paths.ts'
import type { Definition } from '../../shared/schema/definition.ts'
import { parseYaml } from '../../shared/yaml.ts'
import { type Chain, factsOf, type Run, small, startChain } from './harness.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain({ DROVER_GRACE_SECONDS: '2' })
  if (process.env['TRACE']) chain.feed.listen((seen) => process.stderr.write(`${seen.type} ${seen.data.message}\n`))
})
afterAll(() => chain.close())

/** Makes a machine, and answers where it is. */
async function provisioned(change: object = {}): Promise<{ namespace: string; name: string; cluster: string }> {
  const run = await chain.request(small({ placement: { cluster: 'site-a' }, ...change }))
  const { data } = await run.ended
  expect(data.message).toContain('is ready on')
  return { namespace: 'shop', name: data.facts?.name ?? '', cluster: 'site-a' }
}

/** Asks for a lifecycle of a machine, and answers how it ended. */
async function asked(lifecycle: LifecycleName, data: object): Promise<{ run: Run; ended: Seen }> {
  const run = await chain.request(data, { lifecycle })
  return { run, ended: await run.ended }
}

async function completed(lifecycle: LifecycleName, data: object) {
  const { run, ended } = await asked(lifecycle, data)
  expect([ended.type, ended.data.message]).toEqual([`dev.drover.${lifecycle}.completed`, expect.anything()])
  return { run, ended }
}

const read = async (path: string) => parseYaml(await chain.git('show', `main:${path}`), path)
const definitionOf = (vm: { cluster: string; namespace: string; name: string }) =>
  read(`vms/${vm.cluster}/${vm.namespace}/${vm.name}/values.yaml`) as Promise<Definition>
const statusOf = async (vm: { cluster: string; namespace: string; name: string }) =>
  (await chain.look(vm.cluster, 'VirtualMachine', vm.namespace, vm.name))?.['status'] as
    | { printableStatus: string }
    | undefined
const place = ({ namespace, name }: { namespace: string; name: string }) => ({ namespace, name })

describe('a machine', () => {
  it('is turned off and on through Git', async () => {
    const vm = await provisioned()
    const { run } = await completed('power', { ...place(vm), action: 'stop' })
    expect(factsOf(run)).toEqual([
      'requested',
      'validated',
      'located',
      ...['stop.built', 'stop.committed', 'stop.verified'],
      ...['start.built', 'start.committed', 'start.verified'],
      'completed',
      'notified',
    ])
    expect(await definitionOf(vm)).toMatchObject({ running: false })
    expect(await statusOf(vm)).toMatchObject({ printableStatus: 'Stopped' })
    await completed('power', { ...place(vm), action: 'start' })
    expect(await statusOf(vm)).toMatchObject({ printableStatus: 'Running' })
    const files = await chain.files()
    expect(files[lockFile(vm.cluster, vm.namespace, vm.name)]).toBeUndefined()
    expect(files[runFile(run.id)]).toBeUndefined()
  })
})
