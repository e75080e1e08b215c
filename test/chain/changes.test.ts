import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { LifecycleName } from '../../shared/lifecycles.ts'
import { archiveFolder, keptFile, lockFile, runFile } from '../../shared/paths.ts'
import { type Chain, factsOf, isReal, type Run, small, startChain } from './harness.ts'
import { dataOnly, machinesOf, place } from './machines.ts'
import type { MachineFault } from './platform.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain({ DROVER_GRACE_SECONDS: '2' })
})
afterAll(() => chain.close())

const {
  asked,
  completed,
  crashed,
  provisioned,
  read,
  definitionOf,
  recorded,
  statusOf,
  claimsOf,
  contentOf,
  mountedBy,
} = machinesOf(() => chain)

const other = { registry: `docker://registry.example.com/golden/rhel9@sha256:${'c'.repeat(64)}` }

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

  it('is restarted: off, and on again', async () => {
    const vm = await provisioned()
    const before = await chain.look(vm.cluster, 'VirtualMachineInstance', vm.namespace, vm.name)
    await completed('power', { ...place(vm), action: 'restart' })
    const after = await chain.look(vm.cluster, 'VirtualMachineInstance', vm.namespace, vm.name)
    expect(after?.metadata.uid).toEqual(expect.any(String))
    expect(after?.metadata.uid).not.toBe(before?.metadata.uid)
  })

  it('is put back to a snapshot, with its data, under the same names', async () => {
    const vm = await provisioned({ disks: [{ name: 'data', size: '5Gi' }] })
    const taken = await completed('snapshot', { ...place(vm), snapshot: 'clean' })
    expect(taken.ended.data.message).toContain('quiesced by its guest agent')
    const [{ name = '' } = {}] = (await definitionOf(vm)).snapshots ?? []
    expect(name).toBe(`${vm.name}-clean`)
    const claims = await claimsOf(vm)
    await completed('restore', { ...place(vm), snapshot: 'clean' })
    const after = await claimsOf(vm)
    expect(Object.keys(after)).toEqual(Object.keys(claims))
    for (const [claim, uid] of Object.entries(claims)) expect(after[claim]).not.toBe(uid)
    expect(await recorded(vm)).toMatchObject(dataOnly(after))
    expect(await statusOf(vm)).toMatchObject({ printableStatus: 'Running' })
    const definition = await definitionOf(vm)
    expect(definition.restore).toBeUndefined()
    expect(definition.snapshots?.map(({ purpose }) => purpose)).toEqual(['asked', 'undo'])
    await completed('snapshot', { ...place(vm), action: 'expire', snapshot: 'clean' })
    expect(await chain.look(vm.cluster, 'VirtualMachineSnapshot', vm.namespace, name)).toBeUndefined()
  })

  it('is put back to a snapshot of when it had its size from an instance type, and keeps the size that it has', async () => {
    const vm = await provisioned({ disks: [{ name: 'data', size: '5Gi' }] })
    await completed('snapshot', { ...place(vm), snapshot: 'clean' })
    await completed('resize', { ...place(vm), size: { cores: 2, memory: '4Gi' } })
    const { size } = await definitionOf(vm)
    const { ended } = await completed('restore', { ...place(vm), snapshot: 'clean' })
    expect(ended.data.facts?.restoring).toBe('new disks')
    expect((await definitionOf(vm)).size).toEqual(size)
    const { spec } = ((await chain.look(vm.cluster, 'VirtualMachine', vm.namespace, vm.name)) ?? {}) as {
      spec?: { instancetype?: object; template: { spec: { domain: { cpu?: { cores: number } } } } }
    }
    expect(spec?.instancetype).toBeUndefined()
    expect(spec?.template.spec.domain.cpu?.cores).toBe(2)
    expect(await statusOf(vm)).toMatchObject({ printableStatus: 'Running' })
  })

  it('lists the snapshots that it has, and changes nothing by that', async () => {
    const vm = await provisioned()
    const none = await completed('snapshot', { ...place(vm), action: 'list' })
    expect(none.ended.data.message).toContain(`VM ${vm.name} has no snapshot`)
    await completed('snapshot', { ...place(vm), snapshot: 'one' })
    await completed('snapshot', { ...place(vm), snapshot: 'two', keepDays: 3 })
    const before = await definitionOf(vm)
    const { ended } = await completed('snapshot', { ...place(vm), action: 'list' })
    const time = '\\d{4}-\\d\\d-\\d\\dT[^,)]+'
    expect(ended.data.message).toMatch(
      new RegExp(
        `VM ${vm.name} has the snapshots ${vm.name}-one \\(taken ${time}\\), ${vm.name}-two \\(taken ${time}, kept until ${time}\\)`,
      ),
    )
    expect(await definitionOf(vm)).toEqual(before)
  })

  it('gets a new root disk from the latest image, and keeps the old one and its data', async () => {
    const vm = await provisioned({ disks: [{ name: 'data', size: '5Gi' }] })
    await completed('snapshot', { ...place(vm), snapshot: 'old' })
    const before = await definitionOf(vm)
    const claims = dataOnly(await claimsOf(vm))
    await completed('repave', {
      ...place(vm),
      image: { registry: `docker://registry.example.com/golden/rhel9@sha256:${'b'.repeat(64)}` },
    })
    const after = await definitionOf(vm)
    expect(after.image).not.toEqual(before.image)
    expect(after.oldRoots).toMatchObject([{ image: before.image }])
    expect(after.identity).toEqual(before.identity)
    expect(dataOnly(await claimsOf(vm))).toEqual(claims)
    const { run, ended } = await asked('restore', { ...place(vm), snapshot: 'old' })
    expect(ended.data.message).toContain('wanted one of its own disks, or a clone')
    expect(factsOf(run)).not.toContain('stop.built')
    expect(await statusOf(vm)).toMatchObject({ printableStatus: 'Running' })
  })

  it('is not repaved from the image that it has', async () => {
    const vm = await provisioned()
    const { run } = await completed('repave', place(vm))
    expect(run.events().find(({ type }) => type.endsWith('image.built'))?.data.message).toContain('Nothing to change')
  })

  it('is resized: another size, a disk that has grown, a disk more', async () => {
    const vm = await provisioned({ disks: [{ name: 'data', size: '5Gi' }] })
    await completed('resize', {
      ...place(vm),
      size: { cores: 2, memory: '4Gi' },
      grow: { data: '8Gi' },
      add: [{ name: 'logs', size: '1Gi' }],
    })
    expect(await definitionOf(vm)).toMatchObject({
      size: { cores: 2, memory: '4Gi' },
      disks: [
        { name: 'data', size: '8Gi', made: '5Gi' },
        { name: 'logs', size: '1Gi' },
      ],
    })
    expect(Object.keys(await recorded(vm))).toHaveLength(2)
    const [logs = ''] = Object.keys(await claimsOf(vm)).filter((name) => name.includes('-data-logs-'))
    await completed('resize', { ...place(vm), detach: ['logs'] })
    expect((await definitionOf(vm)).disks).toHaveLength(1)
    expect(await read(`kept/${vm.cluster}/${vm.namespace}/${logs}.yaml`)).toMatchObject({
      machine: vm.name,
      size: '1Gi',
    })
    expect(await chain.look(vm.cluster, 'PersistentVolumeClaim', vm.namespace, logs)).toBeDefined()
  })

  it('is patched while it is off, and says what has changed', async () => {
    const vm = await provisioned()
    const { ended } = await completed('patch', place(vm))
    expect(ended.data.message).toContain('2 packages changed, kernel 5.14')
    if (!isReal()) expect(await contentOf(vm)).toContain('patch')
    expect((await definitionOf(vm)).patch).toBeUndefined()
    expect(await statusOf(vm)).toMatchObject({ printableStatus: 'Running' })
  })

  it('is not patched while a pod holds its disk, and is once that has let go', async () => {
    const vm = await provisioned()
    await completed('power', { ...place(vm), action: 'stop' })
    const [claimName = ''] = Object.keys(await claimsOf(vm))
    const name = `${vm.name}-looks`
    await chain.make(vm.cluster, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: vm.namespace },
      spec: {
        containers: [{ name: 'looks', image: 'registry.example.com/tools:1' }],
        volumes: [{ name: 'disk', persistentVolumeClaim: { claimName } }],
      },
    })
    const run = await chain.request(place(vm), { lifecycle: 'patch' })
    const held = `the disks are still held by ${name}`
    await chain.feed.first((seen) => seen.run === run.id && seen.data.message === held)
    expect(factsOf(run)).not.toContain('patch.built')
    await chain.unmake(vm.cluster, 'Pod', vm.namespace, name)
    expect((await run.ended).type).toBe('dev.drover.patch.completed')
  })

  it('moves to another node while it runs', async () => {
    const vm = await provisioned()
    const { ended } = await completed('migrate', place(vm))
    expect(ended.data.message).toContain(`VM ${vm.name} moved`)
    expect((await definitionOf(vm)).migration).toBeUndefined()
  })

  it('goes, and leaves its name, its addresses and the data that nobody named', async () => {
    const vm = await provisioned({
      disks: [
        { name: 'data', size: '5Gi' },
        { name: 'scratch', size: '1Gi' },
      ],
    })
    const claims = Object.keys(dataOnly(await claimsOf(vm)))
    const [kept = ''] = claims.filter((name) => name.includes('-data-data-'))
    const [scratch = ''] = claims.filter((name) => name.includes('-data-scratch-'))
    const { run } = await completed('deprovision', { ...place(vm), destroy: ['scratch'] })
    const files = Object.keys(await chain.files())
    expect(
      files.filter((path) => path.includes(vm.name) && !path.startsWith('archive/') && !path.startsWith('kept/')),
    ).toEqual([])
    expect(files).toContain(`kept/${vm.cluster}/${vm.namespace}/${kept}.yaml`)
    expect(await chain.look(vm.cluster, 'PersistentVolumeClaim', vm.namespace, kept)).toBeDefined()
    expect(await chain.look(vm.cluster, 'PersistentVolumeClaim', vm.namespace, scratch)).toBeUndefined()
    expect(await chain.look(vm.cluster, 'VirtualMachine', vm.namespace, vm.name)).toBeUndefined()
    // The events of the run that come once more change nothing, now that the machine is gone.
    const before = await chain.files()
    for (const { json } of run
      .events()
      .filter(({ type }) => /\.(validated|located|built|verified|released)$/.test(type)))
      await chain.post({ 'content-type': 'application/cloudevents+json' }, json)
    await chain.idle()
    expect(await chain.files()).toEqual(before)
    expect(run.events().filter(({ type }) => /\.(failed|stranded|rolledback)$/.test(type))).toEqual([])
    const { uid } = (await chain.look(vm.cluster, 'PersistentVolumeClaim', vm.namespace, kept))?.metadata ?? {}
    const next = await provisioned({ placement: { clusterSets: [] }, attach: [{ name: 'data', disk: kept }] })
    expect(dataOnly(await claimsOf(next))).toEqual({ [kept]: uid })
    expect(Object.keys(await chain.files())).not.toContain(`kept/${vm.cluster}/${vm.namespace}/${kept}.yaml`)
  })

  it('leaves a last snapshot behind where that is asked for, and a tombstone of each disk that is kept', async () => {
    const vm = await provisioned({
      disks: [
        { name: 'data', size: '5Gi' },
        { name: 'scratch', size: '1Gi' },
      ],
    })
    const claims = dataOnly(await claimsOf(vm))
    const [kept = ''] = Object.keys(claims).filter((name) => name.includes('-data-data-'))
    const request = { ...place(vm), destroy: ['scratch'], finalSnapshot: true }
    const { run, ended } = await completed('deprovision', request)
    const last = `${vm.name}-final-${run.id.slice(0, 8)}`
    const snapshot = await chain.look(vm.cluster, 'VirtualMachineSnapshot', vm.namespace, last)
    expect(snapshot?.metadata.deletionTimestamp).toBeUndefined()
    expect(snapshot?.['status']).toMatchObject({ readyToUse: true })
    expect(await chain.look(vm.cluster, 'VirtualMachine', vm.namespace, vm.name)).toBeUndefined()
    expect(await read(keptFile(vm.cluster, vm.namespace, kept))).toMatchObject({
      ...{ disk: kept, cluster: vm.cluster, namespace: vm.namespace, machine: vm.name, run: run.id, size: '5Gi' },
      uid: claims[kept],
    })
    const tombstones = Object.keys(await chain.files()).filter((path) => path.includes(`kept/${vm.cluster}/`))
    expect(tombstones.filter((path) => path.includes(`/${vm.name}-`))).toEqual([
      keptFile(vm.cluster, vm.namespace, kept),
    ])
    // How it was, and that there is a snapshot of it, is in the archive.
    const archive = archiveFolder(ended.data.since ?? '', vm.name, run.id)
    expect(await read(`${archive}/values.yaml`)).toMatchObject({
      name: vm.name,
      snapshots: [{ name: last, purpose: 'final' }],
    })
    // It lies beside the next machine of its name, which does not wait for it to go.
    const next = await provisioned({ name: vm.name })
    expect(next).toEqual(vm)
    await completed('snapshot', { ...place(next), snapshot: 'fresh' })
    expect(await chain.look(vm.cluster, 'VirtualMachineSnapshot', vm.namespace, last)).toMatchObject({
      metadata: { uid: snapshot?.metadata.uid },
    })
  })

  it('is told what would be done, and nothing is', async () => {
    const vm = await provisioned({ disks: [{ name: 'data', size: '5Gi' }] })
    const before = await chain.files()
    const repave = await completed('repave', { ...place(vm), image: other, plan: true })
    expect(repave.ended.data.message).toMatch(/^Nothing was changed\..*turned off; .*kept until.*turned on/)
    expect(repave.ended.data.facts?.plan).toContain(`M vms/${vm.cluster}/shop/${vm.name}/values.yaml`)
    const gone = await completed('deprovision', { ...place(vm), destroy: ['data'], plan: true })
    expect(gone.ended.data.message).toContain('destroyed, with what is on them')
    const made = await completed('provision', { ...small(), plan: true })
    expect(made.ended.data.facts?.plan).toEqual(expect.arrayContaining([expect.stringMatching(/^A names\//)]))
    expect(await chain.files()).toEqual(before)
  })

  it('is held by one run at a time: the second is told by whom, or waits where it asks to', async () => {
    const vm = await provisioned()
    const held: { run: Run | undefined; waiting: Run | undefined } = { run: undefined, waiting: undefined }
    const post = (data: object) => chain.request({ ...place(vm), ...data }, { lifecycle: 'power' })
    const listening = Promise.withResolvers<void>()
    onTestFinished(
      chain.feed.listen(({ type, run }) => {
        if (!type.endsWith('power.located') || held.run?.id !== run || held.waiting) return
        held.waiting = held.run
        Promise.all([post({ action: 'start' }), post({ action: 'start', wait: true })]).then(
          async ([refused, waiting]) => {
            held.run = refused
            held.waiting = waiting
            listening.resolve()
          },
          listening.reject,
        )
      }),
    )
    held.run = await post({ action: 'stop' })
    const first = held.run
    await first.ended
    await listening.promise
    const refused = (await held.run?.ended)?.data.message
    expect(refused).toContain(`is held by run ${first.id}: a power that`)
    expect((await held.waiting?.ended)?.type).toBe('dev.drover.power.completed')
    expect(await statusOf(vm)).toMatchObject({ printableStatus: 'Running' })
  })

  it('is made anew from a snapshot under another name, with its own addresses', async () => {
    const vm = await provisioned({ disks: [{ name: 'data', size: '5Gi' }] })
    await completed('snapshot', { ...place(vm), snapshot: 'clean' })
    const { ended } = await completed('clone', { ...place(vm), snapshot: 'clean', as: { name: `${vm.name}-copy` } })
    const copy = { ...vm, name: `${vm.name}-copy` }
    const [one, other] = [await definitionOf(vm), await definitionOf(copy)]
    expect(other.identity).not.toEqual(one.identity)
    expect(other.interfaces[0]?.leases).not.toEqual(one.interfaces[0]?.leases)
    expect(ended.data.message).toContain(`VM ${copy.name} is ready on site-a`)
    expect(await statusOf(copy)).toMatchObject({ printableStatus: 'Running' })
  })
})

describe.skipIf(isReal())('a disk that its storage cannot let grow', () => {
  it.each<[string, object]>([
    ['while its machine runs on', {}],
    ['while its machine is off for another size', { size: { cores: 2, memory: '4Gi' } }],
  ])('fails the run with the cluster’s own words, and leaves Git as it was, %s', async (_, more) => {
    const vm = await provisioned({ disks: [{ name: 'data', size: '5Gi', storageClass: 'local' }] })
    const before = await chain.files()
    const { run, ended } = await asked('resize', { ...place(vm), grow: { data: '8Gi' }, ...more })
    expect(factsOf(run)).toContain('resize.verify.failed')
    expect(ended.data.message).toContain('the storageclass that provisions the pvc must support resize')
    expect(ended.type).toBe('dev.drover.resize.rolledback')
    expect(await chain.files()).toEqual(before)
    expect(await statusOf(vm)).toMatchObject({ printableStatus: 'Running' })
  })
})

describe.skipIf(isReal())('a machine with a disk of which no snapshot can be taken', () => {
  const disks = [{ name: 'data', size: '5Gi', storageClass: 'local' }]
  const without = 'has no "data-data"'

  it.each<[LifecycleName, object]>([
    ['patch', {}],
    ['repave', { image: other }],
    ['deprovision', { finalSnapshot: true }],
  ])('is left as it is by a %s, for there would be no way back', async (lifecycle, more) => {
    const vm = await provisioned({ disks })
    const before = [await definitionOf(vm), await claimsOf(vm), await contentOf(vm)]
    const { run, ended } = await asked(lifecycle, { ...place(vm), ...more })
    expect(factsOf(run)).toContain('save.verify.failed')
    expect(ended.data.message).toContain(`${without}: there is no VolumeSnapshotClass for its storage`)
    expect(ended.type).toBe(`dev.drover.${lifecycle}.rolledback`)
    expect([await definitionOf(vm), await claimsOf(vm), await contentOf(vm)]).toEqual(before)
    expect(await statusOf(vm)).toMatchObject({ printableStatus: 'Running' })
  })

  it('is told what a snapshot is without, and not restored to that', async () => {
    const vm = await provisioned({ disks })
    const { ended } = await completed('snapshot', { ...place(vm), snapshot: 'part' })
    expect(ended.data.message).toContain('without "data-data", whose storage has no VolumeSnapshotClass')
    const restore = await asked('restore', { ...place(vm), snapshot: 'part' })
    expect(restore.ended.data.message).toContain(`${without} that can be used`)
    expect(await statusOf(vm)).toMatchObject({ printableStatus: 'Running' })
  })
})

describe.skipIf(isReal())('a machine whose storage binds and fills a disk once a pod uses it', () => {
  const rootDisk = { size: '30Gi', storageClass: 'zonal' }
  const data = { name: 'data', size: '5Gi', storageClass: 'zonal' }

  it('is put back to a snapshot, and its disks are filled when it starts', async () => {
    const vm = await provisioned({ rootDisk, disks: [data] })
    await completed('snapshot', { ...place(vm), snapshot: 'clean' })
    const [before, content] = [await claimsOf(vm), await contentOf(vm)]
    await completed('patch', place(vm))
    expect(await contentOf(vm)).not.toBe(content)
    await completed('restore', { ...place(vm), snapshot: 'clean' })
    const claims = await claimsOf(vm)
    expect(Object.keys(claims)).toEqual(Object.keys(before))
    expect(Object.values(claims)).not.toEqual(Object.values(before))
    expect(dataOnly(claims)).toEqual(await recorded(vm))
    expect(await contentOf(vm)).toBe(content)
    expect(await statusOf(vm)).toMatchObject({ printableStatus: 'Running' })
  })

  it('gets new disks where one has grown since, and is refused while it is off: none could grow again in place', async () => {
    const vm = await provisioned({ rootDisk, disks: [data] })
    await completed('snapshot', { ...place(vm), snapshot: 'small' })
    const content = await contentOf(vm)
    await completed('resize', { ...place(vm), grow: { data: '8Gi' } })
    await completed('power', { ...place(vm), action: 'stop' })
    const { ended } = await asked('restore', { ...place(vm), snapshot: 'small' })
    expect(ended.data.message).toContain('"data" has grown since, and can do so again only once it starts')
    await completed('power', { ...place(vm), action: 'start' })
    const restored = await completed('restore', { ...place(vm), snapshot: 'small' })
    expect(restored.ended.data.message).toContain('they are new ones, and those from before are kept')
    expect(await contentOf(vm)).toBe(content)
    const grown = (await mountedBy(vm)).find(({ metadata }) => metadata.name.includes('-data-data-'))
    expect(grown).toMatchObject({ spec: { resources: { requests: { storage: '8Gi' } } }, status: { phase: 'Bound' } })
    expect(await statusOf(vm)).toMatchObject({ printableStatus: 'Running' })
  })

  it('has its disks back where that fails, from a snapshot that outlives the undo', async () => {
    const vm = await provisioned({ rootDisk, disks: [data] })
    await completed('snapshot', { ...place(vm), snapshot: 'clean' })
    const content = await contentOf(vm)
    const { ended } = await crashed('restore', { ...place(vm), snapshot: 'clean' })
    expect((await definitionOf(vm)).snapshots).toEqual([
      expect.objectContaining({ purpose: 'asked' }),
      expect.objectContaining({ name: expect.stringContaining('-undone-') }),
      expect.not.objectContaining({ until: expect.any(String) }),
    ])
    expect(ended.data.message).toMatch(/were filled from snapshot \S+, which stays until somebody lets it go/)
    expect(await contentOf(vm)).toBe(content)
    expect(await statusOf(vm)).toMatchObject({ printableStatus: 'Running' })
  })

  it('gets a new root disk where a patch fails once it has started, filled from a snapshot that outlives the undo', async () => {
    const vm = await provisioned({ rootDisk, disks: [data] })
    const content = await contentOf(vm)
    const { ended } = await crashed('patch', place(vm))
    expect(ended.data.message).toContain('-undo-')
    expect((await definitionOf(vm)).snapshots).toEqual([expect.not.objectContaining({ until: expect.any(String) })])
    expect((await definitionOf(vm)).rootDisk).not.toHaveProperty('atOnce')
    expect(await contentOf(vm)).toBe(content)
    expect(await statusOf(vm)).toMatchObject({ printableStatus: 'Running' })
  })

  it('keeps the snapshot that it was put back to while it was off, until it has started', async () => {
    const vm = await provisioned({ rootDisk })
    await completed('snapshot', { ...place(vm), snapshot: 'clean', keepDays: 1 })
    const content = await contentOf(vm)
    await completed('power', { ...place(vm), action: 'stop' })
    await completed('restore', { ...place(vm), snapshot: 'clean' })
    expect((await definitionOf(vm)).snapshots?.[0]).not.toHaveProperty('until')
    const expire = { ...place(vm), action: 'expire', snapshot: 'clean' }
    const { ended } = await asked('snapshot', expire)
    expect(ended.data.message).toContain('its restored disks are not filled yet from their snapshot')
    await completed('power', { ...place(vm), action: 'start' })
    expect(await contentOf(vm)).toBe(content)
    await completed('snapshot', expire)
  })
})

interface Case {
  lifecycle: LifecycleName
  task: string
  says: string
  fault: MachineFault
  data?: object
  /** A disk that stays, because no undo removes one. */
  kept?: string
  /** True where its disks are put back from a snapshot: their claims came anew, and a restore stays in mind. */
  putBack?: boolean
  /** What else stays of it in the definition, by field; a file of each is left. */
  stays?: Partial<Record<'snapshots' | 'rootDisk' | 'oldRoots', unknown>>
}

/** A guest may have written to its data, so a patch is undone on a new root disk. */
const newRoot = {
  rootDisk: expect.objectContaining({ name: expect.stringContaining('-root-undo-') }),
  oldRoots: [expect.anything()],
}

/** What can be made to fail on the real controllers too; `every-task.test.ts` has every task. */
const cases: Case[] = [
  { lifecycle: 'patch', task: 'patch.verify', says: 'the work was made to fail', fault: 'job-fails', stays: newRoot },
  { lifecycle: 'patch', task: 'start.verify', says: 'CrashLoopBackOff', fault: 'crash-loop', stays: newRoot },
  { lifecycle: 'repave', task: 'image.verify', says: 'cannot be made', fault: 'import-fails', data: { image: other } },
  { lifecycle: 'repave', task: 'swap.verify', says: 'CrashLoopBackOff', fault: 'crash-loop', data: { image: other } },
  {
    lifecycle: 'restore',
    task: 'start.verify',
    says: 'CrashLoopBackOff',
    fault: 'crash-loop',
    data: { snapshot: 'clean' },
    putBack: true,
    stays: {
      snapshots: [
        expect.objectContaining({ purpose: 'asked' }),
        expect.objectContaining({ name: expect.stringContaining('-undone-') }),
      ],
    },
  },
  {
    lifecycle: 'resize',
    task: 'start.verify',
    says: 'CrashLoopBackOff',
    fault: 'crash-loop',
    data: { size: { cores: 4, memory: '4Gi' }, add: [{ name: 'logs', size: '1Gi' }] },
    kept: 'data-logs',
  },
]

describe('a change that fails', () => {
  it.each(cases)(
    '$lifecycle at $task: "$says", and the machine is as it was',
    async ({ lifecycle, task, says, fault, data, kept, putBack = false, stays }) => {
      const vm = await provisioned({ disks: [{ name: 'data', size: '5Gi' }] })
      if (lifecycle === 'restore') await completed('snapshot', { ...place(vm), snapshot: 'clean' })
      const before = { definition: await definitionOf(vm), content: await contentOf(vm), files: await chain.files() }
      chain.fault(fault)
      onTestFinished(() => chain.mend())
      const stop = chain.feed.listen(({ type }) => {
        if (type.endsWith('.failed')) chain.mend()
      })
      const { run, ended } = await asked(lifecycle, { ...place(vm), ...data })
      stop()
      const failed = run.events().find(({ type }) => type.endsWith('.failed'))
      expect([failed?.type, failed?.data.message]).toEqual([
        `dev.drover.${lifecycle}.${task}.failed`,
        expect.stringContaining(says),
      ])
      expect([ended.type, ended.data.message]).toEqual([`dev.drover.${lifecycle}.rolledback`, expect.anything()])
      expect(ended.data.facts?.kept ?? []).toEqual(kept ? [expect.stringContaining(kept)] : [])
      expect(await definitionOf(vm)).toEqual({ ...before.definition, ...(putBack && { pinned: true }), ...stays })
      expect(await contentOf(vm)).toBe(before.content)
      expect(dataOnly(await claimsOf(vm))).toEqual(await recorded(vm))
      const files = await chain.files()
      const differ = [...new Set([...Object.keys(files), ...Object.keys(before.files)])].filter(
        (path) => files[path] !== before.files[path],
      )
      const mayDiffer = [
        ...(putBack || stays ? [/\/(values|manifests\/virtualmachine-[^/]+)\.yaml$/] : []),
        ...(putBack ? [/\/claims\.yaml$/] : []),
        ...(stays ? [/\/virtualmachinesnapshot-[^/]+-undone-|\/datavolume-[^/]+-root-|^due\//] : []),
      ]
      expect(differ.filter((path) => !mayDiffer.some((one) => one.test(path)))).toEqual([])
      expect(await statusOf(vm)).toMatchObject({ printableStatus: 'Running' })
    },
  )
})
