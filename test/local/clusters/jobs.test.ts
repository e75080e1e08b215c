import { afterAll, beforeAll, expect, it } from 'vitest'
import { healthOf } from '../../../local/clusters/controllers/argocd-health.ts'
import { faultAnnotation } from '../../../local/clusters/faults.ts'
import { fieldAt } from '../../../local/clusters/selector.ts'
import type { Store } from '../../../local/clusters/store.ts'
import { change, content, dataVolume, events, golden, job, machine, namespace, startFleet, until } from './harness.ts'

let fleet: Awaited<ReturnType<typeof startFleet>>
let store: Store

beforeAll(async () => {
  fleet = await startFleet({
    seed: { 'site-a': [namespace('shop')] },
    perform: (_pod, { metadata }) =>
      metadata.name === 'asked' ? { message: 'as I was told', content: 'new' } : undefined,
  })
  store = fleet.clusters.store('site-a')
})
afterAll(() => fleet.end())

const pods = (name: string) =>
  store.list('Pod', 'shop').filter(({ metadata }) => metadata.labels?.['job-name'] === name)
const ended = (name: string) => pods(name).map((pod) => fieldAt(pod, 'status.containerStatuses.0.state.terminated'))
const complete = (name: string) => until(store, 'Job', `shop/${name}`, { 'status.conditions[Complete].status': 'True' })
const filled = (name: string) => until(store, 'DataVolume', `shop/${name}`, { 'status.phase': 'Succeeded' })

it('a Job runs its pod, which says what its annotation has it say, and changes the disks that it mounts', async () => {
  store.create(dataVolume('patched', golden))
  await filled('patched')
  store.create(job('patch', { disks: ['patched'], says: { 'local.drover.dev/says': '{"packages":3}' } }))
  const done = await complete('patch')
  expect(done).toMatchObject({ status: { succeeded: 1, completionTime: expect.any(String) } })
  expect(ended('patch')).toMatchObject([{ exitCode: 0, reason: 'Completed', message: '{"packages":3}' }])
  expect(content(store, 'patched')).toBe('rhel9+patch')
  expect(healthOf(done)).toEqual({ status: 'Healthy', message: 'Reached expected number of succeeded pods' })
})

it('a Job does what the test that started the clusters has it do', async () => {
  store.create(dataVolume('told'))
  await filled('told')
  store.create(job('asked', { disks: ['told'] }))
  await complete('asked')
  expect([ended('asked'), content(store, 'told')]).toMatchObject([[{ message: 'as I was told' }], 'new'])
})

it('a Job that fails is tried as often as it says, and says why at its end', async () => {
  store.create(dataVolume('spoilt'))
  await filled('spoilt')
  store.create(
    job('broken', {
      disks: ['spoilt'],
      spec: { backoffLimit: 1 },
      annotations: { [faultAnnotation]: 'job-fails' },
    }),
  )
  const failed = await until(store, 'Job', 'shop/broken', {
    'status.conditions[Failed].reason': 'BackoffLimitExceeded',
  })
  expect(failed).toMatchObject({ status: { failed: 2 } })
  expect(ended('broken')).toMatchObject(
    Array(2).fill({ exitCode: 1, reason: 'Error', message: 'the work was made to fail' }),
  )
  expect(content(store, 'spoilt')).toBe('blank+broken(failed)+broken(failed)')
  expect(healthOf(failed)).toEqual({ status: 'Degraded', message: 'Job has reached the specified backoff limit' })
})

it('a Job that does not end fails at its deadline, and its pod goes', async () => {
  store.create(job('endless', { spec: { activeDeadlineSeconds: 1 }, annotations: { [faultAnnotation]: 'job-stuck' } }))
  const failed = { 'status.conditions[Failed].reason': 'DeadlineExceeded', 'status.active': undefined }
  await until(store, 'Job', 'shop/endless', failed)
  await expect.poll(() => pods('endless')).toEqual([])
})

it('a Job waits for a ReadWriteOnce disk that a guest has, and runs when the guest has stopped', async () => {
  const storage = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
  store.create(dataVolume('single', { storage }))
  store.create(machine('busy', { disks: ['single'] }))
  await until(store, 'VirtualMachine', 'shop/busy', { 'status.ready': true })
  store.create(job('offline', { disks: ['single'] }))
  const said = () => pods('offline').flatMap((pod) => events(store, pod.metadata.name))
  await expect
    .poll(said)
    .toEqual([expect.stringMatching(/^FailedAttachVolume: Multi-Attach error for volume "pvc-.* virt-launcher-busy-/)])
  expect(pods('offline')).toMatchObject([{ status: { phase: 'Pending' } }])
  change(store, 'VirtualMachine', 'busy', { runStrategy: 'Halted' })
  await complete('offline')
  expect(content(store, 'single')).toBe('blank+offline')
})

it('a Job tears a ReadWriteMany disk that a guest has', async () => {
  store.create(dataVolume('shared'))
  store.create(machine('sharing', { disks: ['shared'], mac: '02:00:00:00:06:01' }))
  await until(store, 'VirtualMachine', 'shop/sharing', { 'status.ready': true })
  store.create(job('careless', { disks: ['shared'] }))
  await complete('careless')
  expect(content(store, 'shared')).toBe('torn by careless')
})

it('a Job keeps its template, and goes by itself when it says so', async () => {
  store.create(job('kept', { spec: { ttlSecondsAfterFinished: 0 }, annotations: { [faultAnnotation]: 'job-stuck' } }))
  const other = job('kept', { says: { 'local.drover.dev/says': 'other' } })['spec'] as object
  expect(() => change(store, 'Job', 'kept', other)).toThrow(
    'Job.batch "kept" is invalid: spec.template: Invalid value: field is immutable',
  )
  store.create(job('brief', { spec: { ttlSecondsAfterFinished: 0 } }))
  await expect.poll(() => store.get('Job', 'shop', 'brief')).toBeUndefined()
})

it('a Job that no node has room for waits', async () => {
  store.create(job('large', { annotations: { [faultAnnotation]: 'unschedulable' } }))
  const said = () => pods('large').flatMap((pod) => events(store, pod.metadata.name))
  await expect.poll(said).toEqual([expect.stringMatching(/^FailedScheduling: 0\/3 nodes are available/)])
  expect(pods('large')).toMatchObject([{ status: { phase: 'Pending' } }])
})
