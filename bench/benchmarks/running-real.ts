import { setTimeout as sleep } from 'node:timers/promises'
import { serverEnvironment } from '../../local/git/repository.ts'
import { environment } from '../../shared/config.ts'
import type { Change } from '../../shared/fleet.ts'
import { refreshAnnotation } from '../../shared/machines.ts'
import { type Real, until } from '../../test/cluster/platform.ts'
import type { Benchmark } from '../benchmark.ts'
import { type Branch, watchBranch } from '../branch.ts'
import { fastImport } from '../fleet/import.ts'
import { commitsSince, tipOf } from '../history.ts'
import { post } from '../provisions.ts'
import { tip } from '../runs.ts'

const [cluster, namespace] = ['site-a', 'shop'] as const

/** What becomes of a commit is the work of Argo CD, CDI and KubeVirt: Drover only must not keep them waiting. */
export const runningReal: Benchmark = {
  name: 'running-real',
  title: 'From the commit to a running machine, on real controllers',
  measures:
    'From the moment when a run has moved the branch until KubeVirt says Running: Argo CD, CDI, KubeVirt; only nodes are played',
  reference: 'the same manifests under another name, committed and refreshed by hand',
  quick: false,
  real: true,
  async measure(place) {
    const real = await place.real()
    const branch = watchBranch(real.repository)
    const samples = { drover: [] as number[], reference: [] as number[] }
    const count = place.quick ? 2 : 4
    for (let index = -1; index < count; index++) {
      const name = `measured-${index + 10}`
      const { changes, time } = await byDrover(real, branch, name)
      const hand = await byHand(real, branch, renamed(changes, name, `by-hand-${index + 10}`), `by-hand-${index + 10}`)
      // The first has made the namespace.
      if (index < 0) continue
      samples.drover.push(time)
      samples.reference.push(hand)
    }
    branch.close()
    return [{ what: '', unit: 'ms', statistic: 'median', ...samples, limit: { times: 1.2 } }]
  },
}

/** Provisions a machine; answers with what its commit held as well. */
async function byDrover(real: Real, branch: Branch, name: string): Promise<{ changes: Change[]; time: number }> {
  const before = await tipOf(real.repository)
  const run = await post(real, name, cluster)
  const running = becomesRunning(real, name)
  const committed = branch.movedBefore(run.began + (await run.until('create.committed')))
  const time = (await running) - committed
  await run.until('completed')
  await real.idle()
  const commits = await commitsSince(real.repository, before)
  const changes = commits.find((files) => files.some(({ path }) => path.includes('/manifests/')))
  if (!changes) throw new Error(`Cannot find the commit of ${name}`)
  return { changes, time }
}

/** Commits its files and wakes Argo CD, as somebody would who has them ready. */
async function byHand(real: Real, branch: Branch, files: Record<string, string>, name: string): Promise<number> {
  const running = becomesRunning(real, name)
  const commit = { message: `Add ${name} by hand\n`, from: tip, files: [files] }
  await fastImport(real.repository, [commit], serverEnvironment(environment()))
  const pushed = performance.now()
  await real.api.merge('Application', 'argocd', 'drover-hub', {
    metadata: { annotations: { [refreshAnnotation]: 'normal' } },
  })
  const time = (await running) - branch.movedBefore(pushed)
  await until(`${name} is healthy`, async () => isHealthy(await real.look('hub', 'Application', 'argocd', name)))
  return time
}

/** What Argo CD applies of a change set, for a machine of another name. */
function renamed(changes: readonly Change[], name: string, other: string): Record<string, string> {
  const applied = changes.flatMap(({ path, content }) =>
    /^(vms|hub)\//.test(path) && content !== null ? [[path, content] as const] : [],
  )
  return Object.fromEntries(applied.map((file) => file.map((text) => text.replaceAll(name, other))))
}

const patience = 180_000

/** When KubeVirt says so, as `performance.now()` has it. */
async function becomesRunning(real: Real, name: string): Promise<number> {
  for (const deadline = performance.now() + patience; performance.now() < deadline; await sleep(50)) {
    const machine = await real.look(cluster, 'VirtualMachine', namespace, name)
    if ((machine?.['status'] as { printableStatus?: string } | undefined)?.printableStatus === 'Running')
      return performance.now()
  }
  throw new Error(`Cannot go on: ${name} does not run after ${patience / 1000} s`)
}

const isHealthy = (application: object | undefined) =>
  (application as { status?: { health?: { status?: string } } } | undefined)?.status?.health?.status === 'Healthy'
