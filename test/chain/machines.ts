import { expect } from 'vitest'
import type { KubeObject } from '../../local/clusters/object.ts'
import type { Seen } from '../../local/feed.ts'
import type { LifecycleName } from '../../shared/lifecycles.ts'
import type { MachineAddress, VirtualMachine } from '../../shared/machines.ts'
import { claimsFile, definitionFile } from '../../shared/paths.ts'
import type { Definition } from '../../shared/schema/definition.ts'
import { parseYaml } from '../../shared/yaml.ts'
import { type Chain, factsOf, type Run, small } from './harness.ts'

/** Runs on the machines of a chain, and what Git and the cluster show of one. */
export function machinesOf(chain: () => Chain) {
  /** Asks for a lifecycle, and answers how it ended. */
  async function asked(lifecycle: LifecycleName, data: object): Promise<{ run: Run; ended: Seen }> {
    const run = await chain().request(data, { lifecycle })
    return { run, ended: await run.ended }
  }

  async function completed(lifecycle: LifecycleName, data: object) {
    const { run, ended } = await asked(lifecycle, data)
    expect([ended.type, ended.data.message]).toEqual([`dev.drover.${lifecycle}.completed`, expect.anything()])
    return { run, ended }
  }

  /** The same, with a guest that crashes until the run has failed. */
  async function crashed(lifecycle: LifecycleName, data: object) {
    chain().fault('crash-loop')
    const stop = chain().feed.listen(({ type }) => {
      if (type.endsWith('.failed')) chain().mend()
    })
    try {
      const found = await asked(lifecycle, data)
      expect(factsOf(found.run)).toContain('start.verify.failed')
      expect([found.ended.type, found.ended.data.message]).toEqual([
        `dev.drover.${lifecycle}.rolledback`,
        expect.anything(),
      ])
      return found
    } finally {
      stop()
      chain().mend()
    }
  }

  /** Makes a machine, and answers where it is. */
  async function provisioned(change: Parameters<typeof small>[0] = {}): Promise<MachineAddress> {
    const { ended } = await completed('provision', small({ placement: { cluster: 'site-a' }, ...change }))
    const { facts } = ended.data
    return { namespace: change.namespace ?? 'shop', name: facts?.name ?? '', cluster: facts?.cluster ?? '' }
  }

  const read = async (path: string, revision = 'main') =>
    parseYaml(await chain().git('show', `${revision}:${path}`), path)
  const definitionOf = (vm: MachineAddress) =>
    read(definitionFile(vm.cluster, vm.namespace, vm.name)) as Promise<Definition>
  /** The claims of its data as they are recorded, by name, with their uids. */
  const recorded = (vm: MachineAddress) =>
    read(claimsFile(vm.cluster, vm.namespace, vm.name)) as Promise<Record<string, string>>

  const machineOf = (vm: MachineAddress) => chain().look(vm.cluster, 'VirtualMachine', vm.namespace, vm.name)
  const statusOf = async (vm: MachineAddress) =>
    (await machineOf(vm))?.['status'] as { printableStatus: string } | undefined

  /** The claims that it mounts, its root disk's first. */
  async function mountedBy(vm: MachineAddress): Promise<KubeObject[]> {
    const { spec } = ((await machineOf(vm)) ?? {}) as unknown as VirtualMachine
    const names = (spec?.template?.spec?.volumes ?? []).flatMap(({ persistentVolumeClaim: claim }) =>
      claim ? [claim.claimName] : [],
    )
    const claims = await Promise.all(
      names.map((name) => chain().look(vm.cluster, 'PersistentVolumeClaim', vm.namespace, name)),
    )
    return claims.flatMap((claim) => claim ?? [])
  }

  /** The claims that it mounts, by name, with their uids. */
  const claimsOf = async (vm: MachineAddress): Promise<Record<string, string>> =>
    Object.fromEntries((await mountedBy(vm)).map(({ metadata }) => [metadata.name, metadata.uid]))

  /** What a simulated root disk has on it. */
  const contentOf = async (vm: MachineAddress) => contentIn((await mountedBy(vm))[0])

  return {
    asked,
    completed,
    crashed,
    provisioned,
    read,
    definitionOf,
    recorded,
    statusOf,
    mountedBy,
    claimsOf,
    contentOf,
  }
}

/** What a simulated disk has on it. */
export const contentIn = (claim: KubeObject | undefined): string | undefined =>
  claim?.metadata.annotations?.['local.drover.dev/content']

/** The claims of data disks. */
export const dataOnly = (claims: Record<string, string>) =>
  Object.fromEntries(Object.entries(claims).filter(([name]) => name.includes('-data-')))

/** How a request names a machine. */
export const place = ({ namespace, name }: MachineAddress) => ({ namespace, name })
