import { describe, expect, it } from 'vitest'
import { readPushInput } from '../../../shared/images/push-input.ts'
import { type PushJob, pushJob } from '../../../shared/images/push-job.ts'

const plain = (): PushJob => ({
  name: 'rhel9-push',
  namespace: 'golden',
  labels: { 'app.kubernetes.io/managed-by': 'drover' },
  claim: 'rhel9-build',
  volumeMode: 'Filesystem',
  image: 'registry.example.com/platform/drover:0.1.0',
  repository: 'registry.example.com/golden/rhel9',
  tag: 'v1',
  created: '2026-01-01T00:00:00Z',
  provenance: { 'org.opencontainers.image.title': 'RHEL $(PUSH_TAG)', 'org.opencontainers.image.revision': 'c0ffee' },
  deadlineSeconds: 3600,
})
const whole = (): PushJob => ({
  ...plain(),
  ...{ volumeMode: 'Block', secret: 'push', caConfigMap: 'roots', insecure: true },
  ...{ instancetype: 'u1.medium', preference: 'rhel.9' },
})
const podOf = (push: PushJob) => pushJob(push).spec.template.spec
const containerOf = (push: PushJob) => {
  const [container] = podOf(push).containers
  if (!container) throw new Error('no container')
  return container
}
/** What Kubernetes makes of a value. */
const expanded = (value: string) => value.replaceAll('$$', '$')
const variablesOf = (push: PushJob) =>
  Object.fromEntries(containerOf(push).env.map(({ name, value }) => [name, expanded(value)]))

describe('pushJob', () => {
  it('mounts the disk of a file system to be read', () => {
    const container = containerOf(plain())
    expect(container.volumeMounts).toEqual([{ name: 'disk', mountPath: '/disks', readOnly: true }])
    expect(container).not.toHaveProperty('volumeDevices')
    expect(podOf(plain()).volumes).toEqual([{ name: 'disk', persistentVolumeClaim: { claimName: 'rhel9-build' } }])
  })

  it('gives a block device, and secrets by reference alone', () => {
    const { volumeDevices, volumeMounts } = containerOf(whole())
    expect(volumeDevices).toEqual([{ name: 'disk', devicePath: '/dev/vda' }])
    expect(volumeMounts).toEqual([
      { name: 'registry', mountPath: '/etc/drover/registry', readOnly: true },
      { name: 'authorities', mountPath: '/etc/drover/authorities', readOnly: true },
    ])
    expect(podOf(whole()).volumes.slice(1)).toEqual([
      { name: 'registry', secret: { secretName: 'push', defaultMode: 0o440 } },
      { name: 'authorities', configMap: { name: 'roots' } },
    ])
  })

  it.each([plain, whole])('has no right that it can do without', (push) => {
    expect(podOf(push())).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: {
        ...{ runAsNonRoot: true, runAsUser: 107, runAsGroup: 107, fsGroup: 107 },
        seccompProfile: { type: 'RuntimeDefault' },
      },
    })
    expect(containerOf(push()).securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
  })

  it('ends by itself', () => {
    expect(pushJob(plain()).spec).toMatchObject({ backoffLimit: 2, activeDeadlineSeconds: 3600 })
    expect(podOf(plain()).restartPolicy).toBe('Never')
  })

  it('says to the program what the program reads', () => {
    const { provenance: annotations, created, tag } = plain()
    const repository = { host: 'registry.example.com', path: 'golden/rhel9' }
    const common = { repository, tag, created, annotations }
    const { instancetype, preference } = whole()
    expect(readPushInput(variablesOf(plain()))).toEqual({
      ...common,
      ...{ disk: '/disks/disk.img', architecture: 'amd64', insecure: false },
    })
    expect(readPushInput(variablesOf(whole()))).toEqual({
      ...common,
      ...{ disk: '/dev/vda', architecture: 'amd64', insecure: true, instancetype, preference },
      ...{ credentials: '/etc/drover/registry', authorities: '/etc/drover/authorities' },
    })
  })

  it('is the same for the same input, in whatever order it is written', () => {
    const { provenance } = plain()
    const reversed = Object.fromEntries(Object.entries(provenance).reverse())
    expect(JSON.stringify(pushJob({ ...plain(), provenance: reversed }))).toBe(JSON.stringify(pushJob(plain())))
  })

  it.each<[string, Partial<PushJob>, string]>([
    ['repository', { repository: 'registry.example.com/../x' }, '".." is not a part of a path'],
    ['tag', { tag: 'v/1' }, 'Cannot push tag "v/1"'],
  ])('refuses a %s that is none', (_, change, sentence) => {
    expect(() => pushJob({ ...plain(), ...change })).toThrow(sentence)
  })
})

describe('readPushInput', () => {
  it('names every variable that is missing', () => {
    expect(() => readPushInput({ PUSH_TAG: 'v1', PUSH_DISK: '' })).toThrow(
      'Cannot push: PUSH_REPOSITORY is not set; PUSH_DISK is not set; PUSH_ARCHITECTURE is not set; PUSH_CREATED is not set',
    )
  })

  it.each(['', '[1]', '{"a":1}', 'x', 'null'])('refuses annotations that are %j', (text) => {
    expect(() => readPushInput({ ...variablesOf(plain()), PUSH_ANNOTATIONS: text })).toThrow('PUSH_ANNOTATIONS is not')
  })
})
