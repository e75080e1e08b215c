import { describe, expect, it } from 'vitest'
import type { Assessment } from '../../../shared/goals/assessment.ts'
import { assessReady } from '../../../shared/goals/ready.ts'
import type { MachineView } from '../../../shared/machines.ts'
import { nothing } from '../../functions/machines.ts'
import { condition, disk, runningView, showing, synced } from '../../functions/verify/views.ts'
import { linuxServer } from '../kubevirt/definitions.ts'

const definition = linuxServer()
const show = (status: string, rest: Parameters<typeof showing>[2] = {}) => showing(definition, status, rest)
const secret = (reason: string, message: string) => ({
  metadata: { name: 'web-01-cloudinit' },
  status: { conditions: [condition('Ready', 'False', message, reason)] },
})

describe('a machine is', () => {
  it.each<[Assessment['state'], string, MachineView, string]>([
    ['waiting', 'nothing is there', nothing, 'Argo CD has no Application for it yet'],
    [
      'waiting',
      'Argo CD has not looked yet',
      { ...nothing, application: { metadata: { name: 'web-01' } } },
      'Argo CD is starting, the VirtualMachine is not there yet',
    ],
    ['waiting', 'Argo CD is behind', synced('OutOfSync'), 'Argo CD is OutOfSync, the VirtualMachine is not there yet'],
    [
      'waiting',
      'the cluster shows an older operation',
      showing({ ...definition, operation: 'another' }, 'Running', { ready: true }),
      'Argo CD is Synced, the cluster does not show this commit yet',
    ],
    [
      'waiting',
      'it was only just applied',
      { ...show('Stopped'), disks: [disk('CloneScheduled')] },
      'the VirtualMachine is Stopped; disks: web-01-root-71f75f7d CloneScheduled',
    ],
    [
      'waiting',
      'Argo CD has an Application and has not compared it',
      synced(''),
      'Argo CD is starting, the VirtualMachine is not there yet',
    ],
    ...['DataVolumeError', 'ErrorPvcNotFound', 'ErrorUnschedulable'].map(
      (status): [Assessment['state'], string, MachineView, string] => [
        'waiting',
        `its disk is cloned, however long, and KubeVirt says ${status} of a claim that is not there yet`,
        {
          ...show(status, { conditions: [condition('Ready', 'False', 'VMI does not exist')] }),
          disks: [disk('CloneInProgress', '12.5%', [condition('Running', 'True', 'Clone in progress')])],
        },
        `the VirtualMachine is ${status}; disks: web-01-root-71f75f7d CloneInProgress 10%`,
      ],
    ),
    [
      'troubled',
      'an import fails and is tried again',
      {
        ...show('DataVolumeError'),
        disks: [disk('ImportInProgress', undefined, [condition('Running', 'False', 'Unable to connect', 'Error')])],
      },
      'disk web-01-root-71f75f7d cannot be made: Unable to connect',
    ],
    [
      'troubled',
      'CDI does not know what claim to make',
      {
        ...show('ErrorPvcNotFound'),
        disks: [
          disk('', undefined, [
            condition('Bound', 'False', 'no accessMode specified in StorageProfile bare', 'ErrClaimNotValid'),
          ]),
        ],
      },
      'disk web-01-root-71f75f7d cannot be made: no accessMode specified in StorageProfile bare',
    ],
    [
      'troubled',
      'CDI declines what it is cloned from',
      {
        ...show('ErrorPvcNotFound'),
        disks: [
          disk('Pending', undefined, [
            condition('Ready', 'False', 'size is smaller than the source', 'CloneValidationFailed'),
          ]),
        ],
      },
      'disk web-01-root-71f75f7d cannot be made: size is smaller than the source',
    ],
    [
      'troubled',
      'it has no node, and its disk waits for it to have one',
      {
        ...show('ErrorUnschedulable', { conditions: [condition('PodScheduled', 'False', 'no room')] }),
        disks: [disk('WaitForFirstConsumer')],
      },
      'the VirtualMachine says ErrorUnschedulable: no room',
    ],
    [
      'waiting',
      'a disk is filled',
      { ...show('Provisioning'), disks: [disk('ImportInProgress', '47.85%')] },
      'the VirtualMachine is Provisioning; disks: web-01-root-71f75f7d ImportInProgress 40%',
    ],
    [
      'waiting',
      'a disk waits for its first consumer',
      show('WaitingForVolumeBinding'),
      'the VirtualMachine is WaitingForVolumeBinding',
    ],
    ['waiting', 'it starts', show('Starting'), 'the VirtualMachine is Starting'],
    [
      'waiting',
      'it runs, but its status is of an older generation',
      show('Running', { ready: true, observedGeneration: 0 }),
      'the VirtualMachine is Running',
    ],
    [
      'waiting',
      'its agent has not spoken',
      runningView(definition, { agent: false }),
      'the VirtualMachine is Running, its guest agent has not connected yet',
    ],
    ['reached', 'all holds', runningView(definition), 'VM web-01 is Running on node node-1'],
  ])('%s while %s', (state, _, view, message) => {
    expect(assessReady(view, definition)).toEqual({ state, message })
  })

  it.each<[Assessment['state'], string, string, boolean]>([
    ['reached', 'it compared with this commit', 'ours', false],
    ['reached', 'it compared with this commit, and is asked to look again', 'ours', true],
    ['waiting', 'it last compared with some other commit, and was not done since it was asked', 'other', true],
    ['reached', 'it was asked after the push, and compared since', 'other', false],
  ])('%s while Argo CD says Synced and %s', (state, _, revision, isAsked) => {
    const view = runningView(definition)
    const annotations = isAsked ? { 'argocd.argoproj.io/refresh': 'normal' } : {}
    const application = {
      metadata: { name: 'web-01', annotations },
      status: { sync: { status: 'Synced', revision } },
    }
    expect(assessReady({ ...view, application }, definition, 'ours').state).toBe(state)
  })

  it.each(['CrashLoopBackOff', 'ErrorUnschedulable', 'ErrImagePull', 'ImagePullBackOff', 'ErrorPvcNotFound'])(
    'troubled when it says %s, in the cluster’s words',
    (status) => {
      const words = '0/3 nodes are available: 3 Insufficient memory.'
      const view = show(status, { conditions: [condition('PodScheduled', 'False', words)] })
      expect(assessReady(view, definition)).toEqual({
        state: 'troubled',
        message: `the VirtualMachine says ${status}: ${words}`,
      })
    },
  )

  it.each<[Assessment['state'], string, 'started' | 'left running', object]>([
    ['waiting', 'was started for it, and is of an older template', 'started', { observedGeneration: 0 }],
    ['reached', 'ran on, and waits for a restart since before', 'left running', { observedGeneration: 0 }],
    [
      'waiting',
      'ran on, but KubeVirt has not seen the change',
      'left running',
      { observedGeneration: 0, desiredGeneration: 0 },
    ],
  ])('%s where its guest %s', (state, _, guest, generations) => {
    const view = runningView(definition)
    const machine = { ...view.machine, status: { ...view.machine?.status, ...generations } } as MachineView['machine']
    expect(assessReady({ ...view, machine }, definition, undefined, guest).state).toBe(state)
  })

  it.each([
    ['Starting', 1, 'waiting'],
    ['Starting', 2, 'troubled'],
    ['CrashLoopBackOff', 1, 'troubled'],
  ])('%s after %d failed starts: %s', (status, consecutiveFailCount, state) => {
    const view = show(status)
    const machine = view.machine && {
      ...view.machine,
      status: { ...view.machine.status, startFailure: { consecutiveFailCount } },
    }
    expect(assessReady({ ...view, machine }, definition)).toMatchObject({ state })
  })

  it('troubled, with no more words than there are', () => {
    expect(assessReady(show('CrashLoopBackOff'), definition)).toEqual({
      state: 'troubled',
      message: 'the VirtualMachine says CrashLoopBackOff: no reason given',
    })
  })

  it('failed for good when a disk has failed', () => {
    const failed = disk('Failed', undefined, [condition('Running', 'False', 'Unable to connect: 404', 'Error')])
    expect(assessReady({ ...show('Provisioning'), disks: [failed] }, definition)).toEqual({
      state: 'failed',
      message: 'disk web-01-root-71f75f7d failed: Unable to connect: 404',
    })
  })

  it.each<[string, MachineView, string]>([
    [
      'Argo CD cannot apply it',
      synced('OutOfSync', { operationState: { phase: 'Failed', message: 'admission webhook denied the request' } }),
      'Argo CD cannot apply it: admission webhook denied the request',
    ],
    [
      'Argo CD has tried to apply it for two minutes',
      synced('OutOfSync', {
        sync: { status: 'OutOfSync', revision: 'ours' },
        operationState: {
          ...{ phase: 'Running', retryCount: 5, operation: { sync: { revision: 'ours' } } },
          message: 'admission webhook denied the request. Retrying attempt #6 at 4:00AM.',
        },
      }),
      'Argo CD cannot apply it: admission webhook denied the request',
    ],
    [
      'Argo CD cannot read Git',
      synced('Unknown', { conditions: [{ type: 'ComparisonError', message: 'repository not found' }] }),
      'Argo CD reports ComparisonError: repository not found',
    ],
    [
      'its Secret cannot be made',
      { ...show('Starting'), secrets: [secret('SecretSyncedError', 'key drover/monitoring not found')] },
      'ExternalSecret web-01-cloudinit cannot be synced: key drover/monitoring not found',
    ],
  ])('troubled when %s', (_, view, message) => {
    expect(assessReady(view, definition)).toEqual({ state: 'troubled', message })
  })

  const comparison = (message: string) => synced('Unknown', { conditions: [{ type: 'ComparisonError', message }] })
  const failedSync = (message: string) => synced('OutOfSync', { operationState: { phase: 'Failed', message } })

  it.each<[string, MachineView]>([
    [
      'Argo CD cannot reach its own repo-server',
      comparison(
        'Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp 10.0.0.7:8081: connect: connection refused"',
      ),
    ],
    [
      'Argo CD cannot reach the cluster',
      comparison(
        'Failed to load live state: failed to get cluster info for "https://site-b:6443": error synchronizing cache state : failed to load open api schema while syncing cluster cache',
      ),
    ],
    [
      'Argo CD cannot reach Git',
      comparison(
        'Failed to load target state: rpc error: code = Unknown desc = failed to list refs: Get "https://git.example.com/fleet.git": dial tcp: lookup git.example.com: no such host',
      ),
    ],
    [
      'a webhook of the cluster does not answer',
      failedSync(
        'one or more objects failed to apply, reason: Internal error occurred: failed calling webhook "virtualmachine-validator.kubevirt.io": Post "https://virt-api.kubevirt.svc:443/validate": context deadline exceeded',
      ),
    ],
    [
      'the API server has no etcd',
      failedSync('one or more objects failed to apply, reason: etcdserver: request timed out'),
    ],
  ])('waited for while %s, for that passes', (_, view) => {
    expect(assessReady(view, definition)).toMatchObject({ state: 'waiting' })
  })

  it.each<[string, MachineView]>([
    [
      'Argo CD may not manage the namespace',
      comparison('Failed to load live state: Namespace "shop" for VirtualMachine "web-01" is not managed'),
    ],
    [
      'a manifest cannot be read',
      comparison(
        'Failed to load target state: rpc error: code = Unknown desc = Manifest generation error: yaml: line 3',
      ),
    ],
    [
      'a webhook denies it',
      failedSync(
        'one or more objects failed to apply, reason: admission webhook "virtualmachine-validator.kubevirt.io" denied the request: no such field',
      ),
    ],
    [
      'an outage was before, and now its manifest cannot be read',
      synced('Unknown', {
        operationState: { phase: 'Failed', message: 'dial tcp 10.0.0.7:443: connect: connection refused' },
        conditions: [{ type: 'ComparisonError', message: 'Failed to load target state: app path does not exist' }],
      }),
    ],
  ])('troubled where %s, for that stays', (_, view) => {
    expect(assessReady(view, definition)).toMatchObject({ state: 'troubled' })
  })

  /** Argo CD compared our commit, and tries to apply one for the so many-th time. */
  const retrying = (retryCount: number, revision: string) =>
    synced('OutOfSync', {
      sync: { status: 'OutOfSync', revision: 'ours' },
      operationState: { phase: 'Running', retryCount, message: 'refused', operation: { sync: { revision } } },
    })

  it('not troubled by what Argo CD has tried a few times', () => {
    expect(assessReady(retrying(4, 'ours'), definition)).toMatchObject({ state: 'waiting' })
  })

  it('not troubled by what Argo CD still tries of an older commit', () => {
    expect(assessReady(retrying(9, 'older'), definition)).toMatchObject({ state: 'waiting' })
  })

  it('not troubled by a failed sync that a later one has made good', () => {
    const view = runningView(definition)
    const { application } = synced('Synced', { operationState: { phase: 'Failed', message: 'timeout' } })
    expect(assessReady({ ...view, application }, definition)).toMatchObject({ state: 'reached' })
  })

  it('not asked for an agent that it is not to have', () => {
    const view = runningView(definition, { agent: false })
    expect(assessReady(view, { ...definition, guestAgent: false })).toMatchObject({ state: 'reached' })
  })
})
