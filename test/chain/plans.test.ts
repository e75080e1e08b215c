import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kindsOn } from '../../local/clusters/kinds.ts'
import type { KubeObject } from '../../local/clusters/object.ts'
import { type LifecycleName, lifecycles, makesImage } from '../../shared/lifecycles.ts'
import { runFile } from '../../shared/paths.ts'
import { type Chain, factsOf, isReal, small, startChain } from './harness.ts'
import { machinesOf } from './machines.ts'
import { cluster, type Place, placesOf, requests } from './set-ups.ts'

/** Every lifecycle as a plan: it says what it would do, and Git and the clusters stay byte for byte as they are. */

let chain: Chain
const machines = machinesOf(() => chain)
const places = placesOf(machines)
let machine: Place
let image: Place
beforeAll(async () => {
  chain = await startChain({ DROVER_GRACE_SECONDS: '2' })
  ;[machine, image] = await Promise.all([places.take('patch'), places.take('golden-image')])
}, 120_000)
afterAll(() => chain.close())

interface Row {
  lifecycle: LifecycleName
  /** More of the request, and what that is for the name of the test. */
  request?: object
  more?: string
  /** What restarts, what is kept and what is lost, in the order in which it would be. */
  says: RegExp[]
  /** Some of the files that would change, as `git status` has them; the machine's folder is `vm/`, its name `$`. */
  files: RegExp[]
}

const off = /the machine is turned off/
const on = /the machine is turned on/
const wayBack = /snapshot \S+-undo-\S+ is taken to go back to/
const definition = /^M vms\/site-a\/[^/]+\/[^/]+\/values\.yaml$/

const rows: Row[] = [
  {
    lifecycle: 'golden-image',
    says: [/DataSource \S+ stands for disk \S+/],
    files: [/^M images\/[^/]+\/image\.yaml$/, /^A images\/[^/]+\/manifests\/datavolume-/],
  },
  {
    lifecycle: 'provision',
    says: [/files of the fleet repository would change/],
    files: [/^A names\//, /^A ipam\/servers\//, /^A vms\/site-a\/.*values\.yaml$/, /^A hub\/applications\//],
  },
  {
    lifecycle: 'deprovision',
    says: [
      off,
      /snapshot \S+-final-\S+ is taken, and stays when the machine is gone/,
      /the machine and its root disk are lost/,
      /kept: \S+-data-data-\w+/,
      /destroyed, with what is on them: \S+-data-scratch-\w+/,
    ],
    files: [
      /^D vms\/site-a\/.*values\.yaml$/,
      /^A archive\/\d{4}\/\d\d-\d\d\//,
      /^A kept\/site-a\/.*-data-data-/,
      /^D names\//,
    ],
  },
  {
    lifecycle: 'repave',
    says: [/root disk \S+ is made from the latest image/, wayBack, off, /old root disk \S+ is kept until 20\S+/, on],
    files: [definition, /^A vms\/.*datavolume-/],
  },
  {
    lifecycle: 'patch',
    says: [off, wayBack, /the root disk is changed while the machine is off/, on],
    files: [definition],
  },
  {
    lifecycle: 'snapshot',
    says: [/snapshot \S+-one is taken/],
    files: [definition, /^A vms\/.*virtualmachinesnapshot-/],
  },
  {
    lifecycle: 'restore',
    says: [off, wayBack, /all disks are put back to \S+-clean: what was written since is lost/, on],
    files: [definition],
  },
  {
    lifecycle: 'clone',
    says: [/files of the fleet repository would change/],
    files: [/^A names\/.*-copy/, /^A ipam\/servers\//, /^A vms\/site-a\/.*-copy\/values\.yaml$/],
  },
  {
    lifecycle: 'resize',
    says: [off, /the machine has 2 cores and 4Gi/, /disk data is of 8Gi: none shrinks again/, /disk logs is new/, on],
    files: [definition, /^A kept\/site-a\/.*-data-scratch-/],
  },
  { lifecycle: 'power', says: [off, on], files: [] },
  { lifecycle: 'power', more: ' to stop', request: { action: 'stop' }, says: [off], files: [definition] },
  { lifecycle: 'migrate', says: [/the guest moves to another node while it runs/], files: [] },
]

const requestOf = ({ lifecycle, request }: Row): object =>
  lifecycle === 'provision'
    ? small({ namespace: machine.namespace, placement: { cluster }, disks: [{ name: 'data', size: '5Gi' }] })
    : { ...requests[lifecycle](makesImage(lifecycle) ? image : machine), ...request }

/** Every object of every cluster: a managed one as it is; of the hub's Applications what is asked of Argo CD. */
async function everything(): Promise<string[]> {
  const namespaces = ['', 'argocd', machine.namespace, image.namespace, 'shop', 'golden']
  const on = [...chain.sites.map((site) => [site, 'managed'] as const), ['hub', 'hub'] as const]
  const lists = on.flatMap(([where, role]) =>
    kindsOn(role).flatMap(({ kind }) => namespaces.map((namespace) => chain.list(where, kind, namespace))),
  )
  return (await Promise.all(lists)).flat().map(textOf)
}

function textOf(object: KubeObject): string {
  const { kind, metadata } = object
  // Argo CD looks at Git from time to time, and says when it did.
  if (kind === 'Application') return JSON.stringify([kind, metadata.name, metadata.uid, object['spec']])
  return JSON.stringify(object)
}

/** What there is once nothing moves any more. */
async function still(): Promise<string[]> {
  for (let before = await everything(); ; ) {
    await sleep(500)
    const now = await everything()
    if (now.join() === before.join()) return now
    before = now
  }
}

describe.skipIf(isReal())('a plan', { timeout: 60_000 }, () => {
  it('is tried of every lifecycle', () => {
    expect([...new Set(rows.map(({ lifecycle }) => lifecycle))].sort()).toEqual(
      lifecycles.map(({ name }) => name).sort(),
    )
  })

  it.each(rows.map((row) => ({ more: '', ...row })))(
    'of $lifecycle$more says what would be done, and does none of it',
    async (row) => {
      const { lifecycle, says, files } = row
      const before = { head: await chain.git('rev-parse', 'main'), clusters: await still() }
      const run = await chain.request({ ...requestOf(row), plan: true }, { lifecycle })
      const ended = await run.ended
      await chain.idle()
      expect([ended.type, ended.data.message]).toEqual([`dev.drover.${lifecycle}.completed`, expect.anything()])
      expect(ended.data.message).toMatch(/^Nothing was changed\./)
      const sentence = ended.data.message ?? ''
      const at = says.map((one) => sentence.search(one))
      expect(at, sentence).toEqual(at.toSorted((one, other) => one - other))
      expect(at, sentence).not.toContain(-1)
      const plan = ended.data.facts?.plan ?? []
      for (const file of files) expect(plan).toContainEqual(expect.stringMatching(file))
      // What only a run needs is nothing to be told of.
      expect(plan.filter((line) => line.includes(runFile(run.id)) || line.endsWith('operation.yaml'))).toEqual([])
      expect(factsOf(run).filter((fact) => fact.endsWith('.failed'))).toEqual([])
      expect(await chain.git('rev-parse', 'main')).toBe(before.head)
      expect(await everything()).toEqual(before.clusters)
    },
  )
})
