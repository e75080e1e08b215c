import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { edits } from '../../../functions/build/edits.ts'
import { diskLabel, type Manifest } from '../../../shared/kubevirt/manifest.ts'
import { render } from '../../../shared/kubevirt/render.ts'
import type { LifecycleName } from '../../../shared/lifecycles.ts'
import type { Definition } from '../../../shared/schema/definition.ts'
import type { Run } from '../../../shared/step.ts'
import { runOf } from '../../examples/starter.ts'
import { memoryFleet } from '../../fleet.ts'
import { linuxServer } from '../../shared/kubevirt/definitions.ts'

const name = fc.constantFrom('data', 'wal', 'logs', 'tmp')
const size = fc.integer({ min: 1, max: 99 }).map((number) => `${number}Gi`)
const disk = fc.record({ name, size })
const disks = fc.uniqueArray(disk, { selector: (one) => one.name, maxLength: 4 })
const registry = fc.constantFrom('a', 'b').map((digit) => `docker://example.com/rhel9@sha256:${digit.repeat(64)}`)

/** A request of each lifecycle that changes a machine, right or wrong, and the rounds that it goes through. */
const change = fc.oneof(
  fc.record({
    lifecycle: fc.constant('power' as const),
    request: fc.record({ action: fc.constantFrom('start', 'stop', 'restart') }),
  }),
  fc.record({
    lifecycle: fc.constant('resize' as const),
    request: fc.record(
      { grow: fc.dictionary(name, size), add: disks, detach: fc.uniqueArray(name) },
      { requiredKeys: [] },
    ),
  }),
  fc.record({
    lifecycle: fc.constantFrom('patch', 'migrate', 'snapshot', 'repave', 'restore', 'deprovision'),
    request: fc.constant({ snapshot: 'x' }),
  }),
)

const rounds: Partial<Record<LifecycleName, (keyof typeof edits)[]>> = {
  power: ['stop', 'start'],
  resize: ['stop', 'resize', 'start'],
  patch: ['stop', 'save', 'patch', 'start'],
  migrate: ['migrate'],
  snapshot: ['snapshot'],
  repave: ['image', 'save', 'stop', 'swap'],
  restore: ['stop', 'save', 'restore', 'start'],
  deprovision: ['stop', 'save'],
}

const dataVolumes = (definition: Definition) =>
  render(definition).filter(({ kind, metadata }) => kind === 'DataVolume' && metadata.labels?.[diskLabel] === 'data')
const guest = (definition: Definition) => {
  const machine = render(definition).find(({ kind }) => kind === 'VirtualMachine') as Manifest & {
    spec: { template: { spec: { domain: { firmware: object; devices: { interfaces: { macAddress: string }[] } } } } }
  }
  const { firmware, devices } = machine.spec.template.spec.domain
  return { firmware, macs: devices.interfaces.map(({ macAddress }) => macAddress) }
}

describe('whatever is asked of a machine', () => {
  it('no data disk is made anew, made smaller or taken away that the request does not name, and the machine stays itself', async () => {
    const tree = await memoryFleet().head()
    await fc.assert(
      fc.asyncProperty(disks, change, registry, fc.boolean(), async (has, { lifecycle, request }, image, running) => {
        let now = linuxServer({ disks: has, running })
        const place = [now.cluster, now.namespace, now.name]
        const before = { volumes: dataVolumes(now), guest: guest(now), place }
        const asked = { namespace: 'shop', name: now.name, ...request } as Run['request']
        const run = runOf({ lifecycle, request: asked, facts: { wasRunning: running, nextImage: { registry: image } } })
        for (const round of rounds[lifecycle] ?? []) {
          const next = await edits[round](now, run, { tree, guestfs: { image: 'tools:1' } })
          if ('problems' in next) break
          now = next
        }
        const after = new Map(dataVolumes(now).map((one) => [one.metadata.name, one]))
        const detached = 'detach' in request ? (request.detach ?? []) : []
        for (const volume of before.volumes) {
          const isNamed = detached.some((one) => volume.metadata.name.includes(`-data-${one}-`))
          if (!isNamed) expect(after.get(volume.metadata.name)).toEqual(volume)
          // What leaves Git stays on the cluster all the same.
          expect(volume.metadata.annotations?.['argocd.argoproj.io/sync-options']).toBe('Prune=false,Delete=false')
        }
        expect(guest(now)).toEqual(before.guest)
        // Not even a repave looks for another place.
        expect([now.cluster, now.namespace, now.name]).toEqual(before.place)
      }),
      { numRuns: 200 },
    )
  })
})
