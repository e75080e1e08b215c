import { describe, expect, it } from 'vitest'
import { type CustomizeJob, customizeJob } from '../../../shared/images/customize-job.ts'
import { parseYaml, toYaml } from '../../../shared/yaml.ts'
import { everything } from './customizations.ts'

const input = (change: Partial<CustomizeJob> = {}): CustomizeJob => ({
  name: 'web-01-patch-7f3a',
  namespace: 'shop',
  labels: { 'drover.dev/machine': 'web-01', tier: 'web' },
  podLabels: { 'drover.dev/machine': 'web-01' },
  claim: 'web-01-root-71f75f7d',
  volumeMode: 'Filesystem',
  image: 'quay.io/kubevirt/libguestfs-tools@sha256:0000',
  customization: everything(),
  deadlineSeconds: 3600,
  ...change,
})

interface Container {
  env: { name: string; value: string }[]
  volumeDevices?: unknown
  volumeMounts: { name: string; mountPath: string; readOnly?: boolean }[]
  securityContext: unknown
  resources: { limits: Record<string, string> }
}
interface Spec {
  backoffLimit: number
  activeDeadlineSeconds: number
  template: {
    metadata: { labels: unknown }
    spec: { containers: [Container]; volumes: { name: string }[]; [field: string]: unknown }
  }
}

const jobOf = (change?: Partial<CustomizeJob>) => customizeJob(input(change))[1]?.spec as Spec
const podOf = (change?: Partial<CustomizeJob>) => jobOf(change).template.spec
const containerOf = (change?: Partial<CustomizeJob>) => podOf(change).containers[0]
const envOf = (change?: Partial<CustomizeJob>) =>
  Object.fromEntries(containerOf(change).env.map(({ name, value }) => [name, value]))

describe('customizeJob', () => {
  it('asks the node for KVM where there is one, as machines do', () => {
    const limits = (change: Partial<CustomizeJob>) => Object.keys(podOf(change).containers[0].resources.limits)
    expect(limits({ kvm: true })).toContain('devices.kubevirt.io/kvm')
    expect(limits({ kvm: false })).not.toContain('devices.kubevirt.io/kvm')
    expect(limits({})).not.toContain('devices.kubevirt.io/kvm')
  })

  it('makes a ConfigMap and a Job of one name, with the labels that are given, and a pod with its own', () => {
    const { name, namespace, labels, podLabels } = input()
    const metadata = { name, namespace, labels }
    expect(customizeJob(input()).map((one) => [one.kind, one.metadata])).toEqual([
      ['ConfigMap', metadata],
      ['Job', metadata],
    ])
    expect(jobOf().template.metadata.labels).toEqual(podLabels)
  })

  it('makes the same of the same, and what Git reads back is the same again', () => {
    expect(customizeJob(input())).toEqual(customizeJob(input()))
    for (const manifest of customizeJob(input())) expect(parseYaml(toYaml(manifest))).toEqual(manifest)
  })

  it('mounts a disk that is a file', () => {
    expect(containerOf().volumeMounts[0]).toEqual({ name: 'disk', mountPath: '/disks' })
    expect(containerOf()).not.toHaveProperty('volumeDevices')
    expect(envOf()).toMatchObject({ DISK: '/disks/disk.img' })
  })

  it('takes a disk that is a device', () => {
    const change = { volumeMode: 'Block' } as const
    expect(containerOf(change).volumeDevices).toEqual([{ name: 'disk', devicePath: '/dev/vda' }])
    expect(containerOf(change).volumeMounts.map(({ name }) => name)).not.toContain('disk')
    expect(envOf(change)).toMatchObject({ DISK: '/dev/vda' })
  })

  it('is tried once, within its time, and stays when it is done', () => {
    expect(jobOf()).toMatchObject({ backoffLimit: 0, activeDeadlineSeconds: 3600 })
    expect(podOf()).toMatchObject({ restartPolicy: 'Never' })
    expect(jobOf()).not.toHaveProperty('ttlSecondsAfterFinished')
  })

  it('runs as the user of disks and has no right that it does not need', () => {
    expect(podOf()).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 107,
        fsGroup: 107,
        seccompProfile: { type: 'RuntimeDefault' },
      },
    })
    expect(containerOf().securityContext).toEqual({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    })
  })

  it('shows the keys of Secrets that are named, as files that only its group may read', () => {
    const customization = everything({ sshKeys: [{ user: 'ann', secret: 'rhel', key: 'a.pub' }] })
    expect(podOf({ customization }).volumes.filter(({ name }) => name.startsWith('secret-'))).toEqual([
      {
        name: 'secret-0',
        secret: {
          secretName: 'rhel',
          defaultMode: 0o440,
          items: [
            { key: 'a.pub', path: 'a.pub' },
            { key: 'key', path: 'key' },
            { key: 'org', path: 'org' },
          ],
        },
      },
      {
        name: 'secret-1',
        secret: { secretName: 'root', defaultMode: 0o440, items: [{ key: 'password', path: 'password' }] },
      },
    ])
    expect(containerOf({ customization }).volumeMounts).toContainEqual({
      name: 'secret-0',
      mountPath: '/customize/secrets/rhel',
      readOnly: true,
    })
  })

  it('has a mount for each volume', () => {
    const mounted = containerOf().volumeMounts.map(({ name }) => name)
    expect(
      podOf()
        .volumes.map(({ name }) => name)
        .sort(),
    ).toEqual([...mounted].sort())
  })

  it.each([
    [undefined, 'true'],
    [true, 'true'],
    [false, 'false'],
  ])('relabels unless it is told not to: selinuxRelabel %s', (selinuxRelabel, said) => {
    const { selinuxRelabel: _, ...rest } = everything()
    const customization = { ...rest, ...(selinuxRelabel !== undefined && { selinuxRelabel }) }
    expect(envOf({ customization })).toMatchObject({ SELINUX_RELABEL: said })
  })

  it('writes no value that Kubernetes would drop: empty, false or nothing', () => {
    const dropped: string[] = []
    const visit = (value: unknown, at: string): void => {
      if (value === '' || value === null || value === undefined) dropped.push(at)
      if (value === false && !/automountServiceAccountToken$|allowPrivilegeEscalation$/.test(at)) dropped.push(at)
      if (typeof value === 'object' && value !== null)
        for (const [key, inner] of Object.entries(value)) visit(inner, `${at}.${key}`)
    }
    visit(customizeJob(input()), '')
    expect(dropped).toEqual([])
  })
})
